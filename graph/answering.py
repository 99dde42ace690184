"""
Who answers a page for a service now: the levels of its escalation with the persons on call at each, and who answers
where they are empty: the next level, the team's lead and members, the team above.

Who is on call for a schedule is what its rules give at the view's moment. What the tool read out itself counts before
them where it is not older than they are, and where no hand-off lies between. Somebody who left is named, and skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from graph.contract import Facts
from graph.identity import Identity
from graph.resolved import Ownership, best_first, level_of
from graph.rota import Override, Rota, hand_off, joined, on_call, read_rota
from graph.values import EntityId, Fact, FactKind, Statement, View, entity_kind, entity_name

_FIRST = datetime.min.replace(tzinfo=UTC)
_DEEPEST = 4
_MOST = 20
_LEADS = ("lead", "leader", "manager", "owner", "admin")
Departed = Callable[[EntityId], str]
"""Why a person is not there any more; empty for one who is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """
    A person, why it is this one (`rule`, `override`, `read_out`, `named`, `lead`, `member`), until when, and by which
    statements, the first of which counts. `departed` says why he is not there any more.
    """

    person: EntityId
    by: str
    schedule: EntityId | None = None
    until: datetime | None = None
    statements: tuple[Statement[Fact], ...] = field(default=(), hash=False)
    departed: str = ""

    @property
    def on_call(self) -> bool:
        """
        Whether it is his turn, rather than that he is always named.
        """
        return self.by in ("rule", "override", "read_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """
    One level: whom it pages (schedules, teams, persons), who that is now, and whether a schedule of it is empty.
    """

    number: int
    targets: tuple[EntityId, ...]
    people: tuple[Answerer, ...]
    empty: tuple[EntityId, ...] = ()
    delay_minutes: str | None = None
    records: tuple[str, ...] = ()

    @property
    def present(self) -> tuple[Answerer, ...]:
        """
        Those who are there.
        """
        return tuple(one for one in self.people if not one.departed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    What is wrong: `empty_rota`, `departed`; with whom, and in words.
    """

    kind: str
    subject: EntityId
    says: str
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """
    The levels, and who answers first: `via` is `rota` for the first level, `next level`, `lead`, `members`, `parent
    team`, or empty for nobody. `next_hand_off` is when somebody else will.
    """

    levels: tuple[Level, ...] = ()
    people: tuple[Answerer, ...] = ()
    via: str = ""
    next_hand_off: datetime | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class _Reading:
    """
    One question's looks at the facts.
    """

    facts: Facts
    view: View
    names: Identity
    departed: Departed
    faults: dict[tuple[str, EntityId], Fault] = field(default_factory=dict)

    def stated(
        self, kind: FactKind, *, subjects: Iterable[EntityId] = (), objects: Iterable[EntityId] = (), valid: bool = True
    ) -> tuple[Statement[Fact], ...]:
        return self.facts.facts(
            self.view, kinds=(kind,), subjects=frozenset(subjects), objects=frozenset(objects), valid=valid
        )

    def fault(self, kind: str, subject: EntityId, says: str, records: Iterable[str] = ()) -> None:
        found = Fault(kind=kind, subject=subject, says=says, records=tuple(sorted(records)))
        self.faults.setdefault((kind, subject), found)

    def answerer(
        self, person: EntityId, by: str, statements: Sequence[Statement[Fact]] = (), *,
        schedule: EntityId | None = None, until: datetime | None = None,
    ) -> Answerer:  # fmt: skip
        name, gone = self.names.canonical(person), self.departed(person)
        if gone:
            self.fault("departed", name, f"{entity_name(name)} {gone}", {one.record for one in statements})
        return Answerer(person=name, by=by, schedule=schedule, until=until, statements=tuple(statements), departed=gone)


def answering(facts: Facts, view: View, owned: Ownership, known: Identity, departed: Departed) -> Answering:
    """
    Who answers for a service whose owner is known, or for the service alone where it has none.
    """
    reading = _Reading(facts, view, known, departed)
    own = known.same(owned.service)
    levels = _levels(reading, own, known.same(owned.team) if owned.team else frozenset())
    found = next(((place, level.present) for place, level in enumerate(levels) if level.present), None)
    if found:
        people, via = found[1], "rota" if found[0] == 0 else "next level"
    else:
        people, via = _fall_back(reading, owned.team) if owned.team else ((), "")
    untils = [one.until for one in people if one.until]
    return Answering(
        levels=levels,
        people=people,
        via=via,
        next_hand_off=min(untils, default=None),
        faults=tuple(reading.faults.values()),
    )


def levels_of(facts: Facts, view: View, whose: EntityId, known: Identity, departed: Departed) -> tuple[Level, ...]:
    """
    The levels of a policy, a team or a service by itself, the first of which are those on call for it.
    """
    return _levels(_Reading(facts, view, known, departed), known.same(whose), frozenset())


def rota_of(facts: Facts, view: View, schedule: EntityId, known: Identity) -> Rota | None:
    """
    A schedule's rules with its overrides; None where there are none, or none that can be told whole.
    """
    reading = _Reading(facts, view, known, lambda person: "")
    ids = known.same(schedule)
    return _rota(reading, ids, reading.stated(FactKind.ON_CALL_FOR, objects=ids, valid=False))[0]


def _levels(reading: _Reading, service: frozenset[EntityId], team: frozenset[EntityId]) -> tuple[Level, ...]:
    """
    The service's own ladder, else its team's; before it who is on call for the service or the team itself.
    """
    found: list[Level] = []
    for ids in filter(None, (service, team)):
        told, _, empty = _duty(reading, sorted(ids)[0], ids, own=True)
        if told or empty:
            found.append(Level(number=0, targets=(reading.names.canonical(sorted(ids)[0]),), people=told, empty=empty))
            break
    for ids in filter(None, (service, team)):
        ladder = list(_ladder(reading, ids, set(service | team), 0))
        if ladder:
            found += ladder
            break
    numbered = [
        Level(
            number=place, targets=one.targets, people=one.people, empty=one.empty, delay_minutes=one.delay_minutes,
            records=one.records,
        )
        for place, one in enumerate(found[:_MOST], 1)
    ]  # fmt: skip
    return tuple(numbered)


def _ladder(reading: _Reading, start: frozenset[EntityId], seen: set[EntityId], depth: int) -> Iterator[Level]:
    """
    The levels below an entity: what it points to without a level is a policy, whose levels come in its place.
    """
    edges = sorted(
        best_first(reading.stated(FactKind.ESCALATES_TO, subjects=start)), key=lambda one: level_of(one.item)
    )
    for level, group in groupby(edges, key=lambda one: level_of(one.item)):
        here: list[Statement[Fact]] = []
        for one in group:
            ids = reading.names.same(one.item.object)
            if ids & seen:
                continue
            seen |= ids
            below = list(_ladder(reading, ids, seen, depth + 1)) if level == 0 and depth < _DEEPEST else []
            if not below or not _is_policy(reading, ids):
                here.append(one)
            if below:
                if here:
                    yield _level(reading, here, start, level)
                    here = []
                yield from below
        if here:
            yield _level(reading, here, start, level)


def _level(reading: _Reading, edges: Sequence[Statement[Fact]], policy: frozenset[EntityId], level: int) -> Level:
    people: dict[EntityId, Answerer] = {}
    empty: list[EntityId] = []
    for edge in edges:
        target = reading.names.canonical(edge.item.object)
        if entity_kind(target) == "person":
            people.setdefault(target, reading.answerer(target, "named", [edge]))
            continue
        told, known, holes = _duty(reading, target, reading.names.same(edge.item.object))
        if not told and not known:
            told = _listed(reading, policy, level)
        if not told and not known:
            told = _below(reading, edge.item.object)
        empty += holes
        for one in told:
            people.setdefault(one.person, one)
    return Level(
        number=level,
        targets=tuple(reading.names.canonical(one.item.object) for one in edges),
        people=tuple(people.values()),
        empty=tuple(empty),
        delay_minutes=next((found for one in edges if (found := one.item.attributes.get("delay_minutes"))), None),
        records=tuple(one.record for one in edges),
    )


def _listed(reading: _Reading, policy: frozenset[EntityId], level: int) -> tuple[Answerer, ...]:
    """
    Who was read out for this level of the policy itself.
    """
    stated = reading.stated(FactKind.ON_CALL_FOR, objects=policy)
    return tuple(_read_out(reading, one, None) for one in best_first(stated) if level_of(one.item) == level)


def _below(reading: _Reading, target: EntityId) -> tuple[Answerer, ...]:
    """
    Of a team that is paged as such: the first level of its own that has somebody.
    """
    levels = _ladder(reading, reading.names.same(target), set(reading.names.same(target)), _DEEPEST)
    return next((level.people for level in levels if level.people), ())


def _duty(
    reading: _Reading, name: EntityId, ids: frozenset[EntityId], depth: int = 0, *, own: bool = False
) -> tuple[tuple[Answerer, ...], bool, tuple[EntityId, ...]]:
    """
    (who is on call, whether anything says how that is decided, the schedules among it that are empty now). Of what is
    `own`, a service or a team that pages by levels, turns that are over say nothing: its schedule stands elsewhere.
    """
    schedule = reading.names.canonical(name)
    stated = reading.stated(FactKind.ON_CALL_FOR, objects=ids, valid=False)
    rota, rules = _rota(reading, ids, stated)
    now = [one for one in stated if one.item.valid.holds(reading.view.as_of)]
    read = best_first(_lowest([one for one in now if one.item.attributes.get("stated_as") != "override"]))
    overriding = [one for one in now if one.item.attributes.get("stated_as") == "override"]
    if rota and (not read or not _fresh(reading, read, rota, rules)):
        told = _by_rules(reading, schedule, rota, [*overriding, *rules], depth)
    else:
        told = tuple(_read_out(reading, one, schedule, rota) for one in (best_first(overriding) or read))
    told = tuple({one.person: one for one in reversed(told)}.values())[::-1]
    _flag_turns(reading, rota, rules)
    over = bool(stated) and (not own or (entity_kind(schedule) != "service" and not _is_policy(reading, ids)))
    known = rota is not None or bool(now) or over or (not own and is_schedule(reading.stated, ids))
    if known and not any(not one.departed for one in told):
        following = hand_off(rota, reading.view.as_of) if rota else None
        until = f" until {following.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if following else ""
        says = f"nobody is on call for {entity_name(schedule)}{until}"
        reading.fault("empty_rota", schedule, says, {one.record for one in rules})
        return told, True, (schedule,)
    return told, known, ()


def _rota(
    reading: _Reading, ids: frozenset[EntityId], stated: Iterable[Statement[Fact]]
) -> tuple[Rota | None, list[Statement[Fact]]]:
    """
    A schedule's rules, its own and those of its parts, with what states them; None where there are none to be told.
    """
    rules = [one for one in best_first(reading.stated(FactKind.ENTITY, subjects=ids)) if "rota" in one.item.attributes]
    kept = rules[:1]
    zones: dict[EntityId, str] = {}
    for part in reading.stated(FactKind.PART_OF, objects=ids):
        if entity_kind(part.item.subject) == "resource":
            zone = part.item.attributes.get("time_zone", "")
            zones[part.item.subject] = zone or zones.get(part.item.subject, "")
    for part_id in sorted(zones):
        told = best_first(reading.stated(FactKind.ENTITY, subjects=(part_id,)))
        kept += [one for one in told if "rota" in one.item.attributes][:1]
    if not kept:
        return None, []
    found = [read_rota(one.item.attributes["rota"], zones.get(one.item.subject, "")) for one in kept]
    over = [one.item for one in stated if one.item.attributes.get("stated_as") == "override"]
    overrides = [
        Override(people=(one.subject,), valid=one.valid, layer=one.attributes.get("layer", "")) for one in over
    ]
    rota = joined(found, overrides)
    return (None if rota.partial else rota), kept


def _fresh(
    reading: _Reading, read: Sequence[Statement[Fact]], rota: Rota, rules: Sequence[Statement[Fact]]
) -> bool:  # fmt: skip
    """
    Whether what was read out counts before the rules: not older than they, and no hand-off since.
    """
    ruled = max((one.known.start or _FIRST for one in rules), default=_FIRST)
    told = max(read, key=lambda one: one.known.start or _FIRST)
    if (told.known.start or _FIRST) < ruled:
        return False
    if told.item.attributes.get("stated_as") != "now" or told.item.valid.start is None:
        return True
    following = hand_off(rota, told.item.valid.start)
    return following is None or following > reading.view.as_of


def _lowest(stated: Sequence[Statement[Fact]]) -> list[Statement[Fact]]:
    least = min((level_of(one.item) for one in stated), default=0)
    return [one for one in stated if level_of(one.item) == least]


def _by_rules(
    reading: _Reading, schedule: EntityId, rota: Rota, by: Sequence[Statement[Fact]], depth: int
) -> tuple[Answerer, ...]:
    at = reading.view.as_of
    duty = on_call(rota, at)
    until = hand_off(rota, at) if duty.people else None
    found: list[Answerer] = []
    for who in sorted(duty.people):
        if entity_kind(who) == "person":
            word = "override" if duty.overridden else "rule"
            found.append(reading.answerer(who, word, by, schedule=schedule, until=until))
        elif depth < _DEEPEST:
            inner, known, _ = _duty(reading, who, reading.names.same(who), depth + 1)
            found += inner or (() if known else _members(reading, reading.names.same(who)))
    return tuple(found)


def _read_out(
    reading: _Reading, one: Statement[Fact], schedule: EntityId | None, rota: Rota | None = None
) -> Answerer:  # fmt: skip
    kind = one.item.attributes.get("stated_as")
    until = one.item.valid.end
    if kind == "now":
        until = hand_off(rota, reading.view.as_of) if rota else None
    by = "override" if kind == "override" else "read_out"
    return reading.answerer(one.item.subject, by, [one], schedule=schedule, until=until)


def _flag_turns(reading: _Reading, rota: Rota | None, rules: Sequence[Statement[Fact]]) -> None:
    """
    Name those who left and still have turns to come.
    """
    at = reading.view.as_of
    living = [one for one in rota.layers if not one.end or one.end > at] if rota else []
    for who in sorted({who for one in living for turn in one.turns for who in turn if entity_kind(who) == "person"}):
        reading.answerer(who, "rule", rules)


def _is_policy(reading: _Reading, ids: frozenset[EntityId]) -> bool:
    """
    Whether an entity pages by levels of its own.
    """
    return any(level_of(one.item) > 0 for one in reading.stated(FactKind.ESCALATES_TO, subjects=ids))


def is_schedule(stated: Callable[..., Iterable[Statement[Fact]]], ids: Collection[EntityId]) -> bool:
    """
    Whether an entity of these ids is a schedule, not a team, by what is `stated` of it.
    """
    described = stated(FactKind.ENTITY, subjects=ids)
    return any(one.item.attributes.get("kind") == "schedule" for one in described)


def _fall_back(reading: _Reading, team: EntityId) -> tuple[tuple[Answerer, ...], str]:
    """
    The team's lead, else its members; then the same of the teams above it, where also who is on call counts.
    """
    ids, seen = reading.names.same(team), set(reading.names.same(team))
    if entity_kind(team) == "person":
        person = reading.answerer(team, "named")
        return ((), "") if person.departed else ((person,), "members")
    for depth in range(_DEEPEST):
        levels = [] if depth == 0 else [*_levels(reading, frozenset(), ids)]
        people = next((level.present for level in levels if level.present), ())
        via = ""
        if not people:
            members = [one for one in _members(reading, ids) if not one.departed]
            leads = [one for one in members if one.by == "lead"]
            people, via = tuple(leads or members), "lead" if leads else "members"
        if people:
            return people, "parent team" if depth else via
        above = [
            one.item.object for one in best_first(reading.stated(FactKind.PART_OF, subjects=ids))
            if entity_kind(one.item.object) == "team" and one.item.object not in seen
        ]  # fmt: skip
        if not above:
            break
        ids = reading.names.same(above[0])
        seen |= ids
    return (), ""


def _members(reading: _Reading, ids: frozenset[EntityId]) -> tuple[Answerer, ...]:
    found: dict[EntityId, Answerer] = {}
    for one in best_first(reading.stated(FactKind.MEMBER_OF, objects=ids)):
        role = one.item.attributes.get("role", "").lower()
        by = "lead" if any(word in role for word in _LEADS) else "member"
        if entity_kind(one.item.subject) == "person":
            person = reading.answerer(one.item.subject, by, [one])
            found.setdefault(person.person, person)
    return tuple(found.values())
