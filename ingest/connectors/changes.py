"""
Changes and deploys as JSON lines or CSV: one row, one change.

Columns have synonyms, so that most exports need no mapping: `id`, `at` (ts, time, timestamp, deployed_at), `service` or
`services` (app, application, component), `kind`, `title` (subject, message, summary), `from`/`to` (previous, revision,
version, sha, commit), `environment` (env), `region`, `actor` (author, user), `bot`, `merge`, `files`, `text` (diff,
description, body), `reverts`, `status`, `ended_at`, `repository` (repo), `url`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping

import orjson

from graph.values import Change, ChangeKind, EntityKind, Item, Record, Trust, entity_id
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.parsing import (
    MAX_LINE,
    json_lines,
    load_json,
    mapping_of,
    named_end,
    named_time,
    not_csv,
    parse_time,
    text_of,
    texts_of,
    unpack,
)

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": ("id", "sha", "commit_sha", "commit", "change_id", "number", "key"),
    "at": ("at", "ts", "time", "timestamp", "started_at", "start", "deployed_at", "date", "created_at"),
    "ended_at": ("ended_at", "end", "finished_at", "completed_at"),
    "services": ("services", "service", "app", "application", "component"),
    "title": ("title", "subject", "message", "summary", "name"),
    "text": ("text", "diff", "description", "body"),
    "previous": ("previous", "from", "old", "from_revision"),
    "revision": ("revision", "to", "version", "commit_sha", "sha", "new", "tag"),
    "environment": ("environment", "env", "stage"),
    "region": ("region",),
    "actor": ("actor", "author", "user", "deployer"),
    "automated": ("automated", "bot"),
    "merge": ("merge",),
    "files": ("files", "files_changed", "paths"),
    "reverts": ("reverts", "reverted", "rollback_of"),
    "status": ("status", "state", "result"),
    "repository": ("repository", "repo"),
    "url": ("url", "link", "html_url"),
    "flag": ("flag", "flag_key"),
    "added": ("add", "added", "additions"),
    "deleted": ("del", "deleted", "deletions"),
}
_NO_VERSION = {"", "unknown", "latest", "head", "main", "null", "none"}
_YES = {"1", "true", "yes", "y", "t"}
_REVERT = re.compile(r"^(?:revert(?:s|ed)?\b[:\s]|roll(?:ed)?[ -]?back\b)", re.IGNORECASE)
_KIND_OF_FILE: tuple[tuple[ChangeKind, re.Pattern[str]], ...] = (
    (ChangeKind.SCHEMA, re.compile(r"(^|/)(migrations?|migrate|schema)(/|\.)|\.sql$", re.IGNORECASE)),
    (ChangeKind.CERTIFICATE, re.compile(r"(^|/)(certs?|certificates?|tls)(/|\.)|\.(pem|crt)$", re.IGNORECASE)),
    (ChangeKind.INFRASTRUCTURE, re.compile(r"\.(tf|tfvars|hcl)$|(^|/)(terraform|eksctl|ansible)/", re.IGNORECASE)),
    (ChangeKind.FLAG, re.compile(r"(^|/)(flags?|feature[-_]flags?)(/|\.)", re.IGNORECASE)),
    (ChangeKind.MODEL, re.compile(r"(^|/)(prompts?|models?)/.*\.(txt|md|json|onnx|yaml)$", re.IGNORECASE)),
    (ChangeKind.CONFIG, re.compile(r"\.(ya?ml|toml|ini|conf|cfg|env|json|jsonnet)$|(^|/)(charts?|config|helm)/", re.I)),
)  # fmt: skip


def kind_of_files(files: tuple[str, ...]) -> ChangeKind:
    """
    What a change of these files most likely is: the kind of the majority; CODE where no pattern knows them.
    """
    votes: dict[ChangeKind, int] = {}
    for path in files:
        kind = next((kind for kind, pattern in _KIND_OF_FILE if pattern.search(path)), ChangeKind.CODE)
        votes[kind] = votes.get(kind, 0) + 1
    return max(votes, key=lambda kind: votes[kind], default=ChangeKind.CODE)


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a row; its part is the row's own id where it has one.
    """
    path = meta.get("path", "the file")
    body = unpack(raw, path)
    if re.search(r"\.csv(\.gz)?$", path):
        yield from _split_csv(text_of(body, path), path)
        return
    if body.lstrip()[:1] == b"[":
        rows = load_json(text_of(body, path), path)
        for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
            yield _piece(orjson.dumps(row).decode(), path, number)
        return
    for number, line in json_lines(body):
        if len(line) > MAX_LINE:
            digest = hashlib.sha256(line).hexdigest()
            yield Piece(part=f"{path}#{digest[:16]}", body="", problem=f"line {number} of {path} is longer than 1 MiB")
            continue
        try:
            yield _piece(text_of(line, f"line {number} of {path}").strip(), path, number)
        except BadRecord as error:
            yield Piece(part=f"{path}#{number}", body="", problem=str(error))


def _split_csv(text: str, path: str) -> Iterator[Piece]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if not header or len(set(header)) != len(header):
            raise BadRecord(f"{path} needs a first row of distinct column names")
        for number, row in enumerate(reader, 2):
            if len(row) == len(header):
                yield _piece(orjson.dumps(dict(zip(header, row, strict=True))).decode(), path, number)
            elif row:
                problem = f"row {number} of {path} has {len(row)} columns, the header {len(header)}"
                yield Piece(part=f"{path}#row-{number}", body=orjson.dumps(row).decode(), problem=problem)
    except csv.Error as error:
        raise BadRecord(not_csv(path, reader.line_num, error)) from error


def _piece(body: str, path: str, number: int) -> Piece:
    """
    A row's part is its id, so that a corrected row replaces the older one; without an id, its own digest.
    """
    try:
        row = orjson.loads(body)
        found = next((row[name] for name in _SYNONYMS["id"] if row.get(name)), None)
        moment = next((row[name] for name in _SYNONYMS["at"] if row.get(name)), None)
        published = parse_time(moment) if moment else None
    except (orjson.JSONDecodeError, AttributeError, TypeError, BadRecord):
        found, published = None, None
    part = f"{path}#{found or hashlib.sha256(body.encode()).hexdigest()[:16]}"
    return Piece(part=part, body=body, published_at=published, meta={"row": str(number)})


def transform(record: Record) -> Iterator[Item]:
    """
    One row, one Change.
    """
    where = f"row {record.meta.get('row', '?')} of {record.meta.get('path', record.source)}"
    yield change_of(mapping_of(load_json(record.body, where), where), where, record.meta)


def change_of(row: Mapping[str, object], where: str, meta: Mapping[str, str]) -> Change:
    """
    A row with the columns above as a Change. Raises BadRecord without a time, or with neither id nor revision.
    """
    moment = _first(row, "at")
    if moment is None:
        raise BadRecord(f"{where} has no time; give it a column `at`")
    at = named_time(moment, f"the time of {where}", meta.get("timezone", "UTC"))
    services = tuple(entity_id(EntityKind.SERVICE, name) for name in texts_of(_first(row, "services")))
    revision = _version(_first(row, "revision"))
    identity = _first(row, "id")
    if identity is None:
        if not revision or not services:
            raise BadRecord(f"{where} has no id; give it a column `id`")
        identity = f"{services[0].partition(':')[2]}@{revision}@{int(at.timestamp())}"
    title = str(_first(row, "title") or "").strip()
    files = texts_of(_first(row, "files"))
    reverts = _first(row, "reverts")
    repository = _first(row, "repository") or meta.get("repository")
    environment = _first(row, "environment") or meta.get("environment")
    return Change(
        id=str(identity),
        kind=_kind(row, title, files, bool(services) and bool(revision or environment), reverts is not None),
        at=at,
        title=title.splitlines()[0][:500] if title else "",
        ended_at=named_end(_first(row, "ended_at"), f"the end of {where}"),
        services=services,
        repository=entity_id(EntityKind.REPOSITORY, str(repository)) if repository else None,
        environment=str(environment).lower() if environment else None,
        region=_text(row, "region"),
        revision=revision,
        previous=_version(_first(row, "previous")),
        actor=_text(row, "actor"),
        automated=_flag(_first(row, "automated")),
        merge=_flag(_first(row, "merge")),
        status=_text(row, "status"),
        files=files,
        text="\n".join(part for part in ("\n".join(title.splitlines()[1:]), _text(row, "text") or "") if part.strip()),
        reverts=str(reverts) if reverts is not None else None,
        url=_text(row, "url"),
        attributes={
            name: str(row[key]) for name in ("added", "deleted", "flag") for key in _SYNONYMS[name] if row.get(key)
        },
    )


def _kind(row: Mapping[str, object], title: str, files: tuple[str, ...], deployed: bool, reverts: bool) -> ChangeKind:
    named = str(row.get("kind") or row.get("type") or "").strip().lower()
    if named:
        try:
            return ChangeKind(named)
        except ValueError:
            known = ", ".join(kind.value for kind in ChangeKind)
            raise BadRecord(f"kind {named!r} is not known; use one of: {known}") from None
    if row.get("flag"):
        return ChangeKind.FLAG
    if deployed:
        return ChangeKind.ROLLBACK if reverts or _REVERT.match(title) else ChangeKind.DEPLOY
    return kind_of_files(files)


def _first(row: Mapping[str, object], field: str) -> object | None:
    for name in _SYNONYMS[field]:
        value = row.get(name)
        if value is not None and value != "" and value != []:
            return value
    return None


def _text(row: Mapping[str, object], field: str) -> str | None:
    value = _first(row, field)
    return None if value is None else str(value)


def _version(value: object) -> str | None:
    return None if value is None or str(value).strip().lower() in _NO_VERSION else str(value).strip()


def _flag(value: object) -> bool:
    return value is True or str(value).strip().lower() in _YES


CONNECTOR = Connector(
    name="changes",
    summary="changes and deploys as JSON lines or CSV, one row each",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=(
        "*changes*.jsonl*",
        "*deploys*.csv*",
        "*deploys*.jsonl*",
        "*changes*.csv*",
        "changes/*.jsonl*",
        "changes/*.csv*",
    ),
)
