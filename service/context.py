"""
The whole answer for one alert: which service, who owns it, what changed, what fixed it last time, and what we
could not see. Every statement carries ids that stand in `evidence`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import cast

import orjson

from graph.contract import Excerpt
from graph.errors import GraphError, StoreUnavailable
from graph.radius import Reach, reach
from graph.values import (
    Alert,
    Change,
    EntityId,
    Incident,
    Item,
    Labels,
    Runbook,
    View,
    entity_name,
)
from ingest.alerts import PLAIN
from models.contract import Candidate, Ranking
from models.directory import Directory
from models.facets import alert_text
from models.judged import Judged, Scope, adjusted, judged, shared_out, subjects
from models.precedents import PrecedentQuestion, first_told
from models.runbooks import RunbookQuestion
from models.signals import NO_SIGNALS, Signals
from models.suspects import SuspectQuestion
from service.actions import prepared
from service.asked import asked_bytes
from service.events import told_once, with_likes
from service.fence import quoted
from service.headline import headline
from service.outcomes import precedent
from service.parts import Part, alert_part, citing, owner_part, runbook_part, stamp, suspect_part
from service.policy import mode_part
from service.radius import radius_part
from service.recurring import NEAR, follow_ups, mattering, times
from service.support import supported
from service.wiring import Memory

SHOWN = {"service": 5, "changes": 5, "precedents": 5, "runbooks": 3, "near": 10}
WORTH = 0.05
"""A candidate below this is not shown."""
JUDGED = 20
"""The first candidates, whose order people's verdicts may change."""
FUTURE = timedelta(minutes=5)
HANDOVER = 0.001
"""Seconds to wait at most until the question's vector is begun."""

EXCERPT = 240
"""Characters of a cited record that are shown."""

NO_RANKING = Ranking()

Lane = Sequence[tuple[str, Callable[["_Work"], object]]]
_Told = tuple[object, list[str]]
"""A part and its gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    What is asked: the alert, others that fire with it, from where one looks, and what the caller saw.
    """

    alert: Alert
    others: tuple[Alert, ...] = ()
    as_of: datetime | None = None
    known_at: datetime | None = None
    visibility: Labels = frozenset()
    environment: str | None = None
    signals: Signals = NO_SIGNALS
    format: str = PLAIN
    """What the payload was recognised as."""
    asked_at: datetime | None = None
    """When it was asked, where that is not now."""


@dataclass
class _Work:
    """
    What the parts share. Which services it is about, and what is near them, is found before the first part begins.
    """

    memory: Memory
    question: Question
    view: View
    text: str
    """What the alert says, in words."""
    services: Ranking = NO_RANKING
    likely: Mapping[EntityId, float] = field(default_factory=dict)
    """The services that are likely enough, with their probabilities."""
    upstream: Mapping[EntityId, int] = field(default_factory=dict)
    """What they depend on, and how many steps away."""
    needs: Reach | None = None
    """The same as it was walked, where they are the best candidate alone."""
    gaps: list[str] = field(default_factory=list)
    unread: dict[str, list[str]] = field(default_factory=dict)
    """What the store did not give, by what is wrong with it."""
    late: bool = False
    evidence: set[str] = field(default_factory=set)
    timings: dict[str, float] = field(default_factory=dict)

    def judged(self, asked: Collection[str]) -> Mapping[str, Judged]:
        """
        What people judged of these, for such an alert or such a service.
        """
        return judged(self.memory.facts, self.view, asked, Scope(self.alert.name, frozenset(self.likely)))

    @property
    def alert(self) -> Alert:
        return self.question.alert

    @property
    def at(self) -> datetime:
        """
        The onset; a time in the future counts as now.
        """
        return min(self.alert.at, self.view.as_of)

    def cite(self, records: Iterable[str]) -> list[str]:
        return citing(self.evidence)(records)


def assemble(memory: Memory, question: Question, *, keep: bool = True) -> Part:
    """
    The context of an alert, kept under its `answer_id` for replay unless it is one.
    """
    began = time.perf_counter()
    work = _Work(memory, question, _view(question), alert_text(question.alert))
    if question.alert.at > (question.asked_at or datetime.now(UTC)) + FUTURE:
        work.gaps.append("the alert's time lies in the future; it is taken as now")
    _begin_vector(work)
    _timed(work, "service", lambda: _resolve(work))
    parts = _parts(work)
    answer = _answer(work, parts)
    work.timings["total"] = (time.perf_counter() - began) * 1000
    answer["timings_ms"] = {name: round(value, 2) for name, value in work.timings.items()}
    if keep:
        _keep(memory, answer, work)
    return answer


def _begin_vector(work: _Work) -> None:
    """
    The searches need the question's vector, which is made meanwhile. The model works without the interpreter's lock but
    begins with it: so let it begin, before looking up names keeps that lock.
    """
    begun = Event()

    def make() -> None:
        begun.set()
        work.memory.indexer.vector(work.text)

    work.memory.pool.submit(make)
    begun.wait(HANDOVER)


def _view(question: Question) -> View:
    now = datetime.now(UTC)
    return View(as_of=question.as_of or now, known_at=question.known_at or now, visibility=question.visibility)


def _resolve(work: _Work) -> None:
    work.services = work.memory.resolver.resolve(work.alert, work.view)
    work.likely = {one.id: one.probability for one in work.services.candidates[:5] if one.probability >= WORTH}
    if work.likely:
        names = work.memory.catalogue.directory(work.view).identity
        first = [one.id for one in work.services.candidates[:3] if one.id in work.likely]
        found = reach(work.memory.facts, work.view, first, outgoing=True, depth=2, limit=200, known=names)
        work.upstream = {one.entity: len(one.path) for one in found.reached}
        work.needs = found if first == [work.services.candidates[0].id] else None


def _timed(work: _Work, name: str, do: Callable[[], object]) -> object:
    began = time.perf_counter()
    try:
        return do()
    finally:
        work.timings[name] = (time.perf_counter() - began) * 1000


def _parts(work: _Work) -> dict[str, object]:
    """
    The parts in two lanes side by side: one searches, mostly outside the interpreter's lock; the other reads the graph.
    More threads would only wait for that lock. A part that is late or fails becomes a gap.
    """
    budget = work.memory.settings.part_budget_ms / 1000
    end = time.perf_counter() + budget
    waiting: dict[str, Future[_Told]] = {}
    for lane in LANES:
        futures = {name: Future[_Told]() for name, _ in lane}
        waiting |= futures
        work.memory.pool.submit(_run_lane, work, lane, futures)
    parts: dict[str, object] = {}
    for name, future in waiting.items():
        try:
            parts[name], gaps = future.result(timeout=max(0.0, end - time.perf_counter()))
            work.gaps += gaps
        except LateError:
            future.cancel()
            work.late = True
            work.gaps.append(f"{name} was not ready within {budget * 1000:.0f} ms")
        except StoreUnavailable as error:
            work.unread.setdefault(str(error), []).append(name.replace("_", " "))
        except (GraphError, ValueError, LookupError, RuntimeError) as error:
            work.gaps.append(f"{name} failed: {quoted(str(error))}")
    return parts


def _run_lane(work: _Work, lane: Lane, futures: Mapping[str, Future[_Told]]) -> None:
    """
    One part after the other; those that nobody waits for any more are left out.
    """
    for name, make in lane:
        future = futures[name]
        if not future.set_running_or_notify_cancel():
            continue
        # its own gaps: the answer tells them in the order of the parts, whichever lane was quicker
        own = replace(work, gaps=[])
        try:
            future.set_result((_timed(work, name, partial(make, own)), own.gaps))
        except Exception as error:  # noqa: BLE001 - it is raised again where the part is waited for
            future.set_exception(error)


def _answer(work: _Work, parts: Mapping[str, object]) -> Part:
    if work.services.abstained:
        work.gaps.append("cannot tell which service this is about; a label `service` would settle it")
    work.gaps += work.memory.lags()
    service = _services(work)
    policy = _policy(work, parts)
    evidence = _evidence(work)
    work.gaps += [f"without {', '.join(names)}: {problem}" for problem, names in work.unread.items()]
    answer: Part = {
        "alert": alert_part(work.alert, work.question.others, work.question.format),
        "service": service,
        "owner": parts.get("owner"),
        "changes": parts.get("changes"),
        "precedents": parts.get("precedents", []),
        "fixes": supported(cast("list[Part]", parts.get("precedents", [])), evidence, work.judged),
        "runbooks": parts.get("runbooks", []),
        "policy": policy,
        "blast_radius": parts.get("blast_radius"),
        "history": parts.get("history"),
        "actions": prepared(work.memory, work.view, _best(work), _where(work), parts),
        "gaps": list(dict.fromkeys(work.gaps)),
        "evidence": evidence,
        "as_of": stamp(work.view.as_of),
        "known_at": stamp(work.view.known_at),
    }
    answer["follow_ups"] = follow_ups(answer["precedents"])  # type: ignore[arg-type]  # made above
    answer["times"] = times(answer["precedents"], answer["history"])  # type: ignore[arg-type]  # made above
    answer["headline"] = headline(answer, searched="precedents" in parts)
    digest = hashlib.sha256(orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)).hexdigest()
    answer["answer_id"] = f"a-{digest[:20]}"
    return answer


def _keep(memory: Memory, answer: Part, work: _Work) -> None:
    body = orjson.dumps(answer)
    try:
        asked = partial(asked_bytes, work.question, work.view, memory.told, memory.lags(), memory.indexer.reached)
        memory.shelf.put(str(answer["answer_id"]), body, sorted(work.evidence), asked)
    except GraphError as error:
        gaps = answer["gaps"]
        if isinstance(gaps, list):
            # said already of the parts that could not be read
            known = isinstance(error, StoreUnavailable) and bool(work.unread)
            gaps.append("this answer is not kept for replay" + ("" if known else f": {error}"))


def _services(work: _Work) -> Part:
    shown = [one for one in work.services.candidates[: SHOWN["service"]] if one.probability >= WORTH]
    return {
        "candidates": [
            {
                "id": one.id,
                "name": entity_name(one.id),
                "probability": round(one.probability, 4),
                "matched": [term.says for term in one.terms[:4] if term.says],
                "evidence": work.cite(one.evidence),
            }
            for one in shown
        ],
        "none_probability": round(work.services.none_probability, 4),
        "abstained": work.services.abstained,
    }


def _owner(work: _Work) -> Part | None:
    if work.services.abstained or not work.services.candidates:
        return None
    return owner_part(work.memory, work.view, work.services.candidates[0].id, work.cite, work.gaps.append)


def replayed(
    memory: Memory, question: Question, view: View, names: View | None = None
) -> tuple[Ranking, SuspectQuestion, Ranking]:
    """
    Which services an alert is about, what is asked of the changes for it, and the suspects, as an answer has them; at
    any view, and nothing is kept. `names`: another view for services and what they depend on.
    """
    work = _Work(memory, question, names or view, alert_text(question.alert))
    _resolve(work)
    asked = _suspect_question(work)
    return work.services, asked, memory.suspects.rank(asked, view)


def _suspect_question(work: _Work) -> SuspectQuestion:
    question = SuspectQuestion(
        at=work.at,
        services=work.likely,
        neighbours={one: steps for one, steps in work.upstream.items() if one not in work.likely},
        environment=work.question.environment or _label(work.alert, "environment", "env", "stage"),
        region=_label(work.alert, "region"),
        everywhere=work.services.abstained or not work.likely,
        text=work.text,
        signals=work.question.signals,
    )
    return _widened(question, work.memory.catalogue.directory(work.view))


def _changes(work: _Work) -> Part:
    question = _suspect_question(work)
    ranking = work.memory.suspects.rank(question, work.view)
    ranking = shared_out(ranking, work.judged(subjects(ranking, "change", JUDGED)), "change")
    work.gaps.extend(ranking.gaps)
    if question.everywhere:
        work.gaps.append("changes of all services were weighed, since it is not clear which one this is about")
    stated = _stated(work, ranking.candidates[: SHOWN["changes"]])
    shown = [(one, change) for one, change in stated if one.probability >= WORTH / 2 and isinstance(change, Change)]
    return {
        "suspects": [suspect_part(one, change, work.cite) for one, change in shown],
        "none_probability": round(ranking.none_probability, 4),
        "hypotheses": [{"cause": term.name, "says": term.says} for term in ranking.hypotheses],
        "considered": len(ranking.candidates),
        "window_hours": question.window.total_seconds() / 3600,
    }


def _stated(work: _Work, candidates: Sequence[Candidate]) -> list[tuple[Candidate, Item]]:
    """
    Candidates with what was stated of each. By statement, since two sources may use one id for different things.
    """
    seqs = [one.statement for one in candidates if one.statement is not None]
    found = {one.seq: one.item for one in work.memory.store.statements(seqs, work.view)} if seqs else {}
    return [(one, found[one.statement]) for one in candidates if one.statement in found]


def _widened(question: SuspectQuestion, directory: Directory) -> SuspectQuestion:
    """
    With all that sources may say for the services: other names, and their files where a change names no service.
    """
    since = question.at - question.window
    services = directory.likely(question.services, since)
    near = _near(directory, question.neighbours, services)
    places = {path: p for one, p in question.services.items() for path in directory.paths.get(one, ())}
    names = {words: p for one, p in question.services.items() for words in directory.words(one)}
    return replace(question, services=services, neighbours=near, places=places, names=names)


def _near(directory: Directory, steps: Mapping[EntityId, int], besides: Collection[EntityId]) -> dict[EntityId, int]:
    """
    Neighbours under all their ids, without the services themselves.
    """
    return {one: int(count) for one, count in directory.likely(steps).items() if one not in besides}


def _precedents(work: _Work) -> list[Part]:
    directory = work.memory.catalogue.directory(work.view)
    services = directory.likely(work.likely)
    question = PrecedentQuestion(
        text=work.text,
        at=work.at,
        services=services,
        neighbours=_near(directory, work.upstream, services),
        alert=work.alert.name,
    )
    ranking = work.memory.precedents.rank(question, work.view, 2 * SHOWN["precedents"])
    ranking = adjusted(ranking, work.judged(subjects(ranking, "incident", JUDGED)), "incident")
    if ranking.abstained:
        work.gaps.append("no past incident is clearly the same kind of problem")
    leading = [one for one in first_told(ranking)[: SHOWN["precedents"]] if one.probability >= 0.2]
    stated = _stated(work, with_likes(ranking.candidates, leading))
    return [
        precedent(work.memory, work.view, one, incident, work.cite)
        for one, incident in told_once((one, item) for one, item in stated if isinstance(item, Incident))
    ]


def _runbooks(work: _Work) -> list[Part]:
    link = next(
        (value for key, value in work.alert.annotations.items() if key.startswith(("runbook", "playbook"))), None
    )
    services = work.memory.catalogue.directory(work.view).likely(work.likely)
    question = RunbookQuestion(text=work.text, alert=work.alert.name, services=services, link=link)
    ranking = work.memory.runbooks.rank(question, work.view, 10)
    ranking = shared_out(ranking, work.judged(subjects(ranking, "runbook", JUDGED)), "runbook")
    if ranking.abstained:
        work.gaps.append("no runbook is clearly for this alert")
    return [
        runbook_part(one, page, work.cite)
        for one, page in _stated(work, ranking.candidates[: SHOWN["runbooks"]])
        if one.probability >= 2 * WORTH and isinstance(page, Runbook)
    ]


def _blast_radius(work: _Work) -> Part:
    best = work.services.candidates[0].id if work.services.candidates and not work.services.abstained else None
    return radius_part(work.memory, work.view, best, work.cite, shown=SHOWN["near"], needs=work.needs, brief=True)


def _history(work: _Work) -> Part:
    """
    How often this alert fired within 30 days, and how often that mattered: an incident was near it.
    """
    start = work.at - timedelta(days=30)
    fired = [
        one
        for one in work.memory.store.alerts(work.view, names=[work.alert.name], start=start, limit=500)
        # what ends as it begins is a recovery whose source does not say when it began: no firing
        if one.item.at < work.at and one.item.ended_at != one.item.at
    ]
    known = work.memory.catalogue.incidents.of_alert(work.alert.name, work.view)
    incidents = [one for one in known if (one.item.at or work.at) < work.at]
    lately = {one.item.id: one.item.at for one in incidents if one.item.at and one.item.at >= start}
    best = _best(work)
    own = work.memory.catalogue.directory(work.view).own(best) if best else frozenset()
    there = dict(work.memory.catalogue.aftermath.near(work.view, own, start - NEAR, work.at))
    mattered, near = mattering([one.item.at for one in fired], there | lately)
    return {
        "fired_30d": len(fired),
        "mattered_30d": len(lately.keys() | near),
        "fired_near_incident_30d": mattered,
        "incidents": [one.item.id for one in incidents][-10:],
        "last_fired": stamp(fired[0].item.at) if fired else None,
        "evidence": work.cite([one.record for one in fired[:5]] + [one.record for one in incidents[-5:]]),
    }


def _policy(work: _Work, parts: Mapping[str, object]) -> Part:
    return mode_part(work.memory, work.view, _best(work), _where(work), parts.get("owner"), work.cite)


def _best(work: _Work) -> EntityId | None:
    """
    The service that it is about, where that can be told.
    """
    return work.services.candidates[0].id if work.services.candidates and not work.services.abstained else None


def _where(work: _Work) -> str | None:
    return work.question.environment or _label(work.alert, "environment", "env", "stage")


def _evidence(work: _Work) -> dict[str, Part]:
    records = _cited(work)
    if records is None:
        # the ids stand there all the same: they decide who may see the answer later
        return {one: {} for one in sorted(work.evidence)}
    return {
        one.id: {
            "source": one.source,
            "connector": one.connector,
            "part": one.part,
            "known_at": stamp(one.known_at),
            "digest": one.digest,
            "excerpt": one.text,
        }
        for one in records
    }


def _cited(work: _Work) -> tuple[Excerpt, ...] | None:
    """
    The records that are cited; None where the store does not give them, or was waited for too long already.
    """
    if not work.evidence:
        return ()
    if work.late:
        work.gaps.append("what the cited records say was not read, for want of time")
        return None
    try:
        return work.memory.store.excerpts(work.evidence, visibility=work.view.visibility, length=EXCERPT)
    except StoreUnavailable as error:
        work.unread.setdefault(str(error), []).append("what the cited records say")
        return None


def _label(alert: Alert, *names: str) -> str | None:
    return next((alert.labels[name] for name in names if alert.labels.get(name)), None)


LANES: tuple[Lane, ...] = (
    (("precedents", _precedents), ("runbooks", _runbooks)),
    (("owner", _owner), ("blast_radius", _blast_radius), ("changes", _changes), ("history", _history)),
)
"""What is asked side by side: what needs no store first, then the most urgent."""
