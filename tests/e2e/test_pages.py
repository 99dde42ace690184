"""
The pages in a real browser: paste an alert, read the answer at a glance, see the evidence; nothing comes from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from service.demo import alerts, load
from tests.browsing import DESKTOP, PHONE, looking, served
from tests.deployment import Deployment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def url(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    A served demo organisation.
    """
    with served(load(deployment.settings(tmp_path_factory.mktemp("pages")))) as found:
        yield found


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    name = request.node.name.replace("[", "-").rstrip("]")
    with looking(browser, url, request.param, name=name) as found:
        found.goto(url)
        yield found
        assert found.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), "wider than the screen"


@pytest.fixture
def desktop(browser: Browser, url: str) -> Iterator[Page]:
    with looking(browser, url) as found:
        found.goto(url)
        yield found


def asked(page: Page, text: str) -> str:
    page.get_by_label("Paste an alert").fill(text)
    page.get_by_role("button", name="Answer", exact=True).click()
    return page.locator("main").inner_text()


def section(page: Page, name: str) -> str:
    return page.get_by_role("region", name=name).first.inner_text()


def test_a_pasted_alert_is_answered_with_its_evidence(page: Page) -> None:
    text = asked(page, alerts()[0].read_text())
    for wanted in ("checkout", "selma", "Vouchers can be split over two orders", "LK-137", "rollback", "could not see"):
        assert wanted.lower() in text.lower()
    cited = page.locator("details.cite").first
    cited.locator("summary").click()
    target = page.locator(str(cited.locator("a").first.get_attribute("href")))
    cited.locator("a").first.click()
    assert target.is_visible()


@pytest.mark.parametrize("alert", alerts(), ids=lambda path: path.stem)
def test_what_matters_is_seen_without_scrolling(desktop: Page, alert: Path) -> None:
    """
    Owner, top suspect, last fix, how sure, and the gaps, on a small screen.
    """
    asked(desktop, alert.read_text())
    for name in ("Who owns it", "What changed", "What fixed it last time", "What we could not see"):
        box = desktop.get_by_role("region", name=name, exact=True).bounding_box()
        assert box, name
        assert box["y"] + box["height"] <= DESKTOP[1], name


def test_an_answer_has_its_reasons_and_its_doubts(desktop: Page) -> None:
    asked(desktop, alerts()[0].read_text())
    suspects = section(desktop, "Suspects before the onset")
    assert "17 min before the onset" in suspects
    assert "on checkout-prod, which the alert is about" in suspects
    assert "no known change explains it" in suspects
    drawn = desktop.get_by_role("img", name="Time line of suspects").first
    assert "1: deploy d-0407, 17 min before the onset" in str(drawn.get_attribute("aria-label"))
    precedents = section(desktop, "Precedents")
    assert "It came back after 36 days: LK-137" in precedents
    assert "did not help" in precedents
    assert "Raising the pool to 40 connections helped for ten minutes only." in precedents
    steps = section(desktop, "Runbook steps, as written")
    assert "larkctl rollback checkout" in steps
    assert "Needs a person" in steps
    assert "codeowners says platform" in section(desktop, "Who owns it")


def test_an_answer_keeps_its_address_and_is_copied_as_markdown(desktop: Page, url: str) -> None:
    asked(desktop, alerts()[0].read_text())
    address = desktop.url
    assert "/answers/a-" in address
    desktop.get_by_text("Copy as Markdown").click()
    markdown = desktop.get_by_label("The answer as Markdown").input_value()
    assert markdown.startswith("## CheckoutErrorRateHigh")
    assert address in markdown
    assert "d-0407" in markdown
    got = httpx2.get(address, params={"format": "markdown"})
    assert got.headers["content-type"].startswith("text/markdown")
    assert got.text.splitlines() == markdown.splitlines()
    desktop.get_by_role("button", name="Copy", exact=True).click()
    desktop.get_by_role("button", name="Copied").wait_for()


def test_the_same_alert_is_asked_again_from_another_moment(desktop: Page) -> None:
    """
    Known the day before the deploy was made, it is no suspect.
    """
    asked(desktop, alerts()[0].read_text())
    for label in ("As of (what was true then), UTC", "Known at (what we knew then), UTC"):
        desktop.get_by_label(label).fill("2026-10-29T00:00")
    desktop.get_by_role("button", name="Ask again").click()
    assert "d-0407" not in section(desktop, "What changed")
    assert "as of 2026-10-29 00:00" in desktop.locator(".foot").inner_text()


def test_a_verdict_is_noted_without_leaving_the_page(desktop: Page, url: str) -> None:
    asked(desktop, alerts()[0].read_text())
    desktop.get_by_role("button", name="not the cause").first.click()
    desktop.get_by_text("noted", exact=False).first.wait_for()
    assert desktop.url.endswith(desktop.url.rsplit("/", 1)[1])
    assert "?" not in desktop.url


def test_a_verdict_is_noted_without_a_script_too(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    asked(page, alerts()[0].read_text())
    page.get_by_role("button", name="useful", exact=True).click()
    assert "Noted: useful" in page.locator("main").inner_text()
    context.close()


def test_a_form_that_is_not_ours_changes_nothing(desktop: Page, url: str) -> None:
    asked(desktop, alerts()[0].read_text())
    body = {"verdict": "useful", "csrf": "0" * 32}
    refused = httpx2.post(f"{desktop.url}/feedback", data=body, headers={"accept": "application/json"})
    assert (refused.status_code, refused.json()["status"]) == (403, 403)
    elsewhere = httpx2.post(f"{desktop.url}/feedback", data=body, headers={"origin": "https://evil.example"})
    assert elsewhere.status_code == 403


def test_a_page_has_a_twin_of_data_at_its_address(desktop: Page, url: str) -> None:
    asked(desktop, alerts()[0].read_text())
    for got in (
        httpx2.get(desktop.url, params={"format": "json"}),
        httpx2.get(desktop.url, headers={"accept": "application/json"}),
    ):
        assert got.headers["content-type"] == "application/json"
        assert got.content == httpx2.get(desktop.url.replace("/answers/", "/v1/answers/")).content
    home = httpx2.get(url, headers={"accept": "application/json"}).json()
    assert home["questions"][0]["answer_id"].startswith("a-")
    assert {one["name"] for one in home["ended"]} >= {"CheckoutErrorRateHigh"}


def test_the_first_page_lists_what_fired_and_what_was_asked(page: Page) -> None:
    page.get_by_role("button", name="CheckoutErrorRateHigh").first.click()
    assert "checkout" in section(page, "Who owns it")
    page.get_by_role("link", name="Precedent", exact=True).click()
    page.get_by_role("region", name="Asked last").get_by_role("link", name="CheckoutErrorRateHigh").first.click()
    assert "/answers/a-" in page.url


def test_what_is_pasted_anywhere_lands_in_the_field(desktop: Page) -> None:
    desktop.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData('text/plain', 'CartLatencyHigh');
            document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}));
        }"""
    )
    assert desktop.get_by_label("Paste an alert").input_value() == "CartLatencyHigh"


def test_an_alert_that_tells_nothing_is_answered_with_gaps(page: Page) -> None:
    text = asked(page, "something is slow")
    assert "cannot tell which service" in text.lower()


def test_what_an_alert_says_is_shown_and_never_run(page: Page) -> None:
    hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    text = asked(page, json.dumps({"name": hostile, "labels": {"service": "checkout"}}))
    assert "<script>" in text
    assert page.title() not in ("1", "2")


def test_what_cannot_be_read_is_told_and_kept_in_the_field(page: Page) -> None:
    text = asked(page, '{"name": ')
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_label("Paste an alert").input_value().strip() == '{"name":', text


def test_what_is_not_there_is_told_to_a_person(desktop: Page, url: str) -> None:
    desktop.goto(f"{url}/answers/a-none")
    assert "there is no answer a-none" in desktop.get_by_role("alert").inner_text()
    assert httpx2.get(f"{url}/answers/a-none?format=json").json()["status"] == 404


def test_the_first_page_is_small(url: str) -> None:
    sizes = [len(httpx2.get(f"{url}/{name}").content) for name in ("", "style.css", "page.js", "mark.svg")]
    assert sum(sizes) < 60_000
