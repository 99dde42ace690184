"""
The pages of what is known: a service, an incident, all services, and the search over everything.
"""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from starlette.responses import Response

from graph.values import View, entity_name
from service.api.pages_desk import Visit, add
from service.api.problems import Problem
from service.dossier import incident_dossier, service_dossier
from service.finding import Finder
from service.kept import Kept
from service.pages.service import service_view
from service.parts import Part
from service.readiness_whole import Whole
from service.wiring import Memory

LISTED = 200
LONGEST = 300
SOON = 0.05
"""Seconds to wait for readiness, which a small organisation has at once."""


def install(app: FastAPI, memory: Memory, ready: Kept[Whole]) -> None:
    """
    Add the pages to the application.
    """
    add(app, memory, "/search", partial(_search, Finder(memory)))
    add(app, memory, "/services", _services)
    add(app, memory, "/services/{name:path}", partial(_service, ready))
    add(app, memory, "/incidents/{name:path}", _incident)


def _search(finder: Finder, visit: Visit) -> Response:
    text = " ".join(visit.asked("q").split())[:LONGEST]
    found = finder.find(visit.view, text) if text else {"query": "", "gaps": []}
    kinds = ("services", "teams", "incidents", "changes", "runbooks", "alerts")
    return visit.page("search.html", found, any=any(found.get(kind) for kind in kinds))


def _services(visit: Visit) -> Response:
    name, owner = visit.asked("name")[:LONGEST], visit.asked("owner")[:LONGEST]
    start = visit.asked("start") or "0"
    if not start.isdecimal() or len(start) > 9:
        raise Problem(422, f"`start` is {start[:40]!r}; write a number")
    return visit.page("services.html", _listed(visit.memory, visit.view, name, owner, int(start)))


def _listed(memory: Memory, view: View, name: str, owner: str, start: int) -> Part:
    directory = memory.catalogue.directory(view)
    owners = directory.owners
    held = [
        one
        for one in sorted(directory.services)
        if name.lower() in one.partition(":")[2]
        and (not owner or (one in owners and entity_name(owners[one]) == owner.lower()))
    ]
    rows = [
        {
            "name": entity_name(one),
            "owner": entity_name(owners[one]) if one in owners else None,
            "names": sorted({named.name for named in directory.services[one]} - {entity_name(one)})[:4],
        }
        for one in held[start : start + LISTED]
    ]
    following = start + LISTED if start + LISTED < len(held) else None
    return {"services": rows, "total": len(held), "start": start, "following": following, "name": name, "owner": owner}


def _service(ready: Kept[Whole], visit: Visit) -> Response:
    body = service_dossier(visit.memory, visit.view, visit.request.path_params["name"])
    made = ready.get(visit.who.visibility, SOON)
    row = made.value.rows.get(str(body["name"])) if made else None
    body["readiness"] = row
    if visit.wants_json:
        return visit.page("service.html", body)
    asked = {key: visit.asked(key) for key in ("as_of", "known_at")}
    return visit.page("service.html", body, **service_view(body), ready=row, checking=made is None, asked=asked)


def _incident(visit: Visit) -> Response:
    body = incident_dossier(visit.memory, visit.view, visit.request.path_params["name"])
    return visit.page("incident.html", body, i=body)
