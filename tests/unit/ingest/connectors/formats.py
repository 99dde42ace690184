"""
What is stated from each format, as docs/reference/formats.md shows it. `python -m tests.unit.ingest.connectors.formats`
writes the tables anew; test_formats.py holds the page to what is read.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from graph.contract import Store, kind_of
from graph.opening import open_store
from graph.values import Fact, FactKind, Item, ItemKind, Record, RecordState
from ingest.connectors import NAMES, connector
from ingest.contract import Source
from ingest.pipeline import ingest
from tests.unit.ingest.connectors.reading import DATA

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "formats.md"
SHARED = Path(__file__).parents[5] / "shared" / "samples"
COLUMNS = ("entities", "other facts", "changes", "alerts", "alert rules", "incidents", "documents")
_KINDS = {
    ItemKind.CHANGE: "changes",
    ItemKind.ALERT: "alerts",
    ItemKind.ALERT_RULE: "alert rules",
    ItemKind.INCIDENT: "incidents",
    ItemKind.RUNBOOK: "documents",
}
_NOT_ONE_FORMAT = {"signatures"}
_READ_BY = {"postmortem_templates": "postmortems"}
_OPTIONS = {"helm": {"release": "shop"}}
"""What a person adds to a source whose files do not say it."""


def connector_of(file: str) -> str:
    """
    The connector that a payload of ours is for: the longest name with which the file's begins.
    """
    stem = file.partition(".")[0].lower()
    return max((name for name in NAMES if stem == name or stem.startswith(f"{name}_")), key=len)


def stated(name: str, path: Path) -> tuple[Counter[str], tuple[Record, ...]]:
    """
    What a file or folder states through the whole way in (cutting, redaction, journal, applying), by column, and the
    records. What is in quarantine counts as `quarantined`, what states nothing as `silent`.
    """
    options = {"files": "*", **_OPTIONS.get(name, {})} if path.is_dir() else _OPTIONS.get(name, {})
    with tempfile.TemporaryDirectory() as folder:
        if path.is_dir():
            path = shutil.copytree(path, Path(folder) / path.name, ignore=shutil.ignore_patterns("SOURCE.md"))
        store = open_store(f"sqlite:///{folder}/data")
        try:
            report = ingest(store, [Source(name=name, connector=name, path=str(path), options=options)])
            assert report.ok, report
            records = store.records(limit=100_000)
            return Counter(_columns(store, records)), records
        finally:
            store.close()


def _columns(store: Store, records: tuple[Record, ...]) -> Iterator[str]:
    stating = set()
    # a begin that comes late lets an end stand anew: the same statement
    said = set[tuple[str, type[Item], str]]()
    for event in store.changes_since(0, 1_000_000):
        if event.op != "opened" or event.statement is None:
            continue
        stating.add(event.statement.record)
        item = event.statement.item
        if isinstance(item, Fact):
            yield "entities" if item.kind is FactKind.ENTITY else "other facts"
        elif (thing := (event.statement.record, type(item), item.id)) not in said:
            said.add(thing)
            yield _KINDS[kind_of(item)]
    for record in records:
        if record.state is RecordState.QUARANTINED:
            yield "quarantined"
        elif record.id not in stating and not connector(record.connector).snapshot:
            yield "silent"


def own_table() -> str:
    """
    The table of our own payloads.
    """
    rows: dict[str, Counter[str]] = {}
    for path in sorted(DATA.iterdir()):
        name = connector_of(path.name)
        found, _ = stated(name, path)
        rows[name] = rows.get(name, Counter()) + found
    lines = [f"| `{name}` | {_cells(found, COLUMNS)} |" for name, found in sorted(rows.items())]
    return "\n".join([*_head("connector", COLUMNS), *lines])


def sample_table() -> str:
    """
    The table of real payloads, which lie beside the checkout.
    """
    more = ("files", *COLUMNS, "silent", "quarantined")
    lines = []
    for folder in sorted(path for path in SHARED.iterdir() if path.is_dir() and path.name not in _NOT_ONE_FORMAT):
        found, _ = stated(_READ_BY.get(folder.name, folder.name), folder)
        found["files"] = sum(path.name != "SOURCE.md" for path in folder.iterdir())
        lines.append(f"| `{folder.name}` | {_cells(found, more)} |")
    return "\n".join([*_head("folder", more), *lines])


def _head(first: str, columns: tuple[str, ...]) -> list[str]:
    return [f"| {first} | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]


def _cells(found: Counter[str], columns: tuple[str, ...]) -> str:
    return " | ".join(str(found[name] or "") for name in columns)


def table_in(page: str, name: str) -> str:
    """
    The table between the marks of that name.
    """
    return page.partition(f"<!-- {name} -->\n")[2].partition(f"\n<!-- /{name} -->")[0]


def main() -> None:
    """
    Write the tables into the page.
    """
    page = PAGE.read_text(encoding="utf-8")
    tables = {"own": own_table(), **({"samples": sample_table()} if SHARED.is_dir() else {})}
    for name, table in tables.items():
        page = page.replace(f"<!-- {name} -->\n{table_in(page, name)}\n", f"<!-- {name} -->\n{table}\n")
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
