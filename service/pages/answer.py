"""
An answer as its page shows it: what is told at a glance, then each part with its reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from service.pages.moments import moment, short, span, sure
from service.pages.text import address
from service.pages.timeline import drawing, lag

Answer = Mapping[str, Any]
"""An assembled answer; its shape is in docs/reference/api.md."""
View = dict[str, Any]
WIDE, NARROW = 1180, 340
TELLING = 0.5
"""A term that speaks less against a suspect is left unsaid."""
ALIKE = 0.5
"""A past incident that is less likely the same kind of problem says nothing of whether a fix held."""


def answer_view(answer: Answer) -> View:
    """
    All that the template draws.
    """
    changes = answer.get("changes") or {}
    suspects = [_suspect(one, answer) for one in changes.get("suspects", ())]
    onset = answer["alert"].get("at")
    precedents = list(answer.get("precedents") or ())
    return {
        "alert": _alert(answer["alert"]),
        "service": answer["service"],
        "best": _best(answer["service"]),
        "owner": _owner(answer.get("owner")),
        "suspects": suspects,
        "changes": changes,
        "top": _top(suspects, changes),
        "drawings": [one for width in (WIDE, NARROW) if (one := drawing(onset, suspects, width))],
        "precedents": [_precedent(one, precedents, answer) for one in precedents],
        "fix": _last_fix(precedents, answer),
        "fixes": answer.get("fixes") or [],
        "runbooks": [_runbook(one, answer) for one in answer.get("runbooks") or ()],
        "actions": list(answer.get("actions") or ()),
        "policy": answer.get("policy") or {},
        "radius": answer.get("blast_radius"),
        "history": answer.get("history"),
        "gaps": list(answer.get("gaps") or ()),
        "evidence": answer.get("evidence") or {},
        "answer_id": answer["answer_id"],
        "as_of": answer.get("as_of"),
        "known_at": answer.get("known_at"),
        "again": asked_again(answer),
        "total_ms": (answer.get("timings_ms") or {}).get("total"),
    }


def asked_again(answer: Answer) -> str:
    """
    The alert of an answer as a payload that can be asked about once more, as of another moment.
    """
    alert = answer["alert"]
    kept = {key: alert.get(key) for key in ("name", "at", "status", "labels", "annotations", "ended_at")}
    return orjson.dumps({key: value for key, value in kept.items() if value}).decode()


def records(ids: Sequence[str], evidence: Mapping[str, Any]) -> list[View]:
    """
    Cited records with what they say; of one that was not read, the id alone.
    """
    return [{"id": one, **(evidence.get(one) or {})} for one in ids]


def _alert(alert: Mapping[str, Any]) -> View:
    annotations = alert.get("annotations") or {}
    summary = next((annotations[key] for key in ("summary", "description", "message") if annotations.get(key)), "")
    return {**alert, "summary": summary, "link": address(alert.get("url"))}


def _best(service: Mapping[str, Any]) -> Mapping[str, Any] | None:
    candidates = service.get("candidates") or []
    return candidates[0] if candidates and not service.get("abstained") else None


def _owner(owner: Mapping[str, Any] | None) -> View | None:
    if owner is None:
        return None
    people = owner.get("answers_now") or []
    answering = owner.get("answering") or {}
    instead = [] if people else answering.get("people") or []
    claims = [one for one in owner.get("claims") or () if one.get("team") == owner.get("team")]
    since = min((one["since"] for one in claims if one.get("since")), default=None)
    return {
        **owner,
        "people": people,
        "instead": instead,
        "via": answering.get("via"),
        "levels": answering.get("levels") or [],
        "next_hand_off": answering.get("next_hand_off"),
        "since": since,
        "said_by": list(dict.fromkeys(one["source"] for one in claims)),
        "disputes": [one for one in owner.get("claims") or () if one.get("team") != owner.get("team")],
    }


def _suspect(one: Mapping[str, Any], answer: Answer) -> View:
    onset, at = moment(answer["alert"].get("at")), moment(one.get("at"))
    terms = [term for term in one.get("terms") or () if term.get("says") and term["says"] != term["name"]]
    return {
        **one,
        "before": lag(onset, at) if onset and at else "",
        "reasons": [term["says"] for term in terms if term["weight"] >= 0],
        "doubts": [term["says"] for term in terms if term["weight"] <= -TELLING],
        "link": address(one.get("url")),
        "records": records(one.get("evidence") or (), answer.get("evidence") or {}),
    }


def _top(suspects: Sequence[View], changes: Mapping[str, Any]) -> View:
    """
    What to say of changes first: the likeliest suspect, unless it is likelier that none of them did it.
    """
    none = changes.get("none_probability")
    best = suspects[0] if suspects else None
    if not changes:
        return {"kind": "unread"}
    if best and (not isinstance(none, float) or best["probability"] > none):
        return {"kind": "suspect", "suspect": best, "sure": sure(best["probability"]), "none": none}
    causes = [one.get("cause") for one in changes.get("hypotheses") or ()]
    return {"kind": "none", "none": none, "sure": sure(none), "cause": causes[0] if causes else None, "next": best}


def _precedent(one: Mapping[str, Any], all_of: Sequence[Mapping[str, Any]], answer: Answer) -> View:
    return {
        **one,
        "held": _held(one, all_of, answer),
        "link": address(one.get("url")),
        "records": records(one.get("evidence") or (), answer.get("evidence") or {}),
    }


def _last_fix(precedents: Sequence[Mapping[str, Any]], answer: Answer) -> View | None:
    """
    What ended the likeliest precedent that names a fix, with how well that is supported.
    """
    best = next((one for one in precedents if one.get("fix")), None)
    if best is None:
        return None
    fix = best["fix"]
    support = next(
        (one for one in answer.get("fixes") or () if (one["action"], one["target"]) == (fix["action"], fix["target"])),
        None,
    )
    return {
        "precedent": best,
        "fix": fix,
        "held": _held(best, precedents, answer),
        "in_vain": next(
            ({"fix": one, "id": other["id"]} for other in precedents for one in other.get("did_not_help") or ()), None
        ),
        "support": support,
        "sure": sure(best.get("probability")),
    }


def _held(one: Mapping[str, Any], all_of: Sequence[Mapping[str, Any]], answer: Answer) -> str:
    """
    Whether what fixed it lasted, by what came after it.
    """
    fix = one.get("fix")
    if not fix:
        return ""
    if fix.get("held") is False:
        again = one.get("again") or ()
        return f"It did not hold: {again[0]}." if again else "It did not hold."
    began = moment(one.get("at"))
    later = sorted(
        (at, other["id"])
        for other in all_of
        if other.get("probability", 0) >= ALIKE and began and (at := moment(other.get("at"))) and at > began
        if not {*other.get("services", ())}.isdisjoint(one.get("services", ()))
    )
    if began and later:
        at, name = later[0]
        return f"It came back after {span(at - began)}: {name} ({short(at.isoformat())[:10]})."
    if fix.get("held") is True:
        return "It held."
    onset = moment(answer["alert"].get("at"))
    if began and onset and onset > began:
        return f"Nothing alike is known in the {span(onset - began)} until this alert; no source says that it held."
    return "No source says whether it held."


def _runbook(one: Mapping[str, Any], answer: Answer) -> View:
    return {
        **one,
        "link": address(one.get("url")),
        "records": records(one.get("evidence") or (), answer.get("evidence") or {}),
    }
