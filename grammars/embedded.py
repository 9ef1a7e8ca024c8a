"""Texts of grammars that stand inside of another one, such as `%json {...}`."""

from __future__ import annotations

import random

from .engine import Deadline, compile_error, compiled

__all__ = ["embedded_texts"]


def embedded_texts(text: str) -> tuple[str, ...]:
    """A few texts of an embedded grammar (`%json {...}`), written by walks over its masks."""
    grammar = f"start: {text}\n"
    if compile_error("lark", grammar):
        return ()
    engine = compiled("lark", grammar)
    found: dict[str, None] = {}
    for seed in range(3):
        rng = random.Random(seed)
        cursor = engine.cursor()
        written = bytearray()
        while len(written) < 400 and not (cursor.accepting and (seed == 0 or rng.random() < 0.5)):
            allowed = cursor.allowed()
            if not allowed:
                break
            closing = [b for b in allowed if b in b'"}]'] if len(written) > 20 * seed else []
            plain = closing or [b for b in allowed if 32 <= b < 127] or list(allowed)
            byte = min(plain) if seed == 0 and not closing else rng.choice(plain)
            cursor.feed(bytes([byte]), Deadline(1.0), exact=False)
            written.append(byte)
        if cursor.accepting:
            found.setdefault(written.decode("utf-8", "ignore"))
    return tuple(found)
