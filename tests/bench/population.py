"""
A made organisation as records with what they state, for a store to be filled without connectors.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from graph.values import Change, ChangeKind, Fact, FactKind, Fix, FixAction, Incident, Item, Record, SectionKind
from tests.bench.made import FIXES, SYMPTOMS

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 240
END = START + timedelta(days=DAYS)
Stated = tuple[Record, tuple[Item, ...]]


def names_of(services: int) -> list[str]:
    """
    The services' names.
    """
    return [f"svc-{number}" for number in range(services)]


def catalogue(names: Sequence[str], seed: int = 5) -> Iterator[Stated]:
    """
    Each service with an owner and five dependencies.
    """
    rng = random.Random(seed)
    for number, name in enumerate(names):
        subject = f"service:{name}"
        needs = [
            Fact(kind=FactKind.DEPENDS_ON, subject=subject, object=f"service:{one}") for one in rng.sample(names, 5)
        ]
        owner = Fact(kind=FactKind.OWNED_BY, subject=subject, object=f"team:team-{number % 40}")
        entity = Fact(kind=FactKind.ENTITY, subject=subject, attributes={"type": "service"})
        yield _record("catalog", name, START), (entity, owner, *needs)


def changes(names: Sequence[str], count: int, seed: int = 6, source: str = "deploys") -> Iterator[Stated]:
    """
    Changes over the days, each of one service.
    """
    rng = random.Random(seed)
    for number in range(count):
        name = rng.choice(names)
        at = START + timedelta(days=DAYS) * number / count
        made = Change(
            id=f"c{number}",
            kind=rng.choice((ChangeKind.DEPLOY, ChangeKind.CONFIG, ChangeKind.FLAG)),
            at=at,
            title=f"Change {rng.choice(SYMPTOMS).split()[0]} of {name}",
            services=(f"service:{name}",),
            environment="production",
            actor=f"dev{rng.randrange(200)}",
            files=(f"services/{name}/main.py",),
        )
        yield _record(source, made.id, at), (made,)


def incidents(names: Sequence[str], count: int, seed: int = 7) -> Iterator[Stated]:
    """
    Incidents over the days, each of one service, with what fixed it.
    """
    rng = random.Random(seed)
    for number in range(count):
        name, symptom = rng.choice(names), rng.choice(SYMPTOMS)
        at = START + timedelta(days=DAYS) * number / max(1, count)
        quote = rng.choice(FIXES).format(service=name)
        made = Incident(
            id=f"INC-{number}",
            title=f"{name} {symptom}",
            at=at,
            services=(f"service:{name}",),
            sections={SectionKind.RESOLUTION: quote},
            fixes=(Fix(action=FixAction.OTHER, target=name, quote=quote),),
        )
        yield _record("postmortems", made.id, at), (made,)


def _record(source: str, part: str, at: datetime) -> Record:
    return Record(
        id=f"{source}-{part}",
        source=source,
        connector="bench",
        part=part,
        body=json.dumps({"source": source, "part": part, "at": at.isoformat(), "text": "as it was received " * 8}),
        digest=f"{random.Random(part).getrandbits(256):064x}",
        received_at=at,
    )
