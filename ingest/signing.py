"""
How vendors prove that a delivery is theirs: over the raw bytes, in constant time, with any secret that is live.

A connector names its vendor's scheme. None of them takes an empty secret, and none falls back to taking everything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

TOLERANCE = 300
"""Seconds by which the clock of a signed time may differ from ours (Standard Webhooks)."""
IN_URL = ":secret"
"""Under this name, which no header can have, a scheme finds what stands behind `?secret=` in the URL."""
_STAMP = re.compile(r"[0-9]{1,16}")
_MILLISECONDS = 1e11


class Signing(Protocol):
    """
    One vendor's scheme.
    """

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        Why a delivery (its raw body and its lower-cased headers) is not proven by this secret; empty: it is.
        """
        ...


def unproven(
    signing: Signing, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime
) -> str:  # fmt: skip
    """
    Why a delivery is proven by none of the secrets; empty: it is. All are tried, so that time does not tell which fits.
    """
    problems = [_problem(signing, body, headers, secret, now) for secret in secrets if secret.strip()]
    if not problems:
        return "there is no secret to check it with"
    return "" if "" in problems else problems[0]


def _problem(signing: Signing, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
    """
    The same of one secret. A scheme may be anybody's: where it fails, nothing is proven.
    """
    try:
        return signing.problem(body, headers, secret, now)
    except Exception as error:  # noqa: BLE001 - what came is refused, with what went wrong
        return f"{type(signing).__name__} could not check it: {type(error).__name__}"


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
            return _missing(self.header)
        wanted = self.prefix + hmac.new(secret.encode(), body, self.algorithm).hexdigest()
        return _any(self.header, given.split(","), wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedHmac:
    """
    A header with the HMAC of the body behind the name of its function: `sha256=hex` (Flux's generic-hmac). Only
    functions of `algorithms` are taken.
    """

    header: str
    algorithms: tuple[str, ...] = ("sha256", "sha384", "sha512")

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        As of Signing.
        """
        given = headers.get(self.header, "")
        if not given:
            return _missing(self.header)
        name, _, digits = given.partition("=")
        if name.strip().lower() not in self.algorithms:
            return f"the header {self.header} names none of {', '.join(self.algorithms)}"
        return _any(self.header, [digits], hmac.new(secret.encode(), body, name.strip().lower()).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedHmac:
    """
    A header with the HMAC-SHA256, in hexadecimal, of a time, a separator and the body. A time that is off by more than
    TOLERANCE is refused.
    """

    header: str
    stamp: str = ""
    """The header with the time; empty: it stands beside the signature (`t=1700000000,v1=hex`; any `v1` may match)."""
    separator: str = ""
    required: bool = True
    """Else a delivery without a time is one whose body alone is signed."""

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        As of Signing.
        """
        given = headers.get(self.header, "")
        if not given:
            return _missing(self.header)
        stamp, signatures = (headers.get(self.stamp, ""), given.split(",")) if self.stamp else _pairs(given)
        if not stamp and self.required:
            return _missing(self.stamp) if self.stamp else f"the header {self.header} has no time `t=`"
        if stamp and (late := _late(stamp, now)):
            return late
        signed = f"{stamp}{self.separator}".encode() + body if stamp else body
        return _any(self.header, signatures, hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest())


def _pairs(given: str) -> tuple[str, list[str]]:
    """
    The time and the signatures of `t=..,v1=..`.
    """
    pairs = [(key.strip(), value.strip()) for key, _, value in (one.partition("=") for one in given.split(","))]
    return next((value for key, value in pairs if key == "t"), ""), [value for key, value in pairs if key == "v1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardWebhooks:
    """
    The Standard Webhooks specification (also Svix): HMAC-SHA256 of `id.timestamp.body`, in base64 behind `v1,`; the key
    is base64 behind `whsec_`. A time that is off by more than TOLERANCE is refused.
    """

    names: tuple[str, str, str] = ("webhook-id", "webhook-timestamp", "webhook-signature")
    """The headers; those of Svix stand in for them."""
    plain: bool = False
    """The key is the secret as it is (MLflow)."""

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        As of Signing.
        """
        svix = self.names[2] not in headers and "svix-signature" in headers
        names = ("svix-id", "svix-timestamp", "svix-signature") if svix else self.names
        identity, stamp, given = (headers.get(name, "") for name in names)
        if not (identity and stamp and given):
            return f"one of the headers {', '.join(self.names)} is missing"
        if late := _late(stamp, now):
            return late
        key = secret.encode() if self.plain else _decoded(secret.strip().removeprefix("whsec_"))
        if not key:
            return "the source's secret is not base64 behind whsec_"
        signed = f"{identity}.{stamp}.".encode("latin-1", "replace") + body
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        found = [_same(one, wanted) for one in given.split()]
        return "" if any(found) else f"the signature in {names[2]} is not that of the body"


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
        place = "`?secret=` in the URL" if self.header == IN_URL else f"the header {self.header}"
        given = headers.get(self.header, "")
        if not given:
            return f"{place} is missing"
        kind, _, rest = given.partition(" ")
        if kind.lower() == "basic":
            try:
                rest = base64.b64decode(rest.strip(), validate=True).decode("latin-1").partition(":")[2]
            except (binascii.Error, ValueError):
                return f"{place} is no Basic authorization"
        found = [_same(one, secret) for one in (given, rest)]
        return "" if any(found) else f"{place} holds another secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """
    A vendor with several schemes, any of which proves a delivery (GitLab: a token, or a signature).
    """

    schemes: tuple[Signing, ...]

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        As of Signing.
        """
        problems = [scheme.problem(body, headers, secret, now) for scheme in self.schemes]
        return "" if "" in problems else "; ".join(dict.fromkeys(problems))


def _decoded(text: str) -> bytes:
    """
    What base64 holds; nothing where it is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _missing(header: str) -> str:
    return f"the header {header} is missing"


def _late(stamp: str, now: datetime) -> str:
    """
    Why a signed time does not count; empty: it does.
    """
    if _STAMP.fullmatch(stamp):
        moment = int(stamp) / (1000 if int(stamp) > _MILLISECONDS else 1)
        if abs(now.timestamp() - moment) <= TOLERANCE:
            return ""
    return f"the signed time {stamp[:20]} is not within {TOLERANCE} s of our clock"


def _any(header: str, given: Sequence[str], wanted: str) -> str:
    """
    Why none of the signatures is the one that it should be; empty: one is.
    """
    found = [_same(one.strip().lower(), wanted) for one in given]
    return "" if any(found) else f"the signature in {header} is not that of the body"


def _same(given: str, wanted: str) -> bool:
    """
    Whether both are the same bytes; what came in a header came as Latin-1.
    """
    return hmac.compare_digest(given.encode("latin-1", "replace"), wanted.encode())
