"""
Which service is an alert about, and which team: candidates with probabilities, or "cannot tell".

A conditional logit over the services that some evidence names, with "none of them" as one more alternative. Evidence
adds in log-odds: labels and selectors by how often they name the service itself, names within the texts by how telling
their words are, and the organisation's other alerts that are alike.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graph.values import Alert, EntityId, View, entity_name
from models.catalogue import Catalogue, Directory, bag
from models.contract import Candidate, Ranking, Term
from models.names import ENVIRONMENTS, ROLES, tokens
from models.parameters import Parameters

LABELS: Mapping[str, str] = {
    "service": "label", "service_name": "label", "app": "label", "application": "label", "app_kubernetes_io_name": "label",
    "component": "label", "job": "workload", "deployment": "workload", "statefulset": "workload", "daemonset": "workload",
    "container": "workload", "pod": "workload", "workload": "workload", "queue": "resource", "queue_name": "resource",
    "database": "resource", "db": "resource", "dbname": "resource", "bucket": "resource", "topic": "resource", "repository": "repository",
    "repo": "repository", "project": "repository", "url": "address", "host": "address", "instance": "address", "hostname": "address",
    "target": "address", "namespace": "namespace", "cluster": "namespace", "dbinstance_identifier": "resource",
    "cacheclusterid": "resource", "cronjob": "workload", "job_name": "workload", "ingress": "workload", "hub": "label",
}  # fmt: skip
_SELECTOR = re.compile(r"""([A-Za-z_][A-Za-z0-9_]*)\s*=~?\s*["']([^"'{}]{1,200})["']""")
_METRIC = re.compile(r"(?<![\"'\w=])([a-z][a-z0-9]*(?:[_:][a-z0-9]+)+)\s*[{\[]")
_PLATFORM = re.compile(r"\b(?:kube|node|container|kubelet|cadvisor|aws|cloudwatch|blackbox|probe)_")
_HOST = re.compile(r"\b[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+\b|https?://[^\s\"'<>]+", re.IGNORECASE)

WEIGHTS: Mapping[str, float] = {
    "label": 6.0, "workload": 4.5, "resource": 3.0, "repository": 4.0, "address": 3.5, "namespace": 2.0,
    "selector": 3.0, "metric": 2.5, "name": 3.0, "summary": 3.0, "text": 1.6, "rule": 4.0, "alike": 5.0, "about": 0.8,
}  # fmt: skip
NONE = 2.2
LOOKUP_NONE = 3.4
LOOKUP_SCALE = 8.0


@dataclass(slots=True)
class _Evidence:
    terms: dict[str, Term]
    records: set[str]

    def add(self, term: Term, record: str) -> None:
        if term.name not in self.terms or self.terms[term.name].weight < term.weight:
            self.terms[term.name] = term
        if record:
            self.records.add(record)

    @property
    def score(self) -> float:
        return sum(term.weight for term in self.terms.values())


class Resolver:
    """
    Answers from a catalogue; `parameters` may hold `weights`, `none`, `lookup_none`, `lookup_scale`, `temperature`.
    """

    def __init__(self, catalogue: Catalogue, parameters: Parameters | None = None) -> None:
        self._catalogue = catalogue
        learned = parameters.numbers("weights") if parameters else {}
        self._weights = {**WEIGHTS, **learned}
        number = parameters.number if parameters else lambda _, default: default
        self._none = number("none", NONE)
        self._lookup_none = number("lookup_none", LOOKUP_NONE)
        self._lookup_scale = number("lookup_scale", LOOKUP_SCALE)
        self._temperature = number("temperature", 1.0)

    def lookup(self, name: str, view: View) -> Ranking:
        """
        The services that a name, as given anywhere, may mean.
        """
        directory = self._catalogue.directory(view)
        found: dict[EntityId, _Evidence] = {}
        for match in directory.match(name, limit=20):
            weight = self._lookup_scale * match.quality
            one = found.setdefault(match.service, _Evidence({}, set()))
            one.add(Term(name="name", value=match.quality, weight=weight, says=match.says), match.record)
        return self._ranked(found, self._lookup_none)

    def resolve(self, alert: Alert, view: View) -> Ranking:
        """
        The services that an alert may be about.
        """
        directory = self._catalogue.directory(view)
        found: dict[EntityId, _Evidence] = defaultdict(lambda: _Evidence({}, set()))
        for service, term, record in self._evidence(alert, directory):
            found[service].add(term, record)
        return self._ranked(found, self._none)

    def team(self, alert: Alert, view: View) -> Ranking:
        """
        The teams that an alert may belong to: the owners of its services, and the teams of alerts that are alike.
        """
        directory = self._catalogue.directory(view)
        found: dict[str, _Evidence] = defaultdict(lambda: _Evidence({}, set()))
        services = self.resolve(alert, view)
        for candidate in services.candidates:
            owner = directory.owners.get(candidate.id)
            if owner and candidate.probability > 0.02:
                weight = self._weights["label"] * candidate.probability
                says = f"owner of {entity_name(candidate.id)}"
                found[entity_name(owner)].add(
                    Term(name="owner", value=candidate.probability, weight=weight, says=says), ""
                )
        for team, votes, record in _votes(directory, alert, 2):
            weight = self._weights["alike"] * votes
            found[team].add(Term(name="alike", value=votes, weight=weight, says="known alerts that are alike"), record)
        return self._ranked(found, self._none)

    def owners(self, services: Ranking, view: View) -> Ranking:
        """
        The owners of ranked services; a service without one counts for nobody.
        """
        directory = self._catalogue.directory(view)
        best = services.candidates[0] if services.candidates else None
        if best is None or services.abstained:
            return services if best is None else Ranking(none_probability=services.none_probability)
        owners = directory.all_owners.get(best.id, ())
        each = best.probability / len(owners) if owners else 0.0
        found = tuple(
            Candidate(id=owner, probability=each, terms=best.terms, evidence=best.evidence) for owner in owners
        )
        return Ranking(candidates=found, none_probability=1 - best.probability if found else 1.0, abstained=not found)

    def _evidence(self, alert: Alert, directory: Directory) -> Iterator[tuple[EntityId, Term, str]]:
        inherited = bool(_PLATFORM.search(alert.expr)) or alert.name.startswith(("Kube", "Node"))
        for name, value in alert.labels.items():
            kind = LABELS.get(name.lower())
            if kind and value and "{{" not in value:
                yield from self._named(
                    directory, value, kind, f"label {name}", 0.8 if inherited and kind != "label" else 1.0
                )
        for name, value in _SELECTOR.findall(alert.expr):
            if name.lower() in LABELS:
                for part in value.split("|"):
                    text = re.sub(r"[.*+?^$()\\]+", " ", part).strip()
                    if text:
                        yield from self._named(directory, text, "selector", f"selector {name}", 1.0)
        texts = " ".join(alert.annotations.values())
        for host in _HOST.findall(texts)[:6]:
            if "runbook" not in host:
                yield from self._named(directory, host, "address", "address in the text", 0.8)
        yield from self._mentions(alert, directory)
        yield from self._alike(alert, directory)

    def _named(
        self, directory: Directory, value: str, kind: str, where: str, share: float
    ) -> Iterator[tuple[EntityId, Term, str]]:
        for match in directory.match(value):
            if match.quality >= 0.35:
                weight = self._weights[kind] * share * match.quality
                yield (
                    match.service,
                    Term(name=kind, value=match.quality, weight=weight, says=f"{where}: {match.says}"),
                    match.record,
                )

    def _mentions(self, alert: Alert, directory: Directory) -> Iterator[tuple[EntityId, Term, str]]:
        """
        Names of services within the alert's name, texts and metrics, by how telling the matched words are.
        """
        metrics = " ".join(_METRIC.findall(alert.expr))
        places = {
            "name": alert.name,
            "metric": metrics,
            "summary": alert.annotations.get("summary", "") or alert.annotations.get("title", ""),
            "text": " ".join(value for key, value in alert.annotations.items() if not key.endswith("_url")),
        }
        for kind, text in places.items():
            given = tokens(text)
            if not given:
                continue
            close = {service for word in directory.telling(given) for service in directory.words[word]}
            for service in close:
                share, named = max(
                    (_contained(given, tokens(one.name), directory), one.name) for one in directory.services[service]
                )
                if share > 0.25:
                    says = f"{kind} mentions {named!r}"
                    yield service, Term(name=kind, value=share, weight=self._weights[kind] * share, says=says), ""

    def _alike(self, alert: Alert, directory: Directory) -> Iterator[tuple[EntityId, Term, str]]:
        for rule in directory.rules.get(alert.name, ())[:3]:
            for service in rule.item.services:
                says = f"the rule {alert.name} is of {entity_name(service)}"
                term = Term(name="rule", value=1.0, weight=self._weights["rule"], says=says)
                yield directory.identity.canonical(service), term, rule.record
        for service, votes, record in _votes(directory, alert, 1):
            weight = self._weights["alike"] * votes
            yield service, Term(name="alike", value=votes, weight=weight, says="known alerts that are alike"), record

    def _ranked(self, found: Mapping[str, _Evidence], none: float) -> Ranking:
        scores = {name: one.score / self._temperature for name, one in found.items()}
        top = max([*scores.values(), none])
        total = sum(math.exp(score - top) for score in scores.values()) + math.exp(none - top)
        candidates = tuple(
            Candidate(
                id=name,
                probability=math.exp(scores[name] - top) / total,
                terms=tuple(sorted(found[name].terms.values(), key=lambda term: -term.weight)),
                evidence=tuple(sorted(found[name].records)),
            )
            for name in sorted(scores, key=lambda name: (-scores[name], name))[:50]
        )
        none_p = math.exp(none - top) / total
        best = candidates[0].probability if candidates else 0.0
        return Ranking(candidates=candidates, none_probability=none_p, abstained=none_p >= best)


def _contained(given: tuple[str, ...], name: tuple[str, ...], directory: Directory) -> float:
    """
    How much of a name stands in a text, 0 to 1: all words in order count most, single common words little.
    """
    core = tuple(word for word in name if word not in ROLES and word not in ENVIRONMENTS) or name
    present = [word for word in core if word in given]
    if not present:
        return 0.0
    telling = sum(directory.rarity(word) for word in present) / sum(directory.rarity(word) or 0.01 for word in core)
    strength = min(1.0, sum(directory.rarity(word) for word in present))
    whole = any(given[at : at + len(name)] == name for at in range(len(given) - len(name) + 1))
    return min(1.0, telling * strength * (1.0 if len(present) == len(core) else 0.5) + (0.25 if whole else 0.0))


def _votes(directory: Directory, alert: Alert, field: int) -> Iterator[tuple[str, float, str]]:
    """
    Of the alerts that are most alike, the share of weight of each service (field 1) or team (field 2).
    """
    texts = [alert.name, alert.expr, *alert.annotations.values()]
    texts += [f"{name} {value}" for name, value in alert.labels.items() if name not in ("service", "team", "owner")]
    near = directory.neighbours(bag(texts))
    votes: dict[str, float] = defaultdict(float)
    records: dict[str, str] = {}
    total = 0.0
    for cosine, place in near:
        example = directory.examples[place]
        named = example[1] if field == 1 else example[2]
        weight = cosine**3
        total += weight
        if named:
            votes[named] += weight
            records.setdefault(named, example[3])
    best = near[0][0] if near else 0.0
    for named, weight in votes.items():
        yield named, weight / total * min(1.0, 1.6 * best) if total else 0.0, records[named]
