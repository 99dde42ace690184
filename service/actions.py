"""
Steps of approved playbooks, prepared and never run: each is a quotation, with its target, what policy says of it, and
how it is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graph.values import EntityId, SectionKind, View
from ingest.fixes.extraction import extract_fixes
from service.parts import Part
from service.policy import DEFAULT, Proposal, verdict_part
from service.reversal import REVERSALS

if TYPE_CHECKING:
    from service.wiring import Memory

MOST = 6
"""Steps of a page."""
_ITEM = re.compile(r"^(?P<indent>\s*)(?:\d+[.)]|[-*+])\s+(?P<text>.+)$")
_UNDO = re.compile(
    r"\b(?:undo|reversal|roll(?:ing)?[ -]?back|to (?:revert|undo|reverse)(?: (?:it|this))?|back[ -]?out)\b"
    r"[^:=\n]{0,20}[:=]\s*(?P<how>.+?)\)?\s*$",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"(?:[:;,]|\b(?:run|execute|use|with|by|call|type|enter))\s+`([^`]+)`", re.IGNORECASE)
_COMMANDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("rollback", re.compile(r"\brollout\s+undo\b|\brollback\b|\broll-?back\b")),
    ("restart", re.compile(r"\brollout\s+restart\b|\brestart\b|\breboot\b")),
    ("scale", re.compile(r"\bscale\b|\bautoscale\b|--replicas\b")),
    ("clear", re.compile(r"\b(?:delete|rm|flush\w*|purge|truncate|prune)\b")),
    ("revert", re.compile(r"\bgit\s+revert\b")),
    ("fail_over", re.compile(r"\bfail-?over\b|\bpromote\b")),
)
"""What a command does, by its own words."""


@dataclass(frozen=True, slots=True)
class Step:
    """
    A step in the page's words, the command in it, and the page's words on how to take it back.
    """

    text: str
    command: str | None = None
    undo: str | None = None


def steps(text: str) -> Iterator[Step]:
    """
    The items of a list that say what to do; what stands below one about taking it back belongs to it.
    """
    held: Step | None = None
    depth = 0
    for line in text.split("\n"):
        item, undo = _ITEM.match(line), _UNDO.search(line)
        below = held is not None and (not item or len(item["indent"]) > depth)
        if held and below:
            if undo and not held.undo:
                held = Step(held.text, held.command, undo["how"].strip())
            continue
        if item:
            if held:
                yield held
            depth = len(item["indent"])
            words = item["text"].strip()
            commands = _COMMAND.findall(words[: undo.start()] if undo else words)
            held = Step(words, commands[-1] if commands else None, undo["how"].strip() if undo else None)
    if held:
        yield held


def action_of(step: Step) -> str | None:
    """
    What a step does, by its command, else by its words; None where neither says.
    """
    if step.command:
        found = next((action for action, rule in _COMMANDS if rule.search(step.command)), None)
        if found:
            return found
    fixes = extract_fixes({SectionKind.RESOLUTION: step.text}, imperative=True)
    return fixes[0].action.value if fixes else None


def prepared(
    memory: Memory, view: View, target: EntityId | None, environment: str | None, parts: Mapping[str, Any]
) -> list[Part]:
    """
    The steps of the approved pages of an answer. `target` is the service that it is about, None where that is not sure.
    """
    pages: Sequence[Mapping[str, Any]] = parts.get("runbooks") or ()
    found: list[Part] = []
    for page in pages:
        if page["approved"] and page["section"]:
            for nth, step in zip(range(MOST), steps(page["section"]["quote"]), strict=False):
                found.append(_prepared(memory, view, target, environment, parts, page, step) | {"nth": nth + 1})
    return found


def _prepared(
    memory: Memory, view: View, target: EntityId | None, environment: str | None, parts: Mapping[str, Any],
    page: Mapping[str, Any], step: Step,
) -> Part:  # fmt: skip
    action = action_of(step)
    owner, radius = parts.get("owner"), parts.get("blast_radius")
    proposal = Proposal(action=action, service=target, at=view.as_of, environment=environment)
    policy = verdict_part(memory, view, proposal, owner, radius)
    return {
        "step": step.text,
        "command": step.command,
        "action": action,
        "target": target,
        "verdict": _said(policy),
        "policy": {name: policy[name] for name in ("verdict", "rule", "reversible")},
        "reversal": step.undo or (REVERSALS[action][1] if action and action in REVERSALS else None),
        "reversal_quoted": step.undo is not None,
        "playbook": page["id"],
        "section": page["section"]["heading"],
        "evidence": page["evidence"],
    }


def _said(policy: Part) -> str:
    """
    The verdict in a sentence.
    """
    why = policy["because"] if policy["rule"] != DEFAULT else f"the mode is {policy['mode']}"
    return {"allow": f"allowed: {why}", "needs_approval": f"needs a person: {why}", "refuse": f"refused: {why}"}[
        str(policy["verdict"])
    ]
