"""
Fixes that a document states as fields: a list of actions with what was done, to what, when, by whom and to what effect.
They come before what prose says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Fix, FixAction
from ingest.errors import BadRecord
from ingest.fixes.verbs import LEXICON, named_action
from ingest.parsing import is_date_only, parse_time

_LISTS = (
    "fixes", "fix", "actions_taken", "mitigation_actions", "mitigations", "remediation_actions", "resolution_actions",
    "resolution_steps", "response_actions",
)  # fmt: skip
_ACTION = ("action", "type", "kind", "action_type")
_TARGET = ("target", "component", "service", "resource", "object", "on")
_WORDS = ("quote", "text", "description", "summary", "what", "title", "note", "command")
_BY = ("by", "who", "actor", "performed_by", "author", "user")
_AT = ("at", "time", "timestamp", "performed_at", "when", "started_at")
_OUTCOME = ("worked", "success", "successful", "effective", "outcome", "result")
_GOOD = re.compile(
    r"^(?:true|yes|ok|success\w*|worked|resolved|fixed|effective|helped|restored|mitigated)\b", re.IGNORECASE
)
_BAD = re.compile(r"^(?:false|no|none|fail\w*|did ?n[o']t|ineffective|unsuccessful|no effect|not)\b", re.IGNORECASE)
_OTHERS: Mapping[str, FixAction] = {
    "feature flag": FixAction.FLAG_OFF, "flag": FixAction.FLAG_OFF, "kill switch": FixAction.FLAG_OFF,
    "config": FixAction.CONFIGURE, "reconfigure": FixAction.CONFIGURE, "failover": FixAction.FAIL_OVER,
    "traffic": FixAction.FAIL_OVER, "drain": FixAction.FAIL_OVER, "hotfix": FixAction.PATCH, "wait": FixAction.WAIT,
}  # fmt: skip


def stated_fixes(fields: Mapping[str, object], timezone: str = "UTC") -> tuple[Fix, ...]:
    """
    The fixes of a document's fields, those that did not help last. A row without words of its own or without an action
    that we know a word for is none.
    """
    found = [fix for name in _LISTS for row in _rows(fields.get(name)) if (fix := _fix(row, name, timezone))]
    return tuple(sorted(found, key=lambda fix: fix.worked is False))


def _rows(value: object) -> Iterator[Mapping[str, object]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one


def _first(row: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((str(row[name]).strip() for name in names if isinstance(row.get(name), str | int | float | bool)), "")


def _fix(row: Mapping[str, object], name: str, timezone: str) -> Fix | None:
    action, words = _action(_first(row, _ACTION)), _first(row, _WORDS) or _first(row, _ACTION)
    if action is None or not words:
        return None
    outcome = _first(row, _OUTCOME)
    return Fix(
        action=action,
        target=_first(row, _TARGET),
        quote=words,
        section=name,
        at=_at(_first(row, _AT), timezone),
        by=_first(row, _BY) or None,
        reverts=_first(row, ("reverts", "reverted_change", "change", "commit", "pr")) or None,
        runbook=_first(row, ("runbook", "playbook")) or None,
        step=_first(row, ("step", "runbook_step")) or None,
        parameters=_first(row, ("parameters", "params", "value", "to")),
        stated_as="field",
        worked=True if _GOOD.match(outcome) else False if _BAD.match(outcome) else None,
    )


def _action(word: str) -> FixAction | None:
    plain = re.sub(r"[_\s-]+", " ", word).strip().lower()
    if not plain:
        return None
    for known in FixAction:
        if plain == known.value.replace("_", " "):
            return known
    for verb, _ in LEXICON.get(plain.split()[0].replace("-", ""), ()):
        if not verb.needed or plain.split()[1:]:
            return verb.action
    return named_action(plain) or next((action for name, action in _OTHERS.items() if name in plain), None)


def _at(text: str, timezone: str) -> datetime | None:
    if not text or is_date_only(text):
        return None
    try:
        return parse_time(text, timezone)
    except BadRecord:
        return None
