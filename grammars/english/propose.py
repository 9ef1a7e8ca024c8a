"""From a free question to questions in controlled English that may be what was meant. They are offered, never run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .joins import Joins, is_single
from .names import Lexicon, StoredValue
from .words import Words

__all__ = ["CLAUSES", "Part", "Proposer"]

CLAUSES = {"filter": "where", "bconj": "where", "group": "group", "sort": "sort", "limit": "sort"}
"""Rules whose sentences are kept from a question that is not understood, and what they are for."""

_MOST = 3
_COUNT = frozenset({"how many", "number of", "count", "amount of"})
_FUNCS = {
    "average": "average", "avg": "average", "mean": "average",
    "total": "sum of", "sum": "sum of", "altogether": "sum of", "combined": "sum of",
    "maximum": "maximum", "max": "maximum", "highest": "maximum", "largest": "maximum", "biggest": "maximum",
    "oldest": "maximum", "longest": "maximum", "most expensive": "maximum", "latest": "maximum",
    "minimum": "minimum", "min": "minimum", "lowest": "minimum", "smallest": "minimum", "cheapest": "minimum",
    "youngest": "minimum", "shortest": "minimum", "earliest": "minimum",
}  # fmt: skip
_MOST_WORDS = frozenset({"most", "largest", "highest", "greatest", "biggest"})
_LEAST_WORDS = frozenset({"least", "fewest", "lowest", "smallest"})
_GROUP = frozenset({"each", "per", "every", "by"})
_DISTINCT = frozenset({"different", "distinct", "unique"})
_NONE = frozenset(
    {"without", "no", "not", "never", "none", "nor", "don't", "doesn't", "didn't", "except", "excluding"}
)


@dataclass(frozen=True, slots=True)
class Part:
    """A clause of a question: the rule that derives it, its text, and the words that it covers."""

    rule: str
    text: str
    start: int
    end: int


class Proposer:
    """Builds proposals for one schema out of the clauses, names, values and cue words that a text holds.

    `reads` tells whether a question has exactly one reading.
    """

    def __init__(self, lexicon: Lexicon, joins: Joins, reads: Callable[[str], bool]) -> None:
        self._lexicon = lexicon
        self._joins = joins
        self._reads = reads

    def proposals(self, words: Sequence[str], parts: Sequence[Part]) -> list[str]:
        """Return candidate questions, the likeliest first. They still have to be read."""
        tables = self._tables(words)
        if not tables:
            tables = list(
                dict.fromkeys(owner for owners in self._columns(words).values() for owner, _ in owners)
            )[:2]
        found: list[str] = []
        for table in tables[:2]:
            clauses, rest = self._clauses(table, words, parts)
            others = [other for other in self._tables(rest) if other != table]
            found.extend(self._about(table, others, rest, clauses))
        return list(dict.fromkeys(found))[: 4 * _MOST]

    def _clauses(
        self, table: str, words: Sequence[str], parts: Sequence[Part]
    ) -> tuple[dict[str, str], list[str]]:
        """Return the clauses that this table can take, and the words without them."""
        many, rest = self._lexicon.shown_table[table][1], list(words)
        clauses = {"where": "", "group": "", "sort": ""}
        done = 0
        for part in parts:
            if part.start < done or _NONE.intersection(rest[: part.start]):
                continue  # what follows a negation that is not understood is not kept without it
            use = CLAUSES[part.rule]
            said = f" where {part.text}" if part.rule == "bconj" else f" {part.text}"
            verb = "count" if use == "group" else "list"
            if self._reads(f"{verb} {many}{clauses['where'] if use == 'where' else ''}{said}"):
                clauses[use] += said
                done = part.end
                rest[part.start : part.end] = ["\x00"] * (part.end - part.start)
        return clauses, rest

    def _about(
        self, table: str, others: list[str], words: Sequence[str], clauses: Mapping[str, str]
    ) -> list[str]:
        many = self._lexicon.shown_table[table][1]
        columns = self._own(table, words)
        where = self._where(table, words) + clauses["where"]
        group, sort = clauses["group"], clauses["sort"]
        text, cues = " ".join(words), set(words)
        own = self._lexicon.own[table].entries
        cues_said = (said for cue, said in _FUNCS.items() if f" {cue} " in f" {text} " and (cue,) not in own)
        func = next(cues_said, None)
        found: list[str] = []
        counted = any(f" {cue} " in f" {text} " for cue in _COUNT)
        for other in others:
            rows = self._lexicon.shown_table[other][1]
            paths = self._joins.paths(table, other)
            if not paths or is_single(paths[0]):
                if paths and counted and cues & _GROUP:
                    found.append(f"count {many}{where} per {self._lexicon.shown_table[other][0]}")
                continue
            if cues & _NONE and rows not in where:
                found.append(f"list {many} without {rows}{where}")
            if cues & _MOST_WORDS:
                found.append(f"top 1 {many} by number of {rows}{where}")
            if cues & _LEAST_WORDS:
                found.append(f"bottom 1 {many} by number of {rows}{where}")
            if counted:
                items = ", ".join([*columns[:2], f"number of {rows}"])
                found.append(f"list {items} for {many}{where}")
        listed = ", ".join(columns[:4])
        if func and columns:
            per = f" per {columns[1]}" if len(columns) > 1 and cues & _GROUP else group
            found.append(f"{func} {columns[0]} for {many}{where}{per}")
        if counted and columns and cues & _DISTINCT:
            found.append(f"count distinct {columns[0]} for {many}{where}")
        if counted and columns and cues & _GROUP:
            found.append(f"count {many}{where} per {columns[0]}")
        if counted:
            found.append(f"count {many}{where}{group}")
        distinct = "distinct " if cues & _DISTINCT and columns else ""
        found.append(
            f"list {distinct}{listed} for {many}{where}{sort}" if columns else f"list {many}{where}{sort}"
        )
        return found

    def _tables(self, words: Sequence[str]) -> list[str]:
        found: dict[str, None] = {}
        i = 0
        while i < len(words):
            ends = self._lexicon.tables.lengths(words, i)[0]
            if ends:
                for table in self._lexicon.tables.best(tuple(words[i : i + ends[-1]])):
                    found[table] = None
                i += ends[-1]
            else:
                i += 1
        return list(found)

    def _columns(self, words: Sequence[str]) -> dict[Words, list[tuple[str, str]]]:
        found: dict[Words, list[tuple[str, str]]] = {}
        for i in range(len(words)):
            ends = self._lexicon.columns.lengths(words, i)[0]
            if ends:
                form = tuple(words[i : i + ends[-1]])
                found[form] = self._lexicon.columns.best(form)
        return found

    def _own(self, table: str, words: Sequence[str]) -> list[str]:
        forms = self._columns(words)
        names = [column for owners in forms.values() for owner, column in owners if owner == table]
        return [self._lexicon.shown_column[table, name] for name in dict.fromkeys(names)]

    def _where(self, table: str, words: Sequence[str]) -> str:
        conds: dict[tuple[str, str], str] = {}
        for i in range(len(words)):
            if words[i] in _NONE:
                break  # what is excluded is not asked for
            ends = self._lexicon.values.lengths(words, i)[0]
            for stored in self._lexicon.stored(" ".join(words[i : i + ends[-1]])) if ends else ():
                said = None if stored.value.isdigit() else self._condition(table, stored)
                if said:
                    conds.setdefault((stored.table, stored.column), said)
                    break
        return f" where {' and '.join(conds.values())}" if conds else ""

    def _condition(self, table: str, stored: StoredValue) -> str | None:
        shown = self._lexicon.shown_column[stored.table, stored.column]
        value = '"' + stored.value.replace('"', '""') + '"'
        if stored.table == table:
            return f"{shown} is {value}"
        paths = self._joins.paths(table, stored.table)
        if len(paths) == 1 and is_single(paths[0]):
            return f"{self._lexicon.shown_table[stored.table][0]} {shown} is {value}"
        return None
