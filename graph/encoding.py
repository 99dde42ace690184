"""
Items to JSON bytes and back, exactly: tuples, enums, aware datetimes and nested values come back as they were.

A field that holds its default is left out, keys are sorted and a datetime is its microseconds since 1970 in UTC, so
equal items have equal bytes and a digest of the bytes is a digest of the item.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, cast, get_args, get_origin, get_type_hints

import orjson

from graph.contract import kind_of
from graph.errors import InvalidValue
from graph.values import Alert, AlertRule, Change, Fact, Incident, Item, ItemKind, Runbook

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Not `type[Item]`: the cache below would not take those for hashable.
_CLASSES: Mapping[ItemKind, Any] = types.MappingProxyType(
    {
        ItemKind.FACT: Fact,
        ItemKind.CHANGE: Change,
        ItemKind.INCIDENT: Incident,
        ItemKind.RUNBOOK: Runbook,
        ItemKind.ALERT_RULE: AlertRule,
        ItemKind.ALERT: Alert,
    }
)
# What JSON gives and takes has no closer type.
_Decoder = Callable[[Any], Any]


def micros(moment: datetime) -> int:
    """
    Microseconds since 1970 in UTC. InvalidValue of a datetime without a zone.
    """
    if moment.tzinfo is None:
        raise InvalidValue(moment.isoformat(), "A time needs a zone")
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """
    The aware datetime, in UTC, of `micros`.
    """
    return _EPOCH + timedelta(microseconds=microseconds)


def encode(item: Item) -> bytes:
    """
    The item as canonical JSON. InvalidValue where it holds what cannot be stored (half a surrogate pair, a time
    without a zone).
    """
    try:
        return orjson.dumps(_plain(item), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        name = getattr(item, "id", "") or getattr(item, "subject", "")
        raise InvalidValue(f"{kind_of(item)} {name!r}", f"The item cannot be stored ({error})") from error


def decode(kind: ItemKind, body: str | bytes) -> Item:
    """
    The item of `encode`d bytes. InvalidValue where the bytes are of no such item.
    """
    try:
        return cast(Item, _decoder(_CLASSES[kind])(orjson.loads(body)))
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidValue(kind.value, f"The stored item cannot be read ({error})") from error


_AS_THEY_ARE = frozenset((str, bool, int, float, type(None)))


def _plain(value: object) -> object:
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return micros(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names, defaults, values = _fields(type(value))
        given = zip(names, values(value), defaults, strict=True)
        return {
            name: held if type(held) in _AS_THEY_ARE else _plain(held)
            for name, held, default in given
            if held is not default and held != default
        }
    return value


@cache
def _fields(kind: type) -> tuple[tuple[str, ...], tuple[object, ...], Callable[[object], tuple[object, ...]]]:
    """
    The names of its fields, their defaults, and what takes all values of one. Every kind has two fields or more.
    """
    fields = dataclasses.fields(kind)
    names = tuple(each.name for each in fields)
    return names, tuple(_default(each) for each in fields), attrgetter(*names)


def _default(each: dataclasses.Field[Any]) -> object:
    if each.default_factory is not dataclasses.MISSING:
        return each.default_factory()
    return each.default


@cache
def _decoder(hint: Any) -> _Decoder:
    """
    What turns plain JSON back into a value of the annotated type.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is types.UnionType or type(None) in arguments:
        inner = _decoder(next(one for one in arguments if one is not type(None)))
        return lambda raw: None if raw is None else inner(raw)
    if origin is tuple:
        each = _decoder(arguments[0])
        return lambda raw: tuple(each(one) for one in raw)
    if origin is not None and issubclass(origin, Mapping):
        key, held = _decoder(arguments[0]), _decoder(arguments[1])
        return lambda raw: {key(name): held(one) for name, one in raw.items()}
    if hint is datetime:
        return moment
    if dataclasses.is_dataclass(hint):
        return _record_decoder(hint)
    if issubclass(hint, Enum):
        return cast(_Decoder, hint)
    return lambda raw: raw


def _record_decoder(kind: Any) -> _Decoder:
    hints = get_type_hints(kind)
    decoders = {each.name: _decoder(hints[each.name]) for each in dataclasses.fields(kind)}
    return lambda raw: kind(**{name: decoders[name](held) for name, held in raw.items()})
