"""
A dry run: what a connector makes of files or records, as an ingest would, without storing any of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from graph.contract import kind_of
from graph.values import Record
from ingest.connectors.git import fetch
from ingest.contract import Connector, Source
from ingest.errors import BadRecord, IngestError, failure
from ingest.sources import readable

PIECES = 2000
"""Of all files together."""
LARGEST = 64 << 20
TOLD = 3
"""Reasons that are spelled out."""


@dataclass(slots=True)
class Dry:
    """
    What would come of what was tried.
    """

    tried: list[str] = field(default_factory=list)
    records: int = 0
    items: Counter[str] = field(default_factory=Counter)
    bad: int = 0
    reasons: list[str] = field(default_factory=list)

    def refuse(self, reason: str) -> None:
        """
        Something would go to quarantine.
        """
        self.bad += 1
        if len(self.reasons) < TOLD and reason not in self.reasons:
            self.reasons.append(reason)

    @property
    def says(self) -> str:
        """
        In one line.
        """
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.items.items())) or "nothing"
        bad = f"; {self.bad} would go to quarantine: {'; '.join(self.reasons)}" if self.bad else ""
        return f"{self.records} records state {kinds}{bad}"

    def part(self) -> dict[str, object]:
        """
        For a reader.
        """
        return {
            "tried": self.tried,
            "records": self.records,
            "items": dict(self.items),
            "bad": self.bad,
            "reasons": self.reasons,
        }


def read_dry(source: Source, reader: Connector, files: Sequence[tuple[Path, str]], now: datetime) -> Dry:
    """
    Split and transform files, (place, path within the source).
    """
    dry = Dry(tried=[readable(inside) for _, inside in files])
    records = (record for path, inside in files for record in _records(dry, source, reader, path, inside, now))
    _state_all(dry, reader, islice(records, PIECES))
    return dry


def state_dry(reader: Connector, records: Sequence[Record]) -> Dry:
    """
    Transform records that came.
    """
    dry = Dry(tried=[f"{len(records)} records that came"])
    _state_all(dry, reader, records)
    return dry


def _state_all(dry: Dry, reader: Connector, records: Iterable[Record]) -> None:
    for record in records:
        _state(dry, reader, record)


def _records(
    dry: Dry, source: Source, reader: Connector, path: Path, inside: str, now: datetime
) -> Iterator[Record]:  # fmt: skip
    meta = {**source.options, "path": inside}
    try:
        for piece in reader.split(_bytes(reader, path), meta):
            if piece.problem:
                dry.records += 1
                dry.refuse(piece.problem)
                continue
            yield Record(
                id="trial",
                source=source.name,
                connector=reader.name,
                part=piece.part,
                body=piece.body,
                digest="",
                received_at=now,
                published_at=piece.published_at,
                meta={**meta, **piece.meta},
            )
    except (IngestError, OSError) as error:
        dry.records += 1
        dry.refuse(f"{readable(inside)}: {error}")


def _bytes(reader: Connector, path: Path) -> bytes:
    if reader.name == "git":
        return fetch(path)
    if path.stat().st_size > LARGEST:
        raise BadRecord(f"it is larger than {LARGEST >> 20} MiB, and was not tried")
    return path.read_bytes()


def _state(dry: Dry, reader: Connector, record: Record) -> None:
    dry.records += 1
    try:
        dry.items.update(kind_of(item).value for item in tuple(reader.transform(record)))
    except IngestError as error:
        dry.refuse(str(error))
    except Exception as error:  # noqa: BLE001 - as when it is ingested: told, and the others are tried
        dry.refuse(failure(f"the connector {reader.name}", error))
