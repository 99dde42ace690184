"""
Routing where names drift: renames, splits, and labels of which a fifth are wrong, on the demo organisation by seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from graph.values import entity_name
from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from service.api.app import create_app
from service.demo import load
from service.settings import Settings

SEED = 20261125
RENAMED, SPLIT, WRONG, EACH = 0.3, 2, 0.2, 8
FLOOR = 0.9
PART = (
    "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {}\nspec:\n  type: service\n  owner: {}\n"
)
FRESH = ("aurora", "breeze", "cobalt", "dahlia", "ember", "falcon", "granite", "harbour", "indigo", "juniper", "kestrel", "lagoon", "meadow", "nimbus", "orchid", "pebble", "quartz", "raven", "sable", "thistle")  # fmt: skip
FOREIGN = ("coredns", "vault", "fluentd", "jenkins", "nexus", "velero")
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True)
class Case:
    """
    An alert's labels and the team that it is for; None where it is nobody's.
    """

    kind: str
    labels: dict[str, str]
    team: str | None


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, list[Case]]]:
    """
    The organisation after its names drifted, and the alerts that it gets from then on.
    """
    rng = random.Random(SEED)
    memory = load(Settings(data=tmp_path_factory.mktemp("drift"), embedder="none"))
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080") as client:
        owners = {one["name"]: one["owner"] for one in client.get("/v1/services").json()["services"] if one["owner"]}
        owners = {name: owner for name, owner in owners.items() if not name.endswith("-api")}
        names = sorted(owners)
        rng.shuffle(names)
        renamed = dict(zip(names[: int(len(names) * RENAMED)], FRESH, strict=False))
        split = names[-SPLIT:]
        for old, new in renamed.items():
            assert client.post("/v1/identity", json={"action": "rename", "names": [old, new]}).status_code == 200
        for whole in split:
            parts = [f"{whole}-read", f"{whole}-write"]
            for part, team in zip(parts, ("platform", owners[whole]), strict=True):
                admit(
                    memory.store,
                    Source(name="parts", connector="backstage"),
                    PART.format(part, team).encode(),
                    {"path": f"{part}.yaml"},
                )
                owners[part] = team
            assert client.post("/v1/identity", json={"action": "split", "names": [whole, *parts]}).status_code == 200
        drain(memory.store)
        memory.follow()
        yield client, list(cases(rng, owners, renamed))


def cases(rng: random.Random, owners: dict[str, str], renamed: dict[str, str]) -> Iterator[Case]:
    for service, team in sorted(owners.items()):
        for _ in range(EACH):
            kind = "renamed" if service in renamed else "split" if service.endswith(("-read", "-write")) else "kept"
            called = rng.choice((service, renamed.get(service, service)))
            labels = running(rng, called)
            if rng.random() < 0.6:
                labels["service"] = called
            if "service" in labels and rng.random() < WRONG:
                kind, labels["service"] = "wrong label", rng.choice([one for one in owners if owners[one] != team])
            if rng.random() < 0.5:
                wrong = rng.random() < WRONG
                labels["team"] = rng.choice(sorted(set(owners.values()) - {team})) if wrong else team
            yield Case(kind, labels, team)
    for name in FOREIGN:
        for _ in range(EACH):
            yield Case("foreign", running(rng, name), None)


def running(rng: random.Random, name: str) -> dict[str, str]:
    tail = "".join(rng.choice(LETTERS) for _ in range(5))
    made = {
        "deployment": name,
        "container": name,
        "pod": f"{name}-{rng.randrange(16**8):08x}-{tail}",
        "job": f"kubernetes/{name}",
        "app": name.replace("-", "_"),
    }
    return {key: made[key] for key in rng.sample(sorted(made), 3)} | {"cluster": "prod-eu1", "severity": "page"}


def test_alerts_reach_their_owners_though_names_drifted(
    drifted: tuple[TestClient, list[Case]], capsys: pytest.CaptureFixture[str]
) -> None:
    client, asked = drifted
    right = answered = 0
    by_kind: dict[str, list[bool]] = {}
    for case in asked:
        alert = {"name": "HighErrorRate", "at": "2026-10-30T14:00:00Z", "labels": case.labels}
        owner = client.post("/v1/context", json=alert).json()["owner"]
        team = entity_name(owner["team"]) if owner and owner["team"] else None
        answered += team is not None
        right += team is not None and team == case.team
        by_kind.setdefault(case.kind, []).append(team == case.team)
    wanted = sum(case.team is not None for case in asked)
    precision, recall = right / answered, right / wanted
    f1 = 2 * precision * recall / (precision + recall)
    with capsys.disabled():
        shares = ", ".join(f"{kind} {sum(hits)}/{len(hits)}" for kind, hits in sorted(by_kind.items()))
        print(
            f"\nrouting: F1 {f1:.3f}, precision {precision:.3f}, recall {recall:.3f} of {len(asked)} alerts ({shares})"
        )
    assert f1 >= FLOOR
    assert sum(by_kind["renamed"]) == len(by_kind["renamed"])
