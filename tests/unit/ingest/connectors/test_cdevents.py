"""
CDEvents of several versions, ours and the specification's own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind, Incident, SectionKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, read

RAW = (DATA / "cdevents.json").read_bytes()
SHA = "sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"


def test_services_merges_and_deploying_pipelines_are_changes_and_builds_are_not() -> None:
    deployed, rolled, merged, run, incident = read("cdevents", RAW)
    assert deployed == Change(
        id="cdevents:service.deployed:ev-1",
        kind=ChangeKind.DEPLOY,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        ended_at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        title="Service basket deployed",
        services=("service:basket",),
        environment="production",
        revision="sha256:ab12",
        actor="lena",
        status="deployed",
        attributes={"source": "/ci/tower", "chain": "chain-9", "artifact": "pkg:oci/basket@sha256%3Aab12?tag=v7"},
    )
    assert isinstance(rolled, Change)
    assert (rolled.kind, rolled.revision) == (ChangeKind.ROLLBACK, "v6")
    assert isinstance(merged, Change)
    assert (merged.kind, merged.merge, merged.repository) == (ChangeKind.CODE, True, "repository:acme/basket")
    assert isinstance(run, Change)
    assert (run.id, run.status, run.text) == ("cdevents:pipelinerun:/ci/tower/run-88", "failure", "image not found")
    assert isinstance(incident, Incident)
    assert (incident.id, incident.title) == ("cdevents:incident:/watch/inc-5", "Checkout is slow")
    assert (incident.at, incident.resolved_at) == (datetime(2026, 3, 2, 14, 10, tzinfo=UTC), None)


def test_the_end_of_an_incident_shares_its_part_and_comes_after_its_beginning() -> None:
    begun = orjson.loads(RAW)[5]
    ended = {**begun, "context": {**begun["context"], "type": "dev.cdevents.incident.resolved.0.2.0"}}
    one, two = (next(iter(connector("cdevents").split(orjson.dumps(body), {}))) for body in (begun, ended))
    assert one.part == two.part
    assert one.occurred_at is not None
    assert two.occurred_at is not None
    assert one.occurred_at < two.occurred_at


def test_an_unknown_subject_is_kept_with_its_name() -> None:
    body = orjson.loads(RAW)[0]
    body["context"]["type"] = "dev.cdevents.moon.landed.0.1.0"
    with pytest.raises(BadRecord, match=r"CDEvents's event 'moon.landed' is not read; the delivery is kept"):
        read("cdevents", orjson.dumps(body))


@pytest.mark.parametrize(
    ("name", "kind", "services", "environment", "revision"),
    [
        ("artifact_published", ChangeKind.CODE, ("service:myapp",), None, "234fd47e07d1004f0aed9c"),
        ("change_merged", ChangeKind.CODE, (), None, None),
        ("environment_created", ChangeKind.INFRASTRUCTURE, (), "testenv", None),
        ("service_deployed", ChangeKind.DEPLOY, ("service:mysubject123",), "test123", SHA),
        ("service_published", ChangeKind.CONFIG, ("service:mysubject123",), "test123", None),
        ("service_removed", ChangeKind.INFRASTRUCTURE, ("service:mysubject123",), "test123", None),
        ("service_rolledback", ChangeKind.ROLLBACK, ("service:mysubject123",), "test123", SHA),
        ("service_upgraded", ChangeKind.DEPLOY, ("service:mysubject123",), "test123", SHA),
    ],
)
def test_the_specifications_changes(
    shared: Path, name: str, kind: ChangeKind, services: tuple[str, ...], environment: str | None, revision: str | None
) -> None:
    raw = (shared / f"samples/cdevents/{name}.json").read_bytes()
    (change,) = read("cdevents", raw)
    assert isinstance(change, Change)
    assert (change.kind, change.services, change.environment, change.revision) == (
        kind,
        services,
        environment,
        revision,
    )
    assert change.at == datetime(2023, 3, 20, 14, 27, 5, 315384, UTC)


def test_the_specifications_incidents_and_what_states_nothing(shared: Path) -> None:
    folder = shared / "samples/cdevents"
    moment = datetime(2022, 11, 11, 13, 52, 20, 79000, UTC)
    (begun,) = read("cdevents", (folder / "incident_detected.json").read_bytes())
    (ended,) = read("cdevents", (folder / "incident_resolved.json").read_bytes())
    assert isinstance(begun, Incident)
    assert isinstance(ended, Incident)
    assert begun.id == ended.id == "cdevents:incident:/monitoring/prod1/incident-123"
    assert (begun.at, begun.detected_at, begun.resolved_at, begun.services) == (
        moment,
        moment,
        None,
        ("service:myapp",),
    )
    assert (ended.at, ended.resolved_at) == (None, moment)
    assert ended.sections == {SectionKind.RESOLUTION: "Response time restored below 100ms"}
    for name in ("pipelinerun_finished", "ticket_created"):
        assert read("cdevents", (folder / f"{name}.json").read_bytes()) == []


def test_every_sample_is_recognised_as_it(shared: Path) -> None:
    for path in sorted((shared / "samples/cdevents").glob("*.json")):
        found = recognise(orjson.loads(path.read_bytes()), {})
        assert found is not None, path.name
        assert found.name == "cdevents", path.name


def test_one_may_ask_about_an_incident_and_not_about_a_deploy() -> None:
    ask = connector("cdevents").alerts
    assert ask is not None
    asked = [
        [(one.name, one.status, one.labels["service"]) for one in ask(body, RECEIVED)] for body in orjson.loads(RAW)
    ]
    assert asked == [[], [], [], [], [], [("Checkout is slow", "firing", "basket")]]
