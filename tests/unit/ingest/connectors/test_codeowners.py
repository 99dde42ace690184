"""
CODEOWNERS of GitHub and GitLab.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Fact
from ingest.connectors.codeowners import matches, owner_id, owners_of, rules
from tests.unit.ingest.connectors.reading import read
from tests.unit.ingest.connectors.stating import data


def owners(name: str, path: str) -> tuple[str, ...]:
    """
    Who owns a path by a file of ours.
    """
    return owners_of(path, list(rules(data(name).decode())))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("README", ("@larkspur/hall",)),
        ("docs/guide.md", ("@larkspur/words",)),
        ("docs/deep/guide.md", ("@larkspur/hall",)),
        ("other/docs/guide.md", ("@larkspur/hall",)),
        ("src/a/b.go", ("@ann", "ben@larkspur.test")),
        ("src/gen/b.go", ()),
        ("apps/lift/door.ts", ("@larkspur/lifts",)),
        ("old/apps/lift/door.ts", ("@larkspur/hall",)),
    ],
)
def test_on_github_the_last_matching_line_wins(path: str, wanted: tuple[str, ...]) -> None:
    assert owners("CODEOWNERS.github", path) == wanted


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("README", ("@larkspur/hall", "@larkspur/area/tables")),
        ("docs/public.md", ()),
        ("docs/private.md", ()),
        ("a/b.rs", ("@larkspur/hall", "@larkspur/area/tables", "@larkspur/area/stoves")),
        ("deep/config/oven.toml", ("@larkspur/hall", "@larkspur/area/tables", "@@maintainer")),
        ("tools/x.rs", ("@larkspur/hall", "@larkspur/area/tables", "ben@larkspur.test")),
        ("#odd name", ("@larkspur/hall", "@larkspur/area/tables", "@ann")),
    ],
)
def test_on_gitlab_every_section_applies_and_an_exclusion_is_final(path: str, wanted: tuple[str, ...]) -> None:
    assert owners("CODEOWNERS.gitlab", path) == wanted


def test_a_folder_without_a_slash_is_a_file_on_gitlab_alone() -> None:
    assert matches("/docs", "docs/a.md")
    assert not matches("/docs", "docs/a.md", gitlab=True)
    assert matches("/docs/", "docs/a/b.md", gitlab=True)
    assert matches("/db/*migrate/", "db/post_migrate/a.rb", gitlab=True)


def test_a_pattern_with_a_bracket_is_no_section() -> None:
    (rule,) = rules("[abc]*.txt @ann\n")
    assert (rule.pattern, rule.owners, rule.section, rule.gitlab) == ("[abc]*.txt", ("@ann",), "", False)


def test_owners_are_teams_persons_or_roles() -> None:
    assert owner_id("@larkspur/Hall") == "team:hall"
    assert owner_id("@larkspur/area/tables") == "team:area/tables"
    assert owner_id("@Ann") == "person:ann"
    assert owner_id("ben@larkspur.test") == "person:ben"
    assert owner_id("@@maintainer") == ""


def test_a_line_is_a_fact_of_the_repository_with_its_pattern() -> None:
    found = read("codeowners", data("CODEOWNERS.gitlab"), path=".gitlab/CODEOWNERS", repository="larkspur/house")
    stated = [one for one in found if isinstance(one, Fact)]
    assert {one.subject for one in stated} == {"repository:larkspur/house"}
    assert [(one.object, one.attributes) for one in stated if one.attributes["line"] in ("2", "6", "10")] == [
        ("", {"pattern": "/docs/", "line": "2", "dialect": "gitlab", "excludes": "true", "as": ""}),
        (
            "team:area/stoves",
            {"pattern": "*.rs", "line": "6", "section": "Backend", "dialect": "gitlab", "as": "@larkspur/area/stoves"},
        ),
        (
            "person:ben",
            {
                "pattern": "/tools/",
                "line": "10",
                "section": "backend",
                "optional": "true",
                "dialect": "gitlab",
                "as": "ben@larkspur.test",
            },
        ),
    ]


@pytest.mark.parametrize(
    ("name", "path", "wanted"),
    [
        ("argo-cd.github", "docs/a/b.md", ("@argoproj/argocd-approvers", "@argoproj/argocd-approvers-docs")),
        ("argo-cd.github", "hack/gen-docs/x.go", ("@argoproj/argocd-approvers",)),
        ("argo-cd.github", "test/Dockerfile.dev", ("@argoproj/argocd-approvers", "@argoproj/argocd-approvers-ci")),
        ("grafana-oncall.github", "grafana-plugin/src/a.ts", ("@grafana/grafana-irm-frontend",)),
        ("grafana-oncall.github", "docs/make-docs", ("@jdbaldry",)),
        ("ocean.github", "integrations/custom/main.py", ("@port-labs/lighthouse-team",)),
        ("ocean.github", "integrations/aws/CHANGELOG.md", ("@port-labs/connect-team", "@port-labs/lighthouse-team")),
        ("otel-demo.github", "src/cart/a.cs", ("@open-telemetry/demo-approvers",)),
        ("gitlab.gitlab", "doc/user/a.md", ()),
        ("gitlab.gitlab", "ee/lib/gitlab/code_owners/a.txt", (
            "@gitlab-org/maintainers/rails-backend", "@gitlab-org/maintainers/frontend", "@gitlab-org/maintainers/database",
            "@gl-dx/maintainers", "@gl-dx/tooling-maintainers", "@gitlab-org/delivery", "@gitlab-org/maintainers/cicd-templates",
            "@gitlab-org/tw-leadership", "@gitlab-org/maintainers/kas-version-maintainers",
            "@reprazent", "@kerrizor", "@garyh", "@jwoodwardgl",
        )),
        ("gitlab.gitlab", "scripts/a/b.rb", (
            "@gitlab-org/maintainers/rails-backend", "@gitlab-org/maintainers/frontend", "@gitlab-org/maintainers/database",
            "@gl-dx/maintainers", "@gl-dx/tooling-maintainers", "@gitlab-org/delivery", "@gitlab-org/maintainers/cicd-templates",
            "@gitlab-org/tw-leadership", "@gitlab-org/maintainers/kas-version-maintainers",
        )),
    ],
)  # fmt: skip
def test_real_files(shared: Path, name: str, path: str, wanted: tuple[str, ...]) -> None:
    text = (shared / f"samples/codeowners/{name}.CODEOWNERS.txt").read_text()
    assert owners_of(path, list(rules(text))) == wanted
