"""
MLflow's model registry: webhooks (MLflow 3, and the older ones of registries that call their events by upper-case
names), and models, versions and prompts of the REST API.

A version that is made, moved to a stage, or given an alias is a change of kind model; the model is the service, the
stage or the alias the environment. Tags, comments and requests state nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.connectors._events import attributes, ranked, unread
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, named, objects_at, service, text_at
from ingest.signing import StandardWebhooks

_NO_STAGE = {"none", "archived"}
_MADE = {"model_version.created", "prompt_version.created", "MODEL_VERSION_CREATED"}
_ALIAS = {
    "model_version_alias.created", "model_version_alias.deleted", "prompt_alias.created", "prompt_alias.deleted",
    "prompt_version_alias.created", "prompt_version_alias.deleted", "registered_model_alias.created",
    "registered_model_alias.deleted", "MODEL_ALIAS_CREATED", "MODEL_ALIAS_DELETED",
}  # fmt: skip
_NO_CHANGE = {
    "registered_model.created", "prompt.created", "REGISTERED_MODEL_CREATED", "COMMENT_CREATED",
    "MODEL_VERSION_TAG_SET", "TRANSITION_REQUEST_CREATED", "TRANSITION_REQUEST_TO_STAGING_CREATED",
    "TRANSITION_REQUEST_TO_PRODUCTION_CREATED",
    "TRANSITION_REQUEST_TO_ARCHIVED_CREATED", "REGISTERED_MODEL_TAG_SET",
}  # fmt: skip
_TIMES = (
    ("timestamp",), ("event_timestamp",), ("data", "timestamp"), ("last_updated_timestamp",), ("creation_timestamp",),
)  # fmt: skip


def _parts(body: Body) -> Iterator[Body]:
    """
    Events, and each version and alias of what the REST API answers.
    """
    if isinstance(body.get("entity"), str) or isinstance(body.get("event"), str):
        yield body
        return
    version = body.get("model_version") or body.get("prompt_version")
    versions: list[Body] = [version] if isinstance(version, dict) else [*objects_at(body, "model_versions")]
    model = body.get("registered_model") or body.get("prompt")
    models = (
        [model] if isinstance(model, dict) else [*objects_at(body, "registered_models"), *objects_at(body, "prompts")]
    )
    if not versions and not models and "name" in body and ("aliases" in body or "latest_versions" in body):
        models = [body]
    for one in models:
        versions += objects_at(one, "latest_versions")
        for alias in objects_at(one, "aliases"):
            shared = {key: one.get(key) for key in ("name", "last_updated_timestamp", "creation_timestamp")}
            yield shared | {"rest": "alias", "alias": alias.get("alias"), "version": alias.get("version")}
    for one in versions:
        yield {"rest": "version", **one}
    if not versions and not models:
        yield {"rest": "version", **body} if {"name", "version", "creation_timestamp"} <= set(body) else body


def _event(body: Body) -> str:
    entity, action = text_at(body, "entity"), text_at(body, "action")
    return f"{entity}.{action}" if entity and action else text_at(body, "event") or text_at(body, "rest") or ""


def _name(body: Body) -> str | None:
    return named(first(at(body, "data", "name"), at(body, "model_name"), at(body, "name")))


def _version(body: Body) -> str | None:
    return named(first(at(body, "data", "version"), at(body, "version")))


def _alias(body: Body) -> str | None:
    return first(at(body, "data", "alias"), at(body, "alias"))


def _stage(body: Body) -> str | None:
    event = _event(body)
    by_name = event.rpartition("_TO_")[2].lower() if "TRANSITIONED_TO_" in event else None
    stage = first(at(body, "to_stage"), at(body, "data", "to_stage"), by_name, at(body, "current_stage"))
    return stage.lower() if stage else None


def _part(body: Body, meta: Mapping[str, str]) -> str:
    event, name = _event(body), _name(body)
    if event in _ALIAS or event == "alias":
        return f"alias:{name}@{_alias(body)}:{digest_of(body)}"
    if "TRANSITIONED" in event:
        return f"stage:{name}/{_version(body)}:{digest_of(body)}"
    return f"version:{name}/{_version(body)}" if event in _MADE or event == "version" else f"event:{digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    moment = moment_at(body, *_TIMES)
    return ranked(moment, 1 if "TRANSITIONED" in _event(body) or body.get("rest") else 0)


def transform(record: Record) -> Iterator[Item]:
    """
    The change of a model or prompt.
    """
    body = body_of(record)
    event = _event(body)
    if not event and text_at(body, "message"):
        return
    if event in _NO_CHANGE or event.split(".")[0].endswith("_tag") or (event in _MADE and not _version(body)):
        return
    known = event in _MADE | _ALIAS | {"alias", "version"} or "MODEL_VERSION_TRANSITIONED" in event
    if not known:
        raise unread("MLflow", event)
    if not _name(body):
        raise BadRecord(f"{record.part} names no model; expected `data.name` or `model_name`")
    yield _change(record, body, event)


def _change(record: Record, body: Body, event: str) -> Change:
    name, version, alias, stage = _name(body) or "", _version(body), _alias(body), _stage(body)
    what = "Prompt" if event.startswith("prompt") else "Model"
    gone = event.lower().endswith("deleted")
    moment = moment_at(body, *_TIMES) or record.received_at
    if event in _ALIAS or event == "alias":
        title = f"{what} {name}: alias {alias} {'taken away' if gone else f'points to version {version}'}"
        identity, where = f"alias:{name}@{alias}:{version or ''}:{int(moment.timestamp())}", alias
    elif "TRANSITIONED" in event:
        title = f"{what} {name} version {version} moved to {stage}"
        identity, where = f"stage:{name}/{version}:{stage}:{int(moment.timestamp())}", stage
    else:
        title, identity, where = f"{what} {name} version {version} made", f"version:{name}/{version}", stage
    previous = first(at(body, "from_stage"), at(body, "data", "from_stage"))
    return Change(
        id=f"mlflow:{identity}",
        kind=ChangeKind.MODEL,
        at=moment,
        ended_at=moment,
        title=title,
        services=service(name),
        environment=where.lower() if where and where.lower() not in _NO_STAGE else None,
        revision=version,
        actor=first(at(body, "user_id"), at(body, "data", "user_id"), at(body, "author")),
        status="removed" if gone else first(at(body, "status"), event),
        text=first(at(body, "data", "description"), at(body, "description"), at(body, "text")) or "",
        url=first(at(body, "model_version_url")),
        attributes=attributes(
            model=name,
            alias=alias,
            stage=stage,
            from_stage=previous,
            run=first(at(body, "data", "run_id"), at(body, "run_id")),
            source=first(at(body, "data", "source"), at(body, "source")),
        ),
    )


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By MLflow's header, else by an entity of its registry or an older event's name.
    """
    if "x-mlflow-delivery-id" in headers or "x-mlflow-signature" in headers:
        return True
    one = at(payload, "registered_models", 0) or at(payload, "model_versions", 0) or payload.get("model_version")
    if isinstance(one, dict) and {"name", "creation_timestamp"} <= set(one):
        return True
    event = _event(payload)
    known = event in _MADE | _ALIAS | _NO_CHANGE or "MODEL_VERSION_" in event
    return known and ("data" in payload or "model_name" in payload)


CONNECTOR = Connector(
    name="mlflow",
    summary="MLflow's model registry: versions, stages, aliases, prompts",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("mlflow/*.json*",),
    recognises=recognises,
    headers=("x-mlflow-delivery-id",),
    delivery=("x-mlflow-delivery-id",),
    signing=StandardWebhooks(names=("x-mlflow-delivery-id", "x-mlflow-timestamp", "x-mlflow-signature"), plain=True),
)
