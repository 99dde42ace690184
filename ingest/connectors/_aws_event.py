"""
An event of EventBridge, and what every change that AWS tells of says alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from graph.values import Change, ChangeKind
from ingest.connectors._events import attributes
from ingest.contract import Body
from ingest.fields import at, first, list_at, named, service, text_at
from ingest.parsing import named_time

_DONE = {
    "SUCCESS", "SUCCEEDED", "FAILURE", "FAILED", "STOP", "STOPPED", "CANCELED", "CANCELLED", "SUPERSEDED", "COMPLETED",
    "COMPLETE", "FAULT", "TIMED_OUT", "SUCCESSFUL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """
    An event of EventBridge: its body and its detail.
    """

    body: Body

    @property
    def detail(self) -> object:
        """
        What the service tells.
        """
        return self.body.get("detail")

    @property
    def at(self) -> datetime:
        """
        Its time. Raises BadRecord where there is none.
        """
        return named_time(self.body.get("time"), "`time` of the event")

    def told(self, *keys: str | int) -> str | None:
        """
        A text of the detail.
        """
        return text_at(self.detail, *keys)

    def arn(self, mark: str) -> str | None:
        """
        The resource whose ARN holds a mark.
        """
        return next((one for one in list_at(self.body, "resources") if isinstance(one, str) and mark in one), None)

    def change(
        self,
        identity: str,
        kind: ChangeKind,
        title: str,
        name: str | None,
        state: str | None,
        *,
        began: datetime | None = None,
        environment: str | None = None,
        revision: str | None = None,
        actor: str | None = None,
        text: str | None = None,
        url: str | None = None,
        **more: object,
    ) -> Change:
        """
        A change with what every event of AWS says of itself.
        """
        last = re.split(r"[ _]", (state or "").upper())[-1]
        done = (state or "").upper() in _DONE or last in _DONE
        return Change(
            id=f"aws:{identity}",
            kind=kind,
            at=began or self.at,
            ended_at=self.at if done else None,
            title=title,
            services=service(name),
            environment=environment.lower() if environment else None,
            region=first(self.body.get("region"), at(self.detail, "region")),
            revision=named(revision),
            actor=actor,
            automated=not actor,
            status=state,
            text=text or "",
            url=url,
            attributes=attributes(account=self.body.get("account"), event=self.body.get("detail-type"), **more),
        )
