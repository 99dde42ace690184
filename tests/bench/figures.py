"""
Figures beside their limits, and the served product to measure.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORT = 8099


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One measurement beside its limit; the ratio is what counts, the digits belong to the machine.
    """

    name: str
    value: float
    limit: float
    unit: str

    def line(self) -> str:
        """
        `name value unit (limit, ratio)`.
        """
        mark = "ok  " if self.value <= self.limit else "OVER"
        ratio = self.value / self.limit
        return f"{mark} {self.name:44} {self.value:10.2f} {self.unit:4} limit {self.limit:g} ({ratio:.2f} of it)"


def quantile(values: Sequence[float], share: float) -> float:
    """
    The value below which `share` of them lie.
    """
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def ask(
    connection: http.client.HTTPConnection, path: str, body: bytes | None, method: str = "POST"
) -> tuple[int, bytes]:
    """
    One request, and its status and body.
    """
    connection.request(method, path, body, {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


class Server:
    """
    The served product in a process of its own, ended by its pid.
    """

    def __init__(self, data: Path, port: int = PORT, config: Path | None = None) -> None:
        self.port = port
        command = [sys.executable, "-m", "service.cli", "serve", "--data", str(data), "--port", str(port)]
        command += ["--config", str(config)] if config else []
        self.started = time.perf_counter()
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait(self, path: str = "/readyz", seconds: float = 120) -> float:
        """
        Seconds from the start until it answers that it is ready.
        """
        while time.perf_counter() - self.started < seconds:
            try:
                if self.request("GET", path)[0] == 200:
                    return time.perf_counter() - self.started
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended: {(self.process.stderr or sys.stdin).read()[-2000:]!r}")
            time.sleep(0.02)
        raise SystemExit("the server did not become ready")

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """
        One request on a connection of its own.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            return ask(connection, path, body, method)
        finally:
            connection.close()

    def busy(self) -> float:
        """
        Seconds of processor time that it has used, all threads together.
        """
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """
        End the process.
        """
        self.process.terminate()
        self.process.wait(30)
