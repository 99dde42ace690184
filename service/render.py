"""
Answers as text, as a responder at 3 a.m. wants them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

Answer = Mapping[str, Any]
"""An assembled answer; its shape is in docs/reference/api.md."""


def answer_text(answer: Answer) -> str:
    """
    The whole answer in some twenty lines.
    """
    alert = answer["alert"]
    lines = [f"ALERT  {alert['name']}  {_short(alert['at'])} UTC", ""]
    lines += [f"  {line}" for line in answer["headline"]]
    lines += ["", "WHO", *_who(answer)]
    lines += ["", "WHAT CHANGED", *_changed(answer["changes"])]
    lines += ["", "WHAT FIXED IT LAST TIME", precedents_text(answer)]
    lines += ["", "RUNBOOK", *_runbooks(answer["runbooks"])]
    lines += ["", "WHAT WE COULD NOT SEE", *(f"  - {gap}" for gap in answer["gaps"])]
    total = answer["timings_ms"].get("total", 0.0) if "timings_ms" in answer else 0.0
    lines += ["", f"{len(answer['evidence'])} records of evidence · answer {answer['answer_id']} · {total:.0f} ms"]
    return "\n".join(lines)


def _short(moment: str | None) -> str:
    return (moment or "?").replace("T", " ")[:16]


def _who(answer: Answer) -> list[str]:
    lines = [
        f"  {one['probability']:4.0%}  {one['name']}  ({'; '.join(one['matched'][:2])})"
        for one in answer["service"]["candidates"][:3]
    ]
    return [*lines, *([owner_text(answer["owner"])] if answer["owner"] else [])] or ["  cannot tell"]


def owner_text(owner: Answer) -> str:
    """
    The owner in a line or two.
    """
    now = ", ".join(one["name"] for one in owner["answers_now"]) or "nobody known"
    chain = " -> ".join(one["name"] for one in owner["escalation"]) or "not known"
    line = f"  owner {owner['name'] or 'not known'} · answers now: {now} · escalates to: {chain}"
    conflicts = ", ".join(one["name"] for one in owner["conflicts"])
    return line + (f"\n  other sources name: {conflicts}" if conflicts else "")


def _changed(changes: Answer | None) -> list[str]:
    if not changes:
        return ["  not weighed"]
    lines = []
    for one in changes["suspects"]:
        why = "; ".join(term["says"] for term in one["terms"] if term["says"] != term["name"])
        lines.append(
            f"  {one['probability']:4.0%}  {one['kind']} {one['id']}  {one['title']}  ({', '.join(filter(None, [_short(one['at']), one['actor']]))})"
        )
        lines.append(f"        {why}")
    signs = "".join(f" — {one['cause']}: {one['says']}" for one in changes["hypotheses"])
    return [*lines, f"  {changes['none_probability']:4.0%}  no known change explains it{signs}"]


def precedents_text(answer: Answer) -> str:
    """
    Past incidents with what fixed them.
    """
    lines = []
    for one in answer["precedents"]:
        lines.append(f"  {one['probability']:4.0%}  {one['id']}  {one['title']}  ({_short(one['at'])})")
        if one["fix"]:
            lines.append(
                f'        {one["fix"]["action"].replace("_", " ")} {one["fix"]["target"]}: "{" ".join(one["fix"]["quote"].split())}"'
            )
        lines += [f'        did not help: "{" ".join(fix["quote"].split())}"' for fix in one["did_not_help"][:1]]
        if one["open_actions"]:
            lines.append(f"        {one['open_actions']} action item(s) still open")
    return "\n".join(lines) or "  nothing alike is known"


def _runbooks(found: list[Answer]) -> list[str]:
    lines = []
    for one in found:
        lines.append(f"  {one['probability']:4.0%}  {one['title']}  ({one['url'] or one['id']})")
        if one["section"]:
            lines += [f"        {line}" for line in one["section"]["quote"].splitlines()[:6] if line.strip()]
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
    lines += [f"mend: {one['repair']} ({one['services']} services)" for one in found["repairs"][:5]]
    lines += [f"{one['score']:.2f}  {one['service']}  {', '.join(_words(one['missing']))}" for one in found["services"]]
    return "\n".join(lines)


def _words(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
