"""
Real organisations go in whole: every record applied or in quarantine with a reason, and counts add up.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from graph.opening import open_store
from graph.values import RecordState, View
from ingest.pipeline import Report, ingest
from ingest.sources import read_sources

HERE = Path(__file__).parent / "organisations"


def load(shared: Path, name: str, data: Path) -> tuple[Report, int, int]:
    sources = [
        replace(source, path=str(shared / "data" / name / Path(source.path).relative_to(HERE)))
        for source in read_sources(HERE / f"{name}.toml")
    ]
    store = open_store(f"sqlite:///{data}")
    report = ingest(store, sources)
    bad = store.records(state=RecordState.QUARANTINED, limit=10_000)
    assert all(record.reason for record in bad)
    changes = len(store.changes(View.now(), limit=1_000_000))
    store.close()
    return report, len(bad), changes


@pytest.mark.parametrize(("name", "changes"), [("2i2c", 16_704), ("moj-cloud-platform", 7_972), ("govuk", 36_000)])
def test_a_real_organisation_goes_in_whole(shared: Path, tmp_path: Path, name: str, changes: int) -> None:
    report, bad, stated = load(shared, name, tmp_path)
    assert report.ok
    assert report.total("new") == report.total("applied") + report.total("quarantined")
    assert bad == report.total("quarantined") <= report.total("new") / 100
    assert stated >= 0.99 * changes
