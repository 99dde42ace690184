"""
One writer for a data directory, by a lock that the operating system drops when the process dies.
"""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from graph.errors import StoreLocked


class WriterLock:
    """
    Held from making to `release`. StoreLocked names the process that holds it.
    """

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(self._file)
            raise StoreLocked(
                str(directory),
                f"This data directory is written by {holder}; stop it, hand it your records, or open read-only",
            ) from None
        os.ftruncate(self._file, 0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(self._file, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode(), 0)

    def release(self) -> None:
        """
        Let the next writer in; releasing twice is releasing once.
        """
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
