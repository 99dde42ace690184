"""
Who is on call by a schedule's rules, at any moment, and when the next hand-off is. Pure: no clock, no store.

A rota has layers. A layer's turns follow one another by days of the clock on the wall (a hand-off at nine stays at nine
over a change to summer time) or by seconds that pass; its windows say at which times of the day or week it counts at
all. Of the layers that have somebody the highest rank answers, all of it together; an override stands before every
layer, or in the place of the one that it names.

A time of day that a change of the clock leaves out lies as long after the change as it was to be after it; of one that
comes twice the first counts (RFC 5545, and what the paging tools do).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import orjson

from graph.values import ALWAYS, EntityId, Span

DAY = 86400
HORIZON = timedelta(days=62)
"""How far ahead a hand-off is looked for."""
_STEPS = 500
_MOST_EVENTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """
    From `second` of each day, or of the `weekday` (Monday is 0), for so many seconds on the clock.
    """

    second: int
    lasts: int
    weekday: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """
    Persons in turn. Turn 0 begins at `anchor`, and each lasts `every` days, or seconds where not `daily`. `zone` is
    empty where the schedule's counts.

    `lasts`: of each turn only that much from its begin on, it may be longer than the turn. With windows: only those
    that begin then, and `held`: whoever has the turn when a window begins has it to the window's end.
    """

    turns: tuple[tuple[EntityId, ...], ...]
    start: datetime
    anchor: datetime
    end: datetime | None = None
    every: int = 7
    daily: bool = True
    zone: str = ""
    rank: int = 0
    windows: tuple[Window, ...] = ()
    lasts: int | None = None
    held: bool = False
    override: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """
    Somebody else for a while, in the place of one layer or of all.
    """

    people: tuple[EntityId, ...]
    valid: Span = ALWAYS
    layer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """
    A schedule's rules. `partial`: it has rules that cannot be told, so what is told may not be all.
    """

    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Duty:
    """
    Who is on call at a moment, and whether by an override.
    """

    people: frozenset[EntityId] = frozenset()
    overridden: bool = False


def on_call(rota: Rota, at: datetime) -> Duty:
    """
    Who is on call; nobody where the rules leave a hole.
    """
    over = {who for one in rota.overrides if not one.layer and one.valid.holds(at) for who in one.people}
    over |= {who for one in rota.layers if one.override for who in _people(one, at)}
    if over:
        return Duty(frozenset(over), overridden=True)
    best, rank, overridden = set[EntityId](), 0, False
    for layer in rota.layers:
        if layer.override or (best and layer.rank < rank):
            continue
        instead = {
            who for one in rota.overrides if one.layer and one.layer == layer.name and one.valid.holds(at)
            for who in one.people
        }  # fmt: skip
        found = instead or _people(layer, at)
        if found and (not best or layer.rank > rank):
            best, rank, overridden = set(found), layer.rank, bool(instead)
        elif found:
            best |= found
            overridden = overridden or bool(instead)
    return Duty(frozenset(best), overridden)


def hand_off(rota: Rota, at: datetime, within: timedelta = HORIZON) -> datetime | None:
    """
    When other persons than now are first on call (nobody counts as other); None where that is not soon.
    """
    now, moment, last = on_call(rota, at).people, at, at + within
    for _ in range(_STEPS):
        following = min(_edges(rota, moment), default=None)
        if following is None or following > last:
            return None
        if on_call(rota, following).people != now:
            return following
        moment = following
    return None


def _edges(rota: Rota, after: datetime) -> Iterator[datetime]:
    """
    The moments after this one at which something may change, at least the first of them.
    """
    spans = [one.valid for one in rota.overrides] + [Span(one.start, one.end) for one in rota.layers]
    yield from (one for span in spans for one in (span.start, span.end) if one and one > after)
    for layer in rota.layers:
        if layer.end and layer.end <= after:
            continue
        since = max(after, layer.start)
        if layer.windows:
            ends = (one for span in _windows(layer, since, ahead=8) for one in span)
            yield from (one for one in ends if one > after)
        if len(layer.turns) > 1 or (layer.lasts is not None and not layer.windows):
            yield from (one for one in _turn_edges(layer, since) if one > after)


def _turn_edges(layer: Layer, at: datetime) -> Iterator[datetime]:
    number = _turn(layer, at)
    yield _begin(layer, number)
    yield _begin(layer, number + 1)
    if layer.lasts is not None and not layer.windows:
        yield from (_ends(layer, number - back) for back in range(_reach(layer)))


def _people(layer: Layer, at: datetime) -> set[EntityId]:
    if at < layer.start or (layer.end and at >= layer.end) or not layer.turns:
        return set()
    if layer.windows:
        covering = [begin for begin, end in _windows(layer, at) if begin <= at < end]
        if not layer.held:
            return set(_whose(layer, _turn(layer, at))) if covering else set()
        return {who for begin in covering if begin >= layer.start for who in _of_window(layer, begin)}
    number = _turn(layer, at) if len(layer.turns) > 1 or layer.lasts is not None else 0
    if layer.lasts is None:
        return set(_whose(layer, number))
    events = range(number, number - _reach(layer), -1)
    return {who for one in events if one >= 0 and _ends(layer, one) > at for who in _whose(layer, one)}


def _of_window(layer: Layer, begin: datetime) -> tuple[EntityId, ...]:
    number = _turn(layer, begin)
    if layer.lasts is not None and begin >= _ends(layer, number):
        return ()
    return _whose(layer, number)


def _whose(layer: Layer, number: int) -> tuple[EntityId, ...]:
    return layer.turns[number % len(layer.turns)]


def _turn(layer: Layer, at: datetime) -> int:
    """
    The number of the turn that a moment lies in; before the anchor they count down.
    """
    if not layer.daily:
        return (at - layer.anchor) // timedelta(seconds=layer.every)
    number = (_wall(at, layer.zone) - _wall(layer.anchor, layer.zone)) // timedelta(days=layer.every)
    # an hour that comes twice, or not at all, may lie between the clock and what has passed
    while _begin(layer, number) > at:
        number -= 1
    while _begin(layer, number + 1) <= at:
        number += 1
    return number


def _begin(layer: Layer, number: int) -> datetime:
    if not layer.daily:
        return layer.anchor + timedelta(seconds=layer.every * number)
    return _moment(_wall(layer.anchor, layer.zone) + timedelta(days=layer.every * number), layer.zone)


def _ends(layer: Layer, number: int) -> datetime:
    """
    When the part of a turn that counts is over.
    """
    lasts = timedelta(seconds=layer.lasts or 0)
    if not layer.daily:
        return _begin(layer, number) + lasts
    begin = _wall(layer.anchor, layer.zone) + timedelta(days=layer.every * number)
    return _moment(begin + lasts, layer.zone)


def _reach(layer: Layer) -> int:
    """
    How many turns, from the present one back, may not be over yet.
    """
    length = layer.every * (DAY if layer.daily else 1)
    return min(_MOST_EVENTS, (layer.lasts or 0) // length + 2)


def _windows(layer: Layer, at: datetime, ahead: int = 1) -> Iterator[tuple[datetime, datetime]]:
    """
    The windows that may cover the moment, or begin within so many days.
    """
    today = _wall(at, layer.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    weekday = today.weekday()
    for window in layer.windows:
        last = 1 if window.weekday is None else ahead
        for offset in range(-(window.lasts // DAY) - 2, last + 1):
            if window.weekday is None or (weekday + offset) % 7 == window.weekday:
                begin = today + timedelta(days=offset, seconds=window.second)
                yield _moment(begin, layer.zone), _moment(begin + timedelta(seconds=window.lasts), layer.zone)


def _wall(moment: datetime, zone: str) -> datetime:
    """
    What the clock on the wall shows.
    """
    return moment.astimezone(_zone(zone)).replace(tzinfo=None, fold=0)


def _moment(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=_zone(zone)).astimezone(UTC)


@lru_cache(maxsize=700)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name or "UTC")


def zone_named(name: str | None) -> str | None:
    """
    The name of a time zone as it was given; None where nobody knows such a one.
    """
    try:
        return _zone(name).key if name else None
    except (KeyError, ValueError, OSError):
        return None


def written(layers: Iterable[Layer], zone: str, *, partial: bool = False) -> str:
    """
    The rules as they stand in a fact's attribute `rota`. Where neither they nor a layer has a zone, the times are those
    that the clock of whatever schedule they are part of shows.
    """
    body: dict[str, object] = {"zone": zone, "layers": [_as_json(one) for one in layers]}
    return orjson.dumps(body | ({"partial": True} if partial else {}), option=orjson.OPT_SORT_KEYS).decode()


def _as_json(layer: Layer) -> dict[str, object]:
    windows = [[one.weekday, one.second, one.lasts] for one in layer.windows]
    told: dict[str, object] = {
        "name": layer.name, "zone": layer.zone, "rank": layer.rank, "start": layer.start.isoformat(),
        "end": layer.end.isoformat() if layer.end else None, "anchor": layer.anchor.isoformat(), "every": layer.every,
        "unit": "day" if layer.daily else "second", "turns": [list(one) for one in layer.turns], "windows": windows,
        "lasts": layer.lasts, "held": layer.held, "override": layer.override,
    }  # fmt: skip
    return {key: value for key, value in told.items() if value not in (None, "", False, [], 0) or key == "every"}


@lru_cache(maxsize=5000)
def read_rota(text: str, zone: str = "") -> Rota:
    """
    What `written` wrote; `zone` counts where neither the layer nor the rules name one. What is no such text is a rota
    that is partial and has no layers.
    """
    try:
        body = orjson.loads(text)
        found = tuple(_layer(one, str(body.get("zone") or ""), zone) for one in body["layers"])
        return Rota(layers=found, partial=bool(body.get("partial")))
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return Rota(partial=True)


def _layer(body: Mapping[str, object], own: str, zone: str) -> Layer:
    named = str(body.get("zone") or own)

    def moment(key: str) -> datetime:
        found = datetime.fromisoformat(str(body[key]))
        # without a zone of its own a time is what the schedule's clock shows
        return found if named else found.replace(tzinfo=_zone(zone))

    def whole(key: str, otherwise: int = 0) -> int:
        return int(str(body.get(key, otherwise)))

    turns, windows = body["turns"], body.get("windows", [])
    if not isinstance(turns, list) or not isinstance(windows, list) or whole("every") < 1:
        raise ValueError("turns and windows are lists, and a turn takes time")
    _zone(named or zone)
    return Layer(
        turns=tuple(tuple(str(who) for who in one) for one in turns),
        start=moment("start"),
        anchor=moment("anchor"),
        end=moment("end") if body.get("end") else None,
        every=whole("every"),
        daily=body.get("unit") == "day",
        zone=named or zone,
        rank=whole("rank"),
        windows=tuple(Window(weekday=day, second=int(second), lasts=int(lasts)) for day, second, lasts in windows),
        lasts=whole("lasts") if "lasts" in body else None,
        held=bool(body.get("held")),
        override=bool(body.get("override")),
        name=str(body.get("name", "")),
    )


def joined(rotas: Iterable[Rota], overrides: Iterable[Override]) -> Rota:
    """
    Several rules of one schedule as one, with its overrides.
    """
    found = list(rotas)
    layers = tuple(layer for one in found for layer in one.layers)
    whole = Rota(layers=layers, overrides=tuple(overrides), partial=any(one.partial for one in found))
    return replace(whole, partial=True) if not layers else whole
