"""
AWS X-Ray.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from ingest.connectors import recognise
from tests.unit.ingest.connectors.reading import read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, names, refused, sample


def test_clients_are_nobody_and_remotes_are_outside() -> None:
    found = read("xray", data("xray.json"))
    assert entities(found) == {"service:checkout", "service:pricing", "resource:baskets", "resource:api.payer.example"}
    assert edges(found) == {
        ("service:checkout", "resource:baskets"),
        ("service:checkout", "resource:api.payer.example"),
        ("service:checkout", "service:pricing"),
    }
    assert edge(found, "service:checkout", "resource:baskets") == {
        "source_kind": "observed",
        "last_seen": "2026-03-02",
        "samples": "10+",
    }
    assert about(found, "resource:baskets") == {"name": "baskets", "type": "AWS::DynamoDB::Table"}
    assert names(found, "service:checkout") == {("checkout.larkspur.test", "xray")}


def test_segments_show_calls_and_what_nobody_answered() -> None:
    found = read("xray", data("xray_traces.json"))
    assert edges(found) == {
        ("service:checkout", "service:pricing"),
        ("service:checkout", "resource:baskets"),
        ("service:checkout", "resource:orders-db.example.org"),
    }
    assert about(found, "resource:orders-db.example.org") == {"type": "PostgreSQL"}


def test_segments_as_they_are_sent_are_read_alike() -> None:
    texts = [one["Document"] for one in orjson.loads(data("xray_traces.json"))["Traces"][0]["Segments"]]
    whole = edges(read("xray", data("xray_traces.json")))
    assert edges(read("xray", orjson.dumps({"TraceSegmentDocuments": texts}))) == whole
    assert edges(read("xray", "\n".join(texts).encode(), path="segments.jsonl")) == whole


def test_a_segment_that_is_none_leaves_the_others_alone() -> None:
    body = orjson.loads(data("xray_traces.json"))
    body["Traces"][0]["Segments"].append({"Id": "s3", "Document": "{broken"})
    problems = refused("xray", orjson.dumps(body), "t.json")
    assert problems[0].startswith("segment s3 of t.json is not JSON")
    assert set(problems[1:]) == {""}


def test_its_own_answers_are_recognised_and_others_refused() -> None:
    for name in ("xray.json", "xray_traces.json"):
        found = recognise(orjson.loads(data(name)), {})
        assert found is not None
        assert found.name == "xray"
    assert refused("xray", b"{}") == ["file.json has neither `Services` nor `Traces`; expected an answer of X-Ray"]


def test_the_real_files_edge_leads_nowhere(shared: Path) -> None:
    found = sample("xray", shared / "samples/xray/get-service-graph.json")
    assert (entities(found), edges(found)) == ({"service:scorekeep"}, set())
    assert about(found, "service:scorekeep") == {"name": "Scorekeep", "type": "AWS::ElasticBeanstalk::Environment"}
