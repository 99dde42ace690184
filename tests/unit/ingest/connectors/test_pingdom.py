"""
Pingdom's checks.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, recognised, sample, when


def test_down_is_an_alert_and_up_one_that_ends_as_it_begins() -> None:
    down, up = alerts("pingdom", *data("pingdom"))
    assert bare(down) == Alert(
        id="pingdom:check:4001@2026-04-11T09:33:20+00:00",
        name="Shop front",
        at=when("2026-04-11T09:33:20"),
        vendor="pingdom",
    )
    assert down.labels == {
        "team": "web", "tags": "edge", "url": "https://shop.example/health", "host": "shop.example", "severity": "HIGH",
        "check_type": "HTTP", "state": "DOWN",
    }  # fmt: skip
    assert down.annotations == {"title": "HTTP Error 502", "description": "HTTP 502", "location": "Oslo, Norway"}
    assert brief(up) == ("Shop front", "resolved", when("2026-04-11T09:38:20"), when("2026-04-11T09:38:20"))
    assert {recognised(body) for body in data("pingdom")} == {"pingdom"}


def test_of_a_list_only_what_is_down_is_an_alert() -> None:
    checks = [
        {"id": 1, "name": "a", "status": "up"},
        {"id": 2, "name": "b", "status": "down", "lastdownstart": 1775900000, "hostname": "b.example"},
        {"id": 3, "name": "c", "status": "paused"},
    ]
    (one,) = alerts("pingdom", {"checks": checks})
    assert brief(one) == ("b", "firing", when("2026-04-11T09:33:20"), None)


def test_a_body_without_a_name_is_no_check() -> None:
    with pytest.raises(BadRecord, match="there is no `check_name`"):
        alerts("pingdom", {"current_state": "DOWN"})


def test_a_real_webhook(shared: Path) -> None:
    (one,) = sample(shared, "pingdom", "down.json")
    assert brief(one) == ("Alerta API on OpenShift", "firing", when("2017-06-30T22:25:43"), None)
    assert one.labels["url"] == "http://api.alerta.io/"
