"""
The entries of an incident's own timeline, with the moment that each gives.

A clock without a date lies on the day of the entry before it (of the first: on the incident's day), or on the next
day where it would go back by more than half a day. A clock without a zone is taken as the incident's own times are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from ingest.errors import BadRecord
from ingest.parsing import is_date_only, parse_time
from ingest.prose import day_in

_ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "bst": 60, "cet": 60, "cest": 120, "eet": 120, "eest": 180, "ist": 330, "jst": 540,
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
}  # fmt: skip
"""Minutes east of Greenwich."""
_LEAD = re.compile(
    r"^[\s|>*+•–—-]*(?:\d{1,3}[.)]\s+)?\W{0,3}"
    r"(?P<date>\d{4}-\d{2}-\d{2}|(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,?\s+)?"
    r"(?:\d{1,2}(?:st|nd|rd|th)?\s+[A-Z][a-z]{2,8},?|[A-Z][a-z]{2,8}\s+\d{1,2}(?:st|nd|rd|th)?,?)(?:\s+\d{4})?)?[\sT,|]*"
    r"(?P<hour>[01]?\d|2[0-3])[:.h](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?\s*(?P<half>[ap]\.?m\.?)?"
    r"\s*\(?(?P<zone>Z|UTC|GMT|BST|CES?T|EES?T|IST|JST|[ECMP][SD]T|[+-]\d{2}:?\d{2})?\)?(?![\w%])",
    re.IGNORECASE,
)
_TAIL = re.compile(r"^[\s|:*_)\]–—-]+")
_TEXTS = ("text", "event", "description", "note", "message", "summary", "what", "action", "content", "details")
_TIMES = ("at", "time", "timestamp", "when", "occurred_at", "date", "created_at")
_BACK = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What an entry says, in its words, and when; None where it gives no moment.
    """

    text: str
    at: datetime | None


def entries(text: str, began: datetime | None) -> Iterator[Entry]:
    """
    The lines of a timeline; one that has no clock of its own goes on with the entry before it.
    """
    last = began
    held: Entry | None = None
    for line in text.split("\n"):
        if not line.strip(" \t|:-"):
            continue
        found = _object(line) or _clocked(line, last)
        if found is None:
            if held and not re.match(r"\s*(?:[-*+#|]|\d+[.)])", line):
                held = Entry(f"{held.text}\n{line.strip()}", held.at)
            elif not line.lstrip().startswith(("#", "|")):
                if held:
                    yield held
                held = Entry(line.strip(" \t-*+"), None)
            continue
        if held:
            yield held
        held = found
        last = found.at or last
    if held:
        yield held


def _clocked(line: str, last: datetime | None) -> Entry | None:
    mark = _LEAD.match(line)
    if mark is None:
        return None
    said = _TAIL.sub("", line[mark.end() :]).strip().strip("|").strip()
    if not said:
        return None
    return Entry(said, _moment(mark, last))


def _moment(mark: re.Match[str], last: datetime | None) -> datetime | None:
    hour, half = int(mark["hour"]), (mark["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half.startswith("p") else 0) if half else hour
    named = mark["date"]
    day = day_in(named) if named and re.search(r"\d{4}", named) else None
    if named and day is None and last:
        day = day_in(f"{named.strip(' ,')} {last.year}")
    if day is None and last is None:
        return None
    zone = _zone(mark["zone"])
    clock = f"{hour:02}:{mark['minute']}:{mark['second'] or '00'}"
    if day:
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone)
    assert last is not None  # noqa: S101 - one of the two is there
    local = last.astimezone(zone)
    found = datetime.fromisoformat(f"{local.date().isoformat()}T{clock}").replace(tzinfo=zone)
    return found + timedelta(days=1) if local - found > _BACK else found


def _zone(text: str | None) -> timezone:
    if not text:
        return UTC
    minutes = _ZONES.get(text.lower())
    if minutes is None:
        sign = -1 if text[0] == "-" else 1
        minutes = sign * (int(text[1:3]) * 60 + int(text[-2:]))
    return timezone(timedelta(minutes=minutes))


def _object(line: str) -> Entry | None:
    """
    An entry of a list of objects, which stands as JSON behind its bullet.
    """
    bare = line.strip().removeprefix("- ")
    if not bare.startswith("{"):
        return None
    try:
        given = json.loads(bare)
    except ValueError:
        return None
    said = next((str(given[name]) for name in _TEXTS if given.get(name)), "")
    when = next((str(given[name]) for name in _TIMES if given.get(name)), "")
    if not said:
        return None
    try:
        return Entry(said, None if not when or is_date_only(when) else parse_time(when))
    except BadRecord:
        return Entry(said, None)
