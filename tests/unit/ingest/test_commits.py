"""
What messages, names, remotes and states say, and times as Go and C print them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest.commits import (
    deploys,
    is_bot,
    is_commit,
    is_merge,
    ranked,
    repository_path,
    reverted,
    rolls_back,
    takes_back,
)
from ingest.parsing import parse_time


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Deploy to prod", True), ("build-test-deploy", True), (".github/workflows/cd.yml", True), ("Rollout", True),
        ("promote-to-eu", True), ("CI/CD", False), ("ci-cd", False), ("unit tests", False), ("argocd-image", False),
        ("shipping", False), ("relationship", False),
    ],
)  # fmt: skip
def test_a_name_says_whether_it_deploys(name: str, says: bool) -> None:
    assert deploys(None, name) is says


def test_names_and_titles_say_what_is_taken_back() -> None:
    assert [rolls_back(one) for one in ("rollback-prod", "Roll back", "undo", "rollout", "reverting")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert [takes_back(one) for one in ('Revert "x"', "Rollback to 3", "Add revert button")] == [True, True, False]
    assert reverted("Revert\n\nThis reverts commit 0123abc.") == "0123abc"
    assert [is_merge(one) for one in ("Merge branch 'a'", "Merged in a (pull request #1)", "Merge sort")] == [
        True,
        True,
        False,
    ]
    assert [is_bot(one) for one in ("renovate[bot]", "deploy-bot", "Abbot")] == [True, True, False]
    assert [is_commit(one) for one in ("ab12", "0" * 40, None)] == [True, False, False]


@pytest.mark.parametrize(
    ("remote", "path"),
    [
        ("git@git.acme.example:shop/orders.git", "shop/orders"),
        ("https://user@git.acme.example:8443/shop/team/orders.git", "shop/team/orders"),
        ("ssh://git@git.acme.example:7999/scm/fin/ledger.git", "fin/ledger"),
        ("https://dev.azure.com/acme/shop/_git/billing", "acme/shop/billing"),
        ("https://charts.acme.example", None),
        ("oci://registry.acme.example/charts", None),
        ("", None),
    ],
)
def test_a_remote_names_its_repository(remote: str, path: str | None) -> None:
    assert repository_path(remote) == path


def test_later_states_of_one_moment_are_later() -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    order = (("queued",), ("running",), ("success", "failed"))
    found = [ranked(moment, state, order) for state in ("odd", "queued", "RUNNING", "failed")]
    assert found == [moment + timedelta(microseconds=place) for place in range(4)]
    assert ranked(None, "running", order) is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 14:43:05.5 +0000 UTC",
        "2026-03-02 15:43:05.500000000 +0100 CET",
        "2026-03-02 11:43:05.5 -0300 -03 m=+0.1",
    ],
)
def test_times_as_go_prints_them_are_read(text: str) -> None:
    assert parse_time(text) == datetime(2026, 3, 2, 14, 43, 5, 500000, tzinfo=UTC)


def test_times_as_c_prints_them_are_read() -> None:
    assert parse_time("Mon Mar  2 14:43:05 2026") == datetime(2026, 3, 2, 14, 43, 5, tzinfo=UTC)
