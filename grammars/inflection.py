"""English words: singular and plural, and names of tables and columns split into words.

Pure functions over text, for whatever compares the words of a question with the names of a schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["Words", "is_plural", "lands", "number_forms", "plural", "singular", "split_name"]

Words = tuple[str, ...]
"""Words in lower case, as the tokens of a question are compared."""

_IRREGULAR = {
    "person": "people", "child": "children", "man": "men", "woman": "women", "foot": "feet", "tooth": "teeth",
    "goose": "geese", "mouse": "mice", "ox": "oxen", "datum": "data", "medium": "media", "criterion": "criteria",
    "phenomenon": "phenomena", "index": "indices", "matrix": "matrices", "vertex": "vertices", "appendix": "appendices",
    "analysis": "analyses", "basis": "bases", "crisis": "crises", "diagnosis": "diagnoses", "thesis": "theses",
    "hypothesis": "hypotheses", "axis": "axes", "leaf": "leaves", "life": "lives", "wife": "wives", "knife": "knives",
    "half": "halves", "shelf": "shelves", "wolf": "wolves", "calf": "calves", "thief": "thieves", "loaf": "loaves",
    "self": "selves", "cactus": "cacti", "alumnus": "alumni", "bacterium": "bacteria", "curriculum": "curricula",
    "stimulus": "stimuli", "fungus": "fungi", "nucleus": "nuclei", "radius": "radii", "quiz": "quizzes",
    "hero": "heroes", "potato": "potatoes", "tomato": "tomatoes", "echo": "echoes", "veto": "vetoes",
    "cargo": "cargoes", "movie": "movies", "cookie": "cookies", "calorie": "calories", "die": "dice",
    "tie": "ties", "lie": "lies", "pie": "pies", "zombie": "zombies", "genie": "genies", "selfie": "selfies",
    "bus": "buses", "gas": "gases", "lens": "lenses", "cache": "caches", "ache": "aches", "niche": "niches",
    "passerby": "passersby",
}  # fmt: skip
_ALSO_REGULAR = frozenset(
    {"index", "matrix", "vertex", "appendix", "cactus", "curriculum", "radius", "person", "medium"}
)
_SAME = frozenset(
    "series species sheep fish deer aircraft spacecraft offspring equipment information news money staff "
    "metadata feedback furniture software hardware luggage traffic research headquarters means".split()
)
_SINGULAR_OF = {many: one for one, many in _IRREGULAR.items()}
_VOWELS = frozenset("aeiou")


def plural(word: str) -> str:
    """Return the plural of a singular word: `category` gives `categories`."""
    if word in _SAME or not word.isalpha():
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(("man",)) and len(word) > 4 and not word.endswith(("human", "german", "roman")):
        return word[:-2] + "en"
    if word.endswith("y") and len(word) > 1 and word[-2] not in _VOWELS:
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def singular(word: str) -> str:
    """Return the singular of a word; a word that is no plural comes back unchanged."""
    if word in _SAME or word in _IRREGULAR or len(word) < 3:
        return word
    if word in _SINGULAR_OF:
        return _SINGULAR_OF[word]
    if word.endswith("men") and len(word) > 5:
        return word[:-2] + "an"
    if not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    for stem in _stems(word):
        if plural(stem) == word:
            return stem
    return word


def _stems(word: str) -> Iterable[str]:
    if word.endswith("ies") and len(word) > 4:
        yield word[:-3] + "y"
    short = word.endswith(("sses", "xes", "ches", "shes", "uses")) and not word.endswith(("ouses", "auses"))
    yield word[:-2] if short else word[:-1]
    yield word[:-1] if short else word[:-2]


def is_plural(word: str) -> bool:
    """Tell whether the word is a plural that differs from its singular."""
    return singular(word) != word


def number_forms(words: Words) -> list[Words]:
    """Return the name as given, then its other numbers (only the last word changes)."""
    if not words:
        return []
    *head, last = words
    one = singular(last)
    lasts = [last, one, plural(one)]
    if one in _ALSO_REGULAR:
        lasts.append(one + ("es" if one.endswith(("x", "s")) else "s"))
    return list(dict.fromkeys((*head, each) for each in lasts))


def split_name(name: str) -> list[Words]:
    """Return the ways to read a name as words: `OrderLine2` gives (order, line2) and (order, line, 2)."""
    spaced = re.sub(r"[\W_]+", " ", name)
    chars: list[str] = []
    for i, char in enumerate(spaced):
        previous, following = spaced[i - 1] if i else " ", spaced[i + 1] if i + 1 < len(spaced) else " "
        if char.isupper() and (previous.islower() or (previous.isupper() and following.islower())):
            chars.append(" ")
        chars.append(char)
    camel = "".join(chars).lower()
    plain = spaced.lower()
    digits = re.sub(r"(?<=[^\W\d_])(?=\d)", " ", camel)
    ways = [tuple(text.split()) for text in (camel, plain, digits)]
    return [way for way in dict.fromkeys(ways) if way]


def lands(word: str) -> list[str]:
    """Return the names that an adjective may be made from: `asian` gives `asia`, `brazilian` gives `brazil`."""
    found = [word[:-1]] if word.endswith("an") and len(word) > 4 else []
    for ending in ("an", "ian", "ese"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            found.append(word[: -len(ending)])
    return list(dict.fromkeys(found))
