"""
A made organisation of any size, in the formats that connectors read, and alerts about it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path


def organisation(folder: Path, services: int, changes: int, incidents: int, seed: int = 7) -> Path:
    """
    A made organisation of a size, in the formats that connectors read.
    """
    rng = random.Random(seed)
    names = [f"{a}-{b}-{n}" for n, (a, b) in enumerate(_pairs(rng, services))]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog-info.yaml").write_text("---\n".join(_component(rng, names, name) for name in names))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with (folder / "changes.jsonl").open("w") as stream:
        for number in range(changes):
            at = start + timedelta(seconds=number * 86400 * 240 / changes)
            stream.write(json.dumps(_change(rng, names, number, at)) + "\n")
    reports = folder / "postmortems"
    reports.mkdir(exist_ok=True)
    for number in range(incidents):
        at = start + timedelta(seconds=number * 86400 * 240 / max(1, incidents))
        (reports / f"inc-{number:05}.md").write_text(_postmortem(rng, names, number, at))
    return folder


_FIRST = [
    "order",
    "cart",
    "price",
    "stock",
    "media",
    "login",
    "ledger",
    "quote",
    "route",
    "parcel",
    "label",
    "vault",
    "frame",
    "signal",
    "batch",
]
_SECOND = ["api", "worker", "store", "sync", "gate", "cache", "index", "feed", "score", "engine"]
SYMPTOMS = (
    "connection pool exhausted",
    "certificate has expired",
    "queue backlog grows",
    "p99 latency above two seconds",
    "out of memory",
    "disk almost full",
    "replica lag",
    "unknown key id",
    "schema mismatch",
    "rate limited by provider",
)
FIXES = (
    "Rolled back `{service}` to the release before.",
    "Restarted `{service}`.",
    "Scaled `{service}` from 4 to 12.",
    "Reverted the configuration of `{service}`.",
    "Failed over to the second provider.",
    "Turned the flag off.",
)


def _pairs(rng: random.Random, count: int) -> Iterator[tuple[str, str]]:
    for _ in range(count):
        yield rng.choice(_FIRST), rng.choice(_SECOND)


def _component(rng: random.Random, names: Sequence[str], name: str) -> str:
    needs = "".join(
        f"    - component:{other}\n" for other in rng.sample(list(names), min(5, len(names))) if other != name
    )
    return (
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: service\n"
        f"  lifecycle: production\n  owner: team-{rng.randrange(40)}\n  dependsOn:\n{needs}"
    )


def _change(rng: random.Random, names: Sequence[str], number: int, at: datetime) -> dict[str, object]:
    name = rng.choice(names)
    return {
        "id": f"c{number}",
        "at": at.isoformat(),
        "kind": rng.choice(["deploy", "deploy", "config", "flag"]),
        "service": name,
        "environment": "production",
        "actor": f"dev{rng.randrange(200)}",
        "title": f"Change {rng.choice(SYMPTOMS).split()[0]} of {name}",
        "files": [f"services/{name}/main.py"],
    }


def _postmortem(rng: random.Random, names: Sequence[str], number: int, at: datetime) -> str:
    name, symptom = rng.choice(names), rng.choice(SYMPTOMS)
    end = at + timedelta(minutes=rng.randrange(10, 90))
    return (
        f"---\nid: INC-{number}\ntitle: {name} {symptom}\nstarted: {at.isoformat()}\nresolved: {end.isoformat()}\n"
        f"services: [{name}]\nseverity: sev2\n---\n# {name}: {symptom}\n\n## Impact\n\nRequests to {name} failed.\n\n"
        f"## Detection\n\nAn alert said: {symptom} on {name} ({rng.randrange(10**6)}).\n\n## Root cause\n\n"
        f"A change of {name} led to it.\n\n## Resolution\n\n{rng.choice(FIXES).format(service=name)}\n"
    )


def alert(rng: random.Random, services: Sequence[str]) -> bytes:
    """
    An alert of about 40 tokens, as a monitoring tool would send it.
    """
    name = rng.choice(services)
    return json.dumps(
        {
            "name": "HighErrorRate",
            "at": "2026-08-20T12:00:00Z",
            "labels": {"service": name, "env": "production"},
            "annotations": {"summary": f"{rng.choice(SYMPTOMS)} on {name}, 5 % of requests fail for 5 minutes"},
        }
    ).encode()
