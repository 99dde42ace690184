"""
Whether, where and when a change reached what fails.

A deploy, a flag or a configuration reaches its own services when it is made. A commit reaches a service when a deploy
carries it: the deploy of that very revision, else the first deploy of the service after the commit, which carries all
that came before it. A commit that no deploy of the failing services carried before the onset has not reached them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from graph.values import Change, ChangeKind, EntityId

SLACK = timedelta(seconds=60)
"""Metrics are told by the minute, so an onset is not known better."""
_SHARED_FOLDERS = (
    "pkg lib libs internal common commons shared core vendor packages proto protos schema schemas utils util sdk base platform build deploy "
    "deployment config configs conf charts helm infra infrastructure terraform k8s third_party modules framework kit migrations rules"
)
_SHARED = frozenset(_SHARED_FOLDERS.split())
_DEPLOYS = (ChangeKind.DEPLOY, ChangeKind.ROLLBACK)


class Way(StrEnum):
    OWN = "own"
    """It took effect by itself."""
    DEPLOYED = "deployed"
    """A deploy of this very revision."""
    CARRIED = "carried"
    """A later deploy of a service, which brings what came before."""
    HELD = "held"
    """Deploys of the failing services are known, and none brought it."""
    ELSEWHERE = "elsewhere"
    """Deploys are known, and its files are neither the failing services' nor shared."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Exposure:
    """
    When a change took effect, on which services, and by which deploy (a place in the list of changes).
    """

    at: datetime
    services: Collection[EntityId]
    way: Way
    deploy: int | None = None


def shared(path: str) -> bool:
    """
    Whether a file belongs to what several services are built from: it lies at the top, or in a folder named so.
    """
    parts = path.lower().split("/")
    return len(parts) == 1 or bool(_SHARED & set(parts[:2]))


def exposures(changes: Sequence[Change], hurt: Collection[EntityId], onset: datetime) -> list[Exposure]:
    """
    The exposure of each change, `hurt` being the services that fail.
    """
    deploys = _Deploys(changes)
    return [deploys.of(change, hurt, onset) for change in changes]


def tied(found: Sequence[Exposure]) -> frozenset[int]:
    """
    Deploys that are one deed with a commit in the list: the commit is the suspect, the deploy its evidence.
    """
    return frozenset(one.deploy for one in found if one.deploy is not None and one.way is Way.DEPLOYED)


class _Deploys:
    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes
        self._commits = {
            name: change.at
            for change in changes
            if change.kind not in _DEPLOYS
            for name in (change.id, change.revision)
            if name
        }
        self._by_revision: dict[str, list[int]] = defaultdict(list)
        by_service: dict[EntityId, list[tuple[datetime, int]]] = defaultdict(list)
        for place, change in enumerate(changes):
            if change.kind in _DEPLOYS:
                for revision in filter(None, (change.revision, *change.carries)):
                    self._by_revision[revision].append(place)
                for service in change.services:
                    by_service[service].append((change.at, place))
        self._by_service: Mapping[EntityId, list[tuple[datetime, int]]] = {
            service: sorted(rows) for service, rows in by_service.items()
        }

    def of(self, change: Change, hurt: Collection[EntityId], onset: datetime) -> Exposure:
        if change.kind in _DEPLOYS or not self._by_service:
            return Exposure(change.at, change.services, Way.OWN if change.services else Way.UNKNOWN)
        direct = [
            place for name in {change.id, change.revision} - {None} for place in self._by_revision.get(name or "", ())
        ]
        if direct:
            return self._deployed(direct)
        if change.kind is not ChangeKind.CODE and change.services and (change.environment or not change.files):
            return Exposure(change.at, change.services, Way.OWN)
        return self._carried(change, hurt, onset)

    def _deployed(self, direct: Sequence[int]) -> Exposure:
        first = min(direct, key=lambda place: self._changes[place].at)
        services = frozenset(service for place in direct for service in self._changes[place].services)
        return Exposure(self._changes[first].at, services, Way.DEPLOYED, first)

    def _carried(self, change: Change, hurt: Collection[EntityId], onset: datetime) -> Exposure:
        if not change.services and change.files and not any(shared(path) for path in change.files):
            return Exposure(change.at, (), Way.ELSEWHERE)
        own = [service for service in change.services if service in self._by_service]
        if change.services and not own:
            return Exposure(change.at, change.services, Way.UNKNOWN)
        there = own or [service for service in hurt if service in self._by_service]
        if not there:
            return Exposure(change.at, change.services, Way.UNKNOWN)
        found = sorted(carrier for service in there for carrier in self._carriers(change, service))
        if not found or found[0][0] > onset + SLACK:
            return Exposure(change.at, change.services, Way.HELD)
        at, place = found[0]
        reached = frozenset(self._changes[other].services[0] for time, other in found if time <= onset + SLACK)
        return Exposure(at, reached, Way.CARRIED, place)

    def _carriers(self, change: Change, service: EntityId) -> Iterator[tuple[datetime, int]]:
        """
        The first deploy of a service that can bring a commit: it is later, and so is its own commit, if known.
        """
        rows = self._by_service[service]
        for at, place in rows[bisect_left(rows, (change.at, -1)) :]:
            made = self._commits.get(self._changes[place].revision or "")
            if made is None or made >= change.at:
                yield at, place
                return
