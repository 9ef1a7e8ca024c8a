"""Names: what every server takes, and which known name was probably meant."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from difflib import SequenceMatcher

__all__ = ["nearest", "safe_name", "wire_names"]

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LIMIT = 64
"""OpenAI: `^[a-zA-Z0-9_-]{1,64}$`."""


def safe_name(name: str) -> str:
    """Return `name` if every server takes it, else the nearest name that they do (dots become underscores)."""
    if _SAFE.fullmatch(name):
        return name
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if not safe.strip("_"):
        return _tagged("tool", name)
    return safe if len(safe) <= _LIMIT else _tagged(safe, name)


def wire_names(names: Iterable[str]) -> dict[str, str]:
    """Map each name to one that every server takes: no two to the same, and the same for the same set of names.

    A name that is fine stays as it is; the dict turned round leads back.
    """
    wanted = list(dict.fromkeys(names))
    taken = {name for name in wanted if _SAFE.fullmatch(name)}
    mapped: dict[str, str] = {}
    for name in sorted(wanted):
        wire = safe_name(name)
        if wire != name:
            salt = 0
            while wire in taken:
                wire = _tagged(safe_name(name), f"{name}\0{salt}" if salt else name)
                salt += 1
            taken.add(wire)
        mapped[name] = wire
    return {name: mapped[name] for name in wanted}


def _tagged(stem: str, source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{stem[: _LIMIT - 9]}_{digest}"


def nearest(name: str, names: Iterable[str], *, limit: int = 3) -> list[str]:
    """Return up to `limit` of `names` that `name` was probably meant to be, the likeliest first; maybe none."""
    wanted = _folded(name)[:200]
    scored: list[tuple[float, str]] = []
    for candidate in names:
        folded = _folded(candidate)
        matcher = SequenceMatcher(None, wanted, folded)
        if matcher.real_quick_ratio() < 0.6 and wanted not in folded and folded not in wanted:
            continue
        score = matcher.ratio()
        if len(wanted) >= 3 and len(folded) >= 3 and (wanted in folded or folded in wanted):
            score = max(score, 0.75)
        if score >= 0.6:
            scored.append((-score, candidate))
    return [candidate for _, candidate in sorted(scored)[:limit]]


def _folded(name: str) -> str:
    return re.sub(r"[\s_.\-]+", "", name.casefold())
