"""
What is restricted has no effect on whoever lacks its label: two memories, one with a restricted set in it and one
without, give equal answers to every request of such a reader. Bodies, counts, error texts and status codes count.

What cannot be equal is taken out by name: how long it took, ids of answers, and the moments of asking.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from ingest.contract import Source
from ingest.pipeline import ingest
from ingest.sources import read_sources
from service.api.app import create_app
from service.demo import FOLDER, alerts
from service.settings import Settings
from service.wiring import Memory, open_memory

REQUESTS = int(os.environ.get("PRECEDENT_TEST_INTERFERENCE", "300"))
"""Requests of a run; the whole proof is 5,000."""
ACCEPT = {"accept": "application/json, text/event-stream, */*"}
LABEL = frozenset({"legal"})
ADDRESS = "http://127.0.0.1:8080"
VOLATILE = {"timings_ms", "answer_id", "lag_seconds", "cursor", "next_cursor", "readiness"}
"""A page shows the readiness that is made beside it, once it is there; `/v1/readiness` is asked for all of it."""
VOLATILE_TEXT = re.compile(
    r'a-[0-9a-f]{20}|(?<="cursor":")[^"]+|(?<="next":")[^"]+|"known_at":"[^"]+"|\b\d+ ms\b|(?<=name="csrf" value=")[0-9a-f]+|20\d\d-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?(?=")'
)
SERVICES = ("checkout", "cart", "search", "auth", "storefront", "recommendations", "payment-gateway-adapter", "pricing")
SECRETS = ("atlantis", "atlantis-api", "poseidon", "trident-vault")
WORDS = (
    "errors", "release", "certificate", "expired", "memory", "redis", "timeout", "latency", "queue", "backlog", "login",
    "failures", "index", "empty", "disk", "full", "5xx", "deploy", "rollback", "flag", "zanzibar", "kraken", "breach",
)  # fmt: skip


def restricted(folder: Path) -> list[Source]:
    """
    A set that touches all that is public: owners, edges, aliases, changes, incidents, runbooks, alerts, rules, people.
    """
    random = Random(11)
    begin = datetime(2026, 10, 20, tzinfo=UTC)
    changes, pages = [], []
    for number in range(120):
        at = begin + timedelta(minutes=random.randrange(60 * 24 * 12))
        service = random.choice((*SERVICES, *SECRETS))
        changes.append(
            {
                "id": f"sec-{number}", "at": at.isoformat(), "service": service, "title": f"kraken breach fix {number}",
                "kind": random.choice(("deploy", "config", "flag", "code")), "actor": random.choice(("selma", "dora", "nemo")),
                "revision": f"9{number:07}", "repository": "larkspur/shop", "text": "breach of checkout errors certificate",
            }
        )  # fmt: skip
    for number in range(25):
        service = random.choice((*SERVICES, *SECRETS))
        words = " ".join(random.sample(WORDS, 9))
        pages.append(
            {
                "id": f"LEGAL-{number}", "title": f"{service} breach: {words}", "services": [service], "summary": f"{words} of {service}",
                "resolution": f"Rolled back {service}.", "at": (begin + timedelta(hours=7 * number)).isoformat(),
                "alerts": ["CheckoutErrorRateHigh"], "cause": "a restricted release",
            }
        )  # fmt: skip
    catalogue = "\n---\n".join(
        f"""apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {name}
  annotations: {{github.com/project-slug: larkspur/{name}}}
spec: {{type: service, lifecycle: production, owner: {owner}, dependsOn: [{needs}]}}"""
        for name, owner, needs in (
            ("atlantis", "deep-sea", "component:checkout"),
            ("atlantis-api", "deep-sea", "component:cart, component:auth"),
            ("checkout", "deep-sea", "component:atlantis"),
            ("search", "deep-sea", "component:atlantis-api"),
            ("storefront", "deep-sea", "component:trident-vault"),
        )
    )
    book = "# Kraken\n\nService: checkout\n\nAlert: `CheckoutErrorRateHigh`\n\n## Steps\n\n1. Release the kraken for errors.\n"
    fired = [
        {
            "status": "firing", "labels": {"alertname": "CheckoutErrorRateHigh", "service": random.choice(SERVICES)},
            "annotations": {"summary": "breach"}, "startsAt": (begin + timedelta(hours=number)).isoformat(), "fingerprint": f"f{number}",
        }
        for number in range(60)
    ]  # fmt: skip
    files = {
        ("changes", "legal-changes"): ("changes.jsonl", "\n".join(json.dumps(one) for one in changes)),
        ("postmortems", "legal-pages"): ("pages.jsonl", "\n".join(json.dumps(one) for one in pages)),
        ("backstage", "legal-catalogue"): ("catalog-info.yaml", catalogue),
        ("runbooks", "legal-books"): ("kraken.md", book),
        ("alertmanager", "legal-alerts"): (
            "alerts.jsonl",
            "\n".join(json.dumps({"version": "4", "status": "firing", "alerts": [one]}) for one in fired),
        ),
    }
    sources = []
    for (connector, name), (file, text) in files.items():
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sources.append(Source(name=name, connector=connector, path=str(path), visibility=LABEL))
    return sources


def opened(folder: Path, more: list[Source]) -> tuple[Memory, TestClient]:
    """
    A memory over the demo organisation, with more in it; what is restricted came first, so that it moves all numbers.
    """
    memory = open_memory(Settings(data=folder, part_budget_ms=60_000))
    half = len(more) // 2
    ingest(memory.store, more[:half])
    ingest(memory.store, read_sources(FOLDER))
    ingest(memory.store, more[half:])
    memory.follow()
    return memory, TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False)


Pair = tuple[tuple[TestClient, str, str], tuple[TestClient, str, str]]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """
    (client, reader's token, lawyer's token) without and with the restricted set.
    """
    folder = tmp_path_factory.mktemp("interference")
    (plain, without), (secret, with_) = (
        opened(folder / "without", []),
        opened(folder / "with", restricted(folder / "files")),
    )
    with without, with_:
        yield tuple(  # type: ignore[misc]
            (
                client,
                memory.tokens.issue("reader", ["read", "feedback"]),
                memory.tokens.issue("lawyer", ["read"], LABEL),
            )
            for memory, client in ((plain, without), (secret, with_))
        )


def requests(random: Random, count: int) -> Iterator[tuple[str, str, Any]]:
    """
    (method, address, body) of so many requests, on every address that reads.
    """
    payloads = [json.loads(one.read_bytes()) for one in alerts()]
    for _ in range(count):
        name = random.choice((*SERVICES, *SERVICES, *SECRETS, "no-such-thing", "sec-7", "LEGAL-3"))
        text = " ".join(random.sample(WORDS, random.randrange(1, 6)))
        at = datetime(2026, 10, 15, tzinfo=UTC) + timedelta(minutes=random.randrange(60 * 24 * 25))
        when = quote(at.isoformat())
        as_of = random.choice((f"?as_of={when}", f"?as_of={when}&known_at={when}", "?as_of=2026-11-24T00:00:00Z"))
        join = as_of + "&"
        record = f"r-{random.randrange(1 << 48):024x}"
        alert = {"name": random.choice(("CheckoutErrorRateHigh", "Slow", text)), "text": f"{text} on {name}",
                 "at": at.isoformat(), "labels": {"service": name, "severity": "page"}}  # fmt: skip
        yield random.choice(
            (
                ("POST", f"/v1/context{as_of}", alert),
                ("POST", f"/v1/context{as_of}", random.choice(payloads)),
                ("POST", f"/v1/context{as_of}&format=text", alert),
                ("POST", "/v1/similar", {"text": f"{text} {name}", "at": at.isoformat(), "limit": random.randrange(1, 60)}),
                ("POST", "/v1/similar", {"text": text, "service": name}),
                ("POST", f"/v1/policy/check{as_of}", {"action": "rollback", "target": name, "at": at.isoformat()}),
                ("POST", f"/v1/owners{as_of}", [name, {"host": name}, {"repository": f"larkspur/{name}", "path": "a.py"}]),
                ("POST", "/v1/feedback", {"answer_id": "a-" + record, "verdict": "useful"}),
                ("GET", f"/v1/owner{join}service={name}", None),
                ("GET", f"/v1/owner{join}alias={name}", None),
                ("GET", f"/v1/owner{join}label.namespace={name}&label.severity=page", None),
                ("GET", f"/v1/owner{join}repository=larkspur/shop&path=services/{name}/a.py", None),
                ("GET", f"/v1/services{as_of}", None),
                ("GET", f"/v1/services/{name}{as_of}", None),
                ("GET", f"/v1/services/{name}/blast-radius{join}depth=3", None),
                ("GET", f"/v1/changes?service={name}&limit={random.randrange(1, 200)}", None),
                ("GET", f"/v1/changes?start={when}&limit=50", None),
                ("GET", f"/v1/timeline?service={name}&start={when}", None),
                ("GET", f"/v1/runbooks?text={quote(text)}&service={name}", None),
                ("GET", f"/v1/runbooks?alert=CheckoutErrorRateHigh&text={quote(text)}", None),
                ("GET", f"/v1/identity{join}name={name}", None),
                ("GET", f"/v1/identity{as_of}", None),
                ("GET", f"/v1/readiness{join}trend=7", None),
                ("GET", "/v1/sources", None),
                ("GET", f"/v1/policy{as_of}", None),
                ("GET", f"/v1/answers/a-{record}", None),
                ("GET", f"/v1/answers/a-{record}/replay", None),
                ("GET", "/compat/pagerduty/services", None),
                ("GET", f"/compat/pagerduty/services/{name}", None),
                ("GET", "/compat/pagerduty/oncalls", None),
                ("GET", "/compat/backstage/api/catalog/entities", None),
                ("GET", f"/compat/backstage/api/catalog/entities/by-name/component/default/{name}", None),
                ("GET", f"/services/{name}", None),
                tool("alert_context", alert=alert, as_of=at.isoformat()),
                tool("owner", service=name),
                tool("changes", service=name, limit=random.randrange(1, 30)),
                tool("similar_incidents", text=f"{text} {name}"),
                tool("runbook", text=text, service=name),
            )
        )  # fmt: skip


def tool(name: str, **arguments: Any) -> tuple[str, str, Any]:
    """
    An agent's call.
    """
    call = {"name": name, "arguments": arguments}
    return "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}


def asked(client: TestClient, token: str, request: tuple[str, str, Any]) -> tuple[int, Any]:
    """
    The status and the body, without what is volatile.
    """
    method, address, body = request
    content = None if body is None else json.dumps(body)
    answer = client.request(method, address, content=content, headers={**ACCEPT, "authorization": f"Bearer {token}"})
    if "json" in answer.headers.get("content-type", "") and address != "/mcp":
        return answer.status_code, lasting(answer.json())
    return answer.status_code, VOLATILE_TEXT.sub("~", answer.text).splitlines()


def lasting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: lasting(one) for key, one in value.items() if key not in VOLATILE}
    return [lasting(one) for one in value] if isinstance(value, list) else moments(value)


def moments(value: Any) -> Any:
    """
    A moment of today is that of asking, or of taking in: the two memories were not made at once.
    """
    today = f"{datetime.now(UTC):%Y-%m-%d}T"
    return "~" if isinstance(value, str) and value.startswith(today) else value


def difference(one: Any, other: Any, path: str = "") -> str:
    """
    Where two values first differ.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]
        return difference(one.get(keys[0]), other.get(keys[0]), f"{path}.{keys[0]}") if keys else path
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        place = next((at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), 0)
        return difference(one[place], other[place], f"{path}[{place}]") if one else path
    return f"{path}: {str(one)[:300]} / {str(other)[:300]}"


def test_a_reader_without_the_label_is_answered_as_if_there_were_no_restricted_set(pair: Pair) -> None:
    (without, reader, lawyer), (with_, other, counsel) = pair
    different = []
    for request in requests(Random(5), REQUESTS):
        one, two = asked(without, reader, request), asked(with_, other, request)
        if one != two:
            different.append((request[:2], difference(list(one), list(two))))
    assert different == [], f"{len(different)} of {REQUESTS} differ: {different[:5]}"
    # the restricted set is there, and whoever holds the label sees it
    seen = ("GET", "/v1/services", None)
    assert asked(without, lawyer, seen) != asked(with_, counsel, seen)
