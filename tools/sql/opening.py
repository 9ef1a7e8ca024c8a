"""Which engine a path or a URL means."""

from __future__ import annotations

import os

from jigwork.errors import ConfigurationError

from .engine import Engine

__all__ = ["open_engine"]


def open_engine(
    source: str | os.PathLike[str], *, schema: str | None = None, max_cost: float | None = None
) -> Engine:
    """Open the engine for a path or a URL; raises ConfigurationError with what would work."""
    text = os.fspath(source)
    if not text or text == ":memory:" or text in ("sqlite://", "sqlite:///:memory:"):
        raise ConfigurationError("a database in memory holds nothing yet; give the path of a database file")
    scheme, separator, rest = text.partition("://")
    kind = scheme.partition("+")[0] if separator else "sqlite"
    if kind in ("postgresql", "postgres"):
        from .postgres import PostgresEngine

        return PostgresEngine(text, schema=schema, max_cost=max_cost)
    if schema is not None:
        raise ConfigurationError("schema= is for PostgreSQL; elsewhere the database is named in the URL")
    if kind in ("mysql", "mariadb"):
        from .mysql import MySQLEngine

        return MySQLEngine(text, max_cost=max_cost)
    if max_cost is not None:
        raise ConfigurationError("max_cost= needs a planner that tells costs: PostgreSQL or MySQL")
    if kind == "sqlite":
        from .sqlite import SQLiteEngine

        return SQLiteEngine(rest.removeprefix("/").partition("?")[0] if separator else text)
    raise ConfigurationError(f"there is no engine for {kind!r}; use sqlite, postgresql or mysql")
