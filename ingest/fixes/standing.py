"""
Whether a verb stands where it tells of no response: under a cause, a discovery, a plan, a denial or an accident.
"""

from __future__ import annotations

import re

from ingest.fixes.clauses import last_clause, without_asides
from ingest.fixes.outcomes import ENDED

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
LATER = re.compile(
    r"^\W*(?:to (?:prevent|avoid|reduce) (?:\w+ ){0,4}(?:recur|incident|similar|happen|issue|problem|outage|chance|likelihood|future)|as (?:a )?prevent|in the future|going forward|long.?term|lessons"
    r"|(?:\w+ ){0,3}(?:remediation|improvement|follow.?up|next step|measure|lesson|prevent)\w*\b.{0,60}\b(?:includes?|involves?|are|is|will)\b|\[[ x]\])"
    r"|\b(?:is|are) (?:also |now |currently )?(?:implementing|planning|working on|reviewing|improving|developing|adding|investing)\b|\bcommitted to\b|\bimprove(?:ments?|d)? (?:includ|to our)",
    re.IGNORECASE,
)
"""A sentence that tells of the time after the incident: what is to prevent the next one."""
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


def out_of_place(raw: str, rest: str, form: str) -> bool:
    """
    Whether it stands under a cause, a discovery, a plan, a denial, or happened by accident, earlier or as a rule.
    """
    before = without_asides(raw)
    scope = last_clause(before)
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
    told = bool(ENDED.search(rest.partition(",")[2] or rest))
    if after := _AFTER.search(scope):
        return not told and not ENDED.search(scope[: after.start()])
    if _GOVERNED.match(re.split(r"[;,:]\s", before)[-1]) and not told:
        return True
    rule = re.match(r"\W*(?:when(?:ever)?|if)\b", before, re.IGNORECASE) and re.search(
        r"\b(?:is|are)\s+(?:being\s+)?$", scope
    )
    return bool(rule) or (form in ("past", "third") and bool(_PRONOUN.match(scope)))
