"""
Files to statements: read, journal, transform, apply. Ended at any point, the next run goes on where this one was.

Records are durable before they are transformed, and applied in one transaction with their mark, so a run that is cut
off leaves pending records that the next run claims, and reads files again whose records are known as duplicates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from graph.contract import Store, Yield
from graph.values import Record, RecordState
from ingest.connectors import connector
from ingest.connectors.git import fetch
from ingest.contract import Source
from ingest.errors import BadRecord, BadSource
from ingest.journal import Admission, admit, held
from ingest.sources import files_of

Progress = Callable[[str, int, int], None]
"""(what, done, of how many)."""

MAX_SWEPT_SHARE = 0.2
MIN_SWEPT = 30
CLAIM = 256


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
        except BadSource as error:
            reports.append(SourceReport(source=source.name, problem=str(error)))
    return Report(tuple(reports))


def _ingest(store: Store, source: Source, progress: Progress, force: bool) -> SourceReport:
    found = connector(source.connector)
    payloads = _payloads(source)
    admissions: list[Admission] = []
    for number, (path, inside) in enumerate(payloads, 1):
        progress(f"reading {source.name}", number, len(payloads))
        admissions.append(admit(store, source, _bytes(source, path), {"path": inside}))
    report = SourceReport(
        source=source.name,
        files=len(payloads),
        read=sum(len(admission.records) for admission in admissions),
        new=sum(admission.new for admission in admissions),
        duplicates=sum(admission.duplicates for admission in admissions),
    )
    tally = drain(store, source=source.name, progress=progress)
    born = sum(admission.quarantined for admission in admissions)
    report = replace(
        report, applied=tally.applied, quarantined=tally.quarantined + born, stated=tally.stated, closed=tally.closed
    )
    return _sweep(store, source, held(admissions), report, force) if found.snapshot and payloads else report


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
        raise BadSource(f"{path} cannot be read: {error}") from error


def _sweep(store: Store, source: Source, parts: Collection[str], report: SourceReport, force: bool) -> SourceReport:
    """
    Close what the snapshot no longer holds; not where that is suspiciously much, unless forced.
    """
    known = {record.part for record in store.records(source=source.name, state=RecordState.APPLIED, limit=1_000_000)}
    gone = known - set(parts)
    if len(gone) > MIN_SWEPT and len(gone) > MAX_SWEPT_SHARE * len(known) and not force:
        problem = f"{len(gone)} of {len(known)} parts are gone; nothing was closed. If that is right, use --force"
        return replace(report, problem=problem)
    swept = store.sweep(source.name, parts, datetime.now(UTC))
    return replace(report, closed=report.closed + swept.closed)


def drain(store: Store, *, source: str | None = None, progress: Progress = _silent) -> _Tally:
    """
    Apply all that is pending (of one source), in the order of arrival.
    """
    tally = _Tally()
    waiting = sum(one.states.get(RecordState.PENDING, 0) for one in store.tally() if source in (None, one.source))
    while batch := store.claim(CLAIM, source=source):
        yields = [made for record in batch if (made := _transformed(store, record, tally))]
        applied = store.apply(yields)
        tally.applied += len(yields)
        tally.stated += applied.stated
        tally.closed += applied.closed
        progress(f"applying {source or 'records'}", tally.applied + tally.quarantined, waiting)
    return tally


def _transformed(store: Store, record: Record, tally: _Tally) -> Yield | None:
    """
    What a record states; a bad one goes to quarantine with its reason and stops nobody.
    """
    try:
        found = connector(record.connector)
        return Yield(record=record.id, items=tuple(found.transform(record)), trust=found.trust, snapshot=found.snapshot)
    except (BadRecord, BadSource) as error:
        reason = str(error)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        # a transform met what it did not expect: the record is kept, with what went wrong
        reason = f"the connector {record.connector} failed: {type(error).__name__}: {error}"
    store.quarantine(record.id, reason)
    tally.quarantined += 1
    return None


def retry(store: Store, source: str | None = None, progress: Progress = _silent) -> tuple[int, _Tally]:
    """
    Try quarantined records again: how many, and what became of them.
    """
    released = store.release(source=source)
    return released, drain(store, source=source, progress=progress)
