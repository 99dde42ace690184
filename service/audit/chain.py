"""
Lines that each hold the hash of the one before. Pure. What is done to a line, or to their order, shows; with a head
that was put elsewhere also what was cut off, and a chain that was forged anew.

A line is canonical JSON: keys sorted, no blanks. Its `hash` is the SHA-256 of the line without `hash`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

BEGINNING = "0" * 64
"""What stands for the hash before the first line."""
_KEYS = frozenset({"act", "at", "before", "chain", "hash", "seq", "what", "who"})


@dataclass(frozen=True, slots=True)
class Link:
    """
    The end of a chain: its name, how many lines it has, and the hash of the last.
    """

    chain: str
    seq: int = 0
    hash: str = BEGINNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """
    What is recorded: who did what, when; `what` are short values, ids rather than words of a source.
    """

    who: str
    act: str
    at: datetime
    what: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    What is wrong with a chain, and at which line.
    """

    chain: str
    seq: int
    says: str


def linked(link: Link, act: Act) -> tuple[Link, bytes]:
    """
    The next line of a chain, and its new end.
    """
    body = {
        "act": act.act,
        "at": act.at.isoformat(),
        "before": link.hash,
        "chain": link.chain,
        "seq": link.seq + 1,
        "what": act.what,
        "who": act.who,
    }
    found = _digest(body)
    line = orjson.dumps({**body, "hash": found}, option=orjson.OPT_SORT_KEYS)
    return Link(link.chain, link.seq + 1, found), line


def _digest(body: Mapping[str, object]) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def followed(chain: str, lines: Iterable[bytes], heads: Mapping[str, Link]) -> tuple[Link, Fault | None]:
    """
    How far a chain is whole, and the first fault. `heads` are ends that were put elsewhere, by chain.
    """
    head = heads.get(chain)
    link = Link(chain)
    for line in lines:
        following = _next(link, line)
        if isinstance(following, str):
            return link, Fault(chain=chain, seq=link.seq + 1, says=following)
        link = following
        if head is not None and link.seq == head.seq and link.hash != head.hash:
            return link, Fault(chain=chain, seq=link.seq, says="this is not the line that the exported head names")
    if head is not None and link.seq < head.seq:
        says = f"the exported head has {head.seq} lines, here are {link.seq}: the end was cut off"
        return link, Fault(chain=chain, seq=link.seq, says=says)
    return link, None


def _next(link: Link, line: bytes) -> Link | str:
    """
    The end after this line, or what is wrong with it.
    """
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        return "the line is no JSON"
    if not isinstance(body, dict) or body.keys() != _KEYS:
        return "the line has not the keys of an entry"
    if orjson.dumps(body, option=orjson.OPT_SORT_KEYS) != line:
        return "the line is not as it was written"
    if body["chain"] != link.chain or body["seq"] != link.seq + 1:
        return "a line is missing, repeated or moved"
    if body["before"] != link.hash:
        return "the line does not follow the one before"
    found = body.pop("hash")
    if not isinstance(found, str) or _digest(body) != found:
        return "the line was altered"
    return Link(link.chain, link.seq + 1, found)


def head_of(links: Iterable[Link]) -> dict[str, object]:
    """
    The ends of all chains as one value to put elsewhere: `{head, chains: {name: {seq, hash}}}`.
    """
    chains = {one.chain: {"seq": one.seq, "hash": one.hash} for one in sorted(links, key=lambda one: one.chain)}
    return {"head": _digest(chains), "chains": chains}


def links_of(head: Mapping[str, object]) -> dict[str, Link]:
    """
    The ends in an exported head, by chain. ValueError where it is none, or was altered.
    """
    chains = head.get("chains")
    if not isinstance(chains, dict) or _digest(chains) != head.get("head"):
        raise ValueError("this is no head of an audit, or it was altered")
    return {str(name): Link(str(name), int(one["seq"]), str(one["hash"])) for name, one in chains.items()}
