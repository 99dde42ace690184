"""
`alert_context`: the whole answer for an alert, within a budget of tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import orjson

from service.api.app import answer_of
from service.fence import clean, safe_id
from service.mcp import short
from service.mcp.asking import TEXTS, Asking, used_names
from service.mcp.budget import BUDGETS, size, tokens
from service.mcp.refusals import PAYLOAD, Refusal
from service.mcp.shapes import AskContext
from service.mcp.shaping import Row, Shaper, gap

SHOWN = {"brief": (1, 1, 1), "normal": (3, 3, 1), "full": (5, 5, 3)}
"""Suspects, precedents and runbooks at most, by detail."""
WORTH = 0.05
"""A suspect or precedent below this is shown in full detail alone."""
SHORTER = (200, 150, 110, 80, 40)
"""Characters to which texts are cut, one length after the other, where an answer is too long."""
Cut = tuple[str, Callable[[], object]]
"""What is cut, and how."""


def context(asking: Asking, ask: AskContext) -> Row:
    """
    The whole answer for an alert, within the budget of its detail.
    """
    raw = _raw(ask.alert)
    if len(raw) > asking.memory.settings.max_body:
        raise Refusal("`alert` is larger than this server takes")
    told: Mapping[str, Any] = answer_of(asking.memory, raw, {}, asking.who, ask.as_of, ask.as_of)
    shaper = Shaper(
        told["evidence"], TEXTS[ask.detail], asking.known(asking.view(ask.as_of)), terse=ask.detail != "full"
    )
    answer = _shaped(told, shaper, ask.detail)
    if ask.as_of:
        answer["as_of"] = told["as_of"]
    return fitted(answer, BUDGETS[ask.detail], shaper)


def _raw(alert: str | dict[str, object]) -> bytes:
    if isinstance(alert, str):
        return alert.encode("utf-8", "replace")
    try:
        return orjson.dumps(alert)
    except orjson.JSONEncodeError as error:
        # too deep, too large a number, half a character
        raise Refusal(PAYLOAD) from error


def _shaped(told: Mapping[str, Any], shaper: Shaper, detail: str) -> Row:
    suspects, precedents, pages = SHOWN[detail]
    least = 0.0 if detail == "full" else WORTH
    changes, owner, history, reach = (told[name] for name in ("changes", "owner", "history", "blast_radius"))
    alert = told["alert"]
    answer = {
        "answer_id": told["answer_id"],
        "alert": {"name": shaper.name(alert["name"]), "at": alert["at"], "status": _status(alert["status"])},
        "service": shaper.services(told["service"]),
        "owner": shaper.owner(owner) if owner else None,
        "changes": {
            "suspects": [shaper.change(one) for one in _likely(changes["suspects"], least)[:suspects]],
            "none_probability": round(changes["none_probability"], 2),
            "hypotheses": [safe_id(one["cause"]) for one in changes["hypotheses"]],
        } if changes else None,
        "precedents": [shaper.precedent(one) for one in _likely(told["precedents"], least)[:precedents]],
        "fixes": [shaper.support(one) for one in told["fixes"]],
        "runbooks": [shaper.page(one) for one in told["runbooks"][:pages]],
        "mode": safe_id(str(told["policy"]["mode"])),
        "gaps": list(dict.fromkeys(gap(one) for one in told["gaps"])),
    }  # fmt: skip
    more = {
        "history": {name: history[name] for name in ("fired_30d", "mattered_30d")} if history else None,
        "blast_radius": _reach(reach, shaper, detail) if reach else None,
    }
    return answer | {name: part for name, part in more.items() if part}


def _likely(rows: list[Row], least: float) -> list[Row]:
    return [one for one in rows if one["probability"] >= least]


def _status(status: str) -> str:
    return status if status in ("firing", "resolved") else "firing"


def _reach(part: Mapping[str, Any], shaper: Shaper, detail: str) -> Row:
    counts = dict(part["counts"])
    nearest = [one["id"] for one in part["dependents"] if one["steps"] == 1]
    return {**counts, "nearest": shaper.entities(nearest, 10)} if detail == "full" else counts


def fitted(answer: Row, budget: int, shaper: Shaper) -> Row:
    """
    An answer within its budget, with the names that its handles stand for: what weighs least for the question goes
    first, and `left_out` says so.
    """
    left: dict[str, None] = {}
    cuts = _cuts(answer)
    while size(_whole(answer, left, shaper)) + tokens(short.context(answer)) > budget:
        cut = next(cuts, None)
        if cut is None:
            break
        left[cut[0]] = None
        cut[1]()
    return _whole(answer, left, shaper)


def _whole(answer: Row, left: Mapping[str, None], shaper: Shaper) -> Row:
    names = used_names(answer, shaper)
    return answer | ({"names": names} if names else {}) | ({"left_out": list(left)} if left else {})


def _cuts(answer: Row) -> Iterator[Cut]:
    """
    What can be cut, what is missed least first. It looks at what is left each time.
    """
    suspects = answer["changes"]["suspects"] if answer["changes"] else []
    ranked: list[tuple[str, list[Row]]] = [
        ("precedents", answer["precedents"]), ("changes", suspects), ("fixes", answer["fixes"]),
    ]  # fmt: skip
    for most in (2, 1):
        yield from ((name, rows.pop) for name, rows in ranked for _ in rows[most:])
        quotes = [one["untrusted_text"] for one in (*answer["runbooks"], *answer["precedents"], *suspects)]
        lengths = SHORTER[:2] if most == 2 else SHORTER
        yield from (
            ("text", partial(_shorten, quote, length))
            for length in lengths for quote in quotes if len(quote["text"]) > length
        )  # fmt: skip
    yield from ((name, partial(answer.pop, name)) for name in ("history", "blast_radius") if name in answer)
    pages = answer["runbooks"]
    yield from (("runbooks", pages.pop) for _ in pages[1:])
    yield from ((name, rows.clear) for name, rows in (*ranked, ("runbooks", pages)) if rows)
    owner = answer["owner"] or {}
    for name in ("conflicts", "escalates_to", "evidence"):
        yield name, partial(owner.update, {name: []})


def _shorten(quote: Row, limit: int) -> None:
    quote["text"] = clean(quote["text"], limit)
    if "author" in quote:
        quote["author"] = clean(quote["author"], 40)
