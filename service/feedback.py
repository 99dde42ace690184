"""
Verdicts of people on answers: useful, not useful, this fixed it, not the cause. Each is a record in its voice's name,
counts once for what it is about, and can be taken back. What they change in later answers stands in `models.judged`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from graph.contract import Facts, Store
from graph.errors import NotFound
from graph.values import PUBLIC, FactKind, Labels, Record, RecordState, View
from ingest.connectors.feedback import NAME, VERDICTS, WITHDRAWN, check, part_of, subject_of
from ingest.contract import Source
from ingest.errors import BadRecord, NotAllowed
from ingest.fields import text_at
from ingest.journal import admit
from ingest.parsing import load_json, mapping_of, printable
from ingest.pipeline import drain
from service.parts import stamp
from service.shelf import SHELF

LONGEST = 400
_SHOWN = {"precedents": "incident", "runbooks": "runbook"}
Answer = Mapping[str, Any]


def give(store: Store, answer: Answer, asked: Mapping[str, object], by: str) -> dict[str, object]:
    """
    Make a verdict durable and in force; the same of the same voice again is a duplicate. BadRecord for what is none.
    """
    check(asked)
    if asked.get("verdict") not in VERDICTS:
        raise BadRecord(f"feedback needs `verdict`, one of {', '.join(VERDICTS)}")
    note = printable(str(asked.get("note") or ""), "note")
    if len(note) > LONGEST:
        raise BadRecord(f"`note` has {len(note)} characters; at most {LONGEST}")
    subject = str(asked.get("subject") or "")
    about, evidence = _about(answer, subject)
    body = {
        "answer_id": str(asked["answer_id"]), "verdict": asked["verdict"], "subject": subject, "note": note, "by": by,
        "about": about,
    }  # fmt: skip
    standing = _standing(store, part_of(body))
    if standing and _says(standing, "verdict") == body["verdict"] and _says(standing, "note") == (note or None):
        return _told([standing.id], body, duplicate=True)
    return _told(_kept(store, body, _labels(store, evidence)), body, duplicate=False)


def undo(store: Store, record: str, by: str | None, labels: Labels | None = None) -> dict[str, object]:
    """
    Take a verdict back; twice is once. `by` None may take back anybody's. NotFound where there is none that one with
    these labels may see (None sees all), NotAllowed where it is another's.
    """
    found = [one for one in store.records([record], visibility=labels) if one.source == NAME]
    if not found or found[0].state not in (RecordState.APPLIED, RecordState.PENDING):
        raise NotFound(record, "There is no such verdict; `precedent feedback` and GET /v1/feedback list them")
    body = dict(mapping_of(load_json(found[0].body, record), record))
    if by is not None and body.get("by") != by:
        raise NotAllowed(f"{record} is the verdict of another voice; only that one, or scope `admin`, takes it back")
    standing = _standing(store, part_of(body))
    if standing is None or standing.id != record:
        return _told([record], body, duplicate=True) | {"undone": record}
    records = _kept(store, {**body, "verdict": WITHDRAWN, "of": record}, found[0].visibility)
    return _told(records, body, duplicate=False) | {"undone": record}


def listing(facts: Facts, view: View, answer: str | None = None) -> list[dict[str, object]]:
    """
    The verdicts that count, the latest first; of one answer, where that is asked for.
    """
    rows: list[dict[str, object]] = [
        {
            "id": one.record,
            "judged": one.item.subject,
            **{name: one.item.attributes.get(name) for name in ("verdict", "by", "answer_id", "alert", "service")},
            "at": stamp(one.known.start),
        }
        for one in reversed(facts.facts(view, kinds=(FactKind.JUDGED,)))
        if one.source == NAME
    ]
    return [one for one in rows if answer in (None, one["answer_id"])]


def do(store: Store, work: Mapping[str, object]) -> dict[str, object]:
    """
    What the command asks for: a verdict on a kept answer, or taking one back.
    """
    if work.get("undo"):
        return undo(store, str(work["undo"]), None)
    answer = str(work.get("answer_id") or "")
    kept = store.kept(SHELF, [answer]).get(answer)
    if kept is None:
        raise NotFound(answer, "There is no such answer; `precedent context` prints the id of the one that it gives")
    return give(store, orjson.loads(kept), work, str(work.get("by") or "local"))


def _about(answer: Answer, subject: str) -> tuple[dict[str, str], list[str]]:
    """
    What of the answer is judged, for which alert and service, and the records behind it.
    """
    kind, name, evidence = _judged(answer, subject)
    candidates = [] if answer["service"]["abstained"] else answer["service"]["candidates"]
    scope = {"alert": str(answer["alert"]["name"]), "service": candidates[0]["id"] if candidates else ""}
    return {"kind": kind, "id": name, **scope}, evidence


def _judged(answer: Answer, subject: str) -> tuple[str, str, list[str]]:
    if subject:
        suspects = (answer.get("changes") or {}).get("suspects", ())
        rows = [("change", one) for one in suspects]
        rows += [(kind, one) for part, kind in _SHOWN.items() for one in answer.get(part) or ()]
        rows += [
            ("fix", {**one, "id": f"{one['action']} {one['target']}".strip()}) for one in answer.get("fixes") or ()
        ]
        for kind, one in rows:
            if subject in (one["id"], f"{kind}:{one['id']}"):
                return kind, str(one["id"]), list(one.get("evidence") or answer["evidence"])
    return "answer", str(answer["answer_id"]), list(answer["evidence"])


def _labels(store: Store, evidence: list[str]) -> Labels:
    """
    The labels that one must hold to see what was judged.
    """
    found = store.records(evidence, limit=len(evidence) + 1) if evidence else ()
    return PUBLIC.union(*(one.visibility for one in found))


def _standing(store: Store, part: str) -> Record | None:
    """
    The record that counts of a part; None where there is none, or what counts is that it was withdrawn.
    """
    ids = [one.record for one in store.standing(NAME, [part]) if not one.lapsed]
    found = store.records(ids) if ids else ()
    return found[0] if found and _says(found[0], "verdict") != WITHDRAWN else None


def _says(record: Record, name: str) -> str | None:
    return text_at(mapping_of(load_json(record.body, record.id), record.id), name)


def _kept(store: Store, body: Mapping[str, object], labels: Labels) -> list[str]:
    source = Source(name=NAME, connector=NAME, visibility=labels)
    raw = orjson.dumps({name: value for name, value in body.items() if value})
    admitted = admit(store, source, raw, {"path": NAME}, datetime.now(UTC))
    drain(store, source=NAME)
    return list(admitted.records)


def _told(records: list[str], body: Mapping[str, object], *, duplicate: bool) -> dict[str, object]:
    return {
        "records": records,
        "duplicate": duplicate,
        "judged": subject_of(body),
        "verdict": body["verdict"],
        "by": body.get("by"),
    }
