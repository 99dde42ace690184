"""
What the command does about feedback: list verdicts, give one, take one back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from graph.errors import StoreLocked
from ingest.connectors.feedback import VERDICTS
from ingest.errors import BadRecord
from service.feedback import do
from service.inbox import ask
from service.settings import Settings
from service.wiring import require_store_of, store_of

Table = Callable[..., str]


def asked(words: Sequence[str], subject: str | None, note: str | None, by: str | None) -> dict[str, object]:
    """
    The verdict that the words give. BadRecord where they give none.
    """
    if len(words) == 2 and words[0] == "undo":
        return {"undo": words[1]}
    if len(words) != 2 or words[1] not in VERDICTS:
        raise BadRecord(
            f"write ANSWER and {', '.join(VERDICTS)}; or `undo` and the id of a verdict; or nothing, to list"
        )
    return {"answer_id": words[0], "verdict": words[1], "subject": subject, "note": note, "by": by or "local"}


def given(settings: Settings, verdict: Mapping[str, object]) -> dict[str, Any]:
    """
    The verdict given: here, or by the process that holds the writer's lock.
    """
    require_store_of(settings)

    def alone() -> dict[str, Any]:
        with closing(store_of(settings)) as store:
            return do(store, verdict)

    try:
        return alone()
    except StoreLocked:
        found = ask(settings.data, {"feedback": dict(verdict)}, alone)
    if "error" in found:
        raise BadRecord(str(found["error"]))
    return found


def given_text(made: Mapping[str, Any]) -> str:
    """
    One line.
    """
    if "undone" in made:
        return f"{made['undone']} counts no more" + (" (it did not before)" if made["duplicate"] else "")
    again = " (said already)" if made["duplicate"] else ""
    return f"{made['records'][0]}: {made['by']} says {made['verdict']} of {made['judged']}{again}"


def listed_text(found: Mapping[str, Any], table: Table) -> str:
    """
    The verdicts that count.
    """
    return table(found["verdicts"], "at", "id", "by", "verdict", "judged", "alert")
