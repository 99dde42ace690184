"""
A kept answer made again from the store, at its own view: whether it is the same byte for byte, and what changed since.

`VOLATILE` is left out of the comparison: it tells of the process and the moment, not of the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import orjson

from graph.encoding import decode
from graph.errors import NotFound
from graph.values import Alert, EntityId, FactKind, Item, ItemKind, Labels, RecordState, Statement, View
from models.signals import Delta, Edge, Firing, Signals
from service.context import Question, assemble
from service.parts import Part, stamp
from service.wiring import Memory

VOLATILE = ("timings_ms", "answer_id", "gaps that tell what the process lacked at the moment")
_LISTS: Mapping[str, Callable[[Any], Any]] = {
    "service": lambda part: part["candidates"],
    "changes": lambda part: part["suspects"],
    "precedents": lambda part: part,
    "runbooks": lambda part: part,
}
_SHOWN = 20


def question_of(told: Mapping[str, Any], labels: Labels) -> Question:
    """
    The question again, through the eyes of whoever has these labels and of whoever asked.
    """
    return Question(
        alert=_alert(told["alert"]),
        others=tuple(_alert(one) for one in told["others"]),
        as_of=datetime.fromisoformat(told["as_of"]),
        known_at=datetime.fromisoformat(told["known_at"]),
        asked_at=datetime.fromisoformat(told["asked_at"]),
        visibility=frozenset(told["visibility"]) & labels,
        environment=told["environment"],
        signals=_signals(told["signals"]),
        format=told["format"],
    )


def _signals(told: Mapping[str, Any]) -> Signals:
    return Signals(
        patterns=tuple((service, pattern, growth) for service, pattern, growth in told["patterns"]),
        failing=tuple(told["failing"]),
        notes=tuple(told["notes"]),
        edges=tuple(Edge(**_timed(one, "since")) for one in told["edges"]),
        metrics=tuple(Delta(**_timed(one, "since")) for one in told["metrics"]),
        alerts=tuple(Firing(**_timed(one, "at")) for one in told["alerts"]),
        began=_moment(told["began"]),
    )


def _timed(told: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {**told, key: _moment(told[key])}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _alert(text: str) -> Alert:
    return cast(Alert, decode(ItemKind.ALERT, text))


def replayed(memory: Memory, answer: str, labels: Labels) -> Part:
    """
    `{answer_id, same, differs, volatile, as_of, known_at, records, newer}`. Raises NotFound of an answer that is not
    kept, or was kept before questions were.
    """
    body, asked = memory.shelf.get(answer), memory.shelf.asked(answer)
    if body is None or asked is None:
        raise NotFound(answer, "There is no such answer with its question; ask anew, it is kept from now on")
    was, told = orjson.loads(body), orjson.loads(asked)
    then = memory.weighed(told["reached"]).telling(told["told"])
    now = assemble(then, question_of(told, labels), keep=False)
    before = _lasting(was, told["lags"])
    after = _lasting(orjson.loads(orjson.dumps(now)), [one for one in memory.lags() if one not in told["told"]])
    differs = [_difference(name, before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())]
    known = datetime.fromisoformat(told["known_at"])
    return {
        "answer_id": answer,
        "same": _bytes(before) == _bytes(after),
        "differs": [one for one in differs if one],
        "volatile": list(VOLATILE),
        "as_of": was["as_of"],
        "known_at": was["known_at"],
        "records": _records(memory, was["evidence"], labels),
        "newer": _newer(memory, was, known, labels),
    }


def _lasting(answer: Mapping[str, Any], lags: Sequence[str]) -> dict[str, Any]:
    found = {key: value for key, value in answer.items() if key not in ("timings_ms", "answer_id")}
    return {**found, "gaps": [one for one in found["gaps"] if one not in lags]}


def _bytes(answer: Mapping[str, Any]) -> bytes:
    return orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)


def _difference(name: str, was: Any, now: Any) -> Part | None:
    if orjson.dumps(was, option=orjson.OPT_SORT_KEYS) == orjson.dumps(now, option=orjson.OPT_SORT_KEYS):
        return None
    if name == "gaps":
        return {
            "part": name,
            "was": [one for one in was if one not in now],
            "now": [one for one in now if one not in was],
        }
    if name in _LISTS and was and now:
        ids = [[one["id"] for one in _LISTS[name](side)] for side in (was, now)]
        return {"part": name, "was": ids[0], "now": ids[1]}
    return {"part": name}


def _records(memory: Memory, evidence: Mapping[str, Any], labels: Labels) -> list[Part]:
    """
    The cited records that no longer stand as they did: retracted, erased, or with another content.
    """
    ids = sorted(evidence)
    found = {one.id: one for one in memory.store.records(ids, visibility=labels, limit=len(ids) + 1)} if ids else {}
    rows: list[Part] = []
    for one in ids:
        held = found.get(one)
        if held is None:
            rows.append({"id": one, "state": "gone", "reason": "erased, or not visible any more"})
        elif held.state is not RecordState.APPLIED:
            rows.append({"id": one, "state": held.state.value, "reason": held.reason})
        elif evidence[one] and held.digest != evidence[one]["digest"]:
            rows.append({"id": one, "state": "altered", "reason": "its content has another hash"})
    return rows


def _newer(memory: Memory, was: Mapping[str, Any], known: datetime, labels: Labels) -> Part:
    """
    What became known after the answer of the service that it took for the likeliest: stated, and no longer stated.
    """
    candidates = was["service"]["candidates"]
    service: EntityId | None = candidates[0]["id"] if candidates and not was["service"]["abstained"] else None
    empty: Part = {"service": None, "facts": [], "closed": [], "changes": [], "incidents": []}
    if service is None:
        return empty
    view = View.now(labels)
    own = memory.catalogue.directory(view).own(service)
    facts = memory.facts.facts(view, subjects=own, valid=False)
    former = [one for kind in FactKind for one in memory.facts.former(view, kind, own)]
    closed = [one for one in former if _since(one.known.start, known) is False and _since(one.known.end, known)]
    changes = memory.store.changes(view, services=own, limit=200)
    incidents = [one for one in memory.store.incidents(view) if not own.isdisjoint(one.item.services)]
    return {
        "service": service,
        "facts": _stated(facts, known),
        "closed": [_row(one) for one in closed[-_SHOWN:]],
        "changes": _stated(changes, known),
        "incidents": _stated(incidents, known),
    }


def _since(moment: datetime | None, known: datetime) -> bool:
    return moment is not None and moment > known


def _stated(statements: Sequence[Statement[Any]], known: datetime) -> list[Part]:
    found = [one for one in statements if _since(one.known.start, known)]
    return [_row(one) for one in sorted(found, key=lambda one: one.seq)[-_SHOWN:]]


def _row(one: Statement[Any]) -> Part:
    item: Item = one.item
    name = getattr(item, "id", "") or f"{getattr(item, 'kind', '')} {getattr(item, 'object', '')}".strip()
    return {
        "id": name,
        "source": one.source,
        "known_from": stamp(one.known.start),
        "known_to": stamp(one.known.end),
        "evidence": [one.record],
    }
