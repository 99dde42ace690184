"""
An index's state on disk: a cache, since all that it holds can be made again from the store.

A snapshot is a folder with a few files and `manifest.json`, which gives the form, the feed position, what made it, and
the SHA-256 of every file. It is written aside and put in place whole; and it is believed only if everything matches,
because index libraries load damaged files without a word.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import IndexDamaged

FORM = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    `watermark`: how far the feed was followed; `anchor`: what stands in the feed there; `made_by`: model and sizes that
    have to match; `files`: the state by name.
    """

    watermark: int
    anchor: str
    made_by: Mapping[str, str | int]
    files: Mapping[str, bytes]


def save(folder: Path, snapshot: Snapshot) -> None:
    """
    Replace what is at `folder`.
    """
    fresh, old = folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, body in snapshot.files.items():
        _write(fresh / name, body)
    manifest = {
        "form": FORM,
        "watermark": snapshot.watermark,
        "anchor": snapshot.anchor,
        "made_by": dict(snapshot.made_by),
        "files": {name: hashlib.sha256(body).hexdigest() for name, body in snapshot.files.items()},
    }
    _write(fresh / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _write(path: Path, body: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(stream.fileno())


def read(folder: Path, made_by: Mapping[str, str | int]) -> Snapshot | None:
    """
    The snapshot at `folder`; None where there is none, or one that something else made. Raises IndexDamaged where a
    file is not what the manifest says.
    """
    if not folder.is_dir():
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["form"] != FORM or manifest["made_by"] != dict(made_by):
            return None
        files = {name: (folder / name).read_bytes() for name in manifest["files"]}
        watermark, anchor = int(manifest["watermark"]), str(manifest["anchor"])
        wrong = [name for name, body in files.items() if hashlib.sha256(body).hexdigest() != manifest["files"][name]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(f"{folder} cannot be read: {error}") from error
    if wrong:
        raise IndexDamaged(f"{folder / wrong[0]} is not what its manifest says")
    return Snapshot(watermark=watermark, anchor=anchor, made_by=made_by, files=files)


def drop(folder: Path) -> None:
    """
    Remove the snapshot.
    """
    shutil.rmtree(folder, ignore_errors=True)
