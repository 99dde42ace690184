"""
Alerts of more tools that send a small body of a fixed shape: Checkly, Coralogix, Dash0, LibreNMS, Axiom and Wazuh. The
body's own fields tell which it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, first, list_at, moment_at, objects_at, text, text_at
from ingest.tags import first_filled, labelled, noted

_ELAPSED = re.compile(r"(\d+)\s*([a-z])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_LEVELS = ((12, "critical"), (8, "high"), (4, "medium"), (0, "low"))
"""Of Wazuh's rules, from 0 to 15."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """
    What any of them says: which occurrence, whether and when it began and ended.
    """

    part: str
    name: str | None
    began: datetime | None
    ended: bool = False
    end: datetime | None = None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    expr: str = ""
    url: str | None = None
    test: bool = False


def _checkly(body: Body) -> _Reading:
    kind = (text_at(body, "alert_type") or "").upper()
    began = moment_at(body, ("started_at",))
    return _Reading(
        part=f"{text_at(body, 'check_id')}@{text_at(body, 'started_at') or kind}",
        name=first_filled(body, "check_name"),
        began=began,
        ended="RECOVERY" in kind,
        end=began,
        labels=labelled(
            body.get("tags"),
            {"region": first_filled(body, "region", "run_location"), "check_type": body.get("check_type"),
             "group": body.get("group_name"), "severity": "warning" if "DEGRADED" in kind else "critical",
             "state": kind},
        ),
        annotations=noted(title=body.get("event"), description=body.get("check_error_message")),
        url=first_filled(body, "link"),
    )  # fmt: skip


def _coralogix(body: Body) -> _Reading:
    fields = {key: one.get("value") for one in objects_at(body, "fields") if (key := text(one.get("key")))}
    moment = moment_at(fields, ("timestampISO",), ("timestampMs",), ("timestamp",))
    ended = (text_at(body, "alert_action") or "").lower() in ("resolve", "resolved")
    return _Reading(
        part=first(fields.get("alertUniqueIdentifier"), body.get("uuid"), body.get("alert_id")) or "",
        name=first_filled(body, "name"),
        began=moment,
        ended=ended,
        end=moment,
        labels=labelled(
            {"service": first_filled(body, "service")},
            fields.get("metaLabelsList"),
            {key: _given(fields.get(key)) for key in ("team", "application", "subsystem", "severity", "priority")},
            {"host": _given(fields.get("computer"))},
        ),
        annotations=noted(title=body.get("name"), description=body.get("description"), text=fields.get("text")),
        expr=first(fields.get("queryText")) or "",
        url=first_filled(body, "alert_url", "log_url"),
    )


def _given(value: object) -> object:
    """
    A field's value; None for the words that stand in it until somebody fills it.
    """
    return None if str(value).startswith("*") else value


def _dash0(body: Body) -> _Reading:
    issue = at(body, "data", "issue")
    rule = at(issue, "checkrules", 0)
    ended = text_at(issue, "status") == "resolved" or (text_at(body, "type") or "").endswith(".resolved")
    return _Reading(
        part=text_at(issue, "id") or "",
        name=first(at(rule, "name"), at(issue, "summary")),
        began=moment_at(issue, ("start",)),
        ended=ended,
        end=moment_at(issue, ("end",)),
        labels=labelled(
            at(issue, "labels"),
            at(rule, "labels"),
            {"dataset": at(issue, "dataset"), "severity": None if ended else at(issue, "status")},
        ),
        annotations=labelled(at(issue, "annotations"), at(rule, "annotations"))
        | noted(title=at(issue, "summary"), description=at(issue, "description")),
        expr=text_at(rule, "expression") or "",
        url=text_at(issue, "url"),
    )


def _libre_nms(body: Body) -> _Reading:
    moment = moment_at(body, ("timestamp",))
    ended = text_at(body, "state") == "0"
    spent = _ELAPSED.findall(text_at(body, "elapsed") or "") if ended else []
    lasted = sum(int(number) * _SECONDS.get(unit, 0) for number, unit in spent)
    began = moment - timedelta(seconds=lasted) if moment and lasted < moment.timestamp() else moment
    number = first_filled(body, "alert_id", "uid", "id")
    return _Reading(
        part=f"{text_at(body, 'device_id')}/{number}@{began.isoformat() if began else ''}",
        name=first_filled(body, "name", "title"),
        began=began,
        ended=ended,
        end=moment,
        labels=labelled(
            {"host": first_filled(body, "sysName", "hostname"), "address": body.get("hostname"), "os": body.get("os"),
             "severity": body.get("severity"), "type": body.get("type"), "location": body.get("location")},
        ),
        annotations=noted(title=body.get("title"), description=body.get("msg"), runbook_url=body.get("proc")),
        expr=first_filled(body, "rule") or "",
    )  # fmt: skip


def _axiom(body: Body) -> _Reading:
    event = body.get("event")
    moment = moment_at({"at": (text_at(event, "timestamp") or "").removesuffix(" UTC")}, ("at",))
    title = text_at(event, "title")
    ended = (text_at(body, "action") or "").lower() in ("closed", "close", "resolved")
    group = ",".join(str(one) for one in list_at(event, "groupValues"))
    return _Reading(
        part=f"{text_at(event, 'monitorID')}/{group}@{text_at(event, 'timestamp') or ''}",
        name=title,
        began=moment,
        ended=ended,
        end=moment,
        labels=labelled({"monitor_id": text_at(event, "monitorID")}),
        annotations=noted(
            title=title, description=first(at(event, "description"), at(event, "body")), value=at(event, "value")
        ),
        test=(title or "").startswith("Axiom Monitor Test"),
    )


def _wazuh(body: Body) -> _Reading:
    whole = body.get("all_fields") if isinstance(body.get("all_fields"), dict) else body
    level = text_at(whole, "rule", "level") or "0"
    rank = int(level) if level.isdecimal() else 0
    groups = at(whole, "rule", "groups")
    return _Reading(
        part=first(at(whole, "id"), body.get("id")) or "",
        name=first(at(whole, "rule", "description"), body.get("title")),
        began=moment_at(whole, ("timestamp",)),
        labels=labelled(
            {"host": at(whole, "agent", "name"), "rule_id": at(whole, "rule", "id"), "groups": groups,
             "severity": next(word for least, word in _LEVELS if rank >= least), "location": at(whole, "location")},
        ),
        annotations=noted(title=first(body.get("title"), at(whole, "rule", "description"))),
    )  # fmt: skip


_KINDS: tuple[tuple[str, Callable[[Body], bool], Callable[[Body], _Reading]], ...] = (
    ("checkly", lambda body: {"check_name", "alert_type", "check_id"} <= set(body), _checkly),
    ("coralogix", lambda body: {"alert_action", "alert_id", "fields"} <= set(body), _coralogix),
    ("dash0", lambda body: {"issueIdentifier"} <= set(_inner(body, "data", "issue")), _dash0),
    (
        "libre_nms",
        lambda body: {"sysName", "rule", "alert_id"} <= set(body) or {"sysName", "rule_id"} <= set(body),
        _libre_nms,
    ),
    ("axiom", lambda body: {"monitorID"} <= set(_inner(body, "event")) and "action" in body, _axiom),
    ("wazuh", lambda body: _is_wazuh(_inner(body, "all_fields") or body), _wazuh),
)


def _inner(body: Body, *path: str) -> Body:
    found = at(body, *path)
    return found if isinstance(found, dict) else {}


def _is_wazuh(body: Body) -> bool:
    return {"agent", "manager"} <= set(body) and {"level", "description"} <= set(_inner(body, "rule"))


def _kind(body: Body) -> tuple[str, Callable[[Body], _Reading]] | None:
    return next(((name, reader) for name, fits, reader in _KINDS if fits(body)), None)


def _part(body: Body, meta: Mapping[str, str]) -> str:
    kind = _kind(body)
    return f"{kind[0]}:{kind[1](body).part}" if kind else "unknown"


def _occurred(body: Body) -> datetime | None:
    kind = _kind(body)
    if kind is None:
        return None
    found = kind[1](body)
    moment = (found.end if found.ended else None) or found.began
    return moment and moment + timedelta(microseconds=found.ended)


def transform(record: Record) -> Iterator[Item]:
    """
    The alert. A test states nothing.
    """
    body = body_of(record)
    kind = _kind(body)
    if kind is None:
        raise BadRecord(f"this is none of {', '.join(name for name, _, _ in _KINDS)}; a mapping file can read it")
    vendor, reader = kind
    found = reader(body)
    if found.test:
        return
    if not found.name:
        raise BadRecord(f"this alert of {vendor} has no name")
    began = found.began or record.received_at
    yield Alert(
        id=record.part,
        name=found.name,
        at=began,
        ended_at=(found.end or record.received_at) if found.ended else None,
        status="resolved" if found.ended else "firing",
        labels=dict(found.labels),
        annotations=dict(found.annotations),
        expr=found.expr,
        vendor=vendor,
        url=found.url,
    )


def recognises(payload: Body, headers: Headers) -> bool:
    """
    One of them.
    """
    return _kind(payload) is not None


CONNECTOR = Connector(
    name="keep_other",
    summary="Checkly, Coralogix, Dash0, LibreNMS, Axiom, Wazuh",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred),
    transform=transform,
    patterns=("keep_other/*.json*", "checkly/*.json", "coralogix/*.json", "dash0/*.json", "libre*nms/*.json"),
    recognises=recognises,
)
