"""
Jenkins: the Notification plugin's phases, the Generic Event plugin's runs, builds of the REST API, stages of `wfapi`,
and builds as Spinnaker's igor tells them. A build or stage is a change where the name of its job, or its own, says that
it deploys.

A job is named by its folders (`shop/checkout/main`), as its address says. Parameters of the usual names give the
service, the environment and the version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import unquote

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import deploys, ranked, repository_path, rolls_back
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
    repository,
    service,
    text_at,
    texts,
)

_JOB = re.compile(r"(?:^|/)job/([^/]+)")
_NUMBER = re.compile(r"/(\d+)/?(?:$|execution/|wfapi|api/|display)")
_PHASES = (("queued",), ("started", "running"), ("completed", "done"), ("finalized",))
_BRANCHES = {"main", "master", "trunk", "develop", "production", "release"}
_SERVICE = ("service", "service_name", "app", "app_name", "application", "component", "microservice")
_ENVIRONMENT = ("environment", "env", "deploy_env", "target_env", "target_environment", "deploy_to", "stage")
_VERSION = ("version", "image_tag", "tag", "release", "artifact_version", "app_version", "build_version")


def _parts(body: Body) -> Iterator[Body]:
    """
    One form of all of them: a job's path, a build's number, and what is known of it or of one of its stages.
    """
    job, event = at(body, "content", "project"), body.get("data")
    if isinstance(body.get("jobs"), list) and "builds" not in body:
        for one in objects_at(body, "jobs"):
            yield from _parts(one)
    elif isinstance(event, dict) and "number" in event and "dataType" in body:
        yield {"job": first(_path(text_at(event, "url")), _path(text_at(body, "source"))), **_rest(event)}
    elif isinstance(at(job, "lastBuild"), dict):
        yield {"job": text_at(job, "name"), **_rest(at(job, "lastBuild"))}
    elif isinstance(body.get("build"), dict) and ("name" in body or "phase" in _of(body["build"])):
        yield _notified(body)
    elif "startTimeMillis" in body:
        yield from _flow(body)
    elif isinstance(body.get("builds"), list):
        named = first(body.get("fullName"), _path(text_at(body, "url")), body.get("name"))
        yield from ({"job": named, **_rest(one)} for one in objects_at(body, "builds"))
    elif ("number" in body or "fullDisplayName" in body) and ("result" in body or "building" in body):
        yield {"job": first(_path(text_at(body, "url")), body.get("fullDisplayName")), **_rest(body)}
    else:
        yield {"unknown": body}


def _of(value: object) -> Body:
    return value if isinstance(value, dict) else {}


def _path(url: str | None) -> str | None:
    """
    `folder/job` of an address like `https://host/job/folder/job/name/12/`.
    """
    return "/".join(unquote(one) for one in _JOB.findall(url or "")) or None


def _notified(body: Body) -> Body:
    build, phase = _of(body.get("build")), lower(at(body, "build", "phase"))
    return {
        "job": first(_path(text_at(body, "url")), _path(text_at(build, "full_url")), body.get("name")),
        "number": text_at(build, "number"),
        "phase": phase,
        # while a build runs, this is how the one before ended
        "result": lower(build.get("status")) if phase in ("completed", "finalized") else None,
        "timestamp": build.get("timestamp"),
        "duration": build.get("duration"),
        "url": first(build.get("full_url"), build.get("url")),
        "commit": text_at(build, "scm", "commit"),
        "branch": text_at(build, "scm", "branch"),
        "remote": text_at(build, "scm", "url"),
        "parameters": texts(build.get("parameters")),
        "actor": first(*list_at(build, "scm", "culprits")),
        "text": text_at(build, "notes"),
    }


def _rest(given: object) -> Body:
    build = _of(given)
    actions = objects_at(build, "actions")
    cause = next((one for action in actions for one in objects_at(action, "causes")), None)
    revision = next((one for action in actions if (one := at(action, "lastBuiltRevision"))), None)
    asked = [one for action in actions for one in objects_at(action, "parameters")]
    remotes = [one for action in actions for one in list_at(action, "remoteUrls")]
    building = build.get("building") is True
    return {
        "number": first(build.get("number"), build.get("id")),
        "phase": "started" if building else "completed",
        "result": None if building else lower(build.get("result")),
        "timestamp": build.get("timestamp"),
        "duration": build.get("duration"),
        "url": text_at(build, "url"),
        "commit": first(at(revision, "SHA1"), at(build, "scm", 0, "sha1")),
        "branch": first(at(revision, "branch", 0, "name"), at(build, "scm", 0, "branch")),
        "remote": first(*remotes),
        "parameters": {str(one.get("name")): text for one in asked if (text := text_at(one, "value"))},
        "actor": first(at(cause, "userId"), at(cause, "userName")),
        "cause": text_at(cause, "shortDescription"),
        "text": text_at(build, "description"),
    }


def _flow(body: Body) -> Iterator[Body]:
    """
    A run or one stage of `wfapi`; of a run its stages, each alone.
    """
    here = first(at(body, "_links", "self", "href"), body.get("__fullUrl")) or ""
    number = _NUMBER.search(here)
    about = {"job": _path(here), "number": number[1] if number else None, "url": text_at(body, "__fullUrl")}
    stages = objects_at(body, "stages") if "stages" in body else [body]
    for one in stages:
        state = lower(one.get("status"))
        yield {
            **about,
            "stage": text_at(one, "name"),
            "node": text_at(one, "id"),
            "phase": "started" if state in ("in_progress", "paused_pending_input") else "completed",
            "result": None if state == "in_progress" else state,
            "timestamp": one.get("startTimeMillis"),
            "duration": one.get("durationMillis"),
        }


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if "unknown" in body:
        return f"unknown/{digest_of(body)}"
    quiet = "/queued" if body.get("phase") == "queued" else ""
    return _name(body) + quiet


def _name(body: Body) -> str:
    stage = f"/{text_at(body, 'node') or ''}" if body.get("stage") else ""
    return f"{text_at(body, 'job')}#{text_at(body, 'number')}{stage}"


def _begun(body: Body) -> datetime | None:
    return moment_at(body, ("timestamp",))


def _ended(body: Body) -> datetime | None:
    begun, duration = _begun(body), text_at(body, "duration")
    if begun is None or body.get("phase") not in ("completed", "finalized"):
        return None
    known = duration is not None and duration.replace(".", "", 1).isdecimal() and len(duration) < 12
    return begun + timedelta(milliseconds=float(duration)) if known and duration else begun


def _occurred(body: Body) -> datetime | None:
    return ranked(_ended(body) or _begun(body), text_at(body, "phase"), _PHASES)


split = deliveries(_part, _occurred, _parts)


def transform(record: Record) -> Iterator[Item]:
    """
    A build or stage that deploys and has begun.
    """
    body = body_of(record)
    if "unknown" in body:
        keys = ", ".join(sorted(_of(body["unknown"]))[:12])
        raise BadRecord(
            f"{record.part}: neither a build nor a stage of Jenkins (it has {keys or 'nothing'}); it is kept. Send the "
            "Notification plugin's JSON, or a build of /api/json"
        )
    job, stage = text_at(body, "job"), text_at(body, "stage")
    names = (stage,) if stage else (job,)
    if body.get("phase") == "queued" or body.get("result") == "not_executed" or not deploys(*names):
        return
    parameters = {key.lower(): value for key, value in texts(body.get("parameters")).items()}
    remote = repository_path(text_at(body, "remote"))
    environment = _given(parameters, _ENVIRONMENT)
    yield Change(
        id=f"jenkins:{_name(body)}",
        kind=ChangeKind.ROLLBACK if rolls_back(*names) else ChangeKind.DEPLOY,
        at=_begun(body) or record.received_at,
        ended_at=_ended(body),
        title=f"{job} #{text_at(body, 'number')}" + (f": {stage}" if stage else ""),
        services=service(_given(parameters, _SERVICE) or _service_of(job, remote)),
        repository=repository(remote),
        environment=environment.lower() if environment else None,
        revision=first(_given(parameters, _VERSION), body.get("commit")),
        actor=text_at(body, "actor"),
        automated="timer" in (text_at(body, "cause") or "").lower(),
        status=first(body.get("result"), "running" if body.get("phase") == "started" else body.get("phase")),
        text=text_at(body, "text") or "",
        carries=tuple(one for one in (text_at(body, "commit"),) if one),
        url=text_at(body, "url"),
        attributes=present(ref=text_at(body, "branch")),
    )


def _given(parameters: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return first(*(parameters.get(name) for name in names))


def _service_of(job: str | None, remote: str | None) -> str | None:
    """
    The repository's name; else the job's, of a multibranch job the folder's above the branch.
    """
    if remote:
        return remote.rpartition("/")[2]
    steps = (job or "").split("/")
    last = steps[-1].replace("%2F", "/")
    branch = len(steps) > 1 and (last.lower() in _BRANCHES or "/" in last or re.match(r"^PR-\d+$", last))
    return steps[-2] if branch else steps[-1]


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By a build with a phase, beside the name and address of its job; of the REST API by the class of a build.
    """
    build, kind = payload.get("build"), str(payload.get("_class") or "")
    if kind.startswith(("hudson.", "org.jenkinsci.")) and ("builds" in payload or "result" in payload):
        return True
    return isinstance(build, dict) and {"phase", "number"} <= build.keys() and {"name", "url"} <= payload.keys()


CONNECTOR = Connector(
    name="jenkins",
    summary="Jenkins: builds and stages that deploy, by the Notification plugin, REST and wfapi",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("jenkins/*.json", "jenkins/*.jsonl"),
    recognises=recognises,
)
