"""
What the symptom says, as words and as names: how much of that a change touches.

Words are compared by their stems, and weigh more the fewer changes have them (inverse document frequency, Sparck Jones
1972). Names are what stands in the symptom as one thing: a table, a file, a path, an identifier, a quoted word.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from models.names import tokens

_STOP = frozenset(
    "the and for with from that this into over above below about has have had was were are not been its but all any each per via of on in to is it "
    "or by at as an be no service services svc server error errors failed failing failure fail fails request requests alert alerts high low "
    "ratio rate total count seconds second minutes minute usual threshold observed critical warning severity fires too status message value true "
    "false new add use get set func return err nil string int http https com org www".split()
)
_NAME = re.compile(
    r"\"([^\"\s]{3,60})\"|'([^'\s]{3,60})'|`([^`\s]{3,60})`"
    r"|((?:/[\w.-]+){2,})|\b([A-Za-z0-9]+(?:_[A-Za-z0-9]+)+)\b|\b(\w+\.(?:go|py|js|ts|tsx|java|rb|rs|cpp|cs|php|sql|ya?ml|conf))\b"
    r"|\b([A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+)\b"
)
_ENDINGS = ("ations", "ation", "ating", "ators", "ator", "ates", "ated", "ate", "ings", "ing", "ions", "ion", "ers", "er", "ors", "or", "ies", "ied", "ed", "es", "s", "y", "e")  # fmt: skip


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """
    A word without its ending, roughly: what is left has four letters at least.
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def words_of(text: str) -> frozenset[str]:
    """
    The stems of a text that say something.
    """
    return frozenset(stem(word) for word in tokens(text) if len(word) > 2 and word not in _STOP and not word.isdigit())


def names_of(text: str) -> frozenset[str]:
    """
    What stands in a text as one thing, in lower case.
    """
    found = ("".join(match.groups(default="")) for match in _NAME.finditer(text))
    return frozenset(name.lower().rstrip(".,:;") for name in found)


class Symptom:
    """
    The symptom's words with what each of them weighs among the changes at hand.
    """

    def __init__(self, text: str, besides: Collection[str], having: Sequence[Mapping[str, float]]) -> None:
        apart = {stem(word) for name in besides for word in tokens(name)}
        self.words = words_of(text) - apart
        self.names = names_of(text)
        counts = Counter(word for words in having for word in words.keys() & self.words)
        self._rarity = {word: math.log((len(having) + 1.5) / (counts[word] + 0.5)) for word in self.words}

    def overlap(self, words: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
        """
        How much of the symptom a change touches, and by which words, the weightiest first.
        """
        shared = sorted(((self._rarity[word] * words[word], word) for word in words.keys() & self.words), reverse=True)
        return sum(weight for weight, _ in shared), tuple(word for _, word in shared[:4])

    def named(self, text: str, changed: Collection[str], libraries: Iterable[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """
        The names of the symptom that a change changes (libraries that the symptom speaks of among them), and those that
        it merely has.
        """
        long = [name for name in self.names if len(name) > 5]
        really = {name for name in self.names if name in changed} | {name for name in libraries if stem(name) in self.words}
        really |= {name for name in long if any(name in one for one in changed)}
        return tuple(sorted(really)), tuple(sorted(name for name in long if name in text and name not in really))
