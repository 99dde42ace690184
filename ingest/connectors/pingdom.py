"""
Pingdom's webhook of a check that changed its state, and the checks that its API lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, first, list_at, moment_at, objects_at, text_at
from ingest.tags import labelled, noted

_ENDED = frozenset({"UP", "SUCCESS"})
_FIRING = frozenset({"DOWN", "FAILING", "FAILURE"})


def _parts(body: Body) -> Iterator[Body]:
    if isinstance(body.get("checks"), list):
        yield from objects_at(body, "checks")
    else:
        yield body


def _since(body: Body) -> datetime | None:
    return moment_at(
        body, ("state_changed_timestamp",), ("state_changed_utc_time",), ("lastdownstart",), ("lasterrortime",)
    )


def _part(body: Body, meta: Mapping[str, str]) -> str:
    since = _since(body)
    return f"check:{first(body.get('check_id'), body.get('id'))}@{since.isoformat() if since else _state(body)}"


def _state(body: Body) -> str:
    return (first(body.get("current_state"), body.get("status")) or "").upper()


def transform(record: Record) -> Iterator[Item]:
    """
    A check that is down as an alert. That it is up again is one too, which ends as it begins: Pingdom does not say
    since when it was down. A check that the API lists as up states nothing.
    """
    body = body_of(record)
    name = first(body.get("check_name"), body.get("name"))
    if name is None:
        raise BadRecord("there is no `check_name`; expected Pingdom's webhook")
    state = _state(body)
    ended = state in _ENDED
    if state not in _ENDED | _FIRING or (ended and "current_state" not in body):
        return
    moment = _since(body) or record.received_at
    tags = [first(at(one, "name"), one) for one in list_at(body, "tags")]
    yield Alert(
        id=f"pingdom:{record.part}",
        name=name,
        at=moment,
        ended_at=moment if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            [tag for tag in tags if tag],
            {
                "url": at(body, "check_params", "full_url"),
                "host": first(at(body, "check_params", "hostname"), body.get("hostname")),
                "severity": body.get("importance_level"),
                "check_type": first(body.get("check_type"), body.get("type")),
                "state": state,
            },
        ),
        annotations=noted(
            title=body.get("description"),
            description=body.get("long_description"),
            location=text_at(body, "first_probe", "location"),
        ),
        vendor="pingdom",
    )


def recognises(payload: Body, headers: Headers) -> bool:
    """
    A check's change of state.
    """
    return {"check_id", "current_state", "previous_state", "state_changed_timestamp"} <= set(payload)


CONNECTOR = Connector(
    name="pingdom",
    summary="Pingdom's webhook of a check's state, and the checks of its API",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _since, _parts),
    transform=transform,
    patterns=("pingdom/*.json*",),
    recognises=recognises,
)
