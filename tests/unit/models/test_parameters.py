"""
Shipped parameters leave out the organisation they are evaluated on.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import WeightsDamaged
from models.parameters import Lesson, load, save


def shipped(folder: Path) -> Path:
    lessons = [
        Lesson(name="acme", licence="MIT", n=3, digests=("a1", "a2")),
        Lesson(name="umbra", licence="Apache-2.0", n=5, digests=("u1",)),
    ]
    return save("ranker", {"lag": 1.5}, lessons, {"acme": {"lag": 1.0}, "umbra": {"lag": 2.0}}, {"ece": 0.02}, folder)


def test_an_unknown_organisation_gets_the_parameters_of_all(tmp_path: Path) -> None:
    shipped(tmp_path)
    parameters = load("ranker", without={"zz"}, folder=tmp_path)
    assert (parameters.number("lag"), parameters.seen) == (1.5, "")
    assert parameters.trained_on == ("acme", "umbra")


def test_one_known_file_is_enough_to_leave_its_organisation_out(tmp_path: Path) -> None:
    shipped(tmp_path)
    parameters = load("ranker", without={"zz", "a2"}, folder=tmp_path)
    assert (parameters.number("lag"), parameters.seen) == (1.0, "acme")
    assert parameters.trained_on == ("umbra",)


def test_a_lesson_without_its_leave_out_is_refused(tmp_path: Path) -> None:
    lesson = Lesson(name="acme", licence="MIT", n=3, digests=("a1",))
    with pytest.raises(ValueError, match="leave out"):
        save("ranker", {}, [lesson], {}, {}, tmp_path)


@pytest.mark.parametrize("text", ["", "{}", '{"parameters": {}, "trained_on": [{}]}', "\x00"])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "ranker.json").write_text(text, encoding="utf-8")
    with pytest.raises(WeightsDamaged, match=r"ranker\.json"):
        load("ranker", without={"x"}, folder=tmp_path)


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    save("ranker", {"lag": "soon"}, [], {}, {}, tmp_path)
    with pytest.raises(WeightsDamaged, match="lag"):
        load("ranker", folder=tmp_path).number("lag")
