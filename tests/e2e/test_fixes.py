"""
What fixed it: what held, what can still be done, what several sources say; one document alone settles nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.values import PUBLIC
from ingest.contract import Source
from ingest.pipeline import ingest
from service.api.app import answer_of
from service.settings import Settings
from service.tokens import LOCAL
from service.wiring import Memory, open_memory

FIRST = datetime.fromisoformat("2026-03-02T10:00:00+00:00")
TITLE = "Orders rejected: session pool of the till is exhausted"


class Shop:
    """
    A small organisation that grows.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.memory: Memory = open_memory(Settings.model_validate({"data": folder / "data"}))

    def read(self, name: str, connector: str, rows: list[Mapping[str, object]], suffix: str = "jsonl") -> None:
        path = self.folder / name / f"incidents.{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        report = ingest(self.memory.store, (Source(name=name, connector=connector, path=str(path), visibility=PUBLIC),))
        assert report.ok, report
        self.memory.follow()

    def ask(self, days: int = 200, **more: object) -> dict[str, Any]:
        at = (FIRST + timedelta(days=days)).isoformat()
        alert = {"title": "TillPoolExhausted", "text": TITLE, "service": "till", "at": at, **more}
        return answer_of(self.memory, json.dumps(alert).encode(), {}, LOCAL)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.memory.close()


def incident(number: int, days: float, resolution: str, **more: object) -> dict[str, object]:
    at = FIRST + timedelta(days=days)
    return {
        "id": f"INC-{number}", "title": TITLE, "started_at": at.isoformat(), "resolved_at": (at + timedelta(hours=1)).isoformat(),
        "services": ["till"], "alerts": ["TillPoolExhausted"], "impact": "Customers could not pay at the till.", "resolution": resolution,
        **more,
    }  # fmt: skip


def test_it_held_where_nothing_alike_came_within_a_month(shop: Shop) -> None:
    shop.read("reviews", "postmortems", [
        incident(1, 0, "Restarted the `till` pods and orders recovered."),
        incident(2, 9, "Rolled back `till` to 4.1 and orders recovered."),
        incident(3, 120, "Scaled `till` from 3 to 9 pods and orders recovered."),
    ])  # fmt: skip
    found = {one["id"]: one for one in shop.ask(days=130)["precedents"]}
    held = {name: one["fix"]["held"] for name, one in found.items()}
    assert held == {"INC-1": False, "INC-2": True, "INC-3": None}
    assert found["INC-1"]["again"] == ["INC-2"]


def test_what_several_sources_say_comes_before_what_one_repeats(shop: Shop) -> None:
    shop.read("tickets", "postmortems", [
        incident(number, number * 40, f"Deleted the `ledger` table and it recovered, said ticket {number}.")
        for number in range(3)
    ])  # fmt: skip
    shop.read("reviews", "postmortems", [incident(8, 125, "Rolled back `till` to 4.1 and orders recovered.")])
    shop.read("wiki", "postmortems", [incident(9, 165, "Rolled back `till` to 4.0 and all orders recovered.")])
    answer = shop.ask()
    assert [(one["action"], one["settled"], one["sources"]) for one in answer["fixes"][:2]] == [
        ("rollback", True, 2), ("clear", False, 1),
    ]  # fmt: skip


def test_one_document_alone_settles_nothing_and_the_answer_says_so(shop: Shop) -> None:
    shop.read("tickets", "postmortems", [incident(1, 100, "Deleted the `ledger` table and orders recovered.")])
    answer = shop.ask()
    assert [one["settled"] for one in answer["fixes"]] == [False]
    assert "as one source says" in " ".join(answer["headline"])


def test_a_rollback_that_was_seen_supports_the_document_that_tells_of_it(shop: Shop) -> None:
    began = FIRST + timedelta(days=100)
    shop.read("reviews", "postmortems", [incident(1, 100, "Rolled back `till` to 4.1 and orders recovered.")])
    change = {
        "id": "d-2", "kind": "rollback", "at": (began + timedelta(minutes=40)).isoformat(), "services": ["till"],
        "title": "Roll back till", "actor": "ann", "reverts": "d-1",
    }  # fmt: skip
    shop.read("deploys", "changes", [change])
    answer = shop.ask()
    fix = answer["precedents"][0]["fix"]
    told = {name: fix.get(name) for name in ("by", "change", "reverts", "minutes_to_recover")}
    assert told == {"by": "ann", "change": "d-2", "reverts": "d-1", "minutes_to_recover": 20}
    assert (answer["fixes"][0]["sources"], answer["fixes"][0]["settled"]) == (2, True)
    assert set(fix["evidence"]) <= set(answer["evidence"])


def test_a_fix_whose_target_is_gone_is_not_first(shop: Shop) -> None:
    catalog = shop.folder / "catalog"
    catalog.mkdir()

    def listed(*names: str) -> None:
        text = "---\n".join(f"kind: Component\nmetadata: {{name: {name}}}\nspec: {{owner: shop}}\n" for name in names)
        (catalog / "catalog-info.yaml").write_text(text)
        assert ingest(shop.memory.store, (Source(name="catalog", connector="backstage", path=str(catalog)),)).ok
        shop.memory.follow()

    listed("till", "till-cache")
    shop.read("reviews", "postmortems", [
        incident(1, 60, "Restarted `till-cache` and orders recovered."),
        incident(2, 120, "Restarted `till-cache`, and that resolved it."),
        incident(3, 180, "Rolled back `till` to 4.1 and orders recovered."),
    ])  # fmt: skip
    assert shop.ask(days=220)["fixes"][0]["target"] == "till-cache"
    listed("till")
    after = shop.ask(days=220)
    assert [one["target"] for one in after["fixes"]] == ["till", "till-cache"]
    assert "no source names it since" in after["fixes"][1]["lost"]


def test_open_follow_ups_and_the_how_manieth_time_are_told(shop: Shop) -> None:
    shop.read("reviews", "postmortems", [
        incident(1, 0, "Restarted the `till` pods and orders recovered."),
        incident(2, 60, "Restarted the `till` pods and all was well again.", action_items=["[ ] Bound the session pool, TILL-12 (owner: Team Till)", "[x] Page on it"]),
    ])  # fmt: skip
    answer = shop.ask()
    assert answer["times"] == 3
    (action,) = answer["follow_ups"]
    assert (action["name"], action["owner"], action["incident"]) == ("TILL-12", "Team Till", "INC-2")
    assert set(action["evidence"]) <= set(answer["evidence"])
    assert 'Third time; action TILL-12 of INC-2 is still open (owner "Team Till").' in answer["headline"]
