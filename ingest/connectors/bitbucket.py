"""
Bitbucket Cloud (pushes, merged pull requests, commit statuses and pipelines that deploy, the REST API's deployments)
and Bitbucket Server or Data Center (`repo:refs_changed`, `pr:merged`).

A build's status is a change only where its name says that it deploys. People are named by display name; mail addresses
are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import deploys, headline, is_bot, is_merge, ranked, reverted, rolls_back
from ingest.connectors._bitbucket_hooks import (
    full_name,
    head_of,
    is_merged,
    name_of,
    parts,
    person_of,
    pull_of,
    ref_of,
    repository_of,
    state_of,
)
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, service, text_at
from ingest.parsing import mapping_of, named_time
from ingest.signing import Hmac

_STATES = (("pending", "undeployed"), ("inprogress", "in_progress"), ("successful", "failed", "error"), ("stopped",))
_DONE = {"successful", "failed", "stopped", "error", "expired"}
_REVERTED_REQUEST = re.compile(
    r"Reverted (?:in )?\S+ \(pull request #(\d+)\)|reverts? pull request #(\d+)", re.IGNORECASE
)
_NO_CHANGE = re.compile(
    r"^(diagnostics:ping|mirror:.*|issue:.*|project:.*|repo:(fork|forked|updated|modified|transfer|imported|created|deleted"
    r"|commit_comment_created|comment:.*|secret_detected)|pullrequest:.*|pr:.*)$"
)


def _event(body: Body, meta: Mapping[str, str]) -> str:
    """
    What a delivery is about, by its shape; else the event's name.
    """
    for key in ("commit_status", "pipeline", "deployment", "commit", "change"):
        if isinstance(body.get(key), dict):
            return key
    if isinstance(body.get("pullrequest"), dict) or isinstance(body.get("pullRequest"), dict):
        return "pullrequest"
    name = first(body.get("eventKey"), meta.get("x-event-key")) or "unknown"
    return "diagnostics:ping" if body.get("test") is True else name


def _part(body: Body, meta: Mapping[str, str]) -> str:
    event = _event(body, meta)
    where = f"{full_name(body)}/{event}"
    if event == "change":
        return f"{where}/{ref_of(body)}/{head_of(body) or 'gone'}"
    if event == "pullrequest":
        pull = pull_of(body)
        return f"{where}/{text_at(pull, 'id')}" + ("" if is_merged(body) else "/quiet")
    thing = at(body, event)
    return f"{where}/{first(at(thing, 'uuid'), at(thing, 'key'), at(thing, 'hash')) or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    moment = moment_at(
        body,
        ("commit_status", "updated_on"),
        ("deployment", "state", "completed_on"),
        ("deployment", "state", "started_on"),
        ("pipeline", "completed_on"),
        ("pipeline", "created_on"),
        ("pullrequest", "updated_on"),
        ("pullRequest", "closedDate"),
        ("change", "new", "target", "date"),
        ("commit", "date"),
        ("date",),
    )
    return ranked(moment, state_of(body), _STATES)


split = deliveries(_part, _occurred, parts)


def transform(record: Record) -> Iterator[Item]:
    """
    What a delivery says was changed; what changes nothing states nothing.
    """
    body = body_of(record)
    event = _event(body, record.meta)
    reader = _READERS.get(event)
    if reader:
        yield from reader(body)
    elif not _NO_CHANGE.match(event):
        raise BadRecord(
            f"Bitbucket's event {event!r} is not read yet; the delivery is kept. "
            "If it changes nothing, switch it off in the webhook's triggers"
        )


def _change(body: Body) -> Iterator[Change]:
    """
    One branch or tag of a push: its commits, or the commit that it points to now.
    """
    change = mapping_of(body.get("change"), "a change of the push")
    main = text_at(body, "repository", "mainbranch", "name")
    head, branch = head_of(body), ref_of(body)
    if not head:
        return
    if "tag" in (text_at(change, "new", "type") or text_at(change, "ref", "type") or "").lower():
        yield _tag(body, branch, head)
        return
    if main and branch != main:
        return
    commits = [*objects_at(change, "commits"), *objects_at(body, "commits")]
    last = at(change, "new", "target") or body.get("toCommit") or {"id": head, "date": body.get("date")}
    if isinstance(last, dict) and head not in {first(one.get("hash"), one.get("id")) for one in commits}:
        commits.insert(0, last)
    for commit in commits:
        yield _commit_of(body, commit, last)


def _commit_of(body: Body, commit: Body, last: object) -> Change:
    sha = first(commit.get("hash"), commit.get("id"))
    title, rest = headline(text_at(commit, "message"))
    author = person_of(commit.get("author")) or person_of(body.get("actor"))
    moment = moment_at(commit, ("date",), ("committerTimestamp",), ("authorTimestamp",)) or moment_at(last, ("date",))
    return Change(
        id=str(sha),
        kind=ChangeKind.CODE,
        at=moment or named_time(body.get("date"), f"`date` of commit {sha}"),
        title=title or f"Push of {(sha or '')[:12]} to {ref_of(body)}",
        text=rest,
        repository=repository_of(body),
        revision=sha,
        actor=author,
        automated=is_bot(author),
        merge=is_merge(title) or len(objects_at(commit, "parents")) > 1,
        reverts=reverted(rest),
        url=text_at(commit, "links", "html", "href"),
        attributes={"ref": ref} if (ref := ref_of(body)) else {},
    )


def _tag(body: Body, tag: str, head: str) -> Change:
    target = at(body, "change", "new", "target")
    moment = moment_at(body, ("change", "new", "date"), ("change", "new", "target", "date"), ("date",))
    return Change(
        id=f"bitbucket:tag:{full_name(body)}@{tag}",
        kind=ChangeKind.CODE,
        at=moment or named_time(None, f"`date` of tag {tag}"),
        title=f"Tag {tag} of {name_of(body)}",
        text=text_at(target, "message") or "",
        services=service(name_of(body)),
        repository=repository_of(body),
        revision=tag,
        actor=person_of(body.get("actor")),
        carries=(head,),
        url=text_at(body, "change", "new", "links", "html", "href"),
    )


def _commit(body: Body) -> Iterator[Change]:
    commit = mapping_of(body.get("commit"), "commit")
    yield _commit_of(body, commit, commit)


def _pullrequest(body: Body) -> Iterator[Change]:
    pull = pull_of(body)
    if not is_merged(body):
        return
    text = first(pull.get("description"), at(pull, "summary", "raw")) or ""
    merged = first(at(pull, "merge_commit", "hash"), at(pull, "properties", "mergeCommit", "id"))
    head = first(at(pull, "source", "commit", "hash"), at(pull, "fromRef", "latestCommit"))
    back = _REVERTED_REQUEST.search(text)
    moment = moment_at(pull, ("closed_on",), ("closedDate",)) or moment_at(body, ("date",))
    actor = person_of(pull.get("closed_by")) or person_of(body.get("actor"))
    yield Change(
        id=f"bitbucket:pr:{full_name(body)}#{pull.get('id')}",
        kind=ChangeKind.CODE,
        at=moment or named_time(pull.get("updated_on"), "`updated_on` of the pull request"),
        title=text_at(pull, "title") or "",
        text=text,
        merge=True,
        repository=repository_of(body),
        revision=merged,
        actor=actor,
        automated=is_bot(person_of(pull.get("author")) or actor),
        reverts=f"bitbucket:pr:{full_name(body)}#{back[1] or back[2]}" if back else reverted(text),
        carries=(head,) if head else (),
        url=first(at(pull, "links", "html", "href"), at(pull, "links", "self", 0, "href")),
    )


def _commit_status(body: Body) -> Iterator[Change]:
    status = mapping_of(body.get("commit_status"), "commit_status")
    names = [text_at(status, key) for key in ("name", "key", "description")]
    if not deploys(*names):
        return
    state = state_of(body)
    sha = text_at(status, "commit", "hash")
    yield Change(
        id=f"bitbucket:status:{full_name(body)}:{status.get('key')}",
        kind=ChangeKind.ROLLBACK if rolls_back(*names) else ChangeKind.DEPLOY,
        at=named_time(status.get("created_on"), "`created_on` of the commit's status"),
        ended_at=moment_at(status, ("updated_on",)) if state in _DONE else None,
        title=names[0] or f"Deploy {name_of(body)}",
        services=service(name_of(body)),
        repository=repository_of(body),
        revision=sha,
        actor=person_of(body.get("actor")),
        status=state,
        url=text_at(status, "url"),
        attributes={"ref": ref} if (ref := text_at(status, "refname")) else {},
    )


def _pipeline(body: Body) -> Iterator[Change]:
    pipeline = mapping_of(body.get("pipeline"), "pipeline")
    names = text_at(pipeline, "target", "selector", "pattern"), text_at(pipeline, "name")
    state = state_of(body)
    if not deploys(*names) or state == "pending":
        return
    yield Change(
        id=f"bitbucket:pipeline:{first(pipeline.get('uuid'), pipeline.get('build_number'))}",
        kind=ChangeKind.ROLLBACK if rolls_back(*names) else ChangeKind.DEPLOY,
        at=named_time(pipeline.get("created_on"), "`created_on` of the pipeline"),
        ended_at=moment_at(pipeline, ("completed_on",)),
        title=f"Pipeline {first(*names)} of {name_of(body)}",
        services=service(name_of(body)),
        repository=repository_of(body),
        revision=text_at(pipeline, "target", "commit", "hash"),
        actor=person_of(pipeline.get("creator")),
        automated="schedule" in (text_at(pipeline, "trigger", "type") or ""),
        status=state,
        url=text_at(pipeline, "links", "html", "href"),
        attributes={"ref": ref} if (ref := text_at(pipeline, "target", "ref_name")) else {},
    )


def _deployment(body: Body) -> Iterator[Change]:
    deployment = mapping_of(body.get("deployment"), "deployment")
    state = state_of(body)
    begun = moment_at(deployment, ("state", "started_on"), ("state", "completed_on"), ("release", "created_on"))
    if state in ("undeployed", "pending"):
        return
    environment = first(at(deployment, "environment", "name"), at(deployment, "environment", "slug"))
    name = text_at(deployment, "release", "name")
    yield Change(
        id=f"bitbucket:deployment:{deployment.get('uuid')}",
        kind=ChangeKind.ROLLBACK if rolls_back(name) else ChangeKind.DEPLOY,
        at=begun or named_time(None, "`state.started_on` of the deployment"),
        ended_at=moment_at(deployment, ("state", "completed_on")),
        title=f"Deploy {name_of(body) or ''} {name or ''}".strip(),
        services=service(name_of(body)),
        repository=repository_of(body),
        environment=environment.lower() if environment else None,
        revision=text_at(deployment, "release", "commit", "hash"),
        actor=person_of(at(deployment, "state", "deployer")),
        status=state,
        url=first(at(deployment, "release", "url"), at(deployment, "state", "url")),
    )


_READERS: dict[str, Callable[[Body], Iterator[Change]]] = {
    "change": _change,
    "commit": _commit,
    "pullrequest": _pullrequest,
    "commit_status": _commit_status,
    "pipeline": _pipeline,
    "deployment": _deployment,
}


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By the event's key in a header, or in the body of a server; else by Cloud's own shapes.
    """
    key = headers.get("x-event-key") or str(payload.get("eventKey") or "")
    if key:
        return bool(re.match(r"^(repo|pr|pullrequest|issue|project|diagnostics|mirror):", key))
    known = isinstance(payload.get("repository"), dict) and isinstance(payload.get("actor"), dict)
    return known and any(isinstance(payload.get(name), dict) for name in ("push", "pullrequest", "commit_status"))


CONNECTOR = Connector(
    name="bitbucket",
    summary="Bitbucket Cloud and Server: pushes, merged pull requests, deploying builds, deployments",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("bitbucket/*.json", "bitbucket/*.jsonl"),
    recognises=recognises,
    headers=("x-event-key", "x-request-uuid", "x-request-id"),
    delivery=("x-request-uuid", "x-request-id"),
    signing=Hmac(header="x-hub-signature", prefix="sha256="),
)
