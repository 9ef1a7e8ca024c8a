"""SQL for agents: a live database, its queries held to a grammar, checked, and run read-only under limits."""

from __future__ import annotations

from .database import SQLDatabase
from .narrowed import NarrowedQuery
from .result import QueryResult, ResultColumn

__all__ = ["NarrowedQuery", "QueryResult", "ResultColumn", "SQLDatabase"]
