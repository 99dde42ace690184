"""
Every item comes back from its bytes as it was.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.contract import kind_of
from graph.encoding import decode, encode, micros, moment
from graph.errors import InvalidValue
from graph.values import (
    Alert,
    AlertRule,
    Change,
    ChangeKind,
    Fact,
    FactKind,
    Fix,
    Incident,
    Item,
    ItemKind,
    Runbook,
    Section,
)

# Hypothesis takes the bounds without a zone and draws the zone.
_EARLIEST = datetime(1, 1, 2)  # noqa: DTZ001 - see above
_LATEST = datetime(9999, 12, 30)  # noqa: DTZ001 - see above
_ZONES = st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30))))
# The domain knows aware times only, and levels of headings.
st.register_type_strategy(datetime, st.datetimes(_EARLIEST, _LATEST, timezones=_ZONES))
st.register_type_strategy(Section, st.builds(Section, level=st.integers(1, 6)))


@pytest.mark.parametrize("kind", [Fact, Change, Incident, Runbook, AlertRule, Alert])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_an_item_comes_back_as_it_was(kind: type[Item], data: st.DataObject) -> None:
    item: Item = data.draw(st.from_type(kind))
    back = decode(kind_of(item), encode(item))
    assert back == item
    assert encode(back) == encode(item)


def test_equal_items_have_equal_bytes_whatever_the_order_and_the_zone() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    one = Change(id="1", kind=ChangeKind.DEPLOY, at=at, attributes={"a": "1", "b": "2"})
    other = replace(one, at=at.astimezone(timezone(timedelta(hours=2))), attributes={"b": "2", "a": "1"})
    assert encode(one) == encode(other)


def test_defaults_take_no_room() -> None:
    assert encode(Fact(kind=FactKind.ENTITY, subject="service:x")) == b'{"kind":"entity","subject":"service:x"}'


def test_times_keep_their_microseconds() -> None:
    at = datetime(2026, 1, 1, 2, 3, 4, 567891, tzinfo=UTC)
    assert moment(micros(at)) == at


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake that is tested
    with pytest.raises(InvalidValue, match="needs a zone"):
        encode(Change(id="1", kind=ChangeKind.DEPLOY, at=naive))


def test_half_a_character_is_refused_with_the_item_named() -> None:
    with pytest.raises(InvalidValue, match="INC-1"):
        encode(Incident(id="INC-1", title="\ud800"))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"no_such":1}', b'{"kind":"no such"}'])
def test_bytes_of_no_item_are_an_error(body: bytes) -> None:
    with pytest.raises(InvalidValue, match="cannot be read"):
        decode(ItemKind.FACT, body)


def test_a_nested_value_is_whole() -> None:
    incident = Incident(id="1", title="t", fixes=(Fix(action="wait", target="x", quote="q", worked=False),))  # type: ignore[arg-type]  # an enum by its value
    back = decode(ItemKind.INCIDENT, encode(incident))
    assert isinstance(back, Incident)
    assert back.fixes[0].worked is False
