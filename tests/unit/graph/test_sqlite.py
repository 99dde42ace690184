"""
What the embedded store alone promises: one writer, checked pages, versions, bytes that are gone.
"""

from __future__ import annotations

import random
import threading
from pathlib import Path

import apsw
import pytest

from graph import errors
from graph.encoding import micros
from graph.errors import (
    DiskFull,
    InvalidValue,
    NotFound,
    StoreDamaged,
    StoreLocked,
    StoreTooNew,
    StoreUnavailable,
)
from graph.opening import open_store, restore_store
from graph.sqlite import connecting
from graph.sqlite.connecting import connect, newest_schema, require_version
from graph.sqlite.failures import TRANSLATIONS, translated
from graph.sqlite.queries import queries
from graph.sqlite.store import SqliteStore
from graph.values import Incident, SectionKind
from tests.contract.making import day, deploy, owned, owners, record, state, tallied, view

OURS_TO_MEND = {
    apsw.BindingsError,
    apsw.ConnectionNotClosedError,
    apsw.ConstraintError,
    apsw.EmptyError,
    apsw.ExecTraceAbort,
    apsw.ExecutionCompleteError,
    apsw.ForkingViolationError,
    apsw.IncompleteExecutionError,
    apsw.InternalError,
    apsw.InvalidContextError,
    apsw.MisuseError,
    apsw.NoFTS5Error,
    apsw.NotFoundError,
    apsw.SQLError,
    apsw.SchemaChangeError,
    apsw.ThreadingViolationError,
    apsw.VFSNotImplementedError,
}
"""Errors of the driver that a user can do nothing about: they are mistakes of ours and stay visible as such."""


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}"


def test_every_error_of_the_driver_is_translated_or_known_as_ours() -> None:
    theirs = {one for one in vars(apsw).values() if isinstance(one, type) and issubclass(one, apsw.Error)}
    assert theirs - {apsw.Error} == set(TRANSLATIONS) | OURS_TO_MEND


@pytest.mark.parametrize(("theirs", "ours"), TRANSLATIONS.items())
def test_a_driver_error_becomes_ours_and_names_the_store(
    theirs: type[apsw.Error], ours: type[errors.GraphError]
) -> None:
    with pytest.raises(ours, match="/srv/data"), translated("/srv/data"):
        raise theirs("details")


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    first = open_store(_url(tmp_path))
    with pytest.raises(StoreLocked, match=r"process \d+"):
        open_store(_url(tmp_path))
    first.close()
    open_store(_url(tmp_path)).close()


def test_a_reader_beside_the_writer_sees_what_is_committed(tmp_path: Path) -> None:
    writer = open_store(_url(tmp_path))
    reader = open_store(_url(tmp_path), read_only=True)
    state(writer, record("r"), owned("x", "a"))
    assert owners(reader, view(1)) == ["a"]
    with pytest.raises(StoreUnavailable, match="read only"):
        reader.append([record("s")])
    reader.close()
    writer.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        writer.facts(view(1))


def test_a_store_left_by_its_writer_can_be_read(tmp_path: Path) -> None:
    writer = open_store(_url(tmp_path))
    state(writer, record("r"), owned("x", "a"))
    writer.close()
    reader = open_store(_url(tmp_path), read_only=True)
    assert owners(reader, view(1)) == ["a"]
    reader.close()


def test_claims_of_a_dead_writer_are_free_again(tmp_path: Path) -> None:
    store = open_store(_url(tmp_path))
    store.append([record("r")])
    store.claim(1)
    store.close()
    store = open_store(_url(tmp_path))
    assert [one.id for one in store.claim(1)] == ["r"]
    store.close()


def test_nothing_is_read_where_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no store in this directory"):
        open_store(_url(tmp_path / "none"), read_only=True)
    with pytest.raises(InvalidValue, match="sqlite:///"):
        open_store("postgres://x")


def test_a_directory_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        open_store(_url(tmp_path / "file" / "store"))


@pytest.mark.parametrize("version", ["3.51.2", "3.40.1"])
def test_a_sqlite_that_can_damage_the_file_is_refused(version: str) -> None:
    with pytest.raises(StoreUnavailable, match=version):
        require_version(version)
    require_version("3.51.3")


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_a_newer_version_is_refused(tmp_path: Path, read_only: bool) -> None:
    open_store(_url(tmp_path)).close()
    connection = connect(tmp_path / "precedent.db", write=True)
    connection.pragma("user_version", newest_schema() + 1)
    connection.close()
    with pytest.raises(StoreTooNew, match="install the version"):
        open_store(_url(tmp_path), read_only=read_only)


def test_a_store_of_an_older_version_keeps_its_records_and_counts_them(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = connect(tmp_path / "old" / "precedent.db", write=True)
    steps = sorted((Path(connecting.__file__).parent / "migrations").glob("*.sql"))
    for step in steps[:2]:
        old.execute(step.read_text())
    old.pragma("user_version", 2)
    old.execute("insert into label_sets (labels) values ('[]')")
    for number, what in enumerate(("applied", "applied", "pending", "retracted"), 1):
        values = (f"r{number}", f"s{number // 4}", micros(day(number)), micros(day(number)), what)
        old.execute(
            "insert into records (id, source, connector, part, body, digest, received_at, known_at, meta, visibility, state,"
            " reason) values (?, ?, 'test', 'p', '', '', ?, ?, '{}', 1, ?, '')",
            values,
        )
    old.close()
    store = open_store(_url(tmp_path / "old"))
    found = store.records()
    assert [(one.id, one.occurred_at) for one in found] == [(f"r{number}", None) for number in range(1, 5)]
    assert store.tally() == tallied(found)
    store.close()


def test_every_query_has_a_purpose_and_is_used() -> None:
    sources = "".join(path.read_text() for path in Path("graph/sqlite").glob("*.py"))
    for name, text in queries().items():
        assert text.startswith("-- "), name
        assert f'"{name}"' in sources, f"{name} is never used"


def test_flipped_bits_are_errors_and_never_answers(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = open_store(_url(folder))
    state(store, record("r"), *(deploy(str(one), one, "x", title="t" * 200) for one in range(300)))
    whole = store.changes(view(9))
    store.close()
    path = folder / "precedent.db"
    clean = path.read_bytes()
    draw = random.Random(7)
    seen = 0
    for _ in range(60):
        dirty = bytearray(clean)
        dirty[draw.randrange(len(clean))] ^= 1 << draw.randrange(8)
        path.write_bytes(dirty)
        try:
            reader = open_store(_url(folder), read_only=True)
            assert reader.changes(view(9)) == whole
            reader.backup(tmp_path / f"copy{seen}-{_}")
            reader.close()
        except (StoreUnavailable, NotFound):
            seen += 1
    assert seen == 60


def test_erasure_leaves_no_byte_in_any_file(tmp_path: Path) -> None:
    store = open_store(_url(tmp_path))
    needle = "marzipan-hedgehog"
    incident = Incident(
        id=f"{needle}-1",
        title=needle,
        services=(f"service:{needle}",),
        sections={SectionKind.CAUSE: f"{needle} " * 900},
    )
    for number in range(40):
        state(
            store, record(f"r{number}", number, part=str(number)), owned(f"x{number}", "a"), deploy(str(number), 1, "x")
        )
    state(store, record(f"{needle}-record", 5, source=needle, part=f"{needle}.md"), incident, owned(needle, needle))
    store.keep("vectors:m", [(needle, needle.encode() * 300)], [f"{needle}-record"])
    assert any(needle.encode() in path.read_bytes() for path in tmp_path.iterdir())
    store.erase(f"{needle}-record")
    assert [path.name for path in tmp_path.iterdir() if needle.encode() in path.read_bytes()] == []
    assert len(store.facts(view(99))) == 40
    store.close()
    assert [path.name for path in tmp_path.iterdir() if needle.encode() in path.read_bytes()] == []


def test_erasure_waits_for_no_reader_and_says_what_is_left_in_the_log(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    state(store, record("r"), owned("x", "a"))
    state(store, record("marzipan", part="marzipan"), owned("y", "a"))
    assert store._writer is not None
    store._writer.set_busy_timeout(1)
    reader = connect(tmp_path / "precedent.db", write=False)
    reader.execute("begin")
    reader.execute("select count(*) from records").fetchall()
    with pytest.raises(StoreUnavailable, match="until the next write"):
        store.erase("marzipan")
    assert store.records(["marzipan"]) == ()
    reader.close()
    store.append([record("s")])
    assert not any(b"marzipan" in path.read_bytes() for path in tmp_path.iterdir())
    store.close()


def test_a_file_without_its_schema_is_not_read(tmp_path: Path) -> None:
    connect(tmp_path / "precedent.db", write=True).close()
    with pytest.raises(StoreUnavailable, match="older version"):
        open_store(_url(tmp_path), read_only=True)
    open_store(_url(tmp_path)).close()
    assert open_store(_url(tmp_path), read_only=True).watermark() == 0


def test_a_backup_taken_while_others_write_is_whole_and_restores(tmp_path: Path) -> None:
    store = open_store(_url(tmp_path / "store"))
    state(store, record("first"), owned("first", "a"))
    started, stop = threading.Event(), threading.Event()

    def write() -> None:
        for number in range(400):
            state(store, record(f"r{number}"), owned(f"x{number}", "a"))
            started.set()
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    started.wait()
    store.backup(tmp_path / "copy")
    stop.set()
    writer.join()
    restore_store(_url(tmp_path / "restored"), tmp_path / "copy")
    restored = open_store(_url(tmp_path / "restored"))
    copied = restored.changes_since(0, 10_000)
    assert copied == store.changes_since(0, 10_000)[: len(copied)]
    assert len(copied) >= 1
    with pytest.raises(InvalidValue, match="empty one"):
        restore_store(_url(tmp_path / "restored"), tmp_path / "copy")
    restored.close()
    store.close()


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    store = open_store(_url(tmp_path / "store"))
    state(store, record("r"), *(deploy(str(one), one, "x", title="t" * 500) for one in range(100)))
    store.backup(tmp_path / "copy")
    store.close()
    dirty = bytearray((tmp_path / "copy").read_bytes())
    dirty[len(dirty) // 2] ^= 1
    (tmp_path / "copy").write_bytes(dirty)
    with pytest.raises(StoreUnavailable):
        restore_store(_url(tmp_path / "restored"), tmp_path / "copy")
    assert not (tmp_path / "restored" / "precedent.db").exists()
    with pytest.raises(NotFound, match="no such backup"):
        restore_store(_url(tmp_path / "restored"), tmp_path / "none")


def test_a_full_disk_is_said_and_reading_goes_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    state(store, record("r"), owned("x", "a"))
    with store._writing() as connection:  # the file is kept from growing as a full disk would
        pages = connection.pragma("page_count")
    assert store._writer is not None
    store._writer.pragma("max_page_count", pages)
    with pytest.raises(DiskFull):
        store.append([record(f"r{one}", part="p" * 3000) for one in range(200)])
    assert owners(store, view(1)) == ["a"]
    store._writer.pragma("max_page_count", 10**9)
    assert not store.append([record("r1")])[0].duplicate
    store.close()


def test_threads_read_beside_a_writer(tmp_path: Path) -> None:
    store = open_store(_url(tmp_path))
    found: list[int] = []

    def read() -> None:
        found.extend(len(store.changes(view(9), services=["service:x"])) for _ in range(50))

    readers = [threading.Thread(target=read) for _ in range(6)]
    for reader in readers:
        reader.start()
    for number in range(30):
        state(store, record(f"r{number}", part=str(number)), deploy(str(number), 1, "x"))
    for reader in readers:
        reader.join()
    assert len(found) == 300
    assert len(store.changes(view(9))) == 30
    store.close()


def test_damage_found_while_reading_is_named(tmp_path: Path) -> None:
    store = open_store(_url(tmp_path))
    state(store, record("r"), *(deploy(str(one), one, "x", title="t" * 500) for one in range(100)))
    store.close()
    path = tmp_path / "precedent.db"
    dirty = bytearray(path.read_bytes())
    for place in range(4096 * 2, len(dirty), 4096):
        dirty[place + 900] ^= 1
    path.write_bytes(dirty)
    with pytest.raises(StoreDamaged, match="restore a backup"):
        open_store(_url(tmp_path), read_only=True).changes(view(9), start=day(0))
