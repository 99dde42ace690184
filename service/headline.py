"""
An answer in three to five sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.fence import label, label_id, quoted
from service.parts import Part
from service.recurring import sentence

SAID = 0.5
"""What is less likely than not is not said outright."""


def headline(answer: Mapping[str, object], *, searched: bool = True) -> list[str]:
    """
    The answer in three to five sentences, each no surer than the figures. Not `searched`: past incidents were not
    looked through, so nothing is said of them.
    """
    lines = []
    service, owner, changes = (answer.get(name) for name in ("service", "owner", "changes"))
    candidates = service.get("candidates") if isinstance(service, dict) else None
    if isinstance(service, dict) and candidates and not service.get("abstained"):
        lines.append(_service_line(candidates))
    else:
        lines.append("Cannot tell which service this is about.")
    if isinstance(owner, dict):
        now = owner.get("answers_now") or []
        person = f"; {label(now[0]['name'])} answers now" if now else ""
        lines.append(f"{label(owner['name'])} owns it{person}." if owner.get("name") else "Nobody is known to own it.")
    if isinstance(changes, dict):
        lines.append(_change_line(changes))
    precedents = answer.get("precedents")
    if isinstance(precedents, list) and precedents and precedents[0]["probability"] >= SAID:
        best = precedents[0]
        fix = best.get("fix")
        target = label(fix["target"]) if fix and fix["target"] else ""
        done = f"{fix['action'].replace('_', ' ')} {target}".strip() if fix else "no fix is recorded"
        most = f"{label_id(best['id'])} ({best['probability']:.0%}): {quoted(best['title'], 200)}"
        lines.append(f"Most like {most}. Then: {done}{_doubt(answer, fix)}.")
    else:
        lines.append("Nothing alike is known." if searched else "Past incidents were not searched.")
    nth, still_open = answer.get("times"), answer.get("follow_ups")
    if isinstance(nth, int) and (again := sentence(nth, still_open if isinstance(still_open, list) else [])):
        lines.append(again)
    return lines


def _doubt(answer: Mapping[str, object], fix: Mapping[str, object] | None) -> str:
    """
    What keeps a fix from being taken as settled.
    """
    fixes = answer.get("fixes")
    rows = fixes if isinstance(fixes, list) else []
    row = next((one for one in rows if fix and (one["action"], one["target"]) == (fix["action"], fix["target"])), None)
    if fix and fix.get("lost"):
        return f", which can no longer be done: {quoted(str(fix['lost']), 120)}"
    if fix and fix.get("held") is False:
        return ", and it came back"
    return ", as one source says" if row and not row["settled"] and row["sources"] < 2 else ""


def _service_line(candidates: Sequence[Part]) -> str:
    """
    The likeliest service; where it is less likely than not, the next one too.
    """
    named = [f"{label(str(one['name']))} ({one['probability']:.0%})" for one in candidates]
    sure = candidates[0]["probability"]
    if isinstance(sure, float) and sure < SAID:
        return f"Perhaps about {' or '.join(named[:2])}."
    return f"This is about {named[0]}."


def _change_line(changes: Mapping[str, object]) -> str:
    found, none = changes.get("suspects"), changes.get("none_probability")
    suspects = found if isinstance(found, list) else []
    if not changes.get("considered") or not isinstance(none, float):
        return "No change is known in the time before."
    best = suspects[0]["probability"] if suspects else 0.0
    if best > none:
        one = suspects[0]
        return f"Probably {one['kind']} {label_id(one['id'])} ({best:.0%}): {quoted(one['title'], 200)}, {one['at']}."
    if none < SAID:
        named = [f"{one['kind']} {label_id(one['id'])} ({one['probability']:.0%})" for one in suspects[:2]]
        return f"No change stands out{': ' if named else ''}{', '.join(named)}; none of them: {none:.0%}."
    hypotheses = changes.get("hypotheses")
    signs = label(hypotheses[0]["cause"]) if isinstance(hypotheses, list) and hypotheses else ""
    why = f"; the signs point to: {signs}" if signs else ""
    return f"No known change explains it ({none:.0%}){why}."
