"""
An answer as Markdown, to be pasted into a ticket or a chat. A source's words stand quoted and cleaned in it, as in
every text of ours (`service.fence`), and with Markdown's own signs escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from service.fence import block, clean, label, label_id, quoted
from service.pages.answer import View
from service.pages.moments import percent, short

_SIGNS = re.compile(r"([\\`*_\[\]<>#|~!])")


def answer_markdown(view: View, address: str) -> str:
    """
    The whole answer in some thirty lines, with where it can be read.
    """
    alert = view["alert"]
    lines = [f"## {_of(label(alert['name']))}", "", f"{short(alert['at'])} UTC · [{view['answer_id']}]({address})", ""]
    lines += ["**Who owns it:** " + _owner(view), ""]
    lines += ["**What changed:**", "", *_changes(view), ""]
    lines += ["**What fixed it last time:**", "", *_precedents(view), ""]
    lines += [*_runbooks(view)]
    lines += ["**What we could not see:**", "", *(f"- {_of(clean(one, 600))}" for one in view["gaps"])]
    if not view["gaps"]:
        lines.append("- nothing that we know of")
    return "\n".join(lines) + "\n"


def _of(text: str) -> str:
    return _SIGNS.sub(r"\\\1", re.sub(r"\s+", " ", text))


def _name(text: object) -> str:
    return _of(label(str(text or "")))


def _said(text: object) -> str:
    return _of(quoted(str(text or "")))


def _owner(view: View) -> str:
    owner, best = view["owner"], view["best"]
    about = f" (about {_name(best['name'])}, {percent(best['probability'])})" if best else ""
    if not owner or not owner.get("name"):
        return f"not known{about}"
    now = ", ".join(_name(one["name"]) for one in owner["people"]) or "nobody is known to be on call"
    then = " → ".join(_name(one["name"]) for one in owner["escalation"]) or "not known"
    told = f"{_name(owner['name'])}{about}; answers now: {now}; escalates to: {then}"
    disputes = "; ".join(f"{_name(one['source'])} says {_name(one['name'])}" for one in owner["disputes"][:3])
    return told + (f"; disputed: {disputes}" if disputes else "")


def _changes(view: View) -> list[str]:
    changes: Mapping[str, Any] = view["changes"]
    if not changes:
        return ["- not weighed"]
    lines = []
    for number, one in enumerate(view["suspects"], 1):
        why = "; ".join([*one["reasons"], *(f"against: {said}" for said in one["doubts"])])
        head = f"{number}. {percent(one['probability'])} {one['kind']} {_of(label_id(one['id']))}"
        lines.append(f"{head}: {_said(one['title'])}, {one['before']}. {_said(why)}")
    return [*lines, f"- {percent(changes.get('none_probability'))}: no known change explains it"]


def _precedents(view: View) -> list[str]:
    lines = []
    for one in view["precedents"]:
        head = f"- {percent(one['probability'])} {_of(label_id(one['id']))} {_said(one['title'])}, {short(one['at'])}."
        lines.append(f"{head} {_done(one['fix'])} {_of(one['held'])}")
        lines += [f"  - did not help: {_said(said['quote'])}" for said in one["did_not_help"]]
    return lines or ["- nothing alike is known"]


def _done(fix: Mapping[str, Any] | None) -> str:
    if not fix:
        return "No fix is recorded."
    target = f" {_name(fix['target'])}" if fix["target"] else ""
    return f"**{fix['action'].replace('_', ' ')}{target}**: {_said(fix['quote'])}"


def _runbooks(view: View) -> list[str]:
    lines = []
    for one in view["runbooks"][:1]:
        lines += [f"**Runbook:** {_said(one['title'])} ({percent(one['probability'])})", ""]
        if one["section"]:
            lines += [f"> {_of(line.removeprefix('| '))}" for line in block(one["section"]["quote"], 12)]
        lines.append("")
    return lines
