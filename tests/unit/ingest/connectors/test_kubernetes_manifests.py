"""
What manifests of Kubernetes declare.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Fact, FactKind
from ingest.connectors import connector
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import data
from tests.unit.ingest.connectors.reading import facts, read

NAME = "kubernetes_manifests"
SHOP, FINDER, EDGE = "service:storefront", "service:finder", "resource:edge"


def test_manifests_declare_services_names_owners_and_edges() -> None:
    assert facts(read(NAME, data(NAME), path="shop.yaml")) == {
        (FactKind.ENTITY, SHOP, ""),
        (FactKind.ALIAS, SHOP, "web"),
        (FactKind.OWNED_BY, SHOP, "team:web-team"),
        (FactKind.PART_OF, SHOP, "resource:shop"),
        (FactKind.RUNS_IN, SHOP, "environment:staging"),
        (FactKind.BUILT_FROM, SHOP, "repository:shop/storefront"),
        (FactKind.DEPENDS_ON, SHOP, "service:catalog"),
        (FactKind.DEPENDS_ON, SHOP, FINDER),
        (FactKind.ENTITY, FINDER, ""),
        (FactKind.RUNS_IN, FINDER, "environment:staging"),
        (FactKind.ALIAS, FINDER, "search-svc"),
        (FactKind.ENTITY, EDGE, ""),
        (FactKind.DEPENDS_ON, EDGE, FINDER),
        (FactKind.ALIAS, FINDER, "find.acme.example"),
        (FactKind.DEPENDS_ON, "service:crawler", FINDER),
    }


def test_an_edge_says_what_it_rests_on_and_a_declared_one_stands_before_a_permitted_one() -> None:
    edges = [
        one
        for one in read(NAME, data(NAME), path="shop.yaml")
        if isinstance(one, Fact) and one.kind is FactKind.DEPENDS_ON
    ]
    assert [(one.subject, one.object, dict(one.attributes)) for one in edges] == [
        (SHOP, "service:catalog", {"stated_as": "env", "source_kind": "declared", "env": "CATALOG_SERVICE_ADDR"}),
        (SHOP, FINDER, {"stated_as": "env", "source_kind": "declared", "env": "SEARCH_URL"}),
        (EDGE, FINDER, {"stated_as": "ingress", "source_kind": "declared"}),
        ("service:crawler", FINDER, {"stated_as": "networkpolicy", "source_kind": "permitted"}),
    ]


@pytest.mark.parametrize(
    ("name", "value", "target"),
    [
        ("REDIS_ADDR", "redis-cart:6379", "service:redis-cart"),
        ("DATABASE_URL", "postgres://app:pw@orders-db:5432/orders?sslmode=disable", "service:orders-db"),
        ("KAFKA_BROKERS", "kafka:9092,kafka:9093", "service:kafka"),
        ("API_HOST", "api.prod.svc", "service:api"),
        ("WEB_SERVER", "uvicorn", None),
        ("CACHE_HOST", "localhost", None),
        ("CACHE_HOST", "10.0.0.7", None),
        ("CACHE_URL", "$(CACHE):6379", None),
        ("HOME_URL", "https://acme.com/x", None),
        ("MODE", "api:80", None),
    ],
)
def test_a_variable_names_a_service_only_by_an_address_in_the_cluster(
    name: str, value: str, target: str | None
) -> None:
    pod = {"spec": {"containers": [{"name": "c", "image": "a:1", "env": [{"name": name, "value": value}]}]}}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": pod}}
    found = facts(read(NAME, orjson.dumps(body)))
    assert {one[2] for one in found if one[0] is FactKind.DEPENDS_ON} == ({target} if target else set())


def test_an_object_that_a_watch_saw_go_states_nothing_under_the_same_part() -> None:
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}, "spec": {}}
    split = connector(NAME).split
    (there,) = split(orjson.dumps(body), {"path": "m.json"})
    (gone,) = split(orjson.dumps({"type": "DELETED", "object": body}), {"path": "m.json"})
    assert there.part == gone.part == "m.json#Deployment/b/a"
    assert facts(read(NAME, orjson.dumps(body))) == {(FactKind.ENTITY, "service:a", "")}
    assert read(NAME, orjson.dumps({"type": "DELETED", "object": body})) == []


def test_an_owner_is_never_a_mail_address() -> None:
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {},
            "metadata": {"name": "a", "annotations": {"owner": "jo@acme.example", "acme.example/team": "blue"}}}  # fmt: skip
    assert (FactKind.OWNED_BY, "service:a", "team:blue") in facts(read(NAME, orjson.dumps(body)))


def test_what_has_no_kind_or_name_is_told() -> None:
    with pytest.raises(BadRecord, match="an object of Kubernetes has `apiVersion` and `kind`"):
        read(NAME, b'{"name": "a"}')
    with pytest.raises(BadRecord, match=r"`metadata\.name` is missing"):
        read(NAME, b'{"apiVersion": "v1", "kind": "Service", "metadata": {}}')


def test_real_objects_declare_what_they_hold(shared: Path) -> None:
    found = {}
    for path in sorted((shared / "samples/kubernetes").glob("*.yaml")):
        found[path.name] = facts(read(NAME, path.read_bytes(), path=path.name))
    guestbook = {(FactKind.ENTITY, "service:guestbook-ui", "")}
    assert found == {
        "deployment-degraded.yaml": guestbook,
        "deployment-progressing.yaml": guestbook,
        "deployment.yaml": {(FactKind.ENTITY, "service:hello-world", "")},
        "events.deployment-update.yaml": set(),
        "live-deployment.yaml": {(FactKind.ENTITY, "service:kustomize-guestbook-ui", "")},
        "pod.yaml": set(),
        "replicaset.new.yaml": set(),
        "replicaset.old.yaml": set(),
        "statefulset.yaml": {(FactKind.ENTITY, "service:redis-master", "")},
        "svc-clusterip.yaml": {(FactKind.ALIAS, "service:argocd-server", "argocd-metrics")},
    }
