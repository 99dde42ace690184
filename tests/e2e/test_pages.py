"""
The pages in a real browser: paste an alert, read the answer at a glance, see the evidence; nothing comes from elsewhere.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from service.api.app import create_app
from service.demo import alerts, load
from tests.deployment import Deployment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def url(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    A served demo organisation.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    memory = load(deployment.settings(tmp_path_factory.mktemp("pages")))
    server = uvicorn.Server(uvicorn.Config(create_app(memory), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """
    A page of some size that may load nothing from elsewhere, and must not complain.
    """
    width, height = request.param
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=True)
    found = context.new_page()
    found.set_default_timeout(5000)
    found.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("request", lambda asked: None if asked.url.startswith(url) else complaints.append(f"asked {asked.url}"))
    found.goto(url)
    yield found
    folder = os.environ.get("PRECEDENT_SCREENSHOTS")
    if folder:
        name = request.node.name.replace("[", "-").rstrip("]")
        found.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    context.close()
    # the browser tells of every refused input, which one test is about
    assert [one for one in complaints if "422" not in one] == []


def asked(page: Page, text: str) -> str:
    page.get_by_label("Paste an alert").fill(text)
    page.get_by_role("button", name="Answer", exact=True).click()
    return page.locator("main").inner_text()


def test_a_pasted_alert_is_answered_with_its_evidence(page: Page) -> None:
    text = asked(page, alerts()[0].read_text())
    for wanted in ("checkout", "selma", "Vouchers can be split over two orders", "LK-137", "rollback", "could not see"):
        assert wanted.lower() in text.lower()
    above = page.locator("main").evaluate("main => main.getBoundingClientRect().top")
    assert above < 200
    cited = page.locator("a[href^='#']").first
    target = page.locator(str(cited.get_attribute("href")))
    cited.click()
    assert target.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_an_alert_that_tells_nothing_is_answered_with_gaps(page: Page) -> None:
    text = asked(page, "something is slow")
    assert "cannot tell which service" in text.lower()


def test_what_an_alert_says_is_shown_and_never_run(page: Page) -> None:
    hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    text = asked(
        page, f'{{"name": "{hostile.replace(chr(34), chr(92) + chr(34))}", "labels": {{"service": "checkout"}}}}'
    )
    assert "<script>" in text
    assert page.title() not in ("1", "2")


def test_what_cannot_be_read_is_told_and_kept_in_the_field(page: Page) -> None:
    text = asked(page, '{"name": ')
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_label("Paste an alert").input_value().strip() == '{"name":', text


def test_a_service_has_its_page(page: Page) -> None:
    asked(page, alerts()[0].read_text())
    page.get_by_role("link", name="checkout", exact=True).first.click()
    assert "checkout" in page.get_by_role("heading", level=1).inner_text().lower()
