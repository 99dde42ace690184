"""
What code hosts and pipelines have in common: what a commit's message, an author's name and a pipeline's name say, and
which of two states of one thing is the later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ingest.contract import Body
from ingest.fields import list_at

_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,40})", re.IGNORECASE)
_TAKES_BACK = re.compile(r"^\W*(?:revert(?:s|ed|ing)?\b|roll(?:s|ed|ing)?[ -]?back\b)", re.IGNORECASE)
_BOT = re.compile(r"\[bot\]|(^|[-_ ])bot$|dependabot|renovate", re.IGNORECASE)
_MERGE = re.compile(r"^(?:Merge (?:branch|pull request|remote-tracking|tag|PR)\b|Merged? (?:in|PR) )", re.IGNORECASE)
_DEPLOYS = re.compile(
    r"deploy|roll[-_ ]?(?:out|back)|promot(?:e|ion)"
    r"|(?<![a-z])(?<!ci[/_ &-])(?:cd|ship|go[-_ ]?live|release[-_ ]to)(?![a-z])",
    re.IGNORECASE,
)
_ROLLBACK = re.compile(r"roll(?:s|ed|ing)?[-_ ]?back|(?:^|[^a-z])(?:revert|undo)(?:[^a-z]|$)", re.IGNORECASE)
_REMOTE = re.compile(r"^(?:[\w+.-]+://)?(?:[^@/]+@)?[^/:]+(?::\d+)?[:/](?P<path>[^?#]+?)(?:\.git)?/?$")
NO_COMMIT = re.compile(r"^0{7,40}$")
"""What stands for a commit where a branch or tag was made or removed."""


def reverted(message: str | None) -> str | None:
    """
    The commit that a commit's message says it takes back.
    """
    found = _REVERTS.search(message or "")
    return found[1] if found else None


def takes_back(title: str | None) -> bool:
    """
    Whether a title says that something is taken back (`Revert "..."`, `Rollback to 3`).
    """
    return bool(_TAKES_BACK.match(title or ""))


def is_bot(name: str | None) -> bool:
    """
    Whether an author's name is a bot's.
    """
    return bool(_BOT.search(name or ""))


def is_merge(message: str | None) -> bool:
    """
    Whether a message is one that hosts write for a merge.
    """
    return bool(_MERGE.match(message or ""))


def deploys(*names: str | None) -> bool:
    """
    Whether one of the names of a pipeline, stage or job says that it deploys.
    """
    return any(_DEPLOYS.search(name or "") for name in names)


def rolls_back(*names: str | None) -> bool:
    """
    Whether one of them says that it goes back to an earlier version.
    """
    return any(_ROLLBACK.search(name or "") for name in names)


def headline(message: str | None) -> tuple[str, str]:
    """
    The first line of a message and the rest.
    """
    first, _, rest = (message or "").strip().partition("\n")
    return first.strip(), rest.strip()


def touched(commit: Body) -> tuple[str, ...]:
    """
    The files that a commit of a push added, removed or modified.
    """
    paths = (path for key in ("added", "removed", "modified") for path in list_at(commit, key))
    return tuple(path for path in paths if isinstance(path, str))


def is_commit(value: str | None) -> bool:
    """
    Whether a text is a commit, not the zeros that stand for none.
    """
    return bool(value) and not NO_COMMIT.match(value or "")


def ranked(moment: datetime | None, state: str | None, order: Sequence[Iterable[str]]) -> datetime | None:
    """
    A moment with as many microseconds as the state's place in `order`, so that of states within one tick of the
    source's clock the later one counts. States that can follow one another stand in different places.
    """
    if moment is None:
        return None
    place = next((place for place, states in enumerate(order, 1) if (state or "").lower() in states), 0)
    return moment + timedelta(microseconds=place)


def repository_path(remote: str | None) -> str | None:
    """
    `owner/name` (or longer) of a git remote's address, over HTTP or SSH; None for what is none.
    """
    found = _REMOTE.match((remote or "").strip())
    path = (found["path"] if found else "").strip("/")
    return path.replace("/_git/", "/").removeprefix("scm/") if "/" in path else None
