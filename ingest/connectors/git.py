"""
A git repository's history: each commit is a change. Mail addresses are not kept; reverts point to what they take back.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from graph.values import Change, EntityKind, Item, Record, Trust, entity_id
from ingest.commits import is_bot, reverted
from ingest.connectors.changes import kind_of_files
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord, BadSource
from ingest.parsing import load_json, mapping_of, parse_time, texts_of

_FIELDS = "%H%x1f%P%x1f%aN%x1f%cI%x1f%B%x1e"


def fetch(folder: Path, limit: int | None = None) -> bytes:
    """
    The log of a repository as JSON lines, oldest first, read by the installed git. Raises BadSource.
    """
    command = ["git", "-C", str(folder), "log", "--reverse", "--name-only", f"--format=%x1d{_FIELDS}"]
    if limit:
        command.insert(5, f"--max-count={limit}")
    try:
        done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - fixed words and a folder
    except FileNotFoundError as error:
        raise BadSource("git is not installed; install it to read a repository's history") from error
    except subprocess.CalledProcessError as error:
        raise BadSource(f"{folder} is not a git repository that can be read: {error.stderr.decode()[:200]}") from error
    lines = [
        orjson.dumps(_commit(entry)) for entry in done.stdout.decode("utf-8", "replace").split("\x1d") if entry.strip()
    ]
    return b"\n".join(lines)


def _commit(entry: str) -> dict[str, object]:
    head, _, names = entry.partition("\x1e")
    sha, parents, author, at, message = head.split("\x1f")
    files = [name for name in names.strip().split("\n") if name]
    return {
        "id": sha,
        "parents": parents.split(),
        "author": author,
        "at": at,
        "message": message.strip(),
        "files": files,
    }


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a commit, of what `fetch` gives.
    """
    for line in raw.split(b"\n"):
        if line.strip():
            body = mapping_of(load_json(line, "a commit"), "a commit")
            yield Piece(part=str(body.get("id")), body=line.decode(), published_at=parse_time(body.get("at")))


def transform(record: Record) -> Iterator[Item]:
    """
    One commit.
    """
    body = mapping_of(load_json(record.body, record.part), record.part)
    message = str(body.get("message", ""))
    if not body.get("id") or not body.get("at"):
        raise BadRecord(f"{record.part}: a commit needs `id` and `at`")
    files = texts_of(body.get("files"))
    author = str(body.get("author", ""))
    parents = body.get("parents")
    repository = record.meta.get("repository")
    yield Change(
        id=str(body["id"]),
        kind=kind_of_files(files),
        at=parse_time(body["at"]),
        title=message.split("\n")[0],
        text="\n".join(message.split("\n")[1:]).strip(),
        repository=entity_id(EntityKind.REPOSITORY, repository) if repository else None,
        revision=str(body["id"]),
        actor=author or None,
        automated=is_bot(author),
        merge=isinstance(parents, list) and len(parents) > 1,
        files=files,
        reverts=reverted(message),
    )


CONNECTOR = Connector(
    name="git",
    summary="a git repository's history, reverts recognised",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
)
