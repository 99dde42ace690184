"""
Any sender of Standard Webhooks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import orjson
import pytest

from graph.values import Alert
from ingest.connectors import connector
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, when
from tests.unit.ingest.connectors.reading import RECEIVED


def test_the_data_are_read_by_the_usual_names() -> None:
    firing, resolved = alerts("standard_webhooks", *data("standard_webhooks"))
    assert bare(firing) == Alert(
        id="webhook:alert:al-1",
        name="Payments fail",
        at=when("2026-04-10T10:00"),
        expr="rate(fail) > 0.4",
        vendor="standard_webhooks",
        url="https://mon.example/al-1",
    )
    assert firing.labels == {
        "service": "payments", "environment": "prod", "severity": "critical", "team": "money", "tags": "edge", "event": "alert.triggered",
    }  # fmt: skip
    assert firing.annotations == {
        "title": "Payments fail", "description": "40 % fail", "runbook_url": "https://books.example/pay",
    }  # fmt: skip
    assert brief(resolved) == (firing.name, "resolved", firing.at, when("2026-04-10T10:30"))
    for order in (data("standard_webhooks"), data("standard_webhooks")[::-1]):
        assert [(one.id, one.status) for one in latest("standard_webhooks", order)] == [(firing.id, "resolved")]


def test_the_headers_of_the_specification_tell_it() -> None:
    body = {"type": "check.failed", "timestamp": "2026-04-10T10:00:00Z", "data": {"name": "a", "status": "down"}}
    assert recognised(body, webhook_id="msg_1") == "standard_webhooks"
    assert recognised(body) is None
    assert [recognised(one) for one in data("standard_webhooks")] == ["standard_webhooks"] * 2


def test_several_alerts_of_one_envelope_are_each_one() -> None:
    both = {"alerts": [{"id": "1", "name": "a"}, {"id": "2", "name": "b", "status": "resolved"}]}
    found = alerts("standard_webhooks", {"type": "alerts.changed", "timestamp": "2026-04-10T10:00:00Z", "data": both})
    assert [(one.id, one.status) for one in found] == [("webhook:alert:1", "firing"), ("webhook:alert:2", "resolved")]


def test_another_event_is_told() -> None:
    body = {"type": "user.created", "timestamp": "2026-04-10T10:00:00Z", "data": {"name": "Ann"}}
    with pytest.raises(BadRecord, match=r"the event 'user\.created' tells of no alert; the delivery is kept"):
        alerts("standard_webhooks", body)


def test_its_signature_is_that_of_the_specification() -> None:
    signing = connector("standard_webhooks").signing
    assert signing is not None
    raw, stamp = orjson.dumps(data("standard_webhooks")[0]), str(int(RECEIVED.timestamp()))
    digest = hmac.new(b"key", f"msg_1.{stamp}.".encode() + raw, hashlib.sha256).digest()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
    secret = "whsec_" + base64.b64encode(b"key").decode()
    assert signing.problem(raw, headers, secret, RECEIVED) == ""
    assert signing.problem(raw + b" ", headers, secret, RECEIVED) != ""
