"""
The pages for those who see, hear or type otherwise: checked by axe-core in a real browser, dark and light, and used by
keyboard alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.demo import alerts, load
from service.settings import Settings
from tests.browsing import DESKTOP, PHONE, looking, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).resolve().parents[2] / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
PATHS = ("/", "answer", "unclear", "/services", "/services/checkout", "/incidents/LK-109", "/search?q=checkout", "/sources",
         "/identity", "/readiness", "/backtest", "/sign-in", "/answers/a-none")  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(load(Settings(data=tmp_path_factory.mktemp("access")))) as found:
        yield found


def go(page: Page, url: str, path: str) -> None:
    if path.startswith("/"):
        page.goto(url + path)
        return
    page.goto(url)
    page.get_by_label("Paste an alert").fill(alerts()[0].read_text() if path == "answer" else "something is slow")
    page.get_by_role("button", name="Answer", exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_serious_finding_on_any_page(browser: Browser, url: str, size: tuple[int, int], scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed (scripts/test installs it with npm)")
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    found: dict[str, list[Any]] = {}
    for path in PATHS:
        go(page, url, path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        page.evaluate(AXE.read_text())
        told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
            for one in told["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        if serious:
            found[path] = serious
    context.close()
    assert found == {}


def test_an_alert_is_asked_and_read_by_keyboard_alone(browser: Browser, url: str) -> None:
    with looking(browser, url) as page:
        page.goto(url)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("CheckoutErrorRateHigh on checkout")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/answers/**")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        reached = set()
        for _ in range(90):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.innerText || document.activeElement.value || ''"))
        assert {"1 record", "useful"} <= reached, sorted(reached)


def test_a_printed_answer_has_the_answer_and_no_forms(browser: Browser, url: str) -> None:
    with looking(browser, url) as page:
        go(page, url, "answer")
        page.emulate_media(media="print")
        assert page.get_by_role("region", name="Who owns it", exact=True).is_visible()
        assert not page.get_by_role("searchbox").is_visible()
        assert page.get_by_role("button", name="useful", exact=True).count() == 0
