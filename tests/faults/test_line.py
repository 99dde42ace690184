"""
The store on a server through a line that fails: quick to say so, quick to come back, and what was sent twice counts once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from graph.contract import Store, Yield
from graph.errors import StoreRefused, StoreUnavailable
from graph.neo4j.store import Neo4jStore
from graph.values import RecordState, Trust
from tests import server
from tests.contract.making import deploy, owned, record, state
from tests.faults.proxy import Proxy
from tests.faults.waiting import until

# the driver leaves sockets to the collector whose handshake failed
# the driver leaves lines that broke while they were opened to the collector, and stumbles over the half made
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning",
    "ignore:Exception ignored in. <function Bolt.__del__:pytest.PytestUnraisableExceptionWarning",
)

NOTICED = 5.0
"""Seconds within which a call on a line that says nothing fails: no sign of life comes, and a new connection neither."""
RECOVERED = 5.0
AT_ONCE = 0.05
STORY = 25


@pytest.fixture
def store(proxy: Proxy) -> Iterator[Store]:
    found = server.opened(proxy.url)
    state(found, record("r"), owned("x", "a"))
    yield found
    found.close()


def answers(store: Store) -> bool:
    try:
        return store.watermark() > 0
    except StoreUnavailable:
        return False


def refused_at_once(store: Store) -> bool:
    began = time.monotonic()
    return not answers(store) and time.monotonic() - began < AT_ONCE


FAULTS: dict[str, Callable[[Proxy], None]] = {
    "refused": Proxy.refuse,
    "half-open": Proxy.halt,
    "slow": lambda proxy: proxy.delay(4),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lost_line_is_noticed_then_refused_at_once_and_comes_back(proxy: Proxy, store: Store, fault: str) -> None:
    FAULTS[fault](proxy)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match=proxy.url):
        store.watermark()
    assert time.monotonic() - began < NOTICED
    until(lambda: refused_at_once(store), NOTICED)
    proxy.heal()
    until(lambda: answers(store), RECOVERED)


def test_calls_that_wait_on_a_silent_line_end_together(proxy: Proxy, store: Store) -> None:
    proxy.halt()
    ended: list[float] = []
    began = time.monotonic()

    def ask() -> None:
        assert not answers(store)
        ended.append(time.monotonic() - began)

    def tell() -> None:
        with pytest.raises(StoreUnavailable):
            store.append([record("s")])
        ended.append(time.monotonic() - began)

    threads = [threading.Thread(target=one) for one in [ask] * 20 + [tell] * 4]
    for one in threads:
        one.start()
    for one in threads:
        one.join(NOTICED)
    assert len(ended) == 24
    assert max(ended) < NOTICED


def test_a_reset_in_the_middle_is_not_even_seen(proxy: Proxy, store: Store) -> None:
    for _ in range(20):
        proxy.reset()
        assert store.watermark() == 1


def test_a_long_question_on_a_good_line_refuses_nobody(store: Store) -> None:
    assert isinstance(store, Neo4jStore)
    line = store._line
    slow = "UNWIND range(1, 4000) AS a UNWIND range(1, 4000) AS b RETURN sum(a * b % 7)"
    asked = threading.Thread(target=lambda: line.read(lambda transaction: transaction.run(slow, {}).values()))
    asked.start()
    while asked.is_alive():
        assert store.watermark() == 1
        asked.join(0.05)


def test_a_wrong_password_is_said_and_never_shown(proxy: Proxy) -> None:
    store = Neo4jStore(proxy.url, user="neo4j", password="marzipan")
    with pytest.raises(StoreRefused, match=f"check the user, the password.*{proxy.url}") as told:
        store.watermark()
    assert "marzipan" not in str(told.value)
    store.close()


def sent(deed: Callable[[], object]) -> None:
    """
    The deed, sent again until it is acknowledged, as senders do.
    """
    deadline = time.monotonic() + 10
    while True:
        try:
            deed()
            return
        except StoreUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def filled(store: Store, before: Callable[[], None]) -> object:
    """
    What the store holds after a fixed story, told line by line with something happening before each.
    """
    for number in range(STORY):
        given = record(f"r{number}", number, part=f"p{number % 5}")
        items = owned(f"s{number % 5}", f"t{number}"), deploy(f"d{number}", number, f"s{number % 5}")
        before()
        sent(partial(store.append, [given]))
        before()
        sent(partial(store.apply, [Yield(record=given.id, items=items, trust=Trust.DECLARED, snapshot=True)]))
    feed = [(one.op, one.statement_seq, one.statement) for one in store.changes_since(0, 10_000)]
    return feed, [(one.id, one.state) for one in store.records(limit=1000)]


def test_cut_anywhere_a_write_that_is_sent_again_counts_once(proxy: Proxy) -> None:
    calm = server.opened()
    expected = filled(calm, lambda: None)
    calm.close()
    server.empty()
    store = server.opened(proxy.url)
    draw = random.Random(11)
    found = filled(store, lambda: proxy.cut_after(draw.randrange(4000)))
    proxy.heal()
    assert proxy.cuts > STORY
    assert found == expected
    store.close()


def test_the_word_of_a_commit_gets_lost_and_the_receipt_still_comes(proxy: Proxy, store: Store) -> None:
    """
    The server's answer to each message of a write in turn is cut off, the last of them being the commit's.
    """
    for answer in range(4):
        name = f"lost-{answer}"
        proxy.cut_answer(answer)
        assert [one.record for one in store.append([record(name, part=name)])] == [name]
        assert [one.id for one in store.records([name])] == [name]
    assert len(store.records(limit=100)) == 5


def test_what_was_claimed_before_the_line_was_lost_is_claimed_again_at_once(proxy: Proxy, store: Store) -> None:
    store.append([record("s"), record("t")])
    assert [one.id for one in store.claim(10)] == ["s", "t"]
    proxy.refuse()
    with pytest.raises(StoreUnavailable):
        store.quarantine("s", "because")
    proxy.heal()
    until(lambda: answers(store), RECOVERED)
    other = server.opened()
    assert other.claim(10) == ()
    assert [one.id for one in store.claim(10)] == ["s", "t"]
    assert store.claim(10) == ()
    store.quarantine("s", "because")
    assert [one.state for one in store.records(["s"])] == [RecordState.QUARANTINED]
    other.close()
