"""A logits processor for transformers: whatever is generated is a text of the grammar.

processor = GrammarLogits(grammar, tokenizer)
model.generate(**inputs, logits_processor=[processor])
"""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any

from jigwork.errors import GrammarError

from .masks import TokenMatcher

if TYPE_CHECKING:
    from .grammar import Grammar

__all__ = ["GrammarLogits"]

_Written = tuple[int, ...]


class GrammarLogits:
    """Sets the scores of tokens that the grammar does not allow to minus infinity. One for each call of `generate`.

    `prompt` is the number of tokens before the generated ones, in all rows (left padding counts); without it, what
    the first call gets is the prompt. Rows are told apart by what they wrote, so beams may be reordered. A text that
    is cut by `max_new_tokens` is the beginning of one of the grammar. Raises GrammarError where the grammar or the
    tokenizer cannot be used, and where a token was written that it had masked.
    """

    def __init__(
        self, grammar: Grammar, tokenizer: Any, *, end: int | None = None, prompt: int | None = None
    ) -> None:
        self._first = grammar.matcher(tokenizer, end=end)
        self._prompt = prompt
        self._places: dict[_Written, TokenMatcher] = {}

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary) for tokens (rows, length) so far; returns new ones."""
        if self._prompt is None:
            self._prompt = int(input_ids.shape[1])
        rows = [tuple(row) for row in input_ids[:, self._prompt :].tolist()]
        self._places = self._go_on(rows)
        masks = {row: self._allowed(place, scores) for row, place in self._places.items()}
        return scores.masked_fill(~import_module("torch").stack([masks[row] for row in rows]), float("-inf"))

    def _go_on(self, rows: list[_Written]) -> dict[_Written, TokenMatcher]:
        """The places after these rows; a place that only one row goes on from is moved, else copied."""
        heirs = Counter(row[:-1] for row in dict.fromkeys(rows))
        found: dict[_Written, TokenMatcher] = {}
        for row in rows:
            if row in found:
                continue
            place = self._places.get(row[:-1]) if row else None
            if place is None:
                place = self._first.copy()
                for token in row[:-1]:
                    self._consume(place, token)
            elif heirs[row[:-1]] > 1:
                place = place.copy()
            if row:
                self._consume(place, row[-1])
            found[row] = place
        return found

    def _consume(self, place: TokenMatcher, token: int) -> None:
        if not place.ended and not place.consume(token):
            raise GrammarError(
                f"token {token} was written where the grammar does not allow it: another processor forces it, or this "
                "one is in use for a second call of generate()"
            )

    def _allowed(self, place: TokenMatcher, scores: Any) -> Any:
        """One flag for each score. After its end a row may only end again: generate() writes its padding by itself."""
        torch = import_module("torch")
        size = int(scores.shape[1])
        mask = place.only_end() if place.ended else place.mask()
        if not any(mask):
            raise GrammarError("no token of this vocabulary can go on from here; it lacks a byte of the text")
        packed = torch.frombuffer(bytearray(mask), dtype=torch.uint8).to(scores.device)
        bits = (packed.unsqueeze(1) >> torch.arange(8, dtype=torch.uint8, device=scores.device)) & 1
        flags = bits.flatten()[: place.size].bool()
        missing = size - int(flags.shape[0])
        return flags[:size] if missing <= 0 else torch.nn.functional.pad(flags, (0, missing))
