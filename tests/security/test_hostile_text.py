"""
Hostile text in six carriers: whatever is asked, and in whatever form, it comes back quoted as a source's words or not at
all. Nothing of it is in our own sentences, names, errors or descriptions.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from graph.contract import Store
from graph.errors import GraphError
from ingest.contract import Source
from ingest.errors import IngestError
from ingest.journal import admit
from ingest.pipeline import drain
from service.api.app import answer_of
from service.api.problems import Problem
from service.fence import is_name
from service.mcp import resources
from service.mcp.asking import Asking
from service.mcp.refusals import Refusal, said
from service.mcp.tools import INSTRUCTIONS, TOOLS, call
from service.render import answer_text
from service.settings import Settings
from service.tokens import LOCAL
from service.wiring import Memory, open_memory
from tests.security.hostile import Payload, payloads

PAYLOADS = payloads()
SERVICES = 24
ACTIVE = re.compile(r"<[a-zA-Z/!|]|!\[|https?:|javascript:|data:|www\.|\[INST\]|<<SYS")
CARRIERS = ("postmortem", "alert label", "commit message", "service description", "chat", "file name")


def service(number: int) -> str:
    return f"shop-{number % SERVICES:02d}"


def postmortem(number: int, payload: Payload) -> dict[str, object]:
    return {
        "id": f"INC-{number}", "title": payload.text, "services": [service(number)], "started_at": f"2026-0{1 + number % 9}-03T10:00:00Z",
        "cause_kind": payload.text, "summary": f"Errors. {payload.text}", "resolution": f"Restarted {payload.text} and it recovered.",
        "severity": payload.text, "alerts": [payload.text],
    }  # fmt: skip


def chat(number: int, payload: Payload) -> dict[str, object]:
    talk = (
        f"- 10:02 <mallory> {payload.text}\n- 10:04 <bob> Rolled back `{service(number)}`; errors ended. {payload.text}"
    )
    return {
        "id": f"CHAT-{number}", "title": f"Errors of {service(number)}", "services": [service(number)],
        "started_at": "2026-05-03T10:00:00Z", "timeline": talk, "resolution": talk,
    }  # fmt: skip


def commit(number: int, payload: Payload) -> dict[str, object]:
    return {
        "id": f"c-{number}", "at": f"2026-10-30T{number % 14:02d}:{number % 60:02d}:00Z", "kind": "code", "service": service(number),
        "title": payload.text, "text": payload.text, "actor": payload.text, "revision": payload.text, "environment": payload.text,
        "files": [f"src/{payload.text}.py"], "url": f"https://git.example/{payload.text}",
    }  # fmt: skip


def alert(number: int, payload: Payload) -> dict[str, Any]:
    labels = {"alertname": f"Errors{number}", "service": service(number), "pod": payload.text, "team": payload.text}
    if number % 3 == 0:
        labels["alertname"] = payload.text
    return {
        "status": "firing", "labels": labels, "annotations": {"summary": payload.text, "runbook_url": f"https://x.example/{payload.text}"},
        "startsAt": "2026-10-30T14:05:00Z", "generatorURL": "https://prom.example",
    }  # fmt: skip


def component(number: int, payload: Payload) -> dict[str, object]:
    # the signs that take a reference apart would make a plain name of its last word
    name = re.sub(r"[/:,;]", " ", payload.text)
    return {
        "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
        "metadata": {"name": service(number), "description": payload.text, "title": payload.text, "tags": [payload.text]},
        "spec": {"type": "service", "lifecycle": "production", "owner": name, "dependsOn": [f"component:{name}"]},
    }  # fmt: skip


def fill(store: Store) -> None:
    """
    Every payload in every carrier.
    """

    def lines(rows: Sequence[object]) -> bytes:
        return "\n".join(json.dumps(row) for row in rows).encode("utf-8", "replace")

    numbered = list(enumerate(PAYLOADS))
    for number, payload in numbered:
        body = json.dumps(postmortem(number, payload)).encode()
        admit(store, Source(name="reports", connector="postmortems"), body, {"path": f"{number}.json"})
        body = json.dumps(chat(number, payload)).encode()
        admit(store, Source(name="talk", connector="postmortems"), body, {"path": f"chat-{number}.json"})
        page = f"# Restart {service(number)}\n\n## Steps\n\n1. {payload.text}\n".encode("utf-8", "replace")
        name = payload.text.replace("/", "-")[:180]
        admit(store, Source(name="pages", connector="runbooks"), page, {"path": f"{name}.md"})
        report = f"# Errors of {service(number)}\n\n## Resolution\n\nRestarted it.\n".encode()
        admit(store, Source(name="files", connector="postmortems"), report, {"path": f"{name}.md"})
    admit(
        store,
        Source(name="commits", connector="changes"),
        lines([commit(*one) for one in numbered]),
        {"path": "c.jsonl"},
    )
    webhook = {"version": "4", "status": "firing", "receiver": "p", "alerts": [alert(*one) for one in numbered]}
    admit(store, Source(name="alerts", connector="alertmanager"), json.dumps(webhook).encode(), {"path": "a.json"})
    for number, payload in numbered:
        text = yaml.safe_dump(component(number, payload), allow_unicode=False).encode()
        admit(store, Source(name=f"catalog-{number}", connector="backstage"), text, {"path": "catalog-info.yaml"})
    drain(store)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    found = open_memory(Settings(data=tmp_path_factory.mktemp("hostile"), embedder="none"))
    fill(found.store)
    found.follow()
    yield found
    found.close()


@pytest.fixture
def asking(memory: Memory) -> Asking:
    return Asking(memory, LOCAL)


ALL_MARKS = re.compile(
    "|".join(sorted({re.escape(mark) for payload in PAYLOADS for mark in payload.marks}, key=len, reverse=True))
)


def outside(value: object) -> Iterator[str]:
    """
    Every text of an answer, keys included, that is not a source's quoted words.
    """
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            if key == "untrusted_text":
                assert set(one) <= {"text", "source", "author", "trust", "record"}
                yield from (str(one["source"]), str(one["trust"]), str(one["record"]))
                visible(one["text"])
                visible(one.get("author", ""))
            else:
                yield from outside(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from outside(one)
    elif isinstance(value, str):
        yield value


def visible(text: str) -> None:
    """
    Nothing that is not seen, nothing that acts by being shown.
    """
    hidden = [one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Co", "Cs", "Cn")]
    assert hidden == [], text
    assert not ACTIVE.search(text), text


def clean_of_payloads(*values: object) -> int:
    """
    The number of texts that were looked at.
    """
    texts = [text for value in values for text in outside(value)]
    found = [text for text in texts if ALL_MARKS.search(text)]
    assert found == []
    return len(texts)


def quoted_marks(value: object) -> set[str]:
    """
    The marks within quoted words.
    """
    return set(ALL_MARKS.findall(json.dumps(value, ensure_ascii=False)))


def paged(asking: Asking, name: str, arguments: Mapping[str, object]) -> Iterator[tuple[dict[str, Any], str]]:
    cursor: dict[str, object] = {}
    for _ in range(400):
        answer, text = call(asking, name, {**arguments, **cursor})
        yield answer, text
        if "next_cursor" not in answer:
            return
        cursor = {"cursor": answer["next_cursor"]}
    raise AssertionError("the pages do not end")


def test_there_are_enough_of_each_kind_in_every_carrier() -> None:
    assert len(PAYLOADS) >= 300
    assert min(Counter(payload.kind for payload in PAYLOADS).values()) >= 20
    assert len({mark for payload in PAYLOADS for mark in payload.marks[:1]}) == len(PAYLOADS)


def test_alert_context_quotes_them_and_keeps_its_budget(asking: Asking) -> None:
    seen: set[str] = set()
    for number, payload in list(enumerate(PAYLOADS))[::4]:
        raw = {"version": "4", "alerts": [alert(number, payload)]}
        for detail in ("normal", "full") if number % 16 == 0 else ("normal",):
            answer, text = call(asking, "alert_context", {"alert": raw, "detail": detail})
            assert clean_of_payloads(answer, text) > 20
            seen |= quoted_marks(answer)
    assert len(seen) > 30


def test_drill_downs_quote_every_commit_and_incident(asking: Asking) -> None:
    commits, incidents = set(), set()
    for answer, text in paged(asking, "changes", {"limit": 50}):
        clean_of_payloads(answer, text)
        commits |= quoted_marks(answer)
    for number in range(SERVICES):
        question = {"text": f"errors of {service(number)}", "service": service(number), "limit": 50}
        for answer, text in paged(asking, "similar_incidents", question):
            clean_of_payloads(answer, text)
            incidents |= quoted_marks(answer)
        clean_of_payloads(*call(asking, "owner", {"service": service(number)}))
        clean_of_payloads(*call(asking, "runbook", {"service": service(number), "text": "restart"}))
    telling = sum(payload.kind not in ("encoded", "hidden", "leak", "split") for payload in PAYLOADS)
    assert len(commits) >= telling
    assert len(incidents) > 30


def test_runbooks_are_read_to_their_end_without_a_word_outside(asking: Asking) -> None:
    for number, _ in list(enumerate(PAYLOADS))[::6]:
        answer, _ = call(asking, "runbook", {"text": f"Restart {service(number)}"})
        for page in answer["runbooks"][:2]:
            for part, text in paged(asking, "runbook", {"id": page["id"]}):
                clean_of_payloads(part, text)


def test_resources_and_their_list_quote_them(asking: Asking) -> None:
    for number, payload in list(enumerate(PAYLOADS))[::5]:
        for uri in (f"precedent://incident/INC-{number}", f"precedent://incident/CHAT-{number}"):
            found = json.loads(resources.read(asking, uri))
            clean_of_payloads(found)
            if payload.kind in ("direct", "multilingual"):
                assert payload.marks[0].lower() in json.dumps(found).lower()
    for number in range(SERVICES):
        clean_of_payloads(json.loads(resources.read(asking, f"precedent://entity/service:{service(number)}")))
        owner = call(asking, "owner", {"service": service(number)})[0]["owner"]
        if owner["team"]:
            clean_of_payloads(json.loads(resources.read(asking, f"precedent://entity/{owner['team']}")))
    cursor, listed = None, 0
    while True:
        rows, cursor = resources.listed(asking, cursor)
        listed += clean_of_payloads(rows)
        if cursor is None:
            break
    assert listed >= 2 * SERVICES


def test_errors_and_descriptions_hold_nothing_of_them(asking: Asking) -> None:
    for payload in PAYLOADS:
        questions: list[tuple[str, dict[str, object]]] = [
            ("owner", {"service": payload.text[:200]}), ("changes", {"cursor": payload.text[:300]}), ("changes", {"start": payload.text[:40]}),
            ("runbook", {"id": payload.text[:200]}), ("alert_context", {"alert": {"labels": payload.text}, "as_of": payload.text[:40]}),
            (payload.text, {}), ("owner", {payload.text: 1}), ("changes", {"limit": payload.text}),
        ]  # fmt: skip
        for name, arguments in questions:
            try:
                clean_of_payloads(*call(asking, name, arguments))
            except (Refusal, Problem, GraphError, IngestError, ValidationError) as error:
                clean_of_payloads(said(error))
        for uri in (payload.text, f"precedent://entity/{payload.text}", f"precedent://incident/{payload.text}"):
            # a file's name is an incident's id, so some of these are there
            try:
                clean_of_payloads(json.loads(resources.read(asking, uri[:300])))
            except Refusal as error:
                clean_of_payloads(said(error))
    told = json.dumps([(one.name, one.says, one.listed(), one.whole()) for one in TOOLS.values()])
    clean_of_payloads(told, INSTRUCTIONS)
    assert list(TOOLS) == ["alert_context", "owner", "changes", "similar_incidents", "runbook"]


def test_text_for_people_keeps_them_behind_quotes_and_bars(memory: Memory) -> None:
    shown = 0
    for number, payload in list(enumerate(PAYLOADS))[::5]:
        raw = json.dumps({"version": "4", "alerts": [alert(number, payload)]}).encode()
        lines = answer_text(answer_of(memory, raw, {}, LOCAL)).splitlines()
        for line in lines:
            visible(line)
            shown += len(ALL_MARKS.findall(line))
            ours = re.sub(r'"[^"]*"', "", line) if not line.lstrip().startswith("| ") else ""
            assert not ALL_MARKS.search(ours), line
            assert ours.count('"') == 0, line
    assert shown > 100


def test_names_that_are_sentences_get_a_handle() -> None:
    assert all(not is_name(payload.text) for payload in PAYLOADS)
    assert all(is_name(name) for name in ("checkout-prod", "ai-platform/recommendation-ranker-service", "2026.10.30-2"))
