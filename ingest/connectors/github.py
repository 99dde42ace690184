"""
GitHub: deployments, pushes, releases, workflow runs and merged pull requests, from webhooks and from REST answers.

A repository is not a service: the service is `deployment.payload.service` (or app) where given, else the repository's
name, and the repository is kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import orjson

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import deploys, headline, is_bot, is_commit, is_merge, ranked, reverted, rolls_back, touched
from ingest.connectors._github_rest import BODIES, delivery_of
from ingest.connectors.changes import kind_of_files
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import (
    at,
    body_of,
    deliveries,
    digest_of,
    first,
    moment_at,
    objects_at,
    repository,
    service,
    text_at,
)
from ingest.parsing import mapping_of, named_time
from ingest.signing import Hmac

_NOT_PRODUCTION = {"github-pages"}
_STATES = (("queued",), ("pending", "waiting"), ("in_progress",), ("success", "failure", "error"), ("inactive",))
_RUN_STATES = (("requested", "queued", "pending", "waiting"), ("in_progress",), ("completed",))
_WAITING = {"requested", "queued", "pending", "waiting"}
_RELEASE_ACTIONS = (("created", "published"), ("prereleased",), ("released",), ("edited",))
_WITHDRAWN = {"deleted", "unpublished"}
_NOUNS = {"deployment_status": "deployment"}
_PAGES = ("workflow_runs", "deployments", "releases", "items")
_REVERTED_PULL = re.compile(r"\bReverts ([\w.-]+/[\w.-]+)#(\d+)")
_NO_CHANGE = frozenset({
    "ping", "check_run", "check_suite", "status", "create", "delete", "workflow_job", "workflow_dispatch",
    "repository_dispatch", "deployment_review", "deployment_protection_rule", "pull_request_review",
    "pull_request_review_comment", "pull_request_review_thread", "issue_comment", "issues", "commit_comment", "label",
    "milestone", "star", "watch", "fork", "gollum", "discussion", "discussion_comment", "merge_group",
})  # fmt: skip
"""Events that are no change of what runs."""
_ORGANISATION = frozenset({
    "organization", "org_block", "member", "membership", "team", "team_add", "repository", "repository_import",
    "repository_ruleset", "branch_protection_rule", "branch_protection_configuration", "public", "deploy_key",
    "installation", "installation_repositories", "installation_target", "github_app_authorization",
    "personal_access_token_request", "custom_property", "custom_property_values", "project", "project_card",
    "project_column", "projects_v2", "projects_v2_item", "projects_v2_status_update", "sponsorship",
    "marketplace_purchase", "page_build", "registry_package", "package", "repository_vulnerability_alert",
    "repository_advisory", "security_advisory", "security_and_analysis", "sub_issues", "issue_dependencies",
})  # fmt: skip
"""Events about who and what there is in an organisation; only the header tells them."""
_TOLD_BY = {"ping": "hook_id", "create": "ref_type", "issues": "issue", "star": "starred_at", "fork": "forkee"}
"""Those of them that another key tells than their name."""


def _parts(body: Body) -> Iterator[Body]:
    """
    The deliveries in a body: itself, or each thing of a page of a REST answer, in the form of its webhook.
    """
    page = next((objects_at(body, key) for key in _PAGES if isinstance(body.get(key), list)), None)
    for one in [body] if page is None or "action" in body else page:
        yield delivery_of(one)


def event_of(body: Body) -> str:
    """
    The event's name where the header is missing, from the body's own shape.
    """
    found = next((name for name in BODIES if isinstance(body.get(name), dict)), None)
    if found:
        return found
    if "pusher" in body:
        return "push"
    quiet = next((name for name, key in _TOLD_BY.items() if key in body), None)
    return quiet or next((name for name in sorted(_NO_CHANGE) if isinstance(body.get(name), dict)), "unknown")


def _event(body: Body, meta: Mapping[str, str]) -> str:
    return meta.get("event") or meta.get("x-github-event") or event_of(body)


def _part(body: Body, meta: Mapping[str, str]) -> str:
    event = _event(body, meta)
    where = f"{text_at(body, 'repository', 'full_name') or ''}/{_NOUNS.get(event, event)}"
    if event == "push":
        after = text_at(body, "after")
        return f"{where}/{after if is_commit(after) else 'gone/' + str(body.get('ref'))}"
    thing = at(body, _NOUNS.get(event, event))
    name = f"{where}/{text_at(thing, 'id') or digest_of(body)}"
    if event == "workflow_run" and (attempt := text_at(thing, "run_attempt")):
        return f"{name}.{attempt}"
    return f"{name}/quiet" if _is_quiet(event, body) else name


def _is_quiet(event: str, body: Body) -> bool:
    """
    Whether a delivery states nothing of a thing whose other states do: it must not replace them.
    """
    return {
        "deployment_status": text_at(body, "deployment_status", "state") == "inactive",
        "release": body.get("action") in _WITHDRAWN or at(body, "release", "draft") is True,
        "pull_request": not _is_merged(body),
    }.get(event, False)


def _is_merged(body: Body) -> bool:
    return at(body, "pull_request", "merged") is True or bool(text_at(body, "pull_request", "merged_at"))


def _occurred(body: Body) -> datetime | None:
    event = event_of(body)
    if event == "push":
        return moment_at(body, ("head_commit", "timestamp"), ("commits", -1, "timestamp"))
    if event == "release":
        moment = moment_at(body, ("release", "updated_at"), ("release", "published_at"), ("release", "created_at"))
        return ranked(moment, text_at(body, "action"), _RELEASE_ACTIONS)
    if event == "workflow_run":
        moment = moment_at(body, ("workflow_run", "updated_at"), ("workflow_run", "created_at"))
        return ranked(moment, text_at(body, "workflow_run", "status"), _RUN_STATES)
    if event == "deployment":
        return moment_at(body, ("deployment", "created_at"))
    moment = moment_at(body, (event, "updated_at"), (event, "created_at"))
    return ranked(moment, text_at(body, event, "state"), _STATES) if event == "deployment_status" else moment


split = deliveries(_part, _occurred, _parts)


def transform(record: Record) -> Iterator[Item]:
    """
    What a delivery says was changed; events that change nothing state nothing.
    """
    body = body_of(record)
    event = _event(body, record.meta)
    reader = _READERS.get(event) or _READERS.get(event_of(body) if event == "unknown" else "")
    if reader:
        yield from reader(body)
    elif event not in _NO_CHANGE | _ORGANISATION:
        raise BadRecord(
            f"GitHub's event {event!r} is not read yet; the delivery is kept. "
            "If it changes nothing, leave it out of the webhook's events"
        )


def _deployment(body: Body) -> Iterator[Change]:
    deployment = mapping_of(body.get("deployment"), "deployment")
    status = mapping_of(body.get("deployment_status") or {}, "deployment_status")
    environment = first(status.get("environment"), deployment.get("environment"))
    if (environment or "").lower() in _NOT_PRODUCTION or status.get("state") == "inactive":
        return
    details = _payload(deployment)
    name = first(details.get("service"), details.get("app"), at(body, "repository", "name"))
    state = text_at(status, "state") or "pending"
    done = state in ("success", "failure", "error")
    back = rolls_back(text_at(deployment, "task"), text_at(deployment, "description"))
    yield Change(
        id=f"deployment:{deployment.get('id')}",
        kind=ChangeKind.ROLLBACK if back else ChangeKind.DEPLOY,
        at=named_time(deployment.get("created_at"), "`created_at` of the deployment"),
        ended_at=named_time(status.get("created_at"), "`created_at` of the deployment's status") if done else None,
        title=text_at(deployment, "description") or f"Deploy {name} {text_at(deployment, 'ref') or ''}".strip(),
        services=service(name),
        repository=_repository(body),
        environment=environment.lower() if environment else None,
        revision=text_at(deployment, "sha"),
        actor=text_at(deployment, "creator", "login"),
        automated=_is_bot(deployment.get("creator")),
        status=state,
        text=text_at(status, "description") or "",
        url=first(status.get("target_url"), status.get("log_url"), deployment.get("url")),
        attributes={"ref": text_at(deployment, "ref") or ""},
    )


def _payload(deployment: Body) -> Body:
    """
    The user's own object; older deployments hold it as JSON in a text.
    """
    payload = deployment.get("payload")
    if isinstance(payload, str):
        try:
            payload = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return {}
    return payload if isinstance(payload, dict) else {}


def _push(body: Body) -> Iterator[Change]:
    default = at(body, "repository", "default_branch")
    if default and "ref" in body and body.get("ref") != f"refs/heads/{default}":
        return
    for commit in objects_at(body, "commits"):
        files = touched(commit)
        title, rest = headline(text_at(commit, "message"))
        actor = first(at(commit, "author", "username"), at(commit, "author", "name"))
        yield Change(
            id=str(commit.get("id")),
            kind=kind_of_files(files),
            at=named_time(commit.get("timestamp"), f"`timestamp` of commit {commit.get('id')}"),
            title=title,
            text=rest,
            repository=_repository(body),
            revision=text_at(commit, "id"),
            actor=actor,
            automated=is_bot(actor),
            merge=is_merge(title) or commit.get("merge") is True,
            files=files,
            reverts=reverted(rest),
            url=text_at(commit, "url"),
        )


def _release(body: Body) -> Iterator[Change]:
    release = mapping_of(body.get("release"), "release")
    if _is_quiet("release", body) or (body.get("action") == "created" and not release.get("published_at")):
        return
    name = text_at(body, "repository", "name")
    yield Change(
        id=f"release:{release.get('id')}",
        kind=ChangeKind.CODE,
        at=named_time(release.get("published_at") or release.get("created_at"), "`published_at` of the release"),
        title=f"Release {release.get('tag_name')} of {name}",
        text=text_at(release, "body") or "",
        services=service(name),
        repository=_repository(body),
        revision=text_at(release, "tag_name"),
        actor=text_at(release, "author", "login"),
        automated=_is_bot(release.get("author")),
        url=text_at(release, "html_url"),
    )


def _workflow_run(body: Body) -> Iterator[Change]:
    run = mapping_of(body.get("workflow_run"), "workflow_run")
    if not deploys(text_at(run, "name"), text_at(run, "path")) or run.get("status") in _WAITING:
        return
    done = run.get("status") == "completed"
    attempt = text_at(run, "run_attempt") or "1"
    back = rolls_back(text_at(run, "name"), text_at(run, "path"))
    yield Change(
        id=f"workflow_run:{run.get('id')}" + (f".{attempt}" if attempt != "1" else ""),
        kind=ChangeKind.ROLLBACK if back else ChangeKind.DEPLOY,
        at=named_time(run.get("run_started_at") or run.get("created_at"), "`run_started_at` of the run"),
        ended_at=named_time(run.get("updated_at"), "`updated_at` of the run") if done else None,
        title=first(run.get("display_title"), run.get("name")) or "",
        services=service(at(body, "repository", "name")),
        repository=_repository(body),
        revision=text_at(run, "head_sha"),
        actor=first(at(run, "triggering_actor", "login"), at(run, "actor", "login")),
        automated=_is_bot(run.get("triggering_actor") or run.get("actor")) or run.get("event") == "schedule",
        status=first(run.get("conclusion"), run.get("status")),
        url=text_at(run, "html_url"),
        attributes={"ref": text_at(run, "head_branch") or ""},
    )


def _pull_request(body: Body) -> Iterator[Change]:
    pull = mapping_of(body.get("pull_request"), "pull_request")
    if not _is_merged(body):
        return
    text = text_at(pull, "body") or ""
    back = _REVERTED_PULL.search(text)
    yield Change(
        id=f"pr:{pull.get('number')}@{at(body, 'repository', 'full_name')}",
        kind=ChangeKind.CODE,
        at=named_time(pull.get("merged_at"), "`merged_at` of the pull request"),
        title=text_at(pull, "title") or "",
        text=text,
        merge=True,
        repository=_repository(body),
        revision=text_at(pull, "merge_commit_sha"),
        actor=first(at(pull, "merged_by", "login"), at(pull, "user", "login")),
        automated=_is_bot(pull.get("user")),
        reverts=f"pr:{back[2]}@{back[1]}" if back else reverted(text),
        carries=tuple(sha for sha in (text_at(pull, "head", "sha"),) if sha),
        url=text_at(pull, "html_url"),
    )


_READERS: dict[str, Callable[[Body], Iterator[Change]]] = {
    "deployment": _deployment,
    "deployment_status": _deployment,
    "push": _push,
    "release": _release,
    "workflow_run": _workflow_run,
    "pull_request": _pull_request,
}


def _repository(body: Body) -> str | None:
    return repository(at(body, "repository", "full_name"))


def _is_bot(account: object) -> bool:
    return at(account, "type") == "Bot" or is_bot(text_at(account, "login"))


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By GitHub's header, else by a repository of GitHub's beside one of the events.
    """
    if "x-github-event" in headers:
        return True
    known = isinstance(payload.get("repository"), dict) and "sender" in payload
    return known and event_of(payload) not in ("unknown", "ping")


CONNECTOR = Connector(
    name="github",
    summary="GitHub webhooks and REST: deployments, pushes, releases, workflow runs, merged pull requests",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("github/*.json", "github/*.jsonl"),
    recognises=recognises,
    headers=("x-github-event", "x-github-delivery"),
    delivery=("x-github-delivery",),
    signing=Hmac(header="x-hub-signature-256", prefix="sha256="),
)
