"""
Strict, bounded readers of foreign text. All raise BadRecord, whose message says what is wrong and what to do.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import yaml

from ingest.errors import BadRecord, TooLarge

MEBIBYTE = 1 << 20
MAX_DOCUMENT = 8 * MEBIBYTE
"""Of one record; a file of many records may be much larger."""
MAX_LINE = MEBIBYTE
MAX_DEPTH = 64
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC)
"""Of what may be asked about."""
MAX_ALIASES = 100
MAX_EXPANSION = 10
MAX_UNPACKED = 1024 * MEBIBYTE
"""Of a file; a request has its own, smaller limit."""
_PACKED = b"\x1f\x8b"


def text_of(raw: bytes, where: str = "the text") -> str:
    """
    Strict UTF-8 without a byte-order mark and without NUL.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRecord(f"{where} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    if "\0" in text:
        raise BadRecord(f"{where} holds a NUL character; it looks like a binary file")
    return text


def packed(raw: bytes) -> bool:
    """
    Whether it is gzip.
    """
    return raw[:2] == _PACKED


def printable(text: str, name: str) -> str:
    """
    A text that is kept and printed as it came. Raises BadRecord for one with control characters or half a character.
    """
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text):
        raise BadRecord(f"`{name}` holds a control character; write it in printable ones")
    return text


def unpack(raw: bytes, where: str = "the file", most: int = MAX_UNPACKED) -> bytes:
    """
    Gzip unpacked; anything else as it is. Unpacking ends where it passes `most` bytes, with TooLarge.
    """
    if not packed(raw):
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            body = stream.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadRecord(f"{where} is damaged gzip: {error}") from error
    if len(body) > most:
        size = f"{most // MEBIBYTE} MiB" if most >= MEBIBYTE else f"{most} bytes"
        raise TooLarge(f"{where} unpacks to more than {size}; split it")
    return body


def load_json(text: str | bytes, where: str = "the document") -> object:
    """
    JSON without NaN, lone surrogates or NUL, at most MAX_DEPTH deep.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRecord(f"{where} is not JSON: {error}") from error
    except UnicodeEncodeError as error:
        raise BadRecord(f"{where} holds half a character (a lone surrogate)") from error
    if not _surely_bounded(text):
        _bounded(value, where)
    return value


def _surely_bounded(text: str | bytes) -> bool:
    """
    A quick look: nothing is escaped, and there are fewer brackets than would be needed.
    """
    if isinstance(text, str):
        return "\\" not in text and text.count("{") + text.count("[") < MAX_DEPTH
    return b"\\" not in text and text.count(b"{") + text.count(b"[") < MAX_DEPTH


def _bounded(value: object, where: str) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner += [*item.values(), *item.keys()]
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, str) and "\0" in item:
                raise BadRecord(f"{where} holds a NUL character")
        if not inner:
            return
        level = inner
    raise BadRecord(f"{where} is nested more than {MAX_DEPTH} deep")


class _Loader(yaml.CSafeLoader):
    """
    Safe YAML whose dates stay text, so that one reader of times serves all formats.
    """


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml_documents(text: str, where: str = "the document") -> list[object]:
    """
    All documents of a YAML text; empty ones are left out. Aliases, depth and custom tags are bounded.
    """
    if len(text) > MAX_DOCUMENT:
        raise BadRecord(f"{where} is larger than {MAX_DOCUMENT // MEBIBYTE} MiB; split it")
    try:
        _check_events(text, where)
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.YAMLError as error:
        raise BadRecord(f"{where} is not YAML: {_one_line(str(error))}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRecord(f"{where} is not YAML that can be read: {_one_line(str(error))}") from error


def _check_events(text: str, where: str) -> None:
    aliases = depth = expanded = 0
    sizes: dict[str | None, int] = {}
    stack: list[tuple[str | None, int]] = []
    for events, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader), 1):
        expanded += 1
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
            if event.anchor in {anchor for anchor, _ in stack}:
                raise BadRecord(f"{where} holds itself by a YAML alias; write the values out")
            expanded += sizes.get(event.anchor, 0)
        elif isinstance(event, yaml.CollectionStartEvent):
            stack.append((event.anchor, expanded))
            depth = max(depth, len(stack))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, began = stack.pop()
            if anchor:
                sizes[anchor] = expanded - began
        if depth > MAX_DEPTH:
            raise BadRecord(f"{where} is nested more than {MAX_DEPTH} deep")
        if aliases > MAX_ALIASES or expanded > 1000 + MAX_EXPANSION * events:
            raise BadRecord(f"{where} uses YAML aliases to grow; write the values out")


def json_lines(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """
    (line number, line) of what is not empty. Lines end at newline characters alone.
    """
    for number, line in enumerate(io.BytesIO(raw), 1):
        if line.strip():
            yield number, line


def csv_rows(text: str, where: str = "the table") -> Iterator[tuple[int, dict[str, str] | None]]:
    """
    (row number, columns by the header's names); None for a row with more or fewer columns than the header.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if not header or len(set(header)) != len(header):
            raise BadRecord(f"{where} needs a first row of distinct column names")
        for number, row in enumerate(reader, 2):
            if row:
                yield number, dict(zip(header, row, strict=True)) if len(row) == len(header) else None
    except csv.Error as error:
        raise BadRecord(not_csv(where, reader.line_num, error)) from error


def not_csv(where: str, line: int, error: csv.Error) -> str:
    """
    Why a table cannot be read, and what to do.
    """
    return (
        f"{where} is not CSV (line {line}): {error}; put a text that holds commas or quotes in quotes and double the "
        "quotes inside, or name the file .jsonl if it holds JSON lines"
    )


_FRACTION = re.compile(r"(\.\d{6})\d+")
_GO_ZONE = re.compile(r"(?<=[+-]\d{4}) [A-Z+-][A-Z\d]{1,4}( m=\S+)?$")
"""The zone's name behind its offset, as Go prints it."""
_SPACE = re.compile(r"(?<=\d) (?=[+-]\d{2}:?\d{2}$)")
"""Before an offset; Python reads it only behind whole seconds."""
_UTC_NAME = re.compile(r"\s*(UTC|GMT|Z)$", re.IGNORECASE)
_FORMATS = (
    "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M", "%d %B %Y %H:%M", "%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d %b %Y",
    "%b %d, %Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S UTC %Y", "%a %b %d %H:%M:%S GMT %Y", "%a, %d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S%z",
)  # fmt: skip
MIN_EPOCH = 1e8
"""Seconds (March 1973): a smaller number is a count, a day or a mistake."""
_UNITS = ((1e17, 1_000_000_000), (1e14, 1_000_000), (1e11, 1_000), (0, 1))


def parse_time(value: object, zone: str = "UTC") -> datetime:
    """
    The moment that a source wrote, in UTC: ISO 8601 in its many forms, or an epoch in s, ms, us or ns by magnitude.

    A text without an offset is local to `zone`. Raises BadRecord for what is no time.
    """
    if isinstance(value, bool) or value is None:
        raise BadRecord(f"{value!r} is not a time")
    if isinstance(value, int | float):
        return _from_epoch(float(value))
    if isinstance(value, datetime):
        return _aware(value, zone)
    if isinstance(value, date):
        return _aware(datetime(value.year, value.month, value.day), zone)  # noqa: DTZ001 - the zone comes next
    text = str(value).strip()
    if re.fullmatch(r"-?\d{9,19}(\.\d+)?", text):
        return _from_epoch(float(text))
    return _aware(_from_text(text), zone)


def named_time(value: object, what: str, zone: str = "UTC") -> datetime:
    """
    The moment in a field; BadRecord says which field of what it is.
    """
    if value in (None, ""):
        raise BadRecord(f"{what} is missing; write it like 2026-03-02T14:43:05Z")
    try:
        return parse_time(value, zone)
    except BadRecord as error:
        raise BadRecord(f"{what}: {error}") from error


def named_end(value: object, what: str, zone: str = "UTC") -> datetime | None:
    """
    The same of a time of ending.
    """
    try:
        return parse_end(value, zone)
    except BadRecord as error:
        raise BadRecord(f"{what}: {error}") from error


def asked_time(value: object, name: str) -> datetime:
    """
    A moment that a question gives as `name`. Raises BadRecord, which names it, for what is no time or lies where no
    memory reaches.
    """
    try:
        moment = parse_time(value)
    except BadRecord as error:
        raise BadRecord(f"`{name}`: {error}") from error
    if not EARLIEST <= moment < LATEST:
        raise BadRecord(
            f"`{name}`: {str(value)[:60]} lies outside the years {EARLIEST.year} to {LATEST.year - 1}; "
            "write a time like 2026-03-02T14:43:05Z"
        )
    return moment


def is_unset(value: object) -> bool:
    """
    Whether a source wrote the zero time of its language for "not set": Go's is the first of January of the year 1.
    """
    return str(value).strip().startswith("0001-01-01")


def _from_epoch(number: float) -> datetime:
    if not abs(number) >= MIN_EPOCH:
        raise BadRecord(f"{number:g} is not a time; write it like 2026-03-02T14:43:05Z")
    unit = next(unit for least, unit in _UNITS if abs(number) >= least)
    try:
        return datetime.fromtimestamp(number / unit, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadRecord(f"{number} is not a time") from error


def _from_text(text: str) -> datetime:
    plain = _SPACE.sub("", _GO_ZONE.sub("", _FRACTION.sub(r"\1", text)))
    named = _UTC_NAME.sub("+00:00", plain)
    try:
        return datetime.fromisoformat(named)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(_UTC_NAME.sub("", plain), form)  # noqa: DTZ007 - the zone comes next
        except ValueError:
            continue
    raise BadRecord(f"{text[:60]!r} is not a time; write it like 2026-03-02T14:43:05Z")


def _aware(moment: datetime, zone: str) -> datetime:
    try:
        local = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
        return local.astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise BadRecord(f"{zone!r} is not a time zone; write it like Europe/London") from error
    except OverflowError as error:
        raise BadRecord(f"{moment} is not a time that can be kept") from error


def parse_end(value: object, zone: str = "UTC") -> datetime | None:
    """
    A time of ending; what vendors write for "not ended" (year 1, -1, empty) is None.
    """
    return None if is_unended(value) else parse_time(value, zone)


def is_unended(value: object) -> bool:
    """
    Whether it is what vendors write for "not ended".
    """
    return value in (None, "", -1, "-1", 0) or is_unset(value)


def is_date_only(value: object) -> bool:
    """
    Whether a text names a day and no time of day.
    """
    return isinstance(value, str) and ":" not in value and not re.fullmatch(r"\s*-?\d{9,19}(\.\d+)?\s*", value)


def end_of_day(moment: datetime, zone: str = "UTC") -> datetime:
    """
    The end of the local day in which a moment lies, in UTC.
    """
    local = moment.astimezone(ZoneInfo(zone))
    day = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone))
    return (day + timedelta(days=1)).astimezone(UTC)


def publication_of_day(moment: datetime, zone: str = "UTC") -> datetime:
    """
    When a publication that is known only by its date counts as known: the end of the next day.
    """
    return end_of_day(end_of_day(moment, zone), zone)


def anchor(heading: str) -> str:
    """
    GitHub's anchor of a heading: lower case, spaces to hyphens, other punctuation dropped.
    """
    kept = [
        char for char in unicodedata.normalize("NFC", heading.strip().lower())
        if char in " -_" or unicodedata.category(char)[0] in "LNM"
    ]  # fmt: skip
    return "".join(kept).replace(" ", "-")


def mapping_of(value: object, where: str) -> Mapping[str, object]:
    """
    The value as an object with text keys, or BadRecord.
    """
    if not isinstance(value, dict):
        raise BadRecord(f"{where} should be an object, not {type(value).__name__}")
    return {str(key): item for key, item in value.items()}


def texts_of(value: object) -> tuple[str, ...]:
    """
    A text, a list of texts, or a list separated by commas or semicolons, as a tuple; empty for None.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in re.split(r"[,;]", value) if part.strip())
    if isinstance(value, list | tuple):
        return tuple(str(part).strip() for part in value if part is not None and str(part).strip())
    return (str(value),)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
