"""
A made organisation as files that connectors read, and its truth beside them in a folder that no source names.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from tests.simulation.events import START, Fault, Fired, Made, Shape, background, faults
from tests.simulation.topology import Service, Topology, topology

SOURCES = """# A made organisation: nothing here happened.

[[sources]]
name = "topology"
connector = "mapping"
path = "topology.jsonl"
mapping = "topology.toml"

[[sources]]
name = "changes"
connector = "changes"
path = "changes.jsonl"

[[sources]]
name = "alertmanager"
connector = "alertmanager"
path = "alertmanager"

[[sources]]
name = "postmortems"
connector = "postmortems"
path = "incidents.jsonl"
"""
MAPPING = """part = "{name}"
published = "since"

[[items]]
kind = "entity"
subject = "service:{name}"
attributes = { type = "service" }

[[items]]
kind = "owned_by"
subject = "service:{name}"
object = "team:{team}"

[[items]]
kind = "depends_on"
each = "needs"
subject = "service:{name}"
object = "service:{it}"

[[items]]
kind = "depends_on"
each = "shares"
subject = "service:{name}"
object = "resource:{it}"
"""


def simulate(folder: Path, shape: Shape) -> dict[str, object]:
    """
    Write the organisation; the same shape gives the same bytes. Returns the numbers of what there is.
    """
    # a stream of chance for each part: more incidents don't change the services
    found = topology(random.Random(f"{shape.seed} topology"), shape.services)
    broken = list(faults(random.Random(f"{shape.seed} faults"), found, shape))
    changes = list(background(random.Random(f"{shape.seed} changes"), found, shape))
    for one in broken:
        changes += [*([one.culprit] if one.culprit else []), *one.decoys, *one.others]
    changes.sort(key=lambda one: (one.at, one.id))
    folder.mkdir(parents=True, exist_ok=True)
    _text(folder / "sources.toml", SOURCES)
    _text(folder / "topology.toml", MAPPING)
    _lines(folder / "topology.jsonl", (_service(one) for one in found.services))
    _lines(folder / "changes.jsonl", (_change(one) for one in changes))
    _lines(folder / "incidents.jsonl", (_incident(one) for one in broken))
    (folder / "alertmanager").mkdir(exist_ok=True)
    _lines(folder / "alertmanager" / "alerts.jsonl", _deliveries(broken))
    (folder / "truth").mkdir(exist_ok=True)
    _lines(folder / "truth" / "incidents.jsonl", (_truth(one) for one in broken))
    _lines(folder / "truth" / "questions.jsonl", (_question(one) for one in broken))
    return _numbers(found, changes, broken)


def _numbers(found: Topology, changes: list[Made], broken: list[Fault]) -> dict[str, object]:
    return {
        "services": len(found.services),
        "dependencies": sum(len(one.needs) for one in found.services),
        "changes": len(changes),
        "incidents": len(broken),
        "caused_by_a_change": sum(one.culprit is not None for one in broken),
        "named_in_postmortems": sum(one.named for one in broken),
        "alerts": sum(len(one.alerts) for one in broken),
        "decoys": sum(len(one.decoys) for one in broken),
    }


def _service(one: Service) -> dict[str, object]:
    return {
        "name": one.name, "team": one.team, "needs": list(one.needs), "shares": list(one.shares),
        "regions": list(one.regions), "since": _when(START - timedelta(days=1)),
    }  # fmt: skip


def _change(one: Made) -> dict[str, object]:
    row = {
        "id": one.id, "at": _when(one.at), "kind": one.kind, "service": one.service, "environment": one.environment,
        "region": one.region, "revision": one.revision, "previous": one.previous, "actor": one.actor, "title": one.title,
        "files": [one.file], "text": one.text, "reverts": one.reverts,
    }  # fmt: skip
    return {name: value for name, value in row.items() if value}


def _incident(one: Fault) -> dict[str, object]:
    """
    The postmortem; it is known two days later. Some name the culprit, the others say what was seen.
    """
    first = one.alerts[0]
    hurt = list(dict.fromkeys(alert.service for alert in one.alerts))
    undone = next((other for other in one.others if other.reverts), None)
    end = f"Rolled back `{undone.service}`." if undone else "It ended by itself."
    row: dict[str, object] = {
        "id": one.id, "title": f"{first.service}: {first.name}", "started_at": _when(one.onset), "resolved_at": _when(one.ended),
        "services": hurt, "alerts": [first.name], "environment": "production", "published_at": _when(one.ended + timedelta(days=2)),
        "impact": first.summary, "resolution": end,
    }  # fmt: skip
    if one.named and one.culprit:
        row |= {"caused_by": [one.culprit.id], "cause_kind": "change"}
    elif one.named:
        row |= {"cause_kind": one.mechanism.name}
    return row


def _deliveries(broken: Iterable[Fault]) -> Iterable[Mapping[str, object]]:
    fired = sorted((alert for one in broken for alert in one.alerts), key=lambda one: (one.at, one.service, one.name))
    return (_delivery(one) for one in fired)


def _delivery(one: Fired) -> dict[str, object]:
    """
    Alertmanager's webhook, sent when it fired.
    """
    alert = {
        "status": "firing",
        "labels": {
            "alertname": one.name,
            "service": one.service,
            "env": "production",
            "region": one.region,
            "severity": "critical",
        },
        "annotations": {"summary": one.summary},
        "startsAt": _when(one.at),
        "endsAt": "0001-01-01T00:00:00Z",
    }
    return {"receiver": "precedent", "status": "firing", "version": "4", "alerts": [alert]}


def _truth(one: Fault) -> dict[str, object]:
    return {
        "id": one.id, "cause": one.mechanism.name, "culprit": one.culprit.id if one.culprit else None,
        "service": one.service.name, "region": one.region, "onset": _when(one.onset), "fired_at": _when(one.alerts[0].at),
        "alerting": [alert.service for alert in one.alerts], "decoys": [made.id for made in one.decoys],
        "roll_out": [made.id for made in one.others if not made.reverts],
    }  # fmt: skip


def _question(one: Fault) -> dict[str, object]:
    """
    What one would ask at that moment, with what was seen beside it, in the shape of `POST /v1/context`.
    """
    first = one.alerts[0]
    return {
        "id": one.id, "as_of": _when(first.at), "known_at": _when(first.at), **_delivery(first),
        "signals": {
            "patterns": [{"service": one.service.name, "pattern": one.mechanism.log, "growth": 40}],
            "failing": [one.service.name, *(alert.service for alert in one.alerts if alert.service != one.service.name)],
        },
    }  # fmt: skip


def _when(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    _text(path, "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows))


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
