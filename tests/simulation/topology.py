"""
Services in layers, what each needs and shares, who owns it, and where it runs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")
_FIRST = (
    "order", "cart", "price", "stock", "media", "login", "ledger", "quote", "route", "parcel", "label", "vault", "frame",
    "signal", "batch", "coupon", "refund", "invoice", "search", "profile", "review", "seller", "fraud", "tax", "depot",
)  # fmt: skip
_SECOND = ("api", "worker", "store", "sync", "gate", "cache", "index", "feed", "score", "engine", "web", "rules")
_SHARED = ("postgres", "redis", "kafka", "bucket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    A service: its layer (0 faces users), the services and the shared resources that it needs.
    """

    name: str
    layer: int
    team: str
    needs: tuple[str, ...]
    shares: tuple[str, ...]
    regions: tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    """
    All services, and who calls whom.
    """

    services: tuple[Service, ...]
    callers: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def named(self, name: str) -> Service:
        """
        A service by its name.
        """
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Service]:
        return {one.name: one for one in self.services}


def topology(rng: random.Random, count: int) -> Topology:
    """
    A layered graph without cycles: a service needs some of those that come after it, the much needed more often.
    """
    names = _names(rng, count)
    needed = dict.fromkeys(names, 1)
    made: list[Service] = []
    for place in reversed(range(count)):
        below = names[place + 1 :]
        needs = _picked(rng, below, needed, rng.choice((1, 1, 2, 2, 3, 4)) if below else 0)
        for one in needs:
            needed[one] += 1
        shares = [f"{rng.choice(_SHARED)}-{rng.randrange(max(1, count // 6))}" for _ in range(rng.choice((0, 1, 1, 2)))]
        regions = [one for one in REGIONS if one == REGIONS[0] or rng.random() < 0.6]
        made.append(
            Service(
                name=names[place], layer=min(3, place * 4 // count), team=f"team-{place % max(1, count // 8)}",
                needs=tuple(sorted(needs)), shares=tuple(sorted(set(shares))), regions=tuple(regions),
            )
        )  # fmt: skip
    made.reverse()
    return Topology(tuple(made), {name: tuple(one.name for one in made if name in one.needs) for name in names})


def _names(rng: random.Random, count: int) -> list[str]:
    pairs = [f"{first}-{second}" for first in _FIRST for second in _SECOND]
    rng.shuffle(pairs)
    return [
        pairs[place % len(pairs)] + (f"-{place // len(pairs) + 1}" if place >= len(pairs) else "")
        for place in range(count)
    ]


def _picked(rng: random.Random, among: Sequence[str], weights: dict[str, int], count: int) -> set[str]:
    return set(rng.choices(among, [weights[one] for one in among], k=count)) if among and count else set()
