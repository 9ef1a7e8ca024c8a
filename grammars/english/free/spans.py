"""The words of a free question, and what each stretch of them may name: tables, columns, stored values, numbers.

Names are looked up in the lexicon of the controlled English; where a stretch is no name as it stands, names near it
(synonyms, other forms of a word, typing errors, a word left out) are found with `jigwork.grammars.linking`, at a cost.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from jigwork.grammars.inflection import Words, lands, singular, split_name
from jigwork.grammars.linking.similar import How, Vocabulary, stem
from jigwork.grammars.linking.synonyms import SHORT

from ..names import Lexicon, StoredValue
from ..values import MONTHS
from .adjectives import ADJECTIVES, COMPARATIVES, MEASURES, SUPERLATIVES
from .rules import FILLERS, VERBS

__all__ = ["Names", "Spans", "Word", "value_form", "without_fillers", "words_of"]

T = TypeVar("T")

_TOKEN = re.compile(
    r"""(?P<text>"[^"]+"|“[^”]+”|(?<![\w])'[^']+'(?![\w]))
    | (?P<number>-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w])|-?\d+(?:\.\d+)?(?![\w-]))
    | (?P<date>\d{4}-\d{2}-\d{2})
    | (?P<own>['’]s(?!\w)|(?<=s)['’](?=\s))
    | (?P<word>[^\W_]+(?:[-'’.&/_][^\W_]+)*(?:!(?=["'”]))?)
    | (?P<mark>[,?.;=<>]+)""",
    re.VERBOSE,
)
_CUT = re.compile(r"[\s,?.;:!]+")
_LONGEST_VALUE = 10
_LONGEST_NAME = 5
_SHORTENED = re.compile(r"(\w+)n['’]t")
_COUNTS = {
    w: str(i)
    for i, w in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
} | {"single": "1", "once": "1", "twice": "2"}
_COSTS: dict[How, int] = {
    "exact": 0,
    "plural": 0,
    "alias": 0,
    "short form": 1,
    "synonym": 1,
    "stem": 2,
    "spelling": 2,
}
_SMALL = frozenset(
    "by in on at to from with for of and or not no per as than via who what which when where how".split()
)
"""Words that are no name, whatever name has them in it."""
_MOST_SOFT = 3
_GENERIC = frozenset("ref tbl table tab data info list master dim fact record reference".split())
"""Words of a table's name that say nothing of its rows. Any other is not left out: `awards players` are no players."""
_COUNTED = frozenset({"count", "total", "tot"})
"""Words of a name that say only that there is a number: `views` are the `view count`."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word, quoted text or number. `said` is as it is compared, `text` as it was written."""

    said: str
    text: str
    kind: str
    start: int
    end: int


def words_of(question: str) -> list[Word]:
    """Return the words of a question; quotation marks and the commas of thousands are gone."""
    found: list[Word] = []
    for match in _TOKEN.finditer(question):
        kind = str(match.lastgroup)
        text = match.group()
        if kind == "text":
            text = text[1:-1].strip()
        elif kind == "number":
            text = text.replace(",", "")
        elif kind == "own":
            text = "'s"
        said = text.lower().replace("’", "'") if kind != "text" else "\x00"
        if kind == "word" and said.endswith("'s"):
            found.append(Word(said[:-2], text[:-2], kind, match.start(), match.end() - 2))
            found.append(Word("'s", "'s", "own", match.end() - 2, match.end()))
            continue
        if kind == "mark":
            said = said[0]
        found.append(Word(said, text, kind, match.start(), match.end()))
    while found and found[-1].kind == "mark" and found[-1].said in "?.;,":
        found.pop()
    return found


def without_fillers(words: Sequence[Word]) -> tuple[list[Word], list[Word]]:
    """Return the words that count, and those that change nothing."""
    kept = [word for word in words if word.kind != "word" or word.said not in FILLERS]
    return kept, [word for word in words if word.kind == "word" and word.said in FILLERS]


class Names:
    """The names of one schema, for many questions."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        generic = {table.name: _GENERIC for table in lexicon.schema.tables}
        self._soft_tables = _Soft(lexicon.tables.entries, generic, left=4)
        columns: dict[Words, dict[tuple[str, str], int]] = {}
        for form, items in lexicon.columns.entries.items():
            columns[form] = dict(items)
        own = {
            table.name: {singular(w) for way in split_name(table.name) for w in way}
            for table in lexicon.schema.tables
        }
        self._soft_columns = _Soft(
            columns, {place: own[place[0]] for items in columns.values() for place in items}
        )
        self._keys = _keys(lexicon)
        self._parts = _parts(lexicon)

    @cached_property
    def values(self) -> dict[Words, list[StoredValue]]:
        """Stored values by their words."""
        found: dict[Words, list[StoredValue]] = defaultdict(list)
        for table in self.lexicon.schema.tables:
            for column in table.columns:
                for value in column.values or ():
                    form = value_form(value)
                    if form and len(form) <= _LONGEST_VALUE:
                        found[form].append(StoredValue(table.name, column.name, value))
        for form, stored in self.lexicon.values.entries.items():
            found[form].extend(each for each in stored if each not in found[form])
        return found

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of the words of table names: `hired` goes with a table of hirings."""
        return frozenset(
            stem(word) for form in self.lexicon.tables.entries for word in form if word.isalpha()
        )

    def tables(self, words: Words) -> list[tuple[int, str]]:
        """Return the tables that words may name, each with a cost."""
        exact = self.lexicon.tables.best(words)
        if exact:
            return [(0, name) for name in exact]
        return [(cost, name) for name, cost in self._soft_tables.near(words).items()]

    def columns(self, words: Words) -> list[tuple[int, tuple[str, str]]]:
        """Return the columns that words may name, as (table, column), each with a cost."""
        if len(words) > 2 and "of" in words[1:-1]:
            words = tuple(word for word in words if word != "of")
        if len(words) > 1 and words[-1] in ("number", "numbers") and not self.is_column(words):
            table = self.lexicon.schema.table  # the `phone number` is the phone, where that is text
            phone = self.columns(words[:-1])
            return [(cost, place) for cost, place in phone if table(place[0]).column(place[1]).kind == "text"]
        found = {
            place: max(0, rank - 1) for place, rank in self.lexicon.columns.entries.get(words, {}).items()
        }
        exact = {table for table, _ in found}
        if self.lexicon.tables.entries.get(words):
            return [(cost, place) for place, cost in found.items()]  # a table is not one of its columns
        for place, cost in self._soft_columns.near(words).items():
            if place not in found and (
                place not in self._keys or self._says_key(words) or place in self._parts
            ):
                found[place] = cost + (1 if place[0] in exact else 0)
        return [(cost, place) for place, cost in found.items()]

    def is_name(self, words: Words) -> bool:
        """Tell whether words are the name of some table or column, as they stand."""
        return self.is_column(words) or words in self.lexicon.tables.entries

    def is_column(self, words: Words) -> bool:
        """Tell whether words are the name of some column, as they stand."""
        return words in self.lexicon.columns.entries

    def labels(self, table: str) -> tuple[str, ...]:
        """Return the columns that say which row it is: its name, the two names of a person, else its key of one column."""
        label = self.label(table)
        if label is not None:
            return (label,)
        made = self.lexicon.schema.table(table)
        person = self.lexicon.persons[table]
        if person or len(made.primary_key) != 1:
            return person or ()
        points = any(made.primary_key[0] in key.columns for key in made.foreign_keys)
        own = {singular(word) for way in split_name(table) for word in way}
        described = any(
            column.kind == "text" and len(way) > 1 and (singular(way[0]) in own or way[0] in _CALLED)
            for column in made.columns
            if column.name not in made.primary_key
            for way in split_name(column.name)
        )
        return () if points or described else made.primary_key

    def label(self, table: str) -> str | None:
        """Return the column that says which row of a table it is: its name, its title, or what is called as the table."""
        label = self.lexicon.labels.get(table)
        made = self.lexicon.schema.table(table)
        if label is not None:
            whole = "name" in split_name(label)[0][-1] or not made.column(label).nullable
            whole = whole or self.lexicon.is_near(table, label)
            return label if whole else None
        forms = {form for form, names in self.lexicon.tables.entries.items() if table in names}
        texts = [column.name for column in made.columns if column.kind == "text"]
        same = [name for name in texts if any(way in forms for way in split_name(name))]
        if self.lexicon.persons[table]:
            return None
        if same:
            return same[0] if len(same) == 1 else None
        named = [name for name in texts if split_name(name)[0][-1] in ("name", "title")]
        near = [name for name in named if self.lexicon.is_near(table, name)]
        return near[0] if near and (len(near) == 1 or near[0] in self.lexicon.names_of(table)) else None

    def _says_key(self, words: Words) -> bool:
        """`stadium` is not the stadium's id."""
        return bool(_KEY_WORDS.intersection(map(singular, words)))


_CALLED = frozenset({"name", "title"})
_KEY_WORDS = frozenset("id code key number no identifier identification nr num".split())


def _keys(lexicon: Lexicon) -> frozenset[tuple[str, str]]:
    """The columns that tables are joined by."""
    found: set[tuple[str, str]] = set()
    for table in lexicon.schema.tables:
        found.update((table.name, name) for name in table.primary_key)
        for key in table.foreign_keys:
            found.update((table.name, name) for name in key.columns)
            found.update((key.table, name) for name in key.references)
    return frozenset(found)


def _parts(lexicon: Lexicon) -> frozenset[tuple[str, str]]:
    """The keys that are called by what the other row is to this one, as `dest` of an airport: the word means the key."""
    found: set[tuple[str, str]] = set()
    for table in lexicon.schema.tables:
        for key in table.foreign_keys:
            target = {singular(word) for way in split_name(key.table) for word in way}
            words = {singular(word) for name in key.columns for way in split_name(name) for word in way}
            if (
                len(key.columns) == 1
                and not words & (target | _KEY_WORDS)
                and len(split_name(key.columns[0])[0]) == 1
            ):
                found.add((table.name, key.columns[0]))
    return frozenset(found)


def value_form(text: str) -> Words:
    """Return the words of a stored value as they are compared: case and punctuation left out."""
    return tuple(word for word in _CUT.split(text.lower().replace("’", "'")) if word)


class _Soft(Generic[T]):
    """Names near a stretch of words: every word is found in the name in some form; what the name has more costs.

    `free` are words that a name may have more at no cost: those of its own table; any other costs `left`.
    """

    def __init__(
        self, entries: Mapping[Words, Mapping[T, int]], free: Mapping[T, Collection[str]], *, left: int = 1
    ) -> None:
        self._left = left
        self._forms: dict[str, set[Words]] = defaultdict(set)
        self._items: dict[Words, list[T]] = {}
        for form, items in entries.items():
            if form and not form[0].startswith("`"):
                one = (*form[:-1], singular(form[-1]))
                known = self._items.setdefault(one, [])
                known.extend(item for item in items if item not in known)
                for word in one:
                    self._forms[word].add(one)
        self._vocabulary = Vocabulary(self._forms)
        self._known: dict[Words, dict[T, int]] = {}
        self._free = {item: {*words, *_COUNTED} for item, words in free.items()}

    def _rest(self, word: str) -> int:
        """What a word costs that is left out; one that is a name of its own (the department of `dept manager`) little."""
        named = (singular(SHORT.get(word, word)),) in self._items
        return 1 if named else self._left

    def near(self, words: Words) -> dict[T, int]:
        """Return items with what they cost, at most `_MOST_SOFT`."""
        found = self._known.get(words)
        if found is None:
            found = self._known[words] = self._near(words)
        return found

    def _near(self, words: Words) -> dict[T, int]:
        meant: list[dict[str, int]] = []
        for word in words:
            near = {n: _COSTS[how] for n, (_, how) in self._vocabulary.near(word).items() if how in _COSTS}
            if not near:
                return {}
            meant.append(near)
        found: dict[T, int] = {}
        for form in {form for name in meant[0] for form in self._forms.get(name, ())}:
            cost = _cost(form, meant)
            if cost is None:
                continue
            spent, left = cost
            for item in self._items[form]:
                whole = spent + sum(self._rest(word) for word in left if word not in self._free.get(item, ()))
                if whole <= _MOST_SOFT + self._left - 1:
                    found[item] = min(whole, found.get(item, whole))
        return found


def _cost(form: Words, meant: Sequence[dict[str, int]]) -> tuple[int, list[str]] | None:
    left = list(form)
    cost = 0
    for near in meant:
        fitting = [(near[name], name) for name in left if name in near]
        if not fitting:
            return None
        each, name = min(fitting)
        cost += each
        left.remove(name)
    return cost, left


class Spans:
    """Matches the terminals of the rules over one question."""

    def __init__(self, names: Names, words: Sequence[Word]) -> None:
        self.names = names
        self.words = words
        self.said = tuple(word.said if word.kind != "text" else "\x00" for word in words)

    def __call__(self, term: str, start: int) -> tuple[list[tuple[int, object]], int]:
        """Return the ends of what a terminal matches at a word, each with what it is looked up as."""
        return [(end, self.said[start:end]) for end in self._ends(term, start)], 0

    def _ends(self, term: str, start: int) -> list[int]:
        if start >= len(self.words):
            return []
        word = self.words[start]
        match term:
            case "TAB" | "COL":
                look = self.names.tables if term == "TAB" else self.names.columns
                ends = self._stretches(start, _LONGEST_NAME)
                return [
                    end
                    for end in ends
                    if not self._is_adjective(start, end)
                    and not (term == "TAB" and self._is_done(start, end))
                    and look(self.said[start:end])
                ]
            case "VAL":
                if word.kind == "text":
                    return [start + 1]
                ends = [end for end in self._stretches(start, _LONGEST_VALUE) if self.stored(start, end)]
                return ends[-1:]
            case "NUM":
                return [start + 1] if word.kind == "number" or word.said in _COUNTS else []
            case "CNT":
                whole = word.kind == "number" and word.text.isdigit()
                return [start + 1] if whole or word.said in _COUNTS else []
            case "YEAR":
                return [start + 1] if re.fullmatch(r"[12]\d{3}", word.text) else []
            case "MONTH":
                return [start + 1] if word.kind == "word" and word.said in MONTHS else []
            case "DAY":
                return [start + 1] if re.fullmatch(r"[0-3]?\d(st|nd|rd|th)?", word.said) else []
            case "DATE":
                return [start + 1] if word.kind == "date" else []
            case "PAYS":
                return [start + 1] if word.said in MEASURES else []
            case "ROLE":
                return [start + n for n in self.names.lexicon.roles.lengths(self.said, start)[0]]
            case "DONE":
                return [start + 1] if (word.said,) in self.names.lexicon.flags.entries else []
            case "VERB":
                return [start + 1] if self._is_verb(word) else []
            case "SUPER":
                return [start + 1] if word.said in SUPERLATIVES else []
            case "COMP":
                return [start + 1] if word.said in COMPARATIVES else []
            case "ADJ":
                pair = " ".join(self.said[start : start + 2])
                return [start + 2] if pair in ADJECTIVES else [start + 1] if word.said in ADJECTIVES else []
            case _:
                raise AssertionError(f"no such terminal: {term}")

    def _stretches(self, start: int, longest: int) -> list[int]:
        ends: list[int] = []
        for end in range(start + 1, min(start + longest, len(self.words)) + 1):
            if self.words[end - 1].kind in ("mark", "text") or (
                self.words[end - 1].kind == "own" and longest < 6
            ):
                break
            ends.append(end)
        return ends

    def _is_adjective(self, start: int, end: int) -> bool:
        """`older` measures an age, and is no name for it, unless a name is exactly that."""
        said = self.said[start:end]
        measures = len(said) == 1 and (
            said[0] in SUPERLATIVES or said[0] in COMPARATIVES or said[0] in ADJECTIVES or said[0] in _SMALL
        )
        return measures and not self.names.is_name(said)

    def _is_done(self, start: int, end: int) -> bool:
        """`shipped` is what was done, not one of the shippers, unless a table is called so."""
        said = self.said[start:end]
        return (
            len(said) == 1 and self._is_verb(self.words[start]) and not self.names.lexicon.tables.best(said)
        )

    def _is_verb(self, word: Word) -> bool:
        if word.kind != "word":
            return False
        return word.said in VERBS or (
            len(word.said) > 4 and word.said.endswith(("ed", "ing")) and stem(word.said) in self.names.stems
        )

    def number(self, start: int) -> str:
        """Return the number at a word, in digits."""
        word = self.words[start]
        return _COUNTS.get(word.said, word.text)

    def stored(self, start: int, end: int) -> list[StoredValue]:
        """Return the stored values that a stretch names; a quoted text by its words too."""
        if end == start + 1 and self.words[start].kind == "text":
            form = value_form(self.words[start].text)
        else:
            form = tuple(word for each in self.words[start:end] for word in value_form(each.text))
        found = self.names.values.get(form, [])
        if not found and len(form) == 1 and self.words[start].kind == "word":
            found = [each for land in lands(form[0]) for each in self.names.values.get((land,), ())]
        return found
