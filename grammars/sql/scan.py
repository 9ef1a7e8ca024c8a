"""Look at SQL before any parser does: size, nesting, comments, literals, one statement.

A parser can be made to recurse, to run for seconds, or to read a text otherwise than the database does (comments
that are executed, prefixed strings, letters that turn into other letters). Such texts are refused here, in one
pass over the characters; comments are blanked out, so that parser and database see the same statement.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from jigwork.errors import SQLRefused

from .dialects import Dialect, dialect_of

__all__ = ["MAX_CHARACTERS", "place", "prepare"]

MAX_CHARACTERS = 20_000
MAX_NESTING = 40
MAX_WORDS = 4_000
MAX_UNARY = 20
MAX_BRACKETS = 60

_WORD = re.compile(r"[^\W\d]\w*|\d[\w.]*")
_PREFIXES = frozenset({"E", "B", "X", "N", "U", "R", "Q", "UESCAPE"})
_FORBIDDEN = {
    "?": "a parameter", "$": "a parameter or a dollar quote", "@": "a variable", "\\": "a backslash outside a text",
    "{": "a brace", "}": "a brace", "#": "a '#' outside a text",
}  # fmt: skip


def place(text: str, index: int) -> str:
    """Say where in `text` the character `index` is, for a reader: `line 2, column 5`."""
    before = text[:index]
    return f"line {before.count(chr(10)) + 1}, column {index - (before.rfind(chr(10)) + 1) + 1}"


def prepare(text: str, dialect: str = "sqlite") -> str:
    """Return `text` without comments and trailing semicolons, the characters otherwise where they were.

    Raises SQLRefused with what is wrong and where.
    """
    if len(text) > MAX_CHARACTERS:
        raise SQLRefused(f"the query has {len(text)} characters; at most {MAX_CHARACTERS} are taken")
    scanner = _Scanner(text, dialect_of(dialect))
    scanner.run()
    cleaned = "".join(scanner.out).rstrip()
    if not cleaned.strip():
        raise SQLRefused("the query is empty; write one SELECT statement")
    return cleaned


class _Scanner:
    """One pass over a text; `out` collects what is kept, character for character."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self.text = text
        self.dialect = dialect
        self.out: list[str] = []
        self.index = 0
        self.depth = 0
        self.words = 0
        self.unary = 0
        self.brackets = 0
        self.ended_at: int | None = None
        self.readers: dict[str, Callable[[], None]] = {
            "'": lambda: self.quoted("'"),
            '"': lambda: self.quoted('"'),
            "-": self.dash,
            "/": self.slash,
            "(": self.opening,
            ")": self.closing,
            ";": self.semicolon,
            ":": self.colon,
        }
        if "#>" in dialect.arrows:
            self.readers["#"] = self.hash
        if dialect.name != "postgres":
            self.readers["`"] = lambda: self.quoted("`")
        if dialect.name in ("sqlite", "tsql"):
            self.readers["["] = lambda: self.quoted("]")
        else:
            self.readers["["] = self.bracket

    def refuse(self, what: str) -> SQLRefused:
        return SQLRefused(f"{what} at {place(self.text, self.index)}")

    def run(self) -> None:
        while self.index < len(self.text):
            character = self.text[self.index]
            if self.ended_at is not None and not character.isspace() and character not in ";-/":
                self.index = self.ended_at
                raise self.refuse("only one statement may be sent, and a ';' ends it")
            self.check(character)
            reader = self.readers.get(character)
            if reader is not None:
                reader()
            elif word := _WORD.match(self.text, self.index):
                self.word(word.group())
            else:
                self.unary = self.unary + 1 if character in "+~!" else self.unary * character.isspace()
                self.check_unary()
                self.keep(1)

    def check(self, character: str) -> None:
        if character in _FORBIDDEN and character not in self.readers:
            raise self.refuse(f"{_FORBIDDEN[character]} is not allowed: found {character!r}")
        if (character < " " and character not in "\t\r\n") or character == "\x7f":
            raise self.refuse("a control character is not allowed: found one")
        if character > "\x7f":
            self.check_letter(character)

    def check_letter(self, character: str) -> None:
        """Names may hold any letter, but none that changes into a plain one when its case is changed."""
        category = unicodedata.category(character)
        if category[0] not in "LMN" or character.upper().isascii() or character.lower().isascii():
            raise self.refuse(
                f"the character U+{ord(character):04X} is not allowed outside quotes: found one"
            )

    def check_unary(self) -> None:
        if self.unary > MAX_UNARY:
            raise self.refuse(f"more than {MAX_UNARY} signs or NOTs in a row")

    def keep(self, length: int) -> None:
        self.out.append(self.text[self.index : self.index + length])
        self.index += length

    def blank(self, end: int) -> None:
        """Replace a comment by spaces; line breaks stay."""
        self.out.append(re.sub(r"[^\n]", " ", self.text[self.index : end]))
        self.index = end

    def word(self, word: str) -> None:
        for character in word:
            if character > "\x7f":
                self.check_letter(character)
        self.words += 1
        if self.words > MAX_WORDS:
            raise self.refuse(f"the query has more than {MAX_WORDS} words, too many")
        self.unary = self.unary + 1 if word.upper() in ("NOT", "CASE") else 0
        self.check_unary()
        following = self.text[self.index + len(word) : self.index + len(word) + 2]
        if following[:1] in ("'", '"') or following == "&'":
            charset = word.startswith("_") and self.dialect.name == "mysql"
            if word.upper() in _PREFIXES or charset:
                raise self.refuse(f"a text with the prefix {word!r} is not allowed; write a plain '...'")
        self.keep(len(word))

    def quoted(self, closing: str) -> None:
        """Keep a text or a quoted name, to its end."""
        start, self.unary = self.index, 0
        index = start + 1
        escapes = self.dialect.backslash_escapes and closing in "'\""
        while index < len(self.text):
            character = self.text[index]
            if character == "\x00" or "\ud800" <= character <= "\udfff":
                self.index = index
                raise self.refuse("a text holds a character that cannot be sent")
            if escapes and character == "\\":
                index += 2
            elif character == closing:
                if closing != "]" and self.text[index + 1 : index + 2] == closing:
                    index += 2
                else:
                    self.keep(index + 1 - start)
                    return
            else:
                index += 1
        raise self.refuse(f"a text or name opened with {self.text[start]} has no end; it starts")

    def dash(self) -> None:
        if self.text.startswith("--", self.index):
            if self.dialect.name == "mysql" and self.text[self.index + 2 : self.index + 3] not in (
                "",
                " ",
                "\n",
                "\t",
            ):
                raise self.refuse("'--' without a space after it is no comment in this dialect: found one")
            end = self.text.find("\n", self.index)
            self.blank(len(self.text) if end < 0 else end)
            return
        self.unary += 1
        self.check_unary()
        self.keep(1)

    def slash(self) -> None:
        if not self.text.startswith("/*", self.index):
            self.unary = 0
            self.keep(1)
            return
        end = self.text.find("*/", self.index + 2)
        if end < 0:
            raise self.refuse("a comment without an end starts")
        body = self.text[self.index + 2 : end]
        if "/*" in body or body[:1] in ("!", "+") or body[:2] == "M!":
            raise self.refuse("a comment that a database may execute or nest is not allowed: found one")
        self.blank(end + 2)

    def opening(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.refuse(f"parentheses nest deeper than {MAX_NESTING}")
        self.keep(1)

    def bracket(self) -> None:
        self.brackets += 1
        if self.brackets > MAX_BRACKETS:
            raise self.refuse(f"more than {MAX_BRACKETS} arrays or subscripts")
        self.keep(1)

    def closing(self) -> None:
        self.depth -= 1
        if self.depth < 0:
            raise self.refuse("a ')' without a '('")
        self.unary = 0
        self.keep(1)

    def semicolon(self) -> None:
        if self.ended_at is None:
            self.ended_at = self.index
        self.blank(self.index + 1)

    def hash(self) -> None:
        if not self.text.startswith("#>", self.index):
            raise self.refuse(f"{_FORBIDDEN['#']} is not allowed: found '#'")
        self.keep(2)

    def colon(self) -> None:
        if self.dialect.name == "postgres" and self.text.startswith("::", self.index):
            self.keep(2)
            return
        raise self.refuse("a parameter is not allowed: found ':'")
