"""
Where a verb stands in its sentence: the clause before it, what follows, and the act that it comes to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from graph.values import FixAction, SectionKind
from ingest.fixes.verbs import Verb

PEOPLE = re.compile(
    r"\b(?:we|i|they|team|teams|engineers?|engineering|admins?|administrators?|lead|operators?|operations|staff"
    r"|developers?|on-?call|sres?|responders?|support|technicians?|us|providers?|vendors?|carriers?|contractors?)\b",
    re.IGNORECASE,
)
"""Those who respond to an incident."""
AUXILIARY = re.compile(
    r"\b(?:was|were|where|is|are|been|being|be|got|get|gets)\s+(?:(?:\w+ly|also|then|later|first|just|now)\s+){0,3}$",
    re.IGNORECASE,
)
"""What makes the verb behind it a passive."""
BOUNDARY = re.compile(
    r"[;:(\"“]\s*|,\s+|\s[–—-]\s"
    r"|\b(?:but|so|hence|therefore|(?<!was )(?<!were )(?<!is )(?<!are )(?<!been )then|i\.e\.)\s+(?!that\b)"
    r"|\band\s+(?=(?:(?:then|we|they|I|also|subsequently|the team|engineers?|\w+ly)\s+)*$)",
    re.IGNORECASE,
)
"""Where one clause ends and the next begins."""


@dataclass(frozen=True, slots=True)
class Act:
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
class Spot:
    """
    A verb where it stands.
    """

    verb: Verb
    form: str
    text: str
    place: int
    end: int
    kind: SectionKind
    acts: tuple[Act, ...]
    """What the sentence was found to say before it."""
    imperative: bool

    @property
    def before(self) -> str:
        return without_asides(self.text[: self.place])

    @property
    def scope(self) -> str:
        """Its own clause, as far as it stands before the verb."""
        return last_clause(self.before)

    @property
    def rest(self) -> str:
        return self.text[self.end :]


def plain(sentence: str) -> str:
    """
    The sentence with links' targets and emphasis blanked, of the same length, so that places hold in both.
    """
    blank = re.sub(r"\]\([^)\n]*\)?|https?://\S+", lambda mark: " " * len(mark[0]), sentence)
    return re.sub(r"[\[*]|(?<!\w)_|_(?!\w)", " ", blank).replace("\n", " ").replace("’", "'")


def without_asides(text: str) -> str:
    """
    What stands before a verb, without what is put in between: brackets, and ", which ...,".
    """
    bare = re.sub(r"\([^()]*\)", lambda mark: " " * len(mark[0]), text)
    return re.sub(r",\s+(?:which|who)\b[^,]*,", lambda mark: " " * len(mark[0]), bare)


def last_clause(before: str) -> str:
    """
    The last clause of what stands before a verb.
    """
    marks = list(BOUNDARY.finditer(before))
    return before[marks[-1].end() :] if marks else before
