"""
Rules on real files: all of them, each by itself.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import AlertRule
from tests.unit.ingest.connectors.reading import read

RULES = {
    "alertmanager-prometheusRule.yaml": (9, 9, "AlertmanagerFailedReload"),
    "awesome.argocd.embedded-exporter.yml": (2, 0, "ArgocdServiceNotSynced"),
    "awesome.caddy.embedded-exporter.yml": (3, 0, "CaddyReverseProxyDown"),
    "grafana-prometheusRule.yaml": (1, 1, "GrafanaRequestsFailing"),
    "kubePrometheus-prometheusRule.yaml": (4, 4, "TargetDown"),
    "kubeStateMetrics-prometheusRule.yaml": (4, 4, "KubeStateMetricsListErrors"),
    "otel-demo.grafana-cart-service-alerting.yml": (1, 0, "CartAddItemHighLatency"),
}
"""How many rules, how many of them with a runbook, the first one's name."""


@pytest.mark.parametrize("file", RULES)
def test_a_real_file_has_all_its_rules(shared: Path, file: str) -> None:
    found = read("prometheus_rules", (shared / "samples/prometheus_rules" / file).read_bytes(), path=file)
    rules = [one for one in found if isinstance(one, AlertRule)]
    assert (len(rules), sum(one.runbook_url is not None for one in rules), rules[0].name) == RULES[file]
    assert len({one.id for one in rules}) == len(found)
    assert all(one.expr for one in rules)


def test_one_alert_at_two_severities_is_two_rules() -> None:
    text = b"""groups:
- name: disk
  rules:
  - {alert: DiskFills, expr: free < 20, labels: {severity: warning, flag: true}}
  - {alert: DiskFills, expr: free < 5, labels: {severity: critical}}
"""
    one, two = (rule for rule in read("prometheus_rules", text, path="rules.yaml") if isinstance(rule, AlertRule))
    assert (one.name, one.labels) == (two.name, {"severity": "warning", "flag": "true"})
    assert one.id != two.id
