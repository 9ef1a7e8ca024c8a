"""Small parts of the strict transformation: the sentences for what the subset cannot say, and nullable forms."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["MAP_KEYWORDS", "PAIRS", "cut", "listed", "note", "sentences", "with_null", "with_option"]

PAIRS = "Write it as pairs of key and value, each key once."
MAP_KEYWORDS = frozenset({"minProperties", "maxProperties", "propertyNames"})
_WORDS = {
    "minLength": "At least {} characters.",
    "maxLength": "At most {} characters.",
    "format": "In {} format.",
    "pattern": "Must match the regular expression {}",
    "uniqueItems": "The items must differ from one another.",
    "minProperties": "At least {} keys.",
    "maxProperties": "At most {} keys.",
}


def note(keyword: str, wanted: Any) -> str:
    """Say in a sentence what a keyword demands."""
    if keyword in _WORDS:
        return _WORDS[keyword].format(cut(str(wanted)))
    if keyword in ("anyOf", "oneOf") and all(set(option) == {"required"} for option in wanted):
        count = "At least" if keyword == "anyOf" else "Exactly"
        return (
            f"{count} one of these must be given: {'; '.join(' and '.join(o['required']) for o in wanted)}."
        )
    return f"Must also satisfy {cut(json.dumps({keyword: wanted}, ensure_ascii=False, default=str))}."


def cut(text: str) -> str:
    """Cut a text that is too long for a description."""
    return text if len(text) <= 300 else text[:300] + "…"


def listed(types: Any) -> list[str]:
    """Return a `type` as a list."""
    return [types] if isinstance(types, str) else list(types or ())


def with_null(wire: dict[str, Any]) -> dict[str, Any]:
    """Let a wire schema take null too."""
    types = listed(wire.get("type"))
    if "null" in types:
        return wire
    if types and not set(types) & {"object", "array"}:
        nulled = {**wire, "type": [*types, "null"]}
        if "enum" in wire and None not in wire["enum"]:
            nulled["enum"] = [*wire["enum"], None]
        return nulled
    return with_option(wire, {"type": "null"})


def with_option(wire: dict[str, Any], option: dict[str, Any]) -> dict[str, Any]:
    """Add an option to a wire schema; the description moves out to where a reader looks first."""
    inner = {key: value for key, value in wire.items() if key != "description"}
    options = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    made: dict[str, Any] = {"anyOf": [*options, option] if option not in options else options}
    return {**made, "description": wire["description"]} if "description" in wire else made


def sentences(*parts: str) -> str:
    """Join texts as sentences: each ends with a full stop before the next begins."""
    joined = ""
    for part in parts:
        text = part.strip()
        if joined and text:
            joined += " " if joined[-1] in ".!?:;)" else ". "
        joined += text
    return joined
