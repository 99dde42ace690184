"""
A TCP proxy that can be told to misbehave, between a store and its server.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

_CHUNK = 1 << 16


class Proxy:
    """
    Forwards to `target` (host and port of a URL) until told otherwise. What is told counts for connections that are
    there, too. `heal` ends all faults.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 7687)
        self._listener = self._listening(0)
        self._port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._delay = 0.0
        self._left: int | None = None
        self._answers_left: int | None = None
        self.cuts = 0
        """How often what was told by `cut_after` or `cut_answer` came true."""
        self._accept(self._listener)

    @property
    def url(self) -> str:
        return f"bolt://127.0.0.1:{self._port}"

    def heal(self) -> None:
        """
        Forward again; what is held back by `halt` goes on its way.
        """
        self._delay, self._left, self._answers_left = 0.0, None, None
        self._flows.set()
        if self._listener.fileno() == -1:
            self._listener = self._listening(self._port)
            self._accept(self._listener)

    def refuse(self) -> None:
        """
        As if nothing ran there: no new connections, and those that are there end.
        """
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()

    def reset(self) -> None:
        """
        End all connections in the middle of what they say.
        """
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for one in (end for pair in pairs for end in pair):
            _end(one)

    def halt(self) -> None:
        """
        Half-open: take connections and bytes, and forward nothing either way.
        """
        self._flows.clear()

    def delay(self, seconds: float) -> None:
        """
        Hold back each answer so long.
        """
        self._delay = seconds

    def cut_after(self, count: int) -> None:
        """
        End all connections, once, after so many more bytes, both ways together.
        """
        self._left = count

    def cut_answer(self, number: int) -> None:
        """
        End all connections instead of forwarding one of the next answers, counted from 0. The next are fine again.
        """
        self._answers_left = number

    def close(self) -> None:
        """
        End.
        """
        self._flows.set()
        self.refuse()

    def _listening(self, port: int) -> socket.socket:
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(("127.0.0.1", port))
        found.listen(128)
        return found

    def _accept(self, listener: socket.socket) -> None:
        threading.Thread(target=self._take, args=(listener,), daemon=True).start()

    def _take(self, listener: socket.socket) -> None:
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.append((near, far))
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                self._flows.wait()
                if answers and self._delay:
                    time.sleep(self._delay)
                part = self._uncut(data, answers)
                sink.sendall(part)
                if part != data:
                    self.reset()
        for one in (source, sink):
            _end(one)
        with self._lock:
            self._pairs = [pair for pair in self._pairs if source not in pair]

    def _uncut(self, data: bytes, answers: bool) -> bytes:
        """
        What is forwarded of it; of less than all, the connections end.
        """
        with self._lock:
            if answers and self._answers_left is not None:
                self._answers_left -= 1
                if self._answers_left < 0:
                    self._answers_left = None
                    self.cuts += 1
                    return b""
            if self._left is not None:
                part = data[: self._left]
                self._left -= len(part)
                if part != data:
                    self._left = None
                    self.cuts += 1
                    return part
            return data


def _end(one: socket.socket) -> None:
    # the first wakes whoever reads from it in another thread
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
