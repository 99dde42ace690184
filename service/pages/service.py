"""
A service as its page shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.pages.graph import edge_says, graph_view

SIDES = (("dependents", "depends on it"), ("dependencies", "it depends on"))
_TOLD = frozenset({"description", "title", "tier", "lifecycle"})


def service_view(body: Mapping[str, Any]) -> dict[str, Any]:
    """
    What the template draws of a dossier: the drawing, the table of neighbours, since when it has its owner.
    """
    near = body["neighbours"]
    rows = [
        {**one, "side": words, "says": edge_says(one)}
        for side, words in SIDES
        for one in sorted(near[side], key=lambda one: (one["steps"], one["name"]))
    ]
    named = body["owner"].get("name")
    since = [one["since"] for one in body["owners"] if one["team"] == named and not one["until"] and one["since"]]
    attributes = body["attributes"]
    return {
        "s": body,
        "g": graph_view(body["name"], near),
        "near": rows,
        "since": min(since, default=None),
        "details": sorted((key, value) for key, value in attributes.items() if key not in _TOLD and value),
    }
