"""
What pages show of an answer: pure functions, without a server.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.pages.answer import answer_view
from service.pages.moments import ago, percent, sure
from service.pages.text import address, rendered, visible_text
from service.pages.timeline import drawing

ONSET = "2026-10-30T12:00:00Z"


def precedent(name: str, at: str, **more: Any) -> dict[str, Any]:
    fix = {"action": "rollback", "target": "shop", "quote": "Rolled back.", "held": None, "worked": True}
    return {
        "id": name, "title": name, "at": at, "probability": 0.9, "services": ["shop"], "why": [], "fix": fix, "also": [],
        "did_not_help": [], "evidence": [], "open_actions": 0, "url": None, **more,
    }  # fmt: skip


def suspect(name: str, at: str, probability: float) -> dict[str, Any]:
    terms = [
        {"name": "service", "weight": 3.0, "says": "on shop"},
        {"name": "lag", "weight": -2.0, "says": "5 days before the onset"},
        {"name": "rank", "weight": -2.0, "says": "rank"},
    ]
    return {"id": name, "kind": "deploy", "title": "", "at": at, "probability": probability, "terms": terms,
            "services": ["shop"], "evidence": [], "url": "javascript:alert(1)"}  # fmt: skip


def answer(**parts: Any) -> dict[str, Any]:
    return {
        "alert": {"name": "A", "at": ONSET, "labels": {}, "annotations": {}, "url": None},
        "service": {"candidates": [], "abstained": True, "none_probability": 1.0},
        "answer_id": "a-1",
        **parts,
    }


def test_an_answer_of_which_every_part_is_missing_is_shown_all_the_same() -> None:
    view = answer_view(answer())
    assert view["top"] == {"kind": "unread"}
    assert view["fix"] is None
    assert view["owner"] is None


def test_the_likeliest_change_is_told_only_where_it_beats_none_of_them() -> None:
    suspects = [suspect("d-1", "2026-10-25T12:00:00Z", 0.4)]
    beaten = answer_view(answer(changes={"suspects": suspects, "none_probability": 0.5, "hypotheses": []}))
    assert beaten["top"]["kind"] == "none"
    assert beaten["top"]["next"]["id"] == "d-1"
    told = answer_view(answer(changes={"suspects": suspects, "none_probability": 0.3, "hypotheses": []}))
    assert told["top"]["suspect"]["reasons"] == ["on shop"]
    assert told["top"]["suspect"]["doubts"] == ["5 days before the onset"]
    assert told["top"]["suspect"]["before"] == "5 days before the onset"
    assert told["top"]["suspect"]["link"] is None


@pytest.mark.parametrize(
    ("held", "later", "says"),
    [
        (True, [], "It held."),
        (False, [], "It did not hold."),
        (None, [precedent("LK-2", "2026-10-11T12:00:00Z")], "It came back after 10 days: LK-2 (2026-10-11)."),
        (None, [precedent("LK-2", "2026-10-11T12:00:00Z", probability=0.2)], "Nothing alike is known in the 29 days"),
        (None, [precedent("LK-2", "2026-10-11T12:00:00Z", services=["cart"])], "Nothing alike is known in the 29 days"),
    ],
)
def test_whether_a_fix_held_is_as_stated_else_by_what_came_after(
    held: bool | None, later: list[dict[str, Any]], says: str
) -> None:
    first = precedent("LK-1", "2026-10-01T12:00:00Z")
    first["fix"]["held"] = held
    found = answer_view(answer(precedents=[first, *later]))
    assert found["precedents"][0]["held"].startswith(says)


def test_suspects_stand_on_the_time_line_in_order_and_inside_it() -> None:
    suspects = [suspect("d-1", "2026-10-30T11:43:00Z", 0.7), suspect("d-2", "2026-10-25T12:00:00Z", 0.1)]
    for width in (340, 1180):
        drawn = drawing(ONSET, suspects, width)
        assert drawn
        near, far = drawn.marks
        assert 0 < far.x < near.x < drawn.onset < width
        assert near.r > far.r
        assert all(0 < x < drawn.onset for x, _ in drawn.ticks)
        assert drawn.says == "1: deploy d-1, 17 min before the onset; 2: deploy d-2, 5 days before the onset"
    late = drawing(ONSET, [suspect("d-3", "2026-10-30T12:05:00Z", 0.1)], 340)
    assert late
    assert late.marks[0].x == late.onset
    assert "after the onset" in late.says
    assert drawing(ONSET, [], 340) is None


def test_chances_never_round_to_a_certainty() -> None:
    assert [percent(one) for one in (0.001, 0.999, 0.67, 0, 1, None)] == ["<1%", ">99%", "67%", "0%", "100%", "?"]
    assert [sure(one) for one in (0.95, 0.5, 0.1, None)] == [
        "very likely",
        "more likely than not",
        "unlikely",
        "not known",
    ]
    now = datetime(2026, 10, 30, tzinfo=UTC)
    assert [ago(one, now) for one in ("2026-10-29T00:00:00Z", "2026-10-30T00:10:00Z", None)] == [
        "24 h ago",
        "in 10 min",
        "",
    ]


def test_markdown_becomes_only_what_is_on_the_list() -> None:
    made = rendered(
        "# Steps\n\n1. `kubectl get` [page](https://x.example/a) [mail](mailto:a@b.c)\n\n"
        "![shot](https://evil.example/x.png) [bad](javascript:alert(1)) [near](/sign-out) <img src=x onerror=alert(1)>"
    )
    assert "<strong>Steps</strong>" in made
    assert '<a href="https://x.example/a" rel="noopener noreferrer nofollow">page</a>' in made
    assert "<img" not in made
    assert "[image: shot]" in made
    assert 'href="javascript' not in made
    assert "/sign-out" not in made


def test_what_hides_in_a_text_is_spelled_out() -> None:
    assert visible_text("a\u202eb\u200bc\U000e0041") == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+E0041⟩"
    assert visible_text("Überfall 日本 😀\n\t") == "Überfall 日本 😀\n\t"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/x", "//x", "https:x", "http://[", "data:text/html,x", "", None]
)
def test_only_a_web_address_is_a_link(url: object) -> None:
    assert address(url) is None
    assert address("https://x.example/a?b#c") == "https://x.example/a?b#c"
