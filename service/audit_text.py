"""
What the command does about the audit: verify it, list it, print its head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from graph.errors import NotFound
from ingest.errors import BadRecord
from ingest.parsing import load_json, mapping_of
from service.audit.chain import Link, links_of
from service.fence import label
from service.settings import Settings
from service.wiring import audit_of, require_store_of

Table = Callable[..., str]
VERBS = ("verify", "list", "head")


def verified(settings: Settings, head: Path | None) -> dict[str, Any]:
    """
    Whether every chain is whole, and holds all that an exported head names.
    """
    heads = _heads(head) if head else {}
    with _audit(settings) as audit:
        links, faults = audit.verified(heads)
    return {
        "ok": not faults,
        "chains": [{"chain": one.chain, "entries": one.seq, "hash": one.hash} for one in links],
        "faults": [{"chain": one.chain, "line": one.seq, "says": one.says} for one in faults],
        "against": str(head) if head else None,
    }


def _audit(settings: Settings) -> Any:
    require_store_of(settings)
    return closing(audit_of(settings))


def _heads(path: Path) -> dict[str, Link]:
    if not path.is_file():
        raise NotFound(str(path), "There is no such head")
    try:
        return links_of(mapping_of(load_json(path.read_bytes(), str(path)), str(path)))
    except (ValueError, KeyError, TypeError) as error:
        raise BadRecord(f"{path}: this is no head of an audit, or it was altered") from error


def verified_text(found: Mapping[str, Any], table: Table) -> str:
    """
    The chains, then what is wrong.
    """
    if found["faults"]:
        return table(found["faults"], "chain", "line", "says")
    against = f", all that {found['against']} names is there" if found["against"] else ""
    entries = sum(one["entries"] for one in found["chains"])
    return f"{entries} entries in {len(found['chains'])} chains are whole{against}"


def listed(settings: Settings, limit: int, who: str, act: str) -> dict[str, Any]:
    """
    The newest entries.
    """
    with _audit(settings) as audit:
        return {"entries": audit.entries(limit, who, act)}


def listed_text(found: Mapping[str, Any], table: Table) -> str:
    """
    An entry a line.
    """
    rows = [
        {**one, "who": label(str(one["who"])), "what": label(orjson.dumps(one["what"]).decode())}
        for one in found["entries"]
    ]
    return table(rows, "at", "who", "act", "what")


def head(settings: Settings) -> dict[str, Any]:
    """
    The ends of all chains.
    """
    with _audit(settings) as audit:
        found: dict[str, Any] = audit.head()
    return found
