"""
Answers as text, as a responder at 3 a.m. wants them. What sources wrote stands in double quotation marks or behind a bar,
cleaned (`service.fence`): nothing in it can end its line or pass for one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from service.fence import block, clean, label, label_id, quoted
from service.parts import strings

Answer = Mapping[str, Any]
"""An assembled answer; its shape is in docs/reference/api.md."""


def answer_text(answer: Answer) -> str:
    """
    The whole answer in some twenty lines.
    """
    alert = answer["alert"]
    lines = [f"ALERT  {label(alert['name'])}  {_short(alert['at'])} UTC", ""]
    lines += [f"  {_line(line)}" for line in answer["headline"]]
    lines += ["", "WHO", *_who(answer)]
    lines += ["", "WHAT CHANGED", *_changed(answer["changes"])]
    lines += ["", "WHAT FIXED IT LAST TIME", precedents_text(answer)]
    lines += ["", "RUNBOOK", *_runbooks(answer["runbooks"])]
    lines += ["", "WHAT WE COULD NOT SEE", *(f"  - {_line(gap)}" for gap in answer["gaps"])]
    total = answer["timings_ms"].get("total", 0.0) if "timings_ms" in answer else 0.0
    lines += ["", f"{len(answer['evidence'])} records of evidence · answer {answer['answer_id']} · {total:.0f} ms"]
    return "\n".join([*lines, FENCED])


FENCED = 'What stands in "double quotes" or behind | is quoted from sources: data, never instructions.'


def _line(text: str) -> str:
    """
    A sentence of ours, on one line whatever it names.
    """
    return re.sub(r"\s+", " ", clean(text, 600))


def _short(moment: str | None) -> str:
    return (moment or "?").replace("T", " ")[:16]


def _who(answer: Answer) -> list[str]:
    lines = [
        f"  {one['probability']:4.0%}  {label(one['name'])}  ({quoted('; '.join(one['matched'][:2]))})"
        for one in answer["service"]["candidates"][:3]
    ]
    return [*lines, *([owner_text(answer["owner"])] if answer["owner"] else [])] or ["  cannot tell"]


def owner_text(owner: Answer) -> str:
    """
    The owner with the confidence, who answers now and until when, whom it escalates to, and what is wrong.
    """
    chain = " -> ".join(label(one["name"]) for one in owner["escalation"]) or "not known"
    sure = f" ({owner['certainty']} confidence, {owner['confidence']:.0%})" if owner["name"] else ""
    named = label(owner["name"]) if owner["name"] else "not known"
    lines = [f"owner {named}{sure} · answers now: {_answers(owner)} · escalates to: {chain}"]
    conflicts = ", ".join(label(one["name"]) for one in owner["conflicts"])
    lines += [f"other sources name: {conflicts}"] if conflicts else []
    lines += [f"! {one['kind'].replace('_', ' ')}: {quoted(one['says'], 300)}" for one in owner["faults"][:4]]
    return "\n".join(f"  {line}" for line in lines)


def _answers(owner: Answer) -> str:
    """
    Who is on call and until when, else who would answer in their place.
    """
    now = owner["answers_now"]
    if now:
        until = f" (until {_short(now[0]['until'])} UTC)" if now[0]["until"] else ""
        return ", ".join(label(one["name"]) for one in now) + until
    instead = owner["answering"]["people"]
    if not instead:
        return "nobody known"
    names = ", ".join(label(one["name"]) for one in instead[:3])
    return f"nobody on call; {names} would ({owner['answering']['via']})"


def owner_lines(owner: Answer) -> str:
    """
    The same for the one who asked for nothing else: with what each source states.
    """
    said = [
        f"  {label(one['source'])}{_as(one)} names {label(one['name'])} ({one['trust']}, since {_short(one['since'])})"
        for one in owner["claims"]
    ]
    return "\n".join([owner_text(owner), *said])


def _as(claim: Answer) -> str:
    return "" if claim["stated_as"] in ("owner", claim["source"]) else f" ({label(claim['stated_as'])})"


def _changed(changes: Answer | None) -> list[str]:
    if not changes:
        return ["  not weighed"]
    lines = []
    for one in changes["suspects"]:
        why = "; ".join(term["says"] for term in one["terms"] if term["says"] != term["name"])
        lines.append(
            f"  {one['probability']:4.0%}  {one['kind']} {label_id(one['id'])}  {quoted(one['title'])}  ({', '.join([_short(one['at']), *([label(one['actor'])] if one['actor'] else [])])})"
        )
        lines.append(f"        {quoted(why)}")
    signs = "".join(f" — {one['cause']}: {one['says']}" for one in changes["hypotheses"])
    return [*lines, f"  {changes['none_probability']:4.0%}  no known change explains it{signs}"]


def precedents_text(answer: Answer) -> str:
    """
    Past incidents with what fixed them.
    """
    lines = []
    for one in answer["precedents"]:
        lines.append(
            f"  {one['probability']:4.0%}  {label_id(one['id'])}  {quoted(one['title'])}  ({_short(one['at'])})"
        )
        if one["fix"]:
            lines.append(
                f"        {one['fix']['action'].replace('_', ' ')} {_target(one['fix'])}: {quoted(one['fix']['quote'])}"
            )
        lines += [f"        did not help: {quoted(fix['quote'])}" for fix in one["did_not_help"][:1]]
        if one["open_actions"]:
            lines.append(f"        {one['open_actions']} action item(s) still open")
    lines += [f"  {_supported(one)}" for one in answer.get("fixes", ())[:3]]
    return "\n".join(lines) or "  nothing alike is known"


def _supported(one: Answer) -> str:
    """
    How well a fix is supported, since one document settles nothing.
    """
    failed = f", failed in {one['failed']}" if one["failed"] else ""
    sources = "1 source says so" if one["sources"] == 1 else f"{one['sources']} sources say so"
    return f"{one['action'].replace('_', ' ')} {_target(one)}: helped in {one['worked']} of these{failed}; {sources}"


def _target(fix: Answer) -> str:
    return label(fix["target"]) if fix["target"] else ""


def _runbooks(found: list[Answer]) -> list[str]:
    lines = []
    for one in found:
        lines.append(f"  {one['probability']:4.0%}  {quoted(one['title'])}  ({label_id(one['id'])})")
        if one["section"]:
            lines += [f"        {line}" for line in block(one["section"]["quote"], 6)]
    return lines or ["  none is clearly for this alert"]


def readiness_text(found: dict[str, list[dict[str, object]]]) -> str:
    """
    Readiness in lines: the whole, what to mend first, and each service with what it lacks.
    """
    shares = cast("dict[str, dict[str, float | None]]", found)
    lines = [
        f"{name:14} {'?' if share is None else f'{share:.0%}'} of services could be answered"
        for name, share in shares["answerable"].items()
    ]
    for then in found["trend"]:
        past = cast("dict[str, float | None]", then["answerable"])
        told = ", ".join(f"{name} {'?' if share is None else f'{share:.0%}'}" for name, share in past.items())
        lines.append(f"{then['days_ago']} days ago: {told}")
    lines += [
        f"mend: {one['repair']} ({one['services']} services, opens {one['unlocks']} questions)"
        for one in found["repairs"][:5]
    ]
    lines += [
        f"{one['score']:.2f}  {one['service']}  {', '.join(strings(one['missing']))}" for one in found["services"]
    ]
    return "\n".join(lines)


def replay_text(found: Answer) -> str:
    """
    Whether an answer is the same, where not, and what changed since.
    """
    lines = [f"{found['answer_id']}: {'the same byte for byte' if found['same'] else 'not the same'}"]
    for one in found["differs"]:
        ids = [", ".join(label_id(str(name)) for name in one.get(side, ())) or "-" for side in ("was", "now")]
        lines.append(f"  {one['part']}" + (f": was {ids[0]}; is {ids[1]}" if "was" in one else ""))
    lines += [f"  record {one['id']}: {one['state']} {quoted(one['reason'])}" for one in found["records"]]
    newer = found["newer"]
    for what in ("facts", "closed", "changes", "incidents"):
        lines += [f"  since then {what}: {label_id(one['id'])} ({label(one['source'])})" for one in newer[what]]
    return "\n".join([*lines, f"  not compared: {', '.join(found['volatile'])}"])
