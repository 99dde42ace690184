"""
The checks of readiness, each of one service: yes, no, or nothing where it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from graph.resolved import Entity
from graph.values import Change, ChangeKind, EntityId, entity_kind, entity_name
from service.readiness_signs import Signs

RECENT = timedelta(days=30)
PATIENCE = timedelta(days=14)
"""How long a commit may wait for its deploy."""
ELSEWHERE = 5
"""Deploys to other environments that make the silence of one telling."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    `ok` None: it does not apply, or cannot be known. `says` what was seen.
    """

    ok: bool | None
    says: str = ""


FINE = Finding(True)
UNKNOWN = Finding(None)


def _owner(service: Entity, signs: Signs) -> Finding:
    return FINE if signs.owner(service.id).team else Finding(False, "no source names an owner")


def _owner_alive(service: Entity, signs: Signs) -> Finding:
    """
    The owner is known to a directory and has people, as far as any source lists teams, persons and members.
    """
    owner = signs.owner(service.id).team
    if owner is None:
        return UNKNOWN
    if owner in signs.gone:
        return Finding(False, f"{entity_name(owner)} is gone")
    if entity_kind(owner) in signs.described and owner not in signs.living:
        return Finding(False, f"no directory knows {entity_name(owner)}")
    if entity_kind(owner) == "team" and "member" in signs.described and owner not in signs.peopled:
        return Finding(False, f"{entity_name(owner)} has no members")
    return FINE


def _owner_agreed(service: Entity, signs: Signs) -> Finding:
    found = signs.owner(service.id)
    if found.team is None:
        return UNKNOWN
    others = ", ".join(entity_name(one) for one in found.conflicts)
    return Finding(False, f"{entity_name(found.team)}, but another source says {others}") if others else FINE


def _on_call(service: Entity, signs: Signs) -> Finding:
    """
    Somebody who is there answers at the first level, by the rules of the schedules at this moment.
    """
    found = signs.owned(service.id)
    if found.team and entity_kind(found.team) == "person":
        return FINE
    now = found.answering
    if any(one.on_call for level in now.levels for one in level.present):
        return FINE
    empty = [one.says for one in now.faults if one.kind == "empty_rota"]
    gone = [one.says for one in now.faults if one.kind == "departed"]
    return Finding(False, next(iter([*gone, *empty]), "nobody is known to be on call"))


def _names(service: Entity, signs: Signs) -> Finding:
    other = sorted(entity_name(one) for one in signs.directory.drifted.get(service.id, ()))
    return Finding(False, f"changes call it {', '.join(other[:3])}, which no source states") if other else FINE


def _alerts(service: Entity, signs: Signs) -> Finding:
    other = sorted(signs.alert_names.get(service.id, ()))
    return Finding(False, f"alerts call it {', '.join(other[:3])}, which no source states") if other else FINE


def _changes(service: Entity, signs: Signs) -> Finding:
    seen = signs.deploys.get(service.id) or signs.commits.get(service.id)
    return FINE if seen else Finding(False, "no change of it is known")


def _markers(service: Entity, signs: Signs) -> Finding:
    """
    What is committed is deployed: a commit of the last month waits for a marker only so long.
    """
    commits = [one.at for one in signs.commits.get(service.id, ()) if one.at >= signs.now - RECENT]
    if not commits:
        return UNKNOWN
    last = max((one.at for one in _deploys(service.id, signs)), default=None)
    waiting = [at for at in commits if at <= signs.now - PATIENCE and (last is None or at > last)]
    if not waiting:
        return FINE
    since = f"since {last:%Y-%m-%d}" if last else "ever"
    return Finding(False, f"{len(commits)} commits in 30 days, and no deploy marker {since}")


def _environments(service: Entity, signs: Signs) -> Finding:
    """
    No environment fell silent while the others went on.
    """
    deploys = [one for one in _deploys(service.id, signs) if one.environment]
    silent = []
    for name in sorted({one.environment for one in deploys if one.environment}):
        last = max(one.at for one in deploys if one.environment == name)
        since = sum(one.at > last for one in deploys)
        if last < signs.now - RECENT and since >= ELSEWHERE:
            silent.append(f"{name} since {last:%Y-%m-%d}")
    if not deploys:
        return UNKNOWN
    return Finding(False, f"no deploy marker from {', '.join(silent)}, while others go on") if silent else FINE


def _deploys(service: EntityId, signs: Signs) -> list[Change]:
    return [one for one in signs.deploys.get(service, ()) if one.kind in (ChangeKind.DEPLOY, ChangeKind.ROLLBACK)]


def _incidents(service: Entity, signs: Signs) -> Finding:
    return FINE if signs.incidents.get(service.id) else Finding(False, "no incident of it is known")


def _fixes(service: Entity, signs: Signs) -> Finding:
    """
    Of the incidents some say what ended them.
    """
    known = signs.incidents.get(service.id, ())
    if not known:
        return UNKNOWN
    bare = [one.id for one in known if not one.fixes]
    return FINE if len(bare) < len(known) else Finding(False, f"no fix is recorded of {len(bare)} incidents")


def _runbook(service: Entity, signs: Signs) -> Finding:
    linked = set(_links(service, signs)) & signs.pages
    return FINE if signs.runbooks.get(service.id) or linked else Finding(False, "no runbook is for it")


def _runbook_link(service: Entity, signs: Signs) -> Finding:
    """
    What its rules and its catalogue entry link to is known.
    """
    links = _links(service, signs)
    lost = sorted({one for one in links if one.partition("#")[0] not in signs.pages and one not in signs.pages})
    if not links:
        return UNKNOWN
    return Finding(False, f"{lost[0]} is no page that is known") if lost else FINE


def _links(service: Entity, signs: Signs) -> list[str]:
    links = [one.runbook_url for one in signs.rules.get(service.id, ()) if one.runbook_url]
    return [*links, *service.attributes.get("runbooks", "").split()]


def _dependencies(service: Entity, signs: Signs) -> Finding:
    known = [one for one in signs.edges.get(service.id, ()) if not one.permitted]
    return FINE if known else Finding(False, "no dependency in either direction is known")


def _fresh(service: Entity, signs: Signs) -> Finding:
    """
    Nothing that was only ever seen has not been seen for long.
    """
    known = [one for one in signs.edges.get(service.id, ()) if one.subject == service.id and "observed" in one.kinds]
    old = [one for one in known if one.faded]
    if not known:
        return UNKNOWN
    return Finding(False, f"the call to {entity_name(old[0].object)} was not seen for long") if old else FINE


def _traced(service: Entity, signs: Signs) -> Finding:
    if not signs.traced:
        return UNKNOWN
    seen = any("observed" in one.kinds for one in signs.edges.get(service.id, ()))
    return FINE if seen else Finding(False, "no trace shows it")


CHECKS: Mapping[str, Callable[[Entity, Signs], Finding]] = {
    "owner": _owner, "owner_alive": _owner_alive, "owner_agreed": _owner_agreed, "on_call": _on_call,
    "names": _names, "alerts": _alerts, "changes": _changes, "markers": _markers, "environments": _environments,
    "incidents": _incidents, "fixes": _fixes, "runbook": _runbook, "runbook_link": _runbook_link,
    "dependencies": _dependencies, "fresh": _fresh, "traced": _traced,
}  # fmt: skip
