"""
All settings, read once at the entry point: flags, then the environment (PRECEDENT_*), then a TOML file, then defaults.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, SecretStr, ValidationError

from ingest.errors import IngestError
from service.webhooks import Webhook, read_webhooks, variables_of

PREFIX = "PRECEDENT_"
FILE = "precedent.toml"
LISTS = ("allowed_hosts", "allowed_origins", "authorization_servers")
"""Settings of which the environment holds several, with commas between."""


class SettingsError(Exception):
    """
    A setting is unknown or wrong; the message says which and what to do.
    """


class Settings(BaseModel):
    """
    One frozen object, passed down. Times are in seconds or, where the name says so, in milliseconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="the data directory of the embedded store")
    store: str = Field("", description="the store's URL; empty: the embedded store in the data directory")
    store_user: str = Field("neo4j", description="the user on a server's store")
    store_password: SecretStr = Field(SecretStr(""), description="that user's password; empty: none is sent")
    search: Literal["local", "server"] = Field(
        "local", description="`local`: indexes in this process; `server`: those of the store, where it is a server"
    )
    host: str = Field("127.0.0.1", description="the address to listen on; other than loopback needs tokens")
    port: int = Field(8080, ge=0, le=65535, description="the port to listen on")
    allowed_hosts: tuple[str, ...] = Field((), description="further names under which we may be called (Host header)")
    allowed_origins: tuple[str, ...] = Field((), description="origins whose pages may call `/mcp` (Origin header)")
    public_url: str = Field("", description="the address under which clients reach us; empty: as each request says")
    authorization_servers: tuple[str, ...] = Field((), description="issuers of tokens that `/mcp` names")
    token: SecretStr = Field(SecretStr(""), description="the token of `precedent mcp`, which is asked as its holder")
    embedder: str = Field("onnx", description="`onnx`, `none`, or `sentence:NAME` (the torch extra)")
    device: str = Field("cpu", description="device of a `sentence:` embedder")
    threads: int = Field(2, ge=1, description="threads of the embedder")
    part_budget_ms: int = Field(1500, ge=1, description="time of each part of a context; a late part becomes a gap")
    apply: bool = Field(True, description="apply pending records in this process; off: `precedent work` does")
    inflight: int = Field(8, ge=1, description="reads in flight; more wait shortly, then get 503")
    inflight_ingest: int = Field(
        16, ge=1, description="ingest requests in flight; those that come together share a commit"
    )
    queue_ms: int = Field(100, ge=0, description="how long a request may wait for its turn")
    body_ms: int = Field(20_000, ge=1, description="how long the body of a request may take to come")
    max_body: int = Field(1 << 20, ge=1024, description="largest body of a request, in bytes")
    max_bulk: int = Field(10 << 20, ge=1024, description="largest body of an ingest request, in bytes")
    webhooks: tuple[InstanceOf[Webhook], ...] = Field(
        (), description="tables `[[webhooks]]` of the TOML file: sources that arrive by webhook, see below"
    )

    @property
    def store_url(self) -> str:
        """
        The store's URL.
        """
        return self.store or f"sqlite:///{self.data}"

    def webhook(self, source: str) -> Webhook | None:
        """
        The webhook of a source's name.
        """
        return next((one for one in self.webhooks if one.source.name == source), None)


def read_settings(
    flags: Mapping[str, object], config: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """
    Settings from all places. Raises SettingsError.
    """
    variables = os.environ if environment is None else environment
    path = config or Path(FILE)
    values = _file(path, needed=config is not None)
    values |= _environment(variables, besides=variables_of(values.get("webhooks")))
    values |= {name: value for name, value in flags.items() if value is not None}
    unknown = sorted(set(values) - set(Settings.model_fields))
    if unknown:
        near = difflib.get_close_matches(unknown[0], Settings.model_fields, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise SettingsError(f"unknown setting `{unknown[0]}`{hint}")
    try:
        if "webhooks" in values:
            values["webhooks"] = read_webhooks(values["webhooks"], path.parent, variables)
        return Settings.model_validate(values)
    except IngestError as error:
        raise SettingsError(str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"setting `{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error


def _file(path: Path, *, needed: bool) -> dict[str, object]:
    if not path.is_file():
        if needed:
            raise SettingsError(f"{path} is not there")
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}") from error


def _environment(variables: Mapping[str, str], besides: Collection[str]) -> dict[str, object]:
    """
    Settings among the variables; those that hold secrets of webhooks are none.
    """
    found: dict[str, object] = {}
    for name, value in variables.items():
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_") and name not in besides:
            key = name.removeprefix(PREFIX).lower()
            found[key] = tuple(value.split(",")) if key in LISTS else value
    return found
