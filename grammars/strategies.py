"""Hypothesis strategies: texts of a grammar, for the tests of whatever reads them. Needs `hypothesis`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jigwork.errors import MissingExtraError

from .sample import sample

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from .grammar import Grammar

__all__ = ["from_grammar"]


def from_grammar(grammar: Grammar, *, longest: int = 400) -> SearchStrategy[str]:
    """Accepted texts of a grammar. Shrinks to other texts of the grammar, not to parts of one."""
    try:
        from hypothesis import strategies
    except ImportError as error:
        raise MissingExtraError("jigwork.grammars.strategies", "dev") from error

    def draw(seed: int) -> str:
        return sample(grammar.syntax, grammar.definition, 1, seed=seed, longest=longest)[0]

    return strategies.integers(min_value=0, max_value=1 << 32).map(draw)
