"""
A folder's files are recognised by their names, and JSON files whose names say nothing by what they hold.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ingest.connectors import connector
from ingest.errors import BadSource
from ingest.sources import files_of, read_sources

ALERT = {"alerts": [{"labels": {"alertname": "Slow"}, "startsAt": "2026-03-02T10:00:00Z"}]}
PUSH = {"ref": "r", "after": "c1", "pusher": {}, "sender": {}, "repository": {"full_name": "a/b"}}


def readers(folder: Path) -> dict[str, list[str]]:
    """
    The files of each recognised connector.
    """
    return {
        one.connector: [inside for _, inside in files_of(one, connector(one.connector))]
        for one in read_sources(folder)
    }  # fmt: skip


def test_json_is_recognised_by_its_first_body(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    line = json.dumps(ALERT).encode()
    files = {
        "a.json": line,
        "b.json": json.dumps([PUSH, PUSH]).encode(),
        "c.jsonl": b"\n\n" + line + b"\n{broken",
        "d.ndjson.gz": gzip.compress(line),
        "deep/e.json": json.dumps({"type": "x", "timestamp": "t", "data": PUSH}).encode(),
        "f.json.gz": gzip.compress(json.dumps(PUSH).encode()),
        "notes.json": b'{"hello": "world"}',
        "list.json": b"[1]",
        "empty.json": b"",
        "empty.jsonl": b"\n\n",
        "broken.json": b"{",
        "binary.json": b"\xff\x00",
        "damaged.json.gz": gzip.compress(line)[:-9],
        "damaged.jsonl.gz": b"\x1f\x8b nonsense",
        "plain.txt": line,
    }
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    assert readers(tmp_path) == {
        "alertmanager": ["a.json", "c.jsonl", "d.ndjson.gz"],
        "github": ["b.json", "deep/e.json", "f.json.gz"],
    }


def test_a_name_says_more_than_what_is_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "github").mkdir()
    (tmp_path / "github" / "x.json").write_text(json.dumps(ALERT))
    assert readers(tmp_path) == {"github": ["github/x.json"]}


def test_a_single_file_is_recognised_too(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(PUSH))
    assert [one.connector for one in read_sources(tmp_path / "x.json")] == ["github"]
    (tmp_path / "x.json").write_text('{"hello": "world, changed"}')
    with pytest.raises(BadSource, match="by its name or by what it holds"):
        read_sources(tmp_path / "x.json")


def test_no_more_is_read_than_a_bounded_part(tmp_path: Path) -> None:
    line = json.dumps(ALERT)
    (tmp_path / "long.jsonl").write_text(line + "\n" + "x" * (9 << 20))
    (tmp_path / "large.json").write_text(line + " " * (9 << 20))
    (tmp_path / "wide.jsonl").write_text(line[:-1] + " " * (2 << 20) + "}")
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(line.encode() + b" " * (64 << 20)))
    assert readers(tmp_path) == {"alertmanager": ["long.jsonl"]}


def test_a_named_connector_reads_what_it_read_before(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(ALERT))
    (tmp_path / "sources.toml").write_text('[[sources]]\nname = "x"\nconnector = "changes"\npath = "."\n')
    (source,) = read_sources(tmp_path)
    assert [inside for _, inside in files_of(source, connector("changes"))] == ["one.json"]


def test_real_deliveries_are_recognised_whatever_their_names(shared: Path, tmp_path: Path) -> None:
    for number, path in enumerate(sorted((shared / "samples/alertmanager").glob("*.json"))):
        (tmp_path / f"{number}.json").write_bytes(path.read_bytes())
    assert list(readers(tmp_path)) == ["alertmanager"]
