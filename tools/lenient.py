"""Read almost-JSON where it has exactly one reading, and say what was put right.

The reader takes what models really write (Python literals, trailing commas, comments, fences around the object)
and refuses what could be read in two ways: cut texts, missing commas, leading zeros, two different objects.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .jsontext import MAX_DEPTH, TOO_DEEP, JSONTextError, equal, excerpt

__all__ = ["MAX_LENIENT_LENGTH", "read_lenient"]

MAX_LENIENT_LENGTH = 1024 * 1024
"""Characters; a longer text that is not JSON is refused as it is."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_STRICT_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_WORDS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "True": True,
    "False": False,
    "None": None,
}
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "'": "'"}
_PLAIN = {quote: re.compile(rf"[^\\{end}\x00-\x1f]+") for quote, end in _QUOTES.items()}
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|#[^\n]*", re.DOTALL)

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL)
_TAGS = (
    "s|im_end|eot|assistant|tool|tools|tool_calls?|tool_use|functions?|function_calls?|call|invoke|arguments|args"
    "|parameters|params|input|json|output|answer|response"
)
_TOKEN = re.compile(f"</?(?:{_TAGS})>" + r"|<[|｜][^<>{}\n]{1,40}[|｜]>|\[/?[A-Z][A-Z_]*\]")
_FENCE = re.compile(r"```[A-Za-z0-9_+-]*[ \t]*(?:\r?\n|$)|`{1,3}")
_LABEL = re.compile(r"(?:tool[ _])?(?:arguments|args|parameters|params|input|json)\s*:?\s*", re.IGNORECASE)
_DOUBT = re.compile(r"\b(?:not|no|never|without|instead|example|e\.g|or)\b|n['’]t\b", re.IGNORECASE)

_OTHER = re.compile(
    r"\b(?:if|when|unless|would|could|should|may|might|maybe|perhaps|previous|previously|earlier|last|before|already"
    r"|was|were|wrong|invalid|fail|failed|error|bad|old)\b|^\s*(?:action|tool|function|name)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
"""In a text before the object: it may speak of arguments that are not meant, or name another tool."""

_MORE = re.compile(
    r"[\d=:]|^(?:if|when)\b|\b(?:but|unless|except|only|provided|instead|also|plus|with|actually|wait|sorry|oops"
    r"|correction|rather|change|make|meant|mean|replace|update|add|set|use|ignore|cancel|stop|must|should|then|until"
    r"|once)\b",
    re.IGNORECASE,
)
"""In a sentence after the object: what could change or add to the arguments."""

_MAX_WRAPPINGS = 20
_SPACE = " \t\r\n"


def read_lenient(text: str) -> tuple[Any, list[str]]:
    """Return the one value that `text` can mean and the repairs that were needed; else raise JSONTextError."""
    if len(text) > MAX_LENIENT_LENGTH:
        raise JSONTextError("not valid JSON, and too long to be put right; send valid JSON")
    reader = _Reader(text)
    reader.open()
    value = reader.value(0)
    reader.close(value)
    return value, list(reader.repairs)


class _Reader:
    """One pass over a text. `repairs` keeps the order in which they were first needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.repairs: dict[str, None] = {}

    def fixed(self, repair: str) -> None:
        self.repairs[repair] = None

    def fail(self, expected: str) -> JSONTextError:
        if self.at >= len(self.text):
            return JSONTextError(f"the text ends too early: expected {expected}; send it whole", at=self.at)
        return JSONTextError(
            f"not valid JSON: expected {expected} at {excerpt(self.text, self.at)}", at=self.at
        )

    # -- around the value

    def open(self) -> None:
        """Skip what may stand before the value: a byte order mark, reasoning, tokens, a fence, a sentence."""
        if self.text.startswith("\ufeff"):
            self.at = 1
            self.fixed("removed a byte order mark")
        self._wrapping()
        if self.text[self.at : self.at + 1] in ("", "{", "[", "(", *_QUOTES):
            return
        brace = self.text.find("{", self.at)
        if brace < 0:
            raise self.fail("a JSON object")
        prose = self.text[self.at : brace].rstrip(f"`{_SPACE}")
        fence = re.search(r"```[A-Za-z0-9_+-]*\s*$", self.text[self.at : brace])
        if fence:
            prose = self.text[self.at : self.at + fence.start()]
        if not _is_prose(prose, self.text[self.at : brace]) or _OTHER.search(prose):
            raise self.fail("a JSON object")
        self.at = brace
        self.fixed("removed text around the object")

    def close(self, value: Any) -> None:
        """Accept what may follow the value: tokens, a fence, a sentence, the same value again, one brace."""
        rest = "{"
        for _ in range(_MAX_WRAPPINGS):
            self._wrapping()
            rest = self.text[self.at :].strip(_SPACE)
            if rest[:1] not in ("{", "["):
                break
            if not equal(value, self.value(0)):
                raise JSONTextError("more than one JSON object; send exactly one", at=self.at)
            self.fixed("removed the same object sent twice")
        if not rest:
            return
        if rest == "}" and isinstance(value, dict):
            self.fixed("removed one closing brace too many")
        elif (
            rest[0].isalpha()
            and not rest[0].islower()
            and _is_prose(rest, f"{rest} ")
            and not _MORE.search(rest)
        ):
            self.fixed("removed text around the object")
        else:
            raise self.fail("the end of the text")

    def _wrapping(self) -> None:
        for _ in range(_MAX_WRAPPINGS):
            self.space()
            for pattern in (_THOUGHT, _TOKEN, _FENCE):
                if found := pattern.match(self.text, self.at):
                    self.at = found.end()
                    self.fixed("removed a code fence" if pattern is _FENCE else "removed control tokens")
                    break
            else:
                return
        raise self.fail("a JSON object")

    # -- inside

    def space(self) -> None:
        """Skip white space as JSON has it, and comments."""
        while self.at < len(self.text):
            if self.text[self.at] in _SPACE:
                self.at += 1
            elif found := _COMMENT.match(self.text, self.at):
                self.at = found.end()
                self.fixed("removed a comment")
            else:
                return

    def take(self, char: str) -> bool:
        self.space()
        if self.text.startswith(char, self.at):
            self.at += len(char)
            return True
        return False

    def value(self, depth: int) -> Any:
        self.space()
        char = self.text[self.at : self.at + 1]
        if char and char in "{[(":
            if depth >= MAX_DEPTH:
                raise JSONTextError(TOO_DEEP)
            self.at += 1
            return self.members(depth + 1) if char == "{" else self.elements(depth + 1, char)
        if char in _QUOTES:
            return self.string(char)
        if found := _WORD.match(self.text, self.at):
            return self.word(found)
        if found := _NUMBER.match(self.text, self.at):
            return self.number(found)
        raise self.fail("a value")

    def members(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not self.take("}"):
            if members and not self.take(","):
                raise self.fail("',' or '}'")
            if members and self.take("}"):
                self.fixed("removed a trailing comma")
                break
            key = self.key()
            if not self.take(":"):
                raise self.fail("':'")
            value = self.value(depth)
            if key in members:
                if not equal(members[key], value):
                    raise JSONTextError(
                        f"the key {json.dumps(key, ensure_ascii=False)[:60]} is given twice with different values;"
                        " give it once"
                    )
                self.fixed("removed a key given twice with the same value")
                continue
            members[key] = value
        return members

    def key(self) -> str:
        self.space()
        char = self.text[self.at : self.at + 1]
        if char in _QUOTES:
            return self.string(char)
        found = _WORD.match(self.text, self.at)
        if found is None or found[0] in _WORDS:
            raise self.fail("a key in double quotes")
        self.at = found.end()
        self.fixed("put quotes around keys")
        return found[0]

    def elements(self, depth: int, opened: str) -> list[Any]:
        end = "]" if opened == "[" else ")"
        elements: list[Any] = []
        comma = False
        while not self.take(end):
            if elements and not comma:
                if not self.take(","):
                    raise self.fail(f"',' or '{end}'")
                comma = True
                continue
            elements.append(self.value(depth))
            comma = False
        if opened == "(":
            if len(elements) == 1 and not comma:
                raise self.fail("an array in square brackets")
            self.fixed("wrote a Python tuple as an array")
        elif comma:
            self.fixed("removed a trailing comma")
        return elements

    def word(self, found: re.Match[str]) -> Any:
        word = found[0]
        if word not in _WORDS:
            if word.lower() in ("nan", "infinity", "inf"):
                raise JSONTextError(f"{word} is not a JSON number; numbers must be finite", at=self.at)
            raise self.fail("a JSON value")
        self.at = found.end()
        if word[0].isupper():
            self.fixed("wrote Python's True, False or None as JSON")
        return _WORDS[word]

    def number(self, found: re.Match[str]) -> int | float:
        text = found[0]
        after = self.text[found.end() : found.end() + 1]
        digits = re.split(r"[.eE]", text.lstrip("+-"))[0]
        if (after and after not in " \t\r\n,]})/#") or (len(digits) > 1 and digits[0] == "0"):
            raise self.fail("a JSON number")
        if not text.isascii():
            raise self.fail("a JSON number")
        whole = text.lstrip("+-").isdigit()
        if whole and len(text) > 4000:
            raise JSONTextError("a number is too long", at=self.at)
        number: int | float = int(text) if whole else float(text)
        if number in (float("inf"), float("-inf")):
            raise JSONTextError("a number is too large; numbers must be finite", at=self.at)
        self.at = found.end()
        if not _STRICT_NUMBER.fullmatch(text):
            self.fixed("wrote a number as JSON has it")
        return number

    def string(self, opened: str) -> str:
        end, plain = _QUOTES[opened], _PLAIN[opened]
        if opened != '"':
            self.fixed("wrote strings in double quotes")
        self.at += 1
        parts: list[str] = []
        while True:
            if found := plain.match(self.text, self.at):
                parts.append(found[0])
                self.at = found.end()
            char = self.text[self.at : self.at + 1]
            if char == end:
                self.at += 1
                break
            if char == "\\":
                parts.append(self.escape())
            elif not char or char == "\0":
                raise self.fail(f"the closing {end} of a string" if not char else "no NUL in a string")
            else:
                parts.append(char)
                self.at += 1
                self.fixed("escaped a control character in a string")
        text = "".join(parts)
        if not _encodable(text):
            text = _join_surrogates(text)
        return text

    def escape(self) -> str:
        char = self.text[self.at + 1 : self.at + 2]
        if char == "u":
            digits = self.text[self.at + 2 : self.at + 6]
            if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                raise self.fail("four hexadecimal digits after \\u")
            self.at += 6
            return chr(int(digits, 16))
        if char not in _ESCAPES or not char:
            raise self.fail('a JSON escape (\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)')
        if char == "'":
            self.fixed("removed a backslash before an apostrophe")
        self.at += 2
        return _ESCAPES[char]


def _is_prose(prose: str, whole: str) -> bool:
    """Tell whether a text beside the object can only be talk: words, and nothing that could be an argument."""
    prose = prose.strip(_SPACE)
    if not prose or _LABEL.fullmatch(prose):
        return True
    words = len(re.findall(r"[^\W\d_]+", prose))
    separated = prose[-1] in ":.!" or whole[-1:].isspace()
    return (
        words >= 2 and separated and not re.search(r"[{}\[\]\"“”`=<>();]", prose) and not _DOUBT.search(prose)
    )


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _join_surrogates(text: str) -> str:
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise JSONTextError("a string holds half of a surrogate pair; write the whole character") from None
