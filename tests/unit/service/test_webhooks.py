"""
Webhooks in the settings: what is configured wrongly is told, and no secret is shown.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.signing import IN_URL, Hmac, NamedHmac, Shared, StandardWebhooks, TimedHmac
from ingest.signing_sns import Sns
from service.settings import Settings, SettingsError, read_settings
from service.webhooks import Webhook

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MAPPING = '[[items]]\nkind = "owned_by"\nsubject = "service:{s}"\nobject = "team:{t}"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orders.toml").write_text(MAPPING)
    (tmp_path / "broken.toml").write_text("items = 3")
    (tmp_path / "secret").write_text("from a file\n")
    (tmp_path / "blank").write_text("\n")
    return tmp_path


def read(folder: Path, lines: str, **variables: str) -> Settings:
    config = folder / "precedent.toml"
    config.write_text(f"[[webhooks]]\n{lines}\n")
    return read_settings({}, config, variables)


def webhook(folder: Path, lines: str, **variables: str) -> Webhook:
    (found,) = read(folder, lines, **variables).webhooks
    return found


def test_a_webhook_has_its_connectors_scheme_and_secrets_from_their_places(folder: Path) -> None:
    found = webhook(
        folder,
        'name = "gh"\nconnector = "github"\nsecrets = ["env:PRECEDENT_GH", "file:secret"]\nvisibility = ["dev"]\n'
        'timezone = "Europe/London"\nenvironment = "production"\noptions = { repository = "a/b" }\nsilent_after = 12',
        PRECEDENT_GH="from a variable",
    )
    assert found.signing == Hmac(header="x-hub-signature-256", prefix="sha256=")
    assert [one.value.get_secret_value() for one in found.secrets] == ["from a variable", "from a file"]
    assert found.source.options == {"timezone": "Europe/London", "environment": "production", "repository": "a/b"}
    assert (found.source.visibility, found.silent_after, found.off) == (frozenset({"dev"}), timedelta(hours=12), "")
    for secret in ("from a variable", "from a file"):
        headers = {"x-hub-signature-256": f"sha256={hmac.new(secret.encode(), b'x', hashlib.sha256).hexdigest()}"}
        assert found.unproven(b"x", headers, NOW) == ""
        assert found.unproven(b"y", headers, NOW) != ""
        assert secret not in repr(found)


@pytest.mark.parametrize(
    ("places", "says"),
    [
        ('["env:GONE"]', "nothing is at env:GONE"),
        ('["file:gone"]', "nothing is at file:"),
        ('["file:blank", "env:SPACE"]', "nothing is at file:"),
        ("[]", "it has no `secrets`"),
    ],
)
def test_without_a_secret_it_is_off_and_takes_nothing(folder: Path, places: str, says: str) -> None:
    found = webhook(folder, f'name = "gh"\nconnector = "github"\nsecrets = {places}', SPACE="  ")
    assert found.off.startswith(says)
    for secret in (b"", b"  ", b"\n"):
        headers = {"x-hub-signature-256": f"sha256={hmac.new(secret, b'x', hashlib.sha256).hexdigest()}"}
        assert found.unproven(b"x", headers, NOW) == found.off


@pytest.mark.parametrize(
    ("lines", "scheme"),
    [
        ('connector = "alertmanager"', Shared()),
        ('connector = "alertmanager"\nheader = "X-Api-Key"', Shared(header="x-api-key")),
        ('connector = "alertmanager"\nscheme = "url"', Shared(header=IN_URL)),
        ('connector = "github"\nheader = "X-Signature"', Hmac(header="x-signature", prefix="sha256=")),
        ('connector = "github"\nscheme = "shared"', Shared()),
        ('connector = "github"\nscheme = "standard"', StandardWebhooks()),
        ('mapping = "orders.toml"\nscheme = "hmac"\nheader = "x-s"\nprefix = "v0="\nalgorithm = "sha512"', Hmac(header="x-s", prefix="v0=", algorithm="sha512")),
        ('mapping = "orders.toml"\nscheme = "named_hmac"\nheader = "x-s"', NamedHmac(header="x-s")),
        ('mapping = "orders.toml"\nscheme = "timed_hmac"\nheader = "x-s"\ntimestamp_header = "X-At"', TimedHmac(header="x-s", stamp="x-at")),
        ('mapping = "orders.toml"\nscheme = "sns"\ntopics = ["arn:a"]', Sns(topics=("arn:a",))),
    ],
)  # fmt: skip
def test_a_scheme_can_be_named_and_adjusted(folder: Path, lines: str, scheme: object) -> None:
    found = webhook(folder, f'name = "x"\nsecrets = ["file:secret"]\n{lines}')
    assert found.signing == scheme
    assert found.off == ""


def test_a_webhook_with_a_mapping_alone_is_read_by_it(folder: Path) -> None:
    found = webhook(folder, 'name = "orders"\nmapping = "orders.toml"\nsecrets = ["file:secret"]')
    assert (found.source.connector, found.source.options["mapping"]) == ("webhook", MAPPING)


def test_sns_without_topics_is_off(folder: Path) -> None:
    found = webhook(folder, 'name = "x"\nmapping = "orders.toml"\nscheme = "sns"\nsecrets = ["file:secret"]')
    assert "`topics` is missing" in found.off


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('connector = "github"', "webhook 1 needs a `name`"),
        ('name = "a/b"\nconnector = "github"', "webhook 1 needs a `name` without a slash"),
        ('name = "a\\u0001"\nconnector = "github"', "control character"),
        ('name = "gh"', "needs a `connector`, or a `mapping`"),
        ('name = "gh"\nconnector = "gitub"', "unknown connector `gitub`; did you mean `github`?"),
        ('name = "gh"\nconnector = "github"\nsecret = ["env:A"]', "unknown key `secret`; did you mean `secrets`?"),
        ('name = "gh"\nconnector = "github"\nsecrets = "env:A"', "should be a list"),
        ('name = "gh"\nconnector = "github"\nsecrets = ["env:A", "env:B", "env:C"]', "a list of one, or of two"),
        ('name = "gh"\nconnector = "github"\nsecrets = ["hunter2"]', "a secret itself does not stand here"),
        ('name = "gh"\nconnector = "github"\nsecrets = ["env:"]', "a secret itself does not stand here"),
        ('name = "gh"\nconnector = "github"\nvisibility = "dev"', "`visibility` should be a list"),
        ('name = "gh"\nconnector = "github"\nscheme = "hmca"', "unknown scheme `hmca`; did you mean `hmac`?"),
        ('name = "gh"\nconnector = "github"\nscheme = "hmac"', "needs `header`"),
        ('name = "gh"\nconnector = "github"\nscheme = "hmac"\nheader = "x"\nalgorithm = "md5"', "unknown algorithm `md5`"),
        ('name = "gh"\nconnector = "github"\ntopics = ["a"]', "`topics` does not go with its scheme"),
        ('name = "gh"\nconnector = "github"\ntopics = "a"', "`topics` should be a list"),
        ('name = "gh"\nconnector = "github"\nheader = 3', "`header` should be a text"),
        ('name = "gh"\nconnector = "github"\nscheme = "url"\nheader = "x"', "`header` does not go with its scheme"),
        ('name = "gh"\nconnector = "github"\nsilent_after = 0', "a number of hours"),
        ('name = "gh"\nconnector = "github"\nsilent_after = true', "a number of hours"),
        ('name = "gh"\nconnector = "github"\noptions = 3', "`options` should be a table"),
        ('name = "gh"\nconnector = "webhook"', "needs a `mapping`"),
        ('name = "gh"\nmapping = "gone.toml"', "cannot be read"),
        ('name = "gh"\nmapping = "broken.toml"', "at least one [[items]]"),
        ('name = "gh"\nconnector = "github"\n[[webhooks]]\nname = "gh"\nconnector = "github"', "two webhooks are named gh"),
    ],
)  # fmt: skip
def test_what_is_configured_wrongly_is_told(folder: Path, lines: str, says: str) -> None:
    with pytest.raises(SettingsError) as told:
        read(folder, lines)
    assert says in str(told.value)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("rows", ["webhooks = 3", "webhooks = [3]", 'webhooks = "gh"', "[webhooks]\nname = 'gh'"])
def test_what_is_no_table_is_told(folder: Path, rows: str) -> None:
    (folder / "precedent.toml").write_text(rows)
    with pytest.raises(SettingsError, match=r"\[\[webhooks\]\]"):
        read_settings({}, folder / "precedent.toml", {})


def test_a_variable_that_no_webhook_names_is_a_setting(folder: Path) -> None:
    with pytest.raises(SettingsError, match="unknown setting `gh`"):
        read(folder, 'name = "gh"\nconnector = "github"\nsecrets = ["env:PRECEDENT_OTHER"]', PRECEDENT_GH="x")


def test_basic_and_bearer_are_both_a_shared_secret(folder: Path) -> None:
    found = webhook(folder, 'name = "am"\nconnector = "alertmanager"\nsecrets = ["file:secret"]')
    basic = base64.b64encode(b"anyone:from a file").decode()
    for given in (f"Basic {basic}", "Bearer from a file", "from a file"):
        assert found.unproven(b"{}", {"authorization": given}, NOW) == ""
    for given in ("Bearer from", "Basic from a file", ""):
        assert found.unproven(b"{}", {"authorization": given}, NOW) != ""
