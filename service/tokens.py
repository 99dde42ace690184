"""
Tokens: who may do what, and which labels he holds. Only hashes are kept; a token is shown once.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from graph.contract import Store
from graph.values import PUBLIC, Labels

SCOPES = ("read", "ingest", "feedback", "admin")
PREFIX = "prc_"
_SHELF = "tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Who asks.
    """

    name: str
    scopes: frozenset[str]
    visibility: Labels = PUBLIC
    audience: str | None = None
    """The only address that the token is for (RFC 8707), and what lies below it; None: any of ours."""

    def may(self, scope: str) -> bool:
        """
        Whether the caller has a scope; `admin` has all but ingest tokens never read.
        """
        return scope in self.scopes or "admin" in self.scopes


LOCAL = Caller(name="local", scopes=frozenset(SCOPES))
"""Anybody on this machine, while there are no tokens."""
UNKNOWN = Caller(name="unknown", scopes=frozenset({"read"}))
"""Anybody on this machine, while the store has not said whether there are tokens, nor anything else."""


def digest(token: str) -> str:
    """
    What is kept in a token's place.
    """
    return hashlib.sha256(token.encode()).hexdigest()


class Tokens:
    """
    A store's tokens, remembered: whoever asks does not wait for the store, nor for want of it. `refresh` reads them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, bytes] | None = None

    @property
    def any(self) -> bool | None:
        """
        Whether tokens are in use; None while the store has not said.
        """
        return None if self._known is None else bool(self._known)

    def refresh(self) -> None:
        """
        Read them again. Raises StoreUnavailable, and what was known counts on.
        """
        self._known = self._store.kept(_SHELF)

    def issue(
        self,
        name: str,
        scopes: Collection[str],
        visibility: Labels = PUBLIC,
        expires: datetime | None = None,
        audience: str | None = None,
    ) -> str:
        """
        A new token, to be shown once. Raises ValueError for an unknown scope, a name or an audience that is none.
        """
        if not name.strip() or not name.isprintable():
            raise ValueError("a token needs a name, in printable characters: it is the voice of its feedback")
        unknown = set(scopes) - set(SCOPES)
        if unknown or not scopes:
            raise ValueError(f"scopes are {', '.join(SCOPES)}; not {', '.join(sorted(unknown)) or 'none'}")
        if audience is not None and not re.fullmatch(r"https?://[^\s/?#]+(?:/[^\s?#]*)?", audience):
            raise ValueError("an audience is an address without a query, as https://precedent.example/mcp")
        token = PREFIX + secrets.token_urlsafe(32)
        body = {
            "name": name,
            "scopes": sorted(scopes),
            "visibility": sorted(visibility),
            "expires": expires.isoformat() if expires else None,
            "audience": audience,
        }
        self._store.keep(_SHELF, [(digest(token), orjson.dumps(body))])
        self.refresh()
        return token

    def caller(self, token: str) -> Caller | None:
        """
        Whose token it is; None for an unknown or expired one.
        """
        return self.holder(digest(token))

    def holder(self, kept_as: str) -> Caller | None:
        """
        Whose token is kept as this digest; None for an unknown or expired one.
        """
        kept = (self._known or {}).get(kept_as)
        if kept is None:
            return None
        body = orjson.loads(kept)
        if body["expires"] and datetime.fromisoformat(body["expires"]) < datetime.now(UTC):
            return None
        return Caller(
            name=body["name"],
            scopes=frozenset(body["scopes"]),
            visibility=frozenset(body["visibility"]),
            audience=body.get("audience"),
        )
