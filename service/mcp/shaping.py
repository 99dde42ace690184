"""
An assembled answer as an agent gets it: facts in typed fields, a source's words in `untrusted_text` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from ingest.connectors import NAMES, connector
from service.fence import Untrusted, handle, is_handle, is_id, is_name, safe, safe_id, untrusted

Row: TypeAlias = dict[str, Any]
Told: TypeAlias = Mapping[str, Any]
"""A part of an answer, of `service.parts` or `service.context`."""
_CODE = re.compile(r"[a-z][a-z_]{0,30}")
_PARTS = r"(?:owner|changes|precedents|runbooks|history|blast[_ ]radius|what the cited records say)"
_GAPS = [
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        (r"no source names an owner of .*", "no source names an owner"),
        (r"nobody is known to be on call for .*", "nobody is known to be on call"),
        (r"nobody is on call for .*", "a schedule is empty now"),
        (r".* is (?:marked inactive|no longer stated) by .*", "somebody who is named there has left"),
        (r"an alert of the payload is left out: .*", "an alert of the payload is left out"),
        (r"the alert's `[A-Za-z_]+` is not set .*", "the alert's time is not set; it is taken as now"),
        (rf"({_PARTS}) was not ready within (\d+) ms", r"\1 was not ready within \2 ms"),
        (rf"({_PARTS}) failed: .*", r"\1 failed"),
        (rf"without ({_PARTS}(?:, {_PARTS})*): .*", r"without \1: the store cannot be reached"),
        (r"this answer is not kept for replay.*", "this answer is not kept for replay"),
        (r"no search by meaning: .*", "no search by meaning"),
        (r"(owners, names and indexes are as of [-0-9: ]{19} UTC), .*", r"\1"),
        (r"nothing has been read from the store since the start.*", "nothing was read from the store since the start"),
        (r"the indexes lag behind.*", "the indexes lag behind"),
    )
]
"""Gaps that name things or quote errors, and what is said of them here."""
_OWN_GAPS = (
    "the alert's time lies in the future; it is taken as now",
    "cannot tell which service this is about; a label `service` would settle it",
    "changes of all services were weighed, since it is not clear which one this is about",
    "no past incident is clearly the same kind of problem",
    "no runbook is clearly for this alert",
    "what the cited records say was not read, for want of time",
    "search by meaning is catching up",
    "no logs, traces or metrics were given with the alert",
)
OTHER_GAP = "something else could not be seen; the kept answer says what"


def gap(text: str) -> str:
    """
    What we could not see, in words of ours alone.
    """
    if text in _OWN_GAPS:
        return text
    for pattern, said in _GAPS:
        found = pattern.fullmatch(text)
        if found:
            return found.expand(said)
    return OTHER_GAP


@cache
def trust_of(name: str) -> str:
    """
    How far a connector's statements are believed.
    """
    return connector(name).trust.name.lower() if name in NAMES else "untrusted"


class Shaper:
    """
    Shapes the parts of one answer. `evidence` are the records that may be cited, `limit` is the length of a text;
    `terse` leaves out what one can ask for; `known` says whether there is something of a name.
    """

    def __init__(
        self, evidence: Mapping[str, Told], limit: int, known: Callable[[str], bool], *, terse: bool = False
    ) -> None:
        self._evidence = evidence
        self._known = known
        self._limit = limit
        self._terse = terse
        self._named: dict[str, Row] = {}

    def name(self, name: str, records: Sequence[str] = ()) -> str:
        """
        A name as it is, or its handle, which `names` explains.
        """
        return self._explained(name, safe(name), records)

    def identity(self, text: str, records: Sequence[str] = ()) -> str:
        """
        An id as it is, or its handle.
        """
        return self._explained(text, safe_id(text), records)

    def _explained(self, name: str, shown: str, records: Sequence[str]) -> str:
        if is_handle(shown) and shown not in self._named:
            self._named[shown] = {"id": shown, "untrusted_text": self.quote(name, records, limit=120)}
        return shown

    def entity(self, entity: str, records: Sequence[str] = ()) -> str:
        """
        An entity's id, of which the name alone may need a handle.
        """
        kind, _, name = entity.partition(":")
        return f"{kind}:{self.name(name, records)}" if name else self.name(entity, records)

    def entities(self, found: Iterable[str], most: int = 5) -> list[str]:
        """
        Ids of several.
        """
        return [self.entity(one) for one in list(found)[:most]]

    @property
    def names(self) -> list[Row]:
        """
        The names that handles stand for.
        """
        return list(self._named.values())

    def quote(
        self, text: str, records: Sequence[str], *, author: str | None = None, limit: int | None = None
    ) -> Untrusted:
        """
        A source's words, with the record that holds them.
        """
        record = records[0] if records else None
        known = self._evidence.get(record, {}) if record else {}
        return untrusted(
            text,
            source=str(known.get("source") or "unknown"),
            trust=trust_of(str(known.get("connector"))),
            record=record,
            author=author,
            limit=limit or self._limit,
        )

    def services(self, part: Told) -> Row:
        """
        Which services an alert may be about.
        """
        return {
            "candidates": self.likely(part["candidates"]),
            "none_probability": _figure(part["none_probability"]),
            "cannot_tell": part["abstained"],
        }

    def likely(self, candidates: Sequence[Told], most: int = 3) -> list[Row]:
        """
        Services with their probabilities.
        """
        return [
            {"id": self.entity(one["id"], one.get("evidence", ())), "probability": _figure(one["probability"])}
            for one in candidates[:most]
        ]

    def owner(self, part: Told) -> Row:
        """
        Who owns a service and who answers now.
        """

        def ids(rows: Sequence[Told]) -> list[str]:
            return [self.entity(one["id"], one["evidence"]) for one in rows[:4]]

        rows = (*part["answers_now"][:1], *part["escalation"][:1])
        cited = [one for row in (rows[:1] if self._terse else rows) for one in row["evidence"]]
        return _told({
            "team": self.entity(part["team"], part["evidence"]) if part["team"] else None,
            "answers_now": ids(part["answers_now"]),
            "escalates_to": ids(part["escalation"]),
            "conflicts": [self.entity(one["team"]) for one in part["conflicts"][:4]],
            "evidence": list(dict.fromkeys([*part["evidence"][:1], *cited])),
        }, trust=part["trust"])  # fmt: skip

    def change(self, part: Told) -> Row:
        """
        A change, ranked or not.
        """
        codes = {
            "probability": _figure(part["probability"]) if "probability" in part else None,
            "why": self.why(part["terms"]) if "terms" in part else None,
        }
        told = {name: self._plain(part.get(name)) for name in ("environment", "revision", "previous", "reverts")}
        if self._terse:
            del told["previous"]
        return _told(
            {"id": self.identity(part["id"], part["evidence"]), "kind": part["kind"], "at": part["at"],
             "services": self.entities((f"service:{name}" for name in part["services"]), 3)},
            **codes, **told,
            untrusted_text=self.quote(part["title"] or "", part["evidence"], author=part["actor"]),
        )  # fmt: skip

    def precedent(self, part: Told) -> Row:
        """
        A past incident: what was tried in typed fields, the words that say so fenced.
        """
        fixes = [one for one in (part["fix"], *part["also"], *part["did_not_help"]) if one]
        words = [part["title"], *(fix["quote"] for fix in fixes[:2])]
        return _told(
            {"id": self.identity(part["id"], part["evidence"]), "at": part["at"],
             "services": self.entities((f"service:{name}" for name in part["services"]), 3),
             "tried": [self.fix(one) for one in fixes]},
            probability=_figure(part["probability"]), why=self.why(part["terms"]), minutes=part["minutes"],
            cause=_code(part["cause"]), open_actions=part["open_actions"] or None,
            untrusted_text=self.quote("\n".join(words), part["evidence"]),
        )  # fmt: skip

    def fix(self, part: Told) -> Row:
        """
        What was done, and whether it helped.
        """
        return _told(
            {"action": part["action"]}, target=self.target(part), worked=part["worked"], held=part["held"]
        )  # fmt: skip

    def support(self, part: Told) -> Row:
        """
        How well a fix is supported.
        """
        target = self.target(part)
        counts = {name: part[name] for name in ("worked", "failed", "sources")} | {"held": part["held"] or None}
        return _told({"action": part["action"]}, target=target, **counts)

    def target(self, part: Told) -> str | None:
        """
        What a fix was done to, where that is something we know by that name: the word comes from prose.
        """
        name = str(part["target"] or "")
        return name if is_name(name) and self._known(name) else None

    def page(self, part: Told) -> Row:
        """
        A runbook with the section to begin at.
        """
        section = part["section"]
        words = [part["title"], *([section["heading"], section["quote"]] if section else [])]
        return _told(
            {"id": page_id(part["id"])},
            probability=_figure(part["probability"]), why=[one for one in part["reasons"] if _code(one)][: self._most],
            approved=part["approved"], untrusted_text=self.quote("\n".join(words), part["evidence"]),
        )  # fmt: skip

    @property
    def _most(self) -> int:
        return 2 if self._terse else 4

    def why(self, terms: Sequence[Told]) -> list[str]:
        """
        The names of the terms that weigh most for it.
        """
        return [name for one in terms if one["weight"] > 0.1 and (name := _code(one["name"]))][: self._most]

    @staticmethod
    def _plain(text: object) -> str | None:
        return str(text) if text and is_id(str(text)) else None


def page_id(identity: str) -> str:
    """
    What names a page: its own id is a path or an address, which anybody may have worded.
    """
    return handle(identity)


def _code(text: object) -> str | None:
    return str(text) if text and _CODE.fullmatch(str(text)) else None


def _figure(value: float) -> float:
    return round(value, 2)


def _told(row: Row, **more: object) -> Row:
    """
    A row with what is known besides.
    """
    return row | {name: value for name, value in more.items() if value is not None}
