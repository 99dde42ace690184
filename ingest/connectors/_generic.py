"""
A change out of an event whose type says in words what was altered, and whose data names its fields as people do.

The words of the type decide the kind, the first rule that fits; the fields are those of `changes` (each with synonyms).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from graph.values import Change, ChangeKind
from ingest.connectors.changes import change_of
from ingest.contract import Body
from ingest.fields import first

_RULES: tuple[tuple[ChangeKind, str], ...] = (
    (ChangeKind.ROLLBACK, "rollback|rolledback|rolled back|roll back"),
    (ChangeKind.FLAG, "flag|flags|toggle|toggles|experiment"),
    (ChangeKind.SCHEMA, "migration|migrations|schema|ddl"),
    (ChangeKind.CERTIFICATE, "certificate|certificates|cert|certs|tls"),
    (ChangeKind.MODEL, "model|models|prompt|prompts|index|indexes|embedding|embeddings"),
    (ChangeKind.SCALING, "scaled|scaling|scale|autoscaling|resize|resized"),
    (ChangeKind.CONFIG, "config|configs|configuration|setting|settings|parameter|parameters|secret|secrets"),
    (ChangeKind.INFRASTRUCTURE, "infrastructure|terraform|cluster|network|dns|maintenance"),
    (ChangeKind.DEPLOY, "deploy|deploys|deployed|deployment|deployments|release|released|rollout|promoted|upgraded"),
    (ChangeKind.DATA, "data|dataset|datasets|feed|backfill|import|imported|reindex"),
)
_KINDS = tuple((kind, re.compile(rf"(?<![a-z])(?:{words})(?![a-z])")) for kind, words in _RULES)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FIELDS = {
    "service": ("service", "services", "app", "application", "component", "service_name", "serviceName"),
    "environment": ("environment", "env", "stage", "environment_name"),
    "previous": ("previous", "from", "old", "previous_version", "previousVersion", "old_value", "oldValue"),
    "revision": (
        "revision", "to", "new", "version", "new_version", "tag", "image", "commit", "sha", "new_value", "newValue",
    ),
    "actor": ("actor", "author", "user", "by", "deployer", "triggered_by", "changed_by", "updated_by"),
    "title": ("title", "subject", "message", "summary", "name", "key"),
    "text": ("text", "description", "body", "reason"),
    "status": ("status", "state", "result", "outcome"),
    "started": ("at", "started_at", "startedAt", "start", "timestamp"),
    "ended_at": ("ended_at", "endedAt", "finished_at", "finishedAt", "completed_at"),
    "repository": ("repository", "repo"),
    "url": ("url", "link", "html_url", "uri"),
    "region": ("region",),
    "reverts": ("reverts", "reverted", "rollback_of"),
    "flag": ("flag", "flag_key", "flagKey"),
}  # fmt: skip


def kind_of(event: str) -> ChangeKind | None:
    """
    What an event of this type alters (`com.acme.flag.toggled`); None where its words do not say.
    """
    words = re.sub(r"[^a-z0-9]+", " ", _CAMEL.sub(" ", event).lower())
    return next((kind for kind, rule in _KINDS if rule.search(words)), None)


def generic_change(identity: str, event: str, kind: ChangeKind, data: Body, moment: datetime, where: str) -> Change:
    """
    The change; `moment` where the data do not say when it began. Raises BadRecord for a time that is none.
    """
    row: dict[str, object] = {
        name: found for name, keys in _FIELDS.items() if (found := _field(data, keys)) is not None
    }
    began = row.pop("started", None)
    row |= {"id": identity, "kind": kind.value, "at": began or moment.isoformat()}
    row["title"] = row.get("title") or event
    return change_of(row, where, {})


def _field(data: Mapping[str, object], keys: tuple[str, ...]) -> object | None:
    for key in keys:
        value = data.get(key)
        if isinstance(value, dict):
            value = first(value.get("name"), value.get("key"), value.get("id"))
        if isinstance(value, list):
            value = [one for one in value if isinstance(one, str)]
        if value not in (None, "", []) and not isinstance(value, bool):
            return value
    return None
