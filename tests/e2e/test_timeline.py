"""
The timeline of an incident: what happened, and since when it was known, with links and without a word of ours beyond.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.testclient import TestClient

from service.timeline import _url


def timeline(client: TestClient, **asked: str) -> Any:
    answer = client.get("/v1/timeline", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_changes_alerts_and_what_the_document_tells_stand_in_order(client: TestClient) -> None:
    found = timeline(client, incident="LK-137")
    rows = [(one["at"][11:16], one["what"], one.get("id") or one.get("says")) for one in found["events"]]
    assert rows == sorted(rows, key=lambda row: [one["at"] for one in found["events"]][rows.index(row)])
    assert [row for row in rows if row[1] in ("change", "began", "detected", "resolved")][-5:] == [
        ("12:18", "change", "d-0319"), ("12:40", "began", "LK-137"), ("12:43", "detected", "LK-137"),
        ("13:08", "change", "d-0320"), ("13:10", "resolved", "LK-137"),
    ]  # fmt: skip
    assert ("12:43", "alert", "CheckoutErrorRateHigh") in rows
    assert ("12:40", "entry", "first errors") in rows
    assert all(one["evidence"] for one in found["events"])


def test_what_was_known_later_says_so(client: TestClient) -> None:
    found = timeline(client, incident="lk-137")
    late = {one["what"]: one["known_late"] for one in found["events"]}
    assert (late["change"], late["began"]) == (False, True)
    before = timeline(client, incident="LK-101", known_at="2026-12-01T00:00:00Z")
    assert before["incident"]["id"] == "LK-101"
    gone = client.get("/v1/timeline", params={"incident": "LK-137", "known_at": "2026-10-21T00:00:00Z"})
    assert gone.status_code == 404


def test_as_markdown_with_links(client: TestClient) -> None:
    asked = {"incident": "LK-137"}
    text = client.get("/v1/timeline", params=asked | {"format": "markdown"})
    assert text.headers["content-type"].startswith("text/markdown")
    assert client.get("/v1/timeline", params=asked, headers={"accept": "text/markdown"}).text == text.text
    lines = [line for line in text.text.splitlines() if line.startswith("|")]
    assert len(lines) == len(timeline(client, **asked)["events"]) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {6}
    assert "[checkout](http://127.0.0.1:8080/services/checkout)" in text.text
    assert '"Rolled back \\`checkout\\` to 2026.10.19-2' in text.text


def test_a_source_cannot_end_a_link_or_a_cell() -> None:
    assert _url("javascript:alert(1)") == ""
    assert _url("https://x.example/a) [b](http://evil") == "https://x.example/a%29%20%5Bb%5D%28http://evil"
    assert _url("https://x.example/a|b\n") == "https://x.example/a%7Cb%0A"


def test_what_is_not_there_is_told_with_what_is_close(client: TestClient) -> None:
    wrong = client.get("/v1/timeline", params={"incident": "LK-1377"})
    assert (wrong.status_code, "LK-137" in wrong.json()["detail"]) == (404, True)
    assert client.get("/v1/timeline").status_code == 422


def test_a_service_is_told_as_before(client: TestClient) -> None:
    assert {one["what"] for one in timeline(client, service="checkout")["events"]} == {"change", "incident"}
