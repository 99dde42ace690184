"""
What a tool says instead of an answer: sentences of ours alone, without what was asked or what sources wrote.
"""

from __future__ import annotations

import logging

from pydantic import ValidationError

from graph.errors import GraphError, NotFound, StoreUnavailable
from ingest.errors import IngestError
from service.api.problems import Problem

_LOG = logging.getLogger("precedent")
UNKNOWN = "there is nothing of that id that this token may see"
AWAY = "the store cannot be reached just now; try again in a few seconds"
BROKEN = "something went wrong here; the log of the server says what"
PAYLOAD = "this cannot be read: `alert` is a monitor's payload or a text, times are RFC 3339 between 1970 and 2200"


class Refusal(Exception):
    """
    The question cannot be answered; the message is for the agent, and holds nothing that anybody else wrote.
    """


def said(error: Exception) -> str:
    """
    What to say of an error.
    """
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, ValidationError):
        return _invalid(error)
    if isinstance(error, StoreUnavailable):
        return AWAY
    if isinstance(error, NotFound):
        return UNKNOWN
    if isinstance(error, IngestError | Problem | GraphError):
        return PAYLOAD
    _LOG.error("a tool failed", exc_info=error)
    return BROKEN


def _invalid(error: ValidationError) -> str:
    """
    Which argument is wrong and what it should be, without its value; an unknown one is not named.
    """
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "extra_forbidden":
        return "there is an argument that this tool does not have"
    name = first["loc"][0] if first["loc"] else "arguments"
    return f"`{name}`: {first['msg'].lower()}"
