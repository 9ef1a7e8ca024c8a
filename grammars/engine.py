"""llguidance as a judge: which texts a grammar accepts, byte by byte, within limits of time.

The one module that calls llguidance for acceptance. Grammars are compiled once and copied for each text; nothing
here can run for ever: masks are computed without forcing, and a text is fed in chunks with a deadline between them.
"""

from __future__ import annotations

import codecs
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from jigwork.errors import GrammarError, GrammarLimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llguidance import LLMatcher, LLTokenizer

__all__ = [
    "BYTES",
    "NO_FORCING",
    "SECONDS",
    "Cursor",
    "Deadline",
    "Engine",
    "compile_error",
    "compiled",
    "marked_engine",
]

SECONDS = 10.0
"""How long one text may take, unless said otherwise."""

BYTES = 258
"""How many tokens the byte tokenizer has before the first mark."""

_END = 257  # the token id of the end of the text; bytes are their own ids
_FIRST_CHUNK, _LARGEST_CHUNK, _CHUNK_SECONDS = 64, 1 << 16, 0.05
_SHORT = 256  # bytes that cost no clock
_LONGEST_FORCED = 400
# A runaway `forced` loop inside llguidance cannot be interrupted, so it must not begin.
NO_FORCING = '\n%llguidance {"no_forcing": true}\n'


class Deadline:
    """A moment after which no further work is begun."""

    __slots__ = ("_end", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; negative after the end."""
        return self._end - time.monotonic()

    def check(self, done: int, total: int) -> None:
        """Raise GrammarLimitError when the time is over."""
        if self.left() < 0:
            raise GrammarLimitError(
                f"checking stopped after {self.seconds:g} s at byte {done} of {total}: the grammar is too ambiguous "
                "for a text of this length; make it left-recursive, bound its repetitions, or give it more seconds",
                rule="E13",
            )


class _Bytes:
    """The tokenizer that llguidance asks: every byte is a token, and `marks` tokens occur in no text."""

    eos_token_id = _END
    bos_token_id = 256

    def __init__(self, marks: int) -> None:
        self.tokens = [*(bytes([i]) for i in range(256)), b"<|bos|>", b"<|eos|>"]
        self.tokens += [b"<|%d|>" % number for number in range(marks)]
        self.special_token_ids = list(range(256, BYTES + marks))

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


@lru_cache(maxsize=8)
def _tokenizer(marks: int = 0) -> LLTokenizer:
    from llguidance import LLTokenizer, TokenizerWrapper

    wrapper = TokenizerWrapper(_Bytes(marks))
    return LLTokenizer(wrapper, n_vocab=BYTES + marks, eos_token=_END, slices=[])


def _matcher(syntax: str, definition: str) -> LLMatcher:
    from llguidance import LLMatcher, LLParserLimits

    if syntax == "regex":
        text = LLMatcher.grammar_from_regex(definition)
    else:
        text = LLMatcher.grammar_from_lark(definition + NO_FORCING)
    return LLMatcher(_tokenizer(), text, log_level=0, limits=LLParserLimits(verbose_errors=False))


def marked_engine(definition: str, marks: int) -> Engine | None:
    """The engine for a grammar with marks, tokens `BYTES` and up; None where llguidance refuses it."""
    from llguidance import LLMatcher, LLParserLimits

    limits = LLParserLimits(verbose_errors=False, max_items_in_row=50_000, step_max_items=1_000_000)
    room = 1 << max(8, (marks - 1).bit_length())  # few sizes, so that tokenizers are shared
    grammar = LLMatcher.grammar_from_lark(definition + NO_FORCING)
    matcher = LLMatcher(_tokenizer(room), grammar, log_level=0, limits=limits)
    return None if matcher.is_error() else Engine(matcher, room)


def compile_error(syntax: str, definition: str) -> str:
    """What llguidance says about a grammar that it refuses; empty where it compiles."""
    matcher = _matcher(syntax, definition)
    return _said(matcher) if matcher.is_error() else ""


@lru_cache(maxsize=256)
def compiled(syntax: str, definition: str) -> Engine:
    """The engine for a grammar, compiled when first asked for. Raises GrammarError (rule E10)."""
    matcher = _matcher(syntax, definition)
    if matcher.is_error():
        raise GrammarError(f"llguidance refuses the grammar: {_said(matcher)}", rule="E10")
    return Engine(matcher)


def small_engine(definition: str, row: int) -> Engine:
    """An engine that gives up early: at `row` items in one row, where servers give up at 2000."""
    from llguidance import LLMatcher, LLParserLimits

    limits = LLParserLimits(verbose_errors=False, max_items_in_row=row)
    grammar = LLMatcher.grammar_from_lark(definition + NO_FORCING)
    return Engine(LLMatcher(_tokenizer(), grammar, log_level=0, limits=limits))


def forcing_masks(definition: str) -> Callable[[bytes], None]:
    """A function that computes masks and forced bytes after a prefix as a server does: it may never return."""
    from llguidance import LLMatcher

    base = LLMatcher(_tokenizer(), LLMatcher.grammar_from_lark(definition), log_level=0)

    def probe(prefix: bytes) -> None:
        matcher = base.deep_copy()
        if matcher.consume_tokens(list(prefix)) and not matcher.is_stopped():
            matcher.compute_bitmask()
            matcher.compute_ff_bytes()

    return probe


@dataclass(frozen=True, slots=True)
class Engine:
    """A compiled grammar; safe to share between threads, as it is only ever copied."""

    matcher: LLMatcher
    room: int = 0

    def accepts(self, data: bytes, seconds: float = SECONDS) -> bool:
        """Whether the whole text is in the language. Raises GrammarLimitError."""
        matcher = self.matcher.deep_copy()
        if len(data) <= _SHORT:
            return _swallow(matcher, data) and matcher.is_accepting()
        cursor = Cursor(matcher)
        return cursor.feed(data, Deadline(seconds), exact=False) == len(data) and matcher.is_accepting()

    def cursor(self) -> Cursor:
        """A fresh walk from the beginning of a text."""
        return Cursor(self.matcher.deep_copy(), self.room)


class Cursor:
    """A place in a text that is valid so far."""

    __slots__ = ("_matcher", "_room")

    def __init__(self, matcher: LLMatcher, room: int = 0) -> None:
        self._matcher = matcher
        self._room = room

    def copy(self) -> Cursor:
        """The same place, to go on from independently."""
        return Cursor(self._matcher.deep_copy(), self._room)

    @property
    def accepting(self) -> bool:
        """Whether the text may end here."""
        return self._matcher.is_accepting()

    def feed(self, data: bytes, deadline: Deadline, *, exact: bool = True) -> int:
        """Go on by as many bytes as are valid, and return how many. Raises GrammarLimitError.

        `exact=False` is faster: at the first invalid byte it returns something smaller than `len(data)`, and the
        cursor is of no further use.
        """
        origin = self._matcher.deep_copy() if exact else None
        done, size = 0, _FIRST_CHUNK
        while done < len(data):
            started = time.monotonic()
            chunk = data[done : done + size]
            if not _swallow(self._matcher, chunk):
                return self._retrace(origin, data, done, size) if origin else done
            done += len(chunk)
            deadline.check(done, len(data))
            taken = time.monotonic() - started
            size = max(1, min(_LARGEST_CHUNK, size * 4, int(size * _CHUNK_SECONDS / max(taken, 1e-6))))
        return done

    def _retrace(self, origin: LLMatcher, data: bytes, done: int, size: int) -> int:
        """Walk again to the first invalid byte: a matcher that has failed is of no further use.

        Asking how much of a text fits is not limited by llguidance, so it is asked only where it is known that the
        answer is near.
        """
        self._matcher = origin
        for start in range(0, done, _LARGEST_CHUNK):
            _swallow(origin, data[start : min(done, start + _LARGEST_CHUNK)])
        valid = self.fits(data[done : done + size])
        _swallow(origin, data[done : done + valid])
        return done + valid

    def fits(self, data: Sequence[int]) -> int:
        """How many of these bytes may follow, without going on."""
        if not data or (self._matcher.is_stopped()):
            return 0
        return self._matcher.validate_tokens(list(data))

    def back(self, count: int) -> None:
        """Take the last bytes back."""
        if count:
            self._matcher.rollback(count)

    def allowed(self) -> bytes:
        """The bytes that may follow."""
        mask = self._mask()
        return bytes(b for b in range(256) if mask[b >> 3] >> (b & 7) & 1) if mask else b""

    def marks(self) -> list[int]:
        """The numbers of the marks that may follow, for an engine with marks."""
        mask = self._mask()
        return (
            [n for n in range(self._room) if mask[(n + BYTES) >> 3] >> ((n + BYTES) & 7) & 1] if mask else []
        )

    def _mask(self) -> bytes:
        if self._matcher.is_stopped():
            return b""
        mask = self._matcher.compute_bitmask()
        if self._matcher.is_error():
            raise GrammarLimitError(f"llguidance gave up: {_said(self._matcher)}", rule="E13")
        return mask

    def forced(self, longest: int = _LONGEST_FORCED) -> str:
        """The only possible continuation, as far as there is only one; cut at `longest` bytes."""
        walk = self.copy()
        found = bytearray()
        while len(found) < longest and not walk.accepting:
            allowed = walk.allowed()
            if len(allowed) != 1 or not _swallow(walk._matcher, allowed):
                break
            found += allowed
        return codecs.getincrementaldecoder("utf-8")().decode(bytes(found))


def _swallow(matcher: LLMatcher, data: bytes) -> bool:
    """Go on by these bytes. False where they are invalid; raises GrammarLimitError where llguidance gives up."""
    if matcher.consume_tokens(list(data)):
        return True
    said = _said(matcher)
    if "doesn't satisfy the grammar" in said or "parser stopped" in said:
        return False
    raise GrammarLimitError(f"llguidance gave up: {said}", rule="E14" if "items" in said else "E13")


def _said(matcher: LLMatcher) -> str:
    """The first line of llguidance's message, and its place where it names one."""
    return matcher.get_error().strip().split("\n")[0].removeprefix("Parser Error: ")
