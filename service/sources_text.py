"""
What the command says of sources: a table of all, or what was checked of one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graph.contract import Store
from graph.errors import NotFound
from service.settings import Settings
from service.sources import listing
from service.trial import attempt
from service.wiring import store_of

Table = Callable[..., str]
_COLUMNS = ("source", "connector", "state", "lag", "last_success", "per_hour", "applied", "pending", "quarantined")
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def listed(settings: Settings) -> dict[str, Any]:
    """
    All sources of the settings' store.
    """
    with closing(store_of(settings, read_only=True)) as store:
        return listing(store, settings.webhooks, datetime.now(UTC))


def tried(settings: Settings, name: str, path: Path | None, file: Path | None) -> dict[str, Any]:
    """
    One source, tried out. It need not have been read before, nor need there be a store.
    """
    store = _store(settings)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}"
    now = datetime.now(UTC)
    try:
        return attempt(name, store, settings.webhooks, now, path=path, file=file, address=address).part()
    finally:
        if store:
            store.close()


def _store(settings: Settings) -> Store | None:
    try:
        return store_of(settings, read_only=True)
    except NotFound:
        return None


def listing_text(found: dict[str, Any], table: Table) -> str:
    """
    The table, then why a source is not ok, then what is in quarantine.
    """
    rows = [
        {**one, "lag": _span(one["lag_seconds"]), "per_hour": one["records_per_hour"]} for one in found["sources"]
    ]  # fmt: skip
    said = [f"{one['source']} is {one['state']}: {one['says']}" for one in found["sources"] if one["says"]]
    held = [f"in quarantine: {one['source']} {one['part']}: {one['reason']}" for one in found["quarantine"]]
    return "\n".join([table(rows, *_COLUMNS), *said, *held])


def _span(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return next((f"{seconds // size} {unit}" for size, unit in _UNITS if seconds >= size), f"{seconds} s")


def trial_text(found: dict[str, Any], table: Table) -> str:
    """
    The checks, the verdict, and how to send a test.
    """
    checks = [{**one, "ok": "ok" if one["ok"] else "WRONG"} for one in found["checks"]]
    wrong = [str(one["check"]) for one in found["checks"] if not one["ok"]]
    verdict = f"{found['source']} is not right: {', '.join(wrong)}" if wrong else f"{found['source']} is right"
    send = ["", "to send a test:", found["send"]] if found["send"] else []
    return "\n".join([table(checks, "check", "ok", "says"), "", verdict, *send])
