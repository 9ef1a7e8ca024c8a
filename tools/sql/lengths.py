"""How long a text may be that SQLite searches: nothing can stop one call of LIKE, INSTR or TRIM while it runs.

Their work grows with the text and with what is looked for, both of which a query can make as long as it likes. So a
query that searches for much may do so in short texts only; one that looks for a few words is as free as any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["LONGEST", "longest_text"]

LONGEST = 16_000_000
_WORK = 100_000_000
"""Comparisons of single characters: what one row of a result may take, about half a second."""
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)|\w+|\|\||->>?|[^\s\w]",
    re.DOTALL,
)
_OPERATORS = frozenset({"like", "glob"})
_CALLS = frozenset({"instr", "replace", "trim", "ltrim", "rtrim"})
_UNKNOWN = {"like": 1_000, "glob": 1_000, "instr": 2_000, "replace": 2_000}
"""How much work per character is reckoned for a pattern that is not written out: SQLite takes none of more than 1000
characters after LIKE, and compares whole blocks in INSTR; TRIM compares one by one."""
_UNKNOWN_TRIM = 5_000
_TIGHTER = frozenset({"||", "->", "->>", "+", "-", "*", "/", "%", "<", ">", "&", "|"})


def longest_text(sql: str) -> int:
    """Return how many bytes a value in this query may have: fewer, the more it looks for."""
    tokens = [token for token in _TOKEN.findall(sql) if not token.startswith(("--", "/*"))]
    work = sum(_searched(tokens))
    return LONGEST if not work else min(LONGEST, max(1_000, _WORK // work))


def _searched(tokens: Sequence[str]) -> Iterator[int]:
    """Yield the length of every pattern."""
    for index, token in enumerate(tokens):
        name = token.strip('"`[]').lower()
        called = tokens[index + 1 : index + 2] == ["("]
        if token.lower() in _OPERATORS or (name in _OPERATORS and called):
            rest = tokens[index + 1 : index + 3]
            plain = not called and bool(rest) and rest[0].startswith("'") and not _TIGHTER & set(rest[1:])
            yield len(rest[0]) if plain else _UNKNOWN[name]
        elif name in _CALLS and called:
            pattern = _second(tokens, index + 2)
            plain = len(pattern) <= 1 and all(part.startswith("'") or part.isdigit() for part in pattern)
            yield max(1, sum(map(len, pattern))) if plain else _UNKNOWN.get(name, _UNKNOWN_TRIM)


def _second(tokens: Sequence[str], start: int) -> list[str]:
    """Return the tokens of the second argument of a call whose arguments begin at `start`."""
    depth = commas = 0
    found: list[str] = []
    for token in tokens[start:]:
        if depth == 0 and token in (")", ","):
            commas += 1
            if token == ")" or commas > 1:
                break
            continue
        depth += (token == "(") - (token == ")")
        if commas:
            found.append(token)
    return found
