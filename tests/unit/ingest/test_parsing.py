"""
Foreign text is read strictly and within bounds.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import BadRecord
from ingest.parsing import (
    anchor,
    end_of_day,
    load_json,
    load_yaml_documents,
    parse_end,
    parse_time,
    publication_of_day,
    text_of,
    unpack,
)

NOON = datetime(2026, 3, 2, 14, 43, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-02T14:43:05Z", "2026-03-02T14:43:05+00:00", "2026-03-02T15:43:05+0100", "2026-03-02 14:43:05 UTC",
        "2026-03-02T14:43:05.000000000Z", "2026-03-02T14:43:05.0000000Z", "2026-03-02 14:43:05", "3/2/2026 2:43:05 PM",
        "Mon Mar 02 14:43:05 UTC 2026", "Mon Mar  2 14:43:05 GMT 2026", "Mon, 02 Mar 2026 14:43:05 GMT",
        "Mon, 02 Mar 2026 15:43:05 +0100",
        1772462585, 1772462585000, 1772462585000000, 1772462585000000000, "1772462585", 1772462585.0,
    ],
)  # fmt: skip
def test_every_way_of_writing_a_moment_is_that_moment(written: object) -> None:
    assert parse_time(written) == NOON


def test_local_times_are_taken_in_their_zone() -> None:
    assert parse_time("2026-07-01T12:00", "Europe/London") == datetime(2026, 7, 1, 11, tzinfo=UTC)


def test_what_vendors_write_for_not_ended_is_no_time() -> None:
    assert parse_end("0001-01-01T00:00:00Z") is parse_end(-1) is parse_end("") is parse_end(None) is None


def test_a_publication_of_a_day_is_known_at_the_end_of_the_next() -> None:
    day = parse_time("2026-03-02")
    assert end_of_day(day) == datetime(2026, 3, 3, tzinfo=UTC)
    assert publication_of_day(day) == datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("written", ["soon", "", None, True, "2026-13-40", [], "Aug 30 at 11:15"])
def test_what_is_no_time_is_refused(written: object) -> None:
    with pytest.raises(BadRecord):
        parse_time(written)


def test_a_yaml_bomb_is_refused() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{n}: &{n} [*{p},*{p},*{p},*{p},*{p},*{p},*{p},*{p},*{p}]\n" for p, n in zip("abcdefg", "bcdefgh", strict=True)
    )
    with pytest.raises(BadRecord, match="aliases"):
        load_yaml_documents(bomb)


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system ['true']", "a: [", "x: &a [*a]", "[" * 80 + "]" * 80]
)
def test_dangerous_or_broken_yaml_is_refused(text: str) -> None:
    with pytest.raises(BadRecord):
        load_yaml_documents(text)


@pytest.mark.parametrize("text", ["NaN", '"\\ud800"', "[" * 70 + "]" * 70, '{"a": "\\u0000"}', "", "{]"])
def test_json_that_is_not_strict_is_refused(text: str) -> None:
    with pytest.raises(BadRecord):
        load_json(text)


def test_text_is_strict_utf_8_without_its_mark() -> None:
    assert text_of(b"\xef\xbb\xbfhello") == "hello"
    for raw in (b"\xff", b"a\0b"):
        with pytest.raises(BadRecord):
            text_of(raw)


def test_gzip_is_unpacked_and_damage_is_told() -> None:
    assert unpack(gzip.compress(b"x" * 1000)) == b"x" * 1000
    with pytest.raises(BadRecord, match="damaged"):
        unpack(gzip.compress(b"x" * 1000)[:-4])


def test_anchors_are_githubs() -> None:
    assert anchor("High 5xx Rate (v2)!") == "high-5xx-rate-v2"
    assert anchor("KubePodCrashLooping") == "kubepodcrashlooping"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (load_json, load_yaml_documents, parse_time):
        try:
            read(text)
        except BadRecord as error:
            assert str(error)
