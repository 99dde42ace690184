"""
What the organisation's own alerts teach: which service or team the alerts that are alike belong to.

Each known alert is a bag of words, metric prefixes and selector values, weighted by rarity (TF-IDF) and of length 1.
Two models rest on the same cosines: kernel ridge regression onto the classes (Rifkin, Yeo and Poggio, Regularized
least-squares classification), which tells apart what is common to all classes, and the nearest example, which tells how
new a question is. Both are exact and quick for as many examples as a view keeps (`MOST`, the newest).

Some of the known alerts are also asked about as if nothing of their name were known (`Trial`), which costs no second
fit: the regression's value without a group of examples follows from the whole one (An, Liu and Venkatesh, Fast
cross-validation algorithms for least squares support vector machine and kernel ridge regression, 2007).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.expressions import read_expression
from models.names import tokens

MOST = 1500
RIDGE = 0.2
BLOCK = 2048
NEAREST = 200
UNSEEN = 5
"""Known alerts of nobody that a base rate counts beside the real ones."""
HIDDEN_LABELS = frozenset(["service", "service_name", "team", "owner", "squad", "alertname", "__alert_rule_uid__"])
"""Labels that name the answer, or that only repeat the alert's name; the rest of an alert is what is learned from."""
FAMILIES = ("m", "v", "n")
TRIALS = 120
LARGE = 60
"""Known alerts of one name, above which none of them is tried."""
LINKS = ("url", "link", "uri")
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """
    A known alert: what it says, whose it is, and the record that says so.
    """

    bag: Mapping[str, float]
    service: str | None
    team: str | None
    record: str


def bag_of(name: str, expr: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> dict[str, float]:
    """
    The features of an alert's own fields, with how often each stands there (damped).
    """
    counts: Counter[str] = Counter()
    counts.update(f"w:{word}" for word in _words([name]))
    spoken = tokens(name)
    counts.update(f"n:{'_'.join(spoken[:size])}" for size in range(1, len(spoken) + 1))
    texts = [value for label, value in annotations.items() if not label.endswith(LINKS)]
    counts.update(f"w:{word}" for word in _words(texts))
    counts.update(f"l:{label}={value.lower()}" for label, value in labels.items() if label not in HIDDEN_LABELS)
    expression = read_expression(expr)
    for metric in expression.metrics:
        parts = tokens(metric)
        counts.update(f"m:{'_'.join(parts[:size])}" for size in range(1, len(parts) + 1))
        counts.update(f"w:{part}" for part in parts)
    for label, value in expression.selectors:
        counts.update((f"s:{label}={value.lower()}", f"v:{value.lower()}"))
        counts.update(f"w:{part}" for part in tokens(value))
    return {word: 1.0 + math.log(count) for word, count in counts.items()}


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        parts = [part for part in tokens(text[:4000]) if len(part) > 1]
        yield from parts
        yield from (f"{one}_{other}" for one, other in pairwise(parts))


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Of a question, by class: the regression's value, the cosine of the nearest example and its record, and how much
    more often than at large the class has the question's metrics (`m`), selected values (`v`) and beginning of the name
    (`n`). `nearest` is the best cosine of all; `familiar` the selected values that known alerts have.
    """

    values: Mapping[str, float]
    nearness: Mapping[str, float]
    records: Mapping[str, str]
    nearest: float
    lifts: Mapping[str, Mapping[str, float]]
    familiar: frozenset[str]


EMPTY = Verdict({}, {}, {}, 0.0, {}, frozenset())


@dataclass(frozen=True, slots=True)
class Trial:
    """
    A known alert asked about as if it and all of its name were not known: of each class that is still known a row with
    the regression's value, the nearest cosine and the lifts of the families; which row is right; the best cosine.
    """

    rows: Array
    right: int
    nearest: float


@dataclass(slots=True)
class Known:
    """
    Fitted to examples with their classes (an example without a class is left out).
    """

    classes: tuple[str, ...]
    counts: Mapping[str, int]
    _labels: NDArray[np.int64]
    _records: Sequence[str]
    _postings: Mapping[str, tuple[NDArray[np.int64], Array]]
    _rarity: Mapping[str, float]
    _new: float
    _alpha: Array
    _base: Array = field(repr=False)
    trials: tuple[Trial, ...] = ()

    @classmethod
    def fit(cls, examples: Sequence[tuple[Mapping[str, float], str, str]]) -> Known:
        """
        From (bag, class, record) of each example, oldest first.
        """
        kept = examples[-MOST:]
        count = len(kept)
        spread = Counter(word for bag, _, _ in kept for word in bag)
        rarity = {word: math.log((count + 1) / (found + 0.5)) for word, found in spread.items()}
        classes = tuple(sorted({label for _, label, _ in kept}))
        place = {label: at for at, label in enumerate(classes)}
        labels = np.array([place[label] for _, label, _ in kept], dtype=np.int64)
        bags = [bag for bag, _, _ in kept]
        postings = _postings(bags, rarity)
        kernel = _kernel(postings, spread, count)
        groups = _groups(bags)
        held = sorted({at for group in groups.values() for at in group})
        alpha, base, inverse = _solve(kernel, labels, len(classes), held)
        found = cls(
            classes=classes,
            counts=Counter(label for _, label, _ in kept),
            _labels=labels,
            _records=[record for _, _, record in kept],
            _postings=postings,
            _rarity=rarity,
            _new=math.log((count + 1) / 0.5),
            _alpha=alpha,
            _base=base,
        )
        column = {at: place for place, at in enumerate(held)}
        tried = (found._try(at, group, bags[at], kernel[at], inverse[np.ix_(group, [column[one] for one in group])])
                 for at, group in groups.items())  # fmt: skip
        found.trials = tuple(trial for trial in tried if trial)
        return found

    def _try(
        self, at: int, group: Sequence[int], bag: Mapping[str, float], cosines: Array, inverse: Array
    ) -> Trial | None:
        """
        One known alert without its group; None where nothing else of its class is known.
        """
        out = np.zeros(len(self._labels), dtype=bool)
        out[group] = True
        left = np.bincount(self._labels[~out], minlength=len(self.classes))
        right = int(self._labels[at])
        if not left[right]:
            return None
        wanted = np.zeros(len(self.classes), dtype=np.float32)
        wanted[right] = 1.0
        values = wanted - np.linalg.solve(inverse, self._alpha[group])[list(group).index(at)]
        near = np.zeros(len(self.classes), dtype=np.float32)
        np.maximum.at(near, self._labels, np.where(out, 0.0, cosines))
        lifts = [self._lift(bag, family, out) for family in FAMILIES]
        spread = [[found.get(label, 0.0) for label in self.classes] for found in lifts]
        rows = np.stack([values, near, *(np.array(one) for one in spread)], axis=1)[left > 0].astype(np.float32)
        return Trial(rows, int((left[:right] > 0).sum()), float(near.max()))

    def judge(self, bag: Mapping[str, float]) -> Verdict:
        """
        What the known alerts say of a question.
        """
        if not self.classes:
            return EMPTY
        weights = {word: times * self._rarity.get(word, self._new) for word, times in bag.items()}
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        cosines = np.zeros(len(self._labels), dtype=np.float32)
        for word, weight in weights.items():
            found = self._postings.get(word)
            if found is not None:
                cosines[found[0]] += (weight / norm) * found[1]
        near = np.argpartition(-cosines, NEAREST)[:NEAREST] if len(cosines) > 2 * NEAREST else np.arange(len(cosines))
        values = self._base + cosines[near] @ self._alpha[near]
        nearness: dict[str, float] = {}
        records: dict[str, str] = {}
        for at in near[np.argsort(-cosines[near], kind="stable")]:
            label = self.classes[self._labels[at]]
            if label not in nearness:
                nearness[label] = float(cosines[at])
                records[label] = self._records[at]
        by_class = {label: float(value) for label, value in zip(self.classes, values, strict=True)}
        lifts = {family: self._lift(bag, family) for family in FAMILIES}
        familiar = frozenset(word[2:] for word in bag if word.startswith("v:") and word in self._postings)
        return Verdict(by_class, nearness, records, float(cosines.max()), lifts, familiar)

    def _lift(self, bag: Mapping[str, float], family: str, out: NDArray[np.bool_] | None = None) -> dict[str, float]:
        """
        Over the base rates, the shares of the classes among the known alerts (those that are not `out`) that have the
        question's features of a family; of features that begin alike the longest known one counts, and few examples
        count less than many.
        """
        places = {word: self._places(word, out) for word in bag if word.startswith(f"{family}:")}
        words = [word for word, found in places.items() if len(found)]
        ends = [word for word in words if not any(other != word and other.startswith(f"{word}_") for other in words)]
        best: dict[str, float] = {}
        for word in ends if family != "v" else words:
            found = np.bincount(self._labels[places[word]], minlength=len(self.classes))
            shares = found / (found.sum() + 1.0) - self._base
            for at in np.flatnonzero(found):
                label = self.classes[at]
                best[label] = max(best.get(label, 0.0), float(shares[at]))
        return best

    def _places(self, word: str, out: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        found = self._postings[word][0] if word in self._postings else _NOWHERE
        return found if out is None else found[~out[found]]


_NOWHERE = np.zeros(0, dtype=np.int64)


def _groups(bags: Sequence[Mapping[str, float]]) -> dict[int, list[int]]:
    """
    Examples to try, evenly over all, each with all that have its name.
    """
    names = [max((word for word in bag if word.startswith("n:")), key=len, default="") for bag in bags]
    same: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(names):
        same[name].append(at)
    step = max(1, -(-len(bags) // TRIALS))
    return {at: same[names[at]] for at in range(0, len(bags), step) if len(same[names[at]]) <= LARGE}


def _postings(
    bags: Sequence[Mapping[str, float]], rarity: Mapping[str, float]
) -> dict[str, tuple[NDArray[np.int64], Array]]:
    places: dict[str, list[int]] = defaultdict(list)
    shares: dict[str, list[float]] = defaultdict(list)
    for at, bag in enumerate(bags):
        weights = {word: times * rarity[word] for word, times in bag.items()}
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for word, weight in weights.items():
            places[word].append(at)
            shares[word].append(weight / norm)
    return {
        word: (np.array(found, dtype=np.int64), np.array(shares[word], dtype=np.float32))
        for word, found in places.items()
    }


def _kernel(postings: Mapping[str, tuple[NDArray[np.int64], Array]], spread: Mapping[str, int], count: int) -> Array:
    """
    The cosines of all examples with each other, the features in blocks so that memory stays bounded.
    """
    shared = [word for word, found in spread.items() if found > 1]
    kernel = np.zeros((count, count), dtype=np.float32)
    for start in range(0, len(shared), BLOCK):
        block = np.zeros((count, min(BLOCK, len(shared) - start)), dtype=np.float32)
        for column, word in enumerate(shared[start : start + BLOCK]):
            places, weights = postings[word]
            block[places, column] = weights
        kernel += block @ block.T
    np.fill_diagonal(kernel, 1.0)
    return kernel


def _solve(kernel: Array, labels: NDArray[np.int64], classes: int, held: Sequence[int]) -> tuple[Array, Array, Array]:
    """
    The weights of the examples, the base rates, and the columns `held` of the inverse.
    """
    count = len(labels)
    if not count:
        return np.zeros((0, classes), dtype=np.float32), np.zeros(classes, dtype=np.float32), kernel
    wanted = np.zeros((count, classes), dtype=np.float32)
    wanted[np.arange(count), labels] = 1.0
    # few known alerts say little of what an unlike one is
    base = wanted.sum(axis=0) / (count + UNSEEN)
    unit = np.eye(count, dtype=np.float32)
    found = np.linalg.solve(kernel + RIDGE * unit, np.hstack([wanted - base, unit[:, held]])).astype(np.float32)
    return found[:, :classes], base, found[:, classes:]
