"""
What the command does about policy: ask, show the rules, and test them by their own examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from graph.errors import StoreUnavailable
from graph.policies import Rule, judge
from graph.values import FactKind, Trust, View
from ingest.connectors._rules import Example, Written, rule_of, written
from ingest.connectors.policy import rules_of
from ingest.errors import BadSource
from ingest.parsing import text_of
from service.fence import label
from service.parts import Part
from service.policy_check import Check, checked, told_of
from service.wiring import Memory

Table = Callable[..., str]
VERBS = ("check", "test", "show")


def words_of(words: Sequence[str], target: str) -> tuple[str, list[str]]:
    """
    The verb and what follows it; an action alone is asked about. ValueError for words that say nothing.
    """
    verb, *rest = words if words and words[0] in VERBS else ("check", *words)
    most = {"check": 1 if target else 2, "test": 99, "show": 0}[verb]
    if len(rest) > most or (verb == "check" and not rest):
        raise ValueError("write `policy check ACTION [TARGET]`, `policy test [FILE...]` or `policy show`")
    return verb, [*rest, target] if verb == "check" and target else rest


def asked(memory: Memory, view: View, check: Check) -> Part:
    """
    The answer, which is in the audit; where that cannot be written, a gap says so.
    """
    found = checked(memory, view, check)
    try:
        memory.audit.record(check.who, "policy", told_of(found))
    except StoreUnavailable as error:
        found["gaps"] = [*cast("list[str]", found["gaps"]), f"this answer is not in the audit: {error}"]
    return found


def of_files(paths: Iterable[Path]) -> list[tuple[str, Written]]:
    """
    (file, rule) of files and folders of rules. BadRecord where one cannot be read.
    """
    found = []
    for path in paths:
        files = sorted(one for one in path.rglob("*.y*ml") if one.is_file()) if path.is_dir() else [path]
        if not path.exists() or not files:
            raise BadSource(f"{path} is not there, or holds no YAML")
        for file in files:
            text = text_of(file.read_bytes(), str(file))
            found += [(str(file), rule_of(body, where)) for where, body in rules_of(text, str(file))]
    return found


def of_store(memory: Memory, view: View) -> list[tuple[str, Written]]:
    """
    The same of the rules in force.
    """
    stated = memory.facts.facts(view, kinds=(FactKind.POLICY,))
    return [
        (one.item.object, written(one.item.attributes["rule"], one.item.object))
        for one in stated
        if one.trust >= Trust.REVIEWED
    ]


def examples(files: Sequence[str], opened: Callable[[], Memory], view: View) -> dict[str, Any]:
    """
    The examples of files of rules, or of the rules in force.
    """
    if files:
        return tested(of_files(Path(one) for one in files))
    with closing(opened()) as memory:
        return tested(of_store(memory, view))


def tested(rules: Sequence[tuple[str, Written]]) -> dict[str, Any]:
    """
    Every example, asked of all rules together; `ok` where each has the verdict that its author expects.
    """
    together = [one.rule for _, one in rules]
    rows = [_row(file, one, example, together) for file, one in rules for example in one.examples]
    without = sorted(one.rule.name for _, one in rules if not one.examples)
    return {"ok": all(row["ok"] for row in rows), "rules": len(rules), "examples": rows, "without_examples": without}


def _row(file: str, one: Written, example: Example, rules: Sequence[Rule]) -> dict[str, Any]:
    found = judge(rules, example.situation)
    ok = (
        found.verdict is example.verdict
        and example.mode in (None, found.mode)
        and example.rule in (None, found.rule)
    )  # fmt: skip
    expected = {"verdict": example.verdict.word, "mode": example.mode.word if example.mode is not None else None}
    return {
        "rule": one.rule.name,
        "example": example.name,
        "ok": ok,
        "expected": {**expected, "rule": example.rule},
        "found": {"verdict": found.verdict.word, "mode": found.mode.word, "rule": found.rule},
        "because": found.because,
        "file": file,
    }


def tested_text(found: Mapping[str, Any], table: Table) -> str:
    """
    The examples that fail, then how many there are.
    """
    failed = [
        {**row, "expected": _said(row["expected"]), "found": _said(row["found"])}
        for row in found["examples"]
        if not row["ok"]
    ]
    lines = [table(failed, "file", "rule", "example", "expected", "found", "because")] if failed else []
    if found["without_examples"]:
        lines.append(f"without examples: {', '.join(found['without_examples'])}")
    return "\n".join([*lines, f"{len(found['examples'])} examples of {found['rules']} rules, {len(failed)} fail"])


def _said(told: Mapping[str, str | None]) -> str:
    return ", ".join(f"{key} {value}" for key, value in told.items() if value)


def shown_text(found: Mapping[str, Any], table: Table) -> str:
    """
    The rules in force.
    """
    if not found["rules"]:
        return "\n".join(["no rules: the mode is observe, and nothing is done without a person", *found["gaps"]])
    rows = [{**one, "says": label(one["says"]) if one["says"] else None} for one in found["rules"]]
    return "\n".join([table(rows, "name", "verdict", "mode", "file", "says"), *found["gaps"]])


def checked_text(found: Mapping[str, Any]) -> str:
    """
    The verdict in a line, then why, by whom, how far, and how back.
    """
    approval = found["approval"]
    counts = found["blast_radius"]["counts"]
    lines = [
        f"{found['action']} {label(found['target']) if found['target'] else ''}: "
        f"{found['verdict'].replace('_', ' ')} (mode {found['mode']})",
        f"  because    {found['because']}",
        *(f"  rule       {one['name']}: {label(one['says'])}" for one in found["rules"] if one["says"]),
    ]
    if approval:
        by = ", ".join(f"{label(one['name'])} ({one['why']})" for one in approval["by"]) or "nobody known"
        lines.append(f"  approval   {approval['count']} of {by}")
    lines += [
        f"  reaches    {counts['dependents']} dependents, worst {found['blast_radius']['criticality']['worst']}",
        f"  back       {found['reversal']['says']}",
    ]
    for level in found["escalation"]:
        people = ", ".join(label(one["name"]) for one in level["people"]) or "nobody now"
        lines.append(f"  level {level['level']}    {people}")
    return "\n".join([*lines, *(f"  gap        {gap}" for gap in found["gaps"])])
