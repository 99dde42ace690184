"""
Signed in by a token, and known by a cookie afterwards. The cookie holds a random id, never the token: a session can be
ended, ends by itself, and ends with its token. Only hashes of ids are kept, in the store, so that any process knows
them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from graph.contract import Store
from service.tokens import Caller, Tokens, digest

LIFE = timedelta(hours=12)
FRESH = timedelta(seconds=30)
"""How long a session is taken as it was read; after that whether it was ended elsewhere is looked up again."""
MOST = 10_000
"""Sessions remembered at a time."""
_SHELF = "sessions"


@dataclass(frozen=True, slots=True)
class _Session:
    token: str
    expires: datetime
    read_at: datetime


class Sessions:
    """
    Begin, look up, end. Safe to share between threads: each is one assignment.
    """

    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens
        self._known: dict[str, _Session] = {}
        self._local = secrets.token_hex(32)

    def begin(self, token: str) -> str:
        """
        A new session of a token's holder; its id, to be told once. Raises StoreUnavailable.
        """
        session, now = secrets.token_urlsafe(32), datetime.now(UTC)
        body = {"token": digest(token), "expires": (now + LIFE).isoformat()}
        self._store.keep(_SHELF, [(digest(session), orjson.dumps(body))])
        return session

    def caller(self, session: str) -> Caller | None:
        """
        Whose session it is; None where it is not known, ended, or its token counts no more.
        """
        key, now = digest(session), datetime.now(UTC)
        held = self._known.get(key)
        if held is None or now - held.read_at > FRESH:
            held = self._read(key, now)
        if held is None or held.expires <= now:
            return None
        return self._tokens.holder(held.token)

    def _read(self, key: str, now: datetime) -> _Session | None:
        body = self._store.kept(_SHELF, [key]).get(key)
        if not body:
            self._known.pop(key, None)
            return None
        told = orjson.loads(body)
        if len(self._known) >= MOST:
            self._known.clear()
        found = _Session(told["token"], datetime.fromisoformat(told["expires"]), now)
        self._known[key] = found
        return found

    def end(self, session: str) -> None:
        """
        It counts no more: here at once, in other processes within FRESH. Raises StoreUnavailable.
        """
        key = digest(session)
        self._known.pop(key, None)
        if self._store.kept(_SHELF, [key]):
            self._store.keep(_SHELF, [(key, b"")])

    def csrf(self, session: str | None) -> str:
        """
        What a form of this session has to bring along; without a session that of this process.
        """
        return hmac.new((session or self._local).encode(), b"form", hashlib.sha256).hexdigest()[:32]
