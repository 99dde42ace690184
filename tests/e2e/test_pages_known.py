"""
The pages of what is known, in a real browser: search, services, incidents, sources, identity, readiness.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
import pytest

from graph.contract import Yield
from graph.values import Fact, FactKind, Record, Span, Trust
from service.demo import load
from service.wiring import Memory
from tests.browsing import DESKTOP, PHONE, looking, served
from tests.deployment import Deployment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIDE = 100
PAGES = ("/services", "/services/checkout", "/services/hub", "/incidents/LK-137", "/search?q=checkout", "/sources",
         "/identity", "/readiness")  # fmt: skip


def state(memory: Memory, source: str, part: str, *facts: Fact) -> None:
    now = datetime.now(UTC)
    made = Record(id=f"r-{source}-{part}", source=source, connector="mapping", part=part, body="{}", digest="0" * 64,
                  received_at=now)  # fmt: skip
    memory.store.append([made])
    memory.store.apply([Yield(record=made.id, items=facts, trust=Trust.DECLARED)])


def depends(one: str, other: str) -> Fact:
    return Fact(kind=FactKind.DEPENDS_ON, subject=f"service:{one}", object=f"service:{other}")


@pytest.fixture(scope="module")
def memory(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """
    The demo organisation with a service of two hundred neighbours, one that changed hands, and two names for one thing.
    """
    found = load(deployment.settings(tmp_path_factory.mktemp("known")))
    near = [depends("hub", f"needed-{number:03d}") for number in range(SIDE)]
    near += [depends(f"caller-{number:03d}-of-a-long-name", "hub") for number in range(SIDE)]
    hub = Fact(kind=FactKind.ENTITY, subject="service:hub", attributes={"slo.latency": "99.9 % over 30d", "tier": "1"})
    state(found, "made", "hub", hub, *near)
    turn = datetime(2026, 6, 1, tzinfo=UTC)
    state(
        found, "made", "handed",
        Fact(kind=FactKind.ENTITY, subject="service:handed", attributes={"type": "service"}),
        Fact(kind=FactKind.OWNED_BY, subject="service:handed", object="team:platform", valid=Span(None, turn)),
        Fact(kind=FactKind.OWNED_BY, subject="service:handed", object="team:payments", valid=Span(turn, None)),
    )  # fmt: skip
    alike = {"pagerduty.com/service-id": "P900", "type": "service"}
    for source, name in (("one", "ledger-writer"), ("other", "ledgerwriter")):
        state(
            found, source, name,
            Fact(kind=FactKind.ENTITY, subject=f"service:{name}", attributes=alike),
            Fact(kind=FactKind.ALIAS, subject=f"service:{name}", object="P900", attributes={"seen_in": "pagerduty"}),
        )  # fmt: skip
    found.follow()
    return found


@pytest.fixture(scope="module")
def url(memory: Memory) -> Iterator[str]:
    with served(memory) as found:
        yield found


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with looking(browser, url) as found:
        found.goto(url)
        yield found


def section(page: Page, name: str) -> str:
    return page.get_by_role("region", name=name).first.inner_text()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_fits_its_screen(browser: Browser, url: str, path: str, size: tuple[int, int]) -> None:
    with looking(browser, url, size, name=f"known{path.replace('/', '-').replace('?', '-')}-{size[0]}") as page:
        page.goto(url + path)
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), "wider than the screen"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_twin_of_data(url: str, path: str) -> None:
    got = httpx2.get(url + path, headers={"accept": "application/json"})
    assert (got.status_code, got.headers["content-type"]) == (200, "application/json")
    assert isinstance(got.json(), dict)


def test_a_slash_goes_to_the_search_and_finds_by_every_kind(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("checkout")
    page.keyboard.press("Enter")
    assert "checkout-api" in section(page, "Services")
    assert "LK-109" in section(page, "Incidents")
    assert "Checkout errors" in section(page, "Runbooks")
    assert "CheckoutErrorRateHigh" in section(page, "Alert rules")
    for text, kind, found in (("d-0407", "Changes", "Vouchers"), ("LK-137", "Incidents", "third time"), ("payments", "Teams", "payments")):  # fmt: skip
        page.get_by_role("searchbox").fill(text)
        page.get_by_role("searchbox").press("Enter")
        assert found in section(page, kind)
    page.get_by_role("searchbox").fill("zzyzx-nothing")
    page.get_by_role("searchbox").press("Enter")
    assert "Nothing is known by that" in page.locator("main").inner_text()


def test_a_service_tells_whose_it_is_what_happened_and_what_it_needs(page: Page, url: str) -> None:
    page.goto(f"{url}/services/checkout")
    assert "selma" in section(page, "Who owns it")
    assert "disagree" in section(page, "Who owns it")
    assert "d-0407" in section(page, "Last change")
    assert "LK-137" in section(page, "Incidents")
    assert "P31598" in section(page, "Names")
    page.get_by_text("As a table").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="promotions", exact=True)).first
    assert "it depends on" in row.inner_text()
    assert "declared by catalog" in row.inner_text()


def test_a_service_tells_who_owned_it_before_and_as_of_then(page: Page, url: str) -> None:
    page.goto(f"{url}/services/handed")
    told = section(page, "History of owners")
    assert told.index("payments") < told.index("platform")
    assert "2026-06-01" in told
    assert "since 2026-06-01" in section(page, "Who owns it")
    page.get_by_label("As of (what was true then), UTC").fill("2026-05-01T00:00")
    page.get_by_role("button", name="Look from then").click()
    assert "platform" in section(page, "Who owns it").split()[3]


def test_two_hundred_neighbours_can_be_read_and_used_within_a_second(page: Page, url: str) -> None:
    page.goto(f"{url}/services/hub")
    began = time.perf_counter()
    page.goto(f"{url}/services/hub", wait_until="load")
    page.get_by_label("Only those with").fill("needed-042")
    page.locator("[data-name='needed-041'].dim").first.wait_for(state="attached")
    assert time.perf_counter() - began < 1.0
    drawing = page.locator("svg.graph")
    assert drawing.locator(".box").count() == 2 * SIDE
    assert drawing.locator(".box:not(.dim)").count() == 1
    boxes = drawing.evaluate(
        "d => [...d.querySelectorAll('.box')].map(b => { const r = b.querySelector('rect').getBoundingClientRect(),"
        " t = b.querySelector('text').getBoundingClientRect(); return [r.x, r.y, r.right, r.bottom, t.right, t.height] })"
    )
    for x, y, right, bottom, text, height in boxes:
        assert text <= right, "a name is wider than its box"
        assert height >= 11, "letters are too small to read"
        others = [one for one in boxes if one[0] < right and x < one[2] and one[1] < bottom and y < one[3]]
        assert len(others) == 1, "boxes stand over each other"
    page.get_by_label("Only those with").fill("")
    drawing.get_by_role("link", name="caller-007").click()
    assert page.url.endswith("/services/caller-007-of-a-long-name")


def test_a_line_lights_up_by_keyboard(page: Page, url: str) -> None:
    page.goto(f"{url}/services/checkout")
    link = page.locator("svg.graph .box a").first
    link.focus()
    assert page.locator("svg.graph .edge.lit").count() == 1


def test_an_incident_tells_cause_fix_and_what_is_open(page: Page, url: str) -> None:
    page.goto(f"{url}/incidents/LK-137")
    assert "d-0319" in section(page, "What caused it")
    assert "Rolled back" in section(page, "What ended it")
    assert "1 open" in section(page, "Follow-ups")
    timeline = section(page, "Timeline")
    assert timeline.index("it began") < timeline.index("it was detected") < timeline.index("it was resolved")
    assert "LK-109" in section(page, "Others of the same kind")
    page.goto(f"{url}/incidents/none-such")
    assert "none-such" in page.get_by_role("alert").inner_text()


def test_what_is_in_quarantine_is_shown_with_its_reason_and_tried_again(page: Page, url: str) -> None:
    httpx2.post(f"{url}/v1/ingest/changes", params={"source": "broken", "path": "a.jsonl"}, content=b'{"id": "x"}\n')
    for _ in range(50):
        page.goto(f"{url}/sources")
        if "broken" in section(page, "In quarantine"):
            break
        time.sleep(0.1)
    assert "failing" in page.get_by_role("row").filter(has_text="broken").first.inner_text()
    reason = section(page, "In quarantine")
    assert "a.jsonl" in reason
    page.get_by_role("button", name="Retry all of broken").click()
    assert "1 record is tried again" in page.get_by_role("status").inner_text()


def test_a_proposed_merge_is_decided_and_taken_back(page: Page, url: str) -> None:
    page.goto(f"{url}/identity")
    proposal = page.get_by_role("region").filter(has_text="ledger-writer").filter(has_text="ledgerwriter").first
    assert "for" in proposal.inner_text()
    proposal.get_by_role("button", name="They are not one").click()
    assert "Decided: reject" in page.get_by_role("status").inner_text()
    assert page.get_by_role("button", name="They are not one").count() == 0
    page.get_by_role("button", name="Undo reject").first.click()
    assert page.get_by_role("button", name="They are not one").count() == 1
    page.get_by_role("button", name="They are one").first.click()
    assert "Decided: confirm" in page.get_by_role("status").inner_text()


def test_readiness_says_what_to_mend_next(page: Page, url: str) -> None:
    page.goto(f"{url}/readiness")
    assert "name an owner in the catalogue" in section(page, "What to mend next")
    assert "%" in section(page, "Who owns it")
    page.get_by_label("Only those with").fill("warehouse")
    shown = page.locator("tr[data-name]:not(.dim)")
    assert shown.count() == 1
    assert "warehouse-sync" in shown.first.inner_text()
