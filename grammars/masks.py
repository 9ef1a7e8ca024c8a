"""Token masks: which tokens an in-process model may write next, by llguidance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jigwork.errors import GrammarError, GrammarLimitError

from .engine import NO_FORCING, compile_error
from .tokenizers import tokenizer_of

if TYPE_CHECKING:
    from llguidance import LLMatcher

__all__ = ["TokenMatcher", "token_matcher"]

_LONGEST_FORCED = 64


class TokenMatcher:
    """A place in a text that a model is writing token by token. Not safe to share between threads; `copy()` it.

    Tokens are ids of the vocabulary it was made for; the end token is allowed where the text may end.
    """

    def __init__(self, matcher: LLMatcher, *, size: int, end: int) -> None:
        self._matcher = matcher
        self.size = size
        self.end = end
        self._ended = False
        self._taken = 0

    def copy(self) -> TokenMatcher:
        """The same place, to go on from independently."""
        made = TokenMatcher(self._matcher.deep_copy(), size=self.size, end=self.end)
        made._ended, made._taken = self._ended, self._taken
        return made

    @property
    def is_accepting(self) -> bool:
        """Whether the text is complete."""
        return self._ended or self._matcher.is_accepting()

    @property
    def ended(self) -> bool:
        """Whether the end token was consumed."""
        return self._ended

    def mask(self) -> bytes:
        """One bit for each token, lowest bit first; set where the token may come next.

        Raises GrammarLimitError where llguidance gives up, GrammarError where no token of the vocabulary goes on.
        """
        if self._ended:
            return bytes((self.size + 7) // 8)
        self._check()
        if self._matcher.is_stopped():
            return self.only_end()
        mask = self._matcher.compute_bitmask()
        self._check()
        return mask[: (self.size + 7) // 8]

    def allowed(self) -> list[int]:
        """The tokens that may come next, as a list."""
        mask = self.mask()
        return [t for t in range(self.size) if mask[t >> 3] >> (t & 7) & 1]

    def consume(self, token: int) -> bool:
        """Go on by a token. False, and nothing changes, where it is not allowed."""
        if self._ended or not 0 <= token < self.size:
            return False
        if token == self.end:
            self._ended = self._matcher.is_accepting()
            return self._ended
        if self._matcher.is_stopped() or self._matcher.validate_tokens([token]) != 1:
            return False
        if not self._matcher.consume_tokens([token]):
            self._check()
        self._taken += 1
        return True

    def forced(self) -> list[int]:
        """The tokens that must come next because each is the only one allowed; the place does not change."""
        walk, found = self.copy(), list[int]()
        while len(found) < _LONGEST_FORCED and not walk.is_accepting:
            allowed = walk.allowed()
            if len(allowed) != 1 or not walk.consume(allowed[0]):
                break
            found.append(allowed[0])
        return found

    def rollback(self, count: int) -> None:
        """Take the last tokens back, the end token included. Raises GrammarError for more than were consumed."""
        if not 0 <= count <= self._taken + self._ended:
            raise GrammarError(
                f"rollback({count}): from 0 to {self._taken + self._ended} tokens can be taken back"
            )
        if count > 0 and self._ended:
            self._ended = False
            count -= 1
        if count > 0:
            self._taken -= count
            if not self._matcher.rollback(count):
                self._check()

    def reset(self) -> None:
        """Go back to the beginning of the text."""
        self._matcher.reset()
        self._ended, self._taken = False, 0

    def only_end(self) -> bytes:
        """The mask that holds the end token alone."""
        mask = bytearray((self.size + 7) // 8)
        mask[self.end >> 3] |= 1 << (self.end & 7)
        return bytes(mask)

    def _check(self) -> None:
        if self._matcher.is_error():
            said = self._matcher.get_error().strip().split("\n")[0]
            if "NoExtension" in said:
                raise GrammarError(
                    "no token of this vocabulary can go on from here; it lacks a byte of the text"
                )
            raise GrammarLimitError(f"llguidance gave up: {said}", rule="E13")


def token_matcher(syntax: str, definition: str, tokenizer: Any, *, end: int | None) -> TokenMatcher:
    """A matcher for a vocabulary: a list of the bytes of each token, a Hugging Face tokenizer, or an `LLTokenizer`."""
    from llguidance import LLMatcher, LLParserLimits

    said = compile_error(syntax, definition)
    if said:
        raise GrammarError(f"llguidance refuses the grammar: {said}", rule="E10")
    made = tokenizer_of(tokenizer, end)
    grammar = (
        LLMatcher.grammar_from_regex(definition)
        if syntax == "regex"
        else LLMatcher.grammar_from_lark(definition + NO_FORCING)
    )
    limits = LLParserLimits(verbose_errors=False)
    return TokenMatcher(
        LLMatcher(made, grammar, log_level=0, limits=limits), size=made.vocab_size, end=made.eos_token
    )
