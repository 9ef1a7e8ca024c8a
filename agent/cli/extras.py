"""Which extra brings what, and whether it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from jigwork.errors import MissingExtraError

__all__ = ["EXTRAS", "is_installed", "missing_of", "need"]

EXTRAS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "sql": (("sqlalchemy", "sqlglot"), "questions over databases: jigwork ask, SQLDatabase, SQLAgent"),
    "postgres": (("sqlalchemy", "sqlglot", "psycopg"), "PostgreSQL databases"),
    "mysql": (("sqlalchemy", "sqlglot", "pymysql"), "MySQL and MariaDB databases"),
    "cli": (("click", "rich", "prompt_toolkit"), "this command line"),
    "charts": (("matplotlib",), "charts as pictures: jigwork ask --chart-file"),
    "mcp": (("mcp",), "MCP servers as toolsets, and jigwork serve-mcp"),
    "gguf": (("xllamacpp",), "model files run in this process: --model gguf:FILE"),
    "server": (("starlette", "uvicorn", "yaml"), "the local OpenAI-compatible server: jigwork serve"),
}
"""Extra: the modules that come with it, and what they are for."""


def is_installed(module: str) -> bool:
    """Tell whether a top-level module can be imported, without importing it."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def missing_of(extra: str) -> list[str]:
    """Return the modules of an extra that are not there."""
    return [module for module in EXTRAS[extra][0] if not is_installed(module)]


def need(extra: str, what: str) -> None:
    """Raise MissingExtraError, which says what to install, where a module of the extra is missing."""
    if missing_of(extra):
        raise MissingExtraError(what, extra)
