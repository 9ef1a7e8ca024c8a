"""Write bound expressions as canonical SQL: one spelling per construct, parentheses exactly where they are needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from jigwork.errors import SQLRefused

from .bindings import AliasUse, Bound, ColumnUse, Output, Scope, Source, TextUse
from .calls import CALLS, Calls
from .dialects import dialect_of
from .names import string_literal
from .operators import BITS, OPERATORS, Operators, cells

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Renderer"]

# How tightly a construct binds; what stands where something tighter is needed gets parentheses.
_OR, _AND, _NOT, _PREDICATE, _OPERAND, _TERM, _FACTOR = range(7)
_NEGATABLE = frozenset("Like ILike RegexpLike RegexpILike Glob SimilarTo Is In Between Escape".split())

_COMPARISONS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_PATTERNS = {"Like": "LIKE", "ILike": "ILIKE", "Glob": "GLOB", "SimilarTo": "SIMILAR TO"}
_REGEXES = {"postgres": {"RegexpLike": "~", "RegexpILike": "~*"}, "mysql": {"RegexpLike": "REGEXP"}}
_SUMS = {"Add": "+", "Sub": "-"}
_PRODUCTS = {"Mul": "*", "Div": "/", "Mod": "%", "IntDiv": "DIV"}
_PREDICATES = {
    *_COMPARISONS,
    *_PATTERNS,
    "RegexpLike",
    "RegexpILike",
    "Is",
    "In",
    "Between",
    "NullSafeEQ",
    "NullSafeNEQ",
}
_TRUTHS = frozenset({*_PREDICATES, "And", "Or", "Not", "Exists", "Boolean", "Escape", "Xor", "RegexpILike"})
"""What is seen to be true or false, by its node."""
_NUMBER = re.compile(r"([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,2}))?")
_POSITION = re.compile(r"[0-9]+( DESC)?( NULLS (FIRST|LAST))?")
_NEGATED_PATTERNS = {"~": "!~", "~*": "!~*"}


class Statements(Protocol):
    """What the renderer needs of the writer of statements."""

    def query(self, node: Any, *, one: bool = False, bare: bool = False) -> str:
        """Write a query that stands in an expression; `one` and `bare` ask for no names, `one` for a single column."""
        ...

    def column_of(self, use: ColumnUse) -> str:
        """Write one column of one source."""
        ...

    def refuse(self, what: str, node: exp.Expr) -> SQLRefused:
        """Say that canonical SQL has no form for something."""
        ...


class Renderer:
    """Writes the expressions of one statement."""

    def __init__(self, bound: Bound, statements: Statements) -> None:
        self.bound = bound
        self.statements = statements
        self.dialect = dialect_of(bound.schema.dialect)
        self.keyed = _OPERAND if self.dialect.strict else _PREDICATE
        self.calls = Calls(self)
        self.operators = Operators(self)

    def refuse(self, what: str, node: exp.Expr) -> SQLRefused:
        return self.statements.refuse(what, node)

    # Entrances

    def text(self, node: Any, needed: int = _OR) -> str:
        """Write an expression where something at least as tight as `needed` is wanted."""
        written, level = self.written(_unwrapped(node))
        return f"({written})" if level < needed else written

    def value(self, node: Any) -> str:
        """Write an expression whose value is wanted: where booleans are strict, a condition gets parentheses."""
        return self.text(node, _OPERAND if self.dialect.strict else _OR)

    def condition(self, node: Any, needed: int = _OR) -> str:
        """Write an expression whose truth is wanted: where booleans are strict, a value is compared with TRUE."""
        bare = _unwrapped(node)
        written, level = self.written(bare)
        if self.dialect.strict and type(bare).__name__ == "Boolean":
            written, level = "1 = 1" if bare.this else "1 = 0", _PREDICATE
        elif self.dialect.strict and level > _PREDICATE and type(bare).__name__ != "Exists":
            written, level = f"{self.text(bare, _OPERAND)} = TRUE", _PREDICATE
        return f"({written})" if level < needed else written

    def written(self, node: Any) -> tuple[str, int]:
        """Write an expression without parentheses around it, and say how tightly it binds."""
        name = type(node).__name__
        writer = getattr(self, f"_{name.lower()}", None) or self._by_table(name)
        call = getattr(self.calls, CALLS.get(name, ""), None)
        if name == "Anonymous" and (special := self.calls.special(node)):
            return special
        if (operator := getattr(self.operators, OPERATORS.get(name, ""), None)) is not None:
            written: tuple[str, int] = operator(node)
            return written
        if call is not None:
            text: str = call(node)
            return text, _OPERAND if "' + INTERVAL '" in text and name == "Interval" else _FACTOR
        if writer is None:
            raise self.refuse(f"the construct {name}", node)
        result: tuple[str, int] = writer(node)
        return result

    def column(self, use: ColumnUse) -> str:
        """Write a column; one that USING or NATURAL merged is the side that an outer join leaves filled."""
        if not use.merged:
            return self.statements.column_of(use)
        sides = [part.source.side for part in use.merged[1:]]
        if "FULL" in sides:
            parts = ", ".join(self.statements.column_of(part) for part in use.merged)
            return f"COALESCE({parts})"
        chosen = use.merged[0]
        for part in use.merged[1:]:
            chosen = part if part.source.side == "RIGHT" else chosen
        return self.statements.column_of(chosen)

    def shared_conditions(self, source: Source, scope: Scope) -> list[str]:
        """Write the ON that USING or NATURAL stands for, for the join that brings in `source`."""
        conditions: list[str] = []
        for uses in scope.shared.values():
            for index, use in enumerate(uses):
                if use.source is source and index:
                    left = self.column(ColumnUse(uses[0].source, uses[0].column, tuple(uses[:index])))
                    conditions.append(f"{left} = {self.statements.column_of(use)}")
        return conditions

    def key(self, node: Any) -> str:
        """Write one thing to group by; a name or position that means an output becomes what it stands for."""
        node = _unwrapped(node)
        use = self.bound.uses.get(id(node))
        if isinstance(use, AliasUse):
            position = self.dialect.fetch and type(node).__name__ == "Literal"
            return str(use.index + 1) if position else self.output(use)
        written = self.text(node, self.keyed)
        if _constant_number(node):
            raise self.refuse("GROUP BY or ORDER BY of a number", node)
        return written

    def output(self, use: AliasUse) -> str:
        """Write what an output stands for; a constant is named by its position."""
        output: Output = use.output
        if output.node is None:
            if output.use is None:
                raise SQLRefused("this column cannot be named again")
            return self.column(output.use)
        inner = _unwrapped(output.node)
        if type(inner).__name__ in ("Literal", "Null", "Boolean") or _constant_number(inner):
            return str(use.index + 1)
        return self.text(output.node, self.keyed)

    def sort_key(self, ordered: Any) -> str:
        return self.key(ordered.this) + self.direction(ordered)

    def direction(self, ordered: Any) -> str:
        """Write direction and place of NULLs, each only where it is not what the database does anyway."""
        descending = bool(ordered.args.get("desc"))
        first = bool(ordered.args.get("nulls_first"))
        usual = descending if self.dialect.name == "postgres" else not descending
        text = " DESC" if descending else ""
        if first == usual:
            return text
        if not self.dialect.nulls_order:
            raise self.refuse("NULLS FIRST or NULLS LAST", ordered)
        return f"{text} NULLS {'FIRST' if first else 'LAST'}"

    # Logic

    def _by_table(self, name: str) -> Callable[[Any], tuple[str, int]] | None:
        if name in ("And", "Or"):
            return self._logic
        if name in _COMPARISONS:
            return self._comparison
        if name in _PATTERNS or name in _REGEXES.get(self.dialect.name, {}):
            return self._pattern
        if name in _SUMS:
            return self._sum
        if name in _PRODUCTS:
            return self._product
        return None

    def _logic(self, node: Any) -> tuple[str, int]:
        """Flatten `a AND (b AND c)`: both are associative, and chains may be long."""
        kind = type(node).__name__
        level = _AND if kind == "And" else _OR
        parts: list[str] = []
        stack = [node]
        while stack:
            current = _unwrapped(stack.pop())
            if type(current).__name__ == kind:
                stack.extend((current.expression, current.this))
            else:
                parts.append(self.condition(current, level + 1))
        return (" AND " if level == _AND else " OR ").join(parts), level

    def _not(self, node: Any) -> tuple[str, int]:
        return self.negated(node.this)

    def negated(self, node: Any) -> tuple[str, int]:
        """Write that a condition is false; what has a form with NOT in it takes that."""
        inner = _unwrapped(node)
        pattern = inner.this if type(inner).__name__ == "Escape" else inner
        if not pattern.args.get("negate") and type(inner).__name__ in _NEGATABLE:
            return self._negatable(inner, negate=True)
        if type(inner).__name__ == "NullSafeNEQ":
            return self._null_safe(inner)
        if type(inner).__name__ == "EQ" and type(inner.expression).__name__ == "Any":
            written = self.operators.quantified(inner, "=")[0]
            return written.replace(" IN (", " NOT IN (", 1), _PREDICATE
        return f"NOT {self.condition(inner, _NOT)}", _NOT

    def _negatable(self, node: Any, *, negate: bool) -> tuple[str, int]:
        name = type(node).__name__
        if name == "Is":
            return self._is(node, negate=negate)
        if name == "In":
            return self._in(node, negate=negate)
        if name == "Between":
            return self._between(node, negate=negate)
        return self._pattern(node, negate=negate)

    def operand(self, node: Any) -> str:
        """Write one side of a comparison; comparing comparisons needs parentheses in the text as it came."""
        from sqlglot import exp

        if type(node).__name__ in _PREDICATES or isinstance(node, (exp.Not, exp.And, exp.Or, exp.Xor)):
            raise self.refuse("a comparison inside a comparison without parentheses", node)
        return self.text(node, _OPERAND)

    def rows_query(self, node: Any, columns: int) -> str:
        """Write a sub-query that a value, or a row of so many values, is compared with."""
        query = (
            node.this
            if type(node).__name__ == "Subquery" and type(node.this).__name__ != "Subquery"
            else node
        )
        if columns == 1:
            return self.statements.query(query, one=True)
        given = len(self.bound.outputs[id(query)])
        if given != columns:
            raise self.refuse(f"a row of {columns} compared with {given} columns", node)
        if type(query).__name__ != "Select":
            raise self.refuse("a row compared with a set operation", node)
        return self.statements.query(query, bare=True)

    def group(self, group: Any) -> str:
        """Write what is grouped by, sub-totals included."""
        parts = [self.grouped(key) for key in group.expressions]
        live = [part for part in parts if not self.idle(part)]
        parts = live or (
            [f"CAST(NULL AS {self.dialect.types[0]})"] if parts and self.idle(parts[0]) else parts
        )
        if group.args.get("rollup"):
            if self.dialect.grouping != "with" or not parts:
                raise self.refuse("WITH ROLLUP", group)
            return ", ".join(parts) + " WITH ROLLUP"
        return ", ".join(parts)

    def idle(self, key: str) -> bool:
        """Tell whether a written key is the position of a constant, which sorts nothing; T-SQL needs such keys."""
        return not self.dialect.fetch and _POSITION.fullmatch(key) is not None

    def grouped(self, key: Any) -> str:
        kind = type(key).__name__
        if kind not in ("Rollup", "Cube", "GroupingSets"):
            return self.key(key)
        if self.dialect.grouping != "sets":
            raise self.refuse(kind.upper(), key)
        if kind != "GroupingSets":
            return f"{kind.upper()} ({', '.join(self.text(part) for part in key.expressions)})"
        sets = [cells(part) if cells(part) is not None else [part] for part in key.expressions]
        written = [f"({', '.join(self.text(part) for part in members or [])})" for members in sets]
        return f"GROUPING SETS ({', '.join(written)})"

    def _comparison(self, node: Any) -> tuple[str, int]:
        sign = _COMPARISONS[type(node).__name__]
        if type(node.expression).__name__ in ("Any", "All"):
            return self.operators.quantified(node, sign)
        if cells(node.this) is not None:
            return self.operators.row_comparison(node, sign)
        left, right = self.sides(node) if sign in ("=", "<>") else (node.this, node.expression)
        return f"{self.operand(left)} {sign} {self.operand(right)}", _PREDICATE

    def sides(self, node: Any) -> tuple[Any, Any]:
        """Return the sides of what is equal either way; where booleans are strict, a condition comes second."""
        left, right = node.this, node.expression
        truths = [type(_unwrapped(side)).__name__ in _TRUTHS for side in (left, right)]
        return (right, left) if self.dialect.strict and truths == [True, False] else (left, right)

    def _nullsafeeq(self, node: Any) -> tuple[str, int]:
        return self._null_safe(node)

    def _nullsafeneq(self, node: Any) -> tuple[str, int]:
        return f"NOT {self._null_safe(node)[0]}", _NOT

    def _null_safe(self, node: Any) -> tuple[str, int]:
        left, right = self.sides(node)
        return f"{self.operand(left)} {self.dialect.null_safe} {self.operand(right)}", _PREDICATE

    def _is(self, node: Any, *, negate: bool = False) -> tuple[str, int]:
        from sqlglot import exp

        negate = negate != bool(node.args.get("negate"))
        left = self.operand(node.this)
        if isinstance(node.expression, exp.Null):
            return f"{left} IS NOT NULL" if negate else f"{left} IS NULL", _PREDICATE
        if isinstance(node.expression, exp.Boolean) and not (self.dialect.strict and self.dialect.booleans):
            if not self.dialect.truth_tests:
                raise self.refuse("IS TRUE or IS FALSE", node)
            word = "TRUE" if node.expression.this else "FALSE"
            return f"{left} IS {'NOT ' if negate else ''}{word}", _PREDICATE
        written = f"{left} {self.dialect.null_safe} {self.operand(node.expression)}"
        return (f"NOT {written}", _NOT) if negate else (written, _PREDICATE)

    def _in(self, node: Any, *, negate: bool = False) -> tuple[str, int]:
        word = "NOT IN" if negate else "IN"
        query = node.args.get("query")
        if cells(node.this) is not None:
            return self.operators.row_in(node, negate)
        if query is not None:
            inside = self.statements.query(
                query.this if type(query).__name__ == "Subquery" else query, one=True
            )
        elif node.expressions:
            inside = ", ".join(self.text(item, _OPERAND) for item in node.expressions)
        else:
            raise self.refuse("an empty IN ()", node)
        return f"{self.operand(node.this)} {word} ({inside})", _PREDICATE

    def _between(self, node: Any, *, negate: bool = False) -> tuple[str, int]:
        word = "NOT BETWEEN" if negate else "BETWEEN"
        low, high = self.operand(node.args["low"]), self.operand(node.args["high"])
        return f"{self.operand(node.this)} {word} {low} AND {high}", _PREDICATE

    def _escape(self, node: Any) -> tuple[str, int]:
        return self._pattern(node)

    def _pattern(self, node: Any, *, negate: bool = False) -> tuple[str, int]:
        name, ending = type(node).__name__, ""
        if name == "Escape":
            mark = node.expression.name
            if not self.dialect.escape or len(mark) != 1 or mark in "'\n\t\r":
                raise self.refuse(f"ESCAPE {mark!r}", node)
            ending = f" ESCAPE {string_literal(mark, self.dialect.name)}"
            node = node.this
            name = type(node).__name__
        word = _PATTERNS.get(name) or _REGEXES[self.dialect.name][name]
        if word not in self.dialect.likes:
            raise self.refuse(word, node)
        if negate != bool(node.args.get("negate")):
            word = _NEGATED_PATTERNS.get(word, f"NOT {word}")
        return f"{self.operand(node.this)} {word} {self.operand(node.expression)}{ending}", _PREDICATE

    def _exists(self, node: Any) -> tuple[str, int]:
        return f"EXISTS ({self.statements.query(node.this)})", _PREDICATE

    # Arithmetic and text

    def _sum(self, node: Any) -> tuple[str, int]:
        """Write a chain of sums left to right."""
        right, first = _unwrapped(node.expression), node.this
        self._check_concat(node)
        if (
            type(first).__name__ == "Interval"
            and self.dialect.intervals == "unit"
            and type(node).__name__ == "Add"
        ):
            first, right = right, first  # an interval comes second there
        left = self.text(first, _OPERAND)
        if type(_unwrapped(first)).__name__ in ("DPipe", *BITS):
            left = f"({left})"
        return f"{left} {_SUMS[type(node).__name__]} {self.text(right, _TERM)}", _OPERAND

    def _product(self, node: Any) -> tuple[str, int]:
        self._check_concat(node)
        left = self.text(node.this, _TERM)
        return f"{left} {_PRODUCTS[type(node).__name__]} {self.text(node.expression, _FACTOR)}", _TERM

    def _dpipe(self, node: Any) -> tuple[str, int]:
        """Write `a || b || c`: every part binds tighter than any operator."""
        parts: list[str] = []
        current = node
        while True:
            self._check_concat(current)
            parts.insert(0, self.text(current.expression, _FACTOR))
            current = _unwrapped(current.this)
            if type(current).__name__ != "DPipe":
                break
        return " || ".join([self.text(current, _FACTOR), *parts]), _OPERAND

    def _check_concat(self, node: Any) -> None:
        """Databases disagree whether `||` or `+` binds tighter, so only parentheses say what was meant."""
        concat = type(node).__name__ == "DPipe"
        for side in (node.this, node.expression):
            other = type(side).__name__
            if (concat and (other in _SUMS or other in _PRODUCTS)) or (not concat and other == "DPipe"):
                raise self.refuse("|| beside + - * / % without parentheses", node)

    def _neg(self, node: Any) -> tuple[str, int]:
        from sqlglot import exp

        if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return f"-{self._literal(node.this)[0]}", _FACTOR
        inner = _unwrapped(node.this)
        if self.dialect.strict and _constant_number(inner):  # a number with a sign, or one in parentheses
            negative = isinstance(inner, exp.Neg)
            return f"{'' if negative else '-'}{self._literal(inner.this if negative else inner)[0]}", _FACTOR
        return f"-({self.text(node.this)})", _FACTOR

    # Leaves

    def _column(self, node: Any) -> tuple[str, int]:
        use = self.bound.uses[id(node)]
        if isinstance(use, ColumnUse):
            return self.column(use), _FACTOR
        if isinstance(use, TextUse):
            return self._string(use.text, node), _FACTOR
        if use.output.node is None and use.output.use is not None:
            return self.column(use.output.use), _FACTOR
        return self.written(_unwrapped(use.output.node))

    def _literal(self, node: Any) -> tuple[str, int]:
        if node.is_string:
            return self._string(node.name, node), _FACTOR
        found = _NUMBER.fullmatch(node.name)
        if found is None:
            raise self.refuse(f"the number {node.name[:20]}", node)
        whole, fraction, power = found.groups()
        whole = whole.lstrip("0") or "0"
        if len(whole) > 20 or len(fraction or "") > 20:
            raise self.refuse(f"the number {node.name[:20]}, which is too long,", node)
        text = whole if fraction is None else f"{whole}.{fraction or '0'}"
        if power:  # with an exponent, a number is of another type in some databases
            sign = "-" if power.startswith("-") else ""
            text += f"e{sign}{power.lstrip('+-').lstrip('0') or '0'}"
        return text, _FACTOR

    def _string(self, text: str, node: Any) -> str:
        try:
            return string_literal(text, self.dialect.name)
        except ValueError as error:
            raise self.refuse(f"a text ({error})", node) from None

    def _null(self, node: Any) -> tuple[str, int]:
        return "NULL", _FACTOR

    def _boolean(self, node: Any) -> tuple[str, int]:
        return "TRUE" if node.this else "FALSE", _FACTOR

    def _constant(self, word: str, node: Any) -> tuple[str, int]:
        if word not in self.dialect.constants or node.args.get("this") is not None:
            raise self.refuse(word, node)
        return word, _FACTOR

    def _currentdate(self, node: Any) -> tuple[str, int]:
        return self._constant("CURRENT_DATE", node)

    def _currenttime(self, node: Any) -> tuple[str, int]:
        return self._constant("CURRENT_TIME", node)

    def _currenttimestamp(self, node: Any) -> tuple[str, int]:
        return self._constant("CURRENT_TIMESTAMP", node)

    def _subquery(self, node: Any) -> tuple[str, int]:
        return f"({self.statements.query(node, one=True)})", _FACTOR


def _constant_number(node: Any) -> bool:
    """Tell whether a node is a number, with or without a sign."""
    node = node.this if type(node).__name__ == "Neg" else node
    return type(node).__name__ == "Literal" and not node.is_string


def _unwrapped(node: Any) -> Any:
    """Take off parentheses; they come back where they are needed."""
    while type(node).__name__ == "Paren":
        node = node.this
    return node
