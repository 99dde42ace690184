"""
The steps of docs/how-to/answer-an-alert.md, replayed by somebody who knows no more than they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.demo import alerts, load
from service.settings import Settings
from tests.browsing import chromium, looking, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "answer-an-alert.md"
ANSWERS = {
    "Who owns it, and since when?": {
        "Who owns it": ["checkout", "selma", "since 20", "disputed: codeowners says platform"],
        "Who says whose it is": ["catalog", "codeowners", "declared", "platform"],
    },
    "Which change is most likely, and why?": {
        "What changed": ["deploy d-0407", "%", "17 min before the onset", "on checkout-prod, which the alert is about"],
        "Suspects before the onset": ["d-0407", "for", "1 record", "no known change explains it"],
    },
    "What fixed it last time, and did it hold?": {
        "What fixed it last time": ["rollback checkout", "LK-137", "Rolled back", "held", "did not help"],
        "Precedents": ["LK-109", "It came back after 36 days: LK-137"],
        "Runbook steps, as written": ["larkctl rollback checkout", "Needs a person"],
    },
    "What could the system not see?": {"What we could not see": ["no logs, traces or metrics were given with the alert"]},
}  # fmt: skip
"""By question of the guide and by heading that it sends to, what is to be learned there of the demo's first alert."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    memory = load(Settings(data=tmp_path_factory.mktemp("guide")))
    with served(memory) as url, chromium() as browser, looking(browser, url) as found:
        found.goto(url)
        found.get_by_label("Paste an alert").fill(alerts()[0].read_text())
        found.get_by_role("button", name="Answer", exact=True).click()
        yield found


def told() -> dict[str, list[str]]:
    """
    The guide's questions, with the headings that their steps send to.
    """
    parts = re.split(r"(?m)^## (.+)$", GUIDE.read_text())[1:]
    steps = dict(zip(parts[::2], parts[1::2], strict=True))
    return {question: re.findall(r"\*\*(.+?)\*\*", text) for question, text in steps.items() if question.endswith("?")}


def test_the_guide_asks_what_is_replayed_here() -> None:
    assert told().keys() == ANSWERS.keys()
    for question, headings in told().items():
        assert ANSWERS[question].keys() <= set(headings), question


@pytest.mark.parametrize("question", ANSWERS)
def test_the_answer_stands_where_the_guide_says(page: Page, question: str) -> None:
    for heading, wanted in ANSWERS[question].items():
        shown = " ".join(page.get_by_role("region", name=heading).first.inner_text().split())
        for one in wanted:
            assert one in shown, f"{heading}: {shown}"


def test_every_heading_that_the_guide_names_is_there(page: Page) -> None:
    home = {"Firing now", "Fired last"}
    service = {"History of owners"}
    named = {heading for headings in told().values() for heading in headings} - service
    for heading in named - home:
        assert page.get_by_role("region", name=heading).count(), heading
    page.get_by_role("region", name="Who owns it", exact=True).get_by_role("link", name="checkout").click()
    assert page.get_by_role("region", name="History of owners").is_visible()
    page.get_by_role("link", name="Ask", exact=True).click()
    for heading in home:
        assert page.get_by_role("heading", name=heading).is_visible(), heading
