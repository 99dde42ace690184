"""
Score.
"""

from __future__ import annotations

from pathlib import Path

from graph.values import FactKind
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edge, refused, sample

OWN = "service:doorbell"


def test_a_workload_needs_its_own_and_shared_resources() -> None:
    found = read("score", data("score.yaml"), path="score.yaml")
    assert facts(found) == {
        (FactKind.ENTITY, OWN, ""),
        (FactKind.OWNED_BY, OWN, "team:front-desk"),
        (FactKind.ENTITY, "resource:doorbell/db", ""),
        (FactKind.DEPENDS_ON, OWN, "resource:doorbell/db"),
        (FactKind.ENTITY, "resource:house-bus", ""),
        (FactKind.DEPENDS_ON, OWN, "resource:house-bus"),
        (FactKind.DEPENDS_ON, OWN, "service:chime"),
    }
    assert about(found, "resource:doorbell/db") == {"name": "db", "type": "postgres"}
    assert edge(found, OWN, "resource:house-bus") == {
        "stated_as": "resources.bus",
        "source_kind": "declared",
        "type": "kafka-topic",
    }


def test_another_file_is_refused() -> None:
    (problem,) = refused("score", b"apiVersion: v1\nmetadata: {name: a}\n", "score.yaml")
    assert problem.endswith("is no workload of Score: `apiVersion: score.dev/v1b1` and metadata.name are needed")


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/score"
    own = "service:example-workload-name123"
    assert facts(sample("score", folder / "score-full.yaml")) == {
        (FactKind.ENTITY, own, ""),
        (FactKind.ENTITY, "resource:example-workload-name123/resource-one1", ""),
        (FactKind.DEPENDS_ON, own, "resource:example-workload-name123/resource-one1"),
        (FactKind.ENTITY, "resource:example-workload-name123/resource-two2", ""),
        (FactKind.DEPENDS_ON, own, "resource:example-workload-name123/resource-two2"),
        (FactKind.ENTITY, "resource:shared-type-three", ""),
        (FactKind.DEPENDS_ON, own, "resource:shared-type-three"),
    }
    assert facts(sample("score", folder / "score-deprecated-files-and-volumes.yaml")) == {
        (FactKind.ENTITY, "service:deprecated-files-example", "")
    }
    assert len(list(folder.glob("*.yaml"))) == 2
