"""
Taking a record back, with all that rested on it: first what that is, then what stands in its place. Kept answers are
asked again as of their own moment, so that whoever was told something learns what it would be now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from graph.contract import Retraction, Store
from graph.errors import GraphError, StoreLocked, StoreUnavailable
from graph.values import (
    PUBLIC,
    Alert,
    AlertRule,
    Change,
    Fact,
    Incident,
    Item,
    Labels,
    Runbook,
    Statement,
    View,
)
from ingest.connectors.feedback import NAME as FEEDBACK
from ingest.errors import BadRecord
from ingest.fields import text_at
from ingest.parsing import load_json, mapping_of
from service.context import Question, assemble
from service.fence import label_id, quoted
from service.inbox import ask
from service.parts import stamp
from service.settings import Settings
from service.shelf import ASKED, SHELF
from service.wiring import Memory, open_memory, require_store_of

REPLACED = "replaced"
"""The shelf that tells by the id of an answer which one took its place, and why."""
MOST = 200
"""Answers that are asked again; of more, the rest is only listed."""


def retracted(settings: Settings, work: Mapping[str, object]) -> dict[str, Any]:
    """
    `do`, here or by the process that holds the writer's lock.
    """
    require_store_of(settings)

    def alone() -> dict[str, Any]:
        with closing(open_memory(settings)) as memory:
            memory.follow()
            return do(memory, work)

    try:
        return alone()
    except StoreLocked:
        found = ask(settings.data, {"retract": dict(work)}, alone)
    if "error" in found:
        raise BadRecord(str(found["error"]))
    return found


def do(memory: Memory, work: Mapping[str, object]) -> dict[str, object]:
    """
    Retract, or with `erase` erase, and recompute: `{record, reason, erase?, dry?}`.
    """
    record, erase = str(work["record"]), bool(work.get("erase"))
    if not work.get("dry"):
        # before it is done: what cannot be recorded is not done
        memory.audit.record("local", "erase" if erase else "retract", {"record": record, "reason": work.get("reason")})
    resting = memory.store.resting(record)
    before = _listing(memory.store, resting)
    if work.get("dry"):
        return before | {"done": "nothing", "dry": True}
    items = [one.item for one in memory.store.statements(resting.statements)]
    answers = _kept_answers(memory.store, resting)
    questions = {
        key: _question(memory.store, one) for key, one in answers.items() if not (erase and _asked(one, items))
    }
    gone = _verdicts(memory.store, before, items) if erase else []
    problem = ""
    if erase:
        for one in (record, *gone):
            try:
                memory.store.erase(one)
            except StoreUnavailable as error:
                # the store erased it, and tells what may still hold its bytes for a while
                problem = str(error)
    else:
        memory.store.retract(record, datetime.now(UTC), str(work.get("reason") or ""))
    memory.follow()
    # the snapshots of the indexes hold its words too
    memory.indexer.save()
    return before | {
        "done": "erased" if erase else "retracted",
        "dry": False,
        "stands_now": list(_standing(memory, items)),
        "verdicts_erased": gone,
        "recomputed": _recomputed(memory, questions, answers, record, str(work.get("reason") or ""), erase=erase),
        "not_recomputed": len(answers) - len(list(questions)[:MOST]),
        "problem": problem or None,
    }


def replacement(store: Store, answer: str) -> dict[str, Any] | None:
    """
    What took an answer's place: `{answer_id, record, at, erased}`; None where nothing did.
    """
    kept = store.kept(REPLACED, [answer]).get(answer)
    found: dict[str, Any] | None = orjson.loads(kept) if kept else None
    return found


def _listing(store: Store, resting: Retraction) -> dict[str, object]:
    stated = store.statements(resting.statements)
    return {
        "record": resting.record,
        "statements": list(resting.statements),
        "kept": [list(one) for one in resting.kept],
        "rests": [_row(one) for one in stated],
        "fixes": [
            {"incident": one.item.id, "action": fix.action.value, "target": fix.target, "worked": fix.worked}
            for one in stated
            if isinstance(one.item, Incident)
            for fix in one.item.fixes
        ],
        "answers": _answers(resting),
        "vectors": sum(shelf.startswith("vectors") for shelf, _ in resting.kept),
    }


def _answers(resting: Retraction) -> list[str]:
    """
    The ids of the kept answers, whose questions lie beside them.
    """
    return [key for shelf, key in resting.kept if shelf == SHELF and not key.endswith(ASKED)]


def _row(stated: Statement[Item]) -> dict[str, object]:
    kind, name = _named(stated.item)
    return {"seq": stated.seq, "kind": kind, "name": name, "counts": stated.known.end is None}


def _named(item: Item) -> tuple[str, str]:
    if isinstance(item, Fact):
        return item.kind.value, f"{item.subject} {item.object}".strip()
    names = {Change: "change", Incident: "incident", Runbook: "runbook", AlertRule: "alert_rule", Alert: "alert"}
    return names[type(item)], item.id


def _standing(memory: Memory, items: Iterable[Item]) -> Iterator[dict[str, object]]:
    """
    What other records say of the same things from now on.
    """
    view = View.now(_all_labels(memory.store))
    for item in items:
        kind, name = _named(item)
        now: Sequence[Statement[Any]]
        if isinstance(item, Fact):
            now = memory.store.facts(view, kinds=(item.kind,), subjects=(item.subject,))
        elif isinstance(item, Change):
            now = memory.store.changes(view, ids=[item.id])
        elif isinstance(item, Incident):
            now = memory.store.incidents(view, [item.id])
        elif isinstance(item, Runbook):
            now = memory.store.runbooks(view, [item.id])
        elif isinstance(item, AlertRule):
            now = memory.store.alert_rules(view, [item.name])
        else:
            continue
        told = [_named(one.item)[1] for one in now] if isinstance(item, Fact) else []
        yield {"kind": kind, "name": name, "now": told, "records": sorted({one.record for one in now})}


def _all_labels(store: Store) -> Labels:
    return PUBLIC.union(*(labels for one in store.tally() for labels in store.labelled(one.source)))


def _verdicts(store: Store, before: Mapping[str, Any], items: Sequence[Item]) -> list[str]:
    """
    The verdicts on what is erased, and on answers that rested on it: they name it.
    """
    answers = set(before["answers"])
    names = {item.id for item in items if isinstance(item, Incident | Runbook | Change)}
    found = []
    for one in store.records(source=FEEDBACK, limit=100_000):
        body = mapping_of(load_json(one.body, one.id), one.id)
        if text_at(body, "answer_id") in answers or text_at(body, "about", "id") in names:
            found.append(one.id)
    return found


def _kept_answers(store: Store, resting: Retraction) -> dict[str, dict[str, Any]]:
    keys = _answers(resting)
    return {key: orjson.loads(body) for key, body in store.kept(SHELF, keys).items()} if keys else {}


def _recomputed(
    memory: Memory, questions: Mapping[str, Question], answers: Mapping[str, Mapping[str, Any]], record: str,
    reason: str, *, erase: bool,
) -> list[dict[str, object]]:  # fmt: skip
    """
    The answers asked again, each in the eyes of one who could see all that it rested on, and what differs.
    """
    found: list[dict[str, object]] = []
    for old, question in list(questions.items())[:MOST]:
        try:
            again = assemble(memory, question)
        except (GraphError, ValueError, LookupError) as error:
            found.append({"answer": old, "now": None, "problem": str(error)})
            continue
        told = {"answer_id": again["answer_id"], "record": record, "at": stamp(datetime.now(UTC)), "erased": erase}
        told |= {} if erase else {"reason": reason}
        memory.store.keep(REPLACED, [(old, orjson.dumps(told))])
        found.append({"answer": old, "now": again["answer_id"], "differs": _differs(answers[old], again)})
    return found


def _asked(answer: Mapping[str, Any], items: Iterable[Item]) -> bool:
    """
    Whether an answer is to an alert that one of the items is: to ask it again would keep the alert's words.
    """
    alert = answer["alert"]
    return any(isinstance(one, Alert) and (one.name, stamp(one.at)) == (alert["name"], alert["at"]) for one in items)


def _question(store: Store, answer: Mapping[str, Any]) -> Question:
    told = answer["alert"]
    cited = list(answer["evidence"])
    seen = store.records(cited, limit=len(cited) + 1) if cited else ()
    alert = Alert(
        id=str(answer["answer_id"]), name=told["name"], at=datetime.fromisoformat(told["at"]), status=told["status"],
        labels=told["labels"], annotations=told["annotations"], vendor=told["vendor"], url=told["url"],
        ended_at=datetime.fromisoformat(told["ended_at"]) if told["ended_at"] else None,
    )  # fmt: skip
    others = tuple(
        replace(alert, name=one["name"], at=datetime.fromisoformat(one["at"])) for one in told["firing_with"]
    )
    return Question(
        alert=alert,
        others=others,
        as_of=datetime.fromisoformat(answer["as_of"]),
        visibility=PUBLIC.union(*(one.visibility for one in seen)),
        format=told["format"],
    )


def _differs(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """
    Which parts say something else now.
    """
    looks: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
        "service": lambda one: [each["id"] for each in one["service"]["candidates"]],
        "owner": lambda one: (one["owner"] or {}).get("team"),
        "changes": lambda one: [each["id"] for each in (one["changes"] or {}).get("suspects", ())],
        "precedents": lambda one: [each["id"] for each in one["precedents"]],
        "fixes": lambda one: [(each["action"], each["target"]) for each in one["fixes"]],
        "runbooks": lambda one: [each["id"] for each in one["runbooks"]],
    }
    return [name for name, look in looks.items() if look(old) != look(new)]


def retraction_text(found: Mapping[str, Any]) -> str:
    """
    The listing for a person: what rests on it, and what became of that.
    """
    lines = [f"{found['record']} is the evidence of {len(found['rests'])} statements:"]
    lines += [
        f"  {one['kind']} {label_id(one['name']) if len(one['name']) < 60 else quoted(one['name'], 120)}"
        + ("" if one["counts"] else " (closed already)")
        for one in found["rests"][:50]
    ]
    if len(found["rests"]) > 50:
        lines.append(f"  and {len(found['rests']) - 50} more (--json has all)")
    for one in found["fixes"]:
        target = f" {quoted(one['target'], 80)}" if one["target"] else ""
        lines.append(f"  fix: {one['action'].replace('_', ' ')}{target} of {label_id(one['incident'])}")
    lines.append(f"{len(found['answers'])} kept answers and {found['vectors']} vectors rest on it")
    lines += [f"  answer {one}" for one in found["answers"][:50]]
    if found["dry"]:
        return "\n".join([*lines, "nothing was done; give a reason to retract it, and --erase to remove its bytes"])
    lines.append(f"{found['done']}" + (f"; {found['problem']}" if found["problem"] else ""))
    lines += [
        f"  {one['kind']} {label_id(one['name'])}: still stated by {', '.join(one['records'])}"
        for one in found["stands_now"]
        if one["records"]
    ]
    for one in found["recomputed"]:
        differs = f"now different: {', '.join(one['differs'])}" if one.get("differs") else "the same in all parts"
        lines.append(f"  answer {one['answer']} was asked again: {one['now'] or one['problem']} ({differs})")
    if found["not_recomputed"]:
        lines.append(f"  {found['not_recomputed']} more answers were not asked again")
    if found["verdicts_erased"]:
        lines.append(f"  {len(found['verdicts_erased'])} verdicts that named it were erased too")
    return "\n".join(lines)
