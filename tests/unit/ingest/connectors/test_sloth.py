"""
Objectives for Prometheus.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from graph.values import Fact, FactKind
from ingest.connectors import connector
from tests.unit.ingest.connectors.reading import read
from tests.unit.ingest.connectors.stating import data, edges, refused


def told(name: str) -> list[tuple[str, dict[str, str]]]:
    """
    (service, what is said of it) in a file of ours.
    """
    found = read("sloth", data(name), path=name)
    return [
        (one.subject, dict(one.attributes)) for one in found if isinstance(one, Fact) and one.kind is FactKind.ENTITY
    ]


def test_specifications_of_sloth_and_of_pyrra_are_attributes_of_their_services() -> None:
    assert told("sloth.yaml") == [
        (
            "service:till",
            {
                "slo.requests-availability": "99.9 % over 30d",
                "slo.requests-availability.measures": "Payments go through; errors sum(rate(pay_failed_total[{{.window}}])) "
                "of sum(rate(pay_total[{{.window}}]))",
            },
        ),
        ("service:till", {"slo.speed": "99 % over 30d", "slo.speed.measures": "plugin sloth-common/latency"}),
        ("service:scanner", {"slo.reads": "95 % over 30d", "slo.reads.measures": "misreads"}),
        (
            "service:receipts",
            {
                "slo.receipts-errors": "99.5 % over 2w",
                "slo.receipts-errors.measures": 'Receipts print; errors print_total{job="receipts",code=~"5.."} '
                'of print_total{job="receipts"}',
            },
        ),
    ]
    assert edges(read("sloth", data("sloth.yaml"), path="sloth.yaml"), FactKind.OWNED_BY) == {
        ("service:till", "team:counters"),
        ("service:scanner", "team:hardware"),
        ("service:receipts", "team:counters"),
    }


def test_recording_rules_say_it_again() -> None:
    wanted = [
        ("service:till", {"slo.speed": "99.9 % over 28d", "slo.speed.measures": "slow / all"}),
        (
            "service:receipts",
            {
                "slo.receipts-errors": "99.5 % over 14d",
                "slo.receipts-errors.measures": "sum(increase(print_total[2w]))",
            },
        ),
    ]
    assert told("sloth_rules.yaml") == wanted
    rules = yaml.safe_load(data("sloth_rules.yaml"))
    wrapped = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "spec": rules}
    parts = [piece.part for piece in connector("sloth").split(yaml.safe_dump(wrapped).encode(), {"path": "r.yaml"})]
    assert parts == ["r.yaml#slo:till/speed", "r.yaml#slo:receipts/receipts-errors"]


def test_what_is_no_objective_says_so(shared: Path) -> None:
    assert refused("sloth", b"groups: []\n", "r.yaml") == [
        "r.yaml has no objectives: neither `slos` of Sloth, nor Pyrra's objects, nor their recording rules"
    ]
    (problem,) = refused("sloth", b"version: prometheus/v1\nservice: a\nslos: [{name: b, objective: 999}]\n", "s.yaml")
    assert problem.endswith("the objective is no percentage above 0 and up to 100; write it like 99.9")
    rules = (shared / "samples/prometheus_rules/alertmanager-prometheusRule.yaml").read_bytes()
    assert "has no objectives" in refused("sloth", rules, "rules.yaml")[0]
