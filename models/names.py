"""
Names by structure: the same service is `Order-API`, `order_api`, `orderApi-prod-eu1` and `order-api-6c9b7d58f4-wq2mz`.

A name is cut into words, and each word has a kind: what a deployment, a cloud or a person puts around a service's name
(environment, region, version, hash, address, role). Nothing is taken off here: whether `live` is an environment or a
part of the name is decided against the names that there are (`models.matching`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[^a-z0-9]+")
_FOREIGN = re.compile(
    r"[^\W\x00-\x7f]|[\u00ad\u0300-\u036f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
    r"|[\U000e0000-\U000e0fff]"
)
"""Letters and digits beyond ASCII, marks upon letters, and what does not show."""
_SEGMENT = re.compile(r"[/:@#|=,;()\[\]\s]+|(?<!\d)\.|\.(?!\d)")
_TAG = re.compile(r"^[^\s:@]+[:@](?![/:])[^\s:/@]+$")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HASH = re.compile(r"^(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{4,}$|^[0-9a-f]{12,}$")
_POD = re.compile(r"^[bcdfghjklmnpqrstvwxz2456789]{5}$")
_VERSION = re.compile(r"^v?\d+$|^r\d+$|^(?:rc|alpha|beta|snapshot|latest|stable)\d*$")
_REGION = re.compile(r"^(?:eu|us|ap|sa|ca|af|me|il|asia|europe|global|multi)$|^(?:eu|us|ap|sa|ca|af|me|asia|europe)?(?:west|east|north|south|central|northeast|southeast|northwest|southwest)\d?[a-f]?$|^(?:eu|us|ap|uk|euw|use|usw|eun|euc|az|dc)\d$|^(?:london|ireland|frankfurt|paris|virginia|oregon|tokyo|sydney)$|^\d?[a-z]$")  # fmt: skip
ENVIRONMENTS = frozenset(["production", "prod", "prd", "live", "staging", "stage", "stg", "preprod", "pre", "integration", "int", "test", "tst", "testing", "qa", "uat", "dev", "development", "sandbox", "demo", "canary", "blue", "green", "primary", "replica", "standby", "secondary", "preview", "nonprod"])  # fmt: skip
ROLES = frozenset(["service", "services", "svc", "app", "apps", "application", "api", "server", "srv", "web", "worker", "workers", "job", "jobs", "cron", "backend", "frontend", "ui", "fe", "be", "http", "grpc", "deployment", "deploy", "pod", "pods", "container", "sidecar", "db", "database", "redis", "cache", "queue", "queues", "dlq", "events", "topic", "bucket", "postgres", "postgresql", "mysql", "mongo", "elasticsearch", "exporter", "metrics", "lb", "elb", "alb", "ingress", "proxy", "sidekiq", "celery", "consumer", "producer", "listener", "scheduler", "publisher", "cluster", "node", "host", "instance", "stream", "logs", "log", "dashboard", "alerts", "alert", "repo", "docs", "secret", "config", "task", "lambda", "function", "handler", "release", "image", "chart", "helm", "terraform", "tf", "main", "master", "primary", "controller", "manager", "operator"])  # fmt: skip
_ADDRESS = frozenset(["com", "org", "net", "io", "gov", "co", "uk", "cloud", "digital", "www", "github", "gitlab", "bitbucket", "git", "internal", "local", "localhost", "intranet", "corp", "example", "default", "arn", "aws", "amazonaws", "azure", "azurecr", "gcp", "gcr", "ghcr", "quay", "docker", "registry", "ecr", "dkr", "sqs", "sns", "s3", "rds", "ecs", "ec2", "eks", "gke", "aks", "k8s", "kubernetes", "ns", "namespace", "https", "http", "ssh", "tcp", "projects", "targetgroup", "loadbalancer", "dynamodb", "kafka", "rabbitmq", "pubsub", "apps", "blob", "tree"])  # fmt: skip
LONGEST = 6
"""Words of a name at most, where they are compared written together."""
_SHORT = {"fe": "frontend", "be": "backend", "svc": "service", "srv": "server", "db": "database", "app": "application", "k8s": "kubernetes", "msg": "message", "cfg": "config", "auth": "authentication", "repo": "repository", "tf": "terraform", "pg": "postgres"}  # fmt: skip
_CLEAN_TAIL = re.compile(r"\.git$|[?].*$")


class Kind(IntEnum):
    """
    What a word of a name usually is, where it is not part of a service's own name.
    """

    OTHER = 0
    AFFIX = 1
    """Environment, region, version, hash, ordinal."""
    ROLE = 2
    ADDRESS = 3


SYNONYMS: Mapping[str, tuple[str, ...]] = {
    **{short: (long,) for short, long in _SHORT.items()},
    **{long: (short,) for short, long in _SHORT.items()},
}


@dataclass(frozen=True, slots=True)
class Word:
    """
    A word in lower case, its kind, and the number of the segment it stands in (of a path, a host, an address).
    """

    text: str
    kind: Kind
    segment: int


@dataclass(frozen=True, slots=True)
class Name:
    """
    A name as given, cut up. `titled`: words of a sentence rather than an identifier. `tag`: the segment that is an
    image's tag, or -1. `windows`: each run of neighbouring words written together, with its first place and its length.
    """

    given: str
    words: tuple[Word, ...]
    flat: str
    titled: bool
    tag: int
    windows: Mapping[str, tuple[int, int]]


@lru_cache(maxsize=100_000)
def tokens(name: str) -> tuple[str, ...]:
    """
    The words of a name, in lower case, cut at separators and capitals. A letter of another script, or a character that
    does not show, makes another word of it, not two: what only looks like a name is not it.
    """
    name = name if name.isascii() else _FOREIGN.sub(_told, name)
    return tuple(word for word in _SEPARATOR.split(_CAMEL.sub("-", name.strip()).lower()) if word)


def _told(found: re.Match[str]) -> str:
    """
    What stands for a character that is no letter of ours, within a word.
    """
    return "".join(f"u{ord(one):x}" for one in found[0].lower())


def key(name: str) -> str:
    """
    The form under which names are compared.
    """
    return "-".join(tokens(name))


@lru_cache(maxsize=16384)
def parse(name: str) -> Name:
    """
    Cut up a name of any origin: label, pod, host, URL, ARN, image, repository, title of an alert.
    """
    given = name.strip()[:400]
    text = _CLEAN_TAIL.sub("", _SCHEME.sub("", given))
    words = []
    for number, segment in enumerate(part for part in _SEGMENT.split(text) if part):
        words += [Word(word, kind_of(word), number) for word in tokens(segment)]
    titled = len(given.split()) > 1 and not any(mark in given for mark in "/@=")
    tag = words[-1].segment if words and _TAG.match(text) and not text.startswith("arn:") else -1
    flat = "".join(word.text for word in words)
    return Name(given.lower(), tuple(words[:40]), flat, titled, tag, _windows([word.text for word in words[:40]]))


def _windows(words: list[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for at in range(len(words)):
        for size in range(1, min(LONGEST, len(words) - at) + 1):
            found.setdefault("".join(words[at : at + size]), (at, size))
    return found


@lru_cache(maxsize=65536)
def kind_of(word: str) -> Kind:
    """
    The kind that a word has by its form alone.
    """
    if word in ENVIRONMENTS or _VERSION.match(word) or _REGION.match(word):
        return Kind.AFFIX
    if word in ROLES:
        return Kind.ROLE
    if word in _ADDRESS:
        return Kind.ADDRESS
    if _HASH.match(word) or _POD.match(word):
        return Kind.AFFIX
    return Kind.OTHER


class Likeness(IntEnum):
    """
    How one word stands for another.
    """

    SAME = 0
    PLURAL = 1
    """A plural or singular, or the trade's own abbreviation (`svc`)."""
    SHORT = 2
    TYPO = 3
    STEM = 4
    JOINED = 5


def alike(given: str, known: str) -> Likeness | None:
    """
    How a given word may stand for a known one: a plural, an abbreviation (a prefix, the consonants, a numeronym), a
    slip of the finger, a form of the same stem; None where it does not.
    """
    if given == known:
        return Likeness.SAME
    if _SHORT.get(given, given) == _SHORT.get(known, known):
        return Likeness.PLURAL
    if singular(given) == singular(known):
        return Likeness.PLURAL
    if shortens(given, known) or shortens(known, given):
        return Likeness.SHORT
    if min(len(given), len(known)) >= 4 and one_slip(given, known):
        return Likeness.TYPO
    if _stem(given) == _stem(known):
        return Likeness.STEM
    return None


def singular(word: str) -> str:
    """
    A word without its plural ending.
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def shortens(short: str, long: str) -> bool:
    """
    Whether a word abbreviates a longer one: `infra`, `mgr`, `svc`, `k8s`.
    """
    if not 2 <= len(short) < len(long) - 1 or short[0] != long[0]:
        return False
    if len(short) >= 3 and long.startswith(short):
        return True
    if short[1:-1].isdigit() and int(short[1:-1]) == len(long) - 2 and short[-1] == long[-1]:
        return True
    consonants = not set(short[1:]) & set("aeiou0123456789")
    return consonants and (len(short) >= 3 or len(long) >= 6) and _in_order(short, long)


def _in_order(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)


def _stem(word: str) -> str:
    for ending in (
        "ations",
        "ation",
        "ators",
        "ator",
        "ating",
        "ings",
        "ing",
        "ers",
        "ors",
        "ers",
        "er",
        "or",
        "ed",
        "ment",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return singular(word)


def one_slip(left: str, right: str) -> bool:
    """
    Whether one insertion, deletion, replacement or swap of neighbours turns one word into the other.
    """
    short, long = sorted((left, right), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((place for place, char in enumerate(short) if char != long[place]), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[:at] + short[at + 1 : at + 2] + short[at : at + 1] + short[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped == long


def slips(word: str) -> set[str]:
    """
    The word and each form with one letter left out: two words one slip apart share such a form.
    """
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
