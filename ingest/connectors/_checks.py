"""
What Nagios and those that came of it share: checks of hosts and services, their states, and notifications about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from graph.values import Alert
from ingest.tags import labelled

ENDED = frozenset({"OK", "UP"})
NOTHING = ("FLAPPING", "DOWNTIME", "CUSTOM")
"""Beginnings of the notifications that tell of no problem and no recovery."""
SERVICE_STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
HOST_STATES = ("UP", "DOWN", "UNREACHABLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    A check at a moment: of a host, or (with `service`, the check's own name) of something on it.
    """

    host: str
    service: str | None
    state: str
    began: datetime
    ended: datetime | None = None
    labels: Mapping[str, object]
    annotations: Mapping[str, str]
    url: str | None = None

    def alert(self, vendor: str, identity: str) -> Alert:
        """
        As an alert: named by what is checked, since that is what comes back.
        """
        resolved = self.state in ENDED
        return Alert(
            id=f"{vendor}:{identity}",
            name=self.service or self.host,
            at=self.began,
            ended_at=(self.ended or self.began) if resolved else None,
            status="resolved" if resolved else "firing",
            labels=labelled({"host": self.host, "check": self.service}, self.labels)
            | {"state": self.state}
            | ({} if resolved else {"severity": self.state.lower()}),
            annotations=dict(self.annotations),
            vendor=vendor,
            url=self.url,
        )


def check_of(host: str | None, service: str | None) -> str:
    """
    The name of a check for good.
    """
    return f"{host}!{service}" if service else str(host)


def tells_nothing(notification: str) -> bool:
    """
    Whether a notification is neither of a problem nor of its end.
    """
    return notification.upper().startswith(NOTHING)
