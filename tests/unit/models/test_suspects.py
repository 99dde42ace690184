"""
Suspects are ranked by exposure and evidence, and "none of these" is an answer.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.values import Change, ChangeKind, Span, Statement, Trust
from models.contract import Ranking, Term
from models.signals import Delta, Edge, Signals
from models.suspects import AREA_WEIGHTS, SENTENCES, WEIGHTS, SuspectQuestion, Weighing, rank

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


def test_without_signals_that_a_change_touches_none_says_less_against_it() -> None:
    found = [change("own", 30)]
    question = SuspectQuestion(at=ONSET, services={"service:shop": 0.9}, text="requests fail")
    unseen = rank(found, question)
    told = Signals(patterns=(("shop", "upstream closed the line", 10.0),))
    seen = rank(found, replace(question, signals=told))
    assert unseen.none_probability < seen.none_probability - 0.1


def test_a_change_on_what_it_needs_outranks_one_elsewhere() -> None:
    assert ask(change("upstream", 30, "db"), change("elsewhere", 3, "wiki"))[0] == "upstream"


def test_what_happened_after_the_onset_is_no_suspect() -> None:
    assert ask(change("before", 5), change("after", -5)) == ["before"]


def test_another_region_is_no_suspect() -> None:
    assert ask(change("here", 90, region="eu"), change("there", 5, region="us"), region="eu") == ["here"]
    assert ask(change("zone", 90, region="eu-west-1a"), change("all", 5, region="global"), region="eu-west-1") == [
        "all",
        "zone",
    ]


def test_a_flag_that_reaches_nobody_is_behind() -> None:
    flag = Change(
        id="flag",
        kind=ChangeKind.FLAG,
        at=ONSET - timedelta(minutes=5),
        services=("service:shop",),
        title="new-cart: off to 0 %",
    )
    dark = Statement(seq=2, item=flag, record="r", source="s", trust=Trust.OBSERVED, known=Span())
    assert ask(dark, change("deploy", 60))[0] == "deploy"


def test_another_environment_is_not_exposed() -> None:
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


def commit(
    name: str, minutes: float, title: str = "", diff: str = "", files: str = "pkg/a.go", **more: str
) -> Statement[Change]:
    item = Change(
        id=name, kind=ChangeKind.CODE, at=ONSET - timedelta(minutes=minutes), title=title, text=diff, files=tuple(files.split()),
        services=tuple(f"service:{one}" for one in more.get("service", "").split()), reverts=more.get("reverts"),
    )  # fmt: skip
    return Statement(seq=1, item=item, record=f"r-{name}", source="s", trust=Trust.OBSERVED, known=Span())


def deploy(name: str, minutes: float, revision: str, service: str = "shop") -> Statement[Change]:
    item = Change(
        id=name, kind=ChangeKind.DEPLOY, at=ONSET - timedelta(minutes=minutes), services=(f"service:{service}",), revision=revision,
    )  # fmt: skip
    return Statement(seq=1, item=item, record=f"r-{name}", source="s", trust=Trust.OBSERVED, known=Span())


SHOP = SuspectQuestion(at=ONSET, services={"service:shop": 0.9})


def terms(ranking: Ranking, name: str) -> dict[str, Term]:
    return {term.name: term for one in ranking.candidates if one.id == name for term in one.terms}


def test_a_commit_is_suspected_from_when_a_deploy_brought_it() -> None:
    ranking = rank([commit("c", 300), deploy("d", 10, "c")], SHOP)
    assert [one.id for one in ranking.candidates] == ["c"]
    assert ranking.candidates[0].evidence == ("r-c", "r-d")
    assert terms(ranking, "c")["deployed"].says == "deployed to shop at 11:50"


def test_a_commit_that_no_deploy_brought_is_behind_one_that_was_deployed() -> None:
    found = [commit("held", 5, service="shop"), commit("brought", 60, service="shop"), deploy("d", 30, "brought")]
    ranking = rank(found, SHOP)
    assert ranking.candidates[0].id == "brought"
    assert "held" in terms(ranking, "held")


def test_a_deploy_carries_what_came_before_it() -> None:
    found = [commit("early", 60, service="shop"), commit("head", 40, service="shop"), deploy("d", 30, "head")]
    ranking = rank(found, SHOP)
    assert {one.id for one in ranking.candidates} == {"early", "head"}
    assert "a later deploy carried it" in terms(ranking, "early")["lag"].says


def test_what_took_effect_after_it_began_is_behind() -> None:
    seen = Signals(began=ONSET - timedelta(minutes=10), notes=("slow",))
    question = SuspectQuestion(at=ONSET, services={"service:shop": 0.9}, signals=seen)
    ranking = rank([change("late", 5), change("early", 60)], question)
    assert ranking.candidates[0].id == "early"
    assert "after it began to go wrong at 11:50" in terms(ranking, "late")["late"].says


@pytest.mark.parametrize("quoted", [True, False])
def test_a_revert_is_tied_to_its_change_by_id_or_by_title(quoted: bool) -> None:
    title = 'Revert "Use the new cache (#12)"' if quoted else "Undo it"
    back = commit("back", 5, title, service="shop", **({} if quoted else {"reverts": "bad"}))
    ranking = rank([commit("bad", 30, "Use the new cache (#12)", service="shop"), back], SHOP)
    assert "taken_back" in terms(ranking, "bad")
    assert "takes_back" in terms(ranking, "back")
    assert ranking.abstained


def test_a_diff_that_changes_a_value_of_the_symptom_outranks_a_newer_one_that_moves_code() -> None:
    value = "@@ pool.go @@\n-const maxConns = 50\n+const maxConns = 10"
    moved = "@@ h.go @@\n-\tp := pool.get(conn)\n-\treturn p\n+\treturn pool.get(conn)"
    found = [commit("value", 30, "tidy", value, service="shop"), commit("moved", 6, "pool", moved, service="shop")]
    lower = Delta(service="shop", metric="db_pool_max_conns", before=50, after=10, since=ONSET - timedelta(minutes=4))
    seen = Signals(patterns=(("shop", "pool exhausted: no connection", 90.0),), metrics=(lower,))
    question = SuspectQuestion(at=ONSET, services={"service:shop": 0.9}, signals=seen)
    ranking = rank(found, question)
    assert ranking.candidates[0].id == "value"
    assert terms(ranking, "value")["seen"].says == "db_pool_max_conns went from 50 to 10, as it sets maxConns"


def test_a_name_that_the_symptom_has_is_found_in_what_a_diff_adds() -> None:
    query = '@@ dao.py @@\n+    text("SELECT id FROM shop_favorites")'
    found = [
        commit("query", 30, "endpoint", query, service="shop"),
        commit("other", 5, "colours", "@@ t.ts @@\n-a: 1\n+a: 2", service="shop"),
    ]
    seen = Signals(patterns=(("shop", 'relation "shop_favorites" does not exist', 18.0),))
    ranking = rank(found, SuspectQuestion(at=ONSET, services={"service:shop": 0.9}, signals=seen))
    assert ranking.candidates[0].id == "query"
    assert "shop_favorites" in terms(ranking, "query")["exact"].says


def test_calls_that_were_seen_make_a_neighbour() -> None:
    seen = Signals(edges=(Edge(caller="shop", callee="db", failed=3),))
    question = SuspectQuestion(at=ONSET, services={"service:shop": 0.9}, signals=seen)
    assert rank([change("far", 30, "wiki"), change("near", 60, "db")], question).candidates[0].id == "near"


def test_taking_a_term_away_changes_the_log_odds_by_what_it_said() -> None:
    found = [change("own", 30, title="connection pool"), change("elsewhere", 3, "wiki"), change("upstream", 9, "db")]
    question = SuspectQuestion(
        at=ONSET, services={"service:shop": 0.9}, neighbours={"service:db": 1}, text="connection pool exhausted"
    )
    whole = rank(found, question)
    for term in terms(whole, "own").values():
        weights = {name: 0.0 if name == term.name else weight for name, weight in WEIGHTS.items()}
        without = rank(found, question, Weighing(weights=weights))
        others = [other.weight for other in terms(whole, "elsewhere").values() if other.name == term.name]
        assert odds(whole) - odds(without) == pytest.approx(term.weight - sum(others), abs=0.06), term.name


def odds(ranking: Ranking) -> float:
    chances = {one.id: one.probability for one in ranking.candidates}
    return math.log(chances["own"] / chances["elsewhere"])


def test_every_term_has_a_sentence() -> None:
    assert not {**WEIGHTS, **AREA_WEIGHTS}.keys() - SENTENCES.keys()


def test_an_area_s_newest_change_that_stands_is_asked_first() -> None:
    found = [
        commit("stands", 90, "Use it", files="charts/app/values.yaml"), commit("gone", 40, "Try it", files="charts/app/values.yaml"),
        commit("back", 20, 'Revert "Try it"', files="charts/app/values.yaml"), commit("elsewhere", 5, files="docs/a.md"),
    ]  # fmt: skip
    ranking = rank(found, SuspectQuestion(at=ONSET, areas=("charts/app",)))
    assert ranking.candidates[0].id == "stands"
    assert not ranking.hypotheses
