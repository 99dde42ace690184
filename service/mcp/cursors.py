"""
Cursors of pages: where a page ended, of which question, seen from when. Nothing is kept for them between requests.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.mcp.refusals import Refusal

LATEST = 7e9
"""Seconds since 1970 at most: the year 2191."""
OTHER = "`cursor` belongs to another question or was altered; ask again without it"


class Place(BaseModel):
    """
    How many rows were given (where they are in order of time, of those with the moment `until`), and from when one
    looks.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    given: int = Field(0, ge=0, le=100_000)
    until: float | None = Field(None, ge=-LATEST, le=LATEST)
    known: float = Field(ge=0, le=LATEST)
    asked: str = ""


def first() -> Place:
    """
    Before the first page, seen from now: the following pages see no more than it did.
    """
    return Place(known=datetime.now(UTC).timestamp())


def written(place: Place, *question: object) -> str:
    """
    A place as a cursor of this question.
    """
    body = orjson.dumps({**place.model_dump(exclude={"asked"}), "asked": _mark(question)})
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def read(cursor: str | None, *question: object) -> Place:
    """
    The place that a cursor names; the first page without one. Raises Refusal for another question's.
    """
    if not cursor:
        return first()
    try:
        body = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place = Place.model_validate_json(body)
    except (ValueError, ValidationError) as error:
        raise Refusal(OTHER) from error
    if place.asked != _mark(question):
        raise Refusal(OTHER)
    return place


def _mark(question: tuple[object, ...]) -> str:
    return hashlib.sha256(orjson.dumps(question, default=str)).hexdigest()[:16]
