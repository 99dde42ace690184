"""
Suspects are ranked by exposure and evidence, and "none of these" is an answer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.values import Change, ChangeKind, Span, Statement, Trust
from models.suspects import Signals, SuspectQuestion, rank

ONSET = datetime(2026, 5, 1, 12, tzinfo=UTC)


def change(name: str, minutes: float, service: str = "shop", **more: str) -> Statement[Change]:
    item = Change(
        id=name, kind=ChangeKind.DEPLOY, at=ONSET - timedelta(minutes=minutes), services=(f"service:{service}",),
        title=more.get("title", ""), environment=more.get("environment"), region=more.get("region"), files=tuple(more.get("files", "").split()),
    )  # fmt: skip
    return Statement(seq=1, item=item, record="r", source="s", trust=Trust.OBSERVED, known=Span())


def ask(*found: Statement[Change], text: str = "", **more: str) -> list[str]:
    question = SuspectQuestion(
        at=ONSET,
        services={"service:shop": 0.9},
        neighbours={"service:db": 1},
        text=text,
        environment=more.get("environment"),
        region=more.get("region"),
    )
    return [one.id for one in rank(found, question).candidates]


def test_a_change_on_the_service_outranks_a_newer_one_elsewhere() -> None:
    assert ask(change("own", 30), change("elsewhere", 3, "wiki"))[0] == "own"


def test_a_change_on_what_it_needs_outranks_one_elsewhere() -> None:
    assert ask(change("upstream", 30, "db"), change("elsewhere", 3, "wiki"))[0] == "upstream"


def test_what_happened_after_the_onset_is_no_suspect() -> None:
    assert ask(change("before", 5), change("after", -5)) == ["before"]


def test_another_region_or_environment_is_not_exposed() -> None:
    assert ask(change("here", 90, region="eu"), change("there", 5, region="us"), region="eu")[0] == "here"
    assert (
        ask(
            change("prod", 90, environment="prod"), change("stage", 5, environment="staging"), environment="production"
        )[0]
        == "prod"
    )


def test_the_words_of_the_symptom_tell_changes_apart() -> None:
    pool = change("pool", 60, title="Open a connection per item and keep it in the pool")
    assert ask(pool, change("css", 20, title="Nicer buttons"), text="connection pool exhausted")[0] == "pool"


def test_without_any_change_none_is_certain() -> None:
    ranking = rank([], SuspectQuestion(at=ONSET, services={"service:shop": 1.0}))
    assert (ranking.none_probability, ranking.abstained) == (1.0, True)


def test_signs_of_another_cause_make_none_likelier_and_are_named() -> None:
    found = [change("own", 600)]
    plain = rank(found, SuspectQuestion(at=ONSET, services={"service:shop": 0.9}))
    signed = rank(
        found,
        SuspectQuestion(
            at=ONSET, services={"service:shop": 0.9}, signals=Signals(notes=("x509: certificate has expired",))
        ),
    )
    assert signed.none_probability > plain.none_probability
    assert signed.hypotheses[0].name == "certificate"


@given(st.lists(st.floats(0.1, 9000), max_size=30))
def test_probabilities_sum_to_one_and_order_does_not_matter(minutes: list[float]) -> None:
    found = [change(f"c{place}", one) for place, one in enumerate(minutes)]
    question = SuspectQuestion(at=ONSET, services={"service:shop": 0.9})
    one, other = rank(found, question), rank(found[::-1], question)
    assert sum(each.probability for each in one.candidates) + one.none_probability == pytest.approx(1)
    assert {each.id: round(each.probability, 9) for each in one.candidates} == {
        each.id: round(each.probability, 9) for each in other.candidates
    }
