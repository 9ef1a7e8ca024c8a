"""Words of a question linked to what a schema holds: tables, columns and stored values, with scores."""

from .linker import Link, Linked, Linker
from .paths import join_paths
from .synonyms import COMMON

__all__ = ["COMMON", "Link", "Linked", "Linker", "join_paths"]
