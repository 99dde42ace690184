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

_SAYING_NOTHING = (
    "the and for with from that this into over above below about has have had was were are not been its but all any each per via of on in to is it "
    "or by at as an be no service services svc server error errors failed failing failure fail fails request requests alert alerts high low "
    "ratio rate total count seconds second minutes minute usual threshold observed critical warning severity fires too status message value true "
    "false new add use get set func return err nil string int http https com org www"
)
_STOP = frozenset(_SAYING_NOTHING.split())
_NAME = re.compile(
    r"\"([\w.$/:@+-]{3,60})\"|'([\w.$/:@+-]{3,60})'|`([\w.$/:@+-]{3,60})`"
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


@lru_cache(maxsize=50_000)
def stems(text: str) -> tuple[str, ...]:
    """
    The stems of a name or a path.
    """
    return tuple({stem(word) for word in tokens(text)})


@lru_cache(maxsize=256)
def words_of(text: str) -> frozenset[str]:
    """
    The stems of a text that say something.
    """
    return frozenset(stem(word) for word in tokens(text) if len(word) > 2 and word not in _STOP and not word.isdigit())


@lru_cache(maxsize=256)
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
        shared = [words.keys() & self.words for words in having]
        counts = Counter(word for found in shared for word in found)
        self._rarity = {word: math.log((len(having) + 1.5) / (count + 0.5)) for word, count in counts.items()}
        self._long = tuple(name for name in self.names if len(name) > 5)

    def overlap(self, words: Mapping[str, float]) -> float:
        """
        How much of the symptom a change touches.
        """
        rarity = self._rarity
        return sum(rarity[word] * words[word] for word in words.keys() & rarity.keys())

    def shared(self, words: Mapping[str, float]) -> tuple[str, ...]:
        """
        By which words a change touches the symptom, the weightiest first.
        """
        weights = {word: self._rarity[word] * words[word] for word in words.keys() & self._rarity.keys()}
        return tuple(sorted(weights, key=lambda word: (-weights[word], word))[:4])

    def named(self, changed: Collection[str], libraries: Iterable[str] = ()) -> tuple[str, ...]:
        """
        The names of the symptom that a change changes (libraries that the symptom speaks of among them).
        """
        really = {name for name in libraries if stem(name) in self.words}
        if self.names:
            really |= {name for name in self.names if name in changed}
            really |= {name for name in self._long if any(name in one for one in changed)}
        return tuple(sorted(really)) if really else ()

    def held(self, text: str, really: Collection[str]) -> tuple[str, ...]:
        """
        The names of the symptom that a change merely has, beside those that it changes.
        """
        return tuple(sorted(name for name in self._long if name in text and name not in really)) if self._long else ()
