"""
Which sources there are: a TOML file of `[[sources]]`, or a folder whose files are recognised by their names, or, where
those say nothing, by the JSON that they hold.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import os
import re
import tomllib
import zlib
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

from graph.values import PUBLIC, Labels
from ingest.connectors import NAMES, connectors, recognise
from ingest.contract import Body, Connector, Source
from ingest.errors import UNEXPECTED, BadRecord, BadSource
from ingest.fields import unwrapped
from ingest.parsing import MAX_DOCUMENT, MAX_LINE, load_json, text_of, unpack

CONFIG_NAME = "sources.toml"
JSON_LINES = (".jsonl", ".ndjson")
JSON_NAMES = (".json", *JSON_LINES)
_BLANK = 100
"""Lines that may be empty before the first that is not."""
_FIELDS = {
    "name",
    "connector",
    "path",
    "visibility",
    "options",
    "mapping",
    "timezone",
    "repository",
    "url_prefix",
    "environment",
}


def read_sources(path: Path, known: Collection[str] = ()) -> tuple[Source, ...]:
    """
    The sources of a configuration file, or of a folder: its `sources.toml`, else what its files look like, and those
    `known` by name that it had when it was last read.
    """
    if path.is_dir():
        config = path / CONFIG_NAME
        return read_sources(config) if config.is_file() else tuple(_recognised(path, known))
    if not path.exists():
        raise BadSource(f"{path} is not there")
    if path.suffix != ".toml":
        return (_of_file(path),)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadSource(f"{path} cannot be read as TOML: {error}") from error
    rows = document.get("sources")
    if not isinstance(rows, list) or not rows:
        raise BadSource(f"{path} has no [[sources]]")
    sources = tuple(_source(_table(row, number), path.parent, number) for number, row in enumerate(rows, 1))
    names = [source.name for source in sources]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadSource(f"{path} names {', '.join(sorted(twice))} more than once")
    return sources


def source_name(connector: str, path: Path) -> str:
    """
    The name of a source that nobody named: always the same for one place, and never that of another.
    """
    place = path.resolve()
    mark = hashlib.sha256(os.fsencode(place)).hexdigest()[:8]
    word = re.sub(r"[^\w.]+", "-", place.name).strip("-")
    return "-".join(part for part in (connector, word, mark) if part)


def readable(text: str) -> str:
    """
    A text with what is not UTF-8 (of the name of a file) written out.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def _table(row: object, number: int) -> Mapping[str, object]:
    if not isinstance(row, dict):
        raise BadSource(f"source {number} should be a table; write [[sources]] above it")
    return row


def _source(row: Mapping[str, object], folder: Path, number: int) -> Source:
    unknown = sorted(set(row) - _FIELDS)
    if unknown:
        near = difflib.get_close_matches(unknown[0], _FIELDS, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise BadSource(f"source {number}: unknown key `{unknown[0]}`{hint}")
    name, kind, place = row.get("name"), row.get("connector"), row.get("path")
    if not isinstance(name, str) or not name.strip() or not isinstance(kind, str):
        raise BadSource(f"source {number} needs a `name` and a `connector`")
    if kind not in NAMES:
        near = difflib.get_close_matches(kind, NAMES, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise BadSource(f"source {name}: there is no connector `{kind}`{hint}")
    if not isinstance(place, str) or not place.strip():
        raise BadSource(
            f'source {name} needs a `path`, a file or folder beside this file; write path = "." for all of it'
        )
    options = row.get("options") or {}
    if not isinstance(options, dict):
        raise BadSource(f"source {name}: `options` should be a table")
    given = {str(key): str(value) for key, value in options.items()}
    given |= {key: str(row[key]) for key in ("timezone", "repository", "url_prefix", "environment") if key in row}
    if "mapping" in row:
        given["mapping"] = _mapping_text(folder / str(row["mapping"]), name)
    return Source(
        name=name,
        connector=kind,
        path=str(folder / place),
        options=given,
        visibility=_labels(row, name),
    )


def _labels(row: Mapping[str, object], name: str) -> Labels:
    """
    The labels of a source; what is no list of them is refused, since it would make the source public.
    """
    labels = row.get("visibility", [])
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
        raise BadSource(f'source {name}: `visibility` should be a list of labels; write visibility = ["security"]')
    return frozenset(labels) if labels else PUBLIC


def _mapping_text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadSource(f"source {name}: its mapping {path} cannot be read: {error}") from error


def _of_file(path: Path) -> Source:
    found = _reader(path.parent, path)
    if not found:
        raise BadSource(f"{path} is of no known format by its name or by what it holds; say --connector")
    return Source(name=source_name(found, path), connector=found, path=str(path))


def _recognised(folder: Path, known: Collection[str]) -> Iterator[Source]:
    """
    A source for each connector that some file looks like, and for each whose last file is gone.
    """
    names = dict.fromkeys(found for path in files_below(folder) if (found := _reader(folder, path)))
    names |= dict.fromkeys(one.name for one in connectors() if source_name(one.name, folder) in known)
    for name in names:
        yield Source(name=source_name(name, folder), connector=name, path=str(folder), recognised=True)
    if not names:
        raise BadSource(f"{folder} has no file of a known format; write a {CONFIG_NAME} (docs/how-to/add-a-source.md)")


def _reader(folder: Path, path: Path) -> str:
    """
    The connector of a file by its name, else by the first JSON in it; empty where it is of no known format.
    """
    named = str(path.relative_to(folder))
    found = next((one.name for one in connectors() if _matches(named, one.patterns)), "")
    return found or _content(path)


def _content(path: Path) -> str:
    if not path.name.removesuffix(".gz").endswith(JSON_NAMES):
        return ""
    try:
        state = path.stat()
        return _recognised_content(path, state.st_size, state.st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=4096)
def _recognised_content(path: Path, size: int, changed: int) -> str:
    """
    The connector that recognises the first body of a JSON file. A file that does not change is looked at once.
    """
    try:
        body = first_body(path)
        found = recognise(body, {}) if body else None
    except (BadRecord, EOFError, zlib.error, *UNEXPECTED):
        return ""
    return found.name if found else ""


def first_body(path: Path) -> Body | None:
    """
    The first object of a JSON file, of a list in one, or of JSON lines, out of the envelope of a relay. Of lines no
    more is read than the first; of a large document nothing.
    """
    lined = path.name.removesuffix(".gz").endswith(JSON_LINES)
    if not lined and path.stat().st_size > MAX_DOCUMENT:
        return None
    raw = _first_line(path) if lined else unpack(path.read_bytes(), path.name, MAX_DOCUMENT)
    value = load_json(text_of(raw, path.name), path.name)
    value = value[0] if isinstance(value, list) and value else value
    return unwrapped(value) if isinstance(value, dict) else None


def _first_line(path: Path) -> bytes:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        lines = (stream.readline(MAX_LINE) for _ in range(_BLANK))
        return next((line for line in lines if line.strip()), b"")


def _matches(name: str, patterns: Collection[str]) -> bool:
    tail = name.rpartition("/")[2]
    return any(fnmatch(name, one) or fnmatch(name, f"*/{one}") or fnmatch(tail, one) for one in patterns)


def files_of(source: Source, connector: Connector) -> list[tuple[Path, str]]:
    """
    (file, its path within the source) of a source, sorted. Of a folder those that the option `files` names, else those
    that look like the connector's (of one that was recognised by its files, by what they hold too), else all (unless
    the folder was recognised).
    """
    root = Path(source.path)
    if not root.exists():
        raise BadSource(f"source {source.name}: {root} is not there")
    if root.is_file():
        return [(root, root.name)]
    patterns = source.options.get("files", "").split() or list(connector.patterns) or ["*"]
    prefix = source.options.get("prefix", "")
    inside = [(path, str(path.relative_to(root))) for path in files_below(root)]
    found = [
        (path, prefix + name)
        for path, name in inside
        if _matches(name, patterns) or (source.recognised and _reader(root, path) == connector.name)
    ]
    if found or source.recognised or "files" in source.options:
        return found
    return [(path, prefix + name) for path, name in inside]


def files_below(folder: Path) -> list[Path]:
    """
    The files of a folder, hidden ones and links out of it left out.
    """
    root = folder.resolve()
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.resolve().is_relative_to(root)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts[:-1])
        and path.name not in (CONFIG_NAME, ".DS_Store")
    ]
