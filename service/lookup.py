"""
Whose it is, by what a caller has at hand: a name, an alias, an alert's labels, a file in a repository, a host.

Of a file the line of CODEOWNERS that covers it names the owner, unless it covers everything: then the owner of the
service that is built from there counts, where one is known. Whatever disagrees stays among the conflicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from graph.resolved import Ownership, ownership
from graph.values import (
    Alert,
    EntityId,
    EntityKind,
    Fact,
    FactKind,
    Statement,
    View,
    entity_id,
    entity_kind,
    entity_name,
)
from ingest.connectors.codeowners import Rule, matches, owners_of
from ingest.errors import BadRecord
from ingest.redaction_bodies import redact_body
from models.contract import Candidate, Ranking, Term
from service import parts
from service.api.problems import Problem
from service.parts import Part
from service.wiring import Memory

LABEL = "label."
_TEXTS = ("service", "name", "alias", "host", "repository", "path")
WAYS = ("service", "alias", "host", "repository", "labels")
LONGEST = 1000
"""Characters of a name or a path, and of a label's value."""
MOST_LABELS = 100
EVERYTHING = frozenset({"", "*", "**", "**/*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    What is asked for: `by` is one of WAYS, `text` the name, host or repository.
    """

    by: str
    text: str = ""
    path: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        if self.by == "labels":
            return ",".join(f"{key}={value}" for key, value in sorted(self.labels.items()))
        return f"{self.text}:{self.path}" if self.path else self.text


def asked_of(given: object) -> Asked:
    """
    A question from a query or from an entry of a list: a text is a name. BadRecord says what is wrong.
    """
    if isinstance(given, str):
        given = {"service": given}
    if not isinstance(given, dict):
        raise BadRecord(
            "write a name, or an object with `service`, `alias`, `labels`, `repository` with `path`, or `host`"
        )
    labels = _labels(given)
    texts = {
        key: _text(key, given[key])
        for key in ("service", "name", "alias", "host", "repository", "path")
        if given.get(key)
    }
    if "name" in texts:
        texts.setdefault("service", texts.pop("name"))
    ways = [way for way in WAYS if way in texts] + (["labels"] if labels else [])
    if len(ways) != 1:
        raise BadRecord(
            "say `service` (a name or alias), `alias`, `label.KEY=VALUE`, `repository` with `path`, or `host`"
            + (f"; one of {' and '.join(ways)}" if ways else "")
        )
    if "path" in texts and ways[0] != "repository":
        raise BadRecord("`path` goes with `repository`")
    return Asked(by=ways[0], text=texts.get(ways[0], ""), path=texts.get("path", ""), labels=labels)


def _labels(given: Mapping[str, object]) -> dict[str, str]:
    found = {key.removeprefix(LABEL): value for key, value in given.items() if key.startswith(LABEL)}
    whole = given.get("labels")
    if whole is not None and not isinstance(whole, dict):
        raise BadRecord("`labels` is an object of names and values")
    found |= {str(key): value for key, value in (whole or {}).items()}
    if len(found) > MOST_LABELS:
        raise BadRecord(f"more than {MOST_LABELS} labels")
    return {key: _text(f"label {key[:40]}", value) for key, value in found.items() if value not in (None, "")}


def _text(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRecord(f"`{key}` is a text")
    found = str(value).strip()
    if len(found) > LONGEST:
        raise BadRecord(f"`{key}` is longer than {LONGEST} characters")
    return found


def resolved_service(memory: Memory, view: View, name: str) -> EntityId:
    """
    The id of a service by any name. Raises Problem 404 with what was close.
    """
    return _best(memory.resolver.lookup(name.removeprefix("service:"), view), repr(name)).id


def _best(ranking: Ranking, asked: str) -> Candidate:
    if ranking.abstained or not ranking.candidates:
        close = ", ".join(entity_name(one.id) for one in ranking.candidates[:3])
        raise Problem(404, f"no service is known as {asked}" + (f"; close: {close}" if close else ""))
    return ranking.candidates[0]


def owner_of(memory: Memory, view: View, name: str) -> Part:
    """
    The owner part for a name.
    """
    return owner_answer(memory, view, Asked(by="service", text=name))


def owner_answer(memory: Memory, view: View, asked: Asked) -> Part:
    """
    The owner part for a question. Raises Problem 404 where nothing is known by it.
    """
    if asked.by == "repository":
        return _of_path(memory, view, asked)
    if asked.by == "labels":
        asked = _redacted(memory, asked)
    found = _WAYS[asked.by](memory, view, asked)
    return _answered(memory, view, asked, found.id, found.probability, [term.says for term in found.terms if term.says])


def _redacted(memory: Memory, asked: Asked) -> Asked:
    """
    Labels come from alerts, and alerts may hold secrets: no answer shows one.
    """
    told = redact_body(memory.redactor(), orjson.dumps(dict(asked.labels)).decode()).text
    return replace(asked, labels={str(key): str(value) for key, value in orjson.loads(told).items()})


def _answered(
    memory: Memory, view: View, asked: Asked, subject: EntityId, probability: float, matched: Sequence[str]
) -> Part:
    gaps: list[str] = []
    found = parts.owner_part(memory, view, subject, sorted, gaps.append)
    return {
        **found,
        "asked": str(asked),
        "by": asked.by,
        "probability": round(probability, 4),
        "matched": list(matched[:4]),
        "gaps": gaps,
    }


def _by_name(memory: Memory, view: View, asked: Asked) -> Candidate:
    return _best(memory.resolver.lookup(asked.text.removeprefix("service:"), view), repr(asked.text))


def _by_alias(memory: Memory, view: View, asked: Asked) -> Candidate:
    return _stated(memory, view, [asked.text]) or _by_name(memory, view, asked)


def _by_labels(memory: Memory, view: View, asked: Asked) -> Candidate:
    alert = Alert(id="asked", name=asked.labels.get("alertname", ""), at=view.as_of, labels=asked.labels)
    return _best(memory.resolver.resolve(alert, view), f"what has the labels {', '.join(sorted(asked.labels))}")


def _by_host(memory: Memory, view: View, asked: Asked) -> Candidate:
    host = asked.text.partition("://")[2].partition("/")[0] or asked.text
    bare = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    names = list(dict.fromkeys(one for name in (host, bare) for one in (name, name.lower())))
    found = _stated(memory, view, names) or _owned_resource(memory, view, bare)
    if found:
        return found
    ranking = memory.resolver.lookup(bare, view)
    if ranking.abstained:
        ranking = memory.resolver.resolve(Alert(id="asked", name="", at=view.as_of, labels={"instance": host}), view)
    return _best(ranking, repr(asked.text))


_WAYS = {"service": _by_name, "alias": _by_alias, "labels": _by_labels, "host": _by_host}


def _stated(memory: Memory, view: View, names: Sequence[str]) -> Candidate | None:
    """
    The one service of which a source states a name in just this form; None where there is none, or several.
    """
    known = memory.catalogue.directory(view).identity
    stated = memory.facts.facts(view, kinds=(FactKind.ALIAS,), objects=names)
    found = {known.canonical(one.item.subject): one for one in stated if entity_kind(one.item.subject) == "service"}
    if len(found) != 1:
        return None
    subject, statement = found.popitem()
    seen_in = statement.item.attributes.get("seen_in", "alias")
    return _known(subject, statement, f"{statement.item.object} is its name in {seen_in}")


def _known(subject: EntityId, statement: Statement[Fact], says: str) -> Candidate:
    term = Term(name="stated", value=1.0, weight=1.0, says=says)
    return Candidate(id=subject, probability=1.0, terms=(term,), evidence=(statement.record,))


def _owned_resource(memory: Memory, view: View, host: str) -> Candidate | None:
    """
    A resource of that name with an owner, else the only service that depends on it.
    """
    known = memory.catalogue.directory(view).identity
    ids = known.same(entity_id(EntityKind.RESOURCE, host))
    stated = memory.facts.facts(view, kinds=(FactKind.OWNED_BY,), subjects=ids)
    if stated:
        return _known(known.canonical(stated[0].item.subject), stated[0], f"{host} is a resource")
    used = memory.facts.facts(view, kinds=(FactKind.DEPENDS_ON, FactKind.RUNS_IN), objects=ids)
    users = {known.canonical(one.item.subject): one for one in used}
    if len(users) != 1:
        return None
    subject, statement = users.popitem()
    return _known(subject, statement, f"it alone uses {host}")


def _of_path(memory: Memory, view: View, asked: Asked) -> Part:
    repositories = _repositories(memory, view, asked.text)
    path = asked.path.strip("/")
    covering = _covering(memory, view, repositories, path) if path else ()
    service, tied = _built_there(memory, view, repositories, path)
    own = ownership(memory.facts, view, service, known=memory.catalogue.directory(view).identity) if service else None
    if not covering and service is None:
        told = f"; {len(tied)} services are built from it, say `path`: {', '.join(tied[:5])}" if tied else ""
        raise Problem(404, f"nobody is known to own {asked}{told}")
    exact = [one for one in covering if one.item.attributes["pattern"].strip("/") not in EVERYTHING]
    chosen = exact or ([] if own and own.team else list(covering))
    subject = chosen[0].item.object if chosen else service or covering[0].item.object
    matched = [f"{one.item.attributes['pattern']} of CODEOWNERS, line {one.item.attributes['line']}" for one in chosen]
    found = _answered(memory, view, asked, subject, 1.0, matched or [f"{entity_name(subject)} is built from there"])
    if chosen:
        found |= _as_owner(subject, service, chosen, own)
        found["gaps"] = [gap for gap in parts.strings(found["gaps"]) if not gap.startswith("no source names")]
    else:
        found["conflicts"] = _others(found["team"], [one.item.object for one in covering], own)
    found["lines"] = [_line(one) for one in covering]
    return found


def _as_owner(
    owner: EntityId, service: EntityId | None, chosen: Sequence[Statement[Fact]], own: Ownership | None
) -> Part:
    """
    What an answer says where CODEOWNERS names the owner.
    """
    return {
        "service": service,
        "team": owner,
        "name": entity_name(owner),
        "trust": chosen[0].trust.name.lower(),
        "conflicts": _others(owner, [one.item.object for one in chosen], own),
        "statements": [parts.said(one, list) for one in (*chosen, *(own.statements if own else ()))][:8],
        "evidence": sorted({one.record for one in (*chosen, *(own.statements if own else ()))}),
    }


def _others(owner: object, lines: Iterable[EntityId], own: Ownership | None) -> list[Part]:
    stated = (*lines, *(one.item.object for one in (own.statements if own else ())))
    return [{"team": one, "name": entity_name(one)} for one in dict.fromkeys(stated) if one != owner]


def _line(one: Statement[Fact]) -> Part:
    told = one.item.attributes
    where = {"pattern": told["pattern"], "line": int(told["line"]), "section": told.get("section")}
    return {**parts.said(one, list), **where}


def _repositories(memory: Memory, view: View, given: str) -> frozenset[EntityId]:
    """
    The ids under which sources speak of a repository: as given (an address too), else the only one whose name ends so.
    """
    name = given.removeprefix("repository:").removesuffix("/").removesuffix(".git").lower()
    name = name.partition("://")[2].partition("/")[2] if "://" in name else name
    name = name.rpartition(":")[2] if "@" in name else name
    exact = entity_id(EntityKind.REPOSITORY, name)
    if memory.facts.facts(view, kinds=(FactKind.OWNED_BY, FactKind.BUILT_FROM), subjects=[exact]) or memory.facts.facts(
        view, kinds=(FactKind.BUILT_FROM,), objects=[exact]
    ):
        return frozenset({exact})
    known = {one.item.object for one in memory.facts.facts(view, kinds=(FactKind.BUILT_FROM,))}
    known |= {one.item.subject for one in memory.facts.facts(view, kinds=(FactKind.OWNED_BY,))}
    close = {one for one in known if entity_kind(one) == "repository" and _alike(entity_name(one), name)}
    return frozenset(close if len(close) == 1 else {exact})


def _alike(known: str, name: str) -> bool:
    """
    Whether two names of repositories differ only in that one of them lacks the owner.
    """
    bare = "/" not in known or "/" not in name
    return bare and known.rpartition("/")[2] == name.rpartition("/")[2]


def _covering(memory: Memory, view: View, repositories: frozenset[EntityId], path: str) -> tuple[Statement[Fact], ...]:
    """
    The statements of CODEOWNERS that count for a path, in the order of its owners.
    """
    stated = [
        one for one in memory.facts.facts(view, kinds=(FactKind.OWNED_BY,), subjects=repositories)
        if "pattern" in one.item.attributes and one.item.attributes.get("line", "").isdecimal()
    ]  # fmt: skip
    stated.sort(key=lambda one: (one.source, int(one.item.attributes["line"])))
    found: list[Statement[Fact]] = []
    for source in dict.fromkeys(one.source for one in stated):
        lines = [one for one in stated if one.source == source]
        for owner in owners_of(path, list(_rules(lines))):
            found.append(next(one for one in reversed(lines) if one.item.object == owner and _covers(one.item, path)))
    return tuple(found)


def _covers(fact: Fact, path: str) -> bool:
    return matches(fact.attributes["pattern"], path, gitlab=fact.attributes.get("dialect") == "gitlab")


def _rules(lines: Sequence[Statement[Fact]]) -> Iterable[Rule]:
    """
    The lines of a file as they were, from what was stated of them; the owners are ids.
    """
    for number in dict.fromkeys(int(one.item.attributes["line"]) for one in lines):
        same = [one.item for one in lines if int(one.item.attributes["line"]) == number]
        told = same[0].attributes
        owners = tuple(fact.object for fact in same if fact.object)
        yield Rule(
            told["pattern"], owners, told.get("section", ""), number,
            excludes="excludes" in told, gitlab=told.get("dialect") == "gitlab",
        )  # fmt: skip


def _built_there(
    memory: Memory, view: View, repositories: frozenset[EntityId], path: str
) -> tuple[EntityId | None, list[str]]:
    """
    The service that is built from there: the one with the deepest folder, of several the one that the path names; and
    the names of those between whom nothing decides.
    """
    known = memory.catalogue.directory(view)
    depths: dict[EntityId, int] = {}
    for one in memory.facts.facts(view, kinds=(FactKind.BUILT_FROM,), objects=repositories):
        folder = one.item.attributes.get("path", "").strip("/")
        if entity_kind(one.item.subject) == "service" and _inside(path, folder):
            service = known.identity.canonical(one.item.subject)
            depths[service] = max(depths.get(service, 0), len(folder))
    for service in list(depths):
        inner = [len(folder) for folder in known.paths.get(service, ()) if folder and _inside(path, folder)]
        depths[service] = max([depths[service], *inner])
    best = sorted(one for one, depth in depths.items() if depth == max(depths.values()))
    if len(best) > 1:
        folders = {part.lower() for part in path.split("/")}
        named = [one for one in best if entity_name(one).rpartition("/")[2] in folders]
        best = named if len(named) == 1 else best
    return (best[0], []) if len(best) == 1 else (None, [entity_name(one) for one in best])


def _inside(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
