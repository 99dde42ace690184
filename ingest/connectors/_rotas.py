"""
Schedules' rules of the paging tools, as layers of a rota: PagerDuty's, Opsgenie's and Grafana OnCall's.

A rule that cannot be told (months, an unknown time zone) makes the rota partial: then what the tool itself reads out
counts before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from graph.rota import DAY, Layer, Window, written, zone_named
from graph.values import EntityId
from ingest.connectors._events import person
from ingest.contract import Body
from ingest.fields import at, list_at, moment_at, objects_at, text, text_at

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_HOUR = 3600
_LONGEST = 400 * DAY
Who = Callable[[object], EntityId | None]


def rota_attribute(layers: Iterable[Layer | None], zone: str | None) -> dict[str, str]:
    """
    The attribute of a schedule's entity; none where it has no rules.
    """
    found = list(layers)
    told = [one for one in found if one]
    if not found:
        return {}
    known = zone_named(zone)
    return {"rota": written(told if known else (), known or "", partial=len(told) < len(found) or known is None)}


def floating(layer: Layer | None) -> str:
    """
    The rule of a shift that keeps to the clock of whatever schedule it is part of; it was read as if by UTC.
    """
    return written([replace(layer, zone="")] if layer else [], "", partial=layer is None)


def pagerduty_layers(schedule: Body, who: Who) -> list[Layer | None]:
    """
    The layers of a schedule; the first that is listed stands before the others.
    """
    listed = objects_at(schedule, "schedule_layers")
    return [_pagerduty(one, len(listed) - place, who) for place, one in enumerate(listed)]


def _pagerduty(layer: Body, rank: int, who: Who) -> Layer | None:
    start = moment_at(layer, ("start",))
    length = _whole(at(layer, "rotation_turn_length_seconds"))
    turns = tuple((found,) if (found := who(at(one, "user") or one)) else () for one in objects_at(layer, "users"))
    windows = [_restriction(one) for one in objects_at(layer, "restrictions")]
    if start is None or not length or not turns or None in windows:
        return None
    return Layer(
        turns=turns,
        start=start,
        anchor=moment_at(layer, ("rotation_virtual_start",)) or start,
        end=moment_at(layer, ("end",)),
        every=length if length % DAY else length // DAY,
        daily=length % DAY == 0,
        rank=rank,
        windows=tuple(one for one in windows if one),
        name=text_at(layer, "name") or "",
    )


def _restriction(body: Body) -> Window | None:
    second, lasts = _seconds(text_at(body, "start_time_of_day")), _whole(at(body, "duration_seconds"))
    if second is None or not lasts:
        return None
    if text_at(body, "type") != "weekly_restriction":
        return Window(second=second, lasts=lasts)
    day = _whole(at(body, "start_day_of_week"))
    return Window(weekday=day - 1, second=second, lasts=lasts) if day and day <= 7 else None


def opsgenie_layers(schedule: Body, who: Who) -> list[Layer | None]:
    """
    The rotations of a schedule, which are all on call side by side.
    """
    if at(schedule, "enabled") is False:
        return []
    zone = zone_named(text_at(schedule, "timezone")) or "UTC"
    return [_opsgenie(one, zone, who) for one in objects_at(schedule, "rotations") if at(one, "enabled") is not False]


def _opsgenie(rotation: Body, zone: str, who: Who) -> Layer | None:
    start, kind = moment_at(rotation, ("startDate",)), (text_at(rotation, "type") or "weekly").lower()
    length = _whole(at(rotation, "length")) or 1
    turns = tuple((found,) if (found := who(one)) else () for one in objects_at(rotation, "participants"))
    windows = _limits(at(rotation, "timeRestriction"))
    if start is None or not turns or kind not in ("hourly", "daily", "weekly") or windows is None:
        return None
    return Layer(
        turns=turns,
        start=start,
        anchor=start,
        end=moment_at(rotation, ("endDate",)),
        every=length * {"hourly": _HOUR, "daily": 1, "weekly": 7}[kind],
        daily=kind != "hourly",
        windows=windows,
        name=text_at(rotation, "name") or text_at(rotation, "id") or "",
    )


def _limits(body: object) -> tuple[Window, ...] | None:
    """
    Opsgenie's times of the day or of the week; None where they cannot be told.
    """
    if not isinstance(body, dict):
        return ()
    single = at(body, "restriction")
    listed = [*objects_at(body, "restrictions"), *([single] if isinstance(single, dict) else [])]
    found = [_limit(one) for one in listed]
    return None if None in found else tuple(one for one in found if one)


def _limit(body: Body) -> Window | None:
    start, end = (
        (_whole(at(body, f"{side}Hour")) or 0) * _HOUR + (_whole(at(body, f"{side}Min")) or 0) * 60
        for side in ("start", "end")
    )
    days = [(text_at(body, f"{side}Day") or "").lower() for side in ("start", "end")]
    if days == ["", ""]:
        return Window(second=start, lasts=(end - start) % DAY or DAY)
    if days[0] not in _DAYS or days[1] not in _DAYS:
        return None
    first, last = (_DAYS.index(one) for one in days)
    return Window(weekday=first, second=start, lasts=((last - first) * DAY + end - start) % (7 * DAY) or 7 * DAY)


def grafana_layer(shift: Body, zone: str | None) -> Layer | None:
    """
    A shift of Grafana OnCall; its times without a zone are the clock's in its own zone, else in the schedule's `zone`.
    None where the rule cannot be told.
    """
    place, lasts = zone_named(text_at(shift, "time_zone") or zone), _whole(at(shift, "duration"))
    kind, frequency = text_at(shift, "type") or "", (text_at(shift, "frequency") or "").lower()
    start = _local(text_at(shift, "start"), place)
    turns = _grafana_turns(shift)
    told = (at(shift, key) for key in ("by_month", "by_monthday"))
    if place is None or start is None or not lasts or lasts > _LONGEST or not turns or any(told):
        return None
    layer = Layer(
        turns=turns,
        start=start,
        anchor=_local(text_at(shift, "rotation_start"), place) or start,
        end=_local(text_at(shift, "until"), place),
        zone=place,
        rank=_whole(at(shift, "level")) or 0,
        lasts=lasts,
        override=kind == "override",
        name=text_at(shift, "name") or "",
    )
    if kind in ("single_event", "override") and not frequency:
        return replace(layer, start=start, every=_LONGEST, daily=False, end=start + timedelta(seconds=lasts))
    return _recurring(shift, layer, start, frequency, place)


def _recurring(shift: Body, layer: Layer, start: datetime, frequency: str, place: str) -> Layer | None:
    every = _whole(at(shift, "interval")) or 1
    begins = max(start, layer.anchor)
    days = [_SHORT.index(one) for day in list_at(shift, "by_day") if (one := str(day).upper()) in _SHORT]
    if days and frequency == "daily" and len(layer.turns) == 1 and every == 1:
        frequency = "weekly"
    if frequency == "hourly" and not days:
        return replace(layer, start=begins, anchor=start, every=every * _HOUR, daily=False)
    if frequency not in ("daily", "weekly") or (days and frequency == "daily"):
        return None
    length = every * (7 if frequency == "weekly" else 1)
    if not days:
        return replace(layer, start=begins, anchor=start, every=length)
    clock = start.astimezone(ZoneInfo(place))
    first = (text_at(shift, "week_start") or "MO").upper()
    into = (clock.weekday() - (_SHORT.index(first) if first in _SHORT else 0)) % 7
    week = (clock - timedelta(days=into)).replace(hour=0, minute=0, second=0)
    second = clock.hour * _HOUR + clock.minute * 60 + clock.second
    windows = tuple(Window(weekday=day, second=second, lasts=layer.lasts or 0) for day in days)
    return replace(layer, start=begins, anchor=week, every=length, windows=windows, held=True, lasts=7 * DAY)


def _grafana_turns(shift: Body) -> tuple[tuple[EntityId, ...], ...]:
    rolling = list_at(shift, "rolling_users")
    if rolling:
        from_ = _whole(at(shift, "start_rotation_from_user_index")) or 0
        groups = [_people(one if isinstance(one, list) else [one]) for one in rolling]
        return tuple(groups[(place + from_) % len(groups)] for place in range(len(groups)))
    people = _people(list_at(shift, "users"))
    return (people,) if people else ()


def _people(values: Sequence[object]) -> tuple[EntityId, ...]:
    return tuple(found for one in values if (found := person(text(one))))


def _local(value: str | None, zone: str | None) -> datetime | None:
    if not value or zone is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def _seconds(clock: str | None) -> int | None:
    """
    The second of the day of `08:30:00` or `08:30`.
    """
    parts = (clock or "").split(":")
    if len(parts) not in (2, 3) or not all(one.isdecimal() for one in parts):
        return None
    hour, minute, second = (int(one) for one in [*parts, "0"][:3])
    return hour * _HOUR + minute * 60 + second if hour < 24 and minute < 60 and second < 60 else None


def _whole(value: object) -> int | None:
    found = text(value)
    return int(found) if found and found.isdecimal() and len(found) < 10 else None
