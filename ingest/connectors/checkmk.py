"""
Checkmk's notifications as a script sends them: the notification's context as JSON (`NOTIFY_HOSTNAME` and so on), or the
common short form of it in lower case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Item, Record, Trust
from ingest.connectors._checks import ENDED, Check, check_of, tells_nothing
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import body_of, deliveries, moment_at
from ingest.tags import first_filled, noted

_STATES = {"CRIT": "CRITICAL", "WARN": "WARNING", "UNKN": "UNKNOWN", "UNREACH": "UNREACHABLE"}


def plain(body: Body) -> dict[str, object]:
    """
    The context by names in lower case, without the prefix of its variables.
    """
    return {key.lower().removeprefix("notify_"): value for key, value in body.items()}


def _parts(body: Body) -> Iterator[Body]:
    yield plain(body)


def _service(body: Body) -> str | None:
    if (first_filled(body, "what") or "").upper() == "HOST":
        return None
    return first_filled(body, "servicedesc", "service", "service_description")


def _host(body: Body) -> str | None:
    return first_filled(body, "hostname", "host")


def _state(body: Body) -> str:
    names = (
        ("servicestate", "serviceshortstate", "status") if _service(body) else ("hoststate", "hostshortstate", "status")
    )
    given = (first_filled(body, *names) or "").upper()
    return _STATES.get(given, given)


def _part(body: Body, meta: Mapping[str, str]) -> str:
    """
    The problem, by its number where it is given: a recovery has it as that of the last problem.
    """
    kind = "service" if _service(body) else "host"
    names = (f"{kind}problemid", f"last{kind}problemid", "id")
    number = next((one for name in names if (one := first_filled(body, name)) not in (None, "0")), None)
    check = check_of(_host(body), _service(body))
    site = first_filled(body, "omd_site", "site")
    return f"{f'{site}/' if site else ''}{check}" + (f"#{number}" if number else "")


def _occurred(body: Body) -> datetime | None:
    moment = _moment(body)
    return moment and moment + timedelta(microseconds=_state(body) in ENDED)


def _moment(body: Body) -> datetime | None:
    """
    When it was notified: a count of microseconds, else the short form, which is in the zone of the server.
    """
    return moment_at(body, ("microtime",), ("shortdatetime",), ("short_date_time",))


def transform(record: Record) -> Iterator[Item]:
    """
    The problem as an alert; its recovery ends it.
    """
    body = body_of(record)
    kind = first_filled(body, "notificationtype", "notification_type") or "PROBLEM"
    if tells_nothing(kind):
        return
    host, state = _host(body), _state(body)
    if host is None or not state:
        raise BadRecord("neither the host nor its state is given; send the notification's context as JSON")
    service = _service(body)
    changed = moment_at(body, ("lastservicestatechange" if service else "lasthoststatechange",))
    moment = _moment(body) or changed or record.received_at
    yield Check(
        host=host,
        service=service,
        state=state,
        began=changed or moment,
        ended=moment,
        labels={
            "site": first_filled(body, "omd_site", "site"),
            "environment": first_filled(body, "hostlabel_environment", "hosttag_criticality", "environment"),
            "service": first_filled(body, "hostlabel_service", "application"),
            "team": first_filled(body, "hostlabel_team", "team"),
            "host_groups": first_filled(body, "hostgroupnames"),
            "service_groups": first_filled(body, "servicegroupnames"),
        },
        annotations=noted(
            title=first_filled(body, "summary"),
            description=first_filled(body, "serviceoutput" if service else "hostoutput", "output"),
            details=first_filled(body, "longserviceoutput" if service else "longhostoutput", "long_output"),
        ),
        url=first_filled(body, "serviceurl" if service else "hosturl", "url"),
    ).alert("checkmk", record.part)


def recognises(payload: Body, headers: Headers) -> bool:
    """
    The variables of a notification's context, or their short form.
    """
    keys = set(plain(payload))
    return {"what", "notificationtype", "hostname"} <= keys or {"what", "notification_type", "site", "host"} <= keys


CONNECTOR = Connector(
    name="checkmk",
    summary="Checkmk's notifications: the context as JSON, the common short form",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("checkmk/*.json*",),
    recognises=recognises,
)
