"""
Trying a source out, without storing anything: is it configured, is it there, and what would be made of its newest.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from graph.contract import Store
from graph.values import Record, RecordState
from ingest.connectors import connector
from ingest.contract import Source
from ingest.errors import BadSource
from ingest.sources import CONFIG_NAME, files_of, read_sources, readable
from service.dry import Dry, read_dry, state_dry
from service.parts import stamp
from service.recipes import recipe
from service.sources import Known, known, row
from service.webhooks import Webhook

NEWEST = 5
"""Files that are tried."""
RECORDS = 200
FEED = 2000
"""Lines at the end of the feed among which a source's newest records are looked for."""


@dataclass(slots=True)
class Trial:
    """
    What was checked of one source, in order.
    """

    source: str
    checks: list[dict[str, object]] = field(default_factory=list)
    dry: Dry | None = None
    send: str = ""
    """How to send a test."""
    row: dict[str, object] | None = None

    def check(self, name: str, ok: bool, says: str) -> bool:
        """
        Note one check.
        """
        self.checks.append({"check": name, "ok": ok, "says": readable(says)})
        return ok

    def part(self) -> dict[str, object]:
        """
        For a reader.
        """
        return {
            "source": self.source,
            "ok": all(bool(one["ok"]) for one in self.checks),
            "checks": self.checks,
            "dry_run": self.dry.part() if self.dry else None,
            "send": self.send,
            "row": self.row,
        }


def attempt(
    name: str,
    store: Store | None,
    webhooks: Sequence[Webhook],
    now: datetime,
    *,
    path: Path | None = None,
    file: Path | None = None,
    address: str = "",
) -> Trial:
    """
    Try a source: a configured webhook, one of the files at `path` (else where it was last read), or one that was seen.
    `file` is tried in place of its newest. Raises BadSource where nobody knows it.
    """
    everything = known(store, webhooks, now) if store else {}
    trial, seen = Trial(source=name), everything.get(name)
    hook = next((one for one in webhooks if one.source.name == name), None)
    if seen:
        trial.row = row(seen, now)
    if hook:
        _webhook(trial, hook, seen, address)
        _tried(trial, hook.source, file, store, now)
    elif path or (seen and seen.read):
        source = _of_files(trial, name, path, seen)
        if source:
            _files(trial, source, file, now)
    elif seen:
        trial.check("configuration", True, "no settings name it: it came over HTTP, or from files (then say --path)")
        trial.send = recipe(address, name, seen.connector, None)
        _tried(trial, Source(name=name, connector=seen.connector), file, store, now)
    else:
        names = sorted({*everything, *(one.source.name for one in webhooks)})
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(names) or 'none'}"
        raise BadSource(f"there is no source `{name}`; {hint} (--path PATH for one that was never read)")
    return trial


def _webhook(trial: Trial, hook: Webhook, seen: Known | None, address: str) -> None:
    places = ", ".join(f"{one.place} ({'set' if one.live else 'not set'})" for one in hook.secrets)
    trial.check("configuration", True, f"a webhook, read by {hook.source.connector}")
    trial.check("secret", not hook.off, hook.off or f"{places}; checked by {type(hook.signing).__name__}")
    accepted = seen.last_success if seen else None
    refused, reason = (seen.seen.refused_at, seen.seen.reason) if seen else (None, "")
    if refused and (accepted is None or refused > accepted):
        trial.check("delivery", False, f"refused at {stamp(refused)}: {reason}")
    else:
        trial.check("delivery", True, f"last at {stamp(accepted)}" if accepted else "nothing came yet; send a test")
    trial.send = recipe(address, hook.source.name, hook.source.connector, hook)


def _of_files(trial: Trial, name: str, path: Path | None, seen: Known | None) -> Source | None:
    """
    The source of files by that name; None where that was told.
    """
    read = seen.read if seen else None
    place = path or Path(read.config if read else "")
    if path is None and read and read.named:
        trial.check("configuration", True, f"read with --connector {read.connector}")
        return Source(name=name, connector=read.connector, path=str(place))
    try:
        sources = read_sources(place, [name])
    except BadSource as error:
        trial.check("configuration", False, str(error))
        return None
    config = place / CONFIG_NAME if place.is_dir() and (place / CONFIG_NAME).is_file() else place
    found = next((one for one in sources if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in sources)
        trial.check("configuration", False, f"{config} has no source `{name}`; there are: {names}")
        return None
    trial.check("configuration", True, f"{config} can be read")
    return found


def _files(trial: Trial, source: Source, file: Path | None, now: datetime) -> None:
    try:
        reader = connector(source.connector)
    except BadSource as error:
        trial.check("connector", False, str(error))
        return
    trial.check("connector", True, f"{reader.name}: {reader.summary}")
    root = Path(source.path)
    if not trial.check("path", root.exists(), f"{root} is {'there' if root.exists() else 'not there'}"):
        return
    if reader.name == "git":
        found = [(root, source.options.get("repository", root.name))]
    else:
        found = files_of(source, reader)
        if not trial.check("files", bool(found), f"{len(found)} files match"):
            return
    newest = sorted(found, key=lambda one: _changed(one[0]), reverse=True)[:NEWEST]
    _would(trial, read_dry(source, reader, [(file, file.name)] if file else newest, now))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _tried(trial: Trial, source: Source, file: Path | None, store: Store | None, now: datetime) -> None:
    """
    A file, or the newest records that came.
    """
    try:
        reader = connector(source.connector)
    except BadSource as error:
        trial.check("connector", False, str(error))
        return
    trial.check("connector", True, f"{reader.name}: {reader.summary}")
    if file:
        _would(trial, read_dry(source, reader, [(file, f"{source.connector}.json")], now))
    elif records := _newest(store, source.name) if store else ():
        _would(trial, state_dry(reader, records))


def _would(trial: Trial, dry: Dry) -> None:
    trial.dry = dry
    trial.check("dry run", dry.records > dry.bad == 0, dry.says)


def _newest(store: Store, source: str) -> Sequence[Record]:
    """
    Records of a source among the last that stated something, and what waits in quarantine; else any.
    """
    lines = store.changes_since(max(0, store.watermark() - FEED), FEED)
    stated = [line.statement.record for line in lines if line.statement and line.statement.source == source]
    newest = list(dict.fromkeys(reversed(stated)))[:RECORDS]
    held = store.records(source=source, state=RecordState.QUARANTINED, limit=RECORDS)
    found = store.records(newest, limit=RECORDS) if newest else store.records(source=source, limit=RECORDS)
    return tuple({one.id: one for one in (*found, *held)}.values())
