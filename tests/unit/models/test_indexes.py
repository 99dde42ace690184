"""
Both indexes find what they should, and nothing that a reader may not see or that was not yet known.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.searching import Row, Scope
from graph.values import ItemKind, View
from models import dense as dense_module
from models.dense import DenseIndex
from models.embedding import OnnxEmbedder
from models.errors import WeightsDamaged
from models.lexical import LexicalIndex, words
from models.parameters import WEIGHTS

DAY = datetime(2026, 5, 1, tzinfo=UTC)
NOW = View(as_of=DAY, known_at=DAY)


def row(
    number: int,
    text: str = "xylophone",
    *,
    labels: tuple[str, ...] = (),
    known_from: datetime | None = None,
    at: datetime | None = None,
) -> Row:
    return Row(
        statement=number, kind=ItemKind.INCIDENT, document=f"d{number}", facet="symptoms", text=text, record=f"r{number}",
        visibility=frozenset(labels), known_from=known_from, known_to=None, at=at,
    )  # fmt: skip


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder()


def test_vectors_have_length_one_and_do_not_depend_on_their_batch(embedder: OnnxEmbedder) -> None:
    texts = ["disk full", "the disk of the node is almost full, only 2 % are left " * 5, "", "ok"]
    together, alone = embedder.embed(texts), np.vstack([embedder.embed([text]) for text in texts])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    assert np.allclose(together, alone)


def test_like_is_nearer_than_unlike(embedder: OnnxEmbedder) -> None:
    asked, like, unlike = embedder.embed(
        ["connection pool exhausted", "no free database connections left", "button has the wrong colour"]
    )
    assert asked @ like > asked @ unlike + 0.2


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    for path in WEIGHTS.iterdir():
        shutil.copy(path, tmp_path)
    target = tmp_path / "all-MiniLM-L6-v2.int8.onnx"
    raw = bytearray(target.read_bytes())
    raw[len(raw) // 2] ^= 1
    target.write_bytes(raw)
    with pytest.raises(WeightsDamaged, match="published"):
        OnnxEmbedder(tmp_path)


@pytest.mark.parametrize("kind", ["dense", "lexical"])
def test_filters_apply_inside_the_search(kind: str, embedder: OnnxEmbedder) -> None:
    found = [
        row(1),
        row(2, labels=("secret",)),
        row(3, known_from=DAY + timedelta(days=1)),
        row(4, at=DAY),
        row(5, at=DAY - timedelta(days=1)),
    ]
    scopes = {
        "plain": (Scope(view=NOW), {1, 4, 5}),
        "cleared": (Scope(view=View(as_of=DAY, known_at=DAY, visibility=frozenset({"secret"}))), {1, 2, 4, 5}),
        "before": (Scope(view=NOW, before=DAY), {1, 5}),
        "hidden": (Scope(view=View(as_of=DAY, known_at=DAY, hidden=frozenset({"r1"}))), {4, 5}),
        "kind": (Scope(view=NOW, kinds=(ItemKind.RUNBOOK,)), set()),
    }
    for name, (scope, expected) in scopes.items():
        if kind == "dense":
            index = DenseIndex(embedder.dimension)
            index.add_vectors(found, embedder.embed([one.text for one in found]))
            hits = index.search_vector(embedder.embed_one("xylophone"), 10, scope)
        else:
            lexical = LexicalIndex()
            lexical.add(found)
            lexical.add([row(9, "other")])
            hits = lexical.search("Xylophone", 10, scope)
        assert {hit.statement for hit in hits} - {9} == expected, name


def test_closed_and_removed_rows_are_not_found() -> None:
    index = LexicalIndex()
    index.add([row(1, "pool exhausted"), row(2, "pool exhausted")])
    index.close_rows(1, DAY - timedelta(days=1))
    index.remove(2)
    assert index.search("pool", 5, Scope(view=NOW)) == ()


def test_compound_names_are_found_whole_and_in_parts() -> None:
    assert {"kubepodcrashloop", "kube", "pod", "crash", "loop"} <= set(words("KubePodCrashLooping"))
    index = LexicalIndex()
    index.add([row(1, "email-alert-api is slow"), row(2, "nothing to see")])
    for asked in ("email_alert_api", "EmailAlertApi", "alert api"):
        assert [hit.statement for hit in index.search(asked, 5, Scope(view=NOW))] == [1], asked


@given(st.text(max_size=80))
def test_any_text_is_a_legal_question(text: str) -> None:
    index = LexicalIndex()
    index.add([row(1, "pool exhausted")])
    index.search(text, 3, Scope(view=NOW))


@pytest.mark.parametrize(("kind", "least"), [("all rows", 0.999), ("lists", 0.95)])
def test_the_nearest_rows_are_those_of_exact_arithmetic(
    kind: str, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Rows come in two parts, the second with larger numbers than the first, and a filter leaves every third out.
    """
    monkeypatch.setattr(dense_module, "FLAT_UP_TO", 1000 if kind == "lists" else 10_000)
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(60, 64))
    vectors = (centres[rng.integers(60, size=4000)] + 0.35 * rng.normal(size=(4000, 64))).astype(np.float32)
    vectors[3000:, 0] *= 8
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given = [row(number, labels=() if number % 3 else ("secret",)) for number in range(4000)]
    index = DenseIndex(64)
    shares = []
    for end in (2000, 4000):
        index.add_vectors(given[end - 2000 : end], vectors[end - 2000 : end])
        for one in vectors[rng.integers(end, size=40)]:
            scores = np.where(np.arange(end) % 3 > 0, vectors[:end] @ one, -2)
            hits = index.search_vector(one, 10, Scope(view=NOW))
            wanted = np.sort(scores)[::-1][:10]
            assert [hit.score for hit in hits] == pytest.approx(sorted((hit.score for hit in hits), reverse=True))
            shares.append(np.mean([hit.score >= wanted[-1] - 1e-6 for hit in hits]))
            assert all(hit.score == pytest.approx(scores[hit.statement], abs=1e-5) for hit in hits)
    assert np.mean(shares) >= least


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["walrus", "ocelot", "disk full", "pool exhausted walrus"]), min_size=1, max_size=6))
def test_what_a_reader_may_not_see_does_not_weigh_in_his_scores(secrets: list[str]) -> None:
    public = [row(number, text) for number, text in enumerate(("walrus on fire", "ocelot pool", "disk of the ocelot"))]
    hidden = [row(100 + number, text, labels=("secret",)) for number, text in enumerate(secrets)]
    alone, beside = LexicalIndex(), LexicalIndex()
    alone.add(public)
    beside.add([*hidden, *public])
    for text in ("walrus pool", "ocelot", "disk full", "unheard of"):
        scope = Scope(view=NOW)
        assert beside.search(text, 5, scope) == alone.search(text, 5, scope)
        assert beside.most(text, NOW) == alone.most(text, NOW)
    seeing = View(as_of=DAY, known_at=DAY, visibility=frozenset({"secret"}))
    found = beside.search("walrus ocelot disk pool", 50, Scope(view=seeing))
    assert len(found) == len(public) + len(hidden)
