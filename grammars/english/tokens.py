"""A question cut into tokens: words, numbers, quoted texts, quoted names, punctuation.

The reader works on tokens, so spacing and case do not matter outside quotes; positions stay those of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .problems import NotUnderstood, Place

__all__ = ["BARE_WORD", "Token", "TokenKind", "tokenize"]

TokenKind = Literal["word", "text", "name", "punct"]

_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“", "`": "`"}
_SYMBOLS = ("<=", ">=", "<>", "!=", "==", "=", "<", ">", "≤", "≥", "≠")
_SPELLING = {"==": "=", "≤": "<=", "≥": ">=", "≠": "!=", "<>": "!="}
_WORD = re.compile(r"[^\s,()<>=!≤≥≠\"“”„`]+")
_MOST_TOKENS, _LONGEST_WORD = 1000, 200
_THOUSANDS = re.compile(r"\d,\d{3}(?!\d)")
_OWNER = re.compile(r"['’]s(?!\w)")
BARE_WORD = re.compile(
    r"[^\s,()<>=!≤≥≠\"“”„`'‘’?;.](?:[^\s,()<>=!≤≥≠\"“”„`'‘’?;]*[^\s,()<>=!≤≥≠\"“”„`'‘’?;.])?"
)
"""A word that may be written without quotes."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `value` is what is compared: a word in lower case, a quoted text as it is."""

    kind: TokenKind
    text: str
    value: str
    start: int
    end: int


def tokenize(question: str) -> list[Token]:
    """Cut a question into tokens; a final `?` or `.` is dropped.

    Raises NotUnderstood for an open quote, and for more words, or a longer one, than any question has.
    """
    end = len(question.rstrip(" \t\r\n?.!;"))
    tokens: list[Token] = []
    i = 0
    while i < end:
        char = question[i]
        if char.isspace():
            i += 1
            continue
        if tokens and tokens[-1].end == i and tokens[-1].kind == "name" and _OWNER.match(question, i):
            tokens.append(Token("punct", question[i : i + 2], "'s", i, i + 2))
            i += 2
            continue
        token = _next(question, i, end)
        if len(tokens) >= _MOST_TOKENS or (token.kind == "word" and token.end - token.start > _LONGEST_WORD):
            raise NotUnderstood("the question is too long", Place(question, token.start, token.end))
        tokens.extend(_possessive(token) if token.kind == "word" else [token])
        i = token.end
    return tokens


def _next(question: str, i: int, end: int) -> Token:
    char = question[i]
    if char in _QUOTES:
        return _quoted(question, i)
    for symbol in _SYMBOLS:
        if question.startswith(symbol, i):
            return Token("punct", symbol, _SPELLING.get(symbol, symbol), i, i + len(symbol))
    if _THOUSANDS.match(question, i) and (i == 0 or not question[i - 1].isalnum()):
        place = Place(question, i, i + 5)
        raise NotUnderstood("write numbers without commas, and a space after the comma of a list", place)
    word = _WORD.match(question, i, end)
    if word is None:
        return Token("punct", char, char, i, i + 1)
    if _THOUSANDS.match(question, word.end() - 1) and word.group().isdigit():
        place = Place(question, i, word.end() + 4)
        raise NotUnderstood("write numbers without commas, and a space after the comma of a list", place)
    return Token("word", word.group(), word.group().lower(), i, word.end())


def _quoted(question: str, i: int) -> Token:
    opening = question[i]
    closing = _QUOTES[opening]
    parts: list[str] = []
    j = i + 1
    while True:
        k = question.find(closing, j)
        if k < 0:
            raise NotUnderstood(
                f"this quote is never closed: add {closing}", Place(question, i, len(question))
            )
        parts.append(question[j:k])
        if opening == closing and question.startswith(closing, k + 1):
            parts.append(closing)
            j = k + 2
            continue
        break
    value = "".join(parts)
    return Token("name" if opening == "`" else "text", question[i : k + 1], value, i, k + 1)


def _possessive(token: Token) -> list[Token]:
    """`customer's` is the word and a mark; so is `customers'`."""
    for ending, kept in (("'s", 0), ("’s", 0), ("s'", 1), ("s’", 1)):
        if token.value.endswith(ending) and len(token.value) > 2:
            cut = token.end - 2 + kept
            word = Token("word", token.text[: kept - 2], token.value[: kept - 2], token.start, cut)
            return [word, Token("punct", token.text[kept - 2 :], "'s", cut, token.end)]
    return [token]
