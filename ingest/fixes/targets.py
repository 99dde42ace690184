"""
The action and the target that a verb comes to with what it acts on.
"""

from __future__ import annotations

import re

from graph.values import FixAction
from ingest.fixes.clauses import AUXILIARY, Spot
from ingest.fixes.nouns import leading_noun, noun_behind, sensible_noun, trimmed
from ingest.fixes.verbs import CHANGE, DIRECTED, FREE, named_action

_RUNS = {"run", "execute"}
_GROW = {"increase", "raise", "double", "bump", "extend", "expand", "add", "deploy", "launch", "provision", "grant", "give", "request", "start", "create"}  # fmt: skip
_CAPACITY = re.compile(
    r"\b(?:replicas?|nodes?|instances?|capacity|memory|cpus?|disks?|storage|volumes?|sizes?|limits?|quotas?|pools?|shards?|iops|requests?|workers|servers|machines|hosts|brokers|buffers?|guarantees?|resources)\b",
    re.IGNORECASE,
)
_BECOMES: tuple[tuple[str, str, FixAction], ...] = (
    ("disable turn switch set", r"\b(?:flags?|feature|toggle|experiment)\b", FixAction.FLAG_OFF),
    ("delete kill terminate", r"\b(?:pods?|process(?:es)?|containers?|jobs?|servers?)\b", FixAction.RESTART),
    ("update replace push deploy issue change generate provide", r"\b(?:certificates?|certs?|credentials?|passwords?|(?:api|access) keys?|tokens?)$", FixAction.ROTATE),
    (" ".join(FREE), r"\b(?:traffic|requests|load)\b", FixAction.FAIL_OVER),
    ("update fix correct", r"\b(?:config\w*|settings?|limits?|polic(?:y|ies)|rules?|records?|variables?|values?|thresholds?|timeouts?|dns|types?|sizes?|permissions?|map|manifest|annotations?|labels?)$", FixAction.CONFIGURE),
)  # fmt: skip
"""What a verb comes to with such an object: deleting a pod restarts it, redirecting traffic fails over."""
_MOVED_BACK = {"change", "switch", "move", "set", "put", "migrate", "update"}
_WEAK = {FixAction.OTHER, FixAction.CONFIGURE, FixAction.PATCH, FixAction.CLEAR}
_CHANGED = re.compile(
    r"\b(?:changes?|fix|patch|update|upgrade|deployment)\s+(?:to|of|for|in)\s+(?:(?:reduce|limit|handle|address|resolve|prevent|avoid|stop)\s+)?(.*)|\b(?:upgrade|restart|patch|fix)\s+(the\s+.*)",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"\b(?:(?:full |normal )?services?|traffic|access|functionality|availability|normal|operations?|connectivity|performance|it|issue|sites?|systems?|customers?|users?)\b",
    re.IGNORECASE,
)
PROVIDER = re.compile(
    r"\b(AWS|Amazon|Azure|Microsoft|Google(?: Cloud)?|GCP|GitHub|Cloudflare|(?:the |our )?(?:\w+ )?(?:provider|vendor|carrier))\b[^.;]{0,40}\b(?:resolved|fixed|restored|mitigated|repaired)\b"
    r"|\b(?:waited|by waiting) (?:for|until) ([^.;,]+)"
)
"""A provider that ended it by itself, or waiting that did."""


def refined(spot: Spot, noun: str, after: str) -> tuple[FixAction, str]:
    """
    The action that a verb comes to with what it acts on, and that: "performed a restart of X" is a restart of X.
    """
    action, target = spot.verb.action, noun
    named = named_action(noun)
    if action is FixAction.OTHER and named and not (spot.verb.base in _RUNS and named is FixAction.PATCH):
        action = named
        itself = re.search(r"\b(?:deployment|module|version|config(?:uration)?|exclusion)\b", noun.partition(" of ")[0])
        if not itself or not sensible_noun(noun):
            target = trimmed(noun.partition(" of ")[2]) or (noun if sensible_noun(noun) else noun_behind(after) or noun)
    else:
        action = _become(spot, noun) or action
    if re.match(r"[^.;,]{0,50}?\bback to\b", spot.rest) and spot.verb.base in _MOVED_BACK:
        action = FixAction.REVERT
    if action in DIRECTED and not sensible_noun(target):
        target = noun_behind(after) or noun_behind(spot.rest) or target
    return action, target


def _become(spot: Spot, noun: str) -> FixAction | None:
    base = spot.verb.base
    applied = re.search(r"\b(?:terraform|kubectl|helm) apply|desired state|from (?:code|backup)", spot.text)
    if base == "create" and applied:
        return FixAction.RESTORE
    near = spot.rest[:40] if base in ("give", "bump") else ""
    if base in _GROW and not applied and _CAPACITY.search(f"{noun} {leading_noun(spot.rest)[0]} {near}"):
        return FixAction.SCALE
    return next(
        (action for verbs, rule, action in _BECOMES if base in verbs.split() and re.search(rule, noun, re.IGNORECASE)),
        None,
    )


def settled(spot: Spot, action: FixAction, target: str) -> tuple[FixAction | None, str]:
    """
    A silly target gives way to what the sentence changes, else to none; a weak verb without a target says nothing.
    """
    sensible = sensible_noun(target)
    if action in (FixAction.ROLLBACK, FixAction.REVERT) and CHANGE.fullmatch(target):
        return action, target
    vague = not sensible or (
        PROVIDER.search(spot.text) and re.search(r"\b(?:issue|problem|incident|outage)s?$", sensible)
    )
    if spot.verb.base in ("fix", "correct", "repair") and vague:
        return None, ""
    if action is FixAction.CONFIGURE and (restored := re.search(r"\b(?:restored|recovered)\s+(.*)", spot.rest)):
        thing = leading_noun(restored[1])[0]
        if thing and not _GENERIC.search(thing):
            return FixAction.RESTORE, thing
    if _only_the_end(spot, sensible):
        return None, ""
    if not sensible and (mark := _CHANGED.search(spot.text[: spot.place])):
        sensible = sensible_noun(leading_noun(mark[1] or mark[2])[0])
    stated = action is FixAction.PATCH and spot.verb.action is FixAction.OTHER
    return (action, sensible) if sensible or stated or action not in _WEAK else (None, "")


def _only_the_end(spot: Spot, target: str) -> bool:
    """
    "Service was restored" is the end, not what brought it.
    """
    if spot.verb.base not in ("restore", "recover") or (target and not _GENERIC.search(target)):
        return False
    came_back = AUXILIARY.search(spot.scope) or (spot.form == "past" and not leading_noun(spot.rest)[0])
    means = re.search(r"\b(?:from|back to|by \w+ing)\b", spot.rest.partition(",")[0])
    return bool(came_back) and not means
