"""How near a word of a question is to a word of a name: itself, another number, a synonym, a stem, a typing error."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from jigwork.grammars.inflection import singular

from .synonyms import IRREGULAR, SHORT, SYNONYMS

__all__ = ["How", "Vocabulary", "stem", "synonyms_of"]

How = Literal[
    "exact", "plural", "alias", "short form", "synonym", "stem", "prefix", "spelling", "comment", "value", "year", "label",
]  # fmt: skip
"""How a word was matched: `year` is a number that a column of years may hold, `label` what tells the rows of a named table apart."""

_SCORES: dict[How, float] = {
    "exact": 1.0, "plural": 0.98, "short form": 0.85, "synonym": 0.7, "stem": 0.7, "prefix": 0.5, "spelling": 0.6,
}  # fmt: skip
_ENDINGS = (
    "alities", "ality", "ations", "ation", "ated", "ating", "ities", "ments", "ances", "ences", "ition", "ment", "ance", "ence",
    "ings", "ions", "ers", "ors", "ity", "ing", "ion", "ian", "ish", "ese", "ant", "ent", "ive", "est", "ies",
    "ed", "er", "or", "al", "an", "ly", "es", "s", "e", "y",
)  # fmt: skip
_SHORTEST_STEM = 4
_LIGHT = ("ed", "ing")
"""Endings that may leave three letters: `hired` and `hiring`."""
_NEAR_SPELLING = 0.8


def stem(word: str) -> str:
    """Return what different forms of a word share: `directed`, `director` and `direction` give `direct`."""
    word = IRREGULAR.get(word, word)
    one = singular(word)
    one = IRREGULAR.get(one, one)
    changed = True
    while changed:
        changed = False
        for ending in _ENDINGS:
            least = _SHORTEST_STEM - (ending in _LIGHT)
            if one.endswith(ending) and len(one) - len(ending) >= least:
                one, changed = one[: -len(ending)], True
                break
    return one[:-1] if len(one) > _SHORTEST_STEM and one[-1] == one[-2] else one


def _grouped() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for group in SYNONYMS:
        for word in group:
            found[word].update(group)
    return {word: frozenset(others - {word}) for word, others in found.items()}


_SYNONYMS_OF = _grouped()


def synonyms_of(word: str) -> frozenset[str]:
    """Return the words that may stand for a word, in the singular."""
    return _SYNONYMS_OF.get(singular(word), frozenset())


class Vocabulary:
    """The words of all names of a schema, to be asked for those that a word of a question may mean."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = set(words)
        self._singular: dict[str, set[str]] = defaultdict(set)
        self._stems: dict[str, set[str]] = defaultdict(set)
        self._parts: dict[str, set[str]] = defaultdict(set)
        self._long: dict[str, set[str]] = defaultdict(set)
        for word in self._words:
            for full in (word, *SHORT.get(word, "").split()):
                self._singular[singular(full)].add(word)
                if full.isalpha() and len(full) > 3:
                    self._stems[stem(full)].add(word)
            for i in range(len(word) - 2):
                self._parts[word[i : i + 3]].add(word)
            if len(word) >= _SHORTEST_STEM:
                self._long[word[:_SHORTEST_STEM]].add(word)
                self._long[word[-_SHORTEST_STEM:]].add(word)
        self._known: dict[str, dict[str, tuple[float, How]]] = {}

    def near(self, word: str) -> dict[str, tuple[float, How]]:
        """Return the words of names that `word` may mean, each with a score of at most 1 and how it was matched."""
        found = self._known.get(word)
        if found is None:
            found = self._known[word] = self._near(word)
        return found

    def _near(self, word: str) -> dict[str, tuple[float, How]]:
        found: dict[str, tuple[float, How]] = {}

        def add(others: Iterable[str], how: How) -> None:
            for other in others:
                score = _SCORES[how]
                if other not in found or found[other][0] < score:
                    found[other] = score, how

        if word in self._words:
            add([word], "exact")
        one = singular(word)
        same = self._singular.get(one, ())
        add((w for w in same if singular(w) == one), "plural")
        add((w for w in same if singular(w) != one), "short form")
        if word in SHORT:
            add(self._singular.get(singular(SHORT[word]), ()), "short form")
        for other in synonyms_of(word):
            add(self._singular.get(other, ()), "synonym")
        if word.isalpha() and len(word) > 3:
            add(self._stems.get(stem(word), ()), "stem")
            add(self._prefixes(word), "prefix")
            if not any(score > _SCORES["spelling"] for score, _ in found.values()):
                add(self._misspelt(word), "spelling")
        return found

    def _prefixes(self, word: str) -> Iterable[str]:
        """Words that begin or end with the whole of the other: `country` and `countrylanguage`."""
        near = self._long.get(word[:_SHORTEST_STEM], set()) | self._long.get(word[-_SHORTEST_STEM:], set())
        for other in near:
            short, long = sorted((word, other), key=len)
            if len(short) >= _SHORTEST_STEM and (long.startswith(short) or long.endswith(short)):
                yield other

    def _misspelt(self, word: str) -> Iterable[str]:
        if len(word) < 5:
            return
        shared: dict[str, int] = defaultdict(int)
        for i in range(len(word) - 2):
            for other in self._parts.get(word[i : i + 3], ()):
                shared[other] += 1
        likely = sorted(shared, key=lambda other: (-shared[other], other))[:20]
        for other in likely:
            close = abs(len(other) - len(word)) <= 2
            if close and difflib.SequenceMatcher(None, word, other).ratio() >= _NEAR_SPELLING:
                yield other
