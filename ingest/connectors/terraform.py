"""
Terraform: notifications of HCP Terraform and Terraform Enterprise about runs and drift, and plans as
`terraform show -json` prints them.

A run is a change once it applies. Of a plan only the addresses and actions of what it would change are kept, never a
value. A workspace's name is taken for the service's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, EntityKind, Item, Record, Trust, entity_id
from ingest.commits import ranked
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import (
    at,
    body_of,
    deliveries,
    digest_of,
    first,
    list_at,
    lower,
    moment_at,
    objects_at,
    present,
    service,
    text_at,
)
from ingest.parsing import named_time
from ingest.signing import Hmac

_APPLYING = {"run:applying", "run:completed", "run:errored"}
_ORDER = (("run:applying",), ("run:errored",), ("run:completed",))
_UNCHANGED = {"planned_and_finished", "planned", "planned_and_saved", "policy_soft_failed", "discarded"}
_QUIET = re.compile(r"^(?:verification|run:|assessment:|workspace:|team:|change_request)")
_ENVIRONMENT = re.compile(
    r"(?:^|[-_/])(prod(?:uction)?|stag(?:e|ing)|dev(?:elopment)?|test|qa|uat|sandbox|preprod)(?:$|[-_/])", re.IGNORECASE
)
_SERVICE_TAGS = ("service", "app", "application", "component", "app.kubernetes.io/name")
_SERVICES = {
    "aws_ecs_service": ("name",),
    "aws_lambda_function": ("function_name",),
    "aws_apprunner_service": ("service_name",),
    "google_cloud_run_service": ("name",),
    "google_cloud_run_v2_service": ("name",),
    "azurerm_container_app": ("name",),
    "azurerm_linux_web_app": ("name",),
    "helm_release": ("name",),
    "nomad_job": ("name",),
    "kubernetes_deployment": ("metadata", 0, "name"),
    "kubernetes_deployment_v1": ("metadata", 0, "name"),
    "kubernetes_stateful_set": ("metadata", 0, "name"),
    "kubernetes_stateful_set_v1": ("metadata", 0, "name"),
}
"""The types of resources that run a service, each with where its name is."""
_KINDS = (
    (ChangeKind.CERTIFICATE, re.compile(r"certificate|^tls_|^acme_|_ssl_cert")),
    (ChangeKind.FLAG, re.compile(r"feature_flag|^launchdarkly_|^unleash_|^configcat_")),
    (ChangeKind.SCALING, re.compile(r"autoscal|_scaling_policy|appautoscaling")),
)
_WORDS = {"create": "create", "update": "update", "delete": "delete", "create,delete": "replace", "forget": "forget"}


def _parts(body: Body) -> Iterator[Body]:
    """
    A notification for each event in it; of a plan what it would change, without its values.
    """
    if isinstance(body.get("resource_changes"), list) or "planned_values" in body:
        yield _plan(body)
        return
    events = objects_at(body, "notifications")
    yield from ({**body, "notifications": [one]} for one in events) if events else [body]


def _plan(body: Body) -> Body:
    changed = [_resource(one) for one in objects_at(body, "resource_changes")]
    variables = (text_at(body, "variables", name, "value") for name in ("environment", "env", "stage"))
    return {
        "plan": [one for one in changed if one["action"]],
        "timestamp": body.get("timestamp"),
        "environment": first(*variables),
        "terraform_version": body.get("terraform_version"),
    }


def _resource(one: Body) -> dict[str, object]:
    actions = sorted(str(action) for action in list_at(one, "change", "actions"))
    values = at(one, "change", "after") or at(one, "change", "before")
    kind = text_at(one, "type") or ""
    hidden = at(one, "change", "after_sensitive")
    tags = {} if at(hidden, "tags") is True else at(values, "tags") or at(values, "labels")
    lowered = {str(key).lower(): value for key, value in tags.items()} if isinstance(tags, dict) else {}
    own = text_at(values, *_SERVICES[kind]) if kind in _SERVICES and hidden is not True else None
    return {
        "address": text_at(one, "address"),
        "type": kind,
        "action": _WORDS.get(",".join(actions)) if one.get("mode") != "data" else None,
        "service": first(*(lowered.get(key) for key in _SERVICE_TAGS), own),
    }


def _trigger(body: Body) -> str:
    return first(at(body, "notifications", 0, "trigger"), body.get("trigger")) or "unknown"


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if "plan" in body:
        return f"plan/{digest_of([body['plan'], body.get('timestamp')])}"
    trigger = _trigger(body)
    if trigger.startswith("run:"):
        return f"run/{text_at(body, 'run_id')}" + ("" if _applies(body) else f"/{trigger}")
    result = text_at(body, "details", "new_assessment_result", "id")
    return f"{trigger}/{result or digest_of(body)}"


def _applies(body: Body) -> bool:
    """
    Whether something was or is being applied. A run that is canceled arrives as one that failed.
    """
    return _trigger(body) in _APPLYING and _run_status(body) not in _UNCHANGED


def _run_status(body: Body) -> str | None:
    return lower(at(body, "notifications", 0, "run_status"))


def _occurred(body: Body) -> datetime | None:
    moment = moment_at(
        body,
        ("notifications", 0, "run_updated_at"),
        ("run_created_at",),
        ("details", "new_assessment_result", "created_at"),
        ("timestamp",),
    )
    return ranked(moment, _trigger(body), _ORDER)


split = deliveries(_part, _occurred, _parts)


def transform(record: Record) -> Iterator[Item]:
    """
    A run that applies, new drift, or a plan that would change something.
    """
    body = body_of(record)
    if "plan" in body:
        yield from _planned(body, record)
        return
    trigger = _trigger(body)
    if trigger == "assessment:drifted":
        yield from _drifted(body)
    elif _applies(body):
        yield _run(body)
    elif not _QUIET.match(trigger):
        raise BadRecord(
            f"{record.part}: neither a notification of HCP Terraform that is known (trigger {trigger!r}) nor a plan; "
            "it is kept. Print plans with terraform show -json FILE, where FILE is what terraform plan -out wrote"
        )


def _run(body: Body) -> Change:
    event = at(body, "notifications", 0)
    status, trigger = _run_status(body), _trigger(body)
    moment = moment_at(event, ("run_updated_at",)) or moment_at(body, ("run_created_at",))
    actor = first(at(event, "run_updated_by"), body.get("run_created_by"))
    workspace = text_at(body, "workspace_name")
    return Change(
        id=f"terraform:run:{body.get('run_id')}",
        kind=ChangeKind.INFRASTRUCTURE,
        at=moment or named_time(None, f"`run_updated_at` of run {body.get('run_id')}"),
        ended_at=moment if trigger != "run:applying" else None,
        title=text_at(body, "run_message") or f"Apply {workspace}",
        services=service(workspace),
        environment=_environment(workspace),
        actor=actor,
        automated=actor is None,
        status=status or trigger.removeprefix("run:"),
        text=text_at(event, "message") or "",
        url=text_at(body, "run_url"),
        attributes=present(workspace=workspace, organization=text_at(body, "organization_name")),
    )


def _drifted(body: Body) -> Iterator[Change]:
    """
    Drift that the assessment before did not see: somebody changed what Terraform keeps.
    """
    details = at(body, "details")
    new, before = at(details, "new_assessment_result"), at(details, "prior_assessment_result")
    drifted = text_at(new, "resources_drifted")
    if at(before, "drifted") is True and text_at(before, "resources_drifted") == drifted:
        return
    workspace = text_at(details, "workspace_name")
    yield Change(
        id=f"terraform:drift:{text_at(new, 'id')}",
        kind=ChangeKind.INFRASTRUCTURE,
        at=named_time(at(new, "created_at"), "`created_at` of the assessment"),
        title=f"Drift of {drifted or 'some'} resources in {workspace}",
        services=service(workspace),
        environment=_environment(workspace),
        status="drifted",
        text=text_at(body, "message") or "",
        url=text_at(new, "url"),
        attributes=present(workspace=workspace, organization=text_at(details, "organization_name")),
    )


def _planned(body: Body, record: Record) -> Iterator[Change]:
    changed = objects_at(body, "plan")
    if not changed:
        return
    counts = Counter(text_at(one, "action") or "" for one in changed)
    names = dict.fromkeys(name for one in changed if (name := text_at(one, "service")))
    types = [text_at(one, "type") or "" for one in changed]
    kind = next((kind for kind, form in _KINDS if all(form.search(one) for one in types)), ChangeKind.INFRASTRUCTURE)
    yield Change(
        id=f"terraform:{record.part.replace('/', ':')}",
        kind=kind,
        at=moment_at(body, ("timestamp",)) or record.received_at,
        title="Terraform plan: " + ", ".join(f"{count} to {word}" for word, count in sorted(counts.items())),
        services=tuple(entity_id(EntityKind.SERVICE, name) for name in names),
        environment=lower(body.get("environment")),
        status="planned",
        text="\n".join(f"{one.get('action')} {one.get('address')}" for one in changed),
        attributes=present(terraform_version=text_at(body, "terraform_version")),
    )


def _environment(workspace: str | None) -> str | None:
    found = _ENVIRONMENT.search(workspace or "")
    return found[1].lower() if found else None


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By the signature's header, else by a notification's or a plan's own fields.
    """
    if "x-tfe-notification-signature" in headers or {"format_version", "resource_changes"} <= payload.keys():
        return True
    return "notification_configuration_id" in payload and "payload_version" in payload


CONNECTOR = Connector(
    name="terraform",
    summary="HCP Terraform notifications (runs that apply, new drift) and plans of terraform show -json",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("terraform/*.json", "terraform/*.jsonl", "*.tfplan.json"),
    recognises=recognises,
    signing=Hmac(header="x-tfe-notification-signature", algorithm="sha512"),
)
