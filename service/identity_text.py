"""
What the command does about identity: list what may be one, decide, and say it in a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from graph.errors import StoreLocked
from ingest.errors import BadRecord
from service.identities import ACTIONS, decide
from service.inbox import ask
from service.settings import Settings
from service.tokens import LOCAL
from service.wiring import recorded, require_store_of, store_of

Table = Callable[..., str]


def is_decision(words: Sequence[str]) -> bool:
    """
    Whether the words decide something, rather than ask for a name.
    """
    return len(words) > 1


def asked(words: Sequence[str], at: str | None, note: str | None, by: str | None) -> dict[str, object]:
    """
    The decision that the words ask for. BadRecord where they ask for none.
    """
    action, *names = words
    if action not in ACTIONS:
        raise BadRecord(f"`{action}` is no decision; write {', '.join(ACTIONS)}, or one name alone to ask for it")
    told = {"action": action, "at": at, "note": note, "by": by or LOCAL.name}
    return {**told, "id": names[0]} if action == "undo" else {**told, "names": names}


def decided(settings: Settings, decision: Mapping[str, object]) -> dict[str, Any]:
    """
    The decision made: here, or by the process that holds the writer's lock.
    """
    require_store_of(settings)

    def alone() -> dict[str, Any]:
        with closing(store_of(settings)) as store:
            recorded(settings, "identity", {key: decision.get(key) for key in ("action", "names", "id")}, store)
            return decide(store, decision, str(decision["by"]))

    try:
        return alone()
    except StoreLocked:
        found = ask(settings.data, {"identity": dict(decision)}, alone)
    if "error" in found:
        raise BadRecord(str(found["error"]))
    return found


def decided_text(made: Mapping[str, Any]) -> str:
    """
    A line, then what stands against it.
    """
    again = " (it was decided already)" if made["duplicate"] else ""
    now = ", ".join(f"{name} is {keep}" for name, keep in made["now"].items() if name != keep)
    return "\n".join(
        [f"{made['id']}: {made['action']} {' '.join(made['names'])}{again}", *([now] if now else []), *made["gaps"]]
    )


def listed_text(found: Mapping[str, Any], table: Table) -> str:
    """
    Proposals with their reasons, then decisions.
    """
    proposed = [
        {
            "probability": f"{one['probability']:.0%}",
            "decide": " ".join([one["action"], *one["names"]]) + (f" --at {one['at']}" if one["at"] else ""),
            "because": "; ".join(term["says"] for term in one["terms"]),
        }
        for one in found["proposals"]
    ]
    made = [{**one, "names": " ".join(one["names"]), "decided": one["decided_at"][:16]} for one in found["decisions"]]
    return "\n".join([
        "MAY BE ONE", table(proposed, "probability", "decide", "because"), "",
        "DECIDED", table(made, "decided", "id", "action", "names", "by", "state"),
    ])  # fmt: skip


def named_text(found: Mapping[str, Any], table: Table) -> str:
    """
    What a name may mean.
    """
    return table(found["candidates"], "probability", "id", "matched")
