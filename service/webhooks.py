"""
Webhooks as the settings configure them: `[[webhooks]]`, each a source whose deliveries prove themselves.

A webhook has up to two secrets, so that one can be exchanged while the other still counts. They stand in variables or
files, never in the settings themselves. Without a secret a webhook is off: it takes nothing, from nobody.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from graph.values import PUBLIC, Labels
from ingest.connectors import NAMES, connector
from ingest.connectors.mapping import read_mapping
from ingest.contract import Source
from ingest.errors import BadRecord, BadSource
from ingest.parsing import printable
from ingest.signing import IN_URL, Hmac, NamedHmac, Shared, Signing, StandardWebhooks, TimedHmac, unproven
from ingest.signing_sns import Sns

MOST = 2
"""Secrets that may be live at once."""
SILENT_AFTER = 168.0
"""Hours."""
MAPPED = "webhook"
"""The connector of a webhook that names a mapping file and no connector."""
_OPTIONS = ("timezone", "environment", "repository", "url_prefix")
_SIGNED = ("scheme", "header", "prefix", "algorithm", "timestamp_header", "topics")
_KEYS = ("name", "connector", "secrets", "visibility", "mapping", "options", "silent_after", *_OPTIONS, *_SIGNED)
_SCHEMES: Mapping[str, type[Signing]] = {
    "shared": Shared,
    "url": Shared,
    "hmac": Hmac,
    "named_hmac": NamedHmac,
    "timed_hmac": TimedHmac,
    "standard": StandardWebhooks,
    "sns": Sns,
}
_ALGORITHMS = ("sha256", "sha512", "sha1")
_FIELDS = {"timestamp_header": "stamp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """
    Where a secret stands (`env:NAME`, `file:PATH`), and what was found there when the settings were read; else nothing.
    """

    place: str
    value: SecretStr = field(default_factory=lambda: SecretStr(""))

    @property
    def live(self) -> bool:
        """
        Whether there is one.
        """
        return bool(self.value.get_secret_value().strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """
    A source that arrives by webhook, and how its deliveries prove themselves.
    """

    source: Source
    signing: Signing
    secrets: tuple[Secret, ...] = ()
    silent_after: timedelta = timedelta(hours=SILENT_AFTER)
    broken: str = ""
    """Why its connector cannot be loaded."""

    @property
    def off(self) -> str:
        """
        Why it takes nothing; empty: it does.
        """
        lacks = self.broken or (self.signing.lacks if isinstance(self.signing, Sns) else "")
        if lacks or any(secret.live for secret in self.secrets):
            return lacks
        places = ", ".join(secret.place for secret in self.secrets)
        return f"nothing is at {places}" if places else "it has no `secrets`"

    def unproven(self, body: bytes, headers: Mapping[str, str], now: datetime) -> str:
        """
        Why a delivery (its raw body, its lower-cased headers) is not taken; empty: it is.
        """
        values = [secret.value.get_secret_value() for secret in self.secrets if secret.live]
        return self.off or unproven(self.signing, body, headers, values, now)


def variables_of(rows: object) -> frozenset[str]:
    """
    The names of the variables that hold secrets.
    """
    tables = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    places = [place for row in tables if isinstance(row.get("secrets"), list) for place in row["secrets"]]
    return frozenset(str(place).removeprefix("env:") for place in places if str(place).startswith("env:"))


def read_webhooks(rows: object, folder: Path, variables: Mapping[str, str]) -> tuple[Webhook, ...]:
    """
    The webhooks of `[[webhooks]]`; files are named from `folder` on. Raises BadSource, which says what is wrong.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadSource("`webhooks` should be tables; write [[webhooks]] above each")
    found = tuple(_webhook(row, number, folder, variables) for number, row in enumerate(rows, 1))
    names = [one.source.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadSource(f"two webhooks are named {twice[0]}; a name is that of one source")
    return found


def _webhook(row: Mapping[str, object], number: int, folder: Path, variables: Mapping[str, str]) -> Webhook:
    name = row.get("name")
    if not isinstance(name, str) or not name.strip() or "/" in name:
        raise BadSource(f"webhook {number} needs a `name` without a slash, which is its source's too")
    where = f"webhook {printable(name, 'name')}"
    _known(where, "key", sorted(row), _KEYS)
    kind = row.get("connector", MAPPED if "mapping" in row else None)
    if not isinstance(kind, str):
        raise BadSource(f"{where} needs a `connector`, or a `mapping` for a format that no connector reads")
    _known(where, "connector", [kind], NAMES)
    vendors, broken = _vendors(kind)
    return Webhook(
        source=Source(name=name, connector=kind, options=_options(row, where, folder), visibility=_labels(row, where)),
        signing=Shared() if broken else _signing(row, where, vendors),
        secrets=_secrets(row.get("secrets", []), where, folder, variables),
        silent_after=_silence(row.get("silent_after", SILENT_AFTER), where),
        broken=broken,
    )


def _vendors(kind: str) -> tuple[Signing | None, str]:
    """
    The scheme of a connector, or why it cannot be loaded: another package's may be broken, and stops no other source.
    """
    try:
        return connector(kind).signing, ""
    except BadSource as error:
        return None, str(error)


def _known(where: str, what: str, given: Sequence[str], known: Collection[str]) -> None:
    wrong = next((one for one in given if one not in known), None)
    if wrong is None:
        return
    near = difflib.get_close_matches(wrong, known, 1)
    raise BadSource(f"{where}: unknown {what} `{wrong}`" + (f"; did you mean `{near[0]}`?" if near else ""))


def _options(row: Mapping[str, object], where: str, folder: Path) -> dict[str, str]:
    options = row.get("options", {})
    if not isinstance(options, dict):
        raise BadSource(f"{where}: `options` should be a table")
    found = {str(key): str(value) for key, value in options.items()}
    found |= {key: str(row[key]) for key in _OPTIONS if key in row}
    if "mapping" not in row:
        if row.get("connector") == MAPPED:
            raise BadSource(f"{where}: the connector `{MAPPED}` needs a `mapping`, the path of a mapping file")
        return found
    path = folder / str(row["mapping"])
    try:
        found["mapping"] = path.read_text(encoding="utf-8")
        read_mapping(found["mapping"])
    except (OSError, ValueError) as error:
        raise BadSource(f"{where}: its mapping {path} cannot be read: {error}") from error
    except BadRecord as error:
        raise BadSource(f"{where}: {path}: {error}") from error
    return found


def _labels(row: Mapping[str, object], where: str) -> Labels:
    labels = row.get("visibility", [])
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
        raise BadSource(f'{where}: `visibility` should be a list of labels; write visibility = ["security"]')
    return frozenset(labels) if labels else PUBLIC


def _signing(row: Mapping[str, object], where: str, vendors: Signing | None) -> Signing:
    """
    The scheme that is named, else the vendor's, else a shared secret in a header; with what the row says of it.
    """
    named = row.get("scheme")
    given = {_FIELDS.get(key, key): row[key] for key in _SIGNED if key in row and key != "scheme"}
    if named is not None:
        _known(where, "scheme", [str(named)], _SCHEMES)
    _check(given, where)
    base: type = _SCHEMES[str(named)] if named is not None else type(vendors or Shared())
    _suits(base, row, where)
    if named == "url":
        given["header"] = IN_URL
    if named is not None or vendors is None:
        if base in (Hmac, NamedHmac, TimedHmac) and "header" not in given:
            raise BadSource(f"{where}: the scheme `{named}` needs `header`, the one that holds the signature")
        return cast("Signing", base(**given))
    if "stamp" in given:
        given["required"] = True
    return cast("Signing", replace(cast("Any", vendors), **given)) if given else vendors


def _suits(base: type, row: Mapping[str, object], where: str) -> None:
    """
    Whether a scheme has what a row says of it.
    """
    takes = {one.name for one in fields(base)} if is_dataclass(base) else set()
    named = [key for key in _SIGNED if key in row and key != "scheme"]
    wrong = next((key for key in named if _FIELDS.get(key, key) not in takes), "")
    if wrong or (row.get("scheme") == "url" and "header" in row):
        raise BadSource(f"{where}: `{wrong or 'header'}` does not go with its scheme ({base.__name__})")


def _check(given: dict[str, object], where: str) -> None:
    """
    Bring what a row says of its scheme into shape, or say what is wrong.
    """
    for key in ("header", "stamp", "prefix"):
        if key in given and (not isinstance(given[key], str) or not str(given[key]).strip()):
            raise BadSource(f"{where}: `{key}` should be a text")
    for key in ("header", "stamp"):
        if key in given:
            given[key] = str(given[key]).strip().lower()
    if "algorithm" in given:
        _known(where, "algorithm", [str(given["algorithm"])], _ALGORITHMS)
    topics = given.get("topics", [])
    if not isinstance(topics, list) or not all(isinstance(one, str) for one in topics):
        raise BadSource(f"{where}: `topics` should be a list of ARNs")
    if topics:
        given["topics"] = tuple(topics)


def _secrets(places: object, where: str, folder: Path, variables: Mapping[str, str]) -> tuple[Secret, ...]:
    if not isinstance(places, list) or len(places) > MOST:
        raise BadSource(f"{where}: `secrets` should be a list of one, or of two while one takes over from the other")
    return tuple(_secret(place, where, folder, variables) for place in places)


def _secret(place: object, where: str, folder: Path, variables: Mapping[str, str]) -> Secret:
    kind, _, name = str(place).partition(":")
    if kind not in ("env", "file") or not name.strip():
        # what stands there may be the secret itself, so it is not shown
        raise BadSource(f'{where}: write secrets = ["env:NAME"] or ["file:PATH"]; a secret itself does not stand here')
    if kind == "env":
        return Secret(place=f"env:{name}", value=SecretStr(variables.get(name, "")))
    try:
        value = (folder / name).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, ValueError):
        value = ""
    return Secret(place=f"file:{folder / name}", value=SecretStr(value))


def _silence(hours: object, where: str) -> timedelta:
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours < 1e6:
        raise BadSource(f"{where}: `silent_after` should be a number of hours, like 24")
    return timedelta(hours=hours)
