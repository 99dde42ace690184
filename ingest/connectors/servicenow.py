"""
ServiceNow: change requests, incidents, problems and the CMDB, by the Table API (bare values, display values or both)
and by webhooks of business rules (`record`, `current` or `data` beside a `table`).

A change request is a change once it is scheduled; before that it is a plan that states nothing. A problem is an
incident too, for its cause and its fix. A bare reference is the id of a record: the CMDB's and groups' own rows say
whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import (
    Alert,
    Change,
    ChangeKind,
    EntityId,
    EntityKind,
    Incident,
    Item,
    Record,
    SectionKind,
    Trust,
    entity_id,
)
from ingest.connectors._events import (
    alert_of,
    attributes,
    ranked,
    sections,
    sections_of,
    through_relay,
    with_fixes,
)
from ingest.connectors._servicenow import group_facts, item_facts, moment, relation_facts, shown, stored
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, named, objects_at, unwrapped
from ingest.parsing import named_time

_WRAPS = ("result", "results", "records", "record", "current", "data", "incident", "change_request", "payload")
_CHANGE_STATES = {
    "-5": "new", "-4": "assess", "-3": "authorize", "-2": "scheduled", "-1": "implement", "0": "review", "3": "closed",
    "4": "canceled",
}  # fmt: skip
_INCIDENT_STATES = {"1": "new", "2": "in progress", "3": "on hold", "6": "resolved", "7": "closed", "8": "canceled"}
_PLANNED = {"new", "assess", "authorize", "draft", "requested", "pending"}
_ENDED = {"review", "closed", "closed complete", "closed incomplete", "closed skipped", "complete"}
_CATEGORIES: tuple[tuple[ChangeKind, str], ...] = (
    (ChangeKind.CERTIFICATE, r"certificate|\bssl\b|\btls\b"),
    (ChangeKind.SCHEMA, r"schema|migration"),
    (ChangeKind.SCALING, r"scal(?:e|ing)\b|resize"),
    (ChangeKind.FLAG, r"feature flag"),
    (ChangeKind.CONFIG, r"config|firewall rule|parameter"),
    (ChangeKind.DEPLOY, r"deploy|release|software|application|rollout|upgrade|\bpatch"),
)
_KINDS = tuple((kind, re.compile(rule, re.IGNORECASE)) for kind, rule in _CATEGORIES)
_ID = re.compile(r"[0-9a-f]{32}")


def _parts(body: Body) -> Iterator[Body]:
    """
    The records of an answer or a delivery, each with its table.
    """
    table = first(at(body, "table"), at(body, "table_name"), at(body, "sys_class_name"))
    if "sys_id" in body or "number" in body or "short_description" in body:
        yield body
        return
    for key in _WRAPS:
        inner = body.get(key)
        found = [inner] if isinstance(inner, dict) else list(objects_at(body, key))
        for one in found:
            named_table = key if key in ("incident", "change_request") else table
            yield from _parts({"sys_class_name": named_table, **one} if named_table else one)
        if found:
            return
    yield body


def table_of(body: Body) -> str:
    """
    The table of a record: as it says, else by its number.
    """
    named_table = (stored(body, "sys_class_name") or "").lower().replace(" ", "_")
    if named_table:
        return named_table
    number = (shown(body, "number") or "").upper()
    prefixes = {"CHG": "change_request", "INC": "incident", "PRB": "problem", "CTASK": "change_task"}
    found = next((table for prefix, table in prefixes.items() if number.startswith(prefix)), "")
    return found or (
        "cmdb_rel_ci" if {"parent", "child", "type"} <= set(body) else "cmdb_ci" if "asset_tag" in body else ""
    )


def _part(body: Body, meta: Mapping[str, str]) -> str:
    return f"{table_of(body) or 'record'}:{stored(body, 'sys_id') or shown(body, 'number') or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    count = stored(body, "sys_mod_count") or ""
    return ranked(moment(body, "sys_updated_on", "sys_created_on"), min(int(count), 999) if count.isdecimal() else 0)


def transform(record: Record) -> Iterator[Item]:
    """
    What one record of a table states.
    """
    body = body_of(record)
    table = table_of(body)
    if table == "change_request":
        yield from _change(body)
    elif table in ("incident", "problem"):
        yield _incident(body, table)
    elif table == "cmdb_rel_ci":
        yield from relation_facts(body)
    elif table.startswith("cmdb_ci"):
        yield from item_facts(body, table)
    elif table == "sys_user_group":
        yield from group_facts(body)
    elif table not in (
        "change_task",
        "problem_task",
        "incident_task",
        "sys_user",
        "task",
        "sc_request",
        "sc_req_item",
        "kb_knowledge",
        "sc_task",
    ):
        raise BadRecord(
            f"{record.part} is of a table of ServiceNow that is not read ({table or 'no sys_class_name'}); it is kept: "
            "send change_request, incident, problem, cmdb_ci or sys_user_group, with the field sys_class_name"
        )


def _state(body: Body, known: Mapping[str, str], *keys: str) -> str:
    value = first(*(stored(body, key) for key in keys)) or ""
    label = first(*(shown(body, key) for key in keys)) or ""
    return known.get(value, label).lower().replace("cancelled", "canceled")


def _services(body: Body) -> tuple[EntityId, ...]:
    names = [named(shown(body, key)) for key in ("business_service", "service_offering", "cmdb_ci", "u_service")]
    return tuple(dict.fromkeys(entity_id(EntityKind.SERVICE, name) for name in names if name))


def _environment(body: Body) -> str | None:
    found = first(shown(body, "environment"), shown(body, "u_environment"))
    return found.lower() if found else "production" if stored(body, "production_system") == "true" else None


def _readable(body: Body, *keys: str) -> str | None:
    """
    The first reference that is a name and no bare id.
    """
    return next((found for key in keys if (found := shown(body, key)) and not _ID.fullmatch(found)), None)


def _change(body: Body) -> Iterator[Change]:
    state = _state(body, _CHANGE_STATES, "state")
    began = first(stored(body, "work_start"), stored(body, "start_date"))
    if state in _PLANNED or (state == "canceled" and not began):
        return
    number, title = shown(body, "number"), shown(body, "short_description") or "Change request"
    when = began or first(stored(body, "opened_at"), stored(body, "sys_created_on"), stored(body, "sys_updated_on"))
    told = f"{shown(body, 'category')} {title} {shown(body, 'type')}"
    plans = [shown(body, key) for key in ("description", "implementation_plan", "backout_plan", "close_notes")]
    yield Change(
        id=f"servicenow:change:{stored(body, 'sys_id') or number}",
        kind=next((kind for kind, rule in _KINDS if rule.search(told)), ChangeKind.INFRASTRUCTURE),
        at=named_time(when, f"`work_start` of {number}"),
        ended_at=moment(body, "work_end", "end_date", "closed_at") if state in _ENDED else None,
        title=f"{number}: {title}" if number else title,
        services=_services(body),
        environment=_environment(body),
        actor=_readable(body, "assigned_to", "requested_by", "opened_by", "sys_created_by"),
        status=state or None,
        text="\n\n".join(plan for plan in plans if plan),
        attributes=attributes(
            number=number,
            type=shown(body, "type"),
            risk=shown(body, "risk"),
            category=shown(body, "category"),
            approval=shown(body, "approval"),
            outcome=shown(body, "close_code"),
            group=_readable(body, "assignment_group"),
        ),
    )


def _incident(body: Body, table: str) -> Incident:
    state = _state(body, _INCIDENT_STATES, "incident_state", "state")
    number, began = shown(body, "number"), moment(body, "u_started_at", "opened_at", "sys_created_on")
    done = state in ("resolved", "closed") or (
        table == "problem" and state in ("4", "106", "107", "closed", "resolved")
    )
    return with_fixes(
        Incident(
            id=f"servicenow:{table}:{stored(body, 'sys_id') or number or digest_of(body)}",
            title=shown(body, "short_description") or number or "Incident",
            at=began,
            detected_at=moment(body, "opened_at", "sys_created_on"),
            resolved_at=moment(body, "resolved_at", "closed_at", "sys_updated_on") if done else None,
            severity=first(shown(body, "priority"), shown(body, "severity")),
            services=_services(body),
            environment=_environment(body),
            sections=sections(
                *sections_of(shown(body, "description")),
                (
                    SectionKind.CAUSE,
                    first(shown(body, "cause_notes"), shown(body, "u_root_cause"), shown(body, "cause")),
                ),
                (SectionKind.RESOLUTION, first(shown(body, "close_notes"), shown(body, "fix_notes"))),
                (SectionKind.RESOLUTION, shown(body, "workaround")),
            ),
            caused_by=tuple(one for one in [_change_of(body, "caused_by")] if one),
            attributes=attributes(
                number=number,
                status=state,
                category=shown(body, "category"),
                outcome=shown(body, "close_code"),
                impact=shown(body, "impact"),
                urgency=shown(body, "urgency"),
                group=_readable(body, "assignment_group"),
                fixed_by=_change_of(body, "rfc"),
                problem=shown(body, "problem_id"),
            ),
        )
    )


def _change_of(body: Body, key: str) -> str | None:
    found = stored(body, key)
    return f"servicenow:change:{found}" if found else None


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The incidents of a delivery, as alerts.
    """
    found = [one for one in _parts(unwrapped(body)) if table_of(one) == "incident"]
    told = [(_incident(one, "incident"), one) for one in found]
    return [alert_of(one, received, "servicenow", {"number": shown(given, "number")}) for one, given in told]


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    A record with ServiceNow's own fields, alone, under `result`, or beside its table.
    """
    found = next(_parts(payload), payload)
    if not isinstance(found.get("sys_id"), str | dict):
        return False
    return "sys_class_name" in found or "sys_updated_on" in found or "number" in found


CONNECTOR = Connector(
    name="servicenow",
    summary="ServiceNow's change requests, incidents, problems and CMDB",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("servicenow/*.json*",),
    recognises=through_relay(recognises),
    alerts=alerts,
)
