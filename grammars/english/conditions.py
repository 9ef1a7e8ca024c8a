"""From the words after `where`, `with` and `without` to conditions, relative to the rows of one table."""

from __future__ import annotations

from typing import cast

from .choices import Trouble
from .columns import Finder, leaves, sub, subs
from .comparisons import OPS, Comparisons
from .engine import Leaf, Node
from .joins import is_single
from .judged import births, born, judged
from .keys import Keys
from .logic import all_of, any_of, exists, negate, period, same_row
from .naming import Namings
from .operands import Operands, nodes_of
from .query import Agg, Compare, Cond, Const, Empty, Not, OneOf, Op, Operand, Path, Ref, Related
from .rules import WORDS
from .values import DATES, Values

__all__ = ["Conditions"]


class Conditions:
    """Resolves the conditions of one run."""

    def __init__(self, finder: Finder) -> None:
        self.finder = finder
        self.values = Values(finder.lexicon, finder.choices, finder.today)
        self.operands = Operands(finder, self.relation, self.filters)
        self.keys = Keys(finder, self.operands)
        self._namings = Namings(finder)
        self.comparisons = Comparisons(finder, self.operands, self.values, self._namings)

    # --- and, or, not ---------------------------------------------------------------------------------------

    def filters(self, nodes: list[Node], table: str) -> Cond | None:
        """Join several filters with `and`."""
        conds = [self.filter(node, table) for node in nodes]
        return all_of(conds) if conds else None

    def filter(self, node: Node, table: str) -> Cond:
        """Resolve `where ...`, `with ...`, `of ...`, a stored value before its noun, or the name of the one row."""
        if node.name in ("listing", "selection"):
            return self._namings.at((), table, subs(node, "naming"))
        return self.cond(node if node.name in ("owned", "tagged", "valued") else _only(node), table)

    def cond(self, node: Node, table: str) -> Cond:
        """Resolve any node of a condition."""
        match node.name:
            case "cond" | "wcond":
                return any_of([self.cond(child, table) for child in nodes_of(node)])
            case "conj" | "wconj" | "bconj":
                return self._conj(nodes_of(node), table)
            case "neg":
                children = nodes_of(node)
                return self._neg(children, table)
            case "comparison" | "measured":
                standing = sub(node, "standing")
                if standing is not None:
                    return self._standing(standing, table)
                return self.comparisons.comparison(node, table)
            case "valued":
                stored = leaves(node, "STORED")
                said = node.children[0].value if isinstance(node.children[0], Leaf) else ""
                if said in WORDS or (len(said) == 1 and said[0] in WORDS):
                    raise Trouble("this is a word of the language", node, depth=0)
                return self._stored(stored[0], table) if stored else self._flag(node, table)
            case "flag":
                return self._flag(node, table)
            case "unflagged":
                flag = _only(node)
                if sub(flag, "unmet") is None:
                    raise Trouble("say `where ...` before it", flag, depth=1)
                return self._flag(flag, table)
            case "with":
                return self._with(node, table)
            case "without":
                return self._without(node, table)
            case "deed":
                return self._deed(node, table)
            case "outside":
                return negate(_any_value([self._place(each, "=", table) for each in node.children]))
            case "judging":
                return self._judging(node, table)
            case "owned" | "tagged":
                return self._owned(node, table)
            case _:
                return self._located(node, table)

    def _conj(self, nodes: list[Node], table: str) -> Cond:
        conds = [self.cond(node, table) for node in nodes]
        implied = [i for i, node in enumerate(nodes) if _is_comparison(node) and exists(conds[i])]
        for position, i in enumerate(implied):
            for j in implied[position + 1 :]:
                one = same_row(cast(Related, conds[i]), cast(Related, conds[j]))
                if one is not None:
                    merged = [cond for k, cond in enumerate(conds) if k not in (i, j)]
                    merged.insert(i, one)
                    return self.finder.choices.pick([(0, all_of(merged)), (0, all_of(conds))])
        return all_of(conds)

    # --- with and without -----------------------------------------------------------------------------------

    def _with(self, node: Node, table: str) -> Cond:
        inner = sub(node, "related")
        if inner is not None:
            return self._with_rows(inner, table, sub(node, "quantity"))
        comparison = sub(node, "comparison") or sub(node, "measured")
        if comparison is not None:
            return self.cond(comparison, table)
        outdo, alike = sub(node, "outdo"), sub(node, "alike")
        if outdo is not None:
            return self.comparisons.outdo(outdo, table, self._outdone(outdo, table))
        if alike is not None:
            return self.comparisons.alike(alike, table)
        pair = sub(node, "pair")
        if pair is not None:
            return self._pair(pair, table)
        return self._presence(_only(node), table, negated=True)

    def _flag(self, node: Node, table: str, *, no: bool = False) -> Cond:
        """`discontinued`, `not shipped`: what is true or false is true; what has a date of it has that date."""
        leaf, no = leaves(node, "FLAG")[0], no or sub(node, "unmet") is not None
        names = [name for name, _ in self.finder.lexicon.own_columns(table, leaf.value)]
        if not names:
            many = self.finder.lexicon.shown_table[table][1]
            raise Trouble(f"{many} are not told apart by {' '.join(leaf.value)}", leaf, depth=1)
        column = self.finder.schema.table(table).column(
            self.finder.choices.pick([(0, name) for name in names])
        )
        ref = Ref(table, column.name, column.kind)
        if column.kind == "boolean":
            return Compare(ref, "=", Const(not no))
        if column.kind not in DATES:
            raise Trouble("say what it is: `where COLUMN is VALUE`", leaf, depth=1)
        return Empty(ref, not no)

    def _neg(self, children: list[Node], table: str) -> Cond:
        """`not shipped` is one test; before anything else `not` leaves an unknown unknown."""
        *nots, inner = children
        bare = inner
        while bare.name == "neg" and len(bare.children) == 1:
            bare = _only(bare)
        if nots and bare.name == "flag" and sub(bare, "unmet") is None:
            return self._flag(bare, table, no=True)
        cond = self.cond(inner, table)
        return Not(cond) if nots else cond

    def _judging(self, node: Node, table: str) -> Cond:
        """`cheaper than "Chai"`: by the one column that it can be about."""
        word = nodes_of(node)[0].name
        numbers = leaves(node, "NUMBER")
        op: Op = (
            OPS[nodes_of(nodes_of(node)[0])[0].name] if word == "compare" else ">" if word == "older" else "<"
        )
        found = births(self.finder, table) if word in ("older", "younger", "compare") else []
        more, refs = judged(self.finder, "older" if word == "compare" else word, table)
        dated = [(1, ref) for ref in found if numbers or word != "compare"]
        if dated:
            left = self.finder.choices.pick([*dated, *((1, ref) for ref in refs)])
            if left in found and numbers and numbers[0].value.isdigit():
                return born(left, op, int(numbers[0].value), today=self.finder.today, node=node)
            back: Op = "<" if (op == ">") == (left in found) else ">"
            return self.comparisons.compare(left, op if numbers else back, node.children[-1], table)
        if not refs:
            many = self.finder.lexicon.shown_table[table][1]
            raise Trouble(f"{many} have no such column: say `where COLUMN > ...`", node, depth=3)
        left = self.finder.choices.pick([(1, ref) for ref in refs])
        how = op if word == "compare" else ">" if more else "<"
        return self.comparisons.compare(left, how, node.children[-1], table)

    def _deed(self, node: Node, table: str) -> Cond:
        """`customers who bought ...`: the way there goes by what the verb stands for; `never ordered`: there is none."""
        leaf = leaves(node, "DEED")[0]
        verbs = set(self.finder.lexicon.deeds.best(leaf.value))
        inner, located, never = sub(node, "related"), sub(node, "located"), sub(node, "never")
        if inner is None:
            return self._plain_deed(located, table, (leaf, sorted(verbs)), none=never is not None)
        path, _ = self._way(inner, table)
        if not verbs & {table, *(step.target for step in path)}:
            raise Trouble(
                f"`{' '.join(leaf.value)}` does not lead there: say `with` or `without`", leaf, depth=2
            )
        if never is None:
            return self._with_rows(inner, table, sub(node, "quantity"))
        return self.related(inner, table, "=", 0)

    def _plain_deed(
        self, located: Node | None, table: str, deed: tuple[Leaf, list[str]], *, none: bool
    ) -> Cond:
        """Rows of the nearest table that the verb stands for, of which there is some, or none."""
        ways = [path for verb in deed[1] if verb != table for path in self.finder.joins.paths(table, verb)]
        if not ways:
            raise Trouble("this verb says nothing of these rows", deed[0], depth=2)
        shortest = sorted({len(path) for path in ways})
        path = self.finder.choices.pick([(shortest.index(len(path)), path) for path in ways])
        where = self._located(located, path[-1].target) if located is not None else None
        return Related(path, *(("=", 0) if none else (">=", 1)), where)

    def _with_rows(self, inner: Node, table: str, quantity: Node | None) -> Cond:
        names = sub(inner, "names")
        every = sub(names, "every") if names else None
        if every is None:
            return self.related(inner, table, *self.quantity(quantity))
        if quantity is not None:
            raise Trouble("several names that are all asked for have no number", quantity, depth=3)
        path, target = self._way(inner, table)
        conds = [self._namings.at((), target, [naming]) for naming in subs(every, "naming")]
        return all_of([Related(path, ">=", 1, cond) for cond in conds])

    def _outdone(self, node: Node, table: str) -> Operand:
        """What one row has more of than another."""
        related, column = sub(node, "related"), sub(node, "aggref") or sub(node, "colref")
        if related is not None:
            path, where = self.relation(related, table)
            return Agg("count", path, None, where)
        operand, path = self.operands.operand(cast(Node, column), table)
        if path:
            raise Trouble("a row may have many of these: say `sum of`, `number of`", node, depth=2)
        return operand

    def _pair(self, node: Node, table: str) -> Cond:
        """`with status open`: the column is the value, or one of the values."""
        colref, *values = node.children
        operand, path = self.operands.operand(cast(Node, colref), table)
        if len(values) > 1:
            cond = self.comparisons.one_of(operand, values)
        else:
            cond = self.comparisons.compare(operand, "=", values[0], table, many=bool(path))
        return Related(path, ">=", 1, cond) if path else cond

    def _without(self, node: Node, table: str) -> Cond:
        inner = sub(node, "related")
        if inner is not None:
            return self.related(inner, table, "=", 0)
        return self._presence(_only(node), table, negated=False)

    def _presence(self, node: Node, table: str, *, negated: bool) -> Cond:
        """`with email` is that there is one; of what is true or false, that may also be that it is true."""
        spot = self.finder.spot(sub(node, "colref") or node, table)
        if negated and spot.path:
            reason = "say `and ...` to list it, or `where ... is not empty` for those that have one"
            raise Trouble(reason, node, depth=3)
        if node.name == "part":
            self.operands.date_ref(node, spot)
        if spot.single:
            ref = self.finder.ref(spot)
            options: list[tuple[int, Cond]] = [(0, Empty(ref, negated))]
            if ref.kind == "boolean":
                options.append((0, Compare(ref, "=", Const(negated))))
            return self.finder.choices.pick(options)
        filled = Related(spot.path, ">=", 1, Empty(self.finder.own_ref(spot), True))
        return filled if negated else Not(filled)

    def quantity(self, node: Node | None) -> tuple[Op, int]:
        """Return `at least 3` and `3 or more` as (`>=`, 3); nothing said is at least one.

        `3` alone is exactly or at least 3, which is asked back."""
        if node is None or sub(node, "some"):
            return ">=", 1
        count = int(leaves(node, "COUNT")[0].value)
        if not nodes_of(node):
            ops: list[tuple[int, Op]] = [(0, "="), (0, ">=")]
            return self.finder.choices.pick(ops), count
        return OPS[nodes_of(node)[0].name], count

    def related(self, node: Node, table: str, op: Op, count: int) -> Cond:
        """Resolve related rows and how many of them there shall be."""
        path, where = self.relation(node, table)
        return Related(path, op, count, where)

    def relation(self, node: Node, table: str) -> tuple[Path, Cond | None]:
        """Resolve `nouns [filters]`: the way there, and the condition on the rows there."""
        path, target = self._way(node, table)
        conds = [self.filter(each, target) for each in (*subs(node, "valued"), *subs(node, "tagged"), *subs(node, "bare"), *subs(node, "filter"))]  # fmt: skip
        names = sub(node, "names")
        if names is not None:
            if sub(names, "every"):
                raise Trouble(
                    "say `or` between the names, or ask for each `with ... and with ...`", names, depth=3
                )
            conds.append(self._namings.at((), target, subs(names, "naming")))
        return path, all_of(conds) if conds else None

    def _way(self, node: Node, table: str) -> tuple[Path, str]:
        nouns = cast(Node, sub(node, "nouns"))
        path, target = self.finder.related(nouns, table, many=True)
        if not path:
            many = self.finder.lexicon.shown_table[table][1]
            steps = [s for s in self.finder.joins.steps(table) if s.target == table and not s.forward]
            via = [f"{many} via {' '.join(self._via(step.target_columns))}" for step in steps]
            raise Trouble(
                f"{many} cannot be related to themselves without saying how", nouns, suggestions=via, depth=3
            )
        return path, target

    def _via(self, columns: tuple[str, ...]) -> list[str]:
        return [f"`{' '.join(columns)}`"]

    def _owned(self, node: Node, table: str) -> Cond:
        """`orders of customers where ...`: those that belong to such customers."""
        pair, owner = sub(node, "pair"), sub(node, "owner") or sub(node, "tag")
        if pair is not None:
            return self._pair(pair, table)
        assert owner is not None
        path, target = self.finder.related(cast(Node, sub(owner, "lone")), table)
        if not path:
            many = self.finder.lexicon.shown_table[table][1]
            raise Trouble(f"say by which key {many} belong to {many}", node, depth=2)
        namings = subs(owner, "naming")
        if namings:
            return self._namings.at(path, target, namings)
        which = [*subs(owner, "owned"), *subs(owner, "bare"), *subs(owner, "filter")]
        return Related(path, ">=", 1, self.filters(which, target))

    def _standing(self, node: Node, table: str) -> Cond:
        """`manager is empty`: there is no such row; `artist is "AC/DC"`: it is the row of that name."""
        nouns, verb, *_ = nodes_of(node)
        path, target = self.finder.related(nouns, table)
        hop = leaves(nouns, "NOUN")[0].value
        namings = subs(node, "naming")
        texts = bool(namings) and all(each.children[0].name == "TEXT" for each in namings)
        own = [self.finder.schema.table(table).column(name).kind for name, _ in self.finder.lexicon.own_columns(table, hop)]  # fmt: skip
        if own and not (texts and "text" not in own):
            raise Trouble("this is a column", nouns, depth=0)
        many = self.finder.lexicon.shown_table[target][1]
        if not path:
            raise Trouble(f"say which column of the {many}", nouns, depth=1)
        if verb.name == "located":
            return Related(path, ">=", 1, self._located(verb, target))
        if namings:
            cond = self._namings.at(path, target, namings)
            if verb.name == "isnt" and not is_single(path):
                raise Trouble(f"there may be many {many}: say `without {many} ...`", node, depth=3)
            return Not(cond) if verb.name == "isnt" else cond
        if not is_single(path):
            raise Trouble(f"there may be many {many}: say `without {many}` or `with {many}`", node, depth=2)
        return Related(path, *((">=", 1) if verb.name == "filled" else ("=", 0)))

    def _stored(self, leaf: Leaf, table: str) -> Cond:
        """A stored value whose column is not named: the one column that holds it."""
        cond = self._namings.stored(leaf, table)
        if cond is None:
            many = self.finder.lexicon.shown_table[table][1]
            raise Trouble(
                f"no column of {many} holds {leaf.value}: say `where COLUMN is VALUE`", leaf, depth=2
            )
        return cond

    def _located(self, node: Node, table: str) -> Cond:
        """`in 2024` is about the one date that the rows have; `in Brazil` about the one column that holds it."""
        verb = [each for each in node.children if each.name in OPS]
        if node.children[0].name in ("between", "fromto"):
            return self._within(node, table)
        values = [each for each in node.children if each not in verb]
        if len(values) > 1:
            return _any_value([self._place(each, "=", table) for each in values])
        return self._place(values[0], OPS[verb[0].name] if verb else "=", table)

    def _place(self, value: Node | Leaf, op: Op, table: str) -> Cond:
        if value.name == "STORED" and isinstance(value, Leaf) and op == "=":
            return self._stored(value, table)
        if value.name in ("NUMBER", "date", "relative"):
            dates = self.keys.dates(table)
            if dates:
                span = self.values.span(value)
                return self.finder.choices.pick(
                    [(cost, period(ref, op, span)) for cost, ref in self.keys.when(table)]
                )
        raise Trouble("say which column: `where COLUMN is VALUE`", value, depth=2)

    def _within(self, node: Node, table: str) -> Cond:
        """`between May 2024 and June 2024` is about the one date that the rows have."""
        _, low, high = node.children
        dates = self.keys.dates(table) if low.name in ("NUMBER", "date") else []
        if not dates:
            raise Trouble("say which column: `where COLUMN is between ... and ...`", node, depth=2)
        found = [(cost, self.comparisons.between(ref, [low, high])) for cost, ref in self.keys.when(table)]
        return self.finder.choices.pick(found)


def _any_value(conds: list[Cond]) -> Cond:
    """One of several values; of one column they are a list."""
    lefts = {cond.left for cond in conds if isinstance(cond, Compare) and isinstance(cond.right, Const)}
    if len(conds) > 1 and len(lefts) == 1 and all(isinstance(cond, Compare) for cond in conds):
        values = [
            cond.right.value for cond in conds if isinstance(cond, Compare) and isinstance(cond.right, Const)
        ]
        return OneOf(lefts.pop(), tuple(dict.fromkeys(values)))
    return any_of(conds)


def _only(node: Node) -> Node:
    return nodes_of(node)[0]


def _is_comparison(node: Node) -> bool:
    while node.name in ("neg", "conj", "cond") and len(node.children) == 1:
        node = _only(node)
    return node.name == "comparison"
