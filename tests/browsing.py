"""
A served memory, and a real browser that looks at it: it may load nothing from elsewhere and must not complain.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from service.api.app import create_app
from service.wiring import Memory

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP, PHONE = (1280, 800), (390, 844)


@contextmanager
def served(memory: Memory) -> Iterator[str]:
    """
    The address at which a memory is served; it is closed at the end.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(memory), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """
    The browser of this machine; without one the test is skipped.
    """
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@contextmanager
def looking(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, *, name: str = "") -> Iterator[Page]:
    """
    A page of some size. Whatever the browser complained of, or asked of others, fails the test at its end, but for
    refusals that a test is about. With PRECEDENT_SCREENSHOTS its last look is kept there under `name`.
    """
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    found = context.new_page()
    found.set_default_timeout(5000)
    found.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("request", lambda asked: None if asked.url.startswith(url) else complaints.append(f"asked {asked.url}"))
    yield found
    folder = os.environ.get("PRECEDENT_SCREENSHOTS")
    if folder and name:
        found.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    context.close()
    told = ("status of 401", "status of 403", "status of 404", "status of 422")
    assert [one for one in complaints if not any(status in one for status in told)] == []
