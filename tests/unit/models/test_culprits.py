"""
Culprits are read out of documents and of history itself, and each says why and how sure it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from graph.values import Change, ChangeKind, Fix, FixAction, Incident, SectionKind, Span, Statement, Trust
from models.citations import cited, mended, taken_back
from models.culprits import CONFIDENCE, Culprit, Sign, culprits
from models.traces import Traces, trace_of

ONSET = datetime(2026, 5, 1, 12, tzinfo=UTC)
SHA = "8fa3c0de11aa22bb33cc44dd55ee66ff77889900"


def change(name: str, minutes: float, title: str = "", service: str = "shop", **more: object) -> Statement[Change]:
    """
    So many minutes before the onset.
    """
    fields: dict[str, object] = {"kind": ChangeKind.DEPLOY, "services": (f"service:{service}",)}
    item = Change(id=name, at=ONSET - timedelta(minutes=minutes), title=title, **(fields | more))  # type: ignore[arg-type]  # the caller's fields
    return Statement(seq=1, item=item, record=f"r-{name}", source="s", trust=Trust.OBSERVED, known=Span(item.at))


def incident(name: str = "INC-7", **more: object) -> Statement[Incident]:
    fields: dict[str, object] = {"at": ONSET, "resolved_at": ONSET + timedelta(hours=1), "services": ("service:shop",)}
    item = Incident(id=name, title="shop is down", **(fields | more))  # type: ignore[arg-type]  # the caller's fields
    return Statement(seq=9, item=item, record=f"r-{name}", source="p", trust=Trust.DECLARED, known=Span(ONSET))


def blamed(changes: Sequence[Statement[Change]], *incidents: Statement[Incident]) -> tuple[Culprit, ...]:
    return culprits(incidents, Traces.of(trace_of(one) for one in changes))[0]


def test_a_named_cause_is_found_by_the_beginning_of_its_hash_and_by_the_deploy_of_it() -> None:
    log = [change(SHA, 60), change("d-1", 30, revision=SHA), change("other", 20)]
    (found,) = blamed(log, incident(caused_by=(SHA[:9],)))
    assert found.named
    assert found.answers == {SHA, "d-1"}
    assert found.evidence == (f"r-{SHA}", "r-INC-7", "r-d-1")


@pytest.mark.parametrize(
    "undo",
    [
        {"reverts": "bad"},
        {"text": f"This reverts commit {SHA}."},
        {"title": 'Revert "Load all the carts"'},
        {"kind": ChangeKind.ROLLBACK, "revision": "v1"},
    ],
)
def test_what_was_taken_back_while_it_lasted_is_the_culprit(undo: dict[str, object]) -> None:
    name = SHA if "text" in undo else "bad"
    log = [
        change("old", 900, "Some old thing", revision="v0"),
        change(name, 40, "Load all the carts", revision="v2", previous="v1"),
        change("undo", -20, **undo),  # type: ignore[arg-type]  # the caller's fields
    ]
    (found,) = blamed(log, incident())
    assert (found.change, found.signs, found.incident) == (name, (Sign.TAKEN_BACK,), "INC-7")
    assert found.confidence == CONFIDENCE[Sign.TAKEN_BACK]
    assert "undo took it back" in found.says


def test_what_was_taken_back_elsewhere_is_not_put_down_to_the_incident() -> None:
    log = [change("bad", 40, service="wiki"), change("undo", -20, service="wiki", reverts="bad")]
    (found,) = blamed(log, incident())
    assert (found.incident, found.signs, found.change) == (None, (Sign.REVERTED,), "bad")


def test_a_fix_that_names_it_and_a_postmortem_that_cites_it_make_it_surer() -> None:
    log = [change(SHA, 60), change("fix", -30, f"Close sessions (fixes {SHA[:10]})")]
    (one,) = blamed(log, incident())
    (both,) = blamed(log, incident(sections={SectionKind.CAUSE: f"It came with commit {SHA[:8]}."}))
    assert one.signs == (Sign.FIX_NAMES,)
    assert set(both.signs) == {Sign.CITED_AS_CAUSE, Sign.FIX_NAMES}
    assert one.confidence < both.confidence < 0.95


def test_the_version_that_somebody_went_back_to_is_no_culprit() -> None:
    log = [change("d-1", 3000, revision="1.4.0"), change("d-2", 60, revision="1.5.0", previous="1.4.0")]
    text = "Rolled back `shop` to `1.4.0`."
    fix = Fix(action=FixAction.ROLLBACK, target="shop", quote=text, reverts="1.5.0")
    (found,) = blamed(log, incident(sections={SectionKind.RESOLUTION: text}, fixes=(fix,)))
    assert (found.change, found.signs) == ("d-2", (Sign.FIX_REVERTS,))


def test_nothing_after_the_onset_and_nothing_of_last_year_is_a_culprit() -> None:
    log = [change(SHA, -30), change("1" * 20 + "a" * 20, 60 * 24 * 300)]
    text = {SectionKind.CAUSE: f"See {SHA[:8]} and {'1' * 20 + 'a' * 20}."}
    assert blamed(log, incident(sections=text)) == ()


def test_a_merge_that_is_cited_by_its_number_is_known_by_it() -> None:
    log = [change(SHA, 60, "Upgrade the ingress (#2067)")]
    (found,) = blamed(
        log, incident(sections={SectionKind.TRIGGER: "Merging https://git.example/a/b/pull/2067 did it."})
    )
    assert found.change == SHA


def test_signs_are_believed_as_far_as_they_were_right_here() -> None:
    log = [change("bad", 40), change("undo", -20, reverts="bad"), change("worse", 50)]
    right = culprits([incident(caused_by=("bad",))], Traces.of(map(trace_of, log)))[1]
    wrong = culprits([incident(caused_by=("worse",))], Traces.of(map(trace_of, log)))[1]
    seen = {one.sign: one for one in right}[Sign.TAKEN_BACK], {one.sign: one for one in wrong}[Sign.TAKEN_BACK]
    assert [(one.right, one.of) for one in seen] == [(1, 1), (0, 1)]
    assert seen[1].confidence < CONFIDENCE[Sign.TAKEN_BACK] < seen[0].confidence


def test_texts_cite_as_people_write() -> None:
    assert mended(f'Fixes: {SHA[:12]} ("cart: load")\nfixes #12, regression from #34') == [SHA[:12], "#34"]
    assert mended("broken since https://git.example/a/b/commit/8fa3c0de11") == ["8fa3c0de11"]
    assert taken_back("Reverts acme/shop#567") == ["#567"]
    assert taken_back("Reverts #567 and this reverts commit 8fa3c0de11aa") == ["#567", "8fa3c0de11aa"]
    assert [one for one, _ in cited("the facade at 1234567, v1.2.3 and `d-0008` by abc1234")] == [
        "v1.2.3",
        "d-0008",
        "abc1234",
    ]


def test_what_is_cited_as_a_fix_is_no_culprit_but_what_it_took_back_is() -> None:
    log = [
        change("1" * 12, 60, "Merge pull request #20 from acme/bump"),
        change("2" * 12, -20, "Merge pull request #21 from acme/revert-20-bump"),
        change("3" * 12, 30, "Merge pull request #22 from acme/limits"),
    ]  # fmt: skip
    text = "At 11:00 #20 was merged. We reverted it in #21; later #22 fixed the limits."
    found = blamed(log, incident(services=(), sections={SectionKind.TIMELINE: text}))
    assert [(one.change, set(one.signs)) for one in found] == [("1" * 12, {Sign.CITED_AS_CAUSE, Sign.FIX_REVERTS})]
