"""
Decisions about identity, as our own API records them: what a person confirmed, rejected, renamed or split.

Each decision says which facts hold from then on (`states`), with the verdict `undone` for those that hold no more, so
that a record is read by itself. They are events: no reading of any source closes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import IDENTITY_KINDS, Fact, Item, Record, Span, Trust, entity_kind
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import objects_at, text_at
from ingest.parsing import load_json, mapping_of, parse_time, text_of

NAME = "identity"
VERDICTS = ("confirmed", "rejected", "undone")
_KINDS = {kind.value: kind for kind in IDENTITY_KINDS}


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    One decision; its part is its id.
    """
    text = text_of(raw, "the decision")
    body = mapping_of(load_json(text, "the decision"), "the decision")
    list(_facts(body))
    yield Piece(part=_id(body), body=text)


def transform(record: Record) -> Iterator[Item]:
    """
    What holds from this decision on.
    """
    yield from _facts(mapping_of(load_json(record.body, record.part), record.part))


def _id(body: Mapping[str, object]) -> str:
    found = text_at(body, "id")
    if not found:
        raise BadRecord("a decision needs its `id`; make it with POST /v1/identity or `precedent identity`")
    return found


def _facts(body: Mapping[str, object]) -> Iterator[Fact]:
    name = _id(body)
    states = objects_at(body, "states")
    if not states:
        raise BadRecord(f"the decision {name} has no `states`; make it with POST /v1/identity or `precedent identity`")
    for number, one in enumerate(states):
        where = f"states[{number}] of the decision {name}"
        kind, verdict = text_at(one, "kind") or "", text_at(one, "verdict") or ""
        subject, target = text_at(one, "subject") or "", text_at(one, "object") or ""
        if kind not in _KINDS or verdict not in VERDICTS:
            raise BadRecord(f"{where}: `kind` is one of {', '.join(_KINDS)}, `verdict` of {', '.join(VERDICTS)}")
        if ":" not in subject or entity_kind(subject) != entity_kind(target) or subject == target:
            raise BadRecord(f"{where}: `subject` and `object` are two ids of one kind, like service:checkout")
        told = {"verdict": verdict, "decision": text_at(one, "decision") or name}
        yield Fact(kind=_KINDS[kind], subject=subject, object=target, valid=Span(_at(one, where)), attributes=told)


def _at(one: Mapping[str, object], where: str) -> datetime | None:
    given = text_at(one, "at")
    try:
        return parse_time(given) if given else None
    except BadRecord as error:
        raise BadRecord(f"{where}: `at`: {error}") from error


CONNECTOR = Connector(
    name=NAME,
    summary="decisions of people about which names are one",
    trust=Trust.REVIEWED,
    snapshot=False,
    split=split,
    transform=transform,
)
