"""
Which connector a payload is for: one at most, and asking all of them costs little.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.values import Alert
from ingest.alerts import PLAIN, read_payload
from ingest.connectors import connectors
from ingest.errors import BadRecord
from ingest.fields import unwrapped
from ingest.parsing import load_json
from tests.unit.ingest.connectors.alerting import when
from tests.unit.ingest.connectors.test_connectors import JSON

HEAVY = (
    "torch",
    "onnxruntime",
    "faiss",
    "tantivy",
    "tokenizers",
    "numpy",
    "neo4j",
    "fastapi",
    "httpx",
    "requests",
    "pandas",
)


def bodies(path: Path) -> Iterator[Mapping[str, object]]:
    """
    The JSON objects of a file, out of a list and out of a relay's envelope too; none where it is no JSON.
    """
    try:
        value = load_json(path.read_bytes())
    except BadRecord:
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one
            if (inner := unwrapped(one)) is not one:
                yield inner


def test_every_real_payload_is_recognised_by_one_connector_at_most(shared: Path) -> None:
    asked = [one for one in connectors() if one.recognises]
    several: dict[str, list[str]] = {}
    known: set[str] = set()
    for path in sorted((shared / "samples").rglob("*.json")):
        for body in bodies(path):
            found = [one.name for one in asked if one.recognises and one.recognises(body, {})]
            known.update(found)
            if len(found) > 1:
                several[str(path.relative_to(shared / "samples"))] = found
    assert several == {}
    assert {"alertmanager", "cloudwatch", "github", "sentry"} <= known


def test_loading_all_connectors_loads_nothing_heavy() -> None:
    program = (
        "import sys; from ingest.connectors import connectors; assert len(connectors()) > 20; "
        f"print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


KEYS = (
    "schemaId",
    "Type",
    "TopicArn",
    "MessageId",
    "alerts",
    "labels",
    "data",
    "event",
    "type",
    "context",
    "status",
    "results",
)


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
def test_arbitrary_bodies_are_asked_about_in_peace(body: dict[str, object]) -> None:
    for one in connectors():
        if one.recognises:
            assert one.recognises(body, {}) in (True, False)


NOW = when("2026-05-01")


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b'{"zen": "Design for failure.", "hook_id": 1, "hook": {}, "repository": {}, "sender": {}, "pusher": {}}', "this is github's format"),
        (b'{"version": "test", "incident": {"incident_id": "1", "policy_name": "p", "state": "open"}}', "this is gcp_monitoring's format (Google Cloud Monitoring's webhook, schema 1.0 to 1.2), but it holds no alert to ask about"),
        (b'{"Type": "SubscriptionConfirmation", "TopicArn": "t", "MessageId": "m"}', "this is cloudwatch's format: SNS's SubscriptionConfirmation of t: confirm by hand; nothing is fetched"),
        (b'{"check_id": 1, "check_name": "a", "previous_state": "UP", "current_state": "DOWN", "state_changed_timestamp": "9000-01-01T00:00:00Z"}', "lies outside the years 1970 to 2200"),
    ],
)  # fmt: skip
def test_what_is_recognised_and_holds_no_alert_names_its_format(payload: bytes, says: str) -> None:
    with pytest.raises(BadRecord) as raised:
        read_payload(payload, {}, NOW)
    assert says in str(raised.value)


def test_headers_name_a_vendor_in_any_case() -> None:
    with pytest.raises(BadRecord, match="this is github's format"):
        read_payload(b'{"zen": "x"}', {"X-GitHub-Event": "ping"}, NOW)


def test_the_answer_names_the_format_of_the_first_firing_alert() -> None:
    down = b'{"check_id": 1, "check_name": "a", "previous_state": "DOWN", "current_state": "UP", "state_changed_timestamp": 1775900000}'
    asked = read_payload(b"[" + down + b', {"title": "disk is full"}]', {}, NOW)
    assert [one.status for one in asked.alerts] == ["firing", "resolved"]
    assert asked.format == PLAIN
    assert read_payload(down, {}, NOW).format == "pingdom"


def test_one_alert_that_cannot_be_read_leaves_the_others_alone() -> None:
    told: list[str] = []
    payload = (
        b'{"alerts": [{"labels": {"alertname": "A"}, "startsAt": "2026-01-01T00:00:00Z"}, '
        b'{"labels": {"alertname": "B"}, "startsAt": "2026-01-01T00:00:00Z", "status": "resolved", "endsAt": "soon"}]}'
    )
    asked = read_payload(payload, {}, NOW, told.append)
    assert [one.name for one in asked.alerts] == ["A"]
    assert ["an alert of the payload is left out: `endsAt` of alert B" in one for one in told] == [True]


def test_a_plain_alert_with_alertmanagers_labels_keeps_its_own_time() -> None:
    (found,) = read_payload(b'{"labels": {"alertname": "A"}, "at": "2026-01-01T00:00:00Z"}', {}, NOW).alerts
    assert (found.name, found.at, found.vendor) == ("A", when("2026-01-01"), PLAIN)
    assert isinstance(found, Alert)
