"""Random texts of a grammar, seeded: every alternative comes up, and every text is accepted."""

from __future__ import annotations

import random
from collections.abc import Iterator

from jigwork.errors import GrammarError, GrammarLimitError

from .coverage import ignored_text
from .derivation import Derivation, Production
from .embedded import embedded_texts
from .engine import Deadline, Engine, compiled
from .reader import read

__all__ = ["sample"]

_TRIES = 12
_WALK_SECONDS = 1.0
_SECONDS = 10.0  # for a few texts
_SECONDS_EACH = 0.02  # for each text besides: a plain one takes about 1 ms


def sample(syntax: str, definition: str, n: int, *, seed: int, longest: int) -> list[str]:
    """`n` accepted texts of at most `longest` characters, the same for a seed. Raises GrammarError where none is found,
    and its subclass GrammarLimitError where that takes longer than 10 s and 20 ms for each text.

    The first texts go through the alternatives one by one, so that `n` as large as their number covers all that can
    be written; the others are random. Texts may repeat where the language is small.
    """
    engine = compiled(syntax, definition)
    rng = random.Random(seed)
    if syntax == "regex":
        slashed = definition if "\\/" in definition else definition.replace("/", "\\/")
        definition = f"start: /{slashed}/\n"
    sampler = _Sampler(Derivation(read(definition), embedded_texts), engine, rng, longest)
    found: list[str] = []
    deadline = Deadline(_SECONDS + n * _SECONDS_EACH)
    for production in sampler.targets():
        if len(found) >= n or deadline.left() < deadline.seconds / 2:
            break
        text = sampler.through(production)
        if text is not None:
            found.append(text)
    while len(found) < n:
        if deadline.left() < 0:
            raise GrammarLimitError(
                f"{len(found)} of {n} texts were found in {deadline.seconds:g} s: ask for fewer or shorter ones, or see "
                "check() for what makes the grammar slow",
                rule="E13",
            )
        text = sampler.any()
        if text is None:
            raise GrammarError(
                f"no text of at most {longest} characters was found; check() says what can never be written",
                rule="E11",
            )
        found.append(text)
    rng.shuffle(found)
    return found


class _Sampler:
    def __init__(self, derivation: Derivation, engine: Engine, rng: random.Random, longest: int) -> None:
        self.derivation = derivation
        self.engine = engine
        self.rng = rng
        self.longest = longest
        self.separator = ignored_text(derivation.document)

    def targets(self) -> Iterator[Production]:
        """All alternatives that a sentence can go through, in random order."""
        usable = [
            p
            for options in self.derivation.productions.values()
            for p in options
            if self.derivation.usable(p)
        ]
        self.rng.shuffle(usable)
        yield from usable

    def through(self, production: Production) -> str | None:
        """A text that uses an alternative; None where the lexer lets none through."""
        before, after = self.derivation.context(production.head)
        for attempt in range(_TRIES):
            room = self._room(attempt)
            tokens = self.derivation.expand(
                before + production.body + after, self.rng if room else None, room
            )
            text = self.fitting([token.text for token in tokens])
            if text is not None:
                return text
        return None

    def any(self) -> str | None:
        """A random text: of the grammar's own making, or a walk over llguidance's masks where that fails."""
        # what is embedded is better walked than chosen from a few texts
        walked = any(t.node is None for t in self.derivation.terminals.values()) and self.rng.random() < 0.7
        if walked and (text := self.walk()) is not None:
            return text
        if self.derivation.productive("start"):
            for attempt in range(_TRIES):
                tokens = self.derivation.expand(("start",), self.rng, self._room(attempt))
                text = self.fitting([token.text for token in tokens])
                if text is not None:
                    return text
        return self.walk()

    def fitting(self, parts: list[str]) -> str | None:
        """The parts as a text, with ignored text between where that is needed; None where it is not accepted."""
        for text in dict.fromkeys(("".join(parts), self.separator.join(parts))):
            try:
                if len(text) <= self.longest and self.engine.accepts(text.encode(), 1.0):
                    return text
            except GrammarLimitError:
                continue
        return None

    def walk(self) -> str | None:
        """A text written byte by byte among those that are allowed."""
        deadline = Deadline(_WALK_SECONDS)
        cursor = self.engine.cursor()
        written = bytearray()
        room = self.rng.randint(0, self.longest // 3)
        while len(written) < self.longest and deadline.left() > 0:
            allowed = cursor.allowed()
            if cursor.accepting and (not allowed or self.rng.random() < 0.2):
                return written.decode("utf-8", "ignore")
            closing = [byte for byte in allowed if byte in b"\"'}])"] if len(written) > room else []
            plain = closing or [byte for byte in allowed if 32 <= byte < 127] or list(allowed)
            if not plain:
                return None
            byte = self.rng.choice(plain)
            cursor.feed(bytes([byte]), deadline, exact=False)
            written.append(byte)
        return written.decode("utf-8", "ignore") if cursor.accepting else None

    def _room(self, attempt: int) -> int:
        """How many random steps to take, so that texts come in all sizes: fewer with every attempt, as long ones fail
        more often."""
        most = min(60, self.longest // 4) >> attempt // 2
        return self.rng.randint(0, most) if attempt < _TRIES - 1 else 0
