"""
What could be answered for each service if it paged now, what is missing, and what to mend first.

A check says yes, no, or nothing where it does not apply. The three questions rest on checks: who owns it and answers,
what changed, what fixed it last time. The cheapest next repair is the one that mends most questions for its work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from graph.resolved import Entity, entities
from graph.values import EntityKind, View, entity_name
from models.contract import Status
from service.parts import Part, stamp
from service.readiness_checks import CHECKS, Finding
from service.readiness_signs import Signs, gather
from service.wiring import Memory

PARTS = ("owner", "changes", "incidents", "runbook", "dependencies")
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "who": ("owner", "owner_alive", "on_call"),
    "changed": ("changes", "markers", "names"),
    "fixed": ("incidents", "fixes", "runbook"),
}
"""The checks that a question rests on. Of what fixed it, a runbook will do where no incident is known."""
REPAIRS: Mapping[str, tuple[float, str]] = {
    "owner": (1, "name an owner in the catalogue"),
    "owner_alive": (1, "name an owner that is still there"),
    "owner_agreed": (2, "let the sources agree on the owner"),
    "on_call": (3, "put somebody on the rota"),
    "names": (1, "state the other name as an alias"),
    "alerts": (1, "state the name that its alerts use as an alias"),
    "changes": (3, "send its deploys"),
    "markers": (3, "send deploy markers from its pipeline again"),
    "environments": (3, "send deploy markers from every environment"),
    "incidents": (5, "write down its incidents"),
    "fixes": (5, "say in its postmortems what ended them"),
    "runbook": (5, "write a runbook and name the service in it"),
    "runbook_link": (1, "mend the link to the runbook, or add its page as a source"),
    "dependencies": (4, "declare what it depends on"),
    "fresh": (4, "send traces again, or declare the dependency"),
    "traced": (8, "trace its calls"),
}
"""Of each check how much work its repair is, and what it is. The numbers rank; they are no hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    What was found of one service.
    """

    name: str
    findings: Mapping[str, Finding]

    @property
    def missing(self) -> list[str]:
        """
        The checks that say no.
        """
        return [name for name, found in self.findings.items() if found.ok is False]

    @property
    def answerable(self) -> dict[str, bool]:
        """
        Whether each question could be answered now.
        """
        return self._without(set(self.missing))

    def unlocked(self, check: str) -> list[str]:
        """
        The questions that could be answered if only this were mended.
        """
        before, after = self.answerable, self._without(set(self.missing) - {check})
        return [name for name, ok in after.items() if ok and not before[name]]

    def _without(self, bad: set[str]) -> dict[str, bool]:
        fixed = ("incidents" not in bad and "fixes" not in bad) or "runbook" not in bad
        return {"who": not bad & set(QUESTIONS["who"]), "changed": not bad & set(QUESTIONS["changed"]), "fixed": fixed}

    @property
    def gains(self) -> list[str]:
        """
        What is missing, that which gives most for its work first.
        """
        helped = {name for question, ok in self.answerable.items() if not ok for name in QUESTIONS[question]}
        return sorted(self.missing, key=lambda name: (name not in helped, REPAIRS[name][0], name))


def readiness(memory: Memory, view: View, trend: Sequence[int] = ()) -> dict[str, object]:
    """
    Per service what is there and what is missing, the same for the whole, and as it was so many days ago (`trend`).
    """
    signs = gather(memory, view)
    rows = _rows(memory, view, signs)
    shown = sorted(rows, key=lambda row: (sum(row.findings[one].ok is True for one in PARTS), row.name))
    return {
        "services": [_row(row) for row in shown],
        **_whole(rows),
        "repairs": _repairs(rows),
        "unknown_names": sorted(signs.strangers.items(), key=lambda pair: (-pair[1], pair[0]))[:50],
        "index": _index(memory),
        "trend": [_then(memory, view, days) for days in sorted(set(trend), reverse=True)],
    }


def _rows(memory: Memory, view: View, signs: Signs) -> list[Row]:
    services = [one for one in entities(memory.facts, view, EntityKind.SERVICE) if one.attributes.get("kind") != "api"]
    return [row_of(one, signs) for one in services]


def row_of(service: Entity, signs: Signs) -> Row:
    """
    What was found of one service.
    """
    return Row(name=entity_name(service.id), findings={name: check(service, signs) for name, check in CHECKS.items()})


def _whole(rows: Sequence[Row]) -> Part:
    answers = [row.answerable for row in rows]
    return {
        "share": {name: _share([row.findings[name].ok for row in rows]) for name in CHECKS},
        "answerable": {name: _share([one[name] for one in answers]) for name in QUESTIONS},
    }


def _share(found: Sequence[bool | None]) -> float | None:
    known = [one for one in found if one is not None]
    return sum(known) / len(known) if known else None


def _row(row: Row) -> Part:
    has = {name: found.ok for name, found in row.findings.items()}
    first = row.gains[:1]
    return {
        "service": row.name,
        "has": has,
        "missing": row.missing,
        "score": sum(has[part] is True for part in PARTS) / len(PARTS),
        "answerable": row.answerable,
        "says": {name: row.findings[name].says for name in row.missing},
        "next": {"check": first[0], "repair": REPAIRS[first[0]][1], "says": row.findings[first[0]].says}
        if first
        else None,
    }


def _repairs(rows: Sequence[Row]) -> list[Part]:
    """
    What to mend: that by which most questions of services could be answered for its work, then what most lack.
    """
    counts = Counter(name for row in rows for name in row.missing)
    unlocks = Counter(name for row in rows for name in row.missing for _ in row.unlocked(name))
    work = {name: REPAIRS[name][0] for name in counts}
    ranked = sorted(counts, key=lambda name: (-unlocks[name] / work[name], -counts[name] / work[name], name))
    return [
        {
            "check": name, "repair": REPAIRS[name][1], "services": counts[name], "unlocks": unlocks[name],
            "work": work[name],
        }
        for name in ranked
    ]  # fmt: skip


def _index(memory: Memory) -> Part:
    status: Status = memory.indexer.status()
    behind = max(0, status.watermark - min(memory.catalogue.watermark, status.lexical, status.dense))
    return {"fresh": behind == 0, "behind": behind, "gaps": memory.lags()}


def _then(memory: Memory, view: View, days: int) -> Part:
    """
    The shares as they were: what was true then, as it was known then.
    """
    back = timedelta(days=days)
    past = replace(view, as_of=view.as_of - back, known_at=min(view.known_at, view.as_of) - back)
    rows = _rows(memory, past, gather(memory, past))
    return {"days_ago": days, "at": stamp(past.as_of), "services": len(rows), **_whole(rows)}
