"""
Feedback on answers, as our own API records it. It states nothing yet; the record is kept as evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graph.values import Item, Record, Trust
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.parsing import load_json, mapping_of, text_of

VERDICTS = ("useful", "not_useful", "fixed", "not_cause")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    One verdict; its part is answer, subject and voice, so that a second thought replaces the first.
    """
    text = text_of(raw, "the feedback")
    body = mapping_of(load_json(text, "the feedback"), "the feedback")
    check(body)
    yield Piece(part=f"{body['answer_id']}/{body.get('subject', '')}/{body.get('by', '')}", body=text)


def transform(record: Record) -> Iterator[Item]:
    """
    Nothing but the check.
    """
    check(mapping_of(load_json(record.body, record.part), record.part))
    return iter(())


def check(body: Mapping[str, object]) -> None:
    """
    Raises BadRecord where an answer or a known verdict is missing.
    """
    if not body.get("answer_id"):
        raise BadRecord("feedback needs `answer_id`")
    if body.get("verdict") not in VERDICTS:
        raise BadRecord(f"feedback needs `verdict`, one of {', '.join(VERDICTS)}")


CONNECTOR = Connector(
    name="feedback",
    summary="verdicts on answers",
    trust=Trust.UNTRUSTED,
    snapshot=False,
    split=split,
    transform=transform,
)
