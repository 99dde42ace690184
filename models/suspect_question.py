"""
What is asked of suspects: a moment, where it hurts, and what was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from graph.values import EntityId
from models.signals import NO_SIGNALS, Signals, entity

WINDOW = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class SuspectQuestion:
    """
    What is asked: a moment, and where it hurts (services with probabilities, or file areas).
    """

    at: datetime
    services: Mapping[EntityId, float] = field(default_factory=dict)
    neighbours: Mapping[EntityId, int] = field(default_factory=dict)
    """What the services depend on, or what shares something with them, and how many steps away."""
    areas: tuple[str, ...] = ()
    places: Mapping[str, float] = field(default_factory=dict)
    """Files and folders of the services in repositories, with the services' probabilities."""
    names: Mapping[frozenset[str], float] = field(default_factory=dict)
    """Names of the services as words, likewise: for changes that say where they are by path and title alone."""
    everywhere: bool = False
    """Whether changes of all services are weighed, since it is not known which one it is."""
    environment: str | None = None
    region: str | None = None
    text: str = ""
    signals: Signals = NO_SIGNALS
    window: timedelta = WINDOW

    @cached_property
    def onset(self) -> datetime:
        """
        When it began to go wrong, as far as the signals tell.
        """
        return self.signals.onset(self.at)

    @cached_property
    def hurt(self) -> Mapping[EntityId, float]:
        """
        The services that fail, with the chance that each is where it began: the alert's, and those of the signals.
        """
        first = self.signals.first()
        told = {entity(name): 0.9 / (place + 1) for place, name in enumerate(first[:4])}
        before = 0.7 if told else 1.0
        own = {service: chance * before for service, chance in self.services.items()}
        return {service: 1 - (1 - own.get(service, 0.0)) * (1 - told.get(service, 0.0)) for service in {**own, **told}}

    @cached_property
    def steps(self) -> Mapping[EntityId, int]:
        """
        What the failing services call, by the graph and by the calls that were seen, and how many steps away.
        """
        found = dict(self.neighbours)
        names = {name.partition(":")[2] for name in self.hurt}
        for edge in self.signals.edges:
            callee = entity(edge.callee)
            if edge.caller.lower() in names and callee not in self.hurt:
                found[callee] = min(1, found.get(callee, 1))
        return found
