"""
What a statement is found by, and what makes two statements versions of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from graph.contract import kind_of
from graph.encoding import encode, micros
from graph.values import UNPLACED, Alert, AlertRule, Change, Fact, Item, Labels, Trust

OPEN = 2**63 - 1
"""A time that has no end."""
BEGINNING = -(2**63)
"""A time that has no start."""


@dataclass(frozen=True, slots=True)
class Claim:
    """
    An item on its way in, with its bytes: `key` names the thing, `digest` what is said of it.
    """

    item: Item
    body: bytes
    key: bytes
    digest: bytes


def claims(items: Sequence[Item], trust: Trust, labels: Labels) -> list[Claim]:
    """
    Items with their keys. A fact that one record states twice with different attributes is two things (`seen_in` of
    an alias), told apart by their order; anything else stated twice is one, as stated last.
    """
    found: dict[bytes, Claim] = {}
    for item in items:
        body = encode(item)
        digest = digest_of(body, trust, labels)
        key = _hash(*_identity(item))
        nth = 1
        while isinstance(item, Fact) and key in found and found[key].digest != digest:
            nth += 1
            key = _hash(*_identity(item), str(nth).encode())
        found[key] = Claim(item, body, key, digest)
    return list(found.values())


def digest_of(body: bytes, trust: Trust, labels: Labels) -> bytes:
    """
    Of what is said: the item's bytes, how far it is believed and who may see it.
    """
    return _hash(body, bytes([trust]), *(label.encode() for label in sorted(labels)))


def _identity(item: Item) -> tuple[bytes, ...]:
    if isinstance(item, Fact):
        start = "" if item.valid.start is None else str(micros(item.valid.start))
        return (b"fact", item.kind.value.encode(), item.subject.encode(), item.object.encode(), start.encode())
    return (kind_of(item).value.encode(), item.id.encode())


def _hash(*parts: bytes) -> bytes:
    pieces = [piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)]
    return blake2b(b"".join(pieces), digest_size=16).digest()


def names(item: Item) -> Iterator[tuple[str, str, int]]:
    """
    (field, text, time) by which the item is found; the time is 0 where it has none.
    """
    if isinstance(item, Fact):
        yield "fact", item.kind.value, 0
        yield f"fact.{item.kind.value}.subject", item.subject, 0
        yield f"fact.{item.kind.value}.object", item.object, 0
    elif isinstance(item, Change):
        at = micros(item.at)
        yield "kind", "change", at
        yield "change.id", item.id, at
        if item.revision:
            yield "change.id", item.revision, at
        for service in item.services or (UNPLACED,):
            yield "change.service", service, at
    elif isinstance(item, Alert):
        yield "kind", "alert", micros(item.at)
        yield "alert.name", item.name, micros(item.at)
    else:
        kind = kind_of(item).value
        yield "kind", kind, 0
        yield f"{kind}.name", item.name if isinstance(item, AlertRule) else item.id, 0
