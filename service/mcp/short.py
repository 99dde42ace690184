"""
The few words beside a structured answer: made of its typed fields alone, never of a source's words.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.mcp.shaping import Row


def context(answer: Row) -> str:
    """
    The answer for an alert in one line each.
    """
    service, changes = answer["service"], answer["changes"]
    best = service["candidates"][:1]
    lines = ["service: cannot tell" if service["cannot_tell"] or not best else f"service: {_likely(best[0])}"]
    lines += [owner(answer)]
    if changes:
        suspect = f"{changes['suspects'][0]['kind']} {_likely(changes['suspects'][0])}, " if changes["suspects"] else ""
        lines.append(f"change: {suspect}none {changes['none_probability']:.2f}")
    lines.append("like: " + (", ".join(_likely(one) for one in answer["precedents"][:1]) or "nothing"))
    lines += fixes(answer["fixes"][:1])
    return "\n".join(lines)


def owner(answer: Row) -> str:
    """
    Who owns it, in a line.
    """
    found = answer["owner"]
    if not found or not found["team"]:
        return "owner: not known"
    now = f", now {found['answers_now'][0]}" if found["answers_now"] else ""
    return f"owner: {found['team']}{now}"


def fixes(rows: Sequence[Row]) -> list[str]:
    """
    How well each fix is supported.
    """
    return [
        f"fix: {one['action']} {one.get('target', '')}, helped {one['worked']}, failed {one['failed']}, "
        f"sources {one['sources']}"
        for one in rows
    ]


def changes(answer: Row) -> str:
    """
    How many changes there are on this page.
    """
    return _counted(answer, "changes")


def similar(answer: Row) -> str:
    """
    How many incidents there are on this page, and what helped.
    """
    return "\n".join([_counted(answer, "precedents"), *fixes(answer["fixes"])])


def runbook(answer: Row) -> str:
    """
    How many pages there are.
    """
    return _counted(answer, "runbooks")


def _counted(answer: Row, name: str) -> str:
    if answer.get("candidates"):
        return f"no service of that name is known; close: {_likely(answer['candidates'][0])}"
    more = ", more by `next_cursor`" if "next_cursor" in answer else ""
    return f"{name}: {len(answer[name])}{more}"


def _likely(one: Row) -> str:
    return f"{one['id']} ({one['probability']:.2f})"
