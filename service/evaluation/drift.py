"""
Drifted names, made by seed: how a service's name comes back from clusters, clouds, dashboards and people.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from models.names import key, tokens

_ENVIRONMENTS = ("production", "prod", "staging", "stg", "integration", "test", "dev", "uat", "qa", "live", "preprod", "sandbox")  # fmt: skip
_REGIONS = ("eu-west-1", "us-east-1", "euw1", "use1", "us-east1-b", "ap-southeast-2", "europe-west2", "eu", "us")
_OWNERS = ("acme", "platform", "northwind", "initech-labs")
_HOSTS = ("internal.example.com", "svc.cluster.local", "example.org", "apps.acme.io", "eks.example.digital")
_TAILS = ("db", "queue", "worker", "redis", "api", "svc", "app", "web", "server", "cache", "events", "dlq", "sidekiq", "postgres", "cron", "exporter")  # fmt: skip
_TROUBLE = ("returning 503s", "is down", "queue latency is high", "high error rate", "healthcheck failing", "pods crash looping", "disk almost full", "p99 latency above threshold", "certificate expires soon", "not responding", "5xx errors", "memory usage")  # fmt: skip
_FOREIGN = ("istio", "vault", "argocd", "datadog", "zendesk", "sentry", "okta", "stripe", "twilio", "snowflake", "jumpbox", "coredns", "fluentd", "consul", "envoy", "jenkins", "nexus", "kibana", "mailchimp", "pagerduty", "newrelic", "salesforce", "velero", "keda", "linkerd", "kyverno", "harbor", "airflow", "superset", "metabase", "rabbit", "memcache", "bastion", "autoscaler", "snapshot", "backup", "nightly", "sync", "relay", "shipper", "hook", "callback", "agent", "collector", "mirror", "gateway", "portal", "ledger", "invoice", "basket", "loyalty", "courier", "depot", "fleet", "kiosk", "directory", "lookup", "archive", "legacy", "old", "map", "finder", "calculator", "site", "generator")  # fmt: skip
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_HEX = "0123456789abcdef"

Drift = Callable[[random.Random, str], str]


def drifted(names: Sequence[str], rng: random.Random, each: int = 1) -> Iterator[tuple[str, str | None]]:
    """
    (drifted name, the service or None): `each` for every name, and a quarter as many that belong to no service.
    """
    known = {key(name) for name in names}
    common = {
        word for word, count in Counter(word for name in names for word in set(tokens(name))).items() if count > 1
    }
    given: set[str] = set()
    for service in names:
        for _ in range(each):
            name = _once(rng, service, common)
            if name not in given and (key(name) not in known or key(name) == key(service)):
                given.add(name)
                yield name, service
    for _ in range(len(names) * each // 4):
        name = _nobody(rng, names, common)
        if name not in given and key(name) not in known:
            given.add(name)
            yield name, None


def _once(rng: random.Random, name: str, common: set[str]) -> str:
    drift = rng.choice(_DRIFTS)
    name = drift(rng, name) if drift is not _prefixless else _prefixless(rng, name, common)
    return rng.choice(_AROUND)(rng, name) if rng.random() < 0.25 else name


def _hash(rng: random.Random, letters: str, size: int) -> str:
    return "".join(rng.choice(letters) for _ in range(size))


def _environment(rng: random.Random, name: str) -> str:
    word, mark = rng.choice(_ENVIRONMENTS), rng.choice("--_./")
    return f"{name}{mark}{word}" if rng.random() < 0.5 else f"{word}{mark}{name}"


def _region(rng: random.Random, name: str) -> str:
    word = rng.choice(_REGIONS)
    return f"{name}-{word}" if rng.random() < 0.7 else f"{word}-{name}"


def _pod(rng: random.Random, name: str) -> str:
    if rng.random() < 0.2:
        return f"{name}-{rng.randrange(4)}"
    if rng.random() < 0.2:
        return f"{name}-{rng.randrange(28000000, 29000000)}-{_hash(rng, _SAFE, 5)}"
    return f"{name}-{_hash(rng, _HEX, rng.choice((6, 8, 9, 10)))}-{_hash(rng, _SAFE, 5)}"


def _image(rng: random.Random, name: str) -> str:
    tag = rng.choice((f"v{rng.randrange(500)}", f"release-{_hash(rng, _HEX, 7)}", f"1.{rng.randrange(30)}.0", "latest"))
    return (
        rng.choice(("", "", f"{rng.choice(_OWNERS)}/", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"))
        + f"{name}:{tag}"
    )


def _repository(rng: random.Random, name: str) -> str:
    owner = rng.choice(_OWNERS)
    return rng.choice((f"{owner}/{name}", f"github.com/{owner}/{name}", f"https://github.com/{owner}/{name}.git"))


def _host(rng: random.Random, name: str) -> str:
    host = f"{'-'.join(tokens(name))}.{rng.choice(_HOSTS)}"
    return rng.choice((host, f"https://{host}/health", f"{host}:8080"))


def _cloud(rng: random.Random, name: str) -> str:
    return f"arn:aws:{rng.choice(('sqs', 'sns', 'lambda'))}:eu-west-1:123456789012:{name}"


def _tail(rng: random.Random, name: str) -> str:
    return f"{name}{rng.choice('--_')}{rng.choice(_TAILS)}"


def _separators(rng: random.Random, name: str) -> str:
    words = tokens(name)
    return rng.choice(("_", ".", "", " ", "-")).join(words)


def _capitals(rng: random.Random, name: str) -> str:
    words = tokens(name)
    camel = "".join(word.capitalize() for word in words)
    return rng.choice((name.upper(), camel, " ".join(word.capitalize() for word in words), name.title()))


def _version(rng: random.Random, name: str) -> str:
    number = f"{rng.randrange(30)}.{rng.randrange(9)}.{rng.randrange(9)}"
    return rng.choice((f"{name}-{number}", f"{name} ({number})", f"{name}@{number}", f"{name}-v{rng.randrange(3, 9)}"))


def _typo(rng: random.Random, name: str) -> str:
    places = [at for at in range(1, len(name) - 1) if name[at].isalpha() and name[at + 1].isalpha()]
    if len(name) < 6 or not places:
        return name.upper()
    at = rng.choice(places)
    swapped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return rng.choice((swapped, name[:at] + name[at + 1 :], name[:at] + name[at] + name[at:], name[:at] + rng.choice("aeiorst") + name[at + 1 :]))  # fmt: skip


def _plural(rng: random.Random, name: str) -> str:
    words = list(tokens(name))
    at = rng.randrange(len(words))
    if len(words[at]) > 3:
        words[at] = words[at][:-1] if words[at].endswith("s") else words[at] + "s"
    return "-".join(words)


def _short(rng: random.Random, name: str) -> str:
    words = list(tokens(name))
    long = [at for at, word in enumerate(words) if len(word) >= 6 and word.isalpha()]
    if not long:
        return _environment(rng, name)
    at = rng.choice(long)
    word = words[at]
    bare = word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")
    words[at] = rng.choice((word[:3], word[:4], word[: len(word) // 2 + 1], bare[:3] if len(bare) > 2 else word[:4]))
    return "-".join(words)


def _title(rng: random.Random, name: str) -> str:
    spoken = " ".join(tokens(name))
    spoken = rng.choice((spoken.title(), spoken.capitalize(), name))
    return f"{spoken}{rng.choice((' ', ': ', ' '))}{rng.choice(_TROUBLE)}"


def _prefixless(rng: random.Random, name: str, common: set[str] = frozenset()) -> str:  # type: ignore[assignment]  # an empty set
    words = tokens(name)
    if len(words) > 1 and words[0] in common:
        return "-".join(words[1:])
    return _environment(rng, name)


_AROUND: tuple[Drift, ...] = (_environment, _region, _pod, _image, _repository)
_DRIFTS: tuple[Drift, ...] = (
    _environment, _environment, _region, _pod, _pod, _image, _repository, _host, _cloud, _tail, _separators, _separators,
    _capitals, _version, _typo, _plural, _short, _short, _title, _prefixless, _prefixless,
)  # fmt: skip


def _nobody(rng: random.Random, names: Sequence[str], common: set[str]) -> str:
    """
    What is no service's name: foreign programs, one word that many share, a name with its telling word exchanged.
    """
    kind = rng.random()
    if kind < 0.15 and common:
        name = rng.choice(sorted(common))
    elif kind < 0.5:
        words = list(tokens(rng.choice(names)))
        words[rng.randrange(len(words))] = rng.choice(_FOREIGN)
        name = "-".join(words)
    else:
        name = "-".join(rng.sample(_FOREIGN, rng.choice((1, 2, 2, 3))))
        name += rng.choice(("", "", "-server", "-controller", "-1", "-cron"))
    return rng.choice((_environment, _pod, _tail))(rng, name) if rng.random() < 0.3 else name
