"""
The evidence that an alert gives for services and for teams, as named numbers with a sentence each.

Every term is between 0 and 1 (the regressions' may stray a little): the probability that a label's value names the
service, how telling a name in a text is, what the known alerts say. Weights come later and are learned
(`models.resolution`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graph.values import Alert, EntityId, entity_name
from models.directory import Directory, with_services
from models.expressions import Expression, read_expression
from models.known import EMPTY, Verdict, bag_of
from models.names import tokens

KINDS: Mapping[str, tuple[str, ...]] = {
    "label": ("service", "service_name", "app", "application", "app_kubernetes_io_name", "app_name", "app_kubernetes_io_instance", "component", "hub", "service_id"),
    "workload": ("deployment", "statefulset", "daemonset", "container", "container_name", "pod", "pod_name", "workload", "cronjob", "job_name", "created_by_name", "owner_name", "release", "task", "replicaset", "name", "function_name", "process"),
    "job": ("job", "exported_job", "target", "scrape_job"),
    "resource": ("queue", "queue_name", "queuename", "database", "db", "db_name", "dbname", "datname", "bucket", "bucket_name", "topic", "dbinstance_identifier", "dbinstanceidentifier", "dimension_dbinstanceidentifier", "cacheclusterid", "cache_cluster_id", "tablename", "table", "index", "stream", "resource", "persistentvolumeclaim", "certificate", "secret", "configmap", "load_balancer", "loadbalancer", "domain", "channel"),
    "repository": ("repository", "repo", "project", "workflow", "pipeline", "template", "schedule_name"),
    "address": ("url", "host", "hostname", "instance", "server", "uri", "endpoint", "ingress", "fqdn", "node", "exported_host", "upstream", "backend", "route"),
    "namespace": ("namespace", "exported_namespace", "ns", "tenant", "exported_service"),
}  # fmt: skip
KIND_OF = {label: kind for kind, labels in KINDS.items() for label in labels}
SCRAPED = frozenset(["job", "instance", "pod", "container", "namespace", "service", "endpoint", "node"])
"""Labels that the monitoring system puts on a series: of the platform's metrics they name the exporter, or the app that
was scraped, and not who answers for the platform (the inherited-label trap)."""
TERMS = (
    "label", "workload", "job", "resource", "repository", "address", "namespace", "inherited", "selector", "selector_job", "selector_other",
    "metric", "metric_in", "name", "name_in", "summary", "text", "link", "rule", "known", "near", "family", "values", "siblings",
)  # fmt: skip
NONE_TERMS = ("none", "unmatched", "unmatched_in", "new", "taught")
TEAM_TERMS = ("owner", "usual", "known_team", "near_team", "family_team", "values_team", "siblings_team")
TEAM_NONE_TERMS = ("none_team", "new_team")
LEADING = 2
"""Words among which a name leads a metric or an alert's name; there it tells whose it is, later rather what it is about."""
LIFTED = {
    "m": ("family", "known alerts on the same metrics are its"),
    "v": ("values", "known alerts that select the same are its"),
    "n": ("siblings", "known alerts whose names begin alike are its"),
}
WORTH = 0.03
"""A name that means a service with less probability than this is no evidence."""
CANDIDATES = 30
FAMILIAR = 0.3
"""How much a selected value that names no service still speaks for none where known alerts select it too."""
LINKS = re.compile(r"(?:url|link|uri|runbook|playbook|dashboard)$")
_HOST = re.compile(r"https?://[^\s\"'<>)]+|\b[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+){2,}\b", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_PLATFORM_NAMES = re.compile(r"^(?:Kube|Node|Target|Prometheus|Watchdog|Etcd|Cluster)[A-Z]")


@dataclass(slots=True)
class Evidence:
    """
    Of one candidate: the value of each term, why, and the records behind them.
    """

    values: dict[str, float] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)

    def put(self, term: str, value: float, says: str, record: str = "") -> None:
        """
        Set a term; of several reasons for one term the strongest counts.
        """
        if value > self.values.get(term, float("-inf")):
            self.values[term] = value
            self.says[term] = says
        if record:
            self.records.add(record)


@dataclass(slots=True)
class Findings:
    """
    All candidates with their evidence, and the terms of "none of them".
    """

    candidates: dict[str, Evidence]
    none: dict[str, float]


def service_terms(alert: Alert, directory: Directory) -> Findings:
    """
    What an alert says about the services of a directory.
    """
    found: dict[EntityId, Evidence] = defaultdict(Evidence)
    expression = _expression(alert, directory)
    platform = expression.platform or bool(_PLATFORM_NAMES.match(alert.name))
    unmatched = _labels(alert, directory, platform, found)
    verdict = EMPTY
    if directory.known_services.classes:
        bag = bag_of(alert.name, alert.expr, alert.labels, alert.annotations)
        verdict = directory.known_services.judge(bag)
        _known(verdict, directory, found)
    unmatched_in = _selectors(expression, verdict.familiar, directory, found)
    _metrics(expression, directory, found)
    _texts(alert, directory, found)
    _rules(alert, directory, found)
    none = {
        "none": 1.0,
        "unmatched": unmatched,
        "unmatched_in": unmatched_in,
        "new": 1.0 - verdict.nearest if verdict is not EMPTY else 0.0,
        "taught": float(verdict is not EMPTY),
    }
    return Findings(dict(found), none)


def _expression(alert: Alert, directory: Directory) -> Expression:
    """
    The alert's own expression, or that of its rule where the tool did not send it.
    """
    if alert.expr:
        return read_expression(alert.expr)
    rules = directory.rules.get(alert.name, ())
    return read_expression(rules[-1].item.expr if rules else "")


def _labels(alert: Alert, directory: Directory, platform: bool, found: Mapping[EntityId, Evidence]) -> float:
    unmatched: list[float] = []
    for label, value in alert.labels.items():
        kind = KIND_OF.get(label.lower().replace(".", "_").replace("-", "_"))
        if kind is None or not value or "{{" in value:
            continue
        term = "inherited" if platform and label in SCRAPED else kind
        none = _named(value, term, f"label {label}", directory, found)
        if term in ("label", "workload", "job", "repository"):
            unmatched.append(none)
    return min(unmatched, default=0.0)


def _selectors(
    expression: Expression, familiar: frozenset[str], directory: Directory, found: Mapping[EntityId, Evidence]
) -> float:
    """
    Terms of selectors; how surely even the best known of those that name a program names nothing known.
    """
    unmatched: list[float] = []
    for label, value in expression.selectors:
        kind = KIND_OF.get(label)
        term = "selector" if kind in ("label", "workload") else "selector_job" if kind == "job" else "selector_other"
        none = _named(value, term, f"selector {label}", directory, found)
        none *= FAMILIAR if value.lower() in familiar else 1.0
        if term != "selector_other":
            unmatched.append(none)
    return min(unmatched, default=0.0)


def _named(value: str, term: str, where: str, directory: Directory, found: Mapping[EntityId, Evidence]) -> float:
    matches, none = directory.match(value)
    for match in matches:
        if match.quality >= WORTH:
            found[match.service].put(term, match.quality, f"{where}: {match.says}", match.record)
    return none


def _metrics(expression: Expression, directory: Directory, found: Mapping[EntityId, Evidence]) -> None:
    for metric in expression.metrics[:20]:
        words = tokens(metric)
        for service, one in directory.mentioned(words).items():
            term = "metric" if one.at < LEADING else "metric_in"
            found[service].put(term, one.told, f"metric {metric} names {one.name!r}")


def _texts(alert: Alert, directory: Directory, found: Mapping[EntityId, Evidence]) -> None:
    places: dict[str, list[str]] = {"name": [alert.name], "summary": [], "text": [], "link": []}
    for label, text in alert.annotations.items():
        term = "link" if LINKS.search(label) else "summary" if label in ("summary", "title", "message") else "text"
        places[term].append(_TEMPLATE.sub("-", text[:4000]))
    for term, texts in places.items():
        for text in texts:
            # an address is a name of its own, matched as such; its parts are no words of the text
            words = tokens(text if term == "link" else _HOST.sub(" ", text))
            for service, one in directory.mentioned(words).items():
                place = "name_in" if term == "name" and one.at >= LEADING else term
                found[service].put(place, one.told, f"the alert's {term} mentions {one.name!r}")
    for text in (*places["summary"], *places["text"]):
        for address in _HOST.findall(text)[:4]:
            _named(address, "address", "address in the text", directory, found)


def _rules(alert: Alert, directory: Directory, found: Mapping[EntityId, Evidence]) -> None:
    rules = [rule for rule in directory.rules.get(alert.name, ()) if rule.item.services]
    for rule in rules[-20:]:
        for service in rule.item.services[:1]:
            says = f"the rule {alert.name} is of {entity_name(service)}"
            found[directory.identity.canonical(service)].put("rule", 1.0 / len(rules), says, rule.record)


def _known(verdict: Verdict, directory: Directory, found: Mapping[EntityId, Evidence]) -> None:
    best = sorted(verdict.values, key=lambda service: -verdict.values[service])[:CANDIDATES]
    for service in {*best, *(one for one in found if one in verdict.values)}:
        if service in directory.services:
            record = verdict.records.get(service, "")
            found[service].put("known", verdict.values[service], "known alerts that are alike are its", record)
            found[service].put("near", verdict.nearness.get(service, 0.0), "the most alike known alert is its")
    for family, (term, says) in LIFTED.items():
        for service, lift in verdict.lifts.get(family, {}).items():
            if service in directory.services:
                found[service].put(term, lift, says)


def team_terms(alert: Alert, directory: Directory, services: Sequence[tuple[EntityId, float]]) -> Findings:
    """
    What an alert says about teams, given the services it may be about with their probabilities. Teams are named as
    the alerts' labels name them, or by the entity's name.
    """
    found: dict[str, Evidence] = defaultdict(Evidence)
    shares: dict[str, dict[str, float]] = {"owner": defaultdict(float), "usual": defaultdict(float)}
    why: dict[str, str] = {}
    for service, probability in services:
        for team, share, term in _teams_of(service, directory):
            shares[term][team] += probability * share
            why.setdefault(team, entity_name(service))
    for team, value in shares["owner"].items():
        found[team].put("owner", value, f"owns {why[team]}")
    for team, value in shares["usual"].items():
        found[team].put("usual", value, f"has alerts of {why[team]}")
    verdict = EMPTY
    if directory.known_teams.classes:
        bag = with_services(bag_of(alert.name, alert.expr, alert.labels, alert.annotations), dict(services))
        verdict = directory.known_teams.judge(bag)
        for team, value in verdict.values.items():
            record = verdict.records.get(team, "")
            found[_plain(team)].put("known_team", value, "known alerts that are alike are the team's", record)
            found[_plain(team)].put("near_team", verdict.nearness.get(team, 0.0), "so is the most alike known alert")
        for family, (term, says) in LIFTED.items():
            for team, lift in verdict.lifts[family].items():
                found[_plain(team)].put(f"{term}_team", lift, says)
    new = 1.0 - verdict.nearest if verdict is not EMPTY else 0.0
    return Findings(dict(found), {"none_team": 1.0, "new_team": new})


def _teams_of(service: EntityId, directory: Directory) -> Iterator[tuple[str, float, str]]:
    owners = directory.all_owners.get(service, ())
    for owner in owners:
        yield _plain(entity_name(owner)), 1.0 / len(owners), "owner"
    for team, share in directory.team_shares.get(service, {}).items():
        yield _plain(team), share, "usual"


def _plain(team: str) -> str:
    return team.strip().lower()
