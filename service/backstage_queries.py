"""
Pages, searches, counts and chosen fields over entities of Backstage's catalogue.

A cursor holds the whole query and the place, so that a client needs to send nothing else with it.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import orjson

from ingest.errors import BadRecord
from service.backstage import values_at
from service.parts import Part

MOST = 1000
LIMIT = 20
SEARCHED = ("metadata.name", "metadata.title", "metadata.description", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """
    What is asked for: `order` are fields with `,asc` or `,desc`; `term` is looked for in `searched`.
    """

    filters: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    term: str = ""
    searched: tuple[str, ...] = ()
    limit: int = LIMIT
    offset: int = 0


def query_of(given: Iterable[tuple[str, str]]) -> Query:
    """
    From the parameters of a request. BadRecord says what is wrong.
    """
    many: dict[str, list[str]] = {}
    for key, value in given:
        many.setdefault(key, []).append(value)
    limit = _whole("limit", many, LIMIT)
    if "cursor" in many:
        found = _read(many["cursor"][-1])
        return replace(found, limit=limit or found.limit) if "limit" in many else found
    return Query(
        filters=tuple(many.get("filter", ())),
        fields=_split(many.get("fields", ())),
        order=tuple(many.get("orderField", ())),
        term=" ".join(many.get("fullTextFilterTerm", ())).strip().lower(),
        searched=_split(many.get("fullTextFilterFields", ())),
        limit=min(MOST, limit),
        offset=_whole("offset", many, 0),
    )


def _split(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(one.strip() for text in given for one in text.split(",") if one.strip())


def _whole(key: str, many: dict[str, list[str]], default: int) -> int:
    given = many.get(key, [""])[-1]
    if given and (not given.isdecimal() or len(given) > 9):
        raise BadRecord(f"`{key}` is {given[:40]!r}; write a whole number")
    return int(given) if given else default


def page(rows: Sequence[Part], query: Query) -> Part:
    """
    One page, with the cursors of its neighbours where there are such.
    """
    found = [one for one in rows if _meets(one, query)]
    for field in reversed(query.order or ("metadata.name",)):
        name, _, way = field.partition(",")
        found.sort(key=lambda one: _first(one, name), reverse=way.strip().lower() == "desc")
        # what lacks the field comes last, either way
        found.sort(key=lambda one: not _first(one, name))
    shown = found[query.offset : query.offset + query.limit]
    around: Part = {}
    if query.offset + query.limit < len(found):
        around["nextCursor"] = _written(replace(query, offset=query.offset + query.limit))
    if query.offset:
        around["prevCursor"] = _written(replace(query, offset=max(0, query.offset - query.limit)))
    return {"items": [projected(one, query.fields) for one in shown], "totalItems": len(found), "pageInfo": around}


def _meets(made: Part, query: Query) -> bool:
    if not query.term:
        return True
    texts = (text for key in query.searched or SEARCHED for text in values_at(made, key.lower()))
    return any(query.term in text for text in texts)


def _first(made: Part, key: str) -> str:
    return min(values_at(made, key.lower()), default="")


def _written(query: Query) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(query)).decode().rstrip("=")


def _read(cursor: str) -> Query:
    try:
        body = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        texts = {key: tuple(str(one) for one in body[key]) for key in ("filters", "fields", "order", "searched")}
        numbers = {key: max(0, int(body[key])) for key in ("limit", "offset")}
        found = Query(term=str(body["term"]), **texts, **numbers)  # type: ignore[arg-type]  # of the right kinds each
        return replace(found, limit=min(MOST, max(1, found.limit)))
    except (ValueError, KeyError, TypeError) as error:
        raise BadRecord("`cursor` is none that we gave; begin without one") from error


def projected(made: Part, fields: Sequence[str]) -> Part:
    """
    Only these fields, each with all below it; none named: all.
    """
    if not fields:
        return made
    found: Part = {}
    for field in fields:
        _copy(made, field, found)
    return found


def _copy(source: object, field: str, target: Part) -> None:
    if not isinstance(source, dict):
        return
    # a key may have dots itself (an annotation): the longest that fits counts
    for name in sorted(source, key=len, reverse=True):
        if field == name:
            target[name] = source[name]
            return
        if field.startswith(f"{name}.") and isinstance(source[name], dict):
            inner = target.setdefault(name, {})
            if isinstance(inner, dict):
                _copy(source[name], field[len(name) + 1 :], inner)
            return


def uid_of(made: Part) -> str:
    """
    An entity's uid.
    """
    return next(iter(values_at(made, "metadata.uid")), "")


def counted(rows: Iterable[Part], facets: Sequence[str]) -> Part:
    """
    How often each value stands at each of the keys, the commonest first.
    """
    counts: dict[str, Counter[str]] = {facet: Counter() for facet in facets}
    for made in rows:
        for facet in facets:
            counts[facet].update(values_at(made, facet.lower(), cased=True))
    return {
        facet: [
            {"value": value, "count": count}
            for value, count in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        ]
        for facet, found in counts.items()
    }
