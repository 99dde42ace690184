"""
Postmortem prose by rules: which section is what, and the fix with the words that state it.

A sentence states a fix where a verb that responders act by stands as something done: "we restarted X", "X was
restarted", "fixed by restarting X", "rollback of X". What stands under a cause, a discovery, a plan, a condition or an
accident was not done to end the incident, and says nothing. What did not help is kept as such. Where nothing is clear,
nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graph.values import Fix, FixAction, SectionKind

_HEADINGS: tuple[tuple[SectionKind, str], ...] = (
    (
        SectionKind.ACTION_ITEMS,
        r"action.?items?|review actions?|follow.?ups?|next steps|remediation items|actions?$|corrective|preventi|to.?do",
    ),
    (
        SectionKind.LESSONS,
        r"lessons?|what went (well|wrong)|went (well|badly)|where we got lucky|learn|retrospective|takeaways|could.*better",
    ),
    (SectionKind.TIMELINE, r"time.?line|chronolog|sequence of events|context|log of events|key events"),
    (
        SectionKind.RESOLUTION,
        r"resolution|resolv|recovery|mitigat|remediation|fix(es|ed)?\b|how.*(fixed|restored)|repair|workaround",
    ),
    (SectionKind.TRIGGER, r"trigger(?!ing.?alert)|what (triggered|started)"),
    (
        SectionKind.CAUSE,
        r"root.?cause|causes?\b|what happened|contributing|why|diagnos|problem$|analysis|fault|background",
    ),
    (SectionKind.DETECTION, r"detect|identified|triggering.?alert|how.*(found|noticed)|alert(ed|s)?$|discover|symptom"),
    (SectionKind.IMPACT, r"impact|affected|damage|customer|user.?facing|consequence|effects?$"),
    (SectionKind.SUMMARY, r"summary|overview|abstract|tl;?dr|description|introduction|in short|executive"),
)
_HEADING_RULES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _HEADINGS)


def section_kind(heading: str) -> SectionKind:
    """
    What a heading or key announces; OTHER where no rule knows it.
    """
    text = heading.replace("_", " ").strip(" :*#")
    return next((kind for kind, rule in _HEADING_RULES if rule.search(text)), SectionKind.OTHER)


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
_FREE = {"move", "shift", "redirect", "switch", "route", "reroute", "divert"}
_DIRECTED = {FixAction.ROLLBACK, FixAction.REVERT, FixAction.FAIL_OVER, FixAction.REPLACE}
_RUNS = {"run", "execute"}
_PLAIN = {"stop", "cordon", "drain", "halt", "rerun", "shut"}
_RUN = {"run", "apply", "deploy", "install", "merge", "release", "execute", "introduce"}
_GROW = {"increase", "raise", "double", "bump", "extend", "expand", "add", "deploy", "launch", "provision", "grant", "give", "request", "start", "create"}  # fmt: skip
_CAPACITY = re.compile(
    r"\b(?:replicas?|nodes?|instances?|capacity|memory|cpus?|disks?|storage|volumes?|sizes?|limits?|quotas?|pools?|shards?|iops|requests?|workers|servers|machines|hosts|brokers|buffers?|guarantees?|resources)\b",
    re.IGNORECASE,
)
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
# of the nouns, those that are a deed by themselves, and the one that is a deed once it is applied
_DEEDS, _REPAIR = _NOUNS[:6], _NOUNS[6]


@dataclass(frozen=True, slots=True)
class _Verb:
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


def _lexicon() -> dict[str, list[tuple[_Verb, str]]]:
    found: dict[str, list[tuple[_Verb, str]]] = {}
    for action, entries in _VERBS:
        for entry in entries.split():
            word, _, particles = entry.partition(":")
            verb = _Verb(word.replace("-", ""), action, particles.lstrip("?"), bool(particles) and particles[0] != "?")
            for form, name in _inflected(verb.base).items():
                found.setdefault(form, []).append((verb, name))
    return found


_LEXICON = _lexicon()

_FAILED = re.compile(
    r"did(?: not|n'?t) (?:\w+ )?(?:help|work|fix|resolve|solve|change|improve|make|succeed|have)|(?:do|does|is|was|were|are|have|has|had)(?:n'?t| not| no) (?:\w+ to )?(?:\w+ )?(?:fix|help|work|resolve|intended|effect|improvement|enough|success)"
    r"|without success|no (?:effect|improvement|luck|change|difference)|not having the|(?:again|also|still) fail(?:ed|s)?\b|(?:attempts?|tries|retry|it|this|that|which|rollback|restarts?|upgrade) failed\b|failed again|in vain|unsuccessful"
    r"|made (?:it|things|the queue) (?:worse|longer)|only (?:helped|gave|lasted)|helped for|gave only|minutes only|failed with `|to no avail|same (?:error|problem|issue|symptom)|(?:issue|problem|errors?|outage) (?:still )?persist(?!\w*\s(?:for|until|from|over))|not (?:enough|sufficient)",
    re.IGNORECASE,
)  # fmt: skip
_ENDED = re.compile(
    r"(?<!not )(?<!not be )(?<!never )\b(?:resolved|fix(?:ed|es|ing) (?:the|this|it|that|both|everything)|(?:this|which|that|it) fixed|recovered|led to recovery|full recovery|restor(?:ed|es|ing)|back to (?:normal|a ready|work)|solv(?:ed|es)|mitigat(?:ed|ing)|return(?:ed)? to normal|came back|worked|successful(?:ly)?"
    r"|(?:errors|alerts?|incident|outage|impact) (?:ended|stopped|cleared|subsided)|(?:outage|incident|issue|problem) (?:was|were|is) fixed|everything (?:is |was )?(?:ok|fine|working)|services? (?:was|were) (?:back|restored)|stabili[sz](?:ed|ing)|back (?:online|up)|bring(?:ing)? .{1,40} back|brought .{1,40} back|things are working|went away|(?:rates?|latency|load|usage) (?:fell|dropped|went down|returned)|disappeared|ceased"
    r"|ended|resolves|resolution was|solution was|repair was|fix was|allowed .{1,60} to (?:complete|start|recover|continue|proceed|succeed)|to (?:resolve|fix|mitigate|restore|recover|stabili[sz]e|remediate|remedy) (?:the|this|it|service|normal|access|operations?|performance|availability))\b",
    re.IGNORECASE,
)  # fmt: skip
_BLAMES = re.compile(
    r"\b(?:because|due to|owing to|caus(?:e|es|ed|ing)|since|as a result of|le(?:d|ads) to|leading to|result(?:s|ed|ing) (?:in|from)|trigger(?:s|ed|ing)?|introduced by|if|whether|unless|in case|although|though|even"
    r"|attributed to|potentially|perhaps|probably|possibly|why|how)\b",
    re.IGNORECASE,
)
_FOUND_OUT = re.compile(
    r"\b(?:identif(?:y|ies|ied)|found|finds?|notic(?:e|es|ed)|discover(?:s|ed)?|reali[sz](?:es?|ed)|suspect\w*|theori[sz]ed|conclud(?:es?|ed)|determin(?:es?|ed)|believ(?:es?|ed)|thought|thinks?|hypothes\w+|learn(?:ed|t)"
    r"|understood|reveal(?:s|ed)|show(?:s|ed|n)|(?:noted|observ(?:ed|es)|saw|report(?:s|ed)|confirm(?:s|ed)|indicat(?:es?|ed)|sa(?:y|ys|id)|explain(?:s|ed)) (?:that|out|their|an?|the|seeing)|root cause|cause (?:was|is))\b",
    re.IGNORECASE,
)
_MODAL = re.compile(
    r"\b(?:should|shall|will|would|could|may|might|must|can|cannot|needs? to|wants? to|wanted to|plan(?:s|ned|ning)?|going to|propos\w+|consider\w*|intend\w*|hop(?:e|es|ed|ing)|aim\w*|recommend\w*|suggest\w*|commit(?:ted)? to"
    r"|ask(?:s|ed|ing)? .{0,40}\bto|investigat\w+|in order to|future|long.?term|would've|ideally|typically|usually|normally|you|your)\b|\w'(?:ll|d)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\bnot|n'?t|\bnever|\bwithout|\bno|\bunable to|\bfail\w* to|\bnor|\bavoid\w*|\bprevent\w*|\binstead of|\brather than|\bstop\w*|\bfrom|\bbe|\bof|\bfor|\bneed|\bcapable)\s+(?:the\s+|\w+ly\s+)?$",
    re.IGNORECASE,
)
_ACCIDENT = re.compile(
    r"\b(?:somehow|accident\w*|unintention\w*|mistak\w*|inadvertent\w*|incorrectly|erroneously|wrongly|unexpectedly|malicious\w*|silently|automatically|without fully|unaware|fully aware|unsuccessfully|attackers?)\b",
    re.IGNORECASE,
)
_HARMED = re.compile(
    r"\b(?:which|that|and|this)\s+(?:then\s+)?(?:broke|caused (?:the |an )?(?:\w+ )?(?:outages?|incident|issues?|failures?|errors?|problems?|downtime)(?! to (?:stop|clear|drop|subside|recover|end|go))|led to (?:the |an )?(?:\w+ )?(?:outage|incident|errors?))"
    r"|,\s+(?:causing|breaking|triggering|resulting in|leading to) (?!.{0,20}recover)",
    re.IGNORECASE,
)
_BY_ITSELF = re.compile(
    r"\b(?:accidentally|unintentionally|inadvertently|by mistake|incorrectly|unexpectedly|automatically|whenever|every time|repeatedly|(?:by|on) (?:itself|themselves|its own|their own))\b",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    r"\b(?:during|while|whilst|before|until|prior to|as part of|immediately (?:after|following)|earlier|previously|originally|had been|had (?:already )?$|used to|whenever|as)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\b(?:when|after|following|upon|once)\b", re.IGNORECASE)
_LATER = re.compile(
    r"^\W*(?:to (?:prevent|avoid|reduce) (?:\w+ ){0,4}(?:recur|incident|similar|happen|issue|problem|outage|chance|likelihood|future)|as (?:a )?prevent|in the future|going forward|long.?term|lessons"
    r"|(?:\w+ ){0,3}(?:remediation|improvement|follow.?up|next step|measure|lesson|prevent)\w*\b.{0,60}\b(?:includes?|involves?|are|is|will)\b|\[[ x]\])"
    r"|\b(?:is|are) (?:also |now |currently )?(?:implementing|planning|working on|reviewing|improving|developing|adding|investing)\b|\bcommitted to\b|\bimprove(?:ments?|d)? (?:includ|to our)",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    r"\b(?:we|i|they|team|teams|engineers?|engineering|admins?|administrators?|lead|operators?|operations|staff|developers?|on-?call|sres?|responders?|support|technicians?|us|providers?|vendors?|carriers?|contractors?)\b",
    re.IGNORECASE,
)
_INVOLVED = re.compile(
    r"\b(?:recovery|remediation|mitigation|resolution|response|fix|workaround|solution)\s+(?:efforts?\s+|steps?\s+)?(?:involved|included|consisted of|required|was)\b(?:.{0,40}\bby)?\s*",
    re.IGNORECASE,
)
_AUX = re.compile(
    r"\b(?:was|were|where|is|are|been|being|be|got|get|gets)\s+(?:(?:\w+ly|also|then|later|first|just|now)\s+){0,3}$",
    re.IGNORECASE,
)
_DETERMINED = re.compile(
    r"(?:^|\s)(?:a|an|the|this|these|those|its|their|our|newly|recently|some|any|no|with|using|of|previously|deploys|(?:new|old|larger|smaller|previous),?)\s+$",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(
    r"[;:(\"“]\s*|,\s+|\s[–—-]\s|\b(?:but|so|hence|therefore|(?<!was )(?<!were )(?<!is )(?<!are )(?<!been )then|i\.e\.)\s+(?!that\b)|\band\s+(?=(?:(?:then|we|they|I|also|subsequently|the team|engineers?|\w+ly)\s+)*$)",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"(?<![\w-])(?:and|or|which|who|that|so|after|because|since|by|to|with|without|until|when|while|where|due|from|into|in|on|onto|at|for|via|using|as|but|then|than|was|were|is|are|has|have|had|been|be|being|up|down|off|out|away|back|over"
    r"|across|through|between|within|during|before|again|manually|automatically|successfully|immediately|temporarily|subsequently|currently|promptly|instead|not|did|does|do|didn't|will|would|should|could|can|fix(?:es|ed)|resolv\w+|restor(?:es|ed)"
    r"|solv\w+|help(?:s|ed)|work(?:s|ed)|allow(?:s|ed)|caus\w+|mitigat(?:es|ed)|brought|seem\w*|however|failed|got|went|began|under|against|per|took|made|created|left|located|named|called|all|anyway|already|more|done|one(?= by)|only|also|just|now|later|we|they|it)(?![\w-])"
    r"|[,;()\[\]\"“”!?]|[.:](?=\s|$)|\s[–—-]\s",
    re.IGNORECASE,
)  # fmt: skip
_LEADING = re.compile(
    r"^(?:(?:once|when|after|following|the|a|an|our|your|their|its|his|her|this|these|those|that|all|some|any|both|each|every|of|more|further|one|also|then|just|still|again|finally|subsequently|lastly|first|next|upon|team|we|they|up|down|out|off|back|on|over"
    r"|\w+(?<!app)(?<!ear)(?<!on)(?<!dai)(?<!fami)(?<!supp)(?<!ass)(?<!anoma)ly)(?![\w-])|[*_:|>=-]+)\s*",
    re.IGNORECASE,
)  # fmt: skip
_SILLY = frozenset(
    ["manually", "issue", "issues", "problem", "problems", "incident", "incidents", "outage", "it", "this", "that", "them", "they", "all", "everything", "yet", "back", "one", "ones", "fix", "fixes", "the", "things", "same", "which", "number", "we", "us", "error", "errors", "order", "some", "others", "new", "none", "work", "him", "full", "immediate", "quick", "careful", "rolling", "rollout", "global", "manual", "emergency", "permanent", "temporary", "interim", "short-term", "inline", "production", "prod", "staging", "change", "changes", "attempt", "solution", "impact", "service-affecting", "bug", "root", "cause", "underlying", "situation", "both", "nothing", "each", "other", "and", "or", "latter", "former", "patch", "update", "version"]
)  # fmt: skip
_NOT_ACTED = re.compile(
    r"(?<![\w-])(?:tickets?|support cases?|incident|alerts? (?:rule|for)|alarms?|question|concerns?|awareness|calls?|meeting|channel|thread|documents?|comms|statement|apolog\w+|statistics|customers?|users?|community|status page|monitoring|visibility|reports?|postmortem|investigation|review|timeline|time|confidence|summary|severity|priority|logging|log level|dashboards?|runbooks?|documentation|docs|tests?|metrics|alerting|analysis|checks?|validation|audit)\s*$",
    re.IGNORECASE,
)
_PROPER = re.compile(
    r"(?!(?:\w+ing|The|A|An|This|That|These|It|One|Our|Its|Their|His|Her|My|Some|All|Each|Many|No|Most|Which)\b)[A-Z]"
)
_CHANGE = re.compile(
    r"\b(?:change|pr|commit|release|version|upgrade|update|config\w*|deploy\w*|migration)s?\b", re.IGNORECASE
)
_HAD_TO = re.compile(
    r"\b(?:had|needed|prioriti[sz]ed|able|managed|proceeded|began|started|continued|forced|(?:repair|fix|solution|resolution|workaround) was)\s+to\s+(?:\w+ly\s+)?$",
    re.IGNORECASE,
)
_WE = re.compile(r"\b(?:we|they|I|engineers|teams?|admins)\s+(?:(?:just|also|then|now|\w+ly)\s+)*$", re.IGNORECASE)
_MOVES_ITSELF = {"restart", "rebuild", "migrate", "reload", "reboot", "recover", "terminate", "clear", "change", "increase", "drop", "run", "start", "stop", "complete"}  # fmt: skip
_CODE = re.compile(r"`([^`\n]{2,80})`")
_REFERENCE = re.compile(r"(?:#|/pull/|/commit/|PR\s*#?)([0-9a-f]{7,40}|\d{1,6})\b")
_WEIGHTS = (
    (SectionKind.RESOLUTION, 3.0),
    (SectionKind.TIMELINE, 1.0),
    (SectionKind.SUMMARY, 1.6),
    (SectionKind.CAUSE, 0.6),
    (SectionKind.OTHER, 0.4),
)
_STRENGTH = {
    FixAction.CONFIGURE: -0.3,
    FixAction.OTHER: -0.35,
    FixAction.CLEAR: -0.15,
    FixAction.PATCH: -0.15,
    FixAction.REPLACE: -0.1,
    FixAction.BLOCK: -0.1,
    FixAction.WAIT: -0.6,
}

_ENTRY = r"(?:\d{4}-\d{2}-\d{2}[ T]*)?\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s*[ap]m\b)?(?:\s*(?:UTC|GMT|BST|[ECMP][SD]?T|CES?T|IST)\b)?"
_BARE_HEADING = r"(?:user |customer )?impact|summary|overview|resolution|mitigation|remediation|timeline|root causes?|what happened\??|detection|action items|lessons learned|background|what (?:went|did)[^\n.]{0,30}|where we got lucky"
_SENTENCE = re.compile(
    r"```.*?(?:```|\Z)|^#{1,6}[ \t][^\n]*$|^(?:"
    + _BARE_HEADING
    + r")[ \t]*:?[ \t]*$|(?<!e\.g\.)(?<!i\.e\.)(?<!approx\.)(?<=[.!?])[\"')\]]*\s+(?-i:(?=[A-Z`*\"'(\[]))"
    r"|(?:\A|\n)[ \t]*(?:[-*+•]|\d{1,2}[.)])[ \t]+|\n\s*(?=\n)|\n(?=[ \t]*" + _ENTRY + r"[^\n]*\w)",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:[\s>–—-]+|"
    + _ENTRY
    + r"\s*[-–—:]*\s+|\d{4}-\d{2}-\d{2}\s*[-–—:]*\s+|\*\*[^*\n]{1,40}\*\*\s*:?\s*|(?:update|resolution|fix|mitigation|note|resolution note|message|description)\s*:\s+)+",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?:\A|\n)[ \t]*(?:[-*+•]|\d{1,2}[.)])[ \t]+\Z")
_BAD_NEWS = re.compile(
    r"^\W*(?:(?:unfortunately|however|but)\W+)?(?:neither|none of|(?:this|that|it|these|they|which)\s+(?:\w+\s+)?(?:did not|didn'?t|failed|had no|was not|wasn't|were not)|did(?:n't| not)|to no avail)\b",
    re.IGNORECASE,
)
_GOOD_NEWS = re.compile(
    r"^\W*(?:and\s+)?(?:this|that|it|these|which|doing so)\s+(?:\w+\s+){0,2}?(?:resolved|fixed|solved|mitigated|restored|worked|helped|brought|ended|allowed)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    listed: bool
    fix: bool
    """Its own label, or a heading in the text, says that it is the resolution: "**Resolution**: ..."."""


@dataclass(frozen=True, slots=True)
class _Act:
    """
    One thing done, as a sentence states it.
    """

    action: FixAction
    target: str
    start: int
    form: str
    ended: bool
    doubt: float = 0.0
    passive: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    fix: Fix
    score: float


@dataclass(frozen=True, slots=True)
class _Spot:
    """
    A verb where it stands.
    """

    verb: _Verb
    form: str
    text: str
    place: int
    end: int
    kind: SectionKind
    acts: tuple[_Act, ...]
    """What the sentence was found to say before it."""
    imperative: bool

    @property
    def before(self) -> str:
        return _before(self.text[: self.place])

    @property
    def scope(self) -> str:
        """Its own clause, as far as it stands before the verb."""
        return _scope(self.before)

    @property
    def rest(self) -> str:
        return self.text[self.end :]


def sentences(text: str) -> Iterator[str]:
    """
    The sentences, list items and timeline entries of a text, exact substrings of it, without their heading or clock.
    """
    for piece in _pieces(text):
        yield piece.text


def _pieces(text: str) -> Iterator[_Piece]:
    start, ending, listed = 0, False, False
    for mark in [*_SENTENCE.finditer(text), None]:
        end = mark.start() if mark else len(text)
        if mark and mark[0].strip(" \t\n)]'\"") == "" and mark[0][:1] in "\"')]":
            end += len(mark[0].rstrip())
        for line in _entries(text[start:end]):
            label = _LABEL.match(line.strip())
            piece = line.strip()[label.end() if label else 0 :].strip()
            named = bool(label and re.search(r"resol|fix|mitigat|remed", label[0], re.IGNORECASE))
            if piece:
                yield _Piece(piece, listed, ending or named)
        if mark and re.fullmatch(_BARE_HEADING + r"[ \t]*:?[ \t]*", mark[0], re.IGNORECASE):
            ending = bool(re.match(r"resol|mitigat|remed", mark[0], re.IGNORECASE))
        start, listed = (mark.end(), bool(_LISTED.search(mark[0]))) if mark else (end, False)


def _entries(block: str) -> list[str]:
    """
    A block's lines where each is an entry of its own, else the block: prose is wrapped within a hundred-odd columns.
    """
    lines = [line for line in block.strip().split("\n") if line.strip()]
    capital = all(line.lstrip()[:1].isupper() or line.lstrip()[:1].isdigit() for line in lines)
    return lines if capital and len(lines) > 1 and (max(map(len, lines)) > 120 or len(lines) > 2) else [block]


def extract_fixes(sections: Mapping[SectionKind, str], limit: int = 6, *, imperative: bool = False) -> tuple[Fix, ...]:
    """
    What ended the incident first, then what else helped, then what was tried in vain. Quotes are substrings of the
    section that they come from. With `imperative`, advice ("Restart the pod") counts as well as reports.
    """
    found: list[_Found] = []
    for kind, weight in _WEIGHTS:
        pieces = list(_pieces(sections.get(kind, "")))
        lead = False
        for place, piece in enumerate(pieces):
            lead = (lead and piece.listed) or _leads(piece.text)
            step = 0.05 * min(place, 8) if kind is SectionKind.TIMELINE else -0.02 * min(place, 8)
            following = pieces[place + 1].text if place + 1 < len(pieces) else ""
            if piece.fix and kind is not SectionKind.RESOLUTION:
                step += 1.0
            found += _found(
                piece,
                SectionKind.RESOLUTION if piece.fix else kind,
                weight + step,
                following,
                lead=lead,
                imperative=imperative,
            )
    worked = sorted((one for one in found if one.fix.worked is not False), key=lambda one: -one.score)
    tried = [one.fix for one in found if one.fix.worked is False]
    best = worked[0].score if worked else 0.0
    kept = [one.fix for one in worked if one.score >= best - 1.0][: limit - 2]
    return tuple(_distinct([*kept, *tried])[:limit])


def _leads(text: str) -> bool:
    """
    Whether a list of what ended it follows: "This was resolved by:".
    """
    return (
        text.rstrip().endswith(":")
        and bool(re.search(r"\b(?:by|following|steps|actions)\W*$", text))
        and bool(_ENDED.search(text))
    )


def _found(
    piece: _Piece, kind: SectionKind, weight: float, following: str, *, lead: bool, imperative: bool
) -> Iterator[_Found]:
    """
    What one sentence says was done, the likeliest first; that and what was tried beside it.
    """
    sentence = piece.text
    if len(sentence) > 1200 or _LATER.search(sentence):
        return
    helped = bool(_GOOD_NEWS.search(following)) or (lead and piece.listed)
    acts = _acts(sentence, kind, imperative=imperative or (lead and piece.listed))
    judged = [(act, _outcome(sentence, act, following, helped=helped)) for act in acts]
    good = [(act, worked) for act, worked in judged if worked is not False and _believed(act, worked, kind)]
    bad = [act for act, worked in judged if worked is False]
    if good:
        act, worked = max(
            good, key=lambda one: (_STRENGTH.get(one[0].action, 0.0) + 0.5 * one[0].ended - one[0].doubt, -one[0].start)
        )
        score = weight + _STRENGTH.get(act.action, 0.0) - act.doubt + (0.8 if worked else 0.0)
        sure = worked or (True if kind is SectionKind.RESOLUTION and act.doubt < 1 else None)
        if kind is SectionKind.TIMELINE and not worked:
            score -= 0.5
        yield _Found(_fix(act, sentence, sentence, kind, sure), score)
    for act in bad[:1]:
        quote = _clause(sentence, act.start) if good else sentence
        yield _Found(_fix(act, sentence, quote, kind, False), weight)


def _fix(act: _Act, sentence: str, quote: str, kind: SectionKind, worked: bool | None) -> Fix:
    reference = _REFERENCE.search(sentence)
    takes_back = act.action in (FixAction.REVERT, FixAction.ROLLBACK)
    return Fix(
        action=act.action,
        target=act.target,
        quote=quote,
        section=kind.value,
        reverts=reference[1] if reference and takes_back else None,
        worked=worked,
    )


def _believed(act: _Act, worked: bool | None, kind: SectionKind) -> bool:
    """
    Outside what tells of the response, an act counts where it is said to have ended something, or takes a change back.
    """
    # what "was deleted" in a timeline may as well be the damage
    damage = act.passive and act.action in (FixAction.CLEAR, FixAction.RESTART, FixAction.BLOCK)
    return bool(
        worked
        or kind is SectionKind.RESOLUTION
        or (kind is SectionKind.TIMELINE and act.doubt < 1 and not damage)
        or (act.action in (FixAction.ROLLBACK, FixAction.REVERT) and act.doubt < 0.5)
    )


def _outcome(sentence: str, act: _Act, following: str, *, helped: bool) -> bool | None:
    clause = _clause(sentence, act.start)
    before = sentence[: sentence.find(clause)] if clause != sentence else ""
    if re.search(r"\b(?:did|worked)\W*$", clause) and _FAILED.search(before):
        return True
    but = r"\bbut (?:[\w'-]+ ){1,6}?(?:didn't|did not|not functioning|failed)\b"
    if not act.ended and re.search(but, sentence[act.start :]):
        return False
    if _FAILED.search(clause) or (_BAD_NEWS.search(following) and not act.ended):
        return False
    return True if act.ended or helped else None


def _clause(sentence: str, place: int) -> str:
    """
    The part between semicolons or "but" that holds a place; a verdict ("but it did not help") stays with what it judges.
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


def _acts(sentence: str, kind: SectionKind, *, imperative: bool) -> list[_Act]:
    """
    All that a sentence says was done, in its order.
    """
    text = _plain(sentence)
    masked = _CODE.sub(lambda mark: "x" * len(mark[0]), text)
    acts: list[_Act] = []
    for word in re.finditer(r"(?<![\w.@#/-])[A-Za-z]+(?:-[A-Za-z]+)?(?![\w/])", masked):
        for verb, form in _LEXICON.get(word[0].lower().replace("-", ""), ()):
            act = _act(_Spot(verb, form, text, word.start(), word.end(), kind, tuple(acts), imperative))
            if act:
                acts.append(act)
                break
    return acts or _noun_acts(text, masked) or _means(text) or _provider_acts(text)


def _plain(sentence: str) -> str:
    """
    The sentence with links' targets and emphasis blanked, of the same length, so that places hold in both.
    """
    blank = re.sub(r"\]\([^)\n]*\)?|https?://\S+", lambda mark: " " * len(mark[0]), sentence)
    return re.sub(r"[\[*]|(?<!\w)_|_(?!\w)", " ", blank).replace("\n", " ").replace("’", "'")


def _act(spot: _Spot) -> _Act | None:
    particle = _particle(spot.verb, spot.text, spot.end)
    if (spot.verb.needed and particle is None) or _out_of_place(spot.text[: spot.place], spot.rest, spot.form):
        return None
    if spot.rest.lstrip(" *_").startswith(":"):
        return None  # a label: "Repaired: 10:40"
    if spot.verb.base in ("run", "rerun") and re.match(r"\s*(?:out|into|low|away|over)\b", spot.rest):
        return None
    thing, after = _acted_on(spot, particle if particle is not None else spot.end)
    pronoun = re.match(r"\s+(?:it|them|this)\b", spot.rest)
    if pronoun and not thing and _scope(spot.before) != spot.before:
        thing = _PEOPLE.sub("", _object(spot.before)[0]).strip()  # "the table was lost, so we restored it"
    voice = _voice(spot, thing or (pronoun[0].strip() if pronoun else ""))
    if voice is None:
        return None
    passive, doubt = voice
    noun = _subject(spot.scope, spot.before) if passive else thing
    action, target = _settled(spot, *_refined(spot, noun, spot.rest if passive else after))
    apart = _ENDED.search(spot.rest) or _ENDED.search(spot.before)
    vague = action is FixAction.OTHER and spot.verb.base not in _PLAIN and not apart
    if vague and (spot.kind is not SectionKind.RESOLUTION or spot.verb.base not in _RUN):
        return None
    if action is None or _NOT_ACTED.search(target.partition(" of ")[0]):
        return None
    around = spot.text[: spot.place] + " " * (spot.end - spot.place) + spot.rest
    ended = bool(_ENDED.search(around) or _INVOLVED.search(spot.before))
    return _Act(action, target, spot.place, spot.form, ended, doubt, passive)


def _acted_on(spot: _Spot, end: int) -> tuple[str, str]:
    """
    The object behind a verb and its particle, with what follows: beside it, before the particle, behind "to", or the
    one that it shares with the next verb ("cordoning and draining nodes").
    """
    thing, after = _object(spot.text[end:])
    if not thing and end > spot.end:
        thing = _object(spot.rest)[0]
    free = spot.form != "past" or not spot.scope.strip() or bool(_PEOPLE.search(spot.scope))
    if not thing and free and (spot.verb.action in _DIRECTED or spot.verb.base in _FREE):
        thing = _behind(spot.text[end:])
    if not thing and (shared := re.match(r"\s*(?:and|or|/)\s+\w+(?:ing|ed)\s+(.*)", spot.text[end:])):
        thing, after = _object(shared[1])
    return thing, after


def _particle(verb: _Verb, text: str, place: int) -> int | None:
    """
    Where the verb's particle ends, beside it ("rolled back X") or behind its object ("rolled X back").
    """
    if not verb.particles:
        return None
    mark = re.match(rf"[ -](?:{verb.particles})\b(?!-)", text[place:], re.IGNORECASE)
    if mark:
        return place + mark.end()
    far = re.match(
        rf"(?:\s+(?!(?:that|which|who|to|and|us)\b)[^\s,.;:()]+){{1,6}}?\s+(?:{verb.particles})\b(?!-)",
        text[place:],
        re.IGNORECASE,
    )
    return place if far else None


def _before(text: str) -> str:
    """
    What stands before a verb, without what is put in between: brackets, and ", which ...,".
    """
    bare = re.sub(r"\([^()]*\)", lambda mark: " " * len(mark[0]), text)
    return re.sub(r",\s+(?:which|who)\b[^,]*,", lambda mark: " " * len(mark[0]), bare)


def _scope(before: str) -> str:
    marks = list(_BOUNDARY.finditer(before))
    return before[marks[-1].end() :] if marks else before


def _out_of_place(raw: str, rest: str, form: str) -> bool:
    """
    Whether it stands under a cause, a discovery, a plan, a denial, or happened by accident, earlier or as a rule.
    """
    before = _before(raw)
    scope = _scope(before)
    if any(rule.search(scope) for rule in (_BLAMES, _FOUND_OUT, _MODAL, _EARLIER)) or _ACCIDENT.search(raw):
        return True
    if (learnt := _LEARNT.search(before)) and not _TURNS.search(before[learnt.end() :]):
        return True
    if _BY_ITSELF.search(re.split(r"[,;.](?:\s|$)", rest)[0]) or _HARMED.search(rest):
        return True
    if re.search(r"\b(?:that|who|whom)\s+(?:\w+\s+){0,3}$|\bwhich\s+(?:\w+ly\s+)?$", scope):
        return True
    if _DENIED.search(scope) and not re.search(r"\b(?:by|(?:had|needed) to be)\s+(?:\w+ly\s+)?$", scope):
        return True
    told = bool(_ENDED.search(rest.partition(",")[2] or rest))
    if after := _AFTER.search(scope):
        return not told and not _ENDED.search(scope[: after.start()])
    if _GOVERNED.match(re.split(r"[;,:]\s", before)[-1]) and not told:
        return True
    rule = re.match(r"\W*(?:when(?:ever)?|if)\b", before, re.IGNORECASE) and re.search(
        r"\b(?:is|are)\s+(?:being\s+)?$", scope
    )
    return bool(rule) or (form in ("past", "third") and bool(_PRONOUN.match(scope)))


_LEARNT = re.compile(
    r"\b(?:identif\w+|f(?:ind|ound)s?|notic\w+|discover\w*|reali[sz]\w+|suspect\w*|conclud\w+|determin\w+|believ\w+|thought|noted|observ\w+|saw|report\w*|confirm\w*|reveal\w*|show\w*|explain\w*) that\b",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"[,;.]\s+(?:and\s+)?(?:we|they|I|the team|(?:\w+\s+)?(?:engineers?|team))\b|\b(?:so|hence|therefore)\b|\band\s+(?:\w+ly\s+)?$|[.:;]\s",
    re.IGNORECASE,
)
_GOVERNED = re.compile(r"\W*(?:after|when|once|while|because|although|if|since)\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\W*(?:this|it|that|these|those|which|and it)\s+(?:also\s+|then\s+)?$", re.IGNORECASE)


def _voice(spot: _Spot, thing: str) -> tuple[bool, float] | None:
    """
    Whether the verb is passive, and how doubtful it is; None where it tells of nothing done by those who respond.
    """
    if spot.form == "gerund":
        return _gerund(spot)
    if spot.form == "past" and not re.search(r"\bto\s+$", spot.scope, re.IGNORECASE):
        if _AUX.search(spot.scope):
            return (True, 0.3 if re.search(r"\bbeing\s+$", spot.scope) else 0.0)
        if not thing and not spot.scope.strip() and spot.acts and spot.acts[-1].passive:
            return (True, 0.1)
        return _past(spot, thing)
    if spot.form == "third":
        people = _PEOPLE.search(spot.scope) or (not spot.scope.strip() and _PEOPLE.search(spot.before))
        return (False, 0.2) if thing and people else None
    return _bare(spot, thing)


def _past(spot: _Spot, thing: str) -> tuple[bool, float] | None:
    """
    "We restarted X" and "Restarted X" are active, "X restarted" and "X reverted" passive; what moved by itself is none.
    """
    subject = re.sub(r"\b(?:has|have|then|also|first|just|\w+ly)\b|[*_]", " ", spot.scope, flags=re.IGNORECASE).strip()
    headed = not subject and re.match(r"\W*(?:\w+ly\s+)?[A-Z]?\w+ing\b", spot.before)
    if headed or _DETERMINED.search(spot.before) or re.search(r"\bhad\s*$|ed\s*$|\b(?:saw|with)\s*$", subject):
        return None
    if thing:
        return (
            (False, 0.0)
            if not subject or _PEOPLE.search(subject) or _PROPER.match(subject) or subject[0] == "@"
            else None
        )
    if len(subject.split()) > 7 or re.search(
        r"\b(?:by|because|rendered)\b|^no(?:ne|body|thing)?\b", subject, re.IGNORECASE
    ):
        return None
    if not subject or _PEOPLE.fullmatch(subject) or (spot.verb.base == "revert" and not _CHANGE.search(subject)):
        return None
    told = spot.kind is SectionKind.RESOLUTION and not re.search(r"\bha[sv]e?\b", spot.scope)
    return (True, 0.1) if told or spot.verb.base not in _MOVES_ITSELF else None


def _gerund(spot: _Spot) -> tuple[bool, float] | None:
    """
    "By restarting X", "Restarting X fixed it", "the team restarting X"; not what merely went along with something.
    """
    scope, before, told = spot.scope, spot.before, spot.imperative or spot.kind in _TOLD
    if re.search(r"\b(?:by|after|following|upon|when|once)\s+(?:\w+ly\s+)?$", scope):
        return (False, 0.0)
    if re.search(_INVOLVED.pattern + r"(?:\w+ly\s+)?$", before, re.IGNORECASE):
        return (False, 0.0)
    if re.search(r"\b(?:started|began|begun|continued|finished|completed)\s+$", scope, re.IGNORECASE):
        return (False, 0.1) if _PEOPLE.search(before) or len(scope.split()) < 2 else None
    if re.search(r"\b(?:tried|attempted|trying)\s+$", scope, re.IGNORECASE):
        return (False, 1.0)
    bare = re.sub(r"\b(?:by|and|then|also|\w+ly)\b", " ", scope, flags=re.IGNORECASE).strip()
    first = not re.sub(r"\b\w+ly\b", "", before).strip(" ,*_-") or re.search(
        r"(?:i\.e\.|[;:.\"“])\s*(?:\w+ly\s+)?$", before
    )
    if not bare and first and (told or _ENDED.search(spot.rest) or _FAILED.search(spot.rest)):
        return (False, 0.0)
    if not bare and spot.acts and spot.acts[-1].form == "gerund":
        return (False, 0.1)
    people = told and _PEOPLE.search(bare) and not re.search(r"\b(?:was|were|is|are|been|of|for|to|from|in)\b", bare)
    return (False, 0.2) if people and len(bare.split()) < 6 else None


def _bare(spot: _Spot, thing: str) -> tuple[bool, float] | None:
    """
    A base form: an order at the head of an entry, "we restart X", or "had to restart X".
    """
    if not thing or re.match(r"\s*(?:of|was|were|is|has|in|at|complete)\b", spot.rest):
        return None
    lead = re.sub(r"\b(?:\w+ly|then|also|or|and|force|just|\w+ and)\b", " ", spot.before, flags=re.IGNORECASE)
    lead = lead.strip(" *_-:.>").lower()
    told = spot.imperative or spot.kind is SectionKind.RESOLUTION
    purpose = lead == "to" and re.search(r",\s*(?:the|we|our|engineers?|\w+ team)\b", spot.rest)
    if told and lead in ("", "to") and not purpose:
        return (False, 0.0 if spot.imperative else 0.2)
    if told and not spot.scope.strip() and spot.acts and spot.acts[-1].form == "base":
        return (False, 0.3)
    if _WE.search(spot.scope) or _HAD_TO.search(spot.scope):
        return (False, 0.0)
    if re.search(r"\b(?:decided|decides|agreed|decision made)\s+to\s+(?:\w+ly\s+)?$", spot.scope, re.IGNORECASE):
        return (False, 0.5)
    return (False, 1.0) if re.search(r"\b(?:tried|attempted)\s+to\s+$", spot.scope, re.IGNORECASE) else None


def _object(after: str) -> tuple[str, str]:
    """
    The noun that a text begins with, up to the next clause, and what follows it.
    """
    begin = re.sub(r"^\s+", "", after)
    begin = _trimmed(begin)
    mark = _STOP.search(begin, len("failed") if begin.startswith("failed ") else 0)
    noun = begin[: mark.start()] if mark else begin
    named = re.match(r"\(([\w.-]*[\w-])\)", begin[mark.start() :]) if mark else None
    words = [*noun.split()[:8], *([named[1]] if named and noun.endswith(" ") and noun.strip() else [])]
    return _cleaned(" ".join(words)), begin[mark.start() :] if mark else ""


def _trimmed(text: str) -> str:
    while mark := _LEADING.match(text):
        text = text[mark.end() :]
        if re.match(r"an?\s+\Z", mark[0], re.IGNORECASE) and text.startswith("A "):
            break  # "an A record"
    return text


def _cleaned(noun: str) -> str:
    joined = re.sub(r"(?<=\w)- (?=[a-z])", "-", noun.strip()).replace("`", "")
    return joined.strip(" '\"*.,:-“”")


def _subject(scope: str, before: str) -> str:
    """
    The noun before a passive verb, without what hangs on it: "the pod in zone b was" is the pod.
    """
    bare = _AUX.sub("", scope)
    if not bare.strip() and (marks := list(_BOUNDARY.finditer(before))):
        head = before[: marks[-1].start()]
        return _subject(_scope(head), head) if len(head) < len(before) and head.strip() else ""
    inner = list(re.finditer(r"(?<!\bof)(?<!\bof all)\s(?:the|an?|our)\s", bare))
    noun = _object(bare[inner[-1].start() :] if inner else bare)[0]
    return noun if noun.lower() not in ("which", "that", "") else ""


def _sensible(noun: str) -> str:
    words = [word for word in noun.lower().split() if word not in ("the", "a", "an", "this", "of")]
    bare = (
        not words
        or re.match(r"\d{4}-\d\d|\d\d?:\d\d", noun)
        or all(word in _SILLY or any(rule.fullmatch(word) for _, rule in (*_DEEDS, _REPAIR)) for word in words)
    )
    return "" if bare else noun


def _named(noun: str) -> FixAction | None:
    """
    The action that a noun names by its head: "a rollback of the chart", "an emergency patch".
    """
    head = " ".join(noun.partition(" of ")[0].split()[-2:])
    if re.search(r"\bfix(?:es)?\b", noun):
        return FixAction.PATCH
    return next((action for action, rule in _NOUNS if rule.search(head)), None)


_GIVES = re.compile(
    r"^\s*(?:to|for|of|in|on|with)\s+(?:(?:handle|address|resolve|fix|avoid|prevent|mitigate|correct|enable|reduce|limit|stop)\s+)?(.*)"
)
_BECOMES: tuple[tuple[str, str, FixAction], ...] = (
    ("disable turn switch set", r"\b(?:flags?|feature|toggle|experiment)\b", FixAction.FLAG_OFF),
    ("delete kill terminate", r"\b(?:pods?|process(?:es)?|containers?|jobs?|servers?)\b", FixAction.RESTART),
    ("update replace push deploy issue change generate provide", r"\b(?:certificates?|certs?|credentials?|passwords?|(?:api|access) keys?|tokens?)$", FixAction.ROTATE),
    (" ".join(_FREE), r"\b(?:traffic|requests|load)\b", FixAction.FAIL_OVER),
    ("update fix correct", r"\b(?:config\w*|settings?|limits?|polic(?:y|ies)|rules?|records?|variables?|values?|thresholds?|timeouts?|dns|types?|sizes?|permissions?|map|manifest|annotations?|labels?)$", FixAction.CONFIGURE),
)  # fmt: skip
"""What a verb comes to with such an object: deleting a pod restarts it, redirecting traffic fails over."""
_MOVED_BACK = {"change", "switch", "move", "set", "put", "migrate", "update"}


def _refined(spot: _Spot, noun: str, after: str) -> tuple[FixAction, str]:
    """
    The action that a verb comes to with what it acts on, and that: "performed a restart of X" is a restart of X.
    """
    action, target = spot.verb.action, noun
    named = _named(noun)
    if action is FixAction.OTHER and named and not (spot.verb.base in _RUNS and named is FixAction.PATCH):
        action = named
        itself = re.search(r"\b(?:deployment|module|version|config(?:uration)?|exclusion)\b", noun.partition(" of ")[0])
        if not itself or not _sensible(noun):
            target = _trimmed(noun.partition(" of ")[2]) or (noun if _sensible(noun) else _behind(after) or noun)
    else:
        action = _become(spot, noun) or action
    if re.match(r"[^.;,]{0,50}?\bback to\b", spot.rest) and spot.verb.base in _MOVED_BACK:
        action = FixAction.REVERT
    if action in _DIRECTED and not _sensible(target):
        target = _behind(after) or _behind(spot.rest) or target
    return action, target


def _become(spot: _Spot, noun: str) -> FixAction | None:
    base = spot.verb.base
    applied = re.search(r"\b(?:terraform|kubectl|helm) apply|desired state|from (?:code|backup)", spot.text)
    if base == "create" and applied:
        return FixAction.RESTORE
    near = spot.rest[:40] if base in ("give", "bump") else ""
    if base in _GROW and not applied and _CAPACITY.search(f"{noun} {_object(spot.rest)[0]} {near}"):
        return FixAction.SCALE
    return next(
        (action for verbs, rule, action in _BECOMES if base in verbs.split() and re.search(rule, noun, re.IGNORECASE)),
        None,
    )


def _behind(after: str) -> str:
    """
    The noun behind "to", "of" and their like: "a rollback of X", "failed over to X", "a fix for X".
    """
    mark = _GIVES.match(re.sub(r"^\s*(?:back|over|out|up|down)\b", "", after))
    if not mark:
        return ""
    verb, _, noun = mark[1].partition(" ")
    purpose = any(form == "base" for _, form in _LEXICON.get(verb.lower(), ()))  # "a fix to disable the parser"
    return _sensible(_object(noun if purpose else mark[1])[0])


def _settled(spot: _Spot, action: FixAction, target: str) -> tuple[FixAction | None, str]:
    """
    A silly target gives way to what the sentence changes, else to none; a weak verb without a target says nothing.
    """
    sensible = _sensible(target)
    if action in (FixAction.ROLLBACK, FixAction.REVERT) and _CHANGE.fullmatch(target):
        return action, target
    vague = not sensible or (
        _PROVIDER.search(spot.text) and re.search(r"\b(?:issue|problem|incident|outage)s?$", sensible)
    )
    if spot.verb.base in ("fix", "correct", "repair") and vague:
        return None, ""
    if action is FixAction.CONFIGURE and (restored := re.search(r"\b(?:restored|recovered)\s+(.*)", spot.rest)):
        thing = _object(restored[1])[0]
        if thing and not _GENERIC.search(thing):
            return FixAction.RESTORE, thing
    came_back = _AUX.search(spot.scope) or (spot.form == "past" and not _object(spot.rest)[0])
    means = re.search(r"\b(?:from|back to|by \w+ing)\b", spot.rest.partition(",")[0])
    if (
        spot.verb.base in ("restore", "recover")
        and came_back
        and not means
        and (not sensible or _GENERIC.search(sensible))
    ):
        return None, ""  # "service was restored" is the end, not what brought it
    if not sensible and (mark := _CHANGED.search(spot.text[: spot.place])):
        sensible = _sensible(_object(mark[1] or mark[2])[0])
    stated = action is FixAction.PATCH and spot.verb.action is FixAction.OTHER
    return (action, sensible) if sensible or stated or action not in _WEAK else (None, "")


_TOLD = (SectionKind.RESOLUTION, SectionKind.TIMELINE)
_WEAK = {FixAction.OTHER, FixAction.CONFIGURE, FixAction.PATCH, FixAction.CLEAR}
_CHANGED = re.compile(
    r"\b(?:changes?|fix|patch|update|upgrade|deployment)\s+(?:to|of|for|in)\s+(?:(?:reduce|limit|handle|address|resolve|prevent|avoid|stop)\s+)?(.*)|\b(?:upgrade|restart|patch|fix)\s+(the\s+.*)",
    re.IGNORECASE,
)


_GENERIC = re.compile(
    r"\b(?:(?:full |normal )?services?|traffic|access|functionality|availability|normal|operations?|connectivity|performance|it|issue|sites?|systems?|customers?|users?)\b",
    re.IGNORECASE,
)


def _noun_acts(text: str, masked: str) -> list[_Act]:
    """
    A fix told by a noun: "Rollback of X", "After a restart of X, all recovered".
    """
    for action, rule in _DEEDS:
        for mark in rule.finditer(masked):
            before, rest = _before(text[: mark.start()]), text[mark.end() :]
            target = _behind(rest)
            ended = bool(_ENDED.search(rest) or _ENDED.search(text[: mark.start()]) or _INVOLVED.search(before))
            by = ended and _BY_NOUN.search(_scope(before))
            if target and (by or (_HEADING.fullmatch(before) and not _out_of_place(before, rest, "noun"))):
                return [_Act(action, target, mark.start(), "noun", ended)]
    return []


_HEADING = re.compile(r"(?:\b(?:an?|the|full|immediate|global|rolling|rollout)\b|[ *_-])*", re.IGNORECASE)
_BY_NOUN = re.compile(
    r"\b(?:after|following|by|via|through|involved|required|was)\s+(?:an?\s+|the\s+)?(?:[\w-]+\s+){0,2}$", re.IGNORECASE
)


_MEANS = re.compile(
    r"\b(?:resolved|fixed|mitigated|restored|solved|repaired|recovered)\b[^.;,]{0,40}?\bby\s+(?:\w+ly\s+)?(\w+ing)\s+(.*)",
    re.IGNORECASE,
)


def _means(text: str) -> list[_Act]:
    """
    What "resolved by ...ing" names, whatever the verb.
    """
    mark = _MEANS.search(text)
    if not mark or _out_of_place(text[: mark.start(1)], mark[2], "gerund"):
        return []
    target = _sensible(_object(mark[2])[0])
    found_out = re.search(r"^(?:identify|find|investigat|review|discover|contact|rais|work|us|do|follow)", mark[1])
    return [_Act(FixAction.OTHER, target, mark.start(1), "gerund", True)] if target and not found_out else []


_PROVIDER = re.compile(
    r"\b(AWS|Amazon|Azure|Microsoft|Google(?: Cloud)?|GCP|GitHub|Cloudflare|(?:the |our )?(?:\w+ )?(?:provider|vendor|carrier))\b[^.;]{0,40}\b(?:resolved|fixed|restored|mitigated|repaired)\b"
    r"|\b(?:waited|by waiting) (?:for|until) ([^.;,]+)"
)


def _provider_acts(text: str) -> list[_Act]:
    mark = _PROVIDER.search(text)
    if not mark or _out_of_place(text[: mark.start()], "", "wait"):
        return []
    if re.search(r"\b(?:was|were|not|would|should|will|could|by)\b", mark[0]) and not mark[2]:
        return []
    return [_Act(FixAction.WAIT, _object(mark[2] or mark[1])[0], mark.start(), "past", True)]


def _distinct(fixes: list[Fix]) -> list[Fix]:
    seen: set[tuple[FixAction, str]] = set()
    kept: list[Fix] = []
    for fix in fixes:
        mark = (fix.action, fix.quote if not fix.target else fix.target.lower())
        if mark not in seen and fix.quote not in {other.quote for other in kept}:
            seen.add(mark)
            kept.append(fix)
    return kept


_CAUSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("certificate", re.compile(r"certificate\w* (?:\w+ ){0,6}expir|expired certificate|x509", re.IGNORECASE)),
    ("traffic", re.compile(r"(?:surge|spike|flood|increase|times the) (?:\w+ ){0,4}(?:traffic|requests|users|load|rate)|traffic (?:spike|surge)|DDoS|\bbot's?\b", re.IGNORECASE)),
    ("provider", re.compile(r"(?:AWS|Azure|GCP|Google Cloud|GitHub|provider|vendor|upstream|carrier|relay|acquirer)\b.{0,80}(?:outage|incident|issue|fault|faulty|bug|lost|removed|lowered|maintenance|replaced|sent nulls|throttl)", re.IGNORECASE)),
    ("hardware", re.compile(r"hardware (?:fault|failure)|memory fault|disk failure|host (?:down|failure)|clock ran", re.IGNORECASE)),
    ("data", re.compile(r"(?:bad|poison|corrupt|malformed|undecodable) (?:data|message|record|event)|could not be decoded|sent nulls", re.IGNORECASE)),
    ("change", re.compile(r"(?:release|deploy(?:ment|ed|ing)?|merg(?:e|ed|ing)|upgrad(?:e|ed|ing)|migration|pull request|PR|commit|flag|config(?:uration)? change|change to|rolled out|new version|terraform (?:apply|destroy))", re.IGNORECASE)),
)  # fmt: skip


def cause_kind(text: str) -> str | None:
    """
    Which kind of cause a text states clearly: the first rule that it meets, or None.
    """
    return next((kind for kind, rule in _CAUSES if rule.search(text)), None)
