"""
What people decide about identity: two names are one, or are not; one was renamed, or split; and what is taken back.

A decision is a record of its own source, stated with the trust `reviewed`. Of all decisions about a pair of names the
last that was not undone counts; so undoing one brings the one before it back. The log is read from the journal, so a
decision counts for the next one as soon as it is durable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import orjson

from graph.contract import Store
from graph.errors import NotFound
from graph.resolved import identity
from graph.values import (
    PUBLIC,
    EntityId,
    EntityKind,
    FactKind,
    Labels,
    RecordState,
    View,
    entity_id,
    entity_kind,
)
from ingest.connectors.identity import NAME
from ingest.contract import Source
from ingest.errors import BadRecord
from ingest.fields import text_at
from ingest.journal import admit
from ingest.parsing import asked_time, load_json, mapping_of, printable
from ingest.pipeline import drain
from service.parts import stamp

ACTIONS = ("confirm", "reject", "rename", "split", "undo")
MOST_NAMES = 20
LONGEST = 400
_LOG = 100_000
_Pair = tuple[EntityId, EntityId]
_State = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """
    One decision. `names` are ids: of `confirm` and `rename` the last is the name to keep, of `split` the first was
    split into the others. `of` is the decision that an `undo` takes back.
    """

    id: str
    action: str
    names: tuple[EntityId, ...]
    by: str
    decided_at: datetime
    at: datetime | None = None
    note: str = ""
    of: str = ""
    record: str = ""

    @property
    def pairs(self) -> dict[_Pair, _State]:
        """
        What it states, by the pair of names that it is about.
        """
        first, *others = self.names
        kind, verdict = _STATED[self.action]
        return {
            _pair(first, other): {
                "kind": kind.value,
                "subject": first,
                "object": other,
                "at": stamp(self.at),
                "verdict": verdict,
                "decision": self.id,
            }
            for other in others
        }


_STATED = {
    "confirm": (FactKind.SAME_AS, "confirmed"),
    "reject": (FactKind.SAME_AS, "rejected"),
    "rename": (FactKind.RENAMED_TO, "confirmed"),
    "split": (FactKind.SPLIT_INTO, "confirmed"),
}


@dataclass(slots=True)
class Log:
    """
    All decisions in their order, and which of them count.
    """

    decisions: dict[str, Decision] = field(default_factory=dict)
    undone: dict[str, str] = field(default_factory=dict)
    """By the decision that was undone: the one that undid it."""
    retracted: set[str] = field(default_factory=set)
    last: datetime | None = None

    def counting(self, pair: _Pair, without: str = "") -> Decision | None:
        """
        The decision that counts for a pair; `without` tells it as if that one were undone.
        """
        found = None
        for one in self.decisions.values():
            if one.action == "undo" or one.id in self.undone or one.id == without or pair not in one.pairs:
                continue
            # what was retracted took the standing statement with it
            found = None if one.id in self.retracted else one
        return found


def log_of(store: Store, visibility: Labels | None = None) -> Log:
    """
    The decisions that a reader with these labels may see (None: all).
    """
    found = Log()
    # the counts are kept, so that nobody looks for decisions among all records where there is none
    if not any(one.source == NAME for one in store.tally()):
        return found
    for record in store.records(source=NAME, visibility=visibility, limit=_LOG):
        if record.state is RecordState.QUARANTINED:
            continue
        decision = _read(record.body, record.id)
        found.decisions[decision.id] = decision
        found.last = record.known_at
        if record.state is RecordState.RETRACTED:
            found.retracted.add(decision.id)
        elif decision.action == "undo":
            found.undone[decision.of] = decision.id
    return found


def _read(body: str, record: str) -> Decision:
    given = mapping_of(load_json(body, "the decision"), "the decision")
    names, at = given.get("names"), text_at(given, "at")
    return Decision(
        id=text_at(given, "id") or "",
        action=text_at(given, "action") or "",
        names=tuple(str(one) for one in names) if isinstance(names, list) else (),
        by=text_at(given, "by") or "",
        decided_at=asked_time(given.get("decided_at"), "decided_at"),
        at=asked_time(at, "at") if at else None,
        note=text_at(given, "note") or "",
        of=text_at(given, "of") or "",
        record=record,
    )


def decide(
    store: Store, asked: Mapping[str, object], by: str, labels: Labels | None = None, now: datetime | None = None
) -> dict[str, object]:
    """
    Make a decision durable and in force; the same again is a duplicate of the one that counts. BadRecord for what is
    none, NotFound where nothing is known of its names (as far as one with these labels sees; None sees all).
    """
    action = str(asked.get("action") or "")
    if action not in ACTIONS:
        raise BadRecord(f"`action` is {action[:40]!r}; it is one of {', '.join(ACTIONS)}")
    log = log_of(store)
    note = printable(str(asked.get("note") or ""), "note")
    if len(note) > LONGEST:
        raise BadRecord(f"`note` has {len(note)} characters; at most {LONGEST}")
    now = max(now or datetime.now(UTC), log.last + timedelta(microseconds=1)) if log.last else now or datetime.now(UTC)
    make = _undo if action == "undo" else _act
    made, states, double = make(store, log, asked, labels, now)
    if double:
        return {**row(double, log), "duplicate": True, **_outcome(store, double)}
    made = _signed(made, by=by, note=note, at=now)
    if action != "undo":
        own = made.pairs.values()
        states = [*(one for one in states if not any(_same_fact(one, stated) for stated in own)), *own]
    source = Source(name=NAME, connector=NAME, visibility=_labels_of(store, made.names))
    admitted = admit(store, source, _body(made, states), {"path": NAME}, now)
    drain(store, source=NAME)
    made = _with(made, record=admitted.records[0])
    return {**row(made, log_of(store)), "duplicate": False, **_outcome(store, made)}


_Made = tuple[Decision, list[_State], Decision | None]
_Make = Callable[[Store, Log, Mapping[str, object], "Labels | None", datetime], _Made]


def _act(store: Store, log: Log, asked: Mapping[str, object], labels: Labels | None, now: datetime) -> _Made:
    """
    A new decision, what it takes the place of, and the one that says the same already.
    """
    action = str(asked["action"])
    names = _names(asked.get("names"), action)
    _require_known(store, names, labels)
    given = asked.get("at")
    at = asked_time(given, "at") if given not in (None, "") else None
    if at and action in ("confirm", "reject"):
        raise BadRecord(f"`at` says since when a rename or a split holds; a {action} holds for all times")
    made = Decision(id="", action=action, names=names, by="", decided_at=now, at=at)
    before = {pair: log.counting(pair) for pair in made.pairs}
    same = [one for one in before.values() if one and _says_same(one, made)]
    if len(same) == len(before) and len({one.id for one in same}) == 1:
        return made, [], same[0]
    if action in ("rename", "split") and at is None:
        made = _with(made, at=now)
    return made, [_undone(one.pairs[pair]) for pair, one in before.items() if one], None


def _says_same(one: Decision, made: Decision) -> bool:
    alike = set(one.names) == set(made.names) if made.action == "reject" else one.names == made.names
    return one.action == made.action and alike and made.at in (None, one.at)


def _undo(store: Store, log: Log, asked: Mapping[str, object], labels: Labels | None, now: datetime) -> _Made:
    """
    Taking a decision back: for each of its pairs where it counts, the one before it counts again.
    """
    of = str(asked.get("id") or "")
    target = log.decisions.get(of)
    if target is None or (labels is not None and of not in log_of(store, labels).decisions):
        raise NotFound(of, "There is no such decision")
    if target.action == "undo":
        raise BadRecord(f"{of} took {target.of} back; to have that again, decide it anew")
    made = Decision(id="", action="undo", names=target.names, by="", decided_at=now, of=of)
    if of in log.undone:
        return made, [], log.decisions[log.undone[of]]
    states: list[_State] = []
    for pair, stated in target.pairs.items():
        stays = log.counting(pair, without=of)
        if stays is None or not _same_fact(stated, stays.pairs[pair]):
            states.append(_undone(stated))
        if stays:
            states.append(stays.pairs[pair])
    return made, states, None


def _same_fact(one: _State, other: _State) -> bool:
    return all(one[key] == other[key] for key in ("kind", "subject", "object", "at"))


def _undone(stated: _State) -> dict[str, object]:
    return {**stated, "verdict": "undone"}


def _pair(one: EntityId, other: EntityId) -> _Pair:
    return (one, other) if one < other else (other, one)


def _signed(made: Decision, *, by: str, note: str, at: datetime) -> Decision:
    marks = "\x1f".join([made.action, *made.names, made.of, by, at.isoformat()])
    return _with(made, id=f"d-{hashlib.sha256(marks.encode()).hexdigest()[:12]}", by=by, note=note)


def _with(made: Decision, **fields: object) -> Decision:
    return replace(made, **fields)  # type: ignore[arg-type]  # each caller names fields of its type


def _body(made: Decision, states: Iterable[_State]) -> bytes:
    told = {
        "id": made.id,
        "action": made.action,
        "names": list(made.names),
        "by": made.by,
        "note": made.note,
        "of": made.of,
        "at": stamp(made.at),
        "decided_at": stamp(made.decided_at),
        "states": [dict(one) for one in states],
    }
    return orjson.dumps({key: value for key, value in told.items() if value})


def _names(given: object, action: str) -> tuple[EntityId, ...]:
    words = [str(one).strip() for one in given] if isinstance(given, list) else []
    wanted = "OLD and its parts" if action == "split" else "two"
    if len(words) < 2 or (action != "split" and len(words) != 2) or len(words) > MOST_NAMES or not all(words):
        raise BadRecord(f'`names` of {action} are {wanted}, like ["pay-gw", "payment-gateway"]; got {len(words)}')
    names = tuple(named(printable(one[:LONGEST], "names")) for one in words)
    if len({entity_kind(one) for one in names}) > 1:
        raise BadRecord(f"{' and '.join(names)} are things of different kinds")
    if len(set(names)) < len(names):
        raise BadRecord(f"`names` has one name twice: {', '.join(names)}")
    return names


def named(name: str) -> EntityId:
    """
    The id that a person means: a service where he says no kind.
    """
    kind, colon, rest = name.strip().partition(":")
    if colon and rest and kind.lower() in {one.value for one in EntityKind}:
        return entity_id(EntityKind(kind.lower()), rest)
    return entity_id(EntityKind.SERVICE, name)


def _require_known(store: Store, names: Sequence[EntityId], labels: Labels | None) -> None:
    """
    NotFound where no source and no change ever spoke of any of these.
    """
    view = _all_of(store, labels)
    if store.facts(view, subjects=names, valid=False) or store.facts(view, objects=names, valid=False):
        return
    if not set(names) & store.services_changed(view):
        raise NotFound(", ".join(names), "No source speaks of any of these names; write one of them as its source does")


def _labels_of(store: Store, names: Sequence[EntityId]) -> Labels:
    """
    The labels that one must hold to see all of these names at all.
    """
    found: Labels = PUBLIC
    stated = store.facts(_all_of(store, None), kinds=(FactKind.ENTITY,), subjects=names, valid=False)
    for name in names:
        labels = [one.visibility for one in stated if one.item.subject == name]
        found |= min(labels, key=lambda one: (len(one), sorted(one)), default=PUBLIC)
    return found


def _all_of(store: Store, labels: Labels | None) -> View:
    if labels is None:
        labels = PUBLIC.union(*(one for tally in store.tally() for one in store.labelled(tally.source)))
    return View.now(labels)


def _outcome(store: Store, made: Decision) -> dict[str, object]:
    """
    What the names are from now on, and why not what was decided, where another decision stands against it.
    """
    names = identity(store, _all_of(store, None))
    first, *others = made.names
    held = made.action == "confirm" and any(names.canonical(first) != names.canonical(one) for one in others)
    gap = f"{first} and {', '.join(others)} stay apart: names that are already one with them were rejected"
    return {"now": {one: names.canonical(one) for one in made.names}, "gaps": [gap] if held else []}


def row(made: Decision, log: Log) -> dict[str, object]:
    """
    A decision for a reader. `state`: it counts, another took its place, or it was undone.
    """
    state = "undone" if made.id in log.undone else "retracted" if made.id in log.retracted else "replaced"
    if state == "replaced" and made.action != "undo":
        counting = [log.counting(pair) for pair in made.pairs]
        state = "counts" if any(one and one.id == made.id for one in counting) else state
    return {
        "id": made.id,
        "action": made.action,
        "names": list(made.names),
        "at": stamp(made.at),
        "by": made.by,
        "note": made.note,
        "of": made.of or None,
        "decided_at": stamp(made.decided_at),
        "state": "counts" if made.action == "undo" else state,
        "evidence": [made.record],
    }


def decisions(store: Store, visibility: Labels | None = None) -> list[dict[str, object]]:
    """
    All decisions that a reader may see, the latest first.
    """
    log = log_of(store, visibility)
    return [row(one, log) for one in reversed(log.decisions.values())]
