"""
How `precedent ingest` hands its work to the process that holds the writer's lock: by files in the data directory.

A request is a file in `inbox/`, put there whole; the holder answers beside it and removes the request. Whoever may
write to the data directory may ask; no network and no token is involved. A request outlives a crash of the holder, and
doing it twice is doing it once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from uuid import uuid4

import orjson

from graph.contract import Store
from graph.errors import GraphError, StoreLocked
from ingest.contract import Source
from ingest.errors import BadSource, IngestError
from ingest.journal import redactor_of
from ingest.pipeline import ingest, retry
from ingest.renewal import renew
from ingest.sources import read_sources, source_name
from ingest.sweeping import with_files
from service import arrivals, feedback, readings
from service.identities import decide

Work = Mapping[str, object]
Progress = Callable[[str, int, int], None]
Deed = Callable[[Work], dict[str, object]]
NO_DEEDS: Mapping[str, Deed] = {}
WAIT = 0.2


def do(store: Store, work: Work, progress: Progress) -> dict[str, object]:
    """
    Ingest what the work names (`path`, or `retry`), decide what it asks (`identity`), or take its verdict (`feedback`),
    and tell what came of it.
    """
    verdict = work.get("feedback")
    if isinstance(verdict, dict):
        return feedback.do(store, verdict)
    decision = work.get("identity")
    if isinstance(decision, dict):
        return decide(store, decision, str(decision.get("by") or ""))
    source = str(work["source"]) if work.get("source") else None
    if work.get("retry"):
        known = sorted({one.source for one in store.tally()})
        if source and source not in known:
            raise BadSource(f"there is no source `{source}`; there are: {', '.join(known) or 'none'}")
        given = work.get("options")
        renewed = renew(store, given, source) if isinstance(given, dict) else 0
        released, tally = retry(store, source, progress)
        return {"released": released + renewed, "applied": tally.applied, "quarantined": tally.quarantined}
    path = Path(str(work["path"]))
    kind = str(work.get("connector") or "")
    if kind:
        sources: tuple[Source, ...] = (Source(name=source or source_name(kind, path), connector=kind, path=str(path)),)
    else:
        sources = tuple(read_sources(path, with_files(store)))
    # records carry their source's name; a secret in it is out of it before they are looked for by that name
    redactor = redactor_of(store)
    sources = tuple(replace(one, name=redactor.redact(one.name).text) for one in sources)
    arrivals.note(store)
    report = ingest(store, sources, progress, force=bool(work.get("force")))
    readings.note(store, Path(redactor.redact(str(path)).text), sources, report, named=bool(kind))
    return {"sources": [asdict(one) for one in report.sources], "ok": report.ok}


def ask(data: Path, work: Work, alone: Callable[[], dict[str, object]]) -> dict[str, object]:
    """
    Have the holder of the lock do the work, and wait for it; `alone` does it here, where nobody holds it any more.
    """
    inbox = data / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    request = inbox / f"{time.time_ns()}-{uuid4().hex[:8]}.json"
    answer = request.with_suffix(".answer")
    _put(request, orjson.dumps(dict(work)))
    while True:
        if answer.is_file():
            found: dict[str, object] = orjson.loads(answer.read_bytes())
            answer.unlink()
            return found
        try:
            done = alone()
        except StoreLocked:
            time.sleep(WAIT)
            continue
        request.unlink(missing_ok=True)
        answer.unlink(missing_ok=True)
        return done


def serve(data: Path, store: Store, progress: Progress, deeds: Mapping[str, Deed] = NO_DEEDS) -> int:
    """
    Do what was asked so far, the oldest first; how many requests. `deeds` do what needs more than the store, by the
    request's key.
    """
    requests = sorted((data / "inbox").glob("*.json"))
    for request in requests:
        try:
            work = orjson.loads(request.read_bytes())
            deed = next((deeds[name] for name in deeds if isinstance(work.get(name), dict)), None)
            found = deed(work) if deed else do(store, work, progress)
        except (GraphError, IngestError, OSError, ValueError) as error:
            found = {"error": str(error)}
        _put(request.with_suffix(".answer"), orjson.dumps(found))
        request.unlink(missing_ok=True)
    return len(requests)


def _put(path: Path, body: bytes) -> None:
    aside = path.with_suffix(".new")
    aside.write_bytes(body)
    os.replace(aside, path)
