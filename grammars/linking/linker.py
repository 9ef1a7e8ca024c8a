"""Which tables, columns and stored values the words of a question speak of, with scores and reasons.

A pure function of a schema and a text: the schema comes from `jigwork.tools.sql`; `focus` prunes grammars by the
result, the tool `find_schema` shows it to models, and free questions are read with it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jigwork.grammars.inflection import Words, lands, singular, split_name
from jigwork.grammars.schema import Column, Schema, Table

from .similar import How, Vocabulary
from .synonyms import COMMON

__all__ = ["Link", "Linked", "Linker", "question_words"]

_WORD = re.compile(r"[^\W_]+(?:'[^\W\d_]+)?")
_LONGEST_VALUE = 8
_COMMENT = 0.45
_VALUE = 2.0
_NEIGHBOUR = 0.25
_COLUMNS_COUNTED = 4
_OWN = 0.3
_LABEL = 0.15
_LEAST_SCORE = 0.3
_LEAST_NAMED = 0.2
_COLUMN_WEIGHT = 0.5
_Kind = Literal["table", "column", "value"]


@dataclass(frozen=True, slots=True)
class Link:
    """A table, column or stored value, and the words of the question that speak of it.

    `score` is comparable within one question only. `how` is the weakest way in which a word was matched.
    """

    kind: _Kind
    table: str
    column: str | None
    value: str | None
    words: tuple[str, ...]
    how: How
    score: float


@dataclass(frozen=True, slots=True)
class Linked:
    """All links of one question, best first. `tables` are all tables with evidence, with what it adds up to.

    `unknown` are the words that no name, comment or value accounts for, words like `the` and `which` left out.
    """

    links: tuple[Link, ...]
    tables: tuple[tuple[str, float], ...]
    unknown: tuple[str, ...] = ()

    def of(self, table: str) -> list[Link]:
        """Return the links of a table, its columns and its values, best first."""
        return [link for link in self.links if link.table == table]


@dataclass(frozen=True, slots=True)
class _Name:
    """One way to say a table or column; `column` is -1 for the table."""

    table: int
    column: int
    words: Words
    how: How


def question_words(text: str) -> list[str]:
    """Return the words of a question in lower case, names in camel case taken apart."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group().removesuffix("'s").removesuffix("’s")
        ways = split_name(word) or [(word.lower(),)]
        found.extend(ways[0])
    return found


class Linker:
    """Links questions to one schema. Building it takes time in proportion to the schema; keep it for many questions.

    `aliases` are further names: of tables by table, of columns by (table, column).
    """

    def __init__(
        self,
        schema: Schema,
        *,
        tables: Mapping[str, Sequence[str]] | None = None,
        columns: Mapping[tuple[str, str], Sequence[str]] | None = None,
    ) -> None:
        self.schema = schema
        self._names: list[_Name] = []
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._comments: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._values: dict[Words, list[tuple[int, int, str]]] = defaultdict(list)
        for number, table in enumerate(schema.tables):
            self._add_table(number, table, (tables or {}).get(table.name, ()))
            for at, column in enumerate(table.columns):
                self._add_column((number, at), column, (columns or {}).get((table.name, column.name), ()))
        self._vocabulary = Vocabulary([*self._postings, *self._comments])
        self._rarity = self._rarities()
        self._neighbours = self._keys()

    # --- building -------------------------------------------------------------------------------------------

    def _add_table(self, number: int, table: Table, more: Sequence[str]) -> None:
        for way in split_name(table.name):
            self._add_name(_Name(number, -1, way, "exact"))
        for alias in more:
            self._add_name(_Name(number, -1, tuple(question_words(alias)), "alias"))
        self._add_comment((number, -1), table.comment)

    def _add_column(self, place: tuple[int, int], column: Column, more: Sequence[str]) -> None:
        for way in split_name(column.name):
            self._add_name(_Name(*place, way, "exact"))
        for alias in more:
            self._add_name(_Name(*place, tuple(question_words(alias)), "alias"))
        self._add_comment(place, column.comment)
        for value in column.values or ():
            words = tuple(question_words(value))
            if 0 < len(words) <= _LONGEST_VALUE:
                self._values[words].append((*place, value))

    def _add_name(self, name: _Name) -> None:
        self._names.append(name)
        for i, word in enumerate(name.words):
            self._postings[word].append((len(self._names) - 1, i))

    def _add_comment(self, place: tuple[int, int], comment: str | None) -> None:
        for word in set(question_words(comment or "")) - COMMON:
            self._comments[word].append(place)

    def _rarities(self) -> dict[str, float]:
        """How much a word says: the fewer tables have it in a name, the more."""
        tables: dict[str, set[int]] = defaultdict(set)
        for word, places in self._postings.items():
            tables[singular(word)].update(self._names[name].table for name, _ in places)
        for word, commented in self._comments.items():
            tables[singular(word)].update(table for table, _ in commented)
        count = len(self.schema.tables)
        return {word: math.log(1 + count / len(found)) for word, found in tables.items()}

    def _keys(self) -> list[set[int]]:
        numbers = {table.name: number for number, table in enumerate(self.schema.tables)}
        near: list[set[int]] = [set() for _ in self.schema.tables]
        for number, table in enumerate(self.schema.tables):
            for key in table.foreign_keys:
                other = numbers.get(key.table)
                if other is not None and other != number:
                    near[number].add(other)
                    near[other].add(number)
        return near

    # --- asking ---------------------------------------------------------------------------------------------

    def link(self, question: str) -> Linked:
        """Return the links of a question."""
        words = question_words(question)
        near = self._near(words)
        links = [*self._named(near), *self._commented(near), *self._stored(words)]
        links += [*self._implied(words, links)]
        best: dict[tuple[str, str | None, str | None], Link] = {}
        for link in links:
            place = (link.table, link.column, link.value)
            if place not in best or link.score > best[place].score:
                best[place] = link
        ordered = sorted(best.values(), key=lambda each: (-each.score, each.table, each.column or ""))
        known = {word for link in ordered for word in link.words}
        unknown = tuple(w for w in dict.fromkeys(words) if w not in known and w not in COMMON)
        return Linked(tuple(ordered), self._tables(ordered), unknown)

    def _near(self, words: Sequence[str]) -> dict[str, tuple[str, float, How]]:
        """For each word of a name: the word of the question that means it best, how well, and how."""
        found: dict[str, tuple[str, float, How]] = {}
        pairs = [(a + b, f"{a} {b}") for a, b in itertools.pairwise(words)]
        asked = [(word, word) for word in words if word not in COMMON or len(word) > 4]
        asked += [(pair, said) for pair, said in pairs if pair in self._postings]
        for word, said in asked:
            for name, (score, how) in self._vocabulary.near(word).items():
                if name not in found or found[name][1] < score:
                    found[name] = said, score, how
        return found

    def _weight(self, word: str) -> float:
        return self._rarity.get(singular(word), 1.0)

    def _named(self, near: Mapping[str, tuple[str, float, How]]) -> Iterable[Link]:
        for number in {name for word in near for name, _ in self._postings.get(word, ())}:
            link = self._name_link(self._names[number], near)
            if link is not None:
                yield link

    def _name_link(self, name: _Name, near: Mapping[str, tuple[str, float, How]]) -> Link | None:
        """Score one name: how much of it is said, and how well; words that its table has too say less of a column."""
        table = self.schema.tables[name.table]
        own: set[str] = set() if name.column < 0 else {w for way in split_name(table.name) for w in way}
        weights = {word: self._weight(word) * (_OWN if word in own else 1.0) for word in name.words}
        matched = [word for word in name.words if word in near]
        whole = sum(weights[word] for word in name.words)
        got = sum(weights[word] * near[word][1] for word in matched)
        if not whole or got / whole < _LEAST_NAMED:
            return None
        ways: list[How] = [near[word][2] for word in matched]
        full = len(matched) == len(name.words)
        weakest = max(ways, key=lambda way: _ORDER[way])
        reason = name.how if full and weakest == "exact" else weakest
        said = tuple(dict.fromkeys(near[word][0] for word in matched))
        score = got * (got / whole) * (1.15 if full else 1.0)
        column = None if name.column < 0 else table.columns[name.column].name
        return Link("table" if column is None else "column", table.name, column, None, said, reason, score)

    def _commented(self, near: Mapping[str, tuple[str, float, How]]) -> Iterable[Link]:
        scores: dict[tuple[int, int], float] = defaultdict(float)
        said: dict[tuple[int, int], list[str]] = defaultdict(list)
        for word, (spoken, score, _) in near.items():
            for place in self._comments.get(word, ()):
                scores[place] += score * self._weight(word) * _COMMENT
                said[place].append(spoken)
        for (number, at), score in scores.items():
            table = self.schema.tables[number]
            column = None if at < 0 else table.columns[at].name
            kind: _Kind = "table" if column is None else "column"
            yield Link(
                kind, table.name, column, None, tuple(dict.fromkeys(said[number, at])), "comment", score
            )

    def _stored(self, words: Sequence[str]) -> Iterable[Link]:
        for start in range(len(words)):
            for length in range(1, min(_LONGEST_VALUE, len(words) - start) + 1):
                form = tuple(words[start : start + length])
                if length == 1 and (form[0] in COMMON or (form[0].isdigit() and len(form[0]) < 4)):
                    continue
                found = self._values.get(form, [])
                if length == 1 and not found:
                    found = [each for land in lands(form[0]) for each in self._values.get((land,), ())]
                for number, at, value in found:
                    table = self.schema.tables[number]
                    score = _VALUE * (1 + math.log(length)) * math.log(1 + len(self.schema.tables))
                    yield Link("value", table.name, table.columns[at].name, value, form, "value", score)

    def _implied(self, words: Sequence[str], links: Sequence[Link]) -> Iterable[Link]:
        """What a named table brings along, weakly: its label, and where a year is said its years."""
        years = tuple(word for word in words if re.fullmatch(r"[12]\d{3}", word))
        for link in links:
            if link.kind != "table" or link.score < _LEAST_SCORE:
                continue
            table = self.schema.table(link.table)
            for column in table.columns:
                last = split_name(column.name)[0][-1] if split_name(column.name) else ""
                if last in ("name", "title") and column.kind == "text":
                    yield Link(
                        "column", table.name, column.name, None, link.words, "label", _LABEL * link.score
                    )
                dated = column.kind in ("date", "datetime") or "year" in column.name.lower()
                if years and dated:
                    yield Link("column", table.name, column.name, None, years, "year", _LABEL * link.score)

    def _tables(self, links: Sequence[Link]) -> tuple[tuple[str, float], ...]:
        """Add up what speaks for each table: its own name, its best columns and values, and a little its neighbours."""
        own: dict[str, float] = defaultdict(float)
        rest: dict[str, list[tuple[float, tuple[str, ...]]]] = defaultdict(list)
        for link in links:
            if link.how in ("label", "year"):
                continue  # they follow from the table
            if link.kind == "table":
                own[link.table] = max(own[link.table], link.score)
            else:
                rest[link.table].append((link.score, link.words))
        direct: dict[str, float] = {}
        for table in {*own, *rest}:
            seen: set[str] = set()
            columns = 0.0
            counted = 0
            for score, words in rest.get(table, ()):
                if counted < _COLUMNS_COUNTED and not seen.issuperset(words):
                    columns += score
                    counted += 1
                    seen.update(words)
            direct[table] = own[table] + _COLUMN_WEIGHT * columns
        scores = dict(direct)
        for number, each in enumerate(self.schema.tables):
            near = [direct.get(self.schema.tables[other].name, 0.0) for other in self._neighbours[number]]
            if near and (bonus := _NEIGHBOUR * sum(sorted(near)[-2:])):
                scores[each.name] = scores.get(each.name, 0.0) + bonus
        ranked = sorted(scores.items(), key=lambda each: (-each[1], each[0]))
        return tuple((name, score) for name, score in ranked if score > 0)


_ORDER: dict[How, int] = {
    "exact": 0, "plural": 1, "alias": 2, "value": 3, "short form": 4, "synonym": 5, "stem": 6, "spelling": 7,
    "prefix": 8, "comment": 9, "year": 10, "label": 11,
}  # fmt: skip
