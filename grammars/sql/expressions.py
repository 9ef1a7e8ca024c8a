"""The expression rules of the SQL grammar, written once per family.

Precedence is in the rules; what engines disagree about (`||` beside `+`, operators on bits, chained comparisons) needs
parentheses. Where a dialect is strict about booleans, a condition is a comparison and a value is none: a boolean
value is compared (`paid = TRUE`), and a condition that is selected stands in parentheses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .dialects import Arity, Dialect
from .families import Family, Scope

__all__ = [
    "aggregate_groups",
    "aggregate_rules",
    "argument_groups",
    "expression_rules",
    "group_name",
    "json_types",
]

_TAKE_CONDITIONS = frozenset(
    {"COALESCE", "NULLIF", "IFNULL", "IF", "IFF", "CONCAT", "CONCAT_WS", "NUM_NULLS", "NUM_NONNULLS"}
    | {"BOOL_AND", "BOOL_OR", "COUNTIF", "ARRAY_AGG", "JSON_AGG", "JSONB_AGG"}
)
"""Functions and aggregates that take a condition where booleans are strict."""


def group_name(prefix: str, arity: Arity) -> str:
    """Name the terminal of the functions that take so many arguments."""
    low, high = arity
    return f"{prefix}_{low}_{'N' if high is None else high}"


def expression_rules(
    family: Family, dialect: Dialect, functions: Mapping[str, Arity], grounded: int
) -> Iterator[str]:
    """Yield the rules of one family; `grounded` columns (VCOL_0, VCOL_1...) take only stored values."""
    yield family.rule("cond", '@and (" OR " @and)*')
    yield family.rule("and", '@not (" AND " @not)*')
    yield family.rule("not", '"NOT " @not', "@pred")
    yield from _predicates(family, dialect, grounded)
    yield from _tails(family, dialect, grounded)
    yield from _arithmetic(family, dialect, grounded)
    yield from _factors(family, dialect)
    shapes: list[str] = []
    for prefix, value, table in argument_groups(functions, dialect):
        shapes += [f'{group_name(prefix, arity)} {_counted(value, arity)} ")"' for arity in _sorted(table)]
    yield family.rule("call", *shapes)
    if dialect.strict:
        truth = ['"CAST(" @bool " AS " TRUTH_TYPE ")"'] if dialect.booleans else []
        kinds = "(TYPE | JSON_TYPE)" if json_types(dialect) else "TYPE"
        yield family.rule("cast", f'"CAST(" @rhs " AS " {kinds} ")"', *truth)
    else:
        yield family.rule("cast", '"CAST(" @val " AS " TYPE ")"')
    if dialect.arrows:
        held = '"CAST(" @rhs " AS " JSON_TYPE ")"' if json_types(dialect) else "@cast"
        yield family.rule("json", f"($col | {held} | @json) ARROW JPATH")
    yield family.rule(
        "case", '"CASE WHEN " @cond " THEN " @val (" WHEN " @cond " THEN " @val)* (" ELSE " @val)? " END"'
    )


def json_types(dialect: Dialect) -> list[str]:
    """Return the types that arrows may be applied to, where not every value takes them."""
    return [word for word in dialect.types if word in ("JSON", "JSONB")] if dialect.strict else []


def argument_groups(
    functions: Mapping[str, Arity], dialect: Dialect
) -> list[tuple[str, str, dict[str, Arity]]]:
    """Return prefix, rule of arguments, and functions: where booleans are strict, few functions take a condition."""
    if not dialect.strict:
        return [("CALL", "@val", dict(functions))]
    free = {name: arity for name, arity in functions.items() if name in _TAKE_CONDITIONS}
    held = {name: arity for name, arity in functions.items() if name not in _TAKE_CONDITIONS}
    return [("CALL", "@rhs", held), ("PICK", "@val", free)]


def _predicates(family: Family, dialect: Dialect, grounded: int) -> Iterator[str]:
    """Yield conditions, and the values that may be selected or compared."""
    exists = '"EXISTS (" $sub ")"'
    own = [f"VCOL_{i} @vtail_{i}" for i in range(grounded)]
    if (
        dialect.row_values and family.key == "s"
    ):  # two or three values that are looked for in a sub-query of as many columns
        yield family.rule(
            "row",
            '"(" @cell ", " @cell ")" IN $select_2 ")"',
            '"(" @cell ", " @cell ", " @cell ")" IN $select_3 ")"',
        )
        yield family.rule("cell", "$col", "@call")
        yield family.rule("found", exists, "@row")
        exists = "@found"
    if not dialect.strict:
        yield family.rule("pred", "@side @tail?", exists, *own, *(f"VCOL_{i}" for i in range(grounded)))
        return
    vcol = ["vcol"] if grounded else []
    if dialect.booleans:
        yield family.rule("bool", exists, '"(" @cond ")"')
        yield family.rule(
            "pred", "@side @tail", "@bool", "@bool (EQUAL | NULLSAFE) @truth", "@bool ISNULL", *own
        )
        yield family.rule("truth", "TRUTH", "@bool")
        yield family.rule("val", "@side", "@truth", *vcol)
        return
    yield family.rule("pred", "@side @tail", exists, '"(" @cond ")"', *own)
    yield family.rule("val", "@side", *vcol)


def _tails(family: Family, dialect: Dialect, grounded: int) -> Iterator[str]:
    """Yield what follows the left side of a comparison."""
    other = "@val" if dialect.strict and dialect.booleans else "@rhs"
    like = "LIKE @rhs (ESCAPE ESCAPER)?" if dialect.escape else "LIKE @rhs"
    rest = [
        "COMPARE @rhs",
        f"NULLSAFE {other}",
        like,
        'BETWEEN @rhs " AND " @rhs',
        "ISNULL",
        'IN $scalar ")"',
    ]
    rest += ["MATCH @rhs"] if set(dialect.likes) - {"LIKE", "ILIKE"} else []
    rest += ['(EQUAL | COMPARE) QUANT $scalar ")"'] if dialect.quantifiers else []
    if grounded:
        yield family.rule("rhs", "@side", "vcol")
    yield family.rule("tail", f"EQUAL {other}", 'IN @rhs (", " @rhs)* ")"', *rest)
    for i in range(grounded):
        value = f"VALUE_{i}"
        yield family.rule(
            f"vtail_{i}", f"EQUAL ({value} | $vother)", f'IN {value} (", " {value})* ")"', *rest
        )


def _arithmetic(family: Family, dialect: Dialect, grounded: int) -> Iterator[str]:
    """Yield what has operators. What is sorted or grouped by may be no number, which is a position: so it is told apart."""
    kinds = [*(["@concat"] if dialect.concat else []), *(["@bits"] if dialect.bits else [])]
    yield family.rule("side", "@fixed", "@live")
    if dialect.concat:
        if grounded:
            yield family.rule("part", "@factor", "vcol")
        yield family.rule("concat", '@part (" || " @part)+')
    if dialect.bits:
        yield family.rule("bits", "@factor BITS @factor")
    units = 'INTERVAL | "INTERVAL (" @val ")" INTERVAL_UNIT'
    added = f"(@term | {units})" if dialect.intervals == "unit" else "@term"
    yield family.rule("sums", f"(@term | @sums) ADD {added}")
    yield family.rule("term", "@factor", "@terms")
    yield family.rule("terms", "@term MULTIPLY @factor")
    yield family.rule("live", "@sums", "@terms", *kinds, "@read")
    if family.key == "s" or (family.key == "w" and not dialect.fetch):
        # what has AND, OR or NOT stands in parentheses here, and where booleans are strict every condition
        truth = '"(" @cond ")"' if dialect.strict else "@side @tail"
        vcol = ["vcol"] if grounded else []
        yield family.rule("key", "@live", truth, '"EXISTS (" $sub ")"', *vcol)


def _factors(family: Family, dialect: Dialect) -> Iterator[str]:
    inner = "@side" if dialect.strict else "@cond"
    fixed, read = ["NUMBER"], ["STRING", "CONSTANT"]
    read += ["TRUTH"] if dialect.booleans and not dialect.strict else []
    if dialect.strict:
        fixed, read = [*fixed, *read, f'"(" {inner} ")"'], []
        fixed += ["INTERVAL"] if dialect.intervals == "quoted" else []
    read += ["$col", '"(" $scalar ")"', "@call", "@case", "@cast", *_special_factors(dialect, inner)]
    read.append('"-(" @live ")"' if dialect.strict else f'"-(" {inner} ")"')
    read += [] if dialect.strict else [f'"(" {inner} ")"']
    if family.key == "a":
        read += ["$agg", "$set"]
    if family.key == "w":
        read += ["$agg $over?", "$set", "$rolled $over", "$wcall $over"]
    if family.key in "aw" and dialect.grouping == "sets":
        read.append('"GROUPING(" $val_s ")"')
    if dialect.name == "sqlite":
        read.append('MINMAX $val_s (", " @val)+ ")"')
        read += ['MINMAX $rolling (", " @val)+ ")"'] if family.key != "s" else []
    yield family.rule("factor", "@fixed", "@read")
    yield family.rule("fixed", *fixed)
    yield family.rule("read", *read)


def _special_factors(dialect: Dialect, inner: str) -> Iterator[str]:
    """Yield what only some dialects have."""
    if dialect.bits:
        yield '"~(" @live ")"' if dialect.strict else f'"~(" {inner} ")"'
    if dialect.arrows:
        yield '"(" @json ")"'
    if dialect.collations:
        # no number or time has a collation; what stands in parentheses may be a text
        yield (
            '"(" (STRING | @read | "(" @side ")") COLLATE ")"'
            if dialect.strict
            else '"(" @factor COLLATE ")"'
        )
    if dialect.units:
        of = "(CONSTANT | @live)" if dialect.strict else "@side"
        of = of.replace("|", "| INTERVAL |") if dialect.strict and dialect.intervals == "quoted" else of
        yield f'"EXTRACT(" UNIT " FROM " {of} ")"'
    if dialect.unit_functions:
        yield 'UNIT_CALL UNIT ", " @val ", " @val ")"'


def aggregate_rules(scope: Scope, dialect: Dialect) -> Iterator[str]:
    """`agg` may have OVER, `set` may not; `rolled` takes an aggregate itself (`SUM(COUNT(*)) OVER ()`)."""
    filters = ' (" FILTER (WHERE " $cond_s ")")?' if dialect.filters else ""
    plain, more, one = _aggregates(dialect)
    yield scope.rule("agg", f"({' | '.join(plain)}){filters}")
    yield scope.rule("set", f"({' | '.join(more)}){filters}")
    yield scope.rule("rolled", f'({" | ".join(one)}) $rolling ")"{filters}')
    number = "($sums_a | $terms_a)" if dialect.strict else "$val_a"
    yield scope.rule("rolling", "$agg", "$set", f'"+(" {number} ")"')
    yield scope.rule("parts", '"PARTITION BY " $val_a (", " $val_a)*')
    shapes = [
        f'{group_name("WIN", arity)} {_counted("$val_a", arity)} ")"' for arity in _sorted(dialect.windows)
    ]
    yield scope.rule("wcall", *shapes)
    yield scope.rule("over", '" OVER (" ($parts (ORDER_BY $wkeys frame?)? | "ORDER BY " $wkeys frame?)? ")"')
    yield scope.rule("wkeys", '$val_a way (", " $val_a way)*')


def _aggregates(dialect: Dialect) -> tuple[list[str], list[str], list[str]]:
    """Return the shapes of aggregates that may have OVER, and of those that may not, and the names of one argument."""
    several = ' (", " $val_s)*' if dialect.name == "mysql" else ""
    plain, more = ['"COUNT(" ("*" | $val_s) ")"'], [f'"COUNT(" DISTINCT $val_s{several} ")"']
    one = ['"COUNT("']
    for prefix, table in aggregate_groups(dialect).items():
        value = "$val_s" if prefix == "TRUE" else "$rhs_s"
        value = value if dialect.strict else "$val_s"
        for arity in _sorted(table):
            name = group_name(prefix, arity)
            plain.append(f'{name} {_counted(value, arity)} ")"')
            if arity[0] == 1:
                one.append(name)
                more += [f'{name} DISTINCT {value} ")"'] if prefix != "AGP" else []
    if dialect.name == "sqlite":
        plain.append('MINMAX $val_s ")"')
        more.append('MINMAX DISTINCT $val_s ")"')
        one.append("MINMAX")
    order = 'ORDER_BY $val_s way (", " $val_s way)*'
    ending = ' (" SEPARATOR " STRING)?' if dialect.name == "mysql" else ""
    for arity in _sorted({name: dialect.aggregates[name] for name in dialect.sorted_aggregates}):
        name, values = group_name("SORTED", arity), _counted("$val_s", arity)
        plain.append(f'{name} {values}{ending} ")"')
        more.append(f'{name} (DISTINCT {values} ({order})? | {values} {order}){ending} ")"')
    for call in ("ORDERED_CALL NUMBER", '"MODE("') if dialect.ordered_aggregates else ():
        more.append(f'{call} ")" " WITHIN GROUP (ORDER BY " $val_s way ")"')
    return plain, more, one


def aggregate_groups(dialect: Dialect) -> dict[str, dict[str, Arity]]:
    """Return the aggregates by the prefix of their terminals: those with DISTINCT, without, and of conditions."""
    apart = {"COUNT", *dialect.sorted_aggregates, *({"MIN", "MAX"} if dialect.name == "sqlite" else ())}
    groups: dict[str, dict[str, Arity]] = {"AGG": {}, "AGP": {}, "TRUE": {}}
    for name, arity in dialect.aggregates.items():
        if name not in apart:
            truth = dialect.strict and name in _TAKE_CONDITIONS
            groups["AGP" if name in dialect.no_distinct else "TRUE" if truth else "AGG"][name] = arity
    return groups


def _sorted(functions: Mapping[str, Arity]) -> list[Arity]:
    """Return the numbers of arguments that functions take, in an order that does not change."""
    return sorted(set(functions.values()), key=str)


def _counted(argument: str, arity: Arity) -> str:
    """Write `low` to `high` arguments with commas between them."""
    low, high = arity
    text = ' ", " '.join([argument] * low)
    if high is None:
        return f'{text} (", " {argument})*'
    optional = ""
    for position in range(high, low, -1):
        comma = '", " ' if position > 1 else ""
        optional = f"({comma}{argument}{' ' + optional if optional else ''})?"
    return f"{text} {optional}".strip()
