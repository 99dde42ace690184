"""
What happens in a made organisation: roll-outs that go from region to region, faults that some of them cause, how harm
goes up to the callers, which alerts fire, and how it ends.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.simulation.mechanisms import INNOCENT, MECHANISMS, NO_CHANGE, QUIET, Mechanism
from tests.simulation.topology import Service, Topology

START = datetime(2025, 1, 6, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    How large and how hard. Shares are of incidents: `caused` by a change, `confounded` by innocent changes on the alerting
    service just before, `quiet` culprits that say nothing, `seen_above` where only a caller alerts, `named` in postmortems.
    """

    services: int = 200
    days: int = 180
    changes: int = 20_000
    incidents: int = 300
    seed: int = 1
    caused: float = 0.75
    confounded: float = 0.6
    quiet: float = 0.4
    seen_above: float = 0.35
    named: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """
    A change: one step of a roll-out, in one region.
    """

    id: str
    kind: str
    at: datetime
    service: str
    region: str
    title: str
    file: str
    text: str
    revision: str
    environment: str = "production"
    previous: str = ""
    reverts: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """
    An alert of a service in a region.
    """

    name: str
    service: str
    region: str
    at: datetime
    ended: datetime
    summary: str


@dataclass(slots=True, kw_only=True)
class Fault:
    """
    An incident with its truth.
    """

    id: str
    mechanism: Mechanism
    service: Service
    region: str
    onset: datetime
    ended: datetime
    culprit: Made | None = None
    decoys: list[Made] = field(default_factory=list)
    others: list[Made] = field(default_factory=list)
    """The further steps of the roll-out, and what took it back."""
    alerts: list[Fired] = field(default_factory=list)
    named: bool = False


def background(rng: random.Random, found: Topology, shape: Shape) -> Iterator[Made]:
    """
    Innocent changes over the time, mostly in working hours, each rolled out region by region.
    """
    left = shape.changes
    number = 0
    while left > 0:
        service = rng.choice(found.services)
        steps = list(_rolled_out(rng, service, _moment(rng, shape.days), f"c{number}", innocent=True))[:left]
        left -= len(steps)
        number += 1
        yield from steps


def faults(rng: random.Random, found: Topology, shape: Shape) -> Iterator[Fault]:
    """
    The incidents, evenly over the time but for the first days.
    """
    for number in range(shape.incidents):
        service = rng.choice(found.services)
        day = 2 + (shape.days - 2) * (number + rng.random()) / shape.incidents
        moment = START + timedelta(days=int(day), minutes=_minute(rng))
        yield _fault(rng, found, shape, f"SIM-{number:05}", service, moment)


def _fault(rng: random.Random, found: Topology, shape: Shape, name: str, service: Service, moment: datetime) -> Fault:
    caused = rng.random() < shape.caused
    mechanism = rng.choice(MECHANISMS if caused else NO_CHANGE)
    least, most = mechanism.delay
    onset = moment + timedelta(minutes=least + (most - least) * rng.random() ** 2) + timedelta(seconds=20)
    region = rng.choice(service.regions)
    ended = onset + timedelta(minutes=rng.randrange(12, 150))
    fault = Fault(
        id=name,
        mechanism=mechanism,
        service=service,
        region=region,
        onset=onset,
        ended=ended,
        named=rng.random() < shape.named,
    )
    if caused:
        quiet = rng.random() < shape.quiet
        steps = list(_rolled_out(rng, service, moment, f"f{name[4:]}", mechanism=mechanism, quiet=quiet, first=region))
        fault.culprit = steps[0]
        # a roll-out stops where it is found to do harm
        fault.others = [one for one in steps[1:] if one.at < onset]
        if rng.random() < 0.7:
            fault.others.append(_taken_back(rng, fault, steps[0]))
    fault.alerts = list(_alerts(rng, found, shape, fault))
    if rng.random() < shape.confounded:
        fault.decoys = list(_decoys(rng, found, fault))
    return fault


def _rolled_out(
    rng: random.Random, service: Service, at: datetime, name: str, *, innocent: bool = False,
    mechanism: Mechanism | None = None, quiet: bool = False, first: str = "",
) -> Iterator[Made]:  # fmt: skip
    kind, title, file = rng.choice(INNOCENT) if mechanism is None else (mechanism.kind, mechanism.title, mechanism.file)
    text = mechanism.text if mechanism and not quiet else ""
    revision, previous = f"{rng.getrandbits(48):012x}", f"{rng.getrandbits(48):012x}"
    if quiet or (innocent and rng.random() < 0.3):
        title = rng.choice(QUIET).format(revision=revision[:7], service=service.name)
        file = f"services/{service.name}/main.py"
    staging = innocent and rng.random() < 0.15
    regions = sorted(service.regions, key=lambda one: one != first)
    for place, region in enumerate(regions):
        yield Made(
            id=f"{name}-{place}", kind=kind, at=at, service=service.name, region=region, title=title,
            file=file if file.startswith("services/") else f"services/{service.name}/{file}", text=text, revision=revision,
            previous=previous, environment="staging" if staging else "production", actor=f"dev-{rng.randrange(60)}",
        )  # fmt: skip
        at += timedelta(minutes=rng.randrange(15, 120))


def _taken_back(rng: random.Random, fault: Fault, culprit: Made) -> Made:
    at = fault.ended - timedelta(minutes=rng.randrange(2, 8))
    kind = "rollback" if culprit.kind == "deploy" else culprit.kind
    return Made(
        id=f"{culprit.id}-back", kind=kind, at=at, service=culprit.service, region=culprit.region,
        title=f"Roll back {culprit.service}", file=culprit.file, text="", revision=culprit.previous,
        previous=culprit.revision, reverts=culprit.id, actor=f"dev-{rng.randrange(60)}",
    )  # fmt: skip


def _alerts(rng: random.Random, found: Topology, shape: Shape, fault: Fault) -> Iterator[Fired]:
    """
    The failing service's own alert, and those of callers in the same region as the harm reaches them, or these alone.
    """
    callers = [one for one in found.callers[fault.service.name] if fault.region in found.named(one).regions]
    above = bool(callers) and rng.random() < shape.seen_above
    at = fault.onset + timedelta(seconds=rng.randrange(60, 300))
    if not above:
        summary = f"{fault.service.name}: {fault.mechanism.symptom}"
        yield Fired(
            name=fault.mechanism.alert,
            service=fault.service.name,
            region=fault.region,
            at=at,
            ended=fault.ended,
            summary=summary,
        )
    for caller in rng.sample(callers, min(len(callers), 3)) if above or rng.random() < 0.5 else ():
        at += timedelta(seconds=rng.randrange(30, 420))
        summary = (
            f"{caller}: errors of calls to {fault.service.name}"
            if rng.random() < 0.3
            else f"{caller}: 5 % of requests fail"
        )
        yield Fired(
            name="HighErrorRate", service=caller, region=fault.region, at=at, ended=fault.ended, summary=summary
        )


def _decoys(rng: random.Random, found: Topology, fault: Fault) -> Iterator[Made]:
    """
    Innocent changes on the alerting service between the culprit and the alert.
    """
    alert = fault.alerts[0]
    since = fault.culprit.at if fault.culprit else alert.at - timedelta(hours=1)
    gap = (alert.at - since).total_seconds()
    for number in range(rng.choice((1, 1, 2, 3))):
        at = alert.at - timedelta(seconds=max(5.0, gap * rng.random() * 0.9))
        made = next(_rolled_out(rng, found.named(alert.service), at, f"x{fault.id[4:]}{number}", innocent=True))
        yield made


def _moment(rng: random.Random, days: int) -> datetime:
    return START + timedelta(days=rng.randrange(days), minutes=_minute(rng), seconds=rng.randrange(60))


def _minute(rng: random.Random) -> int:
    """
    Of the day: four in five within working hours.
    """
    return rng.randrange(8 * 60, 18 * 60) if rng.random() < 0.8 else rng.randrange(24 * 60)
