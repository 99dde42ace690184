"""
The audit's chain: whatever is done to it before the exported head is found.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import orjson
import pytest

from graph.errors import StoreUnavailable
from service.audit.chain import Act, Link, followed, head_of, linked, links_of
from service.audit.log import Audit
from service.audit.places import FILE, FilePlace

CHAIN = "c0ffee"
TRIALS = 10_000


def act(number: int) -> Act:
    at = datetime(2026, 11, 25, 12, 0, number % 60, number, tzinfo=UTC)
    what = {"path": f"/v1/services/{number}", "labels": ["legal"]}
    return Act(who=f"agent-{number % 7}", act="read", at=at, what=what)


def chain_of(acts: Sequence[Act], name: str = CHAIN) -> tuple[Link, list[bytes]]:
    link, lines = Link(name), []
    for one in acts:
        link, line = linked(link, one)
        lines.append(line)
    return link, lines


def forged(random: Random, lines: list[bytes], upto: int) -> list[bytes]:
    """
    The lines with one thing done to them before line `upto`; never the same lines.
    """
    found = list(lines)
    place, other = random.sample(range(upto), 2)
    way = random.choice(("byte", "field", "forge", "delete", "swap", "repeat", "insert", "cut", "move"))
    if way == "byte":
        line = bytearray(found[place])
        line[random.randrange(len(line))] ^= 1 << random.randrange(8)
        found[place] = bytes(line)
    elif way == "field":
        body = orjson.loads(found[place])
        body[random.choice(("who", "act", "at", "before", "chain", "hash"))] = "x"
        found[place] = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    elif way == "forge":
        # everything from here on is made anew, so that the chain is whole in itself
        acts = [act(number) for number in range(len(lines))]
        acts[place] = act(len(lines) + place)
        found = chain_of(acts)[1]
    elif way == "delete":
        del found[place : place + random.randrange(1, 4)]
    elif way == "swap":
        found[place], found[other] = found[other], found[place]
    elif way == "repeat":
        found.insert(place, found[other])
    elif way == "insert":
        found.insert(place, chain_of([act(500)])[1][0])
    elif way == "cut":
        found = found[:place]
    else:
        found.insert(other, found.pop(place))
    return found


def test_ten_thousand_edits_deletions_reorderings_and_cuts_before_the_head_are_all_found() -> None:
    random = Random(7)
    acts = [act(number) for number in range(60)]
    whole = chain_of(acts)[1]
    head = links_of(orjson.loads(orjson.dumps(head_of([chain_of(acts[:50])[0]]))))
    assert followed(CHAIN, whole, head) == (chain_of(acts)[0], None)
    missed = 0
    for _ in range(TRIALS):
        while (lines := forged(random, whole, 50)) == whole:
            pass
        missed += followed(CHAIN, lines, head)[1] is None
    assert missed == 0


def test_an_altered_head_is_none() -> None:
    head = head_of([Link(CHAIN, 5, "ab")])
    chains = {CHAIN: {"seq": 4, "hash": "ab"}}
    with pytest.raises(ValueError, match="no head of an audit"):
        links_of({**head, "chains": chains})


def test_processes_that_share_a_directory_share_one_chain(tmp_path: Path) -> None:
    audits = [Audit(FilePlace(tmp_path)) for _ in range(3)]

    def work(audit: Audit) -> None:
        for number in range(40):
            audit.record("agent", "tool", {"number": number})

    threads = [threading.Thread(target=work, args=(audit,)) for audit in audits for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    links, faults = audits[0].verified({})
    assert ([one.seq for one in links], faults) == ([240], [])
    for audit in audits:
        audit.close()


def test_what_is_recorded_together_shares_a_commit(tmp_path: Path) -> None:
    place = FilePlace(tmp_path)
    commits = []

    class Counting:
        def append(self, acts: Sequence[Act]) -> None:
            commits.append(len(acts))
            place.append(acts)

        def __getattr__(self, name: str) -> object:
            return getattr(place, name)

    audit = Audit(Counting())  # type: ignore[arg-type]  # what it lacks, it passes on
    for done in [audit.add("agent", "tool", {"number": number}) for number in range(500)]:
        done.result()
    audit.close()
    assert sum(commits) == 500
    assert len(commits) < 400


def test_a_half_written_line_is_cut_off_and_told(tmp_path: Path) -> None:
    audit = Audit(FilePlace(tmp_path))
    audit.record("agent", "tool", {})
    file = tmp_path / FILE
    with file.open("ab") as stream:
        stream.write(b'{"act":"to')
    assert audit.verified({})[1][0].says == "the line is no JSON"
    audit.record("agent", "tool", {})
    assert audit.verified({})[1] == []
    assert sorted(str(one["act"]) for one in audit.entries(9)) == ["repair", "tool", "tool"]
    audit.close()


def test_what_could_not_be_written_is_told_and_written_later(tmp_path: Path) -> None:
    folder = tmp_path / "away"
    audit = Audit(FilePlace(folder))
    with pytest.raises(StoreUnavailable, match=r"audit cannot be written.*No such file"):
        audit.record("agent", "read", {"number": 1})
    assert audit.problem
    folder.mkdir()
    audit.record("agent", "read", {"number": 2})
    assert audit.problem == ""
    assert [one["what"] for one in audit.entries(9)] == [{"number": 2}, {"number": 1}]
    audit.close()


def test_a_damaged_end_is_not_written_on(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"{}\n")
    audit = Audit(FilePlace(tmp_path))
    with pytest.raises(StoreUnavailable, match="its last line is damaged"):
        audit.record("agent", "read", {})
    audit.close()
