"""What the dialects write differently: parts of dates, patterns, truth, limits, where empty values sort."""

from __future__ import annotations

from decimal import Decimal

from jigwork.grammars.sql.dialects import dialect_of
from jigwork.grammars.sql.names import string_literal

from .choices import Trouble
from .phrase import number_text
from .query import RECURRING, Match, Unit, Value

__all__ = ["Spelling"]

_STRFTIME = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
_TO_CHAR = {"year": "YYYY", "quarter": 'YYYY"-Q"Q', "month": "YYYY-MM", "day": "YYYY-MM-DD"}
_QUARTERS = {
    "sqlite": "STRFTIME('%Y', {0}) || '-Q' || ((CAST(STRFTIME('%m', {0}) AS INTEGER) + 2) / 3)",
    "mysql": "CONCAT(YEAR({0}), '-Q', QUARTER({0}))",
    "duckdb": "STRFTIME({0}, '%Y') || '-Q' || CAST(QUARTER({0}) AS VARCHAR)",
    "snowflake": "TO_CHAR({0}, 'YYYY') || '-Q' || CAST(QUARTER({0}) AS VARCHAR)",
    "bigquery": "FORMAT_DATE('%Y-Q%Q', DATE({0}))",
    "tsql": "CONCAT(YEAR({0}), '-Q', (MONTH({0}) + 2) / 3)",
}
_WEEKS = {
    "sqlite": "DATE({0}, 'weekday 0', '-6 days')",
    "mysql": "DATE_FORMAT({0} - INTERVAL (WEEKDAY({0})) DAY, '%Y-%m-%d')",
    "postgres": "TO_CHAR(DATE_TRUNC('week', {0}), 'YYYY-MM-DD')",
    "duckdb": "STRFTIME(DATE_TRUNC('week', {0}), '%Y-%m-%d')",
    "snowflake": "TO_CHAR(DATE_TRUNC('week', {0}), 'YYYY-MM-DD')",
}
_WEEKDAYS = {
    "sqlite": "STRFTIME('%w', {0}, '-1 day') + 1",
    "mysql": "WEEKDAY({0}) + 1",
    "postgres": "CAST(TO_CHAR({0}, 'ID') AS INTEGER)",
    "duckdb": "CAST(STRFTIME({0}, '%u') AS INTEGER)",
}
_HOURS = {
    "sqlite": "CAST(STRFTIME('%H', {0}) AS INTEGER)",
    "mysql": "HOUR({0})",
    "postgres": "CAST(TO_CHAR({0}, 'HH24') AS INTEGER)",
    "duckdb": "CAST(STRFTIME({0}, '%H') AS INTEGER)",
    "snowflake": "HOUR({0})",
    "bigquery": "EXTRACT(HOUR FROM {0})",
}
_TSQL = {
    "year": "CONCAT('', YEAR({0}))",
    "month": "LEFT(CAST(CAST({0} AS DATE) AS VARCHAR), 7)",
    "day": "CAST({0} AS DATE)",
}
_DAYS = {
    "sqlite": "JULIANDAY(DATE({0})) - JULIANDAY(DATE({1}))",
    "mysql": "DATEDIFF({0}, {1})",
    "bigquery": "DATE_DIFF(DATE({0}), DATE({1}), DAY)",
    "tsql": "DATEDIFF(day, {1}, {0})",
    "duckdb": "DATE_DIFF('day', CAST({1} AS DATE), CAST({0} AS DATE))",
}


class Spelling:
    """Writes for one dialect."""

    def __init__(self, dialect: str) -> None:
        self.rules = dialect_of(dialect)
        self.name = self.rules.name

    def part(self, column: str, unit: Unit) -> str:
        """Write the part of a date as text (`query.Part` says how it looks)."""
        if unit in RECURRING:
            return self._written(_WEEKDAYS if unit == "weekday" else _HOURS, f"{unit}s").format(column)
        if unit == "week":
            return self._written(_WEEKS, "weeks").format(column)
        if self.name == "postgres" or (self.name == "snowflake" and unit != "quarter"):
            return f"TO_CHAR({column}, '{_TO_CHAR[unit]}')"
        if unit == "quarter":
            return self._written(_QUARTERS, "quarters").format(column)
        if self.name == "tsql":
            return _TSQL[unit].format(column)
        pattern = _STRFTIME[unit]
        match self.name:
            case "mysql":
                return f"DATE_FORMAT({column}, '{pattern}')"
            case "bigquery":
                return f"FORMAT_DATE('{pattern}', DATE({column}))"
            case "duckdb":
                return f"STRFTIME({column}, '{pattern}')"
            case _:
                return f"STRFTIME('{pattern}', {column})"

    def days(self, later: str, earlier: str) -> str:
        """Write the whole days from one date to another."""
        return _DAYS.get(self.name, "CAST({0} AS DATE) - CAST({1} AS DATE)").format(later, earlier)

    def fraction(self, sql: str) -> str:
        """Write a number so that its quotients and averages have digits after the point."""
        if self.name == "mysql":  # four digits there, where both sides are whole
            return f"CAST({sql} AS DOUBLE)"
        return f"{sql} * 1.0"

    def hundredfold(self, sql: str) -> str:
        """Write a number times a hundred, for shares."""
        return f"{self.fraction(sql)} * 100" if self.name == "mysql" else f"{sql} * 100.0"

    def _written(self, table: dict[str, str], what: str) -> str:
        if self.name not in table:
            raise Trouble(f"there are no {what} in the SQL of {self.name}: ask per month or per day", depth=9)
        return table[self.name]

    def match(self, column: str, cond: Match) -> str:
        """Write a comparison with a pattern, without regard to case."""
        text, escape = cond.text, ""
        if cond.how != "like" and any(char in text for char in "%_\\"):
            text = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            if self.rules.escape:
                escape = f" ESCAPE {self.text(chr(92))}"
        elif cond.how == "like" and self.name != "sqlite":
            text = text.replace("\\", "\\\\")  # a backslash would take the meaning of what follows
        patterns = {"contains": f"%{text}%", "starts": f"{text}%", "ends": f"%{text}", "like": text}
        like, pattern = "NOT LIKE" if cond.negated else "LIKE", patterns[cond.how]
        if "ILIKE" in self.rules.likes:
            like = like.replace("LIKE", "ILIKE")
        elif self.name != "sqlite":  # whether LIKE minds the case is a matter of the column there
            column, pattern = f"LOWER({column})", pattern.lower()
        return f"{column} {like} {self.text(pattern)}{escape}"

    def value(self, value: Value) -> str:
        """Write a value; raises Trouble for what no literal can hold."""
        if isinstance(value, bool):
            if self.name == "sqlite" or not self.rules.booleans:
                return "1" if value else "0"
            return "TRUE" if value else "FALSE"
        if isinstance(value, (int, Decimal)):
            written = number_text(value)
            whole, _, digits = written.lstrip("-").partition(".")
            if len(whole) > 18 or len(digits) > 12:
                raise Trouble("this number has too many digits", depth=9)
            return written
        return self.text(value)

    def text(self, text: str) -> str:
        """Write a text; raises Trouble for one that no literal can hold."""
        try:
            return string_literal(text, self.name)
        except ValueError as error:
            raise Trouble(f"this text cannot be used in a query: {error}", depth=9) from error

    def sorted(self, sql: str, *, descending: bool, optional: bool) -> list[str]:
        """Write a sort key; empty values come last in both directions."""
        direction = "DESC" if descending else "ASC"
        if not optional:
            return [f"{sql} {direction}"]
        if self.rules.nulls_order:
            return [f"{sql} {direction} NULLS LAST"]
        if descending:  # they count as the lowest there
            return [f"{sql} {direction}"]
        if self.name == "tsql":
            return [f"CASE WHEN {sql} IS NULL THEN 1 ELSE 0 END ASC", f"{sql} {direction}"]
        return [f"{sql} IS NULL", f"{sql} {direction}"]

    def limited(self, sql: str, count: int, skip: int = 0) -> str:
        """Add the limit to a statement that is sorted wherever the dialect wants that."""
        if not self.rules.fetch:
            return f"{sql} LIMIT {count}{f' OFFSET {skip}' if skip else ''}"
        return f"{sql} OFFSET {skip} ROWS FETCH NEXT {count} ROWS ONLY"
