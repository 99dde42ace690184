"""
Verdicts on answers, as our own API records them: each states who judged what, for which alert and service.

A voice has one verdict on a thing for an alert and a service, whichever answer showed it; a later one replaces it, and
`withdrawn` takes it back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from graph.values import EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import text_at
from ingest.parsing import load_json, mapping_of, text_of

NAME = "feedback"
VERDICTS = ("useful", "not_useful", "fixed", "not_cause")
WITHDRAWN = "withdrawn"


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    One verdict; its part is what was judged, for what, and the voice, so that a second thought replaces the first.
    """
    text = text_of(raw, "the feedback")
    body = mapping_of(load_json(text, "the feedback"), "the feedback")
    check(body)
    yield Piece(part=part_of(body), body=text)


def part_of(body: Mapping[str, object]) -> str:
    """
    Whose verdict on what, for what.
    """
    scope = "\n".join([text_at(body, "about", "alert") or "", text_at(body, "about", "service") or ""])
    return f"{subject_of(body)}/{hashlib.sha256(scope.encode()).hexdigest()[:12]}/{text_at(body, 'by') or ''}"


def subject_of(body: Mapping[str, object]) -> str:
    """
    What was judged: `incident:ID`, `change:ID`, `runbook:ID`, `fix:ACTION TARGET`, or the answer as a whole.
    """
    kind = text_at(body, "about", "kind") or "answer"
    return f"{kind}:{text_at(body, 'about', 'id') or text_at(body, 'answer_id')}".lower()


def transform(record: Record) -> Iterator[Item]:
    """
    The verdict; nothing where it was withdrawn.
    """
    body = mapping_of(load_json(record.body, record.part), record.part)
    check(body)
    told = {name: text_at(body, "about", name) for name in ("alert", "service")} | {
        name: text_at(body, name) for name in ("verdict", "answer_id", "by")
    }
    if told["verdict"] != WITHDRAWN:
        yield Fact(
            kind=FactKind.JUDGED,
            subject=subject_of(body),
            object=entity_id(EntityKind.PERSON, told["by"] or "unknown"),
            attributes={name: value for name, value in told.items() if value},
        )


def check(body: Mapping[str, object]) -> None:
    """
    Raises BadRecord where an answer or a known verdict is missing.
    """
    if not body.get("answer_id"):
        raise BadRecord("feedback needs `answer_id`")
    if body.get("verdict") not in (*VERDICTS, WITHDRAWN):
        raise BadRecord(f"feedback needs `verdict`, one of {', '.join(VERDICTS)}")


CONNECTOR = Connector(
    name=NAME,
    summary="verdicts on answers",
    trust=Trust.UNTRUSTED,
    snapshot=True,
    split=split,
    transform=transform,
)
