"""
Whether what was done helped, as its clause or the next sentence tells.
"""

from __future__ import annotations

import re

from ingest.fixes.clauses import Act

FAILED = re.compile(
    r"did(?: not|n'?t) (?:\w+ )?(?:help|work|fix|resolve|solve|change|improve|make|succeed|have)|(?:do|does|is|was|were|are|have|has|had)(?:n'?t| not| no) (?:\w+ to )?(?:\w+ )?(?:fix|help|work|resolve|intended|effect|improvement|enough|success)"
    r"|without success|no (?:effect|improvement|luck|change|difference)|not having the|(?:again|also|still) fail(?:ed|s)?\b|(?:attempts?|tries|retry|it|this|that|which|rollback|restarts?|upgrade) failed\b|failed again|in vain|unsuccessful"
    r"|made (?:it|things|the queue) (?:worse|longer)|only (?:helped|gave|lasted)|helped for|gave only|minutes only|failed with `|to no avail|same (?:error|problem|issue|symptom)|(?:issue|problem|errors?|outage) (?:still )?persist(?!\w*\s(?:for|until|from|over))|not (?:enough|sufficient)",
    re.IGNORECASE,
)  # fmt: skip
"""Words that say that something did not help."""
ENDED = re.compile(
    r"(?<!not )(?<!not be )(?<!never )\b(?:resolved|fix(?:ed|es|ing) (?:the|this|it|that|both|everything)|(?:this|which|that|it) fixed|recovered|led to recovery|full recovery|restor(?:ed|es|ing)|back to (?:normal|a ready|work)|solv(?:ed|es)|mitigat(?:ed|ing)|return(?:ed)? to normal|came back|worked|successful(?:ly)?"
    r"|(?:errors|alerts?|incident|outage|impact) (?:ended|stopped|cleared|subsided)|(?:outage|incident|issue|problem) (?:was|were|is) fixed|everything (?:is |was )?(?:ok|fine|working)|services? (?:was|were) (?:back|restored)|stabili[sz](?:ed|ing)|back (?:online|up)|bring(?:ing)? .{1,40} back|brought .{1,40} back|things are working|went away|(?:rates?|latency|load|usage) (?:fell|dropped|went down|returned)|disappeared|ceased"
    r"|ended|resolves|resolution was|solution was|repair was|fix was|allowed .{1,60} to (?:complete|start|recover|continue|proceed|succeed)|to (?:resolve|fix|mitigate|restore|recover|stabili[sz]e|remediate|remedy) (?:the|this|it|service|normal|access|operations?|performance|availability))\b",
    re.IGNORECASE,
)  # fmt: skip
"""Words that say that the incident ended, or was to end by this."""
INVOLVED = re.compile(
    r"\b(?:recovery|remediation|mitigation|resolution|response|fix|workaround|solution)\s+(?:efforts?\s+|steps?\s+)?(?:involved|included|consisted of|required|was)\b(?:.{0,40}\bby)?\s*",
    re.IGNORECASE,
)
"""Words that announce the fix: "Recovery involved ..."."""
_BAD_NEWS = re.compile(
    r"^\W*(?:(?:unfortunately|however|but)\W+)?(?:neither|none of|(?:this|that|it|these|they|which)\s+(?:\w+\s+)?(?:did not|didn'?t|failed|had no|was not|wasn't|were not)|did(?:n't| not)|to no avail)\b",
    re.IGNORECASE,
)
GOOD_NEWS = re.compile(
    r"^\W*(?:and\s+)?(?:this|that|it|these|which|doing so)\s+(?:\w+\s+){0,2}?(?:resolved|fixed|solved|mitigated|restored|worked|helped|brought|ended|allowed)\b",
    re.IGNORECASE,
)
"""A next sentence that says that what came before helped."""


def outcome(sentence: str, act: Act, following: str, *, helped: bool) -> bool | None:
    """
    Whether an act worked; None where neither its clause nor what follows tells.
    """
    clause = part_at(sentence, act.start)
    before = sentence[: sentence.find(clause)] if clause != sentence else ""
    if re.search(r"\b(?:did|worked)\W*$", clause) and FAILED.search(before):
        return True
    but = r"\bbut (?:[\w'-]+ ){1,6}?(?:didn't|did not|not functioning|failed)\b"
    if not act.ended and re.search(but, sentence[act.start :]):
        return False
    if FAILED.search(clause) or (_BAD_NEWS.search(following) and not act.ended):
        return False
    return True if act.ended or helped else None


def part_at(sentence: str, place: int) -> str:
    """
    The part between semicolons or "but" that holds a place; a verdict ("but it did not help") stays with what it
    judges.
    """
    start, end = 0, len(sentence)
    for mark in re.finditer(
        r";\s+(?!(?:that|this|it|they|these|did|which)\b)|,?\s+but\s+(?!(?:that|this|it|they|these|did|not|without|to no)\b)",
        sentence,
    ):
        if mark.end() <= place:
            start = mark.end()
        elif mark.start() >= place:
            end = mark.start()
            break
    return sentence[start:end]
