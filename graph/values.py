"""
The domain's values: what a source stated, when it held, and when we knew it.

Every value is frozen. Datetimes are aware. An entity is named by its id, `kind:name` in lower case
(`service:checkout`, `team:payments`); a namespace other than the default stays in the name
(`service:media/artist-web`).

A `Statement` is one source's claim of one `Item`, with the record that is its evidence. It never changes, except
that its `known` span is closed once. Two sources that say the same are two statements; which of them counts is
decided when they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Generic, TypeAlias, TypeVar

EntityId: TypeAlias = str
UNPLACED: EntityId = ""
"""Stands for "no service" where changes are asked for by service."""
Labels: TypeAlias = frozenset[str]
"""Visibility labels. A reader sees a record when he holds all labels of it; no labels means everyone."""

PUBLIC: Labels = frozenset()


class EntityKind(StrEnum):
    SERVICE = "service"
    TEAM = "team"
    PERSON = "person"
    RESOURCE = "resource"
    REPOSITORY = "repository"
    ENVIRONMENT = "environment"


def entity_id(kind: EntityKind, name: str) -> EntityId:
    """
    The id of an entity, from its kind and its name as a source gives it (case and outer space do not count).
    """
    return f"{kind.value}:{name.strip().lower()}"


def entity_kind(entity: EntityId) -> str:
    """
    `service` of `service:checkout`.
    """
    return entity.partition(":")[0]


def entity_name(entity: EntityId) -> str:
    """
    `checkout` of `service:checkout`.
    """
    return entity.partition(":")[2]


class Trust(IntEnum):
    """
    How far a statement may be believed. A lower level never silently outranks a higher one.
    """

    UNTRUSTED = 0
    """Free text from tickets, chats, alerts."""
    OBSERVED = 1
    """Telemetry, webhooks, commit logs."""
    DECLARED = 2
    """Catalog, CODEOWNERS, paging tool, reviewed postmortems and runbooks."""
    REVIEWED = 3
    """A person confirmed it."""


@dataclass(frozen=True, slots=True)
class Span:
    """
    A half-open interval of time, `start <= t < end`; None is unbounded on that side.
    """

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """
        Whether `at` lies inside.
        """
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


ALWAYS = Span()


class FactKind(StrEnum):
    ENTITY = "entity"
    """The subject exists; `attributes` describe it (title, description, type, lifecycle, tier, links...)."""
    ALIAS = "alias"
    """`object` is another name of the subject; `attributes["seen_in"]` says where (label, repo, hostname, old name)."""
    OWNED_BY = "owned_by"
    DEPENDS_ON = "depends_on"
    PART_OF = "part_of"
    MEMBER_OF = "member_of"
    ON_CALL_FOR = "on_call_for"
    ESCALATES_TO = "escalates_to"
    RUNS_IN = "runs_in"
    BUILT_FROM = "built_from"
    """The subject is built from repository `object`; `attributes["path"]` may narrow it to a folder."""
    SAME_AS = "same_as"
    RENAMED_TO = "renamed_to"
    SPLIT_INTO = "split_into"
    JUDGED = "judged"
    """A voice (`object`) judged the subject (`incident:ID`, `change:ID`, `runbook:ID`, `fix:ACTION TARGET`);
    `attributes` have its `verdict` and for which `alert` and `service`."""
    POLICY = "policy"
    """A reviewed rule about actions: `attributes["rule"]` is its JSON, `object` the file that it stands in."""


IDENTITY_KINDS = (FactKind.SAME_AS, FactKind.RENAMED_TO, FactKind.SPLIT_INTO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """
    A typed edge or attribute, true in the world during `valid`.

    `object` is an entity id; of an ALIAS the other name as it was written; of an ENTITY the empty text.
    """

    kind: FactKind
    subject: EntityId
    object: str = ""
    valid: Span = ALWAYS
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)


class ChangeKind(StrEnum):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    CODE = "code"
    """A commit or merge, where the deploy that carries it is not known."""
    CONFIG = "config"
    FLAG = "flag"
    INFRASTRUCTURE = "infrastructure"
    SCHEMA = "schema"
    SCALING = "scaling"
    CERTIFICATE = "certificate"
    DATA = "data"
    MODEL = "model"
    """A model, prompt or index version of an AI service."""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Change:
    """
    Something that was altered: the source's own `id` (commit, deploy id), when it began, what it reached.
    """

    id: str
    kind: ChangeKind
    at: datetime
    title: str = ""
    ended_at: datetime | None = None
    services: tuple[EntityId, ...] = ()
    repository: EntityId | None = None
    environment: str | None = None
    region: str | None = None
    revision: str | None = None
    previous: str | None = None
    actor: str | None = None
    automated: bool = False
    merge: bool = False
    status: str | None = None
    files: tuple[str, ...] = ()
    text: str = ""
    """Body: description, diff. Data, never instructions."""
    reverts: str | None = None
    """The id of the change that this one takes back."""
    carries: tuple[str, ...] = ()
    """Revisions (commits) that this deploy or merge brings."""
    url: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)


class FixAction(StrEnum):
    ROLLBACK = "rollback"
    REVERT = "revert"
    RESTART = "restart"
    SCALE = "scale"
    FAIL_OVER = "fail_over"
    CONFIGURE = "configure"
    FLAG_OFF = "flag_off"
    ROTATE = "rotate"
    CLEAR = "clear"
    BLOCK = "block"
    PATCH = "patch"
    RESTORE = "restore"
    REPLACE = "replace"
    WAIT = "wait"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """
    What ended an incident, or was tried to: never without the words that say so.
    """

    action: FixAction
    target: str
    quote: str
    """The exact words of the document, a substring of it."""
    section: str = ""
    at: datetime | None = None
    by: str | None = None
    reverts: str | None = None
    change: str | None = None
    """The id of the rollback or revert that was seen. Told when it is read."""
    runbook: str | None = None
    """The runbook that was followed, as the document names or links it."""
    step: str | None = None
    """The step of it that was followed, in its words."""
    parameters: str = ""
    """From what to what, in the document's words: "from 20 to 60 pods", "to v1.2"."""
    stated_as: str = ""
    """`field` of a structured document, `timeline`, `change` (a rollback or revert that was seen); empty: prose."""
    worked: bool | None = None
    """False: tried, did not help. None: the document does not say."""
    held: bool | None = None
    """True: no recurrence is known within its window; None: not known. Told when it is read."""


class SectionKind(StrEnum):
    SUMMARY = "summary"
    IMPACT = "impact"
    TRIGGER = "trigger"
    CAUSE = "cause"
    DETECTION = "detection"
    RESOLUTION = "resolution"
    TIMELINE = "timeline"
    LESSONS = "lessons"
    ACTION_ITEMS = "action_items"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """
    An interval of harm with the services it hurt, and what its postmortem says.
    """

    id: str
    title: str
    at: datetime | None = None
    """When it began; with `day_only`, the end of that day (the earliest moment it is sure to have happened by)."""
    day_only: bool = False
    detected_at: datetime | None = None
    resolved_at: datetime | None = None
    severity: str | None = None
    services: tuple[EntityId, ...] = ()
    environment: str | None = None
    alerts: tuple[str, ...] = ()
    """The names or texts of the alerts that fired."""
    sections: Mapping[SectionKind, str] = field(default_factory=dict, hash=False)
    fixes: tuple[Fix, ...] = ()
    caused_by: tuple[str, ...] = ()
    """Ids of changes that the document names as cause."""
    cause_kind: str | None = None
    """`change`, or why no change is to blame (`traffic`, `provider`, `certificate`, `hardware`, `data`), or None."""
    runbooks: tuple[str, ...] = ()
    url: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """
    A part of a document below one heading.
    """

    heading: str
    anchor: str
    """GitHub's anchor of the heading."""
    level: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """
    A document of steps, bound to services, alert rules or symptoms.
    """

    id: str
    """Its path within the source, or its URL."""
    title: str
    sections: tuple[Section, ...] = ()
    services: tuple[EntityId, ...] = ()
    alerts: tuple[str, ...] = ()
    """Names of the alert rules that it says it is for."""
    approved: bool = False
    """A playbook: approved for use."""
    url: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """
    The definition of an alert.
    """

    id: str
    name: str
    expr: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    group: str | None = None
    path: str | None = None
    runbook_url: str | None = None
    services: tuple[EntityId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """
    One occurrence: what a monitoring tool sent, vendor's shape removed.
    """

    id: str
    """What makes it one: fingerprint and start, or the vendor's own id."""
    name: str
    at: datetime
    ended_at: datetime | None = None
    status: str = "firing"
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    expr: str = ""
    vendor: str = ""
    url: str | None = None
    series: str = ""
    """What its occurrences share, where a recovery does not say which of them it ends."""


Item: TypeAlias = Fact | Change | Incident | Runbook | AlertRule | Alert


class ItemKind(StrEnum):
    FACT = "fact"
    CHANGE = "change"
    INCIDENT = "incident"
    RUNBOOK = "runbook"
    ALERT_RULE = "alert_rule"
    ALERT = "alert"


class RecordState(StrEnum):
    PENDING = "pending"
    APPLIED = "applied"
    QUARANTINED = "quarantined"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """
    One item from a source after redaction: immutable, durable, the evidence of what it states.

    `source` and `part` (a path, a delivery id) say where it came from; a newer record of the same part replaces what
    the older one stated. `digest` is the SHA-256 of the raw bytes, which are not kept.
    """

    id: str
    source: str
    connector: str
    part: str
    body: str
    digest: str
    received_at: datetime
    published_at: datetime | None = None
    """The source's own publication time of imported history; None: it was known when it was received."""
    occurred_at: datetime | None = None
    """Of an event, when by its source's own clock it became so; of two events of one thing the later one counts."""
    meta: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What a transform needs beside the body: path, event name, repository, the source's options."""
    visibility: Labels = PUBLIC
    state: RecordState = RecordState.PENDING
    reason: str = ""
    """Why it is in quarantine or was retracted."""

    @property
    def known_at(self) -> datetime:
        """
        When its statements became known.
        """
        return self.published_at or self.received_at


ItemT = TypeVar("ItemT", bound=Item, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Generic[ItemT]):
    """
    One source's claim of one item: `seq` is its place in commit order and its id.
    """

    seq: int
    item: ItemT
    record: str
    """Id of the record that is its evidence."""
    source: str
    trust: Trust
    known: Span
    visibility: Labels = PUBLIC


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """
    From where one looks: the world as of `as_of`, as known at `known_at`, through the eyes of `visibility`.

    `hidden` are records to leave out altogether, with all that rests on them (a replay hides the incident's own).
    """

    as_of: datetime
    known_at: datetime
    visibility: Labels = PUBLIC
    hidden: frozenset[str] = frozenset()

    @classmethod
    def now(cls, visibility: Labels = PUBLIC) -> View:
        """
        The present, with all that is known.
        """
        moment = datetime.now(UTC)
        return cls(as_of=moment, known_at=moment, visibility=visibility)

    def sees(self, statement: Statement[Item]) -> bool:
        """
        Whether the statement was known, is visible and is not hidden (not whether a fact was valid).
        """
        return (
            statement.known.holds(self.known_at)
            and statement.visibility <= self.visibility
            and statement.record not in self.hidden
        )
