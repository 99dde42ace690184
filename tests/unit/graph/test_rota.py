"""
The rules of schedules against a calendar that is painted minute by minute, and the cases that people know by heart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from graph.rota import DAY, Duty, Layer, Override, Rota, Window, hand_off, on_call, read_rota, written, zone_named
from graph.values import Span

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on a wall shows has no zone
DAYS = 12
LENGTH = DAYS * 1440
ZONES = (
    "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland",
    "Africa/Casablanca", "America/St_Johns", "UTC",
)  # fmt: skip
PEOPLE = [f"person:{name}" for name in ("ada", "ben", "cleo", "dan", "eve", "fay", "gus")]
SCHEDULES = 10_000
Minutes = NDArray[np.int64]
Paint = NDArray[np.uint8]


@dataclass(frozen=True)
class Calendar:
    """
    Some days of a place: what its clock shows at each minute that passes (in minutes since 1970).
    """

    zone: str
    first: datetime
    wall: Minutes
    least: int
    most: int
    shown: list[int]

    def minute(self, wall: int) -> int:
        """
        The first minute at which the clock shows this; far outside where it does so before or after these days.
        """
        if wall <= self.least:
            return -LENGTH
        return 2 * LENGTH if wall > self.most else self.shown[wall - self.least]


@cache
def calendar(zone: str, first: datetime) -> Calendar:
    place = ZoneInfo(zone)
    times = [(first + MINUTE * at).astimezone(place).replace(tzinfo=None) - EPOCH for at in range(LENGTH)]
    wall = [one // MINUTE for one in times]
    shown = [-1] * (max(wall) - wall[0] + 1)
    for at, one in enumerate(wall):
        if shown[one - wall[0]] < 0:
            shown[one - wall[0]] = at
    for place_, at in enumerate(shown):
        if at < 0:
            # the clock jumps over it: as long after the jump as it was to be
            jump = next(later for later in shown[place_:] if later >= 0)
            shown[place_] = jump + place_ + wall[0] - wall[jump - 1] - 1
    return Calendar(zone, first, np.array(wall, dtype=np.int64), wall[0], max(wall), shown)


@cache
def middles(zone: str) -> tuple[datetime, ...]:
    """
    The hours of some years at which the clock changes, and one without.
    """
    place, hour = ZoneInfo(zone), datetime(2024, 1, 1, tzinfo=UTC)
    found = [datetime(2025, 7, 2, 12, tzinfo=UTC)]
    while hour.year < 2026:
        after = hour + timedelta(hours=1)
        if hour.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            found.append(hour)
        hour = after
    return tuple(found)


def bits(people: tuple[str, ...] | frozenset[str]) -> int:
    return sum(1 << PEOPLE.index(one) for one in people)


def minutes_of(moment: datetime, first: datetime) -> int:
    return (moment - first) // MINUTE


def painted(rota: Rota, place: Calendar) -> Paint:
    """
    Everybody's bits at each minute: layers from the lowest rank up, then the overrides.
    """
    whole, over = np.zeros(LENGTH, np.uint8), np.zeros(LENGTH, np.uint8)
    for one in rota.overrides:
        if not one.layer:
            over[_slice(one.valid.start, one.valid.end, place)] |= bits(one.people)
    for rank in sorted({one.rank for one in rota.layers}):
        level = np.zeros(LENGTH, np.uint8)
        for layer in rota.layers:
            if layer.rank == rank:
                own, instead = _paint_layer(layer, place), np.zeros(LENGTH, np.uint8)
                for one in rota.overrides:
                    if one.layer and one.layer == layer.name:
                        instead[_slice(one.valid.start, one.valid.end, place)] |= bits(one.people)
                level |= np.where(instead > 0, instead, own)
        whole = np.where(level > 0, level, whole)
    return np.where(over > 0, over, whole)


def _slice(start: datetime | None, end: datetime | None, place: Calendar) -> slice:
    low = 0 if start is None else minutes_of(start, place.first)
    high = LENGTH if end is None else minutes_of(end, place.first)
    return slice(max(0, min(low, LENGTH)), max(0, min(high, LENGTH)))


def _turns(layer: Layer, place: Calendar) -> Iterator[tuple[int, int, int, int]]:
    """
    (number, first minute, minute after the last, minute at which its counting part ends) of turns, one by one.
    """
    if not layer.daily:
        step, at = layer.every // 60, minutes_of(layer.anchor, place.first)
        number = 0
        while at > 0:
            number, at = number - 1, at - step
        while at < -6 * step - (layer.lasts or 0) // 60:
            number, at = number + 1, at + step
        while at < LENGTH:
            yield number, at, at + step, at + (layer.lasts or 0) // 60
            number, at = number + 1, at + step
        return
    step = layer.every * 1440
    anchor = (layer.anchor.astimezone(ZoneInfo(place.zone)).replace(tzinfo=None) - EPOCH) // MINUTE
    number, wall = 0, anchor
    while wall > place.least:
        number, wall = number - 1, wall - step
    while wall + step + (layer.lasts or 0) // 60 < place.least:
        number, wall = number + 1, wall + step
    while wall <= place.most:
        yield number, place.minute(wall), place.minute(wall + step), place.minute(wall + (layer.lasts or 0) // 60)
        number, wall = number + 1, wall + step


def _paint_layer(layer: Layer, place: Calendar) -> Paint:
    turn, own = np.zeros(LENGTH, np.uint8), np.zeros(LENGTH, np.uint8)
    counting = np.zeros(LENGTH, bool)
    for number, low, high, over in _turns(layer, place):
        who = bits(layer.turns[number % len(layer.turns)])
        if layer.lasts is not None and not layer.windows:
            if number >= 0:
                turn[max(0, low) : max(0, min(over, LENGTH))] |= who
        else:
            turn[max(0, low) : max(0, min(high, LENGTH))] = who
            counting[max(0, low) : max(0, min(over if layer.lasts is not None else high, LENGTH))] = True
    if layer.windows:
        for low, high in _openings(layer, place):
            if not layer.held:
                own[max(0, low) : max(0, high)] |= turn[max(0, low) : max(0, high)]
            elif 0 <= low < LENGTH and counting[low] and low >= minutes_of(layer.start, place.first):
                own[low : max(0, high)] |= turn[low]
    else:
        own = turn
    lives = np.zeros(LENGTH, bool)
    lives[_slice(layer.start, layer.end, place)] = True
    return np.where(lives, own, 0).astype(np.uint8)


def _openings(layer: Layer, place: Calendar) -> Iterator[tuple[int, int]]:
    for day in range(place.least // 1440 - 8, place.most // 1440 + 1):
        for window in layer.windows:
            # 1 January 1970 was a Thursday
            if window.weekday is None or (day + 3) % 7 == window.weekday:
                begin = day * 1440 + window.second // 60
                yield place.minute(begin), place.minute(begin + window.lasts // 60)


def random_layer(dice: random.Random, middle: datetime, zone: str, rank: int) -> Layer:
    daily = dice.random() < 0.75
    turns = tuple(tuple(dice.sample(PEOPLE, dice.choice((1, 1, 1, 2)))) for _ in range(dice.choice((1, 2, 2, 3, 4))))
    # now and then a hand-off in the very hour that a change of the clock doubles or leaves out
    near = timedelta(minutes=dice.choice((-90, -60, -30, -15, 0, 15, 30, 45, 60, dice.randrange(1440))))
    back = timedelta(days=dice.choice((*range(30), 400)))
    anchor = middle + near - back
    start = anchor if dice.random() < 0.6 else middle - timedelta(minutes=dice.randrange(60 * 24 * 20))
    windows: list[Window] = []
    weekday: int | None
    lasts: int | None
    for _ in range(dice.choice((0, 0, 1, 1, 2, 5))):
        open_ = dice.choice((60 * 30, 3600, 4 * 3600, 9 * 3600, 12 * 3600, DAY, 3 * DAY))
        weekday = dice.choice((None, *range(7))) if open_ <= DAY else dice.randrange(7)
        windows.append(Window(weekday=weekday, second=dice.randrange(96) * 900, lasts=open_))
    every = dice.choice((1, 1, 2, 7, 7, 14)) if daily else dice.choice((3600, 4 * 3600, 5 * 3600 + 1800, 12 * 3600))
    length = every * (DAY if daily else 1)
    lasts = dice.choice((None, None, None, length, length // 2 // 60 * 60, length + 2 * 3600))
    return Layer(
        turns=turns, start=start, anchor=anchor, every=every, daily=daily, zone=zone, rank=rank,
        end=start + timedelta(minutes=dice.randrange(60 * 24 * 30)) if dice.random() < 0.15 else None,
        windows=tuple(windows), lasts=lasts if not windows or daily else None,
        held=bool(windows) and (lasts is not None or dice.random() < 0.3), name=f"layer {rank}",
    )  # fmt: skip


def random_rota(dice: random.Random, middle: datetime, zone: str) -> Rota:
    ranks = dice.choice(((0,), (0, 1), (0, 0), (0, 1, 2), (1, 0, 0)))
    overrides = []
    for _ in range(dice.choice((0, 0, 1, 2))):
        start = middle + timedelta(minutes=dice.randrange(-3000, 3000))
        span = Span(start, start + timedelta(minutes=dice.randrange(1, 2000)))
        people = (dice.choice(PEOPLE),)
        overrides.append(Override(people=people, valid=span, layer=dice.choice(("", "", "layer 0"))))
    layers = tuple(random_layer(dice, middle, zone, rank) for rank in ranks)
    return Rota(layers=layers, overrides=tuple(overrides))


def test_ten_thousand_random_schedules_are_as_a_calendar_painted_by_minutes() -> None:
    dice = random.Random(20260301)
    probes = handed = 0
    for number in range(SCHEDULES):
        zone = dice.choice(ZONES)
        middle = dice.choice(middles(zone))
        rota = random_rota(dice, middle, zone)
        place = calendar(zone, middle - timedelta(days=DAYS // 2))
        truth = painted(rota, place)
        changes = np.flatnonzero(np.diff(truth)) + 1
        # a window may hang over the calendar's first days, of which it does not know the begin
        lowest = 4 * 1440
        near = [int(one) + shift for one in changes[changes > lowest] for shift in (-1, 0)]
        asked = [*dice.sample(near, min(4, len(near))), LENGTH // 2 - 1, LENGTH // 2, dice.randrange(lowest, LENGTH)]
        for at in asked:
            found = bits(on_call(rota, place.first + MINUTE * at).people)
            assert found == truth[at], (number, zone, place.first + MINUTE * at, rota)
            probes += 1
        at = dice.choice(asked)
        following = changes[changes > at]
        next_ = hand_off(rota, place.first + MINUTE * at, timedelta(days=DAYS))
        if len(following):
            assert next_ == place.first + MINUTE * int(following[0]), (number, zone, place.first + MINUTE * at, rota)
            handed += 1
        else:
            assert next_ is None or next_ >= place.first + MINUTE * LENGTH, (number, zone, next_, rota)
    assert probes > 4 * SCHEDULES
    assert handed > SCHEDULES / 2


def weekly(*names: str, **more: object) -> Layer:
    told: dict[str, object] = {
        "turns": tuple((f"person:{name}",) for name in names), "zone": "Europe/Berlin",
        "start": datetime(2026, 3, 2, 8, tzinfo=UTC), "anchor": datetime(2026, 3, 2, 8, tzinfo=UTC), **more,
    }  # fmt: skip
    return Layer(**told)  # type: ignore[arg-type]  # the words of the test


def test_a_hand_off_keeps_its_time_on_the_clock_over_summer_time() -> None:
    rota = Rota(layers=(weekly("ada", "ben"),))
    assert hand_off(rota, datetime(2026, 3, 25, tzinfo=UTC)) == datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert on_call(rota, datetime(2026, 3, 30, 6, 59, tzinfo=UTC)).people == {"person:ben"}
    assert on_call(rota, datetime(2026, 3, 30, 7, tzinfo=UTC)).people == {"person:ada"}


def test_turns_of_some_hours_count_what_passes() -> None:
    rota = Rota(layers=(weekly("ada", "ben", daily=False, every=12 * 3600),))
    assert hand_off(rota, datetime(2026, 3, 29, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 20, tzinfo=UTC)


def test_the_higher_layer_answers_in_its_hours_and_the_lower_one_else() -> None:
    nights = weekly("eve", rank=1, windows=(Window(second=20 * 3600, lasts=12 * 3600),))
    rota = Rota(layers=(nights, weekly("ada")))
    assert on_call(rota, datetime(2026, 3, 3, 12, tzinfo=UTC)).people == {"person:ada"}
    assert on_call(rota, datetime(2026, 3, 3, 22, tzinfo=UTC)).people == {"person:eve"}
    assert hand_off(rota, datetime(2026, 3, 3, 12, tzinfo=UTC)) == datetime(2026, 3, 3, 19, tzinfo=UTC)


def test_an_override_stands_before_all_layers_and_is_told() -> None:
    span = Span(datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 3, 14, tzinfo=UTC))
    rota = Rota(layers=(weekly("ada"),), overrides=(Override(people=("person:gus",), valid=span),))
    duty = on_call(rota, datetime(2026, 3, 3, 12, tzinfo=UTC))
    assert duty == Duty(frozenset({"person:gus"}), overridden=True)
    assert hand_off(rota, datetime(2026, 3, 3, 12, tzinfo=UTC)) == span.end


def test_hours_that_nobody_has_are_empty_and_end_with_a_hand_off() -> None:
    office = weekly("ada", windows=tuple(Window(weekday=day, second=9 * 3600, lasts=8 * 3600) for day in range(5)))
    saturday = datetime(2026, 3, 7, 12, tzinfo=UTC)
    assert on_call(Rota(layers=(office,)), saturday).people == frozenset()
    assert hand_off(Rota(layers=(office,)), saturday) == datetime(2026, 3, 9, 8, tzinfo=UTC)


def test_a_single_person_without_hours_has_no_hand_off() -> None:
    assert hand_off(Rota(layers=(weekly("ada"),)), datetime(2026, 3, 3, tzinfo=UTC)) is None


def test_rules_are_read_as_they_were_written() -> None:
    dice = random.Random(3)
    layers = tuple(random_layer(dice, middles("Asia/Kolkata")[0], "Asia/Kolkata", rank) for rank in range(30))
    assert read_rota(written(layers, "Europe/Berlin", partial=True)) == Rota(layers=layers, partial=True)
    (there,) = read_rota(written([weekly("ada", zone="")], ""), "America/New_York").layers
    assert there.zone == "America/New_York"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"layers": [{}]}', '{"layers": [{"turns": [["a"]], "start": "x", "anchor": "x", "every": 1}]}',
     '{"layers": [], "zone": 7}', '{"zone": "Mars/Base", "layers": [{"turns": [["a"]], "every": 1, "start": '
     '"2026-01-01T00:00:00Z", "anchor": "2026-01-01T00:00:00Z"}]}'],
)  # fmt: skip
def test_what_are_no_rules_state_nobody(text: str) -> None:
    assert read_rota(text).layers == ()


def test_a_zone_that_nobody_knows_is_none() -> None:
    assert [zone_named(one) for one in ("Europe/Berlin", "Mars/Base", "", None, "../etc")] == [
        "Europe/Berlin",
        *[None] * 4,
    ]
