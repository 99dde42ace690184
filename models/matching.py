"""
Names against the names that there are: which service a string most likely stands for, with the reason.

Every name is a line of words. A string is aligned with the names that share words with it, also abbreviated, misspelt,
plural, joined or cut apart; then each candidate has a few features: how much of its name is there, by how telling the
words are, and what is left over on both sides by kind. Their weights are learned and the same for every organisation;
"none of them" is one more alternative of the same conditional logit.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from graph.values import EntityId, entity_name
from models.names import SYNONYMS, Kind, Likeness, Name, Word, alike, kind_of, one_slip, parse, singular, slips, tokens

FEATURES = (
    "exact", "same", "covered", "told", "missing", "missing_role", "missing_affix", "affix", "role", "role_known", "address", "segment", "titled", "titled_known", "other", "other_known", "tag", "plural", "short", "typo", "stem", "joined", "apart", "alias", "initials",
)  # fmt: skip
OWN = "name"
"""Where a name was seen that is the service's own (its id)."""
COMMON = 400
"""A word of more names than this finds no candidates by itself."""
SHORTLIST = 12
KEPT = 20_000
CORE_LETTERS = 3
CORE_WORDS = 4
"""Words of a text that may be one word of a name, or a name's own words."""
GLUED = 5
"""Letters of a name that may begin a longer word (`telemetrygateway` mentions `telemetry`)."""
SLIPPABLE = 7
"""Letters that a name needs for one slip over all of it to count as the same name."""


@dataclass(frozen=True, slots=True)
class Named:
    """
    A name of a service: where it was seen and the record that says so.
    """

    service: EntityId
    name: str
    seen_in: str
    record: str


@dataclass(frozen=True, slots=True)
class Match:
    """
    A service that a name may mean: its probability, why, and the features behind it.
    """

    service: EntityId
    quality: float
    says: str
    record: str
    features: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A known name with its words.
    """

    named: Named
    words: tuple[str, ...]
    plain: tuple[str, ...]
    flat: str
    given: str


@dataclass(slots=True)
class _Scores:
    matches: list[Match]
    none: float


_Near = dict[str, Likeness]


@dataclass(slots=True)
class Names:
    """
    All names that one view knows; `add` them one by one.
    """

    weights: Mapping[str, float]
    entries: list[Entry] = field(default_factory=list)
    services: dict[EntityId, list[Named]] = field(default_factory=lambda: defaultdict(list))
    _postings: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _plain: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _holders: dict[str, set[EntityId]] = field(default_factory=lambda: defaultdict(set))
    _flats: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _cores: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _pairs: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    _initials: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _slips: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _letters: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _sorted: list[str] = field(default_factory=list)
    _near: dict[str, _Near] = field(default_factory=dict)
    _answers: dict[str, _Scores] = field(default_factory=dict)
    _seen: set[tuple[EntityId, str]] = field(default_factory=set)
    _owned: dict[str, set[EntityId]] = field(default_factory=lambda: defaultdict(set))

    def add(self, named: Named) -> None:
        """
        A further name. The same name of the same service twice is one.
        """
        given = named.name.strip().lower()
        words = tokens(named.name)
        if not words or (named.service, given) in self._seen:
            return
        self._seen.add((named.service, given))
        self.services[named.service].append(named)
        place = len(self.entries)
        entry = Entry(named, words, tuple(singular(word) for word in words), "".join(words), given)
        self.entries.append(entry)
        self._flats[entry.flat].append(place)
        if named.seen_in == OWN:
            self._owned[entry.flat].add(named.service)
        for core in _cores(named.name, words):
            self._cores[core].append(place)
        if len(words) > 2:
            self._initials["".join(word[0] for word in words)].append(place)
        for word in dict.fromkeys(words):
            if word not in self._postings:
                self._learn(word)
            self._postings[word].append(place)
            self._holders[word].add(named.service)
        for word in dict.fromkeys(entry.plain):
            self._plain[word].append(place)
        for pair in pairwise(words):
            self._pairs["".join(pair)].add(pair)
        self._near.clear()
        self._answers.clear()

    def _learn(self, word: str) -> None:
        insort(self._sorted, word)
        self._letters[word[0]].add(word)
        if len(word) >= 4:
            for form in slips(word):
                self._slips[form].add(word)

    def rarity(self, word: str) -> float:
        """
        How telling a word is among the names of services, 0 to 1.
        """
        count = len(self.services)
        found = len(self._holders.get(word, ()))
        return math.log((count + 1) / (found + 0.5)) / math.log(2 * count + 2) if count else 0.0

    def borrowed(self, entry: Entry) -> bool:
        """
        Whether a title or an alias is another service's own name: anybody may call his service so.
        """
        if entry.named.seen_in == OWN:
            return False
        owners = self._owned.get(entry.flat, ())
        return bool(owners) and entry.named.service not in owners

    def holding(self, word: str) -> frozenset[EntityId] | set[EntityId]:
        """
        The services that have a word in one of their names.
        """
        return self._holders.get(word, frozenset())

    def standing(self, words: Sequence[str], most: int) -> Iterator[tuple[Entry, int, bool]]:
        """
        The names that stand in a text, all their words in order and side by side, plurals aside: (name, the place of
        its first word, whether it is only the beginning of a longer word). Found by words that are in at most `most`
        names.
        """
        plain = [singular(word) for word in words]
        places: dict[str, list[int]] = defaultdict(list)
        for at, word in enumerate(plain):
            places[word].append(at)
        seen: set[int] = set()
        for word in places:
            found = self._plain.get(word, ())
            for place in found if len(found) <= most else ():
                entry = self.entries[place]
                if place in seen or any(part not in places for part in entry.plain):
                    continue
                seen.add(place)
                size = len(entry.plain)
                first = next((at for at in places[entry.plain[0]] if tuple(plain[at : at + size]) == entry.plain), None)
                if first is not None:
                    yield entry, first, False
        yield from self._glued(words)

    def core_of(self, words: Sequence[str], most: int) -> Iterator[tuple[Entry, int, int]]:
        """
        The names of which a text has what is their own, without what a deployment puts around it or the path before it
        (`search` of `search-prod`, `lis` of `2i2c-uk/lis`): (name, the place of its first word, how many words).
        """
        for at in range(len(words)):
            flat = ""
            for size, word in enumerate(words[at : at + CORE_WORDS], 1):
                flat += word
                places = self._cores.get(flat, ())
                if len(places) <= most:
                    yield from ((self.entries[place], at, size) for place in places)

    def _glued(self, words: Sequence[str]) -> Iterator[tuple[Entry, int, bool]]:
        for at, word in enumerate(words):
            if len(word) >= GLUED + 3 and word not in self._postings:
                for size in range(GLUED, len(word) - 2):
                    for place in self._flats.get(word[:size], ()):
                        yield self.entries[place], at, True

    def match(self, name: str) -> tuple[list[Match], float]:
        """
        Services that a name may mean with their probabilities, best first, and the probability of none of them.
        """
        given = name.strip()[:400]
        if given not in self._answers:
            if len(self._answers) >= KEPT:
                self._answers.clear()
            self._answers[given] = self._rank(self.candidates(given))
        found = self._answers[given]
        return found.matches, found.none

    def _rank(self, found: Sequence[Match]) -> _Scores:
        weights = [self.weights.get(feature, 0.0) for feature in FEATURES]
        scores = [sum(map(_product, weights, one.features)) for one in found]
        none = self.weights.get("none", 0.0)
        top = max([*scores, none])
        parts = [math.exp(score - top) for score in scores]
        total = sum(parts) + math.exp(none - top)
        ranked = [
            Match(one.service, part / total, one.says, one.record, one.features)
            for one, part in zip(found, parts, strict=True)
        ]
        ranked.sort(key=lambda match: (-match.quality, match.service))
        return _Scores(ranked, math.exp(none - top) / total)

    def candidates(self, given: str) -> list[Match]:
        """
        The services worth weighing, each by its best name, with features; probabilities are not set yet.
        """
        name = parse(given)
        near = [self._alike(word.text) for word in name.words]
        joined = self._joined(name)
        weights = [self.weights.get(feature, 0.0) for feature in FEATURES]
        best: dict[EntityId, tuple[float, Match]] = {}
        for place in self._shortlist(name, near, joined):
            entry = self.entries[place]
            if self.borrowed(entry):
                continue
            features, says = self._compare(name, near, joined, entry)
            score = sum(map(_product, weights, features))
            held = best.get(entry.named.service)
            if held is None or score > held[0]:
                match = Match(entry.named.service, 0.0, says, entry.named.record, features)
                best[entry.named.service] = (score, match)
        return [match for _, match in best.values()]

    def _shortlist(self, name: Name, near: Sequence[_Near], joined: Mapping[int, tuple[str, ...]]) -> list[int]:
        gains: dict[int, float] = defaultdict(float)
        for place in self._initials.get(name.flat, ()):
            gains[place] += 5.0
        for flat in name.windows:
            for place in self._flats.get(flat, ()):
                gains[place] += 2.0
        words = {known: 1.0 if how is Likeness.SAME else 0.7 for one in near for known, how in one.items()}
        words |= {word: 0.9 for pair in joined.values() for word in pair}
        for word, share in words.items():
            places = self._postings.get(word, ())
            if len(places) <= COMMON:
                worth = share * self.rarity(word)
                for place in places:
                    gains[place] += worth
        ranked = sorted(gains, key=lambda place: (len(self.entries[place].words) * 0.05 - gains[place], place))
        return ranked[:SHORTLIST]

    def _joined(self, name: Name) -> dict[int, tuple[str, ...]]:
        """
        Words that stand for two of a known name (`traveladvice`), or with the next for one (`sign on`): by place.
        """
        found: dict[int, tuple[str, ...]] = {}
        for at, word in enumerate(name.words):
            pairs = self._pairs.get(word.text) if word.text not in self._postings else None
            if pairs:
                found[at] = tuple(sorted({part for pair in pairs for part in pair}))
            if at + 1 < len(name.words):
                both = word.text + name.words[at + 1].text
                if both in self._postings:
                    found[at] = (*found.get(at, ()), both)
        return found

    def _alike(self, word: str) -> _Near:
        if word not in self._near:
            if len(self._near) >= KEPT:
                self._near.clear()
            self._near[word] = dict(self._look(word))
        return self._near[word]

    def _look(self, word: str) -> Iterator[tuple[str, Likeness]]:
        if word in self._postings:
            yield word, Likeness.SAME
        if len(word) < 2 or word.isdigit():
            return
        close = set(self._letters.get(word[:1], ())) if len(word) <= 4 else set()
        close |= {other for form in slips(word) for other in self._slips.get(form, ())} if len(word) >= 4 else set()
        close |= {other for other in SYNONYMS.get(word, ()) if other in self._postings}
        if len(word) >= 3:
            close |= set(self._starting(word)) | {
                word[:size] for size in range(3, len(word)) if word[:size] in self._postings
            }
            close |= set(self._starting(word[: max(4, len(word) - 4)])) if len(word) >= 6 else set()
        for known in close:
            how = alike(word, known) if known != word else None
            if how is not None and _may_stand(word, how):
                yield known, how

    def _starting(self, start: str) -> Iterator[str]:
        at = bisect_left(self._sorted, start)
        while at < len(self._sorted) and self._sorted[at].startswith(start):
            yield self._sorted[at]
            at += 1

    def _compare(
        self, name: Name, near: Sequence[_Near], joined: Mapping[int, tuple[str, ...]], entry: Entry
    ) -> tuple[tuple[float, ...], str]:
        """
        The features of one known name for the given one, and why in words.
        """
        taken, used, how = _aligned(name, near, joined, entry)
        rare = [self.rarity(word) for word in entry.words]
        whole = sum(rare) or 1.0
        told = sum(weight for weight, hit in zip(rare, taken, strict=True) if hit)
        gone = [(word, weight) for word, weight, hit in zip(entry.words, rare, taken, strict=True) if not hit]
        left = [word for at, word in enumerate(name.words) if at not in used]
        touched = {name.words[at].segment for at in used}
        inside = [word for word in left if word.segment in touched or name.titled]
        others = [word for word in inside if word.kind is Kind.OTHER]
        roles = [word for word in inside if word.kind is Kind.ROLE]
        known = sum(
            self.rarity(word.text) for word in inside if word.kind is not Kind.ROLE and word.text in self._postings
        )
        initials = 1.0 if not told and name.flat == "".join(word[0] for word in entry.words) else 0.0
        values = {
            "exact": float(name.given == entry.given),
            "same": float(name.flat == entry.flat),
            "covered": told / whole,
            "told": min(told, 2.0),
            "missing": 0.0 if initials else sum(weight for word, weight in gone if kind_of(word) in (Kind.OTHER, Kind.ADDRESS)),
            "missing_role": sum(weight for word, weight in gone if kind_of(word) is Kind.ROLE),
            "missing_affix": sum(weight for word, weight in gone if kind_of(word) is Kind.AFFIX),
            "affix": float(any(word.kind is Kind.AFFIX for word in inside)),
            "role": 0.0 if name.titled else min(3.0, len(roles)),
            "role_known": sum(self.rarity(word.text) for word in roles if word.text in self._postings),
            "address": float(any(word.kind is Kind.ADDRESS for word in inside)),
            "segment": min(3.0, _segments(left, touched, name)),
            "titled": min(5.0, len(others)) if name.titled else 0.0,
            "titled_known": known if name.titled else 0.0,
            "tag": float(touched == {name.tag}),
            "other": 0.0 if name.titled else min(3.0, sum(not self.holding(word.text) for word in others)),
            "other_known": 0.0 if name.titled else known,
            "plural": how.count(Likeness.PLURAL), "short": how.count(Likeness.SHORT), "typo": how.count(Likeness.TYPO),
            "stem": how.count(Likeness.STEM), "joined": min(1, how.count(Likeness.JOINED)),
            "apart": float(_apart(used)), "alias": float(entry.named.seen_in != "name"), "initials": initials,
        }  # fmt: skip
        return tuple(float(values[feature]) for feature in FEATURES), _reason(name, entry, how, left)


def _product(weight: float, value: float) -> float:
    return weight * value


def _aligned(
    name: Name, near: Sequence[_Near], joined: Mapping[int, tuple[str, ...]], entry: Entry
) -> tuple[list[bool], dict[int, int], list[Likeness]]:
    """
    Which words of the entry are there, which given word stands for which (by place), and how the unlike ones do.
    """
    taken = [False] * len(entry.words)
    used: dict[int, int] = {}
    how: list[Likeness] = []
    if entry.flat in name.windows:
        at, size = name.windows[entry.flat]
        return [True] * len(entry.words), {place: place for place in range(at, at + size)}, how
    shares = Counter(name.words[at].segment for at, one in enumerate(near) for word in entry.words if word in one)
    home = max(shares, key=lambda segment: (shares[segment], -segment), default=0)
    inner = [at for at in range(len(near)) if name.words[at].segment == home]
    outer = [at for at in range(len(near)) if name.words[at].segment != home]
    for order, same in ((inner, True), (inner, False), (outer, True), (outer, False)):
        for place, word in enumerate(entry.words):
            if taken[place]:
                continue
            found = next((at for at in order if at not in used and _stands(near[at].get(word), same)), None)
            if found is not None:
                taken[place] = True
                used[found] = place
                if near[found][word] is not Likeness.SAME:
                    how.append(near[found][word])
    for at, parts in joined.items():
        for place, word in enumerate(entry.words):
            if not taken[place] and word in parts:
                taken[place] = True
                how.append(Likeness.JOINED)
                used[at] = place
                if word.startswith(name.words[at].text):
                    used.setdefault(at + 1, place)
    if not all(taken) and len(entry.flat) >= SLIPPABLE:
        close = next((span for flat, span in name.windows.items() if one_slip(flat, entry.flat)), None)
        if close:
            places = {place: place for place in range(close[0], close[0] + close[1])}
            return [True] * len(entry.words), places, [Likeness.TYPO]
    return taken, used, how


def _cores(name: str, words: tuple[str, ...]) -> set[str]:
    """
    What is a name's own, where that is less than the name: joined words.
    """
    found = set()
    for part in {name, name.rpartition("/")[2]}:
        own = tuple(word for word in tokens(part) if kind_of(word) is not Kind.AFFIX)
        telling = any(kind_of(word) is Kind.OTHER for word in own)
        if telling and own != words and len("".join(own)) >= CORE_LETTERS:
            found.add("".join(own))
    return found


def _may_stand(word: str, how: Likeness) -> bool:
    """
    Words of addresses and deployments (`gov`, `prod`) are common: they are no slip or short form of another word.
    """
    kind = kind_of(word)
    if how is Likeness.TYPO:
        return kind is Kind.OTHER or len(word) > 6
    return how is Likeness.PLURAL or kind not in (Kind.ADDRESS, Kind.AFFIX)


def _stands(how: Likeness | None, same: bool) -> bool:
    return how is Likeness.SAME if same else how is not None


def _segments(left: Sequence[Word], touched: set[int], name: Name) -> int:
    """
    Words of other kinds than affixes in segments that the candidate has no part in (`acme` of `acme/orders`).
    """
    if name.titled:
        return 0
    return sum(word.segment not in touched and word.kind in (Kind.OTHER, Kind.ROLE) for word in left)


def _apart(used: Mapping[int, int]) -> bool:
    """
    Whether the matched words stand apart or in another order than in the known name.
    """
    places = [used[at] for at in sorted(used)]
    return places != sorted(places) or (bool(used) and max(used) - min(used) + 1 > len(used))


_WORDS = {
    Likeness.PLURAL: "plural", Likeness.SHORT: "abbreviated", Likeness.TYPO: "misspelt", Likeness.STEM: "other ending",
    Likeness.JOINED: "joined or cut apart", Likeness.SAME: "",
}  # fmt: skip


def _reason(name: Name, entry: Entry, how: Sequence[Likeness], left: Sequence[Word]) -> str:
    where = "the name" if entry.named.seen_in == "name" else entry.named.seen_in
    notes = [_WORDS[one] for one in dict.fromkeys(how)]
    if left:
        notes.append("without " + ", ".join(f"`{word.text}`" for word in left[:4]))
    says = f"{name.given[:80]!r} is {where} of {entity_name(entry.named.service)}"
    return f"{says} ({'; '.join(notes)})" if notes else says
