"""What each SQL dialect can say, as data: quotes, reserved words, functions with their number of arguments, types.

The grammar, `canonicalize` and the guard read the same tables, so that what may be written, what is understood
and what is allowed to run are one thing. A function that is not listed here does not exist for a model: the
lists hold functions that compute a value from their arguments, and none that can read a file, sleep, reach
the network, change a setting or make a value as long as it likes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from jigwork.errors import ConfigurationError

from .words import DUCKDB_WORDS, MYSQL_WORDS, POSTGRES_WORDS, SQLITE_WORDS

__all__ = ["DIALECTS", "FUNCTIONS", "Arity", "Dialect", "dialect_of"]

Arity = tuple[int, int | None]
"""Fewest and most arguments; None for no upper bound."""

_ANY_CASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOWER = re.compile(r"[a-z_][a-z0-9_]*")
_UPPER = re.compile(r"[A-Z_][A-Z0-9_]*")


def _arities(text: str) -> dict[str, Arity]:
    """Read `NAME:1 NAME:1-2 NAME:2+` into a table."""
    table: dict[str, Arity] = {}
    for entry in text.split():
        name, _, spec = entry.partition(":")
        low, dash, high = spec.partition("-")
        if spec.endswith("+"):
            table[name] = (int(spec[:-1]), None)
        else:
            table[name] = (int(low), int(high) if dash else int(low))
    return table


@dataclass(frozen=True, slots=True)
class Dialect:
    """One dialect. Words are upper case. `functions` are scalar, `aggregates` may take DISTINCT, FILTER and OVER.

    `types` are what CAST may name; `joins` the kinds that take ON; `likes` the pattern operators;
    `concat`: `||` joins texts (else it is OR, and is left out);
    `units` what EXTRACT may take out (none: no EXTRACT); `intervals` how an interval is written: "quoted"
    (`INTERVAL '7 days'`), "unit" (`INTERVAL 7 DAY`), or "" for none.
    `folds` is what becomes of unquoted names (lower, upper, or nothing); `booleans`: TRUE and FALSE exist;
    `doubled_quotes`: a quote in a text is doubled (else it is escaped); `set_operations` chain with each other;
    `fetch`: rows are limited with OFFSET and FETCH, after an ORDER BY, instead of LIMIT.
    `no_distinct` are aggregates that take no DISTINCT; `synonyms` are other names of functions, which canonical SQL does not use; `sized_types` take digits and scale.
    `unit_functions` take a unit and two values; `ordered_aggregates` take WITHIN GROUP.
    `bits` are operators between numbers as bits (none: no `~` either); `arrows` take a value out of a JSON column;
    `collations` may follow COLLATE, as they are written; `row_values`: `(a, b) IN (SELECT ...)`; `quantifiers`:
    `> ANY (SELECT ...)`; `truth_tests`: `IS TRUE` of any value; `distinct_on` and `laterals`: those exist;
    `grouping` is how sub-totals are asked for: "sets" (ROLLUP, CUBE, GROUPING SETS), "with" (WITH ROLLUP), or "";
    `frames` are the kinds of window frames besides ROWS and the plain RANGE, `excludes`: they take EXCLUDE;
    `sorted_aggregates` take an ORDER BY of their own; `set_alls` are set operations that keep duplicates.
    `strict`: a condition is a boolean and nothing else is.
    """

    name: str
    keywords: frozenset[str]
    functions: Mapping[str, Arity]
    aggregates: Mapping[str, Arity]
    windows: Mapping[str, Arity]
    types: tuple[str, ...]
    quotes: tuple[str, str] = ('"', '"')
    plain_name: re.Pattern[str] = field(default=_ANY_CASE)
    folds: str = ""
    backslash_escapes: bool = False
    constants: tuple[str, ...] = ()
    joins: tuple[str, ...] = ("JOIN", "LEFT JOIN")
    likes: tuple[str, ...] = ("LIKE",)
    escape: bool = True
    null_safe: str = "IS NOT DISTINCT FROM"
    nulls_order: bool = True
    filters: bool = True
    concat: bool = True
    booleans: bool = True
    doubled_quotes: bool = True
    set_operations: tuple[str, ...] = ("UNION ALL", "UNION", "EXCEPT")
    intersect: str = "INTERSECT"
    fetch: bool = False
    no_distinct: frozenset[str] = frozenset()
    units: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict[str, str])
    sized_types: tuple[str, ...] = ()
    unit_functions: tuple[str, ...] = ()
    ordered_aggregates: tuple[str, ...] = ()
    intervals: str = ""
    bits: tuple[str, ...] = ()
    arrows: tuple[str, ...] = ()
    collations: tuple[str, ...] = ()
    row_values: bool = True
    quantifiers: bool = False
    truth_tests: bool = False
    distinct_on: bool = False
    laterals: bool = False
    grouping: str = ""
    frames: tuple[str, ...] = ()
    excludes: bool = False
    sorted_aggregates: tuple[str, ...] = ()
    set_alls: bool = False
    strict: bool = False
    default_schema: str | None = None


_WINDOWS = (
    "ROW_NUMBER:0 RANK:0 DENSE_RANK:0 PERCENT_RANK:0 CUME_DIST:0 NTILE:1 LAG:1-3 LEAD:1-3 "
    "FIRST_VALUE:1 LAST_VALUE:1 NTH_VALUE:2"
)

SQLITE = Dialect(
    name="sqlite",
    keywords=SQLITE_WORDS,
    functions=_arities(
        "ABS:1 ROUND:1-2 SIGN:1 CEIL:1 FLOOR:1 SQRT:1 POWER:2 EXP:1 LN:1 LOG:1-2 LOG10:1 MOD:2 "
        "ACOS:1 ASIN:1 ATAN:1 ATAN2:2 COS:1 SIN:1 TAN:1 DEGREES:1 RADIANS:1 PI:0 LOG2:1 TRUNC:1 RANDOM:0 "
        "LOWER:1 UPPER:1 LENGTH:1 TRIM:1-2 LTRIM:1-2 RTRIM:1-2 SUBSTR:2-3 REPLACE:3 INSTR:2 UNICODE:1 HEX:1 "
        "COALESCE:2+ IFNULL:2 NULLIF:2 IIF:3 TYPEOF:1 "
        "DATE:1+ TIME:1+ DATETIME:1+ JULIANDAY:1+ UNIXEPOCH:1+ STRFTIME:2+ "
        "JSON_EXTRACT:2+ JSON_ARRAY_LENGTH:1-2 JSON_TYPE:1-2 JSON_VALID:1 JSON_ARRAY:1+ JSON_QUOTE:1"
    ),
    aggregates=_arities("COUNT:1 SUM:1 AVG:1 MIN:1 MAX:1 TOTAL:1 GROUP_CONCAT:1-2 JSON_GROUP_ARRAY:1"),
    windows=_arities(_WINDOWS),
    types=("INTEGER", "REAL", "NUMERIC", "TEXT"),
    synonyms={"SUBSTRING": "SUBSTR", "POW": "POWER", "CEILING": "CEIL"},
    constants=("CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_TIME"),
    joins=("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"),
    likes=("LIKE", "GLOB"),
    bits=("&", "|", "<<", ">>"),
    arrows=("->", "->>"),
    collations=("BINARY", "NOCASE", "RTRIM"),
    truth_tests=True,
    frames=("GROUPS", "RANGE"),
    excludes=True,
    default_schema="main",
)

POSTGRES = Dialect(
    name="postgres",
    keywords=POSTGRES_WORDS,
    functions=_arities(
        "ABS:1 ROUND:1-2 SIGN:1 CEIL:1 FLOOR:1 TRUNC:1-2 SQRT:1 POWER:2 EXP:1 LN:1 LOG:1-2 MOD:2 "
        "GREATEST:2+ LEAST:2+ WIDTH_BUCKET:4 DIV:2 CBRT:1 PI:0 DEGREES:1 RADIANS:1 SIN:1 COS:1 TAN:1 ASIN:1 ACOS:1 "
        "ATAN:1 ATAN2:2 LOG10:1 RANDOM:0 MD5:1 ASCII:1 CHR:1 OCTET_LENGTH:1 NUM_NULLS:1+ NUM_NONNULLS:1+ "
        "LOWER:1 UPPER:1 INITCAP:1 LENGTH:1 CHAR_LENGTH:1 BTRIM:1-2 LTRIM:1-2 RTRIM:1-2 SUBSTR:2-3 REPLACE:3 "
        "STRPOS:2 LEFT:2 RIGHT:2 SPLIT_PART:3 CONCAT:1+ CONCAT_WS:2+ REVERSE:1 REGEXP_REPLACE:3-4 "
        "STARTS_WITH:2 TRANSLATE:3 "
        "COALESCE:2+ NULLIF:2 "
        "DATE_TRUNC:2 DATE_PART:2 TO_CHAR:2 TO_DATE:2 TO_TIMESTAMP:1-2 TO_NUMBER:2 AGE:1-2 NOW:0 MAKE_DATE:3 DATE:1 "
        "TIMEZONE:2 JUSTIFY_DAYS:1 JUSTIFY_HOURS:1 JUSTIFY_INTERVAL:1 DATE_BIN:3 JSONB_TYPEOF:1 JSON_TYPEOF:1 "
        "JSONB_ARRAY_LENGTH:1 JSON_ARRAY_LENGTH:1 JSONB_EXTRACT_PATH_TEXT:2+ JSON_EXTRACT_PATH_TEXT:2+ "
        "ARRAY_LENGTH:2 CARDINALITY:1"
    ),
    aggregates=_arities(
        "COUNT:1 SUM:1 AVG:1 MIN:1 MAX:1 STDDEV:1 STDDEV_POP:1 STDDEV_SAMP:1 VARIANCE:1 VAR_POP:1 VAR_SAMP:1 "
        "CORR:2 COVAR_POP:2 COVAR_SAMP:2 REGR_SLOPE:2 REGR_INTERCEPT:2 REGR_R2:2 BIT_AND:1 BIT_OR:1 "
        "BOOL_AND:1 BOOL_OR:1 STRING_AGG:2 ARRAY_AGG:1 JSON_AGG:1 JSONB_AGG:1"
    ),
    windows=_arities(_WINDOWS),
    types=(
        *("INTEGER", "BIGINT", "SMALLINT", "NUMERIC", "REAL", "DOUBLE PRECISION", "TEXT", "BOOLEAN"),
        *("DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIME", "INTERVAL", "JSON", "JSONB", "UUID"),
    ),
    sized_types=("NUMERIC",),
    ordered_aggregates=("PERCENTILE_CONT", "PERCENTILE_DISC", "MODE"),
    sorted_aggregates=("STRING_AGG", "ARRAY_AGG", "JSON_AGG", "JSONB_AGG"),
    bits=("&", "|", "<<", ">>"),
    arrows=("->", "->>", "#>", "#>>"),
    collations=('"C"', '"POSIX"'),
    quantifiers=True,
    distinct_on=True,
    laterals=True,
    grouping="sets",
    frames=("GROUPS", "RANGE"),
    excludes=True,
    set_alls=True,
    strict=True,
    synonyms={
        "SUBSTRING": "SUBSTR",
        "POW": "POWER",
        "CEILING": "CEIL",
        "TRIM": "BTRIM",
        "CHARACTER_LENGTH": "CHAR_LENGTH",
        "EVERY": "BOOL_AND",
    },
    plain_name=_LOWER,
    folds="lower",
    constants=("CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_TIME"),
    joins=("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"),
    likes=("LIKE", "ILIKE", "SIMILAR TO", "~", "~*"),
    units=(
        *("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"),
        *("DOW", "ISODOW", "DOY", "EPOCH", "ISOYEAR", "DECADE", "CENTURY"),
    ),
    intervals="quoted",
    default_schema="public",
)

MYSQL = Dialect(
    name="mysql",
    keywords=MYSQL_WORDS,
    functions=_arities(
        "ABS:1 ROUND:1-2 SIGN:1 CEIL:1 FLOOR:1 TRUNCATE:2 SQRT:1 POWER:2 EXP:1 LN:1 LOG:1-2 LOG10:1 MOD:2 "
        "GREATEST:2+ LEAST:2+ PI:0 RAND:0-1 DEGREES:1 RADIANS:1 SIN:1 COS:1 TAN:1 ASIN:1 ACOS:1 ATAN:1-2 LOG2:1 "
        "BIT_COUNT:1 CRC32:1 CONV:3 BIN:1 OCT:1 HEX:1 MD5:1 ASCII:1 STRCMP:2 FIELD:2+ ELT:2+ FIND_IN_SET:2 SOUNDEX:1 "
        "FORMAT:2 INET_ATON:1 "
        "LOWER:1 UPPER:1 LENGTH:1 CHAR_LENGTH:1 TRIM:1 LTRIM:1 RTRIM:1 SUBSTR:2-3 SUBSTRING_INDEX:3 REPLACE:3 "
        "INSTR:2 LOCATE:2-3 LEFT:2 RIGHT:2 CONCAT:1+ CONCAT_WS:2+ REVERSE:1 "
        "COALESCE:2+ IFNULL:2 NULLIF:2 IF:3 "
        "DATE:1 TIME:1 YEAR:1 QUARTER:1 MONTH:1 WEEK:1-2 DAY:1 HOUR:1 MINUTE:1 SECOND:1 DAYOFWEEK:1 "
        "DAYOFYEAR:1 WEEKDAY:1 WEEKOFYEAR:1 MONTHNAME:1 DAYNAME:1 LAST_DAY:1 DATEDIFF:2 DATE_FORMAT:2 "
        "STR_TO_DATE:2 FROM_UNIXTIME:1-2 UNIX_TIMESTAMP:0-1 CURDATE:0 CURTIME:0 NOW:0 UTC_DATE:0 UTC_TIMESTAMP:0 "
        "TO_DAYS:1 FROM_DAYS:1 MAKEDATE:2 YEARWEEK:1-2 PERIOD_DIFF:2 PERIOD_ADD:2 TIME_TO_SEC:1 SEC_TO_TIME:1 "
        "MICROSECOND:1 TIMEDIFF:2 ADDTIME:2 SUBTIME:2 "
        "JSON_EXTRACT:2+ JSON_UNQUOTE:1 JSON_VALUE:2 JSON_LENGTH:1-2 JSON_CONTAINS:2-3 JSON_KEYS:1-2 JSON_TYPE:1 "
        "JSON_VALID:1 JSON_ARRAY:1+"
    ),
    aggregates=_arities(
        "COUNT:1 SUM:1 AVG:1 MIN:1 MAX:1 STDDEV:1 STDDEV_POP:1 STDDEV_SAMP:1 VARIANCE:1 VAR_POP:1 VAR_SAMP:1 "
        "BIT_AND:1 BIT_OR:1 BIT_XOR:1 GROUP_CONCAT:1 JSON_ARRAYAGG:1"
    ),
    windows=_arities(_WINDOWS.replace("1-3", "1-2")),  # MariaDB has no default there
    types=("SIGNED", "UNSIGNED", "DECIMAL", "DOUBLE", "FLOAT", "CHAR", "DATE", "DATETIME", "TIME"),
    sized_types=("DECIMAL",),
    unit_functions=("TIMESTAMPDIFF", "TIMESTAMPADD"),
    sorted_aggregates=("GROUP_CONCAT",),
    bits=("&", "|", "<<", ">>", "^"),
    quantifiers=True,
    truth_tests=True,
    grouping="with",
    frames=("RANGE",),
    set_alls=True,
    synonyms={
        "SUBSTRING": "SUBSTR",
        "MID": "SUBSTR",
        "OCTET_LENGTH": "LENGTH",
        "POW": "POWER",
        "CEILING": "CEIL",
        "CHARACTER_LENGTH": "CHAR_LENGTH",
        "LCASE": "LOWER",
        "UCASE": "UPPER",
        "STD": "STDDEV",
        "DAYOFMONTH": "DAY",
    },
    quotes=("`", "`"),
    backslash_escapes=True,
    constants=("CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_TIME"),
    joins=("JOIN", "LEFT JOIN", "RIGHT JOIN"),
    likes=("LIKE", "REGEXP"),
    null_safe="<=>",
    nulls_order=False,
    filters=False,
    concat=False,
    no_distinct=frozenset(
        {"STDDEV", "STDDEV_POP", "STDDEV_SAMP", "VARIANCE", "VAR_POP", "VAR_SAMP"}
        | {"BIT_AND", "BIT_OR", "BIT_XOR", "JSON_ARRAYAGG"}
    ),
    units=("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"),
    intervals="unit",
)

_COMMON_AGGREGATES = "COUNT:1 SUM:1 AVG:1 MIN:1 MAX:1"

DUCKDB = replace(
    POSTGRES,
    name="duckdb",
    keywords=DUCKDB_WORDS,
    functions=_arities(
        "ABS:1 ROUND:1-2 SIGN:1 CEIL:1 FLOOR:1 SQRT:1 POWER:2 EXP:1 LN:1 LOG:1 MOD:2 GREATEST:2+ LEAST:2+ "
        "LOWER:1 UPPER:1 LENGTH:1 TRIM:1-2 LTRIM:1-2 RTRIM:1-2 SUBSTR:2-3 REPLACE:3 STRPOS:2 LEFT:2 RIGHT:2 "
        "SPLIT_PART:3 CONCAT:1+ CONCAT_WS:2+ REVERSE:1 STARTS_WITH:2 COALESCE:2+ IFNULL:2 NULLIF:2 "
        "DATE_TRUNC:2 DATE_PART:2 DATE_DIFF:3 STRFTIME:2 STRPTIME:2 YEAR:1 QUARTER:1 MONTH:1 DAY:1 HOUR:1 NOW:0"
    ),
    aggregates=_arities(
        f"{_COMMON_AGGREGATES} STDDEV:1 VARIANCE:1 MEDIAN:1 STRING_AGG:2 BOOL_AND:1 BOOL_OR:1"
    ),
    types=("INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "TIME", "DECIMAL"),
    sized_types=("DECIMAL",),
    ordered_aggregates=(),
    sorted_aggregates=("STRING_AGG",),
    arrows=("->", "->>"),
    collations=(),
    synonyms={"SUBSTRING": "SUBSTR", "POW": "POWER", "CEILING": "CEIL"},
    plain_name=_ANY_CASE,
    folds="",
    likes=("LIKE", "ILIKE", "SIMILAR TO", "GLOB"),
    default_schema="main",
)

SNOWFLAKE = replace(
    POSTGRES,
    name="snowflake",
    functions=_arities(
        "ABS:1 ROUND:1-2 SIGN:1 CEIL:1-2 FLOOR:1-2 SQRT:1 POWER:2 EXP:1 LN:1 LOG:2 MOD:2 GREATEST:2+ LEAST:2+ "
        "LOWER:1 UPPER:1 INITCAP:1 LENGTH:1 TRIM:1-2 LTRIM:1-2 RTRIM:1-2 SUBSTR:2-3 REPLACE:2-3 LEFT:2 RIGHT:2 "
        "SPLIT_PART:3 CONCAT:1+ CONCAT_WS:2+ REVERSE:1 CONTAINS:2 STARTSWITH:2 ENDSWITH:2 COALESCE:2+ IFNULL:2 "
        "NULLIF:2 IFF:3 ZEROIFNULL:1 DATE_TRUNC:2 TO_CHAR:1-2 TO_DATE:1-2 TO_TIMESTAMP:1-2 YEAR:1 QUARTER:1 MONTH:1 "
        "WEEK:1 DAY:1 DAYOFWEEK:1 HOUR:1 LAST_DAY:1-2"
    ),
    aggregates=_arities(
        f"{_COMMON_AGGREGATES} STDDEV:1 VARIANCE:1 MEDIAN:1 LISTAGG:1-2 APPROX_COUNT_DISTINCT:1"
    ),
    types=("INTEGER", "NUMBER", "FLOAT", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "TIME"),
    sized_types=("NUMBER",),
    ordered_aggregates=(),
    sorted_aggregates=(),
    bits=(),
    arrows=(),
    collations=(),
    distinct_on=False,
    laterals=False,
    frames=(),
    excludes=False,
    set_alls=False,
    synonyms={"SUBSTRING": "SUBSTR", "POW": "POWER"},
    plain_name=_UPPER,
    folds="upper",
    constants=("CURRENT_DATE", "CURRENT_TIMESTAMP"),
    backslash_escapes=True,
    likes=("LIKE", "ILIKE"),
    filters=False,
    default_schema="PUBLIC",
)

BIGQUERY = replace(
    MYSQL,
    name="bigquery",
    keywords=POSTGRES_WORDS | MYSQL_WORDS,
    functions=_arities(
        "ABS:1 ROUND:1-2 SIGN:1 CEIL:1 FLOOR:1 TRUNC:1-2 SQRT:1 POWER:2 EXP:1 LN:1 LOG:1-2 MOD:2 GREATEST:2+ LEAST:2+ "
        "LOWER:1 UPPER:1 INITCAP:1 LENGTH:1 TRIM:1-2 LTRIM:1-2 RTRIM:1-2 SUBSTR:2-3 REPLACE:3 STRPOS:2 LEFT:2 RIGHT:2 "
        "CONCAT:1+ REVERSE:1 STARTS_WITH:2 ENDS_WITH:2 REGEXP_CONTAINS:2 COALESCE:2+ IFNULL:2 NULLIF:2 IF:3 "
        "SAFE_DIVIDE:2 DATE:1-3 FORMAT_DATE:2 PARSE_DATE:2 FORMAT_TIMESTAMP:2-3 JSON_VALUE:1-2"
    ),
    aggregates=_arities(
        f"{_COMMON_AGGREGATES} STDDEV:1 VARIANCE:1 STRING_AGG:1-2 COUNTIF:1 APPROX_COUNT_DISTINCT:1"
    ),
    windows=_arities(_WINDOWS),
    types=("INT64", "FLOAT64", "NUMERIC", "STRING", "BOOL", "DATE", "DATETIME", "TIMESTAMP", "TIME"),
    sized_types=(),
    unit_functions=(),
    sorted_aggregates=(),
    bits=("&", "|", "<<", ">>", "^"),
    row_values=False,
    quantifiers=False,
    truth_tests=False,
    grouping="",
    frames=("RANGE",),
    set_alls=False,
    strict=True,
    synonyms={"SUBSTRING": "SUBSTR", "POW": "POWER", "CEILING": "CEIL"},
    joins=("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"),
    likes=("LIKE",),
    escape=False,
    doubled_quotes=False,
    set_operations=("UNION ALL", "UNION DISTINCT", "EXCEPT DISTINCT"),
    intersect="INTERSECT DISTINCT",
    null_safe="IS NOT DISTINCT FROM",
    nulls_order=True,
    concat=True,
    no_distinct=frozenset(),
    units=("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "DAYOFWEEK", "DAYOFYEAR"),
    intervals="",
)

TSQL = Dialect(
    name="tsql",
    keywords=POSTGRES_WORDS
    | MYSQL_WORDS
    | frozenset({"TOP", "USER", "PLAN", "FILE", "RULE", "BROWSE", "PUBLIC", "MERGE"}),
    functions=_arities(
        "ABS:1 ROUND:2-3 SIGN:1 CEILING:1 FLOOR:1 SQRT:1 POWER:2 EXP:1 LOG:1-2 LOWER:1 UPPER:1 LEN:1 TRIM:1 LTRIM:1 "
        "RTRIM:1 SUBSTRING:3 REPLACE:3 CHARINDEX:2-3 LEFT:2 RIGHT:2 CONCAT:2+ CONCAT_WS:3+ REVERSE:1 "
        "COALESCE:2+ ISNULL:2 NULLIF:2 YEAR:1 MONTH:1 DAY:1 EOMONTH:1-2 GETDATE:0 DATEFROMPARTS:3 JSON_VALUE:2"
    ),
    aggregates=_arities(f"{_COMMON_AGGREGATES} STDEV:1 VAR:1 STRING_AGG:2"),
    windows=_arities(_WINDOWS.replace(" NTH_VALUE:2", "")),
    types=("INT", "BIGINT", "FLOAT", "DATE", "TIME", "DATETIME2", "BIT"),
    quotes=("[", "]"),
    joins=("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"),
    set_operations=("UNION ALL", "UNION", "EXCEPT"),
    nulls_order=False,
    filters=False,
    concat=False,
    booleans=False,
    fetch=True,
    bits=("&", "|", "^"),
    row_values=False,
    quantifiers=True,
    grouping="sets",
    strict=True,
    no_distinct=frozenset({"STRING_AGG"}),
    constants=("CURRENT_TIMESTAMP",),
    default_schema="dbo",
)

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (SQLITE, POSTGRES, MYSQL, DUCKDB, SNOWFLAKE, BIGQUERY, TSQL)
}
"""Every dialect by sqlglot's name for it."""

FUNCTIONS: Mapping[str, Mapping[str, Arity]] = {name: dialect.functions for name, dialect in DIALECTS.items()}
"""The scalar functions that may be written, by dialect."""

_OTHER_NAMES = {"postgresql": "postgres", "mariadb": "mysql"}


def dialect_of(name: str) -> Dialect:
    """Return the dialect of that name; raises ConfigurationError with the names there are."""
    name = _OTHER_NAMES.get(name, name)
    if name not in DIALECTS:
        raise ConfigurationError(
            f"there is no SQL dialect {name!r}; use one of: {', '.join(sorted(DIALECTS))}"
        )
    return DIALECTS[name]
