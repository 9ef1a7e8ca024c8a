"""Tokenizers as llguidance wants them: from lists of token bytes, and from transformers, fast and slow."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from jigwork.errors import GrammarError

if TYPE_CHECKING:
    from llguidance import LLTokenizer

__all__ = ["tokenizer_of"]

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_PROBES = ('{"a": [1, -2.5]}', "SELECT x FROM y", "Zürich → 東京\n")
_RANDOM_ROWS = 50
_made: WeakKeyDictionary[Any, dict[int | None, LLTokenizer]] = WeakKeyDictionary()


def tokenizer_of(given: Any, end: int | None) -> LLTokenizer:
    """The tokenizer for masks; those of transformers are made once. Raises GrammarError."""
    from llguidance import LLTokenizer

    if isinstance(given, LLTokenizer):
        return given
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        return _of_bytes(list(cast("Sequence[bytes]", given)), end, [])
    if not hasattr(given, "convert_ids_to_tokens"):
        raise GrammarError(
            "a tokenizer is a list of token bytes, a tokenizer of transformers, or an LLTokenizer"
        )
    known = _made.setdefault(given, {})
    if end not in known:
        known[end] = _of_transformers(given, end)
    return known[end]


class _Vocabulary:
    """A list of token bytes as llguidance wants it; texts are cut greedily by the longest token."""

    def __init__(self, tokens: list[bytes], end: int, special: list[int]) -> None:
        self.tokens = tokens
        self.eos_token_id = end
        self.bos_token_id = None
        self.special_token_ids = sorted({end, *special})
        hidden = set(self.special_token_ids)
        self._ids = {token: number for number, token in enumerate(tokens) if number not in hidden}
        self._longest = max((len(token) for token in self._ids), default=1)

    def __call__(self, text: str | bytes) -> list[int]:
        data = text.encode() if isinstance(text, str) else text
        found: list[int] = []
        position = 0
        while position < len(data):
            for length in range(min(self._longest, len(data) - position), 0, -1):
                token = self._ids.get(data[position : position + length])
                if token is not None:
                    found.append(token)
                    position += length
                    break
            else:
                position += 1
        return found


def _of_bytes(tokens: list[bytes], end: int | None, special: list[int]) -> LLTokenizer:
    from llguidance import LLTokenizer, TokenizerWrapper

    if end is None or not 0 <= end < len(tokens):
        raise GrammarError(f"end is the id of the end token, one of 0 to {len(tokens) - 1}")
    wrapper = TokenizerWrapper(_Vocabulary(tokens, end, special))
    return LLTokenizer(wrapper, n_vocab=len(tokens), eos_token=end)


def _of_transformers(given: Any, end: int | None) -> LLTokenizer:
    last: int | None = given.eos_token_id if end is None else end
    if last is None:
        raise GrammarError("this tokenizer has no end token; give its id: matcher(tokenizer, end=...)")
    if getattr(given, "is_fast", False):
        from llguidance import hf

        # llguidance reads byte-level and byte-fallback ones; others may still be texts cut into pieces
        with suppress(ValueError):
            return hf.from_tokenizer(given, eos_token=last)  # pyright: ignore[reportUnknownMemberType] - no stubs
    special: list[int] = given.all_special_ids
    tokens = _token_bytes(given, set(special))
    _compare(given, tokens)
    return _of_bytes(tokens, last, special)


def _token_bytes(given: Any, special: set[int]) -> list[bytes]:
    """The bytes of every token of a slow tokenizer, by its kind."""
    names: list[str | None] = given.convert_ids_to_tokens(range(len(given)))
    letters: dict[str, int] | None = getattr(given, "byte_decoder", None)
    bytewise = type(given).__name__ == "ByT5Tokenizer"
    pieces = any(name and "\u2581" in name for name in names)
    found: list[bytes] = []
    for number, name in enumerate(names):
        if name is None or number in special:
            found.append(b"<|%d|>" % number)
        elif letters is not None and all(letter in letters for letter in name):
            found.append(bytes(letters[letter] for letter in name))
        elif bytewise and len(name) == 1:
            found.append(name.encode("latin-1"))
        elif byte := _BYTE.fullmatch(name):
            found.append(bytes([int(byte[1], 16)]))
        else:
            found.append((name.replace("\u2581", " ") if pieces else name).encode())
    return found


def _compare(given: Any, tokens: list[bytes]) -> None:
    """Raise GrammarError where texts are not their tokens' bytes in a row: masks would be of another text."""
    for ids in _rows(given, len(tokens)):
        try:
            joined = b"".join(tokens[number] for number in ids).decode()
        except UnicodeDecodeError:  # half a character says nothing
            continue
        text: str = given.decode(ids, clean_up_tokenization_spaces=False)
        if joined.strip(" ") != text.strip(" "):
            raise GrammarError(
                f"the texts of {type(given).__name__} are not its tokens in a row ({text!r} is {joined!r}), so nothing "
                "can be masked; use a byte-level or SentencePiece tokenizer, or give the bytes of every token as a list"
            )


def _rows(given: Any, size: int) -> Iterator[list[int]]:
    """Tokens to judge a tokenizer by: those of some texts, and any that it has, in any order."""
    special: set[int] = set(given.all_special_ids)
    for probe in _PROBES:
        ids: list[int] = given.encode(probe, add_special_tokens=False)
        if special.isdisjoint(ids):  # one that is unknown is special
            yield ids
    rng = random.Random(0)
    plain = [number for number in range(size) if number not in special]
    for _ in range(_RANDOM_ROWS if plain else 0):
        yield rng.choices(plain, k=4)
