"""How texts are shown inside sentences."""

from __future__ import annotations

import json

__all__ = ["shown"]


def shown(text: str) -> str:
    """A text in quotes, on one line: double quotes unless it holds some and single ones are free."""
    written = json.dumps(text, ensure_ascii=False)
    if '"' in text and "'" not in text:
        return "'" + written[1:-1].replace('\\"', '"') + "'"
    return written
