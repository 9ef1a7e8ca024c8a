"""Every way to name what a schema holds: tables, columns, roles of foreign keys, stored values, aliases.

A name is looked up as the words of a question, in lower case; a name in backquotes is that name and no other. Ranks
say how near a form is to the name itself: 0 as it is, 1 in another number, 2 without the table's own name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from jigwork.grammars.schema import Column, Schema, Table

from .aliases import Aliases
from .deeds import deeds_of, is_past, past
from .joins import Joins
from .problems import NotUnderstood
from .query import Step
from .tokens import BARE_WORD, Token, tokenize
from .words import Words, is_plural, number_forms, plural, singular, split_name

__all__ = ["TAIL", "Lexicon", "StoredValue", "form_said", "say_form", "typed_word", "word_of"]

T = TypeVar("T")
_FILLERS = frozenset(
    "the a an of is are in for to if whether when not null this that which with by on or and".split()
)

_SMALL = frozenset("per for and the not are was has its our out non pre".split())
"""What no compound is made of: `shippers` are no `ship pers`, whatever a `QuantityPerUnit` says."""

_KEY_ENDINGS = frozenset(
    {"id", "ids", "code", "key", "fk", "no", "nr", "num", "number", "uuid", "guid", "ref", "pk"}
)
_PERSONS = (
    ("first name", "last name"), ("firstname", "lastname"), ("given name", "family name"), ("forename", "surname"),
    ("first name", "surname"), ("given name", "surname"), ("fname", "lname"),
)  # fmt: skip
_ALSO = re.compile(
    r"\b(?:also(?: called| known as)?|synonyms?|alias(?:es)?|aka|a\.k\.a\.|called)\s*:?\s+([^.;()\n]+)",
    re.IGNORECASE,
)
TAIL = 3
"""The rank of a name by its last word."""
_COMMON = _KEY_ENDINGS | {
    "name",
    "date",
    "time",
    "at",
    "type",
    "to",
    "by",
    "on",
    "via",
    "in",
    "of",
    "from",
    "title",
}
_FULL = ("name", "full name", "display name")
_LABELS = ("name", "title", "label", "full name", "display name", "username", "caption", "subject")


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A value that a column holds, which may be written without quotes."""

    table: str
    column: str
    value: str


def word_of(token: Token) -> str:
    """Return the word that a token is looked up as; "" for what can be no part of a name."""
    if token.kind == "word":
        return token.value
    return f"`{token.value.lower()}`" if token.kind == "name" else ""


def say_form(form: Words) -> str:
    """Return the words of a form as one says them: `customer's note`."""
    return " ".join(form).replace(" 's", "'s")


def form_said(text: str) -> Words:
    """Return the form of a name as `say_form` writes it."""
    return tuple(re.sub(r"'s(?= |$)", " 's", text).split())


def typed_word(word: str) -> str:
    """Return a word of a form as one types it: in backquotes, backquotes are doubled."""
    return f"`{word[1:-1].replace('`', '``')}`" if word.startswith("`") else word


class Forms(Generic[T]):
    """Names by their words, for matching at a token: all lengths, and how far a partial match goes."""

    def __init__(self) -> None:
        self.entries: dict[Words, dict[T, int]] = {}
        self._starts: set[Words] = set()

    def add(self, form: Words, item: T, rank: int) -> None:
        """Add a form; the better rank wins."""
        items = self.entries.setdefault(form, {})
        items[item] = min(rank, items.get(item, rank))
        self._starts.update(form[:i] for i in range(1, len(form) + 1))

    def lengths(self, words: Sequence[str], start: int) -> tuple[list[int], int]:
        """Return the lengths of the names that start there, and how many words go along with some name."""
        found: list[int] = []
        n = 1
        while start + n <= len(words) and (form := tuple(words[start : start + n])) in self._starts:
            if form in self.entries:
                found.append(n)
            n += 1
        return found, n - 1

    def best(self, form: Words) -> list[T]:
        """Return the items of the best rank."""
        items = self.entries.get(form)
        if not items:
            return []
        low = min(items.values())
        return [item for item, rank in items.items() if rank == low]


class Lexicon:
    """The names of one schema."""

    def __init__(self, schema: Schema, joins: Joins, aliases: Aliases) -> None:
        self.schema = schema
        self.tables: Forms[str] = Forms()
        self.columns: Forms[tuple[str, str]] = Forms()
        self.values: Forms[StoredValue] = Forms()
        self.roles: Forms[Step] = Forms()
        self.vias: Forms[Step] = Forms()
        self.deeds: Forms[str] = Forms()
        self.flags: Forms[tuple[str, str]] = Forms()
        self.own: dict[str, Forms[str]] = {table.name: Forms() for table in schema.tables}
        self.shown_table: dict[str, tuple[str, str]] = {}
        self.shown_column: dict[tuple[str, str], str] = {}
        self.labels: dict[str, str | None] = {}
        self.persons: dict[str, tuple[str, str] | None] = {}
        compounds = _compounds(schema)
        self._nouns = {singular(way[0]) for t in schema.tables for way in split_name(t.name) if len(way) == 1}
        for table in schema.tables:
            self._add_table(table, compounds, aliases)
            self._add_columns(table, compounds, aliases)
        for table in schema.tables:
            self._add_roles(table, joins)
            self.persons[table.name] = self._person(table)
            self.labels[table.name] = self._label(table)

    # --- building -------------------------------------------------------------------------------------------

    def _add_table(self, table: Table, compounds: Mapping[str, Words], aliases: Aliases) -> None:
        ways = _ways(table.name, compounds)
        for way in ways:
            for i, form in enumerate(number_forms(way)):
                self.tables.add(form, table.name, min(i, 1))
        for alias in aliases.tables.get(table.name, ()):
            for form in number_forms(_phrase(alias)):
                self.tables.add(form, table.name, 0)
        for words in _synonyms(table.comment):
            for form in number_forms(words):
                self.tables.add(form, table.name, 1)
        self.tables.add((f"`{table.name.lower()}`",), table.name, 0)
        *head, last = ways[0] if ways else (f"`{table.name}`",)
        one = singular(last)
        for verb in deeds_of(word for way in ways for word in way):
            self.deeds.add((verb,), table.name, 0)
        self.shown_table[table.name] = " ".join([*head, one]), " ".join([*head, plural(one)])

    def _add_columns(self, table: Table, compounds: Mapping[str, Words], aliases: Aliases) -> None:
        own = self.own[table.name]
        for column in table.columns:
            ways = _ways(column.name, compounds)
            for way in ways:
                for i, form in enumerate(number_forms(way)):
                    own.add(form, column.name, min(i, 1))
            for alias in aliases.columns.get((table.name, column.name), ()):
                for form in number_forms(_phrase(alias)):
                    own.add(form, column.name, 0)
            for words in _synonyms(column.comment):
                for form in number_forms(words):
                    own.add(form, column.name, 1)
            own.add((f"`{column.name.lower()}`",), column.name, 0)
            typed = [way for way in _as_typed(column.name) if "'s" in way]
            shown = (typed or ways)[0] if ways else (f"`{column.name}`",)
            self.shown_column[table.name, column.name] = say_form(shown)
            for stored, said in aliases.values.get((table.name, column.name), {}).items():
                for each in said:
                    self.values.add(_phrase(each), StoredValue(table.name, column.name, stored), 0)
            self._add_values(table.name, column)
        self._add_short(table, own)
        self._add_done(table, own)
        self._add_tails(table, own)
        for column in table.columns:
            if column.kind == "boolean":
                for form in [form for form, names in own.entries.items() if column.name in names]:
                    self.flags.add(form, (table.name, column.name), 0)
        for form, items in own.entries.items():
            for name, rank in items.items():
                self.columns.add(form, (table.name, name), rank)

    def _add_short(self, table: Table, own: Forms[str]) -> None:
        """`customer_name` of customers is also its `name`, unless another column is called so."""
        heads = [form for form, names in self.tables.entries.items() if table.name in names]
        for form in list(own.entries):
            for head in heads:
                rest = form[len(head) :]
                if form[: len(head)] == head and rest and rest not in own.entries:
                    for name in own.best(form):
                        own.add(rest, name, 2)

    def _add_tails(self, table: Table, own: Forms[str]) -> None:
        """`price` is the `unit price` of a table that has no other column of that last word."""
        tails: dict[str, set[str]] = defaultdict(set)
        for column in table.columns:
            for words in split_name(column.name)[:1]:
                if len(words) > 1:
                    tails[words[-1]].add(column.name)
        for tail, names in tails.items():
            if len(names) == 1 and tail not in _COMMON and tail.isalpha() and tail not in self._nouns:
                for form in number_forms((tail,)):
                    if form not in own.entries:
                        own.add(form, next(iter(names)), TAIL)

    def _add_done(self, table: Table, own: Forms[str]) -> None:
        """`hired in 2020` is about the `hire date`, unless a column is called so."""
        for column in table.columns:
            if column.kind not in ("date", "datetime"):
                continue
            for words in split_name(column.name):
                if len(words) == 1 and is_past(words[0]):
                    self.flags.add(words, (table.name, column.name), 0)
                rest = tuple(word for word in words if word not in ("date", "time", "at", "on", "of", "day"))
                if len(rest) == 1 and len(words) > 1 and (past(rest[0]),) not in own.entries:
                    own.add((past(rest[0]),), column.name, 2)
                    self.flags.add((past(rest[0]),), (table.name, column.name), 0)

    def _add_values(self, table: str, column: Column) -> None:
        for value in column.values or ():
            parts = value.split(" ")
            if all(BARE_WORD.fullmatch(part) for part in parts):
                self.values.add(
                    tuple(part.lower() for part in parts), StoredValue(table, column.name, value), 0
                )

    def _add_roles(self, table: Table, joins: Joins) -> None:
        """`manager_id` gives the role `manager`; `via` takes the role or the column's own name."""
        for step in joins.steps(table.name):
            if not step.forward:
                continue
            back = joins.reverse(step)
            forms: dict[Words, int] = {}
            if len(step.source_columns) == 1:
                for way in split_name(step.source_columns[0]):
                    forms.setdefault(way, 0)
                    if len(way) > 1 and way[-1] in _KEY_ENDINGS:
                        forms.setdefault(way[:-1], 0)
                typed = step.source_columns[0].lower()
                if BARE_WORD.fullmatch(typed):
                    forms.setdefault((typed,), 0)
                forms.setdefault((f"`{typed}`",), 0)
            forms.setdefault((f"`{' '.join(step.source_columns).lower()}`",), 0)
            for form, rank in forms.items():
                if len(form) == 1 or form[-1] not in _KEY_ENDINGS:
                    self.roles.add(form, step, rank)
                self.vias.add(form, step, rank)
                self.vias.add(form, back, rank)

    def _label(self, table: Table) -> str | None:
        """The column that says in words which row it is, if one plainly does."""
        own = self.own[table.name]
        for label in _LABELS:
            if self.persons[table.name] and label not in _FULL:
                continue  # the title of a person says little of who it is
            for name in own.best(tuple(label.split())):
                if table.column(name).kind == "text" and (name,) != table.primary_key:
                    return name
        return None

    def _person(self, table: Table) -> tuple[str, str] | None:
        """The columns of first and last name."""
        own = self.own[table.name]
        for first, last in _PERSONS:
            names = [own.best(tuple(label.split())) for label in (first, last)]
            if all(len(found) == 1 for found in names):
                return names[0][0], names[1][0]
        return None

    # --- asking ---------------------------------------------------------------------------------------------

    def namelike(self, table: str) -> list[str]:
        """Return the columns that may say in words which row it is, where none plainly does."""
        columns = [c for c in self.schema.table(table).columns if c.kind == "text"]
        ends = {c.name: (split_name(c.name) or [("",)])[0][-1] for c in columns}
        named = [name for name, end in ends.items() if end == "name"]
        named = named or [name for name, end in ends.items() if end == "title"]
        key = self.schema.table(table).primary_key
        return [*named, *(c.name for c in columns if (c.name,) == key and c.name not in named)]

    def names_of(self, table: str) -> tuple[str, ...]:
        """Return the columns that say in words which row it is."""
        label = self.labels[table]
        if label is not None:
            return (label,)
        return self.persons[table] or self._beside_key(table)

    def _beside_key(self, table: str) -> tuple[str, ...]:
        """The one column that ends in `name`; of several, the one that follows the key (`company`, not `contact name`)."""
        named = [name for name in self.namelike(table) if split_name(name)[0][-1:] in (("name",), ("title",))]
        near = [name for name in named if self.is_near(table, name)]
        return tuple(near[:1]) if len(near) == 1 or near[:1] == named[:1] else ()

    def is_near(self, table: str, name: str) -> bool:
        """Tell whether a name is that of the row: beside its keys, or called like it. The `ship name` of an order is not."""
        made = self.schema.table(table)
        own = {singular(word) for way in split_name(table) for word in way}
        keys = {*made.primary_key, *(each for key in made.foreign_keys for each in key.columns)}
        places = [column.name for column in made.columns]
        beside = set(places[: places.index(name)]) <= keys
        return beside or any(singular(word) in own for way in split_name(name) for word in way[:-1])

    def is_one(self, form: Words) -> bool:
        """Tell whether a name of a table is in the singular."""
        return not form[-1].startswith("`") and not is_plural(form[-1])

    def own_columns(self, table: str, form: Words) -> list[tuple[str, int]]:
        """Return the columns of a table that a form names, with their rank; the best rank only."""
        items = self.own[table].entries.get(form, {})
        low = min(items.values(), default=0)
        return [(name, rank) for name, rank in items.items() if rank == low]

    def role_steps(self, table: str, form: Words) -> list[Step]:
        """Return the foreign keys of a table that a role names."""
        return [step for step in self.roles.entries.get(form, {}) if step.source == table]

    def via_steps(self, form: Words) -> set[Step]:
        """Return the steps, in both directions, that `via FORM` allows."""
        return set(self.vias.entries.get(form, {}))

    def stored(self, text: str) -> list[StoredValue]:
        """Return the stored values that a text names; where a column holds it as it is written, only that one."""
        found = list(self.values.entries.get(_phrase(text), {}))
        exact = {(each.table, each.column) for each in found if each.value == text}
        return [each for each in found if each.value == text or (each.table, each.column) not in exact]

    def all_names(self) -> list[str]:
        """Return every name as one says it, for did-you-mean."""
        forms: set[Words] = {
            *self.tables.entries,
            *self.columns.entries,
            *self.roles.entries,
            *self.values.entries,
        }
        return [" ".join(form) for form in forms]


def _synonyms(comment: str | None) -> list[Words]:
    """What a comment says that something is also called: all of a short one, and what follows `also called`."""
    if not comment:
        return []
    listed = [
        part for match in _ALSO.finditer(comment) for part in re.split(r",|/|\bor\b|\band\b", match.group(1))
    ]
    first = re.split(r"[.;:,()\n]", comment)[0]
    found = [_phrase(part.strip(" \t\"'`")) for part in [*listed, first]]
    words = [form for form in found if 0 < len(form) <= 4 and all(BARE_WORD.fullmatch(word) for word in form)]
    return [form for form in words if not _FILLERS.intersection(form)]


def _phrase(text: str) -> Words:
    return tuple(text.lower().split())


def _ways(name: str, compounds: Mapping[str, Words]) -> list[Words]:
    ways = split_name(name)
    more = [compounds[way[0]] for way in ways if len(way) == 1 and way[0] in compounds]
    return list(dict.fromkeys([*more, *ways, *_as_typed(name)]))


def _as_typed(name: str) -> list[Words]:
    """The name as its words are cut in a question, where that can be done: `e-mail`, `customer's note`."""
    try:
        tokens = tokenize(name)
    except NotUnderstood:
        return []
    words = tuple(token.value for token in tokens if token.kind == "word" or token.value == "'s")
    usable = all(word == "'s" or BARE_WORD.fullmatch(word) for word in words)
    return [words] if words and len(words) == len(tokens) and usable else []


def _compounds(schema: Schema) -> dict[str, Words]:
    """`countrylanguage` is `country language` where both words are names or parts of names in this schema."""
    known: dict[str, set[str]] = defaultdict(set)
    for table in schema.tables:
        for name in (table.name, *(column.name for column in table.columns)):
            for way in split_name(name):
                for word in way:
                    if len(word) > 2 and word.isalpha():
                        known[singular(word)].update((word, singular(word), plural(singular(word))))
    words = {each for forms in known.values() for each in forms}
    found: dict[str, Words] = {}
    for word in words:
        cuts = [(word[:i], word[i:]) for i in range(3, len(word) - 2)]
        parts = [
            cut for cut in cuts if set(cut) <= words and not any(singular(part) in _SMALL for part in cut)
        ]
        if len(parts) == 1:
            found[word] = parts[0]
    return found
