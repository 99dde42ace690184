"""
Flux' events and objects.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, data, events, moment, sampled, settled

SHA = "abcd000000000000000000000000000000000001"


def test_a_reconciliation_is_one_change_from_progress_to_end_within_one_second() -> None:
    progress, done, _ = events("flux")
    assert settled("flux", [progress, done]) == [
        Change(
            id=f"flux:Kustomization/prod/search@{SHA}",
            kind=ChangeKind.DEPLOY,
            at=moment("2026-03-02 14:43:05"),
            ended_at=moment("2026-03-02 14:43:05"),
            title=f"Kustomization search: ReconciliationSucceeded (main@sha1:{SHA})",
            services=("service:search",),
            environment="prod",
            region="eu-west-1",
            revision=SHA,
            automated=True,
            status="succeeded",
            text="Reconciliation finished in 9s, next run in 5m0s",
            attributes={"namespace": "prod", "cluster": "eu-1", "ref": "main"},
        )
    ]


def test_a_rollback_of_helm_is_a_rollback() -> None:
    back = changes("flux", data("flux"))[2]
    assert (back.id, back.kind) == ("flux:HelmRelease/tools/mailer@1.3.0:rollback", ChangeKind.ROLLBACK)
    assert (back.environment, back.revision, back.attributes["app_version"]) == ("staging", "1.3.0", "9.1")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("GitRepository", "NewArtifact"), ("Kustomization", "DependencyNotReady"), ("HelmRelease", "TestSucceeded")],
)
def test_what_only_waits_looks_or_fetches_is_nothing(kind: str, reason: str) -> None:
    body = {"involvedObject": {"kind": kind, "name": "a", "namespace": "b"}, "severity": "info", "reason": reason,
            "timestamp": "2026-03-02T14:43:05Z", "message": "", "reportingController": "c"}  # fmt: skip
    assert changes("flux", orjson.dumps(body)) == []


def test_an_image_update_is_the_commit_that_it_pushed() -> None:
    body = {
        "involvedObject": {"kind": "ImageUpdateAutomation", "name": "all", "namespace": "flux-system"}, "severity": "info",
        "reason": "Succeeded", "timestamp": "2026-03-02T14:43:05Z", "reportingController": "image-automation-controller",
        "message": "pushed commit 'ab12cd3' to branch 'main'\nUpdate tags",
    }  # fmt: skip
    (found,) = changes("flux", orjson.dumps(body))
    assert (found.id, found.kind, found.automated) == ("ab12cd3", ChangeKind.CODE, True)


def test_the_history_of_a_helm_release_is_a_change_each() -> None:
    text = b"""apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: mailer, namespace: staging}
status:
  history:
  - {chartName: mailer, chartVersion: 1.4.0, appVersion: '9.2', version: 5, status: deployed, firstDeployed: '2026-03-02T14:43:05Z', lastDeployed: '2026-03-02T14:43:05Z'}
  - {chartName: mailer, chartVersion: 1.3.0, appVersion: '9.1', version: 4, status: superseded, firstDeployed: '2026-02-02T14:43:05Z', lastDeployed: '2026-02-02T14:43:05Z'}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
status: {lastAppliedRevision: main@sha1:ab}
"""
    found = changes("flux", text, path="flux.yaml")
    assert [(one.id, one.revision, one.previous, one.environment, one.status) for one in found] == [
        ("flux:HelmRelease/staging/mailer#5", "1.4.0", "1.3.0", "staging", "deployed"),
        ("flux:HelmRelease/staging/mailer#4", "1.3.0", None, "staging", "superseded"),
    ]


def test_other_objects_are_named() -> None:
    with pytest.raises(BadRecord, match="or one of its objects, not Pod; it is kept"):
        changes("flux", b'{"kind": "Pod", "metadata": {"name": "a"}}')


def test_events_and_the_controllers_header_are_recognised() -> None:
    assert [found.name for one in events("flux") if (found := recognise(one, {}))] == ["flux"] * 3
    assert recognise({"message": "x"}, {"gotk-component": "helm-controller"}) is not None


def test_real_events_state_what_they_hold(shared: Path) -> None:
    failed = ["flux:Kustomization/apps/webapp@731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"]
    assert sampled(shared, "flux") == {"event.doc.json": failed, "event.generic.json": failed}
    (found,) = changes("flux", (shared / "samples/flux/event.generic.json").read_bytes())
    assert (found.status, found.at, found.services) == ("failed", moment("2022-10-28 07:26:19"), ("service:webapp",))
