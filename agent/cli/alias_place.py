"""Where the words of a user for one database are kept, when no file is named."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

__all__ = ["aliases_for", "default_place"]


def default_place(db: str) -> Path:
    """Return the file of aliases of a database: beside a SQLite file, else in the user's configuration.

    `shop.db` has `shop.db.aliases.toml`; a server's database has a file in `$XDG_CONFIG_HOME/jigwork/aliases` (or
    `~/.config`), named after host and database. No password gets into the name.
    """
    text = re.sub(r"^sqlite:///", "", db)
    if "://" not in text:
        return Path(text + ".aliases.toml")
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    where = f"{parts.hostname or 'local'}:{parts.port or ''}{parts.path}"
    readable = re.sub(r"[^\w.-]+", "_", f"{parts.hostname or 'local'}{parts.path}").strip("_")
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    digest = hashlib.sha256(where.encode()).hexdigest()[:8]
    return Path(base, "jigwork", "aliases", f"{readable}-{digest}.toml")


def aliases_for(db: str, named: str | None) -> str | None:
    """Return the file of aliases to use: the one that is named, else the database's own where there is one."""
    if named is not None:
        return named
    place = default_place(db)
    return str(place) if place.is_file() else None
