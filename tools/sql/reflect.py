"""From a live database to a `Schema`: SQLAlchemy reads the catalog, `kind_of` says what a column's values are."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jigwork.errors import ConfigurationError, MissingExtraError
from jigwork.grammars.schema import Column, ForeignKey, Kind, Schema, Table

if TYPE_CHECKING:
    from sqlalchemy.engine.reflection import Inspector

__all__ = ["kind_of", "reflect"]


def reflect(url: str, dialect: str, name: str | None, *, schema: str | None = None) -> Schema:
    """Read tables, views, columns, keys and comments of the database at an SQLAlchemy URL.

    `schema` names one database schema, None the default one. Raises ConfigurationError where that fails.
    """
    try:
        import sqlalchemy
    except ImportError as error:
        raise MissingExtraError("SQLDatabase", "sql") from error
    from sqlalchemy.exc import SAWarning, SQLAlchemyError

    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # types that SQLAlchemy does not know; `kind_of` does
            return Schema(_tables(sqlalchemy.inspect(engine), schema), dialect=dialect, name=name)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise ConfigurationError(f"the database cannot be read: {reason}") from error
    finally:
        engine.dispose()


def _tables(inspector: Inspector, schema: str | None) -> tuple[Table, ...]:
    from sqlalchemy.engine.reflection import ObjectKind

    views = set(inspector.get_view_names(schema=schema))
    if inspector.dialect.name == "postgresql":
        views |= set(inspector.get_materialized_view_names(schema=schema))
    names = [*inspector.get_table_names(schema=schema), *sorted(views)]
    columns = _columns(inspector, names, schema)
    keys: Mapping[Any, Any] = inspector.get_multi_pk_constraint(schema=schema)
    foreign: Mapping[Any, Any] = inspector.get_multi_foreign_keys(schema=schema)
    unique: Mapping[Any, Any] = inspector.get_multi_unique_constraints(schema=schema)
    indexes: Mapping[Any, Any] = inspector.get_multi_indexes(schema=schema)
    comments: Mapping[Any, Any] = {}
    if inspector.dialect.supports_comments:
        comments = inspector.get_multi_table_comment(schema=schema, kind=ObjectKind.ANY)
    sqlite = inspector.dialect.name == "sqlite"
    tables: list[Table] = []
    for name in names:
        key = (schema, name)
        primary: list[str] = (keys.get(key) or {}).get("constrained_columns") or []
        tables.append(
            Table(
                name=name,
                columns=tuple(_column(column, sqlite, primary) for column in columns.get(key, ())),
                primary_key=tuple(primary),
                foreign_keys=tuple(_foreign_keys(foreign.get(key, ()), keys, schema)),
                unique=_unique_sets(unique.get(key, ()), indexes.get(key, ())),
                comment=(comments.get(key) or {}).get("text"),
                is_view=name in views,
            )
        )
    return tuple(tables)


def _columns(inspector: Inspector, names: Sequence[str], schema: str | None) -> Mapping[Any, Any]:
    """Read the columns of all tables; one that cannot be read (a view over what is gone, mostly) has none."""
    from sqlalchemy.engine.reflection import ObjectKind
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return inspector.get_multi_columns(schema=schema, kind=ObjectKind.ANY)
    except SQLAlchemyError:
        found: dict[Any, Any] = {}
        for name in names:
            with contextlib.suppress(SQLAlchemyError):
                found[schema, name] = inspector.get_columns(name, schema=schema)
        return found


def _column(data: Mapping[str, Any], sqlite: bool, primary: Sequence[str]) -> Column:
    kind = kind_of(data["type"])
    try:
        written = str(data["type"])
    except Exception:  # noqa: BLE001 - SQLAlchemy cannot write a type that it does not know
        written = ""
    written = "" if written == "NULL" else written
    nullable = bool(data.get("nullable", True)) and not (sqlite and list(primary) == [data["name"]])
    name = str(data["name"]).replace("``", "`")  # MySQL's reflection leaves doubled quotes as they are
    return Column(name, written, kind, nullable, data.get("comment"))


def _foreign_keys(
    found: Sequence[Mapping[str, Any]], keys: Mapping[Any, Any], schema: str | None
) -> list[ForeignKey]:
    """Keys into other schemas are left out; a key that names no columns means the other table's primary key."""
    result: list[ForeignKey] = []
    for key in found:
        if key.get("referred_schema") not in (None, schema):
            continue
        table = str(key["referred_table"])
        columns = tuple(key["constrained_columns"])
        references: tuple[str, ...] = tuple(key["referred_columns"] or ())
        if not references:
            primary: Mapping[str, Any] = keys.get((schema, table)) or {}
            references = tuple(primary.get("constrained_columns") or ())
        if len(references) == len(columns):
            result.append(ForeignKey(columns, table, references))
    return sorted(result, key=lambda foreign: (foreign.columns, foreign.table))


def _unique_sets(
    constraints: Sequence[Mapping[str, Any]], indexes: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, ...], ...]:
    sets = {tuple(entry["column_names"]) for entry in constraints}
    for index in indexes:
        partial = any("where" in str(option) for option in index.get("dialect_options", {}))
        if index.get("unique") and not partial and all(index["column_names"]):
            sets.add(tuple(index["column_names"]))
    return tuple(sorted(sets))


def kind_of(sql_type: Any) -> Kind:
    """Say what the values of an SQLAlchemy type are."""
    from sqlalchemy import types

    name = type(sql_type).__name__
    if name == "TINYINT" and getattr(sql_type, "display_width", None) == 1:
        return "boolean"  # what MySQL makes of BOOLEAN
    table: tuple[tuple[type[Any], Kind], ...] = (
        (types.Boolean, "boolean"),
        (types.Integer, "integer"),
        (types.Numeric, "number"),
        (types.Float, "number"),
        (types.DateTime, "datetime"),
        (types.Date, "date"),
        (types.Time, "time"),
        (types.JSON, "json"),
        (types.LargeBinary, "binary"),
        (types.String, "text"),
        (types.Uuid, "text"),
    )
    for known, kind in table:
        if isinstance(sql_type, known):
            return kind
    return "other"
