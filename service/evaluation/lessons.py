"""
What resolution learns from: real alerts of open rule collections whose service is known from where they stand, and
alerts made for real catalogues, by seed, as clusters and clouds label them.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from graph.values import Alert
from models.names import key
from service.evaluation.drift import drifted
from service.evaluation.frame import data_file, read_lines

AT = datetime(2026, 1, 1, tzinfo=UTC)
SYMPTOMS = (
    ("PodCrashLooping", "Pod is restarting again and again"), ("HighErrorRate", "More than 5% of requests fail"),
    ("LatencyHigh", "The 99th percentile of response time is above 2s"), ("QueueBacklog", "Messages are waiting for too long"),
    ("DiskAlmostFull", "Less than 10% of the disk is free"), ("TargetDown", "The target cannot be scraped"),
    ("MemoryUsageHigh", "Memory is above 90% of its limit"), ("CertificateExpiry", "The certificate expires in less than 7 days"),
    ("JobFailed", "The job has failed"), ("ReplicaMismatch", "Fewer replicas than wanted are available"),
    ("DatabaseConnectionsExhausted", "No connections are left in the pool"), ("Unreachable", "The health check does not answer"),
)  # fmt: skip
_LABELS = (
    "deployment",
    "pod",
    "container",
    "job",
    "queue",
    "database",
    "host",
    "url",
    "instance",
    "namespace",
    "app",
    "project",
)
_EXPORTERS = ("kube-state-metrics", "node-exporter", "blackbox-exporter", "cadvisor", "cloudwatch-exporter")


@dataclass(frozen=True, slots=True)
class Case:
    """
    An alert as a question, its service and team (None: not known).
    """

    alert: Alert
    service: str | None
    team: str | None


@dataclass(frozen=True, slots=True)
class Course:
    """
    What one organisation teaches: the names of its services, its owners, and cases whose known ones are known to
    the others (`taught`) or, as made ones, not.
    """

    name: str
    names: tuple[str, ...]
    owners: Mapping[str, str]
    cases: tuple[Case, ...]
    taught: bool


def course(directory: Path) -> Iterator[Course]:
    """
    The courses of one directory: its rules, if where they stand tells the service, and its catalogue, if it has one.
    """
    rules = list(_rules(directory))
    owned = _catalogue(directory)
    if rules:
        named = tuple(sorted({case.service for case in rules if case.service} | set(owned)))
        yield Course(directory.name, named, owned, tuple(rules), True)
    if len(owned) > 1:
        yield Course(directory.name, tuple(sorted(owned)), owned, tuple(made(sorted(owned), directory.name)), False)


def fold(alert: Alert, folds: int = 5) -> int:
    """
    The fold of an alert: alerts of one name are asked together.
    """
    return int.from_bytes(hashlib.sha256(alert.name.encode()).digest(), "big") % folds


def _catalogue(directory: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("ownership.jsonl", "services.jsonl"):
        path = data_file(directory, name)
        for row in read_lines(path) if path else ():
            found.setdefault(str(row["service"]), str(row.get("team") or ""))
    return found


def _rules(directory: Path) -> Iterator[Case]:
    """
    Alerts with the service that their place names: the collection's own field, a declared service's rule file, or the
    component's group.
    """
    path = data_file(directory, "alerts.jsonl")
    declared = {key(name): name for name in _catalogue(directory)}
    for row in read_lines(path) if path else ():
        body = row.get("alert")
        if not isinstance(body, dict):
            if "category" in row:
                yield Case(_flat(row), str(row["service"]), str(row["category"]))
            continue
        service = _placed(row, declared)
        if service:
            annotations = {str(name): str(text) for name, text in dict(body.get("annotations") or {}).items()}
            labels = {str(name): str(text) for name, text in dict(body.get("labels") or {}).items()}
            alert = Alert(id=str(row["id"]), name=str(body["alert"]), at=AT, labels=labels, annotations=annotations, expr=str(body["expr"]))  # fmt: skip
            yield Case(alert, service, None)


def _placed(row: Mapping[str, object], declared: Mapping[str, str]) -> str | None:
    if declared:
        stem = str(row.get("source") or "").rpartition("/")[2].partition(".")[0].removesuffix("_alerts")
        return declared.get(key(stem))
    group = str(row.get("group") or "").removesuffix(".rules")
    return group if group not in ("", "alerts", "blocks", "general", "thanos-component-absent") else None


def _flat(row: Mapping[str, object]) -> Alert:
    annotations = {"description": str(row.get("description") or "")}
    return Alert(id=str(row["id"]), name=str(row["name"]), at=AT, annotations=annotations, expr=str(row["query"]))


def made(names: Sequence[str], seed: str) -> Iterator[Case]:
    """
    Alerts made for a catalogue: generic symptoms, labels with drifted names, the exporter's labels beside them, and in
    the text now and then another service that suffers.
    """
    rng = random.Random(seed)  # noqa: S311 - made questions, not a secret
    for name, service in drifted(names, rng, each=1):
        symptom, text = rng.choice(SYMPTOMS)
        labels = {"severity": rng.choice(("critical", "warning"))}
        if rng.random() < 0.85:
            labels[rng.choice(_LABELS)] = name
        else:
            text = f"{text}: {name}"
        if rng.random() < 0.4:
            labels.setdefault("job", rng.choice(_EXPORTERS))
        if rng.random() < 0.3:
            labels.setdefault("namespace", rng.choice(("default", "apps", "monitoring", rng.choice(names))))
        if rng.random() < 0.25:
            text += f". {rng.choice(names)} may be slow because of it"
        place = f"{seed}-{len(labels)}-{name}"
        alert = Alert(id=place, name=symptom, at=AT, labels=labels, annotations={"summary": text})
        yield Case(alert, service, None)
