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

from graph.values import Alert, AlertRule, Change, ChangeKind, Fact, FactKind, Item, Record, Runbook
from ingest.alerts import read_alerts
from ingest.connectors import NAMES, connector, recognise
from ingest.connectors.codeowners import owners_of, rules
from ingest.errors import BadRecord


def read(name: str, raw: bytes, **meta: str) -> list[Item]:
    found: list[Item] = []
    one = connector(name)
    given_meta = {"path": "file", **meta}
    for piece in one.split(raw, given_meta):
        assert not piece.problem, piece.problem
        record = Record(
            id="r", source="s", connector=name, part=piece.part, body=piece.body, digest="",
            received_at=datetime.now(UTC), meta={**given_meta, **piece.meta},
        )  # fmt: skip
        found += one.transform(record)
    return found


def facts(items: list[Item]) -> set[tuple[FactKind, str, str]]:
    return {(one.kind, one.subject, one.object) for one in items if isinstance(one, Fact)}


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
