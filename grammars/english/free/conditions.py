"""Conditions in free questions: on stored values, numbers, years, averages, and how many rows there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

from jigwork.grammars.inflection import Words, split_name
from jigwork.grammars.linking.similar import stem

from ..choices import Trouble
from ..columns import leaves, sub
from ..engine import Leaf, Node
from ..logic import all_of, negate
from ..query import (
    Between,
    Compare,
    Cond,
    Const,
    Empty,
    Match,
    OneOf,
    Op,
    Path,
    Ref,
    Related,
    Scalar,
    Value,
)
from .adjectives import COMPARATIVES, MEASURES
from .columns import DATES, NUMERIC, Columns, is_reversed
from .dates import OPS, Dates

__all__ = ["Conditions"]

_QUANTITIES: dict[str, Op] = {
    "ge": ">=", "le": "<=", "gt": ">", "lt": "<", "ormore": ">=", "orless": "<=", "exactly": "=", "only": "=",
}  # fmt: skip


class Conditions:
    """Reads conditions on the rows of a table."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._schema = columns.schema
        self._spans = columns.spans
        self._choices = columns.choices
        self._dates = Dates(columns)

    def read(self, node: Node, table: str) -> Cond:
        """Read a modifier that is a condition on the row itself, or on what it is joined to by a value."""
        match node.name:
            case "valmod":
                return self._valued(node, table)
            case "bothmod":
                return self._both(node, table)
            case "likemod":
                return self._with_word(node, table)
            case "donemod":
                return self._dates.done(node, table)
            case "emptymod":
                return self._without(node, table)
            case "yearmod":
                return self._dates.in_year(node, table)
            case "colmod":
                return self._compared(node, table)
            case "cmpmod":
                return self._comparative(node, table)
            case _:
                return self._not_valued(node, table)

    # --- values ---------------------------------------------------------------------------------------------

    def _valued(self, node: Node, table: str) -> Cond:
        oneof = sub(node, "oneof") or sub(node, "oneof0")
        cond = self.valued(
            leaves(cast(Node, oneof), "VAL"), next(iter(leaves(node, "COL")), None), table, node
        )
        years = leaves(node, "YEAR")
        return all_of([cond, self._dates.in_year(node, table)]) if years else cond

    def _without(self, node: Node, table: str) -> Cond:
        """`without email`, `whose composer is unknown`, `without a manager`."""
        roles = leaves(node, "ROLE")
        if roles:
            if self._columns.names.lexicon.tables.best(cast(Words, roles[0].value)):
                raise Trouble("this is a table", depth=1)
            steps = self._columns.names.lexicon.role_steps(table, cast(Words, roles[0].value))
            names = [
                step.source_columns[0] for step in steps if step.optional and len(step.source_columns) == 1
            ]
            name = self._choices.pick([(0, each) for each in names])
            self._columns.note(roles[0], f"the column {table}.{name}")
            return Empty(Ref(table, name, self._schema.table(table).column(name).kind))
        leaf = leaves(node, "COL")[0]
        ref = self._columns.column(leaf, table, owner=next(iter(leaves(node, "TAB")), None))
        known = self._schema.table(ref.table).column(ref.column)
        if ref.path or not known.nullable:
            raise Trouble("every row has one of these", depth=1)
        return Empty(ref)

    def _both(self, node: Node, table: str) -> Cond:
        """`speak English and French`: two related rows; a column of the row itself has only one of them."""
        column = next(iter(leaves(node, "COL")), None)
        conds = [self.valued([leaf], column, table, node) for leaf in leaves(node, "VAL")]
        if all(isinstance(cond, Related) for cond in conds):
            return all_of(conds)
        if column is None:
            raise Trouble("this cannot be two things at once", depth=1)
        self._choices.cost += 4  # no row is both, so either is meant, or what the rows have in common
        return self.valued(leaves(node, "VAL"), column, table)

    def _with_word(self, node: Node, table: str) -> Cond:
        ref = self._columns.column(leaves(node, "COL")[0], table)
        word = self._spans.words[leaves(node, "VAL")[0].start]
        if ref.kind != "text" or word.kind != "text":
            raise Trouble("this column holds no text", depth=1)
        return Match(ref, "contains", word.text)

    def _not_valued(self, node: Node, table: str) -> Cond:
        values = leaves(cast(Node, sub(node, "oneof")), "VAL")
        cond = self.valued(values, next(iter(leaves(node, "COL")), None), table, node)
        return replace(cond, op="=", count=0) if isinstance(cond, Related) else negate(cond)

    def valued(
        self, values: Sequence[Leaf], column: Leaf | None, table: str, mod: Node | None = None
    ) -> Cond:
        """Return the condition that a column has one of some values; without a column, the one that stores them.

        `mod` is where a verb, or the table of the values (`the Sales department`), may be said.
        """
        verbs = leaves(mod, "VERB") if mod else []
        owners = (
            {name for leaf in leaves(mod, "TAB") for _, name in self._columns.table_options(leaf)}
            if mod
            else set[str]()
        )
        stored = [self._spans.stored(leaf.start, leaf.end) for leaf in values]
        named = (
            None
            if column is None
            else {p: c for c, p in self._columns.names.columns(cast(Words, column.value))}
        )
        places = [{(each.table, each.column) for each in found} for found in stored]
        shared = {place for place in places[0] if all(place in others for others in places)}
        options: list[tuple[int, Cond]] = []
        for place in shared:
            if (named is not None and place not in named) or (owners and place[0] not in owners):
                continue
            texts = [
                text
                for leaf, found in zip(values, stored, strict=True)
                for text in _spelt([e.value for e in found if (e.table, e.column) == place], self._said(leaf))
            ]
            other = column is None and (self._says_other(verbs, table, place) or self._has_own(table, place))
            for cost, path in self._ways(table, place[0], verbs):
                far = len(path) > 1 and column is None and not owners and not verbs
                cost += (named or {}).get(place, 0) + 4 * other + 2 * far
                options.append((cost, self._holds(table, path, place, texts)))
        if not options and column is not None:
            options = self._unstored(values, column, table)
        cond = self._choices.pick(options)
        ref = _place(cond)
        for leaf in values:
            self._columns.note(leaf, f"a value of {ref.table}.{ref.column}")
        if column is not None:
            self._columns.note(column, f"the column {ref.table}.{ref.column}")
        return cond

    def _said(self, leaf: Leaf) -> str:
        return " ".join(word.text for word in self._spans.words[leaf.start : leaf.end])

    def _unstored(self, values: Sequence[Leaf], column: Leaf, table: str) -> list[tuple[int, Cond]]:
        """A quoted text that is not known to be stored: it is taken as it stands, where the column is named."""
        words = [self._spans.words[leaf.start] for leaf in values]
        if any(word.kind != "text" for word in words):
            return []
        texts = [word.text for word in words]
        found: list[tuple[int, Cond]] = []
        for cost, ref in self._columns.refs(cast(Words, column.value), table):
            known = self._schema.table(ref.table).column(ref.column).values
            if ref.kind == "text" and known is None:
                found.append((cost + 1, _equal(ref, texts)))
        return found

    def _has_own(self, table: str, place: tuple[str, str]) -> bool:
        """`customers in London` is about their own city, though only employees live there."""
        columns = self._schema.table(table).columns
        return table != place[0] and any(c.name.lower() == place[1].lower() != "name" for c in columns)

    def _says_other(self, verbs: Sequence[Leaf], table: str, place: tuple[str, str]) -> bool:
        """`directed by` names the column of who directed, and no other."""
        said = {stem(cast(Words, verb.value)[0]) for verb in verbs}
        columns = self._schema.table(table).columns
        named = {c.name for c in columns if any(said & {stem(w) for w in way} for way in split_name(c.name))}
        named = {name for name in named if self._schema.table(table).column(name).kind == "text"}
        return bool(named) and not (place[0] == table and place[1] in named)

    def _ways(self, table: str, target: str, verbs: Sequence[Leaf] = ()) -> list[tuple[int, Path]]:
        if target == table:
            return [(0, ())]
        paths = self._columns.ways(table, target, verbs)
        return [(cost + 1 + (len(paths) > 1), path) for cost, path in paths]

    def _holds(self, table: str, path: Path, place: tuple[str, str], texts: Sequence[str]) -> Cond:
        kind = self._schema.table(place[0]).column(place[1]).kind
        if all(step.forward for step in path):
            return _equal(Ref(*place, kind, path), texts)
        return Related(path, ">=", 1, _equal(Ref(*place, kind), texts))

    # --- numbers and dates ----------------------------------------------------------------------------------

    def _compared(self, node: Node, table: str) -> Cond:
        short = sub(node, "colpred0")
        if short is not None:
            return self._compared_short(short, table)
        colref, pred = cast(Node, sub(node, "colref")), cast(Node, sub(node, "pred"))
        like, oneof = sub(pred, "like"), sub(pred, "oneof")
        leaf, owner = leaves(colref, "COL")[0], next(iter(leaves(colref, "TAB")), None)
        if oneof is not None:
            return self.valued(leaves(oneof, "VAL"), leaf, table)
        rhs = sub(pred, "rhs")
        values = leaves(rhs, "VAL") if rhs else []
        if values:
            cond = self.valued(values, leaf, table)
            if sub(pred, "cmp"):
                raise Trouble("texts are not compared by size", depth=1)
            return negate(cond) if sub(pred, "isnot") and not isinstance(cond, Related) else cond
        ref = self._columns.column(leaf, table, owner=owner)
        if like is not None:
            how = cast(Node, like.children[0]).name
            word = self._spans.words[leaves(cast(Node, sub(pred, "text")), "VAL")[0].start]
            if ref.kind != "text":
                raise Trouble("this column holds no text", depth=1)
            return Match(ref, {"contains": "contains", "starts": "starts", "ends": "ends"}[how], word.text)  # type: ignore[arg-type]
        between = sub(pred, "between")
        if between is not None:
            low, high = (
                self._dates.number(ref, self._spans.number(n.start), ordered=True)
                for n in leaves(between, "NUM")
            )
            return Between(ref, low, high)
        cmp = sub(pred, "cmp")
        op: Op = OPS[cast(Node, cmp.children[0]).name] if cmp else "="
        cond = self._against(ref, op, cast(Node, rhs), table)
        return negate(cond) if sub(pred, "isnot") else cond

    def _compared_short(self, node: Node, table: str) -> Cond:
        leaf = leaves(node, "COL")[0]
        rhs = cast(Node, sub(node, "rhs0") or sub(node, "rhs"))
        cmp = sub(node, "cmp")
        values = leaves(rhs, "VAL")
        if values:
            return self.valued(values, leaf, table)
        op: Op = OPS[cast(Node, cmp.children[0]).name] if cmp else "="
        return self._against(self._columns.column(leaf, table), op, rhs, table)

    def _against(self, ref: Ref, op: Op, rhs: Node, table: str) -> Cond:
        own = leaves(rhs, "COL")
        if own and not sub(rhs, "average"):
            other = self._columns.column(own[0], table)
            if op == "=" or other.path or ref.path or {ref.kind, other.kind} - {*NUMERIC}:
                raise Trouble("these two are not compared", depth=1)
            return Compare(ref, op, other)
        average = sub(rhs, "average") or sub(rhs, "avgword")
        if average is not None:
            return self._average(ref, op, average, table)
        numbers = [*leaves(rhs, "NUM"), *leaves(rhs, "YEAR"), *leaves(rhs, "DATE")]
        number = next(iter(numbers), None)
        if len(numbers) > 1:
            if op != "=" or ref.kind in DATES:
                raise Trouble("this is compared with two numbers", depth=1)
            return OneOf(
                ref, tuple(self._dates.number(ref, self._spans.number(each.start)) for each in numbers)
            )
        if number is None:
            raise Trouble("there is nothing to compare with", depth=1)
        text = self._spans.number(number.start)
        if ref.kind in DATES:
            if len(text) == 4 and text.isdigit():
                return self._dates.years(ref, op, [text])
            raise Trouble("dates are compared with dates", depth=1)
        return Compare(ref, op, Const(self._dates.number(ref, text, ordered=op != "=")))

    def _average(self, ref: Ref, op: Op, node: Node, table: str) -> Cond:
        said = leaves(node, "COL")
        if said and self._columns.column(said[0], table) != ref:
            raise Trouble("this is compared with the average of something else", depth=1)
        others = leaves(node, "TAB")
        if others and self._columns.table(others[0]) not in (table, ref.table):
            raise Trouble("this is the average over other rows", depth=1)
        if ref.kind not in NUMERIC or ref.path:
            raise Trouble("there is no average of this", depth=1)
        return Compare(ref, op, Scalar("avg", ref, ref.table))

    def _comparative(self, node: Node, table: str) -> Cond:
        comp, cmp = sub(node, "comp"), sub(node, "cmp")
        number = next(iter(leaves(node, "NUM")), None)
        pays = leaves(node, "PAYS")
        if pays and cmp is not None:
            return self._measuring(pays[0], node, table)
        if comp is None and cmp is not None:
            op = OPS[cast(Node, cmp.children[0]).name]
            said = leaves(node, "COL")
            if (average := sub(node, "average")) is not None:
                inner = leaves(average, "COL")
                if not inner:
                    raise Trouble("say the average of what", depth=1)
                return self._average(self._columns.column(inner[0], table), op, average, table)
            ref = (
                self._columns.column(said[0], table)
                if said
                else self._columns.measured(("age",), table, NUMERIC)
            )
        else:
            word = leaves(cast(Node, comp), "COMP")
            if not word:
                raise Trouble("more of what is not known", depth=1)
            concepts, more = COMPARATIVES[cast(Words, word[0].value)[0]]
            ref = self._columns.measured(concepts, table, NUMERIC)
            op = ">" if more != is_reversed(ref) else "<"
            average = sub(node, "average") or sub(node, "avgword")
            if average is not None:
                return self._average(ref, op, average, table)
        if number is None or (comp is not None and is_reversed(ref)):
            raise Trouble("there is nothing to compare with", depth=1)
        return Compare(
            ref, op, Const(self._dates.number(ref, self._spans.number(number.start), ordered=True))
        )

    def _measuring(self, verb: Leaf, node: Node, table: str) -> Cond:
        """`cost more than 50`; `earned more than 5000` where each has several salaries: at least one of them."""
        op = OPS[cast(Node, cast(Node, sub(node, "cmp")).children[0]).name]
        concepts = MEASURES[cast(Words, verb.value)[0]]
        path: Path = ()
        try:
            ref = self._columns.measured(concepts, table, NUMERIC)
        except Trouble:
            if not leaves(node, "NUM"):
                raise
            known = [
                words
                for words in (tuple(each.split()) for each in concepts)
                if self._columns.names.columns(words)
            ]
            path, ref = self._columns.of_many(known[0] if known else (), table)
        self._columns.note(verb, f"the column {ref.table}.{ref.column}")
        cond = self._against(ref, op, node, table)
        return Related(path, ">=", 1, cond) if path else cond

    def limit_of(self, pred: Node) -> tuple[Op, Value]:
        """Read what a number is compared with."""
        cmp, rhs = sub(pred, "cmp"), sub(pred, "rhs")
        numbers = leaves(rhs, "NUM") if rhs else []
        if not numbers or sub(pred, "isnot"):
            raise Trouble("groups are compared with numbers", depth=1)
        text = self._spans.number(numbers[0].start)
        value: Value = int(text) if text.lstrip("-").isdigit() else Decimal(text)
        return (OPS[cast(Node, cmp.children[0]).name] if cmp else "="), value

    def quantity(self, node: Node | None) -> tuple[Op, int]:
        """Read `at least 2`; at least one where nothing is said."""
        if node is None:
            return ">=", 1
        names = [child.name for child in node.children if isinstance(child, Node)]
        words = leaves(node, "CNT")
        count = int(self._spans.number(words[0].start)) if words else 1
        return _QUANTITIES[names[0]] if names else "=", count


def _equal(ref: Ref, texts: Sequence[str]) -> Cond:
    return Compare(ref, "=", Const(texts[0])) if len(texts) == 1 else OneOf(ref, tuple(texts))


def _place(cond: Cond) -> Ref:
    """The column that a condition on values is about."""
    inner = cond.where if isinstance(cond, Related) else cond
    assert isinstance(inner, (Compare, OneOf)) and isinstance(inner.left, Ref)
    return inner.left


def _spelt(stored: Sequence[str], said: str) -> list[str]:
    """The stored spellings that a text means: as it was written where that is stored, else in any case."""
    return [each for each in stored if each == said] or list(stored)
