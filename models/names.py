"""
Names by structure: the same service is `Order-API`, `order_api`, `orderApi-prod-eu1` and `order-api-6c9b7d58f4-wq2mz`.

`variants` gives the forms that a name may stand for, each with what had to be taken off; `tokens` its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[^a-z0-9]+")
_HASH = re.compile(
    r"^(?=[a-z0-9]*\d)[a-f0-9]{6,12}$|^(?=.*\d)[bcdfghjklmnpqrstvwxz2456789]{5,10}$|^[bcdfghjklmnpqrstvwxz2456789]{5}$"
)
_VERSION = re.compile(r"^v\d+$|^\d+$|^release$|^r\d+$")
_REGION = re.compile(r"^(?:eu|us|ap|sa|ca|af|me|il|uk|asia|europe)$|^(?:eu|us|ap|sa|ca|af|me|asia|europe)?(?:west|east|north|south|central|northeast|southeast|northwest|southwest)\d?[a-f]?$|^(?:eu|us|ap|uk|euw|use|usw|eun|euc)\d$|^(?:london|ireland|frankfurt|paris)$|^az\d$|^\d[a-f]$")  # fmt: skip
ENVIRONMENTS = frozenset(["production", "prod", "prd", "live", "staging", "stage", "stg", "preprod", "pre", "integration", "int", "test", "tst", "testing", "qa", "uat", "dev", "development", "sandbox", "demo", "canary", "blue", "green", "primary", "replica", "standby"])  # fmt: skip
ROLES = frozenset(["service", "svc", "app", "application", "api", "server", "srv", "web", "worker", "workers", "job", "jobs", "cron", "backend", "frontend", "ui", "http", "grpc", "deployment", "deploy", "pod", "pods", "container", "sidecar", "db", "database", "redis", "cache", "queue", "dlq", "sqs", "sns", "topic", "bucket", "s3", "rds", "postgres", "postgresql", "mysql", "mongo", "elasticsearch", "exporter", "metrics", "lb", "elb", "alb", "ingress", "proxy", "sidekiq", "consumer", "producer", "listener", "scheduler", "publisher", "cluster", "node", "host", "instance", "listener", "stream", "logs", "log", "dashboard", "alerts", "alert", "repo", "docs", "secret", "config"])  # fmt: skip
_ABBREVIATIONS = {"svc": "service", "auth": "authentication", "msg": "message", "cfg": "config", "mgr": "manager", "mgmt": "management", "notif": "notification", "recs": "recommendations", "inv": "inventory", "pub": "publishing", "pay": "payment", "cust": "customer", "prod": "product", "db": "database", "img": "image", "usr": "user", "acct": "account", "admin": "administration", "k8s": "kubernetes", "repl": "replication", "env": "environment", "infra": "infrastructure"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variant:
    """
    A form of a name: its key (words joined by hyphens), a cost from 0 (as given) upwards, and what was taken off.
    """

    key: str
    cost: float
    says: str


@lru_cache(maxsize=100_000)
def tokens(name: str) -> tuple[str, ...]:
    """
    The words of a name, in lower case, cut at separators and capitals.
    """
    return tuple(word for word in _SEPARATOR.split(_CAMEL.sub("-", name.strip()).lower()) if word)


def key(name: str) -> str:
    """
    The form under which names are compared.
    """
    return "-".join(tokens(name))


def variants(name: str) -> tuple[Variant, ...]:
    """
    The forms that a name may stand for, cheapest first, each key once.
    """
    found: dict[str, Variant] = {}
    for variant in _all(name.strip()):
        if variant.key and (variant.key not in found or variant.cost < found[variant.key].cost):
            found[variant.key] = variant
    return tuple(sorted(found.values(), key=lambda variant: variant.cost))


def _all(name: str) -> Iterator[Variant]:
    for body, cost, says in _bodies(name):
        words = tokens(body)
        yield Variant("-".join(words), cost, says)
        flat = "".join(words)
        if len(words) == 1 or len(flat) > 5:
            yield Variant(flat, cost + 0.15, says or "separators dropped")
        yield from _stripped(words, cost, says)


def _bodies(name: str) -> Iterator[tuple[str, float, str]]:
    """
    The parts of a compound name that may be the service: of an URL, ARN, host, path or `owner/repo`.
    """
    yield name, 0.0, ""
    text = re.sub(r"^[a-z][a-z0-9+.-]*://", "", name, flags=re.IGNORECASE)
    text = text.split("?")[0].removesuffix(".git")
    if text != name:
        yield text, 0.1, "address"
    if text.startswith("arn:"):
        yield re.split(r"[:/]", text)[-1], 0.3, "last part of the ARN"
        yield from ((part, 0.5, "part of the ARN") for part in re.split(r"[:/]", text)[4:])
        return
    host, _, path = text.partition("/")
    host = re.sub(r":\d+$", "", host)
    if "." in host:
        labels = host.split(".")
        yield labels[0], 0.2, "first label of the host"
        yield from ((label, 0.5, "label of the host") for label in labels[1:3])
    if path:
        parts = [part for part in text.split("/") if part]
        yield parts[-1], 0.25, "last part of the path"
        if len(parts) > 2:
            yield parts[1], 0.4, "repository of the path"
        yield parts[0], 0.6, "first part of the path"
    for mark in ("@", ":", "#", "|", "="):
        if mark in text and "://" not in name:
            yield from ((part.strip(), 0.4, f"part at `{mark}`") for part in text.split(mark) if part.strip())


def _stripped(words: tuple[str, ...], cost: float, says: str) -> Iterator[Variant]:
    """
    Without replica hashes, versions, regions, environments, then roles, at either end.
    """
    left, right, taken = 0, len(words), cost
    notes: list[str] = [says] if says else []
    changed = True
    while changed and right - left > 1:
        changed = False
        for at_end in (True, False):
            word = words[right - 1] if at_end else words[left]
            note = _affix(word, at_end=at_end)
            if note and right - left > 1:
                right, left = (right - 1, left) if at_end else (right, left + 1)
                taken += 0.12 if note != "hash" else 0.06
                notes.append(f"{note} `{word}` taken off")
                changed = True
                yield Variant("-".join(words[left:right]), taken, ", ".join(notes))
    yield from _without_roles(words[left:right], taken, notes)


def _affix(word: str, *, at_end: bool) -> str:
    if word in ENVIRONMENTS:
        return "environment"
    if _REGION.match(word):
        return "region"
    if at_end and _VERSION.match(word):
        return "version"
    if at_end and _HASH.match(word):
        return "hash"
    return ""


def _without_roles(words: tuple[str, ...], cost: float, notes: list[str]) -> Iterator[Variant]:
    right = len(words)
    while right > 1 and words[right - 1] in ROLES:
        right -= 1
        cost += 0.35
        notes = [*notes, f"role `{words[right]}` taken off"]
        yield Variant("-".join(words[:right]), cost, ", ".join(notes))
    if len(words) > 2:
        yield Variant("-".join(words[1:]), cost + 0.6, ", ".join([*notes, f"prefix `{words[0]}` taken off"]))


def expanded(word: str) -> frozenset[str]:
    """
    A word and what it may abbreviate.
    """
    return frozenset({word, _ABBREVIATIONS.get(word, word)})


def similarity(left: tuple[str, ...], right: tuple[str, ...]) -> float:
    """
    How alike two names are by their words, 0 to 1: equal words count 1, abbreviations and prefixes less, typos less.
    """
    if not left or not right:
        return 0.0
    total = sum(max(likeness(word, other) for other in right) for word in left)
    back = sum(max(likeness(word, other) for other in left) for word in right)
    return (total / len(left) + back / len(right)) / 2


def likeness(left: str, right: str) -> float:
    """
    How alike two words are, 0 to 1.
    """
    if left == right:
        return 1.0
    if expanded(left) & expanded(right):
        return 0.85
    short, long = sorted((left, right), key=len)
    if len(short) >= 3 and long.startswith(short):
        return 0.5 + 0.4 * len(short) / len(long)
    if len(short) >= 4 and abs(len(long) - len(short)) <= 2 and _distance_at_most(short, long, 1 + (len(long) > 7)):
        return 0.75
    return 0.0


def _distance_at_most(left: str, right: str, most: int) -> bool:
    """
    Whether so few insertions, deletions, replacements or swaps of neighbours turn one word into the other.
    """
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, char in enumerate(left, 1):
        last, row, older = row, [i] + [0] * len(right), before
        for j, other in enumerate(right, 1):
            row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (char != other))
            if i > 1 and j > 1 and char == right[j - 2] and left[i - 2] == other:
                row[j] = min(row[j], older[j - 2] + 1)
        before = last
        if min(row) > most:
            return False
    return row[-1] <= most
