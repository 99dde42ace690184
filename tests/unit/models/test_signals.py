"""
What a caller saw tells when it began, where, and what else it may be than a change.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.hypotheses import hypotheses
from models.signals import Delta, Edge, Firing, Signals

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def before(minutes: float) -> datetime:
    return AT - timedelta(minutes=minutes)


def causes(signals: Signals, text: str = "", hurt: tuple[str, ...] = ("shop",), reached: int = 1) -> list[str]:
    return [term.name for term in hypotheses(text, signals, signals.onset(AT), hurt, reached)]


def test_the_onset_is_the_first_failure_and_not_the_alert_nor_more_traffic() -> None:
    rise = Delta(service="shop", metric="requests_per_sec", before=10, after=12, since=before(30))
    errors = Delta(service="shop", metric="http_5xx_ratio", before=0.0, after=0.4, since=before(7))
    assert Signals(metrics=(rise, errors)).onset(AT) == before(7)
    assert Signals(metrics=(errors,), alerts=(Firing(name="other", at=before(9)),)).onset(AT) == before(9)
    assert Signals(metrics=(errors,), began=before(3)).onset(AT) == before(3)
    assert Signals(notes=("slow",)).onset(AT) == AT


def test_who_fails_by_itself_comes_before_who_calls_it() -> None:
    edges = (Edge(caller="", callee="web", failed=9), Edge(caller="web", callee="shop", failed=9))
    assert Signals(edges=edges).first() == ("shop", "web")
    assert Signals(edges=edges, failing=("db",)).first() == ("db",)


def test_who_names_another_in_its_errors_suffers_from_it() -> None:
    told = (("web", "upstream shop returned 502", 900.0), ("shop", "pool exhausted", 10.0))
    assert Signals(patterns=told).first() == ("shop", "web")


def test_the_first_to_fail_comes_first() -> None:
    late = Delta(service="a", metric="error_ratio", before=0, after=1, since=before(2))
    early = Delta(service="b", metric="error_ratio", before=0, after=1, since=before(6))
    assert Signals(metrics=(late, early)).first() == ("b", "a")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("x509: certificate has expired or is not yet valid", "certificate"),
        ("node ip-10-0-0-1 NotReady", "hardware"),
        ("403: Quota exceeded for quota metric 'writes'", "quota"),
        ("plugin/forward: all upstreams down; returning SERVFAIL", "provider"),
        ("malformed record at offset 5, poison message", "data"),
        ("NotBefore lies in the future: clock skew of 180 s", "clock"),
    ],
)
def test_words_of_another_cause_name_it(text: str, cause: str) -> None:
    assert causes(Signals(notes=(text,)))[0] == cause
    assert causes(Signals(notes=("null pointer in handler",))) == []


def test_traffic_that_comes_in_is_a_cause_and_what_a_failing_service_sends_is_none() -> None:
    surge = Delta(service="shop", metric="requests_per_sec", before=900, after=4000, since=before(9))
    assert causes(Signals(metrics=(surge,))) == ["traffic"]
    called = Delta(service="catalog", metric="requests_per_sec", before=900, after=4000, since=before(9))
    assert causes(Signals(metrics=(called,), edges=(Edge(caller="shop", callee="catalog"),))) == []
    backlog = Delta(service="shop", metric="consumer_lag_records", before=900, after=90000, since=before(9))
    assert causes(Signals(metrics=(backlog,))) == []


def test_a_certificate_that_ended_at_the_onset_weighs_more_than_its_words() -> None:
    errors = Delta(service="shop", metric="error_ratio", before=0, after=1, since=before(6))
    words = hypotheses("certificate has expired", Signals(metrics=(errors,)), before(6))
    moment = f"certificate has expired, notAfter {before(6):%Y-%m-%dT%H:%M:%SZ}"
    timed = hypotheses(moment, Signals(metrics=(errors,)), before(6))
    assert timed[0].weight > words[0].weight
    assert "11:54" in timed[0].says


def test_services_that_fail_at_once_without_a_change_that_reached_all_point_outside() -> None:
    failing = [
        Delta(service=name, metric="error_ratio", before=0, after=1, since=before(6)) for name in ("aaa", "bbb", "ccc")
    ]
    signals = Signals(metrics=tuple(failing))
    assert causes(signals, hurt=("aaa",), reached=1) == ["provider"]
    assert causes(signals, hurt=("aaa",), reached=3) == []
    linked = Signals(metrics=tuple(failing), edges=(Edge(caller="aaa", callee="bbb"), Edge(caller="bbb", callee="ccc")))
    assert causes(linked, hurt=("aaa",), reached=1) == []


def test_one_zone_in_the_errors_of_several_services_is_named() -> None:
    told = tuple((name, "i/o timeout (zone eu-west-1b)", 5.0) for name in ("a", "b"))
    assert causes(Signals(patterns=told)) == ["hardware"]
    assert causes(Signals(patterns=told[:1])) == []


def test_one_record_that_fails_again_and_again_is_bad_data() -> None:
    told = (("shop", "cannot parse record_id=geo-8f3a2174", 30.0),)
    assert causes(Signals(patterns=told)) == ["data"]
