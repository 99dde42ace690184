"""
Rules about actions as people write them: every field is known, or the error says where it stands and what may.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from graph.freezing import DAY, Hours, Period, stretch
from graph.policies import LEVELS, Limits, Mode, Rule, Situation, Verdict, When
from graph.values import FixAction, Span
from ingest.errors import BadRecord
from ingest.parsing import EARLIEST, LATEST, load_json, mapping_of, named_time

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
ACTION = re.compile(r"[a-z][a-z0-9_]{0,59}")
ACTIONS = tuple(one.value for one in FixAction if one not in (FixAction.OTHER, FixAction.WAIT))
"""Actions that we have a word for."""
WHO = ("owner", "on_call")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
VERDICTS = {one.word: one for one in Verdict}
MODES = {one.word: one for one in Mode}
_RULE = ("name", "says", "when", "verdict", "mode", "limits", "approval", "valid", "zone", "examples")
_WHEN = (
    "actions", "services", "teams", "environments", "criticality", "who", "reversible", "during", "outside",
)  # fmt: skip
_ASK = (
    "action", "service", "team", "environment", "criticality", "who", "reversible", "reach", "at",
)  # fmt: skip
Body = Mapping[str, object]
Word = TypeVar("Word", bound=IntEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """
    What a rule's author expects: a situation, and the verdict of all rules together.
    """

    name: str
    situation: Situation
    verdict: Verdict
    mode: Mode | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """
    A rule as it was written, with when it is in force and its examples.
    """

    rule: Rule
    valid: Span
    examples: tuple[Example, ...] = ()


@lru_cache(maxsize=4096)
def written(text: str, where: str) -> Written:
    """
    A rule from its JSON.
    """
    return rule_of(mapping_of(load_json(text, where), where), where)


def rule_of(body: Body, where: str) -> Written:
    """
    A rule. BadRecord names the field by its path.
    """
    known(body, _RULE, where)
    name = _text(body, "name", where)
    if not NAME.fullmatch(name):
        raise BadRecord(f"{where}.name: {name[:40]!r} is no name; write small letters, digits, `.`, `_` and `-`")
    zone = zone_of(body, where)
    limits = _object(body, "limits", where)
    known(limits, ("dependents", "criticality", "beyond"), f"{where}.limits")
    approval = _object(body, "approval", where)
    known(approval, ("by", "count"), f"{where}.approval")
    beyond = word(limits, "beyond", VERDICTS, f"{where}.limits")
    if beyond is Verdict.ALLOW:
        raise BadRecord(f"{where}.limits.beyond: `allow` would make it no limit; write needs_approval or refuse")
    rule = Rule(
        name=name,
        says=_text(body, "says", where, needed=False)[:300],
        when=_when(_object(body, "when", where), f"{where}.when", zone),
        verdict=word(body, "verdict", VERDICTS, where),
        mode=word(body, "mode", MODES, where),
        limits=_limits(limits, f"{where}.limits") if limits else None,
        over=beyond or Verdict.NEEDS_APPROVAL,
        approvers=tuple(_approvers(approval, f"{where}.approval")),
        approvals=_number(approval, "count", f"{where}.approval", 1, 1),
    )
    if rule.verdict is None and rule.mode is None and rule.limits is None:
        raise BadRecord(f"{where}: the rule says nothing; give it a `verdict`, a `mode` or `limits`")
    return Written(rule=rule, valid=_valid(body, where, zone), examples=tuple(_examples(body, where)))


def known(body: Body, names: Collection[str], where: str) -> None:
    """
    BadRecord for a field that nobody knows.
    """
    unknown = sorted(str(key) for key in body if key not in names)
    if unknown:
        near = difflib.get_close_matches(unknown[0], names, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}"
        raise BadRecord(f"{where}.{unknown[0][:60]}: there is no such field; {hint}")


def zone_of(body: Body, where: str) -> str:
    """
    The time zone that a file or a rule names; UTC where it names none.
    """
    zone = _text(body, "zone", where, needed=False) or "UTC"
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise BadRecord(f"{where}.zone: {zone[:60]!r} is not a time zone; write it like Europe/London") from error
    return zone


def word(body: Body, key: str, words: Mapping[str, Word], where: str) -> Word | None:
    """
    One of these words, or nothing.
    """
    given = body.get(key)
    if given is None:
        return None
    if not isinstance(given, str) or given not in words:
        raise BadRecord(f"{where}.{key}: {str(given)[:40]!r} is none of {', '.join(words)}")
    return words[given]


def _when(body: Body, where: str, zone: str) -> When:
    known(body, _WHEN, where)
    actions = texts(body, "actions", where)
    for place, action in enumerate(actions):
        if action != "*" and not ACTION.fullmatch(action):
            raise BadRecord(f"{where}.actions[{place}]: {action[:40]!r} is no action; write one like restart")
    levels = texts(body, "criticality", where)
    for place, level in enumerate(levels):
        if level not in LEVELS:
            raise BadRecord(f"{where}.criticality[{place}]: {level[:40]!r} is none of {', '.join(LEVELS)}")
    return When(
        actions=actions,
        services=tuple(one.removeprefix("service:") for one in texts(body, "services", where)),
        teams=tuple(one.removeprefix("team:") for one in texts(body, "teams", where)),
        environments=texts(body, "environments", where),
        criticality=levels,
        who=texts(body, "who", where),
        reversible=_flag(body, "reversible", where),
        during=tuple(_periods(body, "during", where, zone)),
        outside=tuple(_periods(body, "outside", where, zone)),
    )


def texts(body: Body, key: str, where: str) -> tuple[str, ...]:
    """
    A list of texts in lower case, or one of them; an empty list is an error, since it would mean any.
    """
    given = body.get(key)
    if given is None:
        return ()
    rows = [given] if isinstance(given, str) else given
    if not isinstance(rows, list) or not rows:
        raise BadRecord(f"{where}.{key}: write a list of names; leave it out for any")
    for place, one in enumerate(rows):
        if not isinstance(one, str) or not one.strip():
            raise BadRecord(f"{where}.{key}[{place}]: {str(one)[:40]!r} is no text; put it in quotes")
    return tuple(one.strip().lower() for one in rows)


def _text(body: Body, key: str, where: str, *, needed: bool = True) -> str:
    given = body.get(key)
    if given is None and not needed:
        return ""
    if not isinstance(given, str) or not given.strip():
        raise BadRecord(f"{where}.{key}: {'a text is needed' if given is None else f'{given!r:.40} is no text'}")
    return given.strip()


def _object(body: Body, key: str, where: str) -> Body:
    given = body.get(key)
    if given is None:
        return {}
    if not isinstance(given, dict) or not given:
        raise BadRecord(f"{where}.{key}: write fields below it, or leave it out")
    return {str(name): value for name, value in given.items()}


def _flag(body: Body, key: str, where: str) -> bool | None:
    given = body.get(key)
    if given is not None and not isinstance(given, bool):
        raise BadRecord(f"{where}.{key}: {str(given)[:40]!r} is neither true nor false")
    return given


def _number(body: Body, key: str, where: str, least: int, default: int) -> int:
    given = body.get(key, default)
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        raise BadRecord(f"{where}.{key}: {str(given)[:40]!r} is no whole number from {least} on")
    return given


def _limits(body: Body, where: str) -> Limits:
    levels = {level: place for place, level in enumerate(LEVELS)}
    level = body.get("criticality")
    if level is not None and level not in levels:
        raise BadRecord(f"{where}.criticality: {str(level)[:40]!r} is none of {', '.join(LEVELS)}")
    if level is None and "dependents" not in body:
        raise BadRecord(f"{where}: it limits nothing; give it `dependents` or `criticality`")
    dependents = _number(body, "dependents", where, 0, 0) if "dependents" in body else None
    return Limits(dependents=dependents, criticality=str(level) if level else None)


def _approvers(body: Body, where: str) -> Iterator[str]:
    for place, one in enumerate(texts(body, "by", where)):
        if one not in WHO and not re.fullmatch(r"(?:team|person):.+", one):
            raise BadRecord(f"{where}.by[{place}]: {one[:40]!r} is none of {', '.join(WHO)}, team:NAME, person:NAME")
        yield one


def _valid(body: Body, where: str, zone: str) -> Span:
    given = _object(body, "valid", where)
    known(given, ("from", "to"), f"{where}.valid")
    start = _moment(given, "from", f"{where}.valid", zone) if "from" in given else None
    end = _moment(given, "to", f"{where}.valid", zone) if "to" in given else None
    if start and end and start >= end:
        raise BadRecord(f"{where}.valid: it ends before it begins")
    return Span(start, end)


def _moment(body: Body, key: str, where: str, zone: str) -> datetime:
    found = named_time(body.get(key), f"{where}.{key}", zone)
    if not EARLIEST <= found < LATEST:
        raise BadRecord(f"{where}.{key}: {str(body.get(key))[:40]!r} lies outside the years that can be kept")
    return found


def _periods(body: Body, key: str, where: str, zone: str) -> Iterator[Period]:
    given = body.get(key)
    rows: Sequence[object] = [given] if isinstance(given, dict) else given if isinstance(given, list) else ()
    if given is not None and not rows:
        raise BadRecord(f"{where}.{key}: write a list of periods with `from` and `to`")
    for place, row in enumerate(rows):
        path = f"{where}.{key}[{place}]"
        if not isinstance(row, dict):
            raise BadRecord(f"{path}: write `from` and `to`, with `days` for hours of the week")
        known(row, ("from", "to", "days", "zone"), path)
        own = zone_of(row, path) if "zone" in row else zone
        yield _hours(row, path, own) if "days" in row else _stretch(row, path, own)


def _stretch(row: Body, where: str, zone: str) -> Period:
    found = stretch(_wall(row, "from", where, zone), _wall(row, "to", where, zone), zone)
    if found.start >= found.end:
        raise BadRecord(f"{where}: it ends before it begins")
    return found


def _wall(row: Body, key: str, where: str, zone: str) -> datetime:
    """
    A time as it was written, so that one without an offset is read off the wall.
    """
    aware = _moment(row, key, where, zone)
    try:
        given = datetime.fromisoformat(str(row[key]).strip())
    except ValueError:
        return aware
    return given if given.tzinfo is None else aware


def _hours(row: Body, where: str, zone: str) -> Period:
    days = texts(row, "days", where)
    for place, day in enumerate(days):
        if day[:3] not in DAYS:
            raise BadRecord(f"{where}.days[{place}]: {day[:40]!r} is none of {', '.join(DAYS)}")
    first = _clock(row.get("from", "00:00"), f"{where}.from")
    last = _clock(row.get("to", "24:00"), f"{where}.to")
    last = last if last > first else last + DAY
    return Hours(frozenset(DAYS.index(day[:3]) for day in days), first, last, zone)


def _clock(given: object, where: str) -> int:
    # unquoted 16:00 is the number 960 in YAML 1.1
    minutes = given if isinstance(given, int) and not isinstance(given, bool) else None
    text = f"{minutes // 60:02}:{minutes % 60:02}" if minutes is not None and minutes >= 0 else str(given)
    found = re.fullmatch(r"(\d\d?):([0-5]\d)", text)
    if not found or int(found[1]) * 60 + int(found[2]) > 24 * 60:
        raise BadRecord(f"{where}: {str(given)[:40]!r} is no time of day; write it like 16:00")
    return int(found[1]) * 3600 + int(found[2]) * 60


def _examples(body: Body, where: str) -> Iterator[Example]:
    given = body.get("examples", [])
    if not isinstance(given, list):
        raise BadRecord(f"{where}.examples: write a list of `ask` with the `verdict` that is expected")
    for place, row in enumerate(given):
        path = f"{where}.examples[{place}]"
        if not isinstance(row, dict):
            raise BadRecord(f"{path}: write `ask` and the `verdict` that is expected")
        known(row, ("name", "ask", "verdict", "mode", "rule"), path)
        verdict = word(row, "verdict", VERDICTS, path)
        if verdict is None:
            raise BadRecord(f"{path}.verdict: what is expected? one of {', '.join(VERDICTS)}")
        yield Example(
            name=_text(row, "name", path, needed=False) or f"example {place + 1}",
            situation=situation_of(_object(row, "ask", path), f"{path}.ask"),
            verdict=verdict,
            mode=word(row, "mode", MODES, path),
            rule=_text(row, "rule", path, needed=False) or None,
        )


def situation_of(ask: Body, where: str) -> Situation:
    """
    A situation as an example tells it; what is left out is not known.
    """
    known(ask, _ASK, where)
    action = _text(ask, "action", where).lower()
    reach = ask.get("reach")
    if reach is not None and not isinstance(reach, dict):
        raise BadRecord(f"{where}.reach: write how many dependents of each tier, like {{high: 2, low: 3}}")
    levels = {str(level): _number(reach or {}, str(level), f"{where}.reach", 0, 0) for level in reach or {}}
    known(levels, (*LEVELS, "unknown"), f"{where}.reach")
    level = _text(ask, "criticality", where, needed=False) or None
    if level is not None and level not in LEVELS:
        raise BadRecord(f"{where}.criticality: {level[:40]!r} is none of {', '.join(LEVELS)}")
    services, teams = texts(ask, "service", where), texts(ask, "team", where)
    return Situation(
        action=action,
        known_action=action in ACTIONS,
        at=_moment(ask, "at", where, "UTC") if "at" in ask else datetime(2026, 1, 7, 12, tzinfo=UTC),
        services=frozenset(one.removeprefix("service:") for one in services) or None,
        teams=frozenset(one.removeprefix("team:") for one in teams) or None,
        environment=_text(ask, "environment", where, needed=False) or None,
        criticality=level,
        who=_text(ask, "who", where, needed=False) or None,
        reversible=_flag(ask, "reversible", where),
        reach=levels if reach is not None else None,
    )
