"""
Zabbix's webhooks.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when
from tests.unit.ingest.connectors.reading import RECEIVED


def test_our_template_reads_times_in_the_servers_zone() -> None:
    firing, resolved = alerts("zabbix", *data("zabbix"))
    assert bare(firing) == Alert(
        id="zabbix:event:88001",
        name="Disk is full on /var",
        at=when("2026-04-05T07:15"),
        expr="last(/store-4/vfs.fs.size[/var,pused])>95",
        vendor="zabbix",
        url="https://zbx.example/tr_events.php?triggerid=1200&eventid=88001",
    )
    assert firing.labels == {
        "service": "till", "environment": "prod", "host": "store-4", "host_groups": "Stores", "severity": "High", "trigger_id": "1200",
    }  # fmt: skip
    assert firing.annotations == {"title": "Disk is full on /var", "description": "Remove old logs", "value": "97 %"}
    assert brief(resolved) == (firing.name, "resolved", firing.at, when("2026-04-05T07:45"))
    for order in (data("zabbix"), data("zabbix")[::-1]):
        assert [(one.id, one.status) for one in latest("zabbix", order)] == [(firing.id, "resolved")]
    assert {recognised(body) for body in data("zabbix")} == {"zabbix"}


def test_the_parameters_of_zabbixs_own_webhooks_are_read() -> None:
    body = {
        "alert_subject": "Problem: CPU", "alert_message": "load", "event_id": "12", "event_value": "1", "event_severity": "Average",
        "event_name": "CPU is busy", "event_date": "2026.04.05", "event_time": "10:00:00", "event_tags": '[{"tag":"team","value":"web"}]',
        "trigger_id": "3", "host_name": "web-1", "event_recovery_date": "*UNKNOWN*",
    }  # fmt: skip
    (one,) = alerts("zabbix", body)
    assert brief(one) == ("CPU is busy", "firing", when("2026-04-05T10:00"), None)
    assert (one.labels["team"], one.labels["host"], one.id) == ("web", "web-1", "zabbix:event:12")
    assert recognised(body) == "zabbix"


def test_keys_may_be_the_macros_themselves() -> None:
    body = {
        "EVENT.ID": "12", "{EVENT.VALUE}": "0", "EVENT.NAME": "CPU is busy", "EVENT.DATE": "2026.04.05", "EVENT.TIME": "10:00:00",
        "EVENT.RECOVERY.DATE": "2026.04.05", "EVENT.RECOVERY.TIME": "10:30:00", "HOST.NAME": "web-1", "TRIGGER.ID": "3",
        "EVENT.TAGS": "service:web", "EVENT.SEVERITY": "High",
    }  # fmt: skip
    (one,) = alerts("zabbix", body)
    assert brief(one) == ("CPU is busy", "resolved", when("2026-04-05T10:00"), when("2026-04-05T10:30"))
    assert (one.labels["service"], one.labels["host"]) == ("web", "web-1")
    assert recognised(body) == "zabbix"


def test_a_body_without_an_event_is_known_by_its_trigger_and_host() -> None:
    body = {"hostname": "a", "status": "PROBLEM", "trigger": "down", "item": "ping", "severity": "High", "link": ""}
    one, two = alerts("zabbix", body, {**body, "status": "OK"})
    assert (one.id, one.status, two.status) == (two.id, "firing", "resolved")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "{EVENT.NAME}"}, "there is no name of an event; use the template"),
        ({"date": "soon"}, "the time of the event: 'soon 09:15:00' is not a time"),
        ({"timezone": "Mars/Base"}, "'Mars/Base' is not a time zone"),
        ({"template": "precedent/zabbix/2"}, "'precedent/zabbix/2' is not known"),
    ],
)
def test_what_cannot_be_read_says_why(change: dict[str, str], says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        alerts("zabbix", {**data("zabbix")[0], **change})


def test_real_bodies(shared: Path) -> None:
    (short,) = sample(shared, "zabbix", "alert.zulip.json")
    assert brief(short) == ("Zabbix agent on www.example.com is unreachable for 5 minutes", "firing", RECEIVED, None)
    assert (short.id, short.labels["host"], short.labels["severity"]) == (
        "zabbix:event:10528",
        "www.example.com",
        "Average",
    )
    (sentence,) = sample(shared, "zabbix", "alert.oncall.json")
    assert brief(sentence) == ("TestAlert: The whole system is down", "firing", RECEIVED, None)
    assert sentence.id == "zabbix:event:08d6891a-835c-e661-39fa-96b6a9e26552"
