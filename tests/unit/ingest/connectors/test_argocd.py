"""
Argo CD's Applications and notifications, and Rollouts.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, data, ids, moment, sampled, settled

UID = "11111111-2222-3333-4444-555555555555"
BACK = Change(
    id=f"argocd:{UID}@2026-03-02T14:43:05Z",
    kind=ChangeKind.ROLLBACK,
    at=moment("2026-03-02 14:43:05"),
    ended_at=moment("2026-03-02 14:43:15"),
    title="Roll back pricing to aaaa000000000000000000000000000000000001",
    services=("service:pricing",),
    repository="repository:shop/pricing-config",
    environment="production",
    revision="aaaa000000000000000000000000000000000001",
    previous="bbbb000000000000000000000000000000000002",
    actor="ivy",
    status="succeeded",
    text="successfully synced (all tasks run)",
    reverts=f"argocd:{UID}@2026-03-02T14:30:00Z",
    attributes={
        "project": "shop",
        "cluster": "eu-1",
        "namespace": "pricing",
        "path": "overlays/prod",
        "images": "registry.acme.example/pricing:7.1",
    },
)


def application() -> dict[str, Any]:
    """
    Our own Application, as the API gives it.
    """
    (one,) = yaml.safe_load(data("argocd"))["items"]
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **one}


def test_each_sync_is_a_change_and_one_back_to_an_old_revision_a_rollback() -> None:
    found = changes("argocd", data("argocd"))
    assert ids(found[:2]) == [f"argocd:{UID}@2026-03-01T09:00:00Z", f"argocd:{UID}@2026-03-02T14:30:00Z"]
    assert (found[1].kind, found[1].previous) == (ChangeKind.DEPLOY, "aaaa000000000000000000000000000000000001")
    assert found[2:] == [BACK]


def test_a_running_sync_becomes_its_end_and_a_later_reading_keeps_who_began_it() -> None:
    after, before = application(), application()
    before["status"]["history"] = before["status"]["history"][:2]
    before["status"]["operationState"] |= {"phase": "Running", "finishedAt": None}
    later = application()
    later["status"]["history"] = [
        *later["status"]["history"][1:],
        {"id": 4, "revision": "cccc", "deployStartedAt": "2026-03-03T09:00:00Z", "deployedAt": "2026-03-03T09:00:05Z"},
    ]
    later["status"]["operationState"] = {"phase": "Succeeded", "startedAt": "2026-03-03T09:00:00Z",
                                         "finishedAt": "2026-03-03T09:00:05Z", "operation": {"initiatedBy": {"automated": True}}}  # fmt: skip
    watched = {"type": "MODIFIED", "object": later}
    found = {one.id: one for one in settled("argocd", [before, after, watched])}
    assert found[BACK.id] == BACK
    assert found[f"argocd:{UID}@2026-03-03T09:00:00Z"].automated is True
    assert len(found) == 4


def test_a_failed_sync_is_told_and_a_dry_run_is_not() -> None:
    one = application()
    one["status"] |= {"history": [], "operationState": {"phase": "Failed", "message": "one or more objects failed",
        "startedAt": "2026-03-02T14:43:05Z", "finishedAt": "2026-03-02T14:43:09Z", "operation": {"sync": {"revisions": ["1.2.0", "ab"]}}}}  # fmt: skip
    (found,) = changes("argocd", orjson.dumps(one))
    assert (found.status, found.revision, found.attributes["revisions"]) == ("failed", "1.2.0", "ab")
    one["status"]["operationState"]["operation"]["sync"]["dryRun"] = True
    assert changes("argocd", orjson.dumps(one)) == []


def test_our_own_notification_links_to_the_application() -> None:
    body = {"template": "precedent.argocd/1", "argocdUrl": "https://cd.acme.example/", "application": application()}
    found = changes("argocd", orjson.dumps(body))
    assert [one.url for one in found] == ["https://cd.acme.example/applications/pricing"] * 3
    assert [one.id for one in found][-1] == BACK.id
    recognised = recognise(body, {})
    assert recognised is not None
    assert recognised.name == "argocd"


def test_somebody_elses_template_is_not_guessed() -> None:
    with pytest.raises(BadRecord, match="Send the notification with the template of docs/how-to/argo-cd"):
        changes("argocd", b'{"text": "pricing is synced"}')


def test_an_application_that_never_synced_is_nothing() -> None:
    one = deepcopy(application())
    del one["status"]
    assert changes("argocd", orjson.dumps(one)) == []


def test_real_objects_state_what_they_hold(shared: Path) -> None:
    found = sampled(shared, "argocd")
    started = ["04T22:00:05", "04T22:08:29", "04T22:09:16", "04T22:11:41", "04T22:50:55", "04T22:52:56", "04T22:56:15",
               "05T07:31:56", "05T07:32:44", "05T07:33:03"]  # fmt: skip
    assert found.pop("application.full-status.yaml") == [
        f"argocd:94978696-4fd4-40b3-a1de-38d9df9e9316@2024-03-{start}Z" for start in started
    ]
    refused = found.pop("notifications.trigger.on-deployed.yaml")
    assert isinstance(refused, str)
    assert "not an object without `kind`; it is kept" in refused
    assert found == {
        "application.child.yaml": [],
        "notifications.configmap.yaml": [],
        "rollout.aborted.yaml": ["argocd:rollout:201161e2-c761-4e52-91a1-d4872be9ead4:2"],
        "rollout.healthy.yaml": ["argocd:rollout:a5047899-8288-43c2-95d7-a8e0a8b45ed6:2"],
    }
    folder = shared / "samples/argocd"
    last = changes("argocd", (folder / "application.full-status.yaml").read_bytes())[-1]
    assert (last.actor, last.services, last.status) == ("foo@example.com", ("service:velero-test",), "succeeded")
    (aborted,) = changes("argocd", (folder / "rollout.aborted.yaml").read_bytes())
    assert (aborted.status, aborted.revision, aborted.ended_at) == (
        "aborted",
        "1.18-alpine",
        moment("2020-11-13 08:25:53"),
    )
    (healthy,) = changes("argocd", (folder / "rollout.healthy.yaml").read_bytes())
    assert (healthy.status, healthy.ended_at) == ("healthy", moment("2020-11-06 09:13:09"))


@pytest.mark.parametrize(
    ("name", "namespace", "cluster", "expected"),
    [
        ("checkout", "checkout-prod", "eu-1", "prod"),
        ("checkout-staging", "checkout", "eu-1", "staging"),
        ("checkout", "checkout", "prod-eu1", "prod"),
        ("staging-checkout", "checkout-prod", "eu-1", "prod"),
        ("producer", "latest", "eu-1", None),
    ],
)
def test_the_environment_is_a_word_of_the_destination_or_the_name(
    name: str, namespace: str, cluster: str, expected: str | None
) -> None:
    one = deepcopy(application())
    one["metadata"] = {"name": name, "namespace": "argocd", "uid": UID}
    one["spec"]["destination"] = {"name": cluster, "namespace": namespace}
    one["spec"]["project"] = "shop"
    for place in (one["spec"], *one["status"]["history"]):
        place["source"] = {"repoURL": "https://git.acme.example/shop/config", "path": "overlays/x"}
    found = changes("argocd", orjson.dumps(one))
    assert {change.environment for change in found[:1]} == {expected}
