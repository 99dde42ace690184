"""
The words that responders act by: verbs with their forms and particles, nouns of deeds, each with its action.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from graph.values import FixAction

_VERBS: tuple[tuple[FixAction, str], ...] = (
    (FixAction.ROLLBACK, "roll:back rollback downgrade"),
    (FixAction.REVERT, "revert undo back:out take:back"),
    (FixAction.FAIL_OVER, "fail:over re-route redirect promote evacuate"),
    (FixAction.SCALE, "scale:?up|down|out|in|back re-size up-size expand"),
    (FixAction.RESTART, "re-start re-boot bounce recycle re-cycle cycle power-cycle reload"),
    (FixAction.ROTATE, "rotate renew re-issue re-generate"),
    (FixAction.RESTORE, "restore recover re-create rebuild re-import replay re-apply re-install re-deploy re-provision re-index"),
    (FixAction.REPLACE, "replace swap:?out migrate"),
    (FixAction.BLOCK, "block ban throttle pause revoke quarantine isolate suspend"),
    (FixAction.CLEAR, "clear:?out flush purge delete remove clean:?up|out take:out drop prune free:?up evict truncate invalidate gzip compress tear:down kill terminate"),
    (FixAction.PATCH, "patch hotfix upgrade fix correct repair update rewrite"),
    (FixAction.CONFIGURE, "change set:?up re-set configure re-configure adjust tune lower reduce decrease raise increase double bump enable re-enable disable turn:off|on|down switch:off|on|back|over|to edit modify relax add create allow extend attach re-attach whitelist pin give grant provide amend put move shift tweak route divert skip bypass exclude unpause uncordon"),
    (FixAction.OTHER, "deploy apply implement introduce release push ship merge install roll:out issue request "
                      "perform conduct execute initiate complete carry:out kick:off run re-run launch provision start stop halt cordon drain stabilise stabilize shut:down deliver distribute broadcast"),
)  # fmt: skip
_PAST = {
    "undo": "undid|undone", "take": "took|taken", "give": "gave|given", "put": "put", "set": "set", "reset": "reset", "run": "ran|run",
    "rerun": "reran|rerun", "rebuild": "rebuilt", "tear": "tore|torn", "rewrite": "rewrote|rewritten", "shut": "shut", "broadcast": "broadcast", "gzip": "gzipped",
}  # fmt: skip
_DOUBLED = {"swap", "drop", "stop", "ban", "pin", "ship", "put", "set", "reset", "run", "rerun", "gzip", "shut", "skip"}
FREE = {"move", "shift", "redirect", "switch", "route", "reroute", "divert"}
"""Verbs of moving traffic, which need no object of their own: "switched to the second region"."""
DIRECTED = {FixAction.ROLLBACK, FixAction.REVERT, FixAction.FAIL_OVER, FixAction.REPLACE}
"""Actions whose target may stand behind "to" or "of" instead of beside the verb."""
_NOUNS: tuple[tuple[FixAction, re.Pattern[str]], ...] = tuple(
    (action, re.compile(rf"\b(?:{words})\b", re.IGNORECASE))
    for action, words in (
        (FixAction.ROLLBACK, r"roll-?back|downgrade"),
        (FixAction.REVERT, r"revert|reversion"),
        (FixAction.RESTART, r"(?:re-?start|re-?boot|power cycle)s?"),
        (FixAction.FAIL_OVER, r"fail-?over"),
        (FixAction.RESTORE, r"redeploy(?:ment)?|restoration|recreation|rebuild|restore"),
        (FixAction.ROTATE, r"rotation|renewal"),
        (FixAction.PATCH, r"(?:hot-?)?fix(?:es)?|patch(?:es)?|work-?arounds?|upgrade|mitigations?|build"),
        (FixAction.CONFIGURE, r"edit|exclusion|reconfiguration|configuration|config"),
    )
)
DEEDS, REPAIR = _NOUNS[:6], _NOUNS[6]
"""Of the nouns, those that are a deed by themselves, and the one that is a deed once it is applied."""
CHANGE = re.compile(
    r"\b(?:change|pr|commit|release|version|upgrade|update|config\w*|deploy\w*|migration)s?\b", re.IGNORECASE
)
"""Nouns of what is rolled out, and so may be taken back."""


@dataclass(frozen=True, slots=True)
class Verb:
    """
    A verb that responders act by: its action, and its particles with whether it needs one ("roll back").
    """

    base: str
    action: FixAction
    particles: str = ""
    needed: bool = False


def _inflected(base: str) -> dict[str, str]:
    """
    The forms of a verb, each with its name: base, third (person), past, gerund.
    """
    stem = base + base[-1] if base in _DOUBLED else base
    soft = base[:-1] + "i" if re.search(r"[^aeo]y$", base) else ""
    past = _PAST.get(base) or (base + "d" if base.endswith("e") else (soft or stem) + "ed")
    gerund = base[:-1] + "ing" if re.search(r"[^eo]e$", base) else stem + "ing"
    third = (soft or base) + "es" if soft or re.search(r"(?:s|x|ch|sh|o)$", base) else base + "s"
    return {third: "third", gerund: "gerund", base: "base"} | dict.fromkeys(past.split("|"), "past")


def _lexicon() -> dict[str, list[tuple[Verb, str]]]:
    found: dict[str, list[tuple[Verb, str]]] = {}
    for action, entries in _VERBS:
        for entry in entries.split():
            word, _, particles = entry.partition(":")
            verb = Verb(word.replace("-", ""), action, particles.lstrip("?"), bool(particles) and particles[0] != "?")
            for form, name in _inflected(verb.base).items():
                found.setdefault(form, []).append((verb, name))
    return found


LEXICON = _lexicon()
"""Every form of every verb, in lower case and without hyphen, with the verbs that it may be and the form's name."""


def named_action(noun: str) -> FixAction | None:
    """
    The action that a noun names by its head: "a rollback of the chart", "an emergency patch".
    """
    head = " ".join(noun.partition(" of ")[0].split()[-2:])
    if re.search(r"\bfix(?:es)?\b", noun):
        return FixAction.PATCH
    return next((action for action, rule in _NOUNS if rule.search(head)), None)
