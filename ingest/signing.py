"""
How vendors prove that a delivery is theirs: over the raw bytes, in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

TOLERANCE = 300
"""Seconds by which the clock of a signed time may differ from ours (Standard Webhooks)."""


class Signing(Protocol):
    """
    One vendor's scheme.
    """

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        Why a delivery (its raw body and its lower-cased headers) is not proven by this secret; empty: it is.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hmac:
    """
    A header with the HMAC of the body in hexadecimal; with several, separated by commas, any may match.
    """

    header: str
    prefix: str = ""
    """Before the digits: `sha256=`, `v1=`."""
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        As of Signing.
        """
        given = headers.get(self.header, "")
        if not given:
            return f"the header {self.header} is missing"
        wanted = self.prefix + hmac.new(secret.encode(), body, self.algorithm).hexdigest()
        found = [_same(one.strip(), wanted) for one in given.split(",")]
        return "" if any(found) else f"the signature in {self.header} is not that of the body"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardWebhooks:
    """
    The Standard Webhooks specification (also Svix): HMAC-SHA256 of `id.timestamp.body`, in base64 behind `v1,`; the key
    is base64 behind `whsec_`. A time that is off by more than TOLERANCE is refused.
    """

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        As of Signing.
        """
        name = "webhook" if "webhook-signature" in headers else "svix"
        identity, stamp, given = (headers.get(f"{name}-{part}", "") for part in ("id", "timestamp", "signature"))
        if not (identity and stamp and given):
            return "one of the headers webhook-id, webhook-timestamp, webhook-signature is missing"
        if not stamp.isdecimal() or abs(now.timestamp() - int(stamp)) > TOLERANCE:
            return f"webhook-timestamp {stamp[:20]} is not within {TOLERANCE} s of our clock"
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return "the source's secret is not base64 behind whsec_"
        signed = f"{identity}.{stamp}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        found = [_same(one, wanted) for one in given.split()]
        return "" if any(found) else "the signature in webhook-signature is not that of the body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """
    A header that holds the secret itself, alone or behind a word (`Bearer`), or as a password (`Basic`).
    """

    header: str = "authorization"

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        As of Signing.
        """
        given = headers.get(self.header, "")
        if not given:
            return f"the header {self.header} is missing"
        kind, _, rest = given.partition(" ")
        if kind.lower() == "basic":
            try:
                rest = base64.b64decode(rest, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return f"the header {self.header} is no Basic authorization"
        return "" if _same(rest or given, secret) else f"the secret in {self.header} is another"


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
