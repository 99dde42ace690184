"""
Reading alerts through a connector, as tests of alerts want them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from graph.values import Alert
from ingest.connectors import connector, recognise
from ingest.parsing import load_json
from tests.unit.ingest.connectors.reading import DATA, read


def data(name: str) -> list[dict[str, object]]:
    """
    The bodies of a connector's data file.
    """
    found = load_json((DATA / f"{name}.json").read_bytes())
    bodies = found if isinstance(found, list) else [found]
    return [one for one in bodies if isinstance(one, dict)]


def alerts(name: str, *bodies: object, **meta: str) -> list[Alert]:
    """
    All that bodies state, which are alerts alone.
    """
    found = [one for body in bodies for one in read(name, orjson.dumps(body), **meta)]
    assert all(isinstance(one, Alert) for one in found), found
    return [one for one in found if isinstance(one, Alert)]


def sample(shared: Path, name: str, file: str) -> list[Alert]:
    """
    The alerts of a real payload.
    """
    raw = (shared / "samples" / name / file).read_bytes()
    return alerts(name, orjson.loads(raw), path=file)


def latest(name: str, bodies: Iterable[object]) -> list[Alert]:
    """
    What stands after deliveries in some order: of each part, what occurred last.
    """
    standing: dict[str, tuple[datetime, object]] = {}
    for body in bodies:
        for piece in connector(name).split(orjson.dumps(body), {"path": "file.json"}):
            moment = piece.occurred_at or datetime.max.replace(tzinfo=UTC)
            if piece.part not in standing or moment >= standing[piece.part][0]:
                standing[piece.part] = (moment, body)
    return [one for _, body in standing.values() for one in alerts(name, body)]


def recognised(body: Mapping[str, object], **headers: str) -> str | None:
    """
    The name of the connector that recognises a body.
    """
    found = recognise(body, {key.replace("_", "-"): value for key, value in headers.items()})
    return found.name if found else None


def when(text: str) -> datetime:
    """
    A moment, in UTC where it does not say.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def brief(alert: Alert) -> tuple[str, str, datetime, datetime | None]:
    """
    An alert's name, status, beginning and end.
    """
    return alert.name, alert.status, alert.at, alert.ended_at


def bare(alert: Alert) -> Alert:
    """
    An alert without labels and annotations, which tests look at by themselves.
    """
    return replace(alert, labels={}, annotations={})
