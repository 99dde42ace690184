"""
The installed size of the base.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.figures import ROOT, Figure


def installed_size(_: argparse.Namespace) -> list[Figure]:
    """
    The base install in a new environment, without torch.
    """
    with tempfile.TemporaryDirectory() as place:
        environment = Path(place) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        before = _size(environment)
        pip = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", str(ROOT / "requirements/base.txt")], check=True)
        # pip itself comes with any environment
        size = _size(environment) - before
        torch = any(environment.glob("lib/*/site-packages/torch"))
        size += sum(path.stat().st_size for path in (ROOT / "models/weights").rglob("*") if path.is_file())
    return [
        Figure("installed size of the base", size / 2**20, 350, "MiB"),
        Figure("torch in the base", float(torch), 0.5, ""),
    ]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
