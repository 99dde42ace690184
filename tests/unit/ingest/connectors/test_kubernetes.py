"""
Rollouts and events of Kubernetes as changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, data, moment, sampled, settled

IMAGE = "registry.acme.example:5000/shop/cart:2.7.1"
CART = Change(
    id="kubernetes:d-1:cart-6f",
    kind=ChangeKind.DEPLOY,
    at=moment("2026-03-02 14:43:05"),
    ended_at=moment("2026-03-02 14:44:00"),
    title=f"Roll out Deployment cart ({IMAGE})",
    services=("service:cart-api",),
    environment="prod",
    revision="2.7.1",
    actor="kubectl-client-side-apply",
    status="complete",
    text='ReplicaSet "cart-6f" has successfully progressed.',
    attributes={"namespace": "prod", "image": IMAGE, "rollout_revision": "3", "part_of": "shop"},
)


def objects() -> list[dict[str, Any]]:
    """
    Our own objects.
    """
    found: list[dict[str, Any]] = yaml.safe_load(data("kubernetes"))["items"]
    return found


def test_a_deployment_tells_when_its_template_was_written_and_when_it_was_done() -> None:
    assert changes("kubernetes", data("kubernetes"), path="kubernetes.yaml")[0] == CART


def test_a_replica_set_that_came_back_is_a_rollback_beside_its_first_rollout() -> None:
    first, back = changes("kubernetes", data("kubernetes"), path="kubernetes.yaml")[1:3]
    assert (first.id, first.kind, first.at) == (
        "kubernetes:d-2:quote-5c",
        ChangeKind.DEPLOY,
        moment("2026-02-20 08:00:00"),
    )
    assert (back.id, back.kind, back.at) == (
        "kubernetes:d-2:quote-5c:4",
        ChangeKind.ROLLBACK,
        moment("2026-03-02 15:00:00"),
    )
    assert (back.services, back.attributes["rollout_revision"]) == (("service:quote",), "4")
    assert back.revision == "sha256:" + "0" * 63 + "1"


def test_an_autoscaler_scales_and_is_nobody() -> None:
    (scaled,) = changes("kubernetes", data("kubernetes"), path="kubernetes.yaml")[3:]
    assert (scaled.kind, scaled.title, scaled.automated) == (ChangeKind.SCALING, "Autoscale cart to 9", True)


def test_event_replica_set_and_deployment_tell_one_change_in_any_order() -> None:
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "cart.2", "namespace": "prod", "uid": "e-2"},
        "involvedObject": {"kind": "Deployment", "name": "cart", "namespace": "prod", "uid": "d-1"}, "count": 1,
        "reason": "ScalingReplicaSet", "message": "Scaled up replica set cart-6f to 1 from 0",
        "firstTimestamp": None, "lastTimestamp": "2026-03-02T14:43:06Z", "source": {"component": "deployment-controller"},
    }  # fmt: skip
    replicas = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "cart-6f", "namespace": "prod", "uid": "r-9", "creationTimestamp": "2026-03-02T14:43:06Z",
                     "ownerReferences": [{"kind": "Deployment", "name": "cart", "uid": "d-1", "controller": True}]},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": IMAGE}]}}},
    }  # fmt: skip
    assert settled("kubernetes", [event, replicas, {"type": "MODIFIED", "object": objects()[0]}]) == [CART]


@pytest.mark.parametrize(
    "message",
    ["Scaled down replica set cart-6f to 0", "Scaled up replica set cart-6f to 5 from 3", "(combined) Scaled nothing"],
)
def test_scaling_within_a_rollout_is_not_another(message: str) -> None:
    event = {"kind": "Event", "apiVersion": "v1", "reason": "ScalingReplicaSet", "message": message,
             "involvedObject": {"kind": "Deployment", "name": "cart"}, "lastTimestamp": "2026-03-02T14:43:06Z"}  # fmt: skip
    assert changes("kubernetes", orjson.dumps(event)) == []


def test_what_no_cluster_runs_or_a_watch_saw_go_is_nothing() -> None:
    gone = {"type": "DELETED", "object": objects()[0]}
    declared = objects()[0]
    del declared["metadata"]["uid"], declared["status"]
    assert changes("kubernetes", orjson.dumps([gone, declared, {"type": "BOOKMARK", "object": {}}])) == []


def test_a_status_of_the_revision_before_does_not_tell_the_new_image() -> None:
    stale = objects()[0]
    stale["metadata"]["generation"] = 7
    (found,) = changes("kubernetes", orjson.dumps(stale))
    assert (found.id, found.revision, found.title) == (CART.id, None, "Roll out Deployment cart")


def test_a_controller_revision_is_the_rollout_of_its_set() -> None:
    text = b"""apiVersion: apps/v1
kind: ControllerRevision
metadata: {name: db-7b, namespace: prod, uid: c-1, creationTimestamp: '2026-03-02T14:43:05Z', ownerReferences: [{kind: StatefulSet, name: db, uid: s-1, controller: true}]}
revision: 4
data: {spec: {template: {spec: {containers: [{image: 'postgres:16.2'}]}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: prod, uid: s-1, generation: 9, creationTimestamp: '2026-01-01T00:00:00Z'}
spec: {replicas: 3, template: {spec: {containers: [{image: 'postgres:16.2'}]}}}
status: {updatedReplicas: 1, currentRevision: db-6a, updateRevision: db-7b}
"""
    made, running = changes("kubernetes", text, path="db.yaml")
    assert (made.id, made.at, made.revision) == ("kubernetes:s-1:db-7b", moment("2026-03-02 14:43:05"), "16.2")
    assert (running.id, running.status, running.ended_at) == ("kubernetes:s-1:db-7b", "progressing", None)


def test_a_daemon_set_and_its_revision_are_one_rollout() -> None:
    text = b"""apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: prod, uid: ds-1, generation: 5, annotations: {deprecated.daemonset.template.generation: '4'}, managedFields: [{manager: helm, operation: Update, time: '2026-03-02T14:43:05Z', fieldsV1: {'f:spec': {'f:template': {}}}}]}
spec: {template: {spec: {containers: [{image: 'agent:7'}]}}}
status: {desiredNumberScheduled: 3, updatedNumberScheduled: 3}
---
apiVersion: apps/v1
kind: ControllerRevision
metadata: {name: agent-7b, namespace: prod, uid: c-2, creationTimestamp: '2026-03-02T14:43:05Z', annotations: {deprecated.daemonset.template.generation: '4'}, ownerReferences: [{kind: DaemonSet, name: agent, uid: ds-1, controller: true}]}
revision: 4
"""
    running, made = changes("kubernetes", text, path="agent.yaml")
    assert running.id == made.id == "kubernetes:ds-1:4"
    assert (running.status, running.at, running.actor, running.automated) == (
        "complete", moment("2026-03-02 14:43:05"), "helm", False,
    )  # fmt: skip


def test_a_broken_document_leaves_the_others_alone() -> None:
    text = b"kind: [\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\nword\n"
    pieces = list(connector("kubernetes").split(text.replace(b"---\nword\n", b""), {"path": "all.yaml"}))
    assert [bool(piece.problem) for piece in pieces] == [True, False]
    assert orjson.loads(pieces[1].body) == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    assert "document 1 of all.yaml is not YAML" in pieces[0].problem


def test_a_broken_document_is_named_without_what_it_holds() -> None:
    """
    A name that is cut out of a text may hold half a secret, which no rule knows.
    """
    (broken, _) = connector("kubernetes").split(
        b"cert: [abc\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", {"path": "all.yaml"}
    )
    assert broken.problem
    assert "abc" not in broken.part


def test_what_is_no_object_says_how_to_export_one() -> None:
    with pytest.raises(BadRecord, match="export it with kubectl get -o yaml"):
        changes("kubernetes", b'{"name": "cart"}')


def test_objects_events_and_watches_are_recognised() -> None:
    for one in [objects()[0], objects()[2], {"type": "ADDED", "object": objects()[1]}]:
        found = recognise(one, {})
        assert found is not None
        assert found.name == "kubernetes"


def test_real_objects_state_what_they_hold(shared: Path) -> None:
    guestbook = "kubernetes:bb9af0c7-8a44-11e8-9e23-42010aa80010:guestbook-ui-75dd4d49d5"
    hello = "kubernetes:4ecf82fc-0f0a-44e0-9469-cebbb07f7a31:hello-world"
    assert sampled(shared, "kubernetes") == {
        "deployment-degraded.yaml": [guestbook],
        "deployment-progressing.yaml": [guestbook],
        "deployment.yaml": [f"{hello}-7ff854f459"],
        "events.deployment-update.yaml": [f"{hello}-6b9d85fbd6"],
        "live-deployment.yaml": ["kubernetes:ef253575-ce44-4c5e-84ad-16e81d0df6eb:kustomize-guestbook-ui-6549d54677"],
        "pod.yaml": [],
        "replicaset.new.yaml": [f"{hello}-7ff854f459"],
        "replicaset.old.yaml": [f"{hello}-6b9d85fbd6"],
        "statefulset.yaml": ["kubernetes:1f80ab97-8bf6-11e8-aff0-42010a8a0fc6:redis-master-7b8f75b98"],
        "svc-clusterip.yaml": [],
    }

    def one(name: str) -> Change:
        (found,) = changes("kubernetes", (shared / "samples/kubernetes" / name).read_bytes(), path=name)
        return found

    assert (one("deployment-degraded.yaml").status, one("deployment-progressing.yaml").status) == (
        "failed",
        "progressing",
    )
    assert one("events.deployment-update.yaml").at == moment("2020-11-27 12:04:05")
    assert one("deployment.yaml").at == moment("2020-11-25 10:48:13")
    assert one("replicaset.old.yaml").revision == "1.19.2-alpine"
    assert one("statefulset.yaml").at == moment("2018-07-20 08:23:04")
