"""Cuts a grammar text into tokens, each with its offset. The reader takes them from here."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass

from jigwork.errors import GrammarError

from .nodes import Source

__all__ = ["Token", "refuse", "scan", "unquote"]

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\f]+|(?://|\#)[^\n]*)
      | (?P<newline>(?:\r?\n)+)
      | (?P<string>"(?:\\.|[^"\\\n])*"(?:i(?![a-zA-Z0-9_]))?)
      | (?P<regex>/(?:\\.|[^/\\])+/[imslux]*)
      | (?P<keyword>%[a-z_]+)
      | (?P<name>_*[a-zA-Z][a-zA-Z0-9_]*(?:-+[a-zA-Z0-9_]+)*)
      | (?P<number>[+-]?[0-9]+(?!\.[0-9])|[+-]?[0-9]+\.[0-9]+)
      | (?P<special><[^<>\s]+>)
      | (?P<reference>@[a-zA-Z0-9_\-]+)
      | (?P<sign>->|\.\.|::|[-:,.(){}\[\]|~&=+*?!_])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})")
_ANY_ESCAPE = re.compile(r"\\.|[\x00-\x1f\x7f]", re.DOTALL)
_EMBEDDING = {"%json", "%regex", "%lark", "%llguidance"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `kind` is a group name of the scanner, or "embedded" for the text after `%json` and the like."""

    kind: str
    text: str
    at: int


def refuse(source: Source, at: int, rule: str, message: str) -> GrammarError:
    """Make the error for a place in the text: the place first, then what is wrong and how to put it right."""
    line, column = source.position(at)
    return GrammarError(f"line {line}, column {column}: {message}", line=line, column=column, rule=rule)


def scan(source: Source) -> list[Token]:
    """Return all tokens but spaces and comments. Raises GrammarError (rule E8)."""
    text, position = source.text, 0
    if text.startswith("\ufeff"):
        raise refuse(source, 0, "E8", "the text begins with a byte order mark; save it as UTF-8 without one")
    tokens: list[Token] = []
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unreadable(source, position)
        kind, value = str(found.lastgroup), found.group()
        if kind == "regex" and "\n" in value and "x" not in value[value.rindex("/") :]:
            raise refuse(source, position, "E8", "this regular expression has no closing / on its line")
        if kind != "skip":
            tokens.append(Token(kind, value, position))
        position = found.end()
        if value in _EMBEDDING:
            end = _embedded_end(source, position, value)
            tokens.append(Token("embedded", text[position:end], position))
            position = end
    return tokens


def unquote(source: Source, token: Token) -> tuple[str, bool]:
    """The value of a string token and whether it has the `i` flag. Raises GrammarError (rule E8)."""
    raw, fold = (token.text[:-1], True) if token.text.endswith("i") else (token.text, False)
    for found in _ANY_ESCAPE.finditer(raw):
        piece = found.group()
        if _ESCAPE.match(raw, found.start()):
            continue
        at = token.at + found.start()
        if piece.startswith("\\"):
            raise refuse(
                source,
                at,
                "E8",
                f"{piece} is not an escape in a grammar string; only those of JSON are: "
                r"\" \\ \/ \b \f \n \r \t \u0041 (and \x41)",
            )
        raise refuse(source, at, "E8", f"a raw control character; write \\u{ord(piece):04x}")
    try:
        value: str = json.loads(re.sub(r"(?<!\\)((?:\\\\)*)\\x", r"\1\\u00", raw))
        value.encode()
    except ValueError as error:
        raise refuse(
            source, token.at, "E8", "the string holds half of a surrogate pair; write both"
        ) from error
    return value, fold


def _unreadable(source: Source, at: int) -> GrammarError:
    found = source.text[at]
    if found == '"':
        return refuse(source, at, "E8", 'this string has no closing " on its line')
    if found == "'":
        return refuse(source, at, "E8", 'strings stand between double quotes: "..."')
    if found == "/":
        return refuse(source, at, "E8", "this regular expression has no closing /")
    if found == "\\":
        return refuse(source, at, "E8", "a line goes on where the next one begins with |; drop the backslash")
    if found == ";":
        return refuse(source, at, "E8", "a rule ends with its line; drop the ;")
    if found in "“”„‘’":
        return refuse(source, at, "E8", f'{found} is no quote of a grammar; strings stand between "..."')
    if unicodedata.category(found) in ("Zs", "Cf"):
        name = unicodedata.name(found, f"U+{ord(found):04X}").lower()
        return refuse(source, at, "E8", f"a {name} looks like a space and is none; write a plain space")
    return refuse(source, at, "E8", f"{found!r} has no meaning here")


def _embedded_end(source: Source, start: int, keyword: str) -> int:
    """Where the JSON (or, for %lark, the braces) after a keyword ends."""
    text = source.text
    begin = start
    while begin < len(text) and text[begin].isspace():
        begin += 1
    if keyword == "%lark":
        return _closing_brace(source, begin)
    try:
        _, end = json.JSONDecoder().raw_decode(text, begin)
    except ValueError as error:
        raise refuse(source, start, "E8", f"{keyword} wants a JSON value after it: {error}") from error
    except RecursionError as error:
        raise refuse(source, start, "E9", f"the JSON after {keyword} is nested too deeply") from error
    return end


def _closing_brace(source: Source, begin: int) -> int:
    if source.text[begin : begin + 1] != "{":
        raise refuse(source, begin, "E8", "%lark wants a grammar between braces after it")
    depth, position = 0, begin
    while position < len(source.text):
        found = _TOKEN.match(source.text, position)
        if found is None:
            raise _unreadable(source, position)
        depth += {"{": 1, "}": -1}.get(found.group(), 0)
        position = found.end()
        if depth == 0:
            return position
    raise refuse(source, begin, "E8", "this brace is never closed")
