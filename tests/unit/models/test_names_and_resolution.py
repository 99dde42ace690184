"""
Names drift; the service is found all the same, or nobody is blamed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from graph.contract import Yield
from graph.opening import open_store
from graph.values import Alert, AlertRule, Fact, FactKind, Item, Record, Span, Trust, View
from models.catalogue import Catalogue
from models.resolution import Resolver

NOW = datetime(2026, 5, 1, tzinfo=UTC)
VIEW = View(as_of=NOW, known_at=NOW)
SERVICES = ("order-api", "order-worker", "checkout", "email-alert-api", "search-admin", "whitehall", "payments")


def entity(name: str) -> Fact:
    return Fact(kind=FactKind.ENTITY, subject=f"service:{name}")


def resolver(folder: Path, *items: Item) -> Resolver:
    store = open_store(f"sqlite:///{folder}")
    record = Record(
        id="r1",
        source="s",
        connector="mapping",
        part="p",
        body="",
        digest="",
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    store.append([record])
    store.apply([Yield(record="r1", items=(*map(entity, SERVICES), *items), trust=Trust.DECLARED)])
    catalogue = Catalogue()
    catalogue.follow(store)
    store.close()
    return Resolver(catalogue)


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("Order-API", "order-api"), ("order_api", "order-api"), ("orderApi", "order-api"), ("order-api-prod-eu1", "order-api"),
        ("production-checkout", "checkout"), ("order-worker-6c9b7d58f4-wq2mz", "order-worker"), ("checkout-svc", "checkout"),
        ("https://checkout.prod.example.com/health", "checkout"), ("acme/whitehall", "whitehall"), ("email_alert_api", "email-alert-api"),
        ("arn:aws:sqs:eu-west-1:123456789012:payments-dlq", "payments"), ("paymnets", "payments"), ("whitehall-v2", "whitehall"),
    ],
)  # fmt: skip
def test_a_drifted_name_is_its_service(tmp_path: Path, name: str, service: str) -> None:
    ranking = resolver(tmp_path).lookup(name, VIEW)
    assert not ranking.abstained
    assert ranking.candidates[0].id == f"service:{service}"


@pytest.mark.parametrize("name", ["warehouse", "", "????", "production", "x" * 5000])
def test_an_unknown_name_is_nobodys(tmp_path: Path, name: str) -> None:
    assert resolver(tmp_path).lookup(name, VIEW).abstained


def test_a_rename_is_known_only_after_it_was_told(tmp_path: Path) -> None:
    renamed = Fact(
        kind=FactKind.RENAMED_TO,
        subject="service:shop",
        object="service:checkout",
        valid=Span(datetime(2026, 3, 1, tzinfo=UTC)),
    )
    found = resolver(tmp_path, renamed)
    assert found.lookup("shop", VIEW).candidates[0].id == "service:checkout"
    early = datetime(2025, 12, 1, tzinfo=UTC)
    assert found.lookup("shop", View(as_of=early, known_at=early)).abstained


def test_an_alerts_service_is_found_without_a_label(tmp_path: Path) -> None:
    rule = AlertRule(id="1", name="QueueStuck", expr="x", services=("service:order-worker",))
    found = resolver(tmp_path, rule)
    by_pod = Alert(id="a", name="PodDown", at=NOW, labels={"pod": "checkout-7d9f4b6c58-x2x9k", "namespace": "shop"})
    by_selector = Alert(id="b", name="Errors", at=NOW, expr='rate(http_total{job="email-alert-api"}[5m]) > 1')
    by_rule = Alert(id="c", name="QueueStuck", at=NOW)
    tops = [found.resolve(alert, VIEW).candidates[0].id for alert in (by_pod, by_selector, by_rule)]
    assert tops == ["service:checkout", "service:email-alert-api", "service:order-worker"]


def test_probabilities_with_none_sum_to_one(tmp_path: Path) -> None:
    ranking = resolver(tmp_path).resolve(Alert(id="a", name="OrderApiErrors", at=NOW, labels={"job": "order"}), VIEW)
    assert sum(one.probability for one in ranking.candidates) + ranking.none_probability == pytest.approx(1)


def test_a_service_label_that_several_others_contradict_does_not_decide(tmp_path: Path) -> None:
    found = resolver(tmp_path)

    def best(**labels: str) -> tuple[str, float]:
        first = found.resolve(Alert(id="a", name="HighErrorRate", at=NOW, labels=labels), VIEW).candidates[0]
        return first.id, first.probability

    running = {"deployment": "payments", "pod": "payments-6c9b7d58f4-wq2mz"}
    assert best(service="checkout", **running)[1] < 0.7
    assert best(service="checkout", job="prod/payments", **running)[0] == "service:payments"
    assert best(service="checkout", deployment="payments") == ("service:checkout", 0.97)
    assert best(service="checkout", container="checkout", **running) == ("service:checkout", 0.97)


def test_a_rejected_old_name_is_no_name(tmp_path: Path) -> None:
    told = {"verdict": "rejected"}
    cut = Fact(kind=FactKind.RENAMED_TO, subject="service:shop", object="service:checkout", attributes=told)
    found = resolver(tmp_path, cut)
    assert found.lookup("shop", VIEW).abstained
    assert found.named("Checkout", VIEW) == {"service:checkout": 1.0}
    assert found.named("shop", VIEW) == {}
