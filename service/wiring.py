"""
Builds the concrete things, and keeps the derived ones in step. The only place that knows them all.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

from graph.contract import Store
from graph.errors import GraphError, StoreUnavailable
from graph.moving import Movable
from graph.opening import folder_of, open_movable, open_store, require_store
from graph.replica import Replica
from graph.searching import Searchable
from ingest.journal import redactor_of
from ingest.pipeline import drain
from ingest.redaction import Redactor
from models.catalogue import Catalogue
from models.contract import Embedder, Search
from models.errors import ModelError
from models.indexer import Indexer
from models.parameters import Parameters, load
from models.precedents import Precedents
from models.resolution import Resolver
from models.runbooks import Runbooks
from models.shared import SharedSearch
from models.suspects import Suspects
from service import arrivals, inbox
from service.activity import Activity
from service.audit.log import Audit
from service.audit.places import FilePlace, StorePlace
from service.deliveries import Deliveries
from service.sessions import Sessions
from service.settings import Settings, SettingsError
from service.shelf import Shelf
from service.tokens import LOCAL, Tokens


@dataclass(slots=True)
class Memory:
    """
    The whole: a store with what is derived from it. `close` lets go of everything.
    """

    settings: Settings
    store: Store
    catalogue: Catalogue
    indexer: Search
    resolver: Resolver
    suspects: Suspects
    precedents: Precedents
    runbooks: Runbooks
    pool: ThreadPoolExecutor
    shelf: Shelf
    tokens: Tokens
    sessions: Sessions
    deliveries: Deliveries
    audit: Audit
    gaps: list[str] = field(default_factory=list)
    told: tuple[str, ...] = ()
    """Those of the gaps that lie in the question."""
    activity: Activity = field(default_factory=Activity)
    _follower: Follower | None = None
    _ready: bool = False
    _redactor: Redactor | None = None

    @property
    def facts(self) -> Replica:
        """
        The store's facts, as far as the feed was followed; there even while the store cannot be reached.
        """
        return self.catalogue.facts

    @property
    def ready(self) -> bool:
        """
        Whether names and words have caught up once, so that questions can be answered; meaning may still follow.
        """
        if not self._ready:
            with suppress(StoreUnavailable):
                status = self.indexer.status()
                self._ready = min(self.catalogue.watermark, status.lexical) >= status.watermark
        return self._ready

    def redactor(self) -> Redactor:
        """
        The store's redactor, remembered; while the store cannot be read, one for this time alone.
        """
        if self._redactor is None:
            try:
                self._redactor = redactor_of(self.store)
            except StoreUnavailable:
                return Redactor(secrets.token_bytes(32))
        return self._redactor

    def lags(self) -> list[str]:
        """
        What answers lack at the moment.
        """
        return [*self.gaps, *(["search by meaning is catching up"] if self.indexer.dense_lags else [])]

    def telling(self, gaps: Sequence[str]) -> Memory:
        """
        The same memory, whose answers tell these gaps too: what was already missing in the question.
        """
        return replace(self, gaps=[*self.gaps, *gaps], told=tuple(gaps)) if gaps else self

    def weighed(self, reached: int) -> Memory:
        """
        The same memory, whose words are weighed as when this statement was the newest; for a replay.
        """
        if not reached or reached == self.indexer.reached:
            return self
        indexer = self.indexer.upto(reached)
        incidents = self.catalogue.incidents
        precedents = Precedents(indexer, self.store, parameters("precedents"), incidents)
        runbooks = Runbooks(indexer, self.store, parameters("runbooks"))
        return replace(self, indexer=indexer, precedents=precedents, runbooks=runbooks)

    def follow(self) -> None:
        """
        Bring everything derived up to the store's watermark.
        """
        self.catalogue.follow(self.store)
        self.indexer.follow()
        self.activity.follow(self.store)

    def start(self) -> None:
        """
        Follow the feed and apply what is pending, in the background.
        """
        self._follower = Follower(self)
        self._follower.start()

    def nudge(self) -> None:
        """
        Tell the background that there is work.
        """
        if self._follower:
            self._follower.nudge()

    def close(self) -> None:
        """
        Stop and let go.
        """
        if self._follower:
            self._follower.stop()
            # a snapshot is only a cache: without it the next start is slower, and nothing else
            with suppress(OSError, GraphError):
                self.indexer.save()
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.shelf.close()
        self.audit.close()
        self.store.close()


POLL = 0.5
"""Seconds until the background looks again by itself."""
GATHER = 0.1
"""Seconds from the first record that came to the work on it and on all that came meanwhile."""
BATCH = 64
"""Records applied at a time; whoever sends more waits for no longer than that takes."""
POLL_AWAY = 2.0
"""The same at most, while the store cannot be reached."""


def _silent(what: str, done: int, total: int) -> None:
    """
    Nobody watches the background.
    """


class Follower(threading.Thread):
    """
    Applies pending records and keeps the indexes in step. What goes wrong is told in `memory.gaps`, and tried again.
    """

    def __init__(self, memory: Memory) -> None:
        super().__init__(name="precedent-follower", daemon=True)
        self.memory = memory
        self.wake = threading.Event()
        self._asked = False
        self._ended = threading.Event()
        self._lasting = tuple(memory.gaps)
        self._followed: datetime | None = None
        self._counted = ""

    def run(self) -> None:
        """
        Until stopped; what it was told of before that is still done.
        """
        pause = POLL
        while self._asked or not self._ended.is_set():
            self._asked = False
            try:
                self._step()
                pause, lag = POLL, []
            except StoreUnavailable as error:
                pause, lag = min(pause * 1.5, POLL_AWAY), [self._lag(error)]
            except Exception as error:  # noqa: BLE001 - the background is an edge: it records what happened and goes on
                lag = [f"the indexes lag behind: {type(error).__name__}: {error}"]
            self.memory.gaps[:] = [*self._lasting, *lag]
            if not self._ended.is_set() and self.wake.wait(pause):
                # what comes together is applied together
                self._ended.wait(GATHER)
            self.wake.clear()

    def _step(self) -> None:
        began = datetime.now(UTC)
        inbox.serve(self.memory.settings.data, self.memory.store, _silent, {"retract": self._retract})
        if self.memory.settings.apply:
            drain(self.memory.store, batch=BATCH)
        self.memory.follow()
        self.memory.deliveries.keep()
        self._counted = arrivals.note(self.memory.store, self._counted)
        self._followed = began

    def _retract(self, work: inbox.Work) -> dict[str, object]:
        # it asks answers again, which is built upon this module
        from service.retraction import do

        return do(self.memory, cast("inbox.Work", work["retract"]))

    def _lag(self, error: StoreUnavailable) -> str:
        if self._followed is None:
            return f"nothing has been read from the store since the start: {error}"
        return (
            f"owners, names and indexes are as of {self._followed:%Y-%m-%d %H:%M:%S} UTC, when the store was last read"
        )

    def nudge(self) -> None:
        """
        There is work.
        """
        self._asked = True
        self.wake.set()

    def stop(self) -> None:
        """
        End after the present step.
        """
        self._ended.set()
        self.wake.set()
        self.join(timeout=30)


def parameters(name: str) -> Parameters | None:
    """
    The shipped parameters of a model; None where none were learned yet, and its defaults count.
    """
    from models.parameters import WEIGHTS

    return load(name) if (WEIGHTS / f"{name}.json").is_file() else None


def embedder_of(settings: Settings) -> Embedder | None:
    """
    The embedder that the settings name. Raises SettingsError for an unknown one, ModelError where it cannot be loaded.
    """
    if settings.embedder == "none":
        return None
    if settings.embedder == "onnx":
        from models.embedding import OnnxEmbedder

        return OnnxEmbedder(threads=settings.threads)
    if settings.embedder.startswith("sentence:"):
        from models.sentence import SentenceEmbedder

        return SentenceEmbedder(settings.embedder.partition(":")[2], settings.device)
    raise SettingsError(f"embedder `{settings.embedder}` is not known; use onnx, none or sentence:NAME")


def store_of(settings: Settings, *, read_only: bool = False) -> Store:
    """
    The store that the settings name.
    """
    user, password = credentials(settings)
    return open_store(settings.store_url, read_only=read_only, user=user, password=password)


def movable_of(settings: Settings, url: str, *, target: bool = False) -> Movable:
    """
    A store to be migrated: out of, or as `target` into; on a server as the settings' user.
    """
    user, password = credentials(settings)
    return open_movable(url, target=target, user=user, password=password)


def require_store_of(settings: Settings) -> None:
    """
    NotFound where the settings name a store that is not there.
    """
    user, password = credentials(settings)
    require_store(settings.store_url, user=user, password=password)


def credentials(settings: Settings) -> tuple[str, str]:
    """
    User and password for the store's server; no user where no password is set.
    """
    password = settings.store_password.get_secret_value()
    return settings.store_user if password else "", password


def search_of(settings: Settings, store: Store, embedder: Embedder | None, *, read_only: bool = False) -> Search:
    """
    Search where the settings want it. Raises SettingsError where the store cannot search.
    """
    if settings.search == "local":
        return Indexer(store, embedder, keep=not read_only, folder=settings.data / "indexes")
    if not isinstance(store, Searchable):
        raise SettingsError("setting `search`: the embedded store has no search of its own; use local")
    return SharedSearch(store, store, embedder, keep=not read_only)


def audit_of(settings: Settings, store: Store | None = None) -> Audit:
    """
    The audit of the settings' store, through `store` where one is open to be written.
    """
    folder = folder_of(settings.store_url)
    if folder is not None:
        return Audit(FilePlace(folder))
    return Audit(StorePlace(lambda: store or store_of(settings), own=store is None))


def recorded(settings: Settings, act: str, what: Mapping[str, object], store: Store | None = None) -> None:
    """
    Record what somebody does with the command. Raises StoreUnavailable where it cannot be, and then it is not done.
    """
    with closing(audit_of(settings, store)) as audit:
        audit.record(LOCAL.name, act, what)


def open_memory(settings: Settings, *, read_only: bool = False) -> Memory:
    """
    Open the store and build what is derived. A broken embedder does not stop the rest; it is told as a gap.
    """
    store = store_of(settings, read_only=read_only)
    gaps: list[str] = []
    try:
        embedder = embedder_of(settings)
    except ModelError as error:
        embedder = None
        gaps.append(f"no search by meaning: {error}")
    names = parameters("resolution")
    catalogue = Catalogue(names)
    try:
        indexer = search_of(settings, store, embedder, read_only=read_only)
    except SettingsError:
        store.close()
        raise
    tokens = Tokens(store)
    memory = Memory(
        settings=settings,
        store=store,
        catalogue=catalogue,
        indexer=indexer,
        resolver=Resolver(catalogue, names),
        suspects=Suspects(store, parameters("suspects")),
        precedents=Precedents(indexer, store, parameters("precedents"), catalogue.incidents),
        runbooks=Runbooks(indexer, store, parameters("runbooks")),
        pool=ThreadPoolExecutor(max_workers=settings.inflight * 2, thread_name_prefix="part"),
        shelf=Shelf(store, behind=not read_only),
        tokens=tokens,
        sessions=Sessions(store, tokens),
        deliveries=Deliveries(store),
        audit=audit_of(settings, None if read_only else store),
    )
    memory.gaps.extend(gaps)
    return memory
