"""
Checkly, Coralogix, Dash0, LibreNMS, Axiom and Wazuh.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, brief, data, latest, recognised, sample, when


def test_each_is_known_by_its_fields() -> None:
    found = alerts("keep_other", *data("keep_other"))
    day = "2026-04-09T"
    assert [(one.vendor, one.id, *brief(one)) for one in found] == [
        ("checkly", "checkly:c-1@2026-04-09T10:00:00.000Z", "Login", "firing", when(f"{day}10:00"), None),
        ("coralogix", "coralogix:k-9", "Many errors", "resolved", when(f"{day}11:00"), when(f"{day}11:00")),
        ("dash0", "dash0:i-1", "Cart latency", "firing", when(f"{day}12:00"), None),
        ("libre_nms", "libre_nms:5/31@2026-04-09T13:00:00+00:00", "Device down", "firing", when(f"{day}13:00"), None),
        ("axiom", "axiom:m-1/@2026-04-09 14:00:00 +0000 UTC", "Ingest is behind", "firing", when(f"{day}14:00"), None),
        ("wazuh", "wazuh:1775.1", "Many logins failed", "firing", when(f"{day}15:00"), None),
    ]
    assert [dict(one.labels) for one in found] == [
        {"service": "gate", "tags": "edge", "region": "Frankfurt", "check_type": "BROWSER", "severity": "critical", "state": "ALERT_FAILURE"},
        {"environment": "prod", "application": "pay", "severity": "CRITICAL"},
        {"service": "cart", "dataset": "default", "severity": "critical"},
        {"host": "sw-1", "address": "192.0.2.9", "os": "ios", "severity": "critical"},
        {"monitor_id": "m-1"},
        {"host": "gate-2", "rule_id": "5712", "groups": "sshd", "severity": "high", "location": "/var/log/auth.log"},
    ]  # fmt: skip
    assert [recognised(body) for body in data("keep_other")] == ["keep_other"] * 6


def test_a_recovered_device_was_down_for_what_has_elapsed() -> None:
    down = data("keep_other")[3]
    up = {**down, "state": "0", "timestamp": "2026-04-09 14:02:03", "elapsed": "1h 2m 3s"}
    for order in ([down, up], [up, down]):
        assert [brief(one)[1:] for one in latest("keep_other", order)] == [
            ("resolved", when("2026-04-09T13:00"), when("2026-04-09T14:02:03"))
        ]


def test_a_test_states_nothing_and_a_stranger_is_told() -> None:
    axiom = {"action": "Open", "event": {"monitorID": "m", "title": "Axiom Monitor Test Triggered"}}
    assert alerts("keep_other", axiom) == []
    with pytest.raises(BadRecord, match="this is none of checkly, coralogix, dash0"):
        alerts("keep_other", {"title": "x"})


def test_real_alerts(shared: Path) -> None:
    (checkly,) = sample(shared, "keep_other", "checkly.json")
    moment = when("2025-01-26T11:19:40.544")
    assert brief(checkly) == ("API Check #1", "resolved", moment, moment)
    (coralogix,) = sample(shared, "keep_other", "coralogix.json")
    assert brief(coralogix) == ("Keep", "firing", when("2024-08-14T21:28:56.254"), None)
    assert coralogix.labels == {"alert_type": "security", "team": "ezhil", "severity": "ERROR", "priority": "P2"}
    (dash0,) = sample(shared, "keep_other", "dash0.json")
    assert brief(dash0) == (
        "New Check Rule", "resolved", when("2025-02-03T07:17:17.474101"), when("2025-02-03T07:24:17.474101"),
    )  # fmt: skip
    assert dash0.labels["service"] == "my-first-observable-service"
    (nms,) = sample(shared, "keep_other", "libre_nms.json")
    assert brief(nms) == ("Devices up/down", "resolved", when("2025-03-04T10:58:34"), when("2025-03-04T11:01:41"))
