"""
OpenTelemetry's traces, and the graph that any traces make.
"""

from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.opening import open_store
from graph.values import FactKind, View
from ingest.connectors import connector, recognise
from ingest.connectors._traces import span_id
from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, names, refused, sample

DAY = "2026-03-02"


def test_edges_are_children_elsewhere_and_what_nobody_answered() -> None:
    found = read("otlp", data("otlp.json"))
    assert edges(found) == {
        ("service:web", "service:store-api"),
        ("service:web", "resource:api.payer.example"),
        ("service:store-api", "resource:items-db"),
        ("service:store-api", "resource:sold-items"),
        ("service:store-api", "service:mailer"),
        ("service:mailer", "resource:sold-items"),
    }
    assert edge(found, "service:web", "service:store-api") == {"source_kind": "observed", "last_seen": DAY}


def test_a_resource_says_what_and_where_a_service_is() -> None:
    found = read("otlp", data("otlp.json"))
    assert entities(found) == {
        "service:web",
        "service:store-api",
        "service:mailer",
        "resource:items-db",
        "resource:sold-items",
    }
    assert about(found, "service:web") == {"name": "Web", "namespace": "shop", "language": "nodejs"}
    assert names(found, "service:web") == {("shop/Web", "namespace"), ("web-blue", "kubernetes")}
    assert about(found, "resource:items-db") == {"type": "postgresql"}
    assert edge(found, "service:web", "environment:production", FactKind.RUNS_IN) == {"version": "2.3.1"}
    assert edges(found, FactKind.RUNS_IN) == {
        ("service:web", "environment:production"),
        ("service:store-api", "environment:production"),
    }


def test_no_address_of_a_request_is_kept() -> None:
    bodies = [piece.body for piece in connector("otlp").split(data("otlp.json"), {})]
    assert not [body for body in bodies if "guest" in body or "10.1.2.3" in body or "browser" in body]


def test_ids_are_one_in_every_writing() -> None:
    assert span_id("EEE19B7EC3C1B174") == span_id("eee19b7ec3c1b174") == span_id("7uGbfsPBsXQ=")
    assert span_id("00000000000000ab") == span_id("ab")
    assert span_id(None) == span_id("0000000000000000") == ""


def test_a_file_of_lines_is_one_graph_and_packed_too() -> None:
    whole = orjson.loads(data("otlp.json"))["resourceSpans"]
    lines = b"\n".join(orjson.dumps({"resourceSpans": [one]}) for one in whole)
    once = read("otlp", data("otlp.json"))
    assert facts(read("otlp", lines, path="traces.jsonl")) == facts(once)
    assert facts(read("otlp", gzip.compress(lines), path="traces.jsonl.gz")) == facts(once)
    (piece, *_) = connector("otlp").split(lines, {"path": "traces.jsonl"})
    assert piece.published_at == piece.occurred_at == datetime(2026, 3, 2, 14, 0, 0, 700000, UTC)


def test_a_line_that_is_none_leaves_the_others_alone() -> None:
    lines = b"{broken\n" + orjson.dumps(orjson.loads(data("otlp.json")))
    problems = refused("otlp", lines, "traces.jsonl")
    assert problems[0].startswith("line 1 of traces.jsonl is not JSON")
    assert set(problems[1:]) == {""}


def test_tempos_batches_are_read_alike() -> None:
    batches = orjson.loads(data("otlp.json"))["resourceSpans"]
    for answer in ({"batches": batches}, {"trace": {"batches": batches}}, {"trace": {"resourceSpans": batches}}):
        assert facts(read("otlp", orjson.dumps(answer))) == facts(read("otlp", data("otlp.json")))
        found = recognise(answer, {})
        assert found is not None
        assert found.name == "otlp"


def test_metrics_and_logs_are_refused() -> None:
    assert refused("otlp", b'{"resourceLogs": []}') == [
        "file.json has no `resourceSpans`; expected OTLP traces in JSON (not metrics, logs or protobuf)"
    ]
    assert refused("otlp", b'{"resourceSpans": []}') == []


def test_a_delivery_is_recognised() -> None:
    found = recognise(orjson.loads(data("otlp.json")), {})
    assert found is not None
    assert found.name == "otlp"


def shifted(minutes: int, *, only: int | None = None) -> bytes:
    """
    The same traces some minutes later, all of them or one resource alone.
    """
    body = orjson.loads(data("otlp.json"))
    if only is not None:
        body["resourceSpans"] = [body["resourceSpans"][only]]
    nanoseconds = minutes * 60 * 1_000_000_000
    for resource in body["resourceSpans"]:
        for scope in resource.get("scopeSpans", resource.get("instrumentationLibrarySpans")):
            for span in scope["spans"]:
                for key in ("startTimeUnixNano", "endTimeUnixNano"):
                    if key in span:
                        span[key] = str(int(span[key]) + nanoseconds)
    return orjson.dumps(body)


def stored(folder: Path, payloads: list[bytes]) -> list[tuple[str, str, str, dict[str, str]]]:
    """
    The graph after these deliveries.
    """
    store = open_store(f"sqlite:///{folder}")
    try:
        for payload in payloads:
            admit(store, Source(name="traces", connector="otlp"), payload, {})
            drain(store)
        found = [one.item for one in store.facts(View.now())]
    finally:
        store.close()
    return sorted((one.kind.value, one.subject, one.object, dict(one.attributes)) for one in found)


def test_traces_in_any_order_and_often_make_one_graph(tmp_path: Path) -> None:
    payloads = [shifted(minutes) for minutes in (0, 3, 90)] + [shifted(7, only=2)]
    graphs = []
    for number, seed in enumerate((1, 2, 3)):
        order = payloads * 2
        random.Random(seed).shuffle(order)
        graphs.append(stored(tmp_path / str(number), order))
    assert graphs[0] == graphs[1] == graphs[2]
    assert len([one for one in graphs[0] if one[0] == "depends_on"]) == 6


def test_of_two_days_the_later_is_told_apart() -> None:
    (one, other) = (
        {piece.part: piece for piece in connector("otlp").split(shifted(minutes), {})} for minutes in (0, 24 * 60)
    )
    part = "service:web -> service:store-api"
    assert one.keys() == other.keys()
    assert orjson.loads(other[part].body)["attributes"]["last_seen"] == "2026-03-03"
    assert all(one[name].occurred_at < other[name].occurred_at for name in one)  # type: ignore[operator]
    assert all(one[name].body != other[name].body for name in one)


def test_traces_of_one_day_make_no_new_version(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}")
    admit(store, Source(name="traces", connector="otlp"), shifted(0), {})
    drain(store)
    before = store.watermark()
    for minutes in (1, 2, 3):
        assert admit(store, Source(name="traces", connector="otlp"), shifted(minutes), {}).new == 0
        drain(store)
    assert store.watermark() == before
    store.close()


@pytest.mark.parametrize(
    ("name", "wanted", "calls"),
    [
        ("trace.json", {"service:my.service"}, set()),
        ("otlp2jaeger-in.json", {"service:telemetrygen"}, set()),
        (
            "two-services-trace.yaml",
            {"service:foo-server", "service:bar-requester"},
            {("service:foo-server", "service:bar-requester")},
        ),
    ],
)
def test_real_files(shared: Path, name: str, wanted: set[str], calls: set[tuple[str, str]]) -> None:
    found = sample("otlp", shared / "samples/otlp" / name)
    assert entities(found) == wanted
    assert edges(found) == calls
