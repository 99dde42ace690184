"""
Each connector on our own small files and on real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.values import Alert, AlertRule, Change, ChangeKind, FactKind, Incident, Item, Record, Runbook
from ingest.alerts import read_alerts
from ingest.connectors import NAMES, connector, recognise
from ingest.connectors.codeowners import owners_of, rules
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import facts, read


def test_backstage_states_owner_needs_parts_and_names() -> None:
    text = b"""apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: Order-API, annotations: {github.com/project-slug: acme/orders}}
spec: {type: service, owner: payments, dependsOn: ['resource:orders-db'], consumesApis: [tax-api], system: shop}
"""
    found = facts(read("backstage", text, path="catalog-info.yaml"))
    assert (FactKind.OWNED_BY, "service:order-api", "team:payments") in found
    assert (FactKind.DEPENDS_ON, "service:order-api", "resource:orders-db") in found
    assert (FactKind.DEPENDS_ON, "service:order-api", "service:tax-api") in found
    assert (FactKind.BUILT_FROM, "service:order-api", "repository:acme/orders") in found


def test_a_broken_document_leaves_the_others_alone() -> None:
    text = b"kind: Component\nmetadata: {name: a}\n---\nkind: [\n---\nkind: Component\nmetadata: {name: b}\n"
    pieces = list(connector("backstage").split(text, {"path": "catalog-info.yaml"}))
    assert sorted(bool(piece.problem) for piece in pieces) == [False, False, True]


def test_every_real_catalogue_is_read(shared: Path) -> None:
    for path in sorted((shared / "samples/backstage").glob("*")):
        if path.suffix in (".yaml", ".json") and "fragment" not in path.name:
            assert read("backstage", path.read_bytes(), path=path.name), path.name


def test_the_last_matching_line_of_codeowners_wins() -> None:
    found = list(rules("* @org/all\n/docs/ @org/docs\n*.py @ann\n/docs/secret.py\n"))
    assert owners_of("README", found) == ("@org/all",)
    assert owners_of("docs/a/b.md", found) == ("@org/docs",)
    assert owners_of("docs/x.py", found) == ("@ann",)
    assert owners_of("docs/secret.py", found) == ()


def test_gitlab_sections_all_apply_and_inherit_their_owners() -> None:
    found = list(rules("* @org/all\n[Backend] @org/be\n*.rb\n^[Docs]\n*.rb @org/docs\n"))
    assert owners_of("a.rb", found) == ("@org/all", "@org/be", "@org/docs")


def test_every_real_codeowners_is_read(shared: Path) -> None:
    for path in sorted((shared / "samples/codeowners").glob("*CODEOWNERS*")):
        assert facts(read("codeowners", path.read_bytes(), path=path.name)), path.name


def test_changes_from_csv_and_json_lines_are_alike() -> None:
    table = b"id,ts,app,to,bot\nd1,2026-01-02T03:04:05Z,shop,v2,1\n"
    line = orjson.dumps({"id": "d1", "ts": "2026-01-02T03:04:05Z", "app": "shop", "to": "v2", "bot": "1"})
    one, two = read("changes", table, path="d.csv"), read("changes", line, path="d.jsonl")
    assert one == two
    change = one[0]
    assert isinstance(change, Change)
    assert (change.kind, change.services, change.automated) == (ChangeKind.DEPLOY, ("service:shop",), True)


def test_a_deployments_later_status_replaces_the_earlier(shared: Path) -> None:
    folder = shared / "samples/github"
    parts = [
        next(iter(connector("github").split((folder / name).read_bytes(), {"x-github-event": event}))).part.split("/")[
            -1
        ]
        for name, event in (
            ("deployment.payload.json", "deployment"),
            ("deployment_status.payload.json", "deployment_status"),
        )
    ]
    found = read("github", (folder / "deployment_status.payload.json").read_bytes())
    assert isinstance(found[0], Change)
    assert found[0].id == f"deployment:{parts[1]}"
    assert found[0].status == "success"


def test_real_github_deliveries_are_recognised_and_read(shared: Path) -> None:
    for path in sorted((shared / "samples/github").glob("*.payload.json")):
        body = orjson.loads(path.read_bytes())
        found = recognise(body, {})
        assert found is not None, path.name
        assert found.name == "github", path.name
        read("github", path.read_bytes())


def test_rules_are_read_from_plain_files_and_from_objects(shared: Path) -> None:
    for path in sorted((shared / "samples/prometheus_rules").glob("*.y*ml")):
        found = [
            one for one in read("prometheus_rules", path.read_bytes(), path=path.name) if isinstance(one, AlertRule)
        ]
        assert found, path.name
        assert len({one.id for one in found}) == len(found)


def test_alertmanagers_webhooks_become_occurrences(shared: Path) -> None:
    for path in sorted((shared / "samples/alertmanager").glob("*.json")):
        found = read("alertmanager", path.read_bytes(), path=path.name)
        assert all(isinstance(one, Alert) and one.ended_at is None for one in found), path.name
        assert read_alerts(path.read_bytes(), {})[0].name


def test_runbooks_know_their_alerts_and_sections(shared: Path) -> None:
    for path in sorted((shared / "samples/runbooks").glob("*.md*")):
        page = read("runbooks", path.read_bytes(), path=path.name)[0]
        assert isinstance(page, Runbook)
        assert page.sections, path.name


def test_a_mapping_makes_facts_of_any_rows() -> None:
    mapping = 'rows = "teams"\n[[items]]\nkind = "owned_by"\neach = "services"\nsubject = "service:{it}"\nobject = "team:{name}"\n'
    raw = orjson.dumps({"teams": [{"name": "Blue", "services": ["a", "b"]}]})
    assert facts(read("mapping", raw, path="t.json", mapping=mapping)) == {
        (FactKind.OWNED_BY, "service:a", "team:blue"),
        (FactKind.OWNED_BY, "service:b", "team:blue"),
    }


def pieces(name: str, raw: bytes, path: str) -> list[tuple[str, str]]:
    """
    (part, why it cannot be read) of each piece, at the split or at the transform.
    """
    one, found = connector(name), []
    for piece in one.split(raw, {"path": path}):
        record = Record(
            id="r", source="s", connector=name, part=piece.part, body=piece.body, digest="",
            received_at=datetime.now(UTC), meta={"path": path, **piece.meta},
        )  # fmt: skip
        problem = piece.problem
        try:
            _ = problem or list(one.transform(record))
        except BadRecord as error:
            problem = str(error)
        found.append((piece.part, problem))
    return found


def test_a_rule_that_is_none_leaves_the_others_alone() -> None:
    text = b"groups:\n- name: disk\n  rules:\n  - null\n  - {alert: DiskFull, expr: up == 0}\n  - word\n"
    assert [one.name for one in rules_of(text) if isinstance(one, AlertRule)] == ["DiskFull"]
    problems = [problem for _, problem in pieces("prometheus_rules", text, "rules.yaml")]
    assert problems[0] == ""
    assert ["rule 1 of group `disk`" in problems[1], "rule 3 of group `disk`" in problems[2]] == [True, True]


def rules_of(raw: bytes) -> list[Item]:
    """
    What a file of rules states.
    """
    name = "prometheus_rules"
    one = connector(name)
    first = next(iter(one.split(raw, {"path": "rules.yaml"})))
    record = Record(
        id="r", source="s", connector=name, part=first.part, body=first.body, digest="", received_at=datetime.now(UTC)
    )
    return list(one.transform(record))


@pytest.mark.parametrize(
    ("name", "path", "raw", "says"),
    [
        ("alertmanager", "a.json", b'{"alerts": [{"labels": {"alertname": "Slow"}}]}', "`startsAt` of alert Slow is missing"),
        ("alertmanager", "a.json", b'{"alerts": [{"labels": {"alertname": "Slow"}, "startsAt": "soon"}]}', "`startsAt` of alert Slow: 'soon'"),
        ("changes", "c.jsonl", b'{"id": 1, "at": 5}', "the time of row 1 of c.jsonl: 5 is not a time; write it like"),
        ("changes", "c.csv", b'{"id":"t","at":"2026"}\n', "double the quotes inside"),
        ("changes", "c.csv", b"", "needs a first row"),
        ("postmortems", "i.jsonl", b'{"id": "a", "summary": "x"}\n[1]\n', "line 2 of i.jsonl should be an object"),
        ("postmortems", "i.jsonl", b'{"id": null, "title": null}\n', "line 1 of i.jsonl has neither an id nor a title"),
        ("postmortems", "i.json", b'[{"id": "a"}, {"severity": 3}]', "entry 2 of i.json has neither"),
        ("postmortems", "empty.md", b" \n\n", "empty.md is empty"),
        ("backstage", "c.yaml", b"kind: Component\nmetadata: {name: '  '}\n", "metadata.name is missing"),
        ("github", "d.json", b'{"deployment": {"id": 1}, "repository": {"name": "a"}}', "`created_at` of the deployment is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_which_and_where(name: str, path: str, raw: bytes, says: str) -> None:
    try:
        problems = [problem for _, problem in pieces(name, raw, path)]
    except BadRecord as error:
        problems = [str(error)]
    assert [says in problem for problem in problems].count(True) == 1, problems


def test_a_small_number_is_no_time_of_an_incident() -> None:
    (incident,) = read("postmortems", b'{"id": "a", "title": "x", "started": 5}', path="i.json")
    assert isinstance(incident, Incident)
    assert incident.at is None


def test_a_blank_service_is_passed_over() -> None:
    body = b'{"deployment": {"id": 1, "created_at": "2026-01-01T00:00:00Z", "payload": {"service": " "}}, "repository": {"name": "shop"}}'
    (change,) = read("github", body)
    assert isinstance(change, Change)
    assert change.services == ("service:shop",)
    text = b"groups: [{name: g, rules: [{alert: A, expr: up, labels: {service: ' '}}]}]"
    (rule,) = read("prometheus_rules", text)
    assert isinstance(rule, AlertRule)
    assert rule.services == ()


@pytest.mark.parametrize(
    "mapping", ["", "items = 3", "[[items]]\nkind = 'wish'", "rowz = 'a'\n[[items]]\nkind='entity'"]
)
def test_a_wrong_mapping_says_what_is_wrong(mapping: str) -> None:
    with pytest.raises(BadRecord):
        read("mapping", b"{}", path="t.json", mapping=mapping)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "kind", "metadata", "spec", "at", "alerts", "labels", "name", "title", "deployment", "repository", "groups", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.sampled_from([name for name in NAMES if name not in ("mapping", "git")]))
def test_arbitrary_json_is_read_or_refused_by_every_connector(value: object, name: str) -> None:
    one = connector(name)
    meta: Mapping[str, str] = {"path": "file.json"}
    try:
        for piece in one.split(orjson.dumps(value), meta):
            record = Record(
                id="r",
                source="s",
                connector=name,
                part=piece.part,
                body=piece.body,
                digest="",
                received_at=datetime.now(UTC),
                meta=meta,
            )
            list(one.transform(record))
    except BadRecord as error:
        assert str(error)
