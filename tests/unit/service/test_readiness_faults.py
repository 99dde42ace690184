"""
Faults put into a healthy organisation: each is flagged at the service that has it, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graph.contract import Yield
from graph.values import (
    Alert,
    AlertRule,
    Change,
    ChangeKind,
    Fact,
    FactKind,
    Fix,
    FixAction,
    Incident,
    Item,
    Record,
    Runbook,
    Trust,
    View,
)
from service.readiness import readiness
from service.readiness_check import check_text, checked
from service.settings import Settings
from service.wiring import Memory, open_memory

NOW = datetime.now(UTC)
NAMES = [
    "falcon", "heron", "kestrel", "osprey", "plover", "sparrow", "thrush", "wagtail", "avocet", "bittern", "curlew",
    "dunlin", "egret", "fulmar", "gannet", "hobby", "jackdaw",
]  # fmt: skip
Parts = dict[str, list[Item]]


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def edge(kind: FactKind, subject: str, target: str = "", **attributes: str) -> Fact:
    return Fact(kind=kind, subject=subject, object=target, attributes=attributes)


def call(one: str, other: str, days: int) -> Fact:
    told = {"source_kind": "observed", "last_seen": ago(days).date().isoformat()}
    return edge(FactKind.DEPENDS_ON, f"service:{one}", f"service:{other}", **told)


def deploy(name: str, days: float, environment: str, mark: str = "") -> Change:
    identity = f"{name}-{environment}-{days}{mark}"
    return Change(
        id=identity, kind=ChangeKind.DEPLOY, at=ago(days), services=(f"service:{name}",), environment=environment
    )


def commit(name: str, days: float) -> Change:
    return Change(
        id=f"{name}-commit-{days}", kind=ChangeKind.CODE, at=ago(days), repository=f"repository:birds/{name}"
    )  # fmt: skip


def healthy(name: str) -> Parts:
    service, team = f"service:{name}", f"team:{name}-people"
    fix = Fix(action=FixAction.ROLLBACK, target=name, quote="rolled back")
    page = f"https://pages.example/{name}"
    return {
        "described": [edge(FactKind.ENTITY, service, type="service")],
        "owner": [edge(FactKind.OWNED_BY, service, team)],
        "team": [edge(FactKind.ENTITY, team, title=name)],
        "member": [edge(FactKind.MEMBER_OF, f"person:{name}-1", team)],
        "rota": [edge(FactKind.ON_CALL_FOR, f"person:{name}-1", team)],
        "built": [edge(FactKind.BUILT_FROM, service, f"repository:birds/{name}")],
        "deploys": [deploy(name, days, place) for days in (1, 5, 9, 13, 17, 60) for place in ("production", "staging")],
        "commits": [commit(name, days) for days in (2, 15, 20)],
        "incidents": [Incident(id=f"INC-{name}", title="errors", at=ago(50), services=(service,), fixes=(fix,))],
        "runbook": [Runbook(id=f"{name}.md", title=name, services=(service,), url=page)],
        "rule": [AlertRule(id=f"r-{name}", name=f"{name}Slow", services=(service,), runbook_url=f"{page}#steps")],
        "alert": [Alert(id=f"a-{name}", name=f"{name}Slow", at=ago(3), labels={"service": name})],
        "call": [call(name, f"{NAMES[NAMES.index(name) - 1]}", 1)],
    }


def other_team(parts: Parts, name: str) -> None:
    parts["other"] = [edge(FactKind.OWNED_BY, f"service:{name}", "team:falcon-people")]


def unknown_team(parts: Parts, name: str) -> None:
    parts["owner"] = [edge(FactKind.OWNED_BY, f"service:{name}", "team:long-gone")]
    parts["rota"] = [edge(FactKind.ON_CALL_FOR, "person:falcon-1", f"service:{name}")]
    parts["team"], parts["member"] = [], []


def departed(parts: Parts, name: str) -> None:
    parts["gone"] = [edge(FactKind.ENTITY, f"person:{name}-1", status="departed")]
    parts["second"] = [edge(FactKind.MEMBER_OF, f"person:{name}-2", f"team:{name}-people")]


def drop(*which: str) -> Callable[[Parts, str], None]:
    def without(parts: Parts, name: str) -> None:
        for one in which:
            parts[one] = []

    return without


def put(which: str, made: Callable[[str], list[Item]]) -> Callable[[Parts, str], None]:
    def replaced(parts: Parts, name: str) -> None:
        parts[which] = made(name)

    return replaced


FAULTS: dict[str, tuple[Callable[[Parts, str], None], set[str]]] = {
    "heron": (drop("owner", "rota"), {"owner", "on_call"}),
    "kestrel": (unknown_team, {"owner_alive"}),
    "osprey": (other_team, {"owner_agreed"}),
    "plover": (drop("rota"), {"on_call"}),
    "sparrow": (departed, {"on_call"}),
    "thrush": (
        put("more", lambda name: [Change(id="x", kind=ChangeKind.DEPLOY, at=ago(1), services=("service:thrush-prod",))]),
        {"names"},
    ),
    "wagtail": (
        put("alert", lambda name: [Alert(id="w", name="wagtailSlow", at=ago(3), labels={"service": "wagtail-svc-prod"})]),
        {"alerts"},
    ),
    "avocet": (put("deploys", lambda name: [deploy(name, 70, "production")]), {"markers"}),
    "bittern": (
        put("deploys", lambda name: [
            *(deploy(name, days, "staging") for days in (1, 5, 9, 13, 17)), deploy(name, 40, "production"),
        ]),
        {"environments"},
    ),
    "curlew": (drop("incidents"), {"incidents"}),
    "dunlin": (
        put("incidents", lambda name: [Incident(id="d", title="x", at=ago(9), services=(f"service:{name}",))]),
        {"fixes"},
    ),
    "egret": (drop("runbook", "rule"), {"runbook"}),
    "fulmar": (
        put("rule", lambda name: [
            AlertRule(id="f", name="F", services=(f"service:{name}",), runbook_url="https://pages.example/moved"),
        ]),
        {"runbook_link"},
    ),
    "gannet": (put("call", lambda name: [call(name, "falcon", 1), call(name, "egret", 200)]), {"fresh"}),
    "hobby": (drop("deploys", "commits"), {"changes"}),
}  # fmt: skip
"""Of each faulty service what is done to it, and the checks that must say no."""


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    found = open_memory(Settings(data=tmp_path_factory.mktemp("birds"), embedder="none"))
    for name in NAMES:
        parts = healthy(name)
        if name in FAULTS:
            FAULTS[name][0](parts, name)
        for part, items in parts.items():
            _state(found, f"{name}-{part}", items)
    found.follow()
    yield found
    found.close()


def _state(memory: Memory, name: str, items: list[Item]) -> None:
    record = Record(
        id=name, source=name, connector="test", part=name, body=name, digest=name, received_at=ago(2 if "late" in name else 300)
    )  # fmt: skip
    memory.store.append([record])
    memory.store.apply([Yield(record=name, items=tuple(items), trust=Trust.DECLARED)])


@pytest.fixture(scope="module")
def found(memory: Memory) -> dict[str, Any]:
    return readiness(memory, View.now(), [30])


@pytest.mark.parametrize("name", NAMES)
def test_each_fault_is_flagged_at_its_service_and_healthy_ones_are_not(found: dict[str, Any], name: str) -> None:
    row = next(one for one in found["services"] if one["service"] == name)
    assert set(row["missing"]) == (FAULTS[name][1] if name in FAULTS else set()), row["says"]
    assert set(row["says"]) == set(row["missing"])
    assert (row["next"] is None) == (name not in FAULTS)


def test_the_questions_follow_from_what_is_missing(found: dict[str, Any]) -> None:
    lost = {
        question: {one["service"] for one in found["services"] if not one["answerable"][question]}
        for question in ("who", "changed", "fixed")
    }
    assert lost["who"] == {"heron", "kestrel", "plover", "sparrow"}
    assert lost["changed"] == {"thrush", "avocet", "hobby"}
    assert lost["fixed"] == set(), "a runbook or a recorded fix is there for each"
    assert found["answerable"]["who"] == pytest.approx(1 - 4 / len(NAMES))


def test_the_cheapest_repair_comes_first(found: dict[str, Any]) -> None:
    worth = [(one["unlocks"] / one["work"], one["services"] / one["work"]) for one in found["repairs"]]
    assert worth == sorted(worth, reverse=True)
    heron = next(one for one in found["services"] if one["service"] == "heron")
    assert (heron["next"]["check"], heron["next"]["says"]) == ("owner", "no source names an owner")


def test_the_trend_looks_from_then(found: dict[str, Any]) -> None:
    (then,) = found["trend"]
    assert (then["days_ago"], then["services"]) == (30, len(NAMES))
    assert then["share"]["owner"] == found["share"]["owner"]


def test_what_readiness_said_comes_true_when_incidents_are_asked_about_again(memory: Memory) -> None:
    seen: list[int] = []
    found = checked(memory, lambda what, done, total: seen.append(done))
    who = found["questions"]["who"]  # type: ignore[index]  # a table
    assert who["said_yes"]["n"] >= 10
    assert who["said_yes"]["answered"] == 1.0
    assert who["said_no"]["n"] >= 2
    assert who["said_no"]["answered"] < 0.5
    assert who["lift"] > 0.5
    assert who["score"] < who["base"]
    assert not [one for one in found["misses"] if one["question"] == "who"]  # type: ignore[attr-defined]  # rows
    assert "who      said yes" in check_text(found)
    assert seen


def test_a_repair_counts_the_questions_that_it_alone_would_open(found: dict[str, Any]) -> None:
    unlocks = {one["check"]: one["unlocks"] for one in found["repairs"]}
    assert unlocks["names"] == 1
    assert unlocks["owner_agreed"] == 0, "a conflict leaves every question answerable"
