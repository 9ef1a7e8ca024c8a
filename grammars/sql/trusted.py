"""Queries that a person has checked, with typed slots: a model may call one instead of writing SQL of its own.

A trusted query is a `.sql` file; what is known of it stands in comments at its head:

    -- question: What did customers of a country buy since a day?
    -- author: Ada
    -- :since date
    -- :country in customers.country
    SELECT ... WHERE orders.placed >= :since AND customers.country = :country

The file's name is the query's. A model calls it as `CALL bought(since='2024-01-01', country='France')`, and the
grammar lets it write nothing else into the slots. Kinds of slots: integer, number, date, text, and `in table.column`,
which takes the stored values of that column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jigwork.errors import ConfigurationError, SQLRefused
from jigwork.grammars.schema import Schema

from .names import names_equal, nearest_names, string_literal
from .parameters import fill_parameters, parameter_names

__all__ = [
    "Slot",
    "TrustedQuery",
    "call_rules",
    "call_text",
    "expand_call",
    "load_trusted",
    "save_trusted",
    "trusted_path",
]

_KINDS = {
    "integer": (r"-?(0|[1-9][0-9]{0,17})", "1"),
    "number": (r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?", "1"),
    "date": (
        (
            r"'[1-9][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
            r"|02-(0[1-9]|[12][0-9]))'"
        ),
        "'2024-01-01'",
    ),
    "text": (r"'([^'\\\x00-\x1f\x7f]|''){0,100}'", "'x'"),
}
_HEAD = re.compile(r"--\s*(question|author|:\w+)\s*:?\s*(.+)")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_CALL = re.compile(r"CALL ([a-z][a-z0-9_]*)\((.*)\)", re.DOTALL)
_ARGUMENT = re.compile(r"(\w+)=('(?:[^']|'')*'|-?[0-9.]+)(?:, |$)")


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot; `values` are the only ones it takes, where the kind is `in`."""

    name: str
    kind: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrustedQuery:
    """One checked query. `sql` holds its slots as `:name`."""

    name: str
    sql: str
    question: str = ""
    author: str = ""
    slots: tuple[Slot, ...] = ()

    @property
    def label(self) -> str:
        """The name, and whose query it is."""
        return f"{self.name} by {self.author}" if self.author else self.name

    def example(self, dialect: str) -> str:
        """Return the query with a sample value in each slot."""
        return _fill(self, {slot.name: _sample(slot, dialect) for slot in self.slots})

    def signature(self) -> str:
        """Return how it is called, for the prompt."""
        slots = ", ".join(f"{slot.name}=<{slot.kind}>" for slot in self.slots)
        return f"CALL {self.name}({slots})" + (f" -- {self.question}" if self.question else "")


def load_trusted(folder: str | Path, schema: Schema) -> tuple[TrustedQuery, ...]:
    """Read all `.sql` files of a folder, in order of their names.

    Raises ConfigurationError for a folder that is not there, a file without SQL, an unknown kind of slot, or a slot
    that the query does not have.
    """
    path = Path(folder)
    if not path.is_dir():
        raise ConfigurationError(f"there is no folder {path} of trusted queries")
    return tuple(
        _parse(file, file.read_text(encoding="utf-8"), schema) for file in sorted(path.glob("*.sql"))
    )


def trusted_path(folder: str | Path, name: str) -> Path:
    """Return where a new trusted query is kept; raises ConfigurationError for a name that is none, or is taken."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no name of a trusted query: plain lower-case letters, digits and _"
        )
    path = Path(folder) / f"{name}.sql"
    if path.exists():
        raise ConfigurationError(f"{path} is there already; give another name")
    return path


def save_trusted(
    folder: str | Path,
    name: str,
    sql: str,
    *,
    schema: Schema,
    question: str = "",
    author: str = "",
    slots: Mapping[str, str] | None = None,
) -> Path:
    """Write a query as the file of a trusted one, and return where; `load_trusted` reads it back.

    `slots` has the kind of each `:name` in the query (`with_slots` makes slots of literals). The folder is made where there is none. Raises ConfigurationError for a name that cannot be one or is taken, and
    for a query that a file cannot hold as it is.
    """
    path = trusted_path(folder, name)
    facts = {"question": " ".join(question.split()), "author": " ".join(author.split())}
    head = [f"-- {key}: {fact}\n" for key, fact in facts.items() if fact]
    head += [f"-- :{slot} {kind}\n" for slot, kind in (slots or {}).items()]
    text = "".join(head) + sql + "\n"
    if _parse(path, text, schema).sql != sql:
        raise ConfigurationError(
            f"{name} cannot be saved: a text in it has an empty line or spaces at an end"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already; give another name") from error
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error
    return path


def _parse(file: Path, text: str, schema: Schema) -> TrustedQuery:
    facts: dict[str, str] = {}
    body: list[str] = []
    for line in text.splitlines():
        head = _HEAD.fullmatch(line.strip())
        if head and not body:
            facts[head.group(1)] = head.group(2).strip()
        elif line.strip():
            body.append(line)
    name, sql = file.stem.lower(), "\n".join(body).strip().rstrip(";")
    if not _NAME.fullmatch(name) or not sql:
        raise ConfigurationError(f"{file}: a trusted query has a plain lower-case name and holds a SELECT")
    slots = tuple(_slot(key[1:], kind, schema, file) for key, kind in facts.items() if key.startswith(":"))
    used = parameter_names(sql)
    if {slot.name for slot in slots} != set(used):
        raise ConfigurationError(
            f"{file}: the slots {used} of the query need one line each at its head, and no other"
        )
    return TrustedQuery(name, sql, facts.get("question", ""), facts.get("author", ""), slots)


def _slot(name: str, kind: str, schema: Schema, file: Path) -> Slot:
    if kind in _KINDS:
        return Slot(name, kind)
    if kind.startswith("in "):
        for table in schema.tables:
            for column in table.columns:
                if names_equal(f"{table.name}.{column.name}", kind[3:].strip()) and column.values:
                    return Slot(name, kind, column.values)
        raise ConfigurationError(
            f"{file}: {kind[3:]} is no column with few stored values, so it can fill no slot"
        )
    raise ConfigurationError(f"{file}: :{name} is {kind!r}; use {', '.join(_KINDS)} or `in table.column`")


def call_rules(queries: Sequence[TrustedQuery], dialect: str) -> Iterator[str]:
    """Yield the grammar of the calls: each query by name, its slots in order, each with what it takes."""
    yield "call: " + " | ".join(f"call_{query.name}" for query in queries)
    for query in queries:
        parts = [f'"CALL {query.name}("']
        for index, slot in enumerate(query.slots):
            comma = ", " if index else ""
            parts.append(f'"{comma}{slot.name}=" SLOT_{query.name.upper()}_{index}')
        yield f'call_{query.name}: {" ".join(parts)} ")"'
        for index, slot in enumerate(query.slots):
            yield f"SLOT_{query.name.upper()}_{index}: {_terminal(slot, dialect)}"


def _terminal(slot: Slot, dialect: str) -> str:
    if slot.kind in _KINDS:
        return f"/{_KINDS[slot.kind][0]}/"
    import json

    return " | ".join(json.dumps(string_literal(value, dialect), ensure_ascii=False) for value in slot.values)


def _sample(slot: Slot, dialect: str) -> str:
    return string_literal(slot.values[0], dialect) if slot.values else _KINDS[slot.kind][1]


def call_text(query: TrustedQuery, values: Mapping[str, str], dialect: str) -> str:
    """Write a call with a value for each slot; `expand_call` says whether the slots take them."""
    written: list[str] = []
    for slot in query.slots:
        quoted = bool(slot.values) or slot.kind in ("date", "text")
        value = values[slot.name]
        written.append(f"{slot.name}={_quoted(value, dialect) if quoted else value}")
    return f"CALL {query.name}({', '.join(written)})"


def _quoted(value: str, dialect: str) -> str:
    try:
        return string_literal(value, dialect)
    except ValueError:
        return "''"  # no slot takes what no literal can say


def expand_call(text: str, queries: Sequence[TrustedQuery], dialect: str) -> tuple[TrustedQuery, str]:
    """Turn a call into the query it names and its SQL with the slots filled.

    Raises SQLRefused, in words for a model, where the name, a slot or a value is none of those there are.
    """
    call = _CALL.fullmatch(text.strip())
    names = [query.name for query in queries]
    if call is None or call.group(1) not in names:
        near = nearest_names(call.group(1) if call else text[:40], names)
        hint = f"; nearest: {', '.join(near)}" if near else f"; there are: {', '.join(names)}"
        raise SQLRefused(f"this calls no trusted query{hint}")
    query = queries[names.index(call.group(1))]
    found = list(_ARGUMENT.finditer(call.group(2)))
    given = {match.group(1): match.group(2) for match in found}
    if "".join(match.group() for match in found) != call.group(2) or list(given) != [
        slot.name for slot in query.slots
    ]:
        raise SQLRefused(f"write it as {query.signature()}")
    for slot in query.slots:
        _check_value(slot, given[slot.name], dialect)
    return query, _fill(query, given)


def _check_value(slot: Slot, written: str, dialect: str) -> None:
    if slot.values:
        allowed = {string_literal(value, dialect): value for value in slot.values}
        if written not in allowed:
            near = nearest_names(written.strip("'"), slot.values)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise SQLRefused(f"{slot.name} never is {written}{hint}")
    elif not re.fullmatch(_KINDS[slot.kind][0], written) or (slot.kind == "date" and not _is_day(written)):
        raise SQLRefused(f"{slot.name} takes a value of the kind {slot.kind}, not {written}")


def _is_day(written: str) -> bool:
    """Tell whether the calendar has the day: a grammar does not know leap years."""
    try:
        return bool(date.fromisoformat(written.strip("'")))
    except ValueError:
        return False


def _fill(query: TrustedQuery, written: Mapping[str, str]) -> str:
    """Put literals, as they were written and checked, into the slots."""
    marks = fill_parameters(query.sql, {name: f"\ue000{name}\ue001" for name in written}, "sqlite")
    return re.sub("'\ue000(\\w+)\ue001'", lambda match: written[match.group(1)], marks)
