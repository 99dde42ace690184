"""
A body of another vendor's, at the wrong address: kept, with whose it is, and stating nothing.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.opening import open_store
from graph.values import RecordState, View
from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain, retry
from ingest.strangers import stranger
from tests.unit.ingest.connectors.formats import connector_of
from tests.unit.ingest.connectors.reading import DATA

LENIENT = ("zabbix", "newrelic", "pagerduty", "statuspage", "servicenow", "firehydrant", "gcp_monitoring", "nagios")
ALERT = {"labels": {"alertname": "Slow"}, "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "a", "status": "firing"}
FOREIGN = {
    "version": "4", "groupKey": "g", "receiver": "r", "status": "firing", "groupLabels": {}, "commonLabels": {},
    "commonAnnotations": {}, "externalURL": "", "title": "Slow", "name": "Slow", "id": "1", "alerts": [ALERT],
}  # fmt: skip


@pytest.mark.parametrize("name", LENIENT)
def test_anothers_body_waits_in_quarantine_with_whose_it_is(tmp_path: Path, name: str) -> None:
    store = open_store(f"sqlite:///{tmp_path}")
    admit(store, Source(name="hook", connector=name), orjson.dumps(FOREIGN), {"path": "webhook"})
    drain(store)
    retry(store)
    (kept,) = store.records()
    assert (kept.state, store.alerts(View.now()), store.incidents(View.now())) == (RecordState.QUARANTINED, (), ())
    assert "a body of alertmanager" in kept.reason
    assert "/v1/ingest/alertmanager" in kept.reason
    store.close()


def test_what_nobody_knows_is_left_to_the_connector() -> None:
    assert stranger("zabbix", b'{"name": "Disk is full"}', {}) == ""
    assert stranger("alertmanager", orjson.dumps(FOREIGN), {}) == ""
    assert stranger("grafana_alerts", orjson.dumps(FOREIGN), {}) == ""
    assert stranger("backstage", orjson.dumps(FOREIGN), {}) == ""


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.json")), ids=lambda path: path.name)
def test_no_connector_takes_its_own_body_for_anothers(path: Path) -> None:
    name = connector_of(path.relative_to(DATA).parts[0])
    assert stranger(name, path.read_bytes(), {"path": path.name}) == ""
