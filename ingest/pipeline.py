"""
Files to statements: read, journal, transform, apply. Ended at any point, the next run goes on where this one was.

Records are durable before they are transformed, and applied in one transaction with their mark, so a run that is cut
off leaves pending records that the next run claims, and reads files again whose records are known as duplicates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from graph.contract import Applied, Store, Yield
from graph.errors import GraphError, InvalidValue
from graph.values import Record, RecordState
from ingest.connectors import connector
from ingest.connectors.git import fetch
from ingest.contract import Source
from ingest.departures import departed, withdraw
from ingest.errors import UNEXPECTED, BadRecord, BadSource, IngestError, failure
from ingest.journal import admit
from ingest.rivals import MANY, Rivals, first_of, live_parts, settle
from ingest.sources import files_of, readable
from ingest.strangers import stranger
from ingest.sweeping import Reading, remember, remembered, sweep

Progress = Callable[[str, int, int], None]
"""(what, done, of how many)."""

CLAIM = 256
LEASE = timedelta(seconds=30)
"""After this, what a worker claimed and did not settle is handed to another; both may then apply it, once."""
TOLD = 3
"""Problems of single files that a report spells out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """
    What became of one source's records. `new == applied + quarantined + pending` of what this run read.
    """

    source: str
    files: int = 0
    read: int = 0
    new: int = 0
    duplicates: int = 0
    applied: int = 0
    quarantined: int = 0
    stated: int = 0
    closed: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """
    What became of a run, source by source.
    """

    sources: tuple[SourceReport, ...] = ()

    def total(self, field_name: str) -> int:
        """
        A count over all sources.
        """
        return sum(int(getattr(source, field_name)) for source in self.sources)

    @property
    def ok(self) -> bool:
        """
        Whether every source could be read.
        """
        return not any(source.problem for source in self.sources)


@dataclass(slots=True)
class _Tally:
    applied: int = 0
    quarantined: int = 0
    stated: int = 0
    closed: int = 0
    records: set[str] = field(default_factory=set)


def _silent(what: str, done: int, total: int) -> None:
    """
    No progress.
    """


def ingest(store: Store, sources: Sequence[Source], progress: Progress = _silent, *, force: bool = False) -> Report:
    """
    Read sources into the store. A source that cannot be read is told in its report and does not stop the others.
    """
    reports = []
    for source in sources:
        try:
            reports.append(_ingest(store, source, progress, force))
        except (IngestError, InvalidValue) as error:
            reports.append(SourceReport(source=source.name, problem=readable(str(error))))
        except UNEXPECTED as error:
            problem = readable(failure(f"reading {source.name}", error))
            reports.append(SourceReport(source=source.name, problem=problem))
    return Report(tuple(reports))


def _ingest(store: Store, source: Source, progress: Progress, force: bool) -> SourceReport:
    found = connector(source.connector)
    reading = _read(store, source, progress, note=found.snapshot)
    run = reading.records
    new = sum(admission.new for admission in reading.admissions)
    duplicates = sum(admission.duplicates for admission in reading.admissions)
    tally = _drained(store, source, run, again=bool(duplicates), progress=progress)
    report = SourceReport(
        source=source.name,
        files=len(reading.files),
        read=sum(len(admission.records) for admission in reading.admissions),
        new=new,
        duplicates=duplicates,
        applied=tally.applied,
        quarantined=tally.quarantined + sum(admission.quarantined for admission in reading.admissions),
        stated=tally.stated,
        closed=tally.closed,
        problem=_told(reading.problems),
    )
    if not found.snapshot:
        return report
    closed, guarded = sweep(store, source, reading, force=force)
    return replace(report, closed=report.closed + closed, problem=_told([guarded, *reading.problems]))


def _drained(store: Store, source: Source, run: frozenset[str], *, again: bool, progress: Progress) -> _Tally:
    """
    Apply what a reading brought, and then what was set aside for an entry that it does not hold any more.
    """
    found = connector(source.connector)
    if found.recognises:
        # of a webhook a later delivery replaces the earlier one, in files of them too
        return drain(store, source=source.name, progress=progress)
    live = live_parts(store, source.name) if found.snapshot and again else {}
    rivals = Rivals(store, run, live if found.snapshot else None, again=again)
    tally = drain(store, source=source.name, progress=progress, rivals=rivals)
    if settle(store, source.name, run):
        later = drain(store, source=source.name, progress=progress, rivals=rivals)
        tally.applied += later.applied
        tally.stated += later.stated
        tally.closed += later.closed
    return tally


def _told(problems: Sequence[str]) -> str:
    said = [problem for problem in problems if problem]
    more = [f"and {len(said) - TOLD} more"] if len(said) > TOLD else []
    return "; ".join([*said[:TOLD], *more])


def _read(store: Store, source: Source, progress: Progress, *, note: bool) -> Reading:
    """
    Take the files of a source in, one by one; what is wrong with one is told and stops no other.
    """
    reading = Reading()
    payloads = _payloads(source)
    if note:
        # before anything is durable, so that an end in between forgets no file
        names = {inside for _, inside in payloads if readable(inside) == inside}
        remember(store, source, remembered(store, source) | names)
    for number, (path, inside) in enumerate(payloads, 1):
        progress(f"reading {source.name}", number, len(payloads))
        if readable(inside) != inside:
            reading.problems.append(f"the name of {readable(inside)} is not UTF-8; rename the file")
            continue
        reading.files[inside] = None
        try:
            reading.files[inside] = admit(store, source, _bytes(source, path), {"path": inside})
        except (IngestError, InvalidValue) as error:
            reading.problems.append(readable(str(error)))
        except UNEXPECTED as error:
            reading.problems.append(readable(failure(f"reading {path}", error)))
    return reading


def _payloads(source: Source) -> list[tuple[Path, str]]:
    if source.connector == "git":
        return [(Path(source.path), source.options.get("repository", Path(source.path).name))]
    return files_of(source, connector(source.connector))


def _bytes(source: Source, path: Path) -> bytes:
    if source.connector == "git":
        return fetch(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSource(f"{path} cannot be read: {error.strerror or error}") from error


def drain(
    store: Store,
    *,
    source: str | None = None,
    progress: Progress = _silent,
    rivals: Rivals | None = None,
    batch: int = CLAIM,
) -> _Tally:
    """
    Apply all that is pending (of one source), in the order of arrival; what differs from its rival is set aside.
    """
    tally = _Tally()
    waiting = 0
    while claimed := store.claim(batch, source=source, lease=LEASE):
        waiting = waiting or _pending(store, source)
        yields = [made for record in claimed if (made := _transformed(store, record, tally, rivals))]
        applied = _applied(store, yields, tally)
        tally.stated += applied.stated
        tally.closed += applied.closed
        progress(f"applying {source or 'records'}", tally.applied + tally.quarantined, waiting)
    return tally


def _applied(store: Store, yields: Sequence[Yield], tally: _Tally) -> Applied:
    """
    What records yielded, stated. One whose items cannot be stored goes to quarantine, and the others are stated.
    """
    try:
        applied = store.apply(yields)
    except (InvalidValue, *UNEXPECTED) as error:
        if len(yields) > 1:
            halves = yields[: len(yields) // 2], yields[len(yields) // 2 :]
            one, other = (_applied(store, half, tally) for half in halves)
            return Applied(
                stated=one.stated + other.stated,
                unchanged=one.unchanged + other.unchanged,
                closed=one.closed + other.closed,
            )
        store.quarantine(yields[0].record, failure("storing what it states", error))
        tally.quarantined += 1
        return Applied()
    tally.applied += len(yields)
    return applied


def _pending(store: Store, source: str | None) -> int:
    return sum(one.states.get(RecordState.PENDING, 0) for one in store.tally() if source in (None, one.source))


def _transformed(store: Store, record: Record, tally: _Tally, rivals: Rivals | None) -> Yield | None:
    """
    What a record states; a bad one goes to quarantine with its reason and stops nobody.
    """
    try:
        found = connector(record.connector)
        if record.part == record.meta.get("path") and (reason := stranger(found.name, record.body, record.meta)):
            raise BadRecord(reason)
        items = () if departed(store, record) else tuple(found.transform(record))
        if not items:
            withdraw(store, record)
        reason = rivals.refuse(record, items) if rivals else ""
        if not reason:
            return Yield(record=record.id, items=items, trust=found.trust, snapshot=found.snapshot)
    except (BadRecord, BadSource) as error:
        reason = str(error)
    except InvalidValue as error:
        reason = failure("storing what it states", error)
    except GraphError:
        raise
    except Exception as error:  # noqa: BLE001 - a connector may be anybody's: the record is kept, with what went wrong
        reason = failure(f"the connector {record.connector}", error)
    store.quarantine(record.id, reason)
    tally.quarantined += 1
    return None


def retry(store: Store, source: str | None = None, progress: Progress = _silent) -> tuple[int, _Tally]:
    """
    Try quarantined records again: how many, and what became of them. One that differs from another entry waits until
    its source is read without that one.
    """
    kept = store.records(source=source, state=RecordState.QUARANTINED, limit=MANY)
    tried = [record.id for record in kept if not first_of(record.reason)]
    released = store.release(records=tried) if tried else 0
    return released, drain(store, source=source, progress=progress)
