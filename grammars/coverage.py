"""What can never be written, because the lexer takes the longest match and never goes back.

For every alternative of every rule, and for every word of a terminal that lists words, a sentence is built that
uses it, and llguidance must accept it. A few more findings need sentences, and are made here as well: words that
may be glued together, runaway text, blanks inside of numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from jigwork.errors import GrammarLimitError

from .derivation import Derivation, Production, Token
from .derivative import derive, first, half_shared, matches, residual
from .diagnostics import Diagnostic, diagnose
from .engine import Deadline, Engine
from .lexicon import Lexicon, NotRegularError
from .naming import shown
from .neighbours import meetings
from .nodes import Document
from .regular import Chars, Concat, Regular, Times, Union, nullable, overlap, pick, shortest
from .vocabulary import Vocabulary, Word

__all__ = ["Coverage", "Gap", "ignored_text"]

_TRIES = 24
_SAMPLED = 4  # texts of a regular expression, the shortest included
_MOST_SENTENCES = 6000
_MOST_FINDINGS = 12
_WALKS, _STEPS = 2, 150
_LISTED, _LONGEST_WORD = 50, 20  # words of a terminal that are looked at, and how far into each


@dataclass(frozen=True, slots=True)
class Gap:
    """A derivable sentence that llguidance refuses: `prefix` is valid, then `swallower`, which began at `start`,
    runs over `swallowed`. `keys` are the terminals that meet there; `split` says that they share only the first bytes
    of a character; with `only_empty` that terminal has other texts, and none of them can be written."""

    sentence: str
    prefix: str
    production: Production
    variant: str
    swallower: Word | None = None
    swallowed: str = ""
    start: int = 0
    keys: tuple[str, str] = ("", "")
    split: bool = False
    only_empty: str = ""

    @property
    def nearness(self) -> int:
        """How close its alternative is to the place where the terminals meet."""
        body = self.production.body
        return 2 * (self.keys in list(pairwise(body))) + (self.keys[0] in body) + (self.keys[1] in body)


class Coverage:
    """The search for sentences of one document. `accepted` and `gaps` are filled while findings are asked for."""

    def __init__(self, derivation: Derivation, engine: Engine, words: Vocabulary, deadline: Deadline) -> None:
        self.derivation = derivation
        self.document: Document = derivation.document
        self.engine = engine
        self.words = words
        self.deadline = deadline
        self.separator = ignored_text(self.document)
        self.accepted: dict[str, list[Token]] = {}
        self.dead: list[Gap] = []
        self.partial: list[Gap] = []

    def findings(self) -> Iterator[Diagnostic]:
        """All findings, E11 first."""
        self._search()
        yield from self._never()
        yield from self._sometimes()
        yield from self._glued()
        yield from self._runaway()

    def accepts(self, text: str) -> bool:
        """llguidance's verdict; a text that is beyond its limits counts as accepted, as nothing is known."""
        try:
            return self.engine.accepts(text.encode(), max(0.05, min(1.0, self.deadline.left())))
        except GrammarLimitError:
            return True

    def sentence(self, tokens: list[Token]) -> str | None:
        """The tokens as a text that is accepted: as they are, or with ignored text between; None where neither is."""
        plain = "".join(token.text for token in tokens)
        if self.accepts(plain):
            return plain
        if self.separator:
            apart = self.separator.join(token.text for token in tokens)
            if self.accepts(apart):
                return apart
        return None

    # the search

    def _search(self) -> None:
        rng = random.Random(1)
        written: dict[tuple[Production, int], bool] = {}
        for production, index, variant in self._targets():
            if self.deadline.left() < 0 or len(self.accepted) + len(self.dead) > _MOST_SENTENCES:
                return
            done = self._cover(production, index, variant, rng)
            written[production, index] = written.get((production, index), False) or done
        for (production, index), done in written.items():
            terminal = self.derivation.terminals[production.body[index]] if index >= 0 else None
            if not done and terminal and not terminal.listed and "" in terminal.texts:
                gap = next(gap for gap in self.partial if gap.production is production and gap.variant)
                self.dead.append(replace(gap, only_empty=terminal.key))

    def _conflicts(self) -> Iterator[Gap]:
        """Texts whose next character both ends a terminal and goes on in it, built from the accepted sentences."""
        seen: set[tuple[str, str, str]] = set()
        for tokens in list(self.accepted.values()):
            for index in range(len(tokens) - 1):
                one, other = tokens[index], tokens[index + 1]
                pair = (one.key, one.text, other.key)
                if pair in seen or self.deadline.left() < 0:
                    continue
                seen.add(pair)
                yield from self._conflict(tokens, index)

    def _seams(self) -> Iterator[Gap]:
        for production, tokens in meetings(self.derivation, self.deadline):
            if self.sentence(tokens) is None:
                yield self._gap(tokens, production, "")

    def _conflict(self, tokens: list[Token], index: int) -> Iterator[Gap]:
        for end, begin in self._crossings(tokens, index):
            key = tokens[index + 1].key
            tried = [*tokens[:index], Token(tokens[index].key, end), Token(key, begin), *tokens[index + 2 :]]
            if self.sentence(tried) is None:
                production = next(
                    (p for options in self.derivation.productions.values() for p in options
                     if tokens[index].key in p.body),
                    self.derivation.productions["start"][0],
                )  # fmt: skip
                yield self._gap(tried, production, "")

    def _crossings(self, tokens: list[Token], index: int) -> Iterator[tuple[str, str]]:
        """Texts for two neighbours between which a terminal that began with the first, or before, may go on."""
        own = self.derivation.terminals[tokens[index].key]
        follower = self.derivation.terminals[tokens[index + 1].key]
        if follower.node is None:
            return
        begin = first(follower.node)
        for word in self.words.beginnings("".join(t.text for t in tokens[:index]).encode()):
            rest = residual(word.node, tokens[index].text) if word.node else None
            found = [(tokens[index].text, pick(shared))
                     for shared in (overlap(first(rest), begin), half_shared(first(rest), begin)) if shared.ranges
                     ] if rest is not None else []  # fmt: skip
            if own.node is not None and not own.listed:
                for text in word.texts[:_LISTED]:
                    word_end = (
                        len(text.strip()) if text.strip().isalnum() else 0
                    )  # a reserved word is meant to be one
                    ends = (k for k in range(1, min(len(text), _LONGEST_WORD)) if k != word_end)
                    found += [(text[:k], text[k]) for k in ends if matches(own.node, text[:k])]
            for end, character in found:
                more = shortest(derive(follower.node, character)) if character else None
                if character and more is not None and not (
                    follower.listed and character + more not in follower.texts
                ):  # fmt: skip
                    yield end, character + more

    def _targets(self) -> Iterator[tuple[Production, int, str]]:
        for options in self.derivation.productions.values():
            for production in options:
                if not self.derivation.usable(production):
                    continue
                yield production, -1, ""
                for index, symbol in enumerate(production.body):
                    terminal = self.derivation.terminals.get(symbol)
                    if terminal and len(terminal.texts) > 1:
                        for text in terminal.texts if terminal.listed else terminal.texts[1:_SAMPLED]:
                            yield production, index, text

    def _cover(self, production: Production, index: int, variant: str, rng: random.Random) -> bool:
        refused: list[list[Token]] = []
        for attempt in range(_TRIES):
            tokens = self._build(production, index, variant, rng if attempt else None)
            text = self.sentence(tokens)
            if text is not None:
                self.accepted.setdefault(text, tokens)
                if refused:
                    self.partial.append(self._gap(refused[0], production, variant))
                return True
            refused.append(tokens)
            if self.deadline.left() < 0:
                return True  # nothing is known
        # one text of a regular expression that does not work is not yet an alternative that is dead
        sampled = index >= 0 and not self.derivation.terminals[production.body[index]].listed
        (self.partial if sampled else self.dead).append(self._gap(refused[0], production, variant))
        return False

    def _build(
        self, production: Production, index: int, variant: str, rng: random.Random | None
    ) -> list[Token]:
        before, after = self.derivation.context(production.head)
        expand = self.derivation.expand
        if index < 0:
            return expand(before + production.body + after, rng)
        head, tail = production.body[:index], production.body[index + 1 :]
        chosen = Token(production.body[index], variant)
        return [*expand(before + head, rng), chosen, *expand(tail + after, rng)]

    def _gap(self, tokens: list[Token], production: Production, variant: str) -> Gap:
        sentence = "".join(token.text for token in tokens)
        data = sentence.encode()
        cursor = self.engine.cursor()
        try:
            valid = cursor.feed(data, Deadline(1.0))
        except GrammarLimitError:
            valid = 0
        prefix = data[:valid].decode("utf-8", "ignore")
        return Gap(sentence, prefix, production, variant, *self._swallower(tokens, prefix))

    def _swallower(
        self, tokens: list[Token], prefix: str
    ) -> tuple[Word | None, str, int, tuple[str, str], bool]:
        """The terminal that began at some token and runs on beyond its end, and the token that it runs over."""
        start = 0
        found: tuple[Word | None, str, int, tuple[str, str], bool] = (None, "", 0, ("", ""), False)
        for token, following in pairwise(tokens):
            end = start + len(token.text)
            character = following.text[:1]  # one step beyond its end: greed never steps back
            for word in self.words.beginnings(prefix[:start].encode()) if end <= len(prefix) else ():
                rest = residual(word.node, token.text) if word.node and character else None
                if rest is None:
                    continue
                whole = residual(rest, character) is not None
                if whole or (
                    not found[0]
                    and half_shared(first(rest), Chars(((ord(character), ord(character)),))).ranges
                ):
                    found = (word, following.text, start, (token.key, following.key), not whole)
            start = end
        return found

    # the findings

    def _never(self) -> Iterator[Diagnostic]:
        causes: dict[tuple[str, str], Gap] = {}
        for gap in self.dead:
            cause = (gap.swallower.name if gap.swallower else gap.production.head, gap.swallowed)
            if cause not in causes or gap.nearness > causes[cause].nearness:
                causes[cause] = gap
        for gap in list(causes.values())[:_MOST_FINDINGS]:
            yield self._dead(gap)
            if self._endless(gap):
                yield diagnose(
                    self.document.source,
                    gap.production.at,
                    "E13",
                    f"after {shown(gap.prefix[-40:])} the text can never end: "
                    f"{gap.swallower.name if gap.swallower else 'a terminal'} goes on for ever",
                    why="on every server with llguidance a model that gets here writes until it is cut off",
                    fix="bound the terminal, or take the characters of what follows out of it",
                    witness=gap.prefix,
                )

    def _dead(self, gap: Gap) -> Diagnostic:
        what = shown(gap.variant) if gap.variant else gap.production.shown
        if gap.only_empty:
            what = f"{gap.only_empty} in {gap.production.shown}, unless it is empty"
        if gap.swallower and gap.split:
            why = (
                f"the longest match wins, byte by byte, and is never taken back: {shown(gap.swallowed)} begins with the "
                f"same byte as a character with which {gap.swallower.name} could go on"
            )
            fix = f"let an ASCII character follow {gap.swallower.name}, or put both into one terminal"
        elif gap.swallower:
            why = (
                f"the longest match wins and is never taken back: {gap.swallower.name} runs over "
                f"{shown(gap.swallowed)}, so the text stops being valid after {shown(gap.prefix[-60:])}"
            )
            fix = f"make {gap.swallower.name} unable to go on there, or put both into one terminal"
        else:
            why = f"the text stops being valid after {shown(gap.prefix[-60:])}"
            fix = "look at the terminals at that place: the longest match wins and is never taken back"
        return diagnose(
            self.document.source,
            gap.production.at,
            "E11",
            f"this can never be written: {what}",
            why=why + " (every server with llguidance)",
            fix=fix,
            witness=gap.sentence,
        )

    def _endless(self, gap: Gap) -> bool:
        """Whether no byte that may follow leaves the terminal, however long one goes on."""
        word = gap.swallower
        if word is None or word.node is None:
            return False
        rng = random.Random(2)
        for _ in range(_WALKS):
            cursor = self.engine.cursor()
            cursor.feed(gap.prefix.encode(), Deadline(1.0))
            rest = residual(word.node, gap.prefix[gap.start :])
            for _step in range(_STEPS):
                allowed = [chr(byte) for byte in cursor.allowed() if byte < 128]
                if rest is None or cursor.accepting or not allowed or self.deadline.left() < 0:
                    return False
                after = {character: residual(rest, character) for character in allowed}
                if None in after.values():
                    return False
                character = rng.choice(allowed)
                rest = after[character]
                cursor.feed(character.encode(), Deadline(1.0), exact=False)
        return True

    def _sometimes(self) -> Iterator[Diagnostic]:
        reported = {gap.swallower.name for gap in self.dead if gap.swallower}
        for gap in chain(self.partial, self._conflicts(), self._seams()):
            if gap.swallower is None or gap.swallower.name in reported:
                continue
            if not self._exact(gap):
                continue
            reported.add(gap.swallower.name)
            rule = "W11" if gap.swallower.texts else "W9"
            yield diagnose(
                self.document.source,
                gap.production.at,
                rule,
                f"some texts of this alternative cannot be written: {gap.swallower.name} runs over "
                f"{shown(gap.swallowed)}",
                why="the longest match wins and is never taken back on servers with llguidance; Lark's Earley parser "
                "would read the text",
                fix="let the two begin differently, or put both into one terminal"
                if gap.swallower.texts
                else f"make {gap.swallower.name} unable to match the beginning of what follows, or put both into one "
                "terminal",
                witness=gap.sentence,
            )

    def _exact(self, gap: Gap) -> bool:
        """Whether the words of the sentence are surely texts of their terminals (no Unicode tables were guessed)."""
        return not any(
            terminal.node is not None and _approximate(terminal.node)
            for terminal in self.derivation.terminals.values()
        )

    def _glued(self) -> Iterator[Diagnostic]:
        if not self.separator:
            return
        for text, tokens in list(self.accepted.items()):
            if self.deadline.left() < 0:
                return
            for index in range(len(tokens) - 1):
                word, following = tokens[index].text, tokens[index + 1].text
                if not (len(word) > 1 and word.isalpha() and following[:1].isalnum()):
                    continue
                terminal = self.derivation.terminals[tokens[index].key]
                one_word = len(terminal.texts) > 1 and len({t.casefold() for t in terminal.texts}) == 1
                if not (terminal.listed or one_word):  # one_word: a pattern with the i flag
                    continue
                before = self.separator.join(token.text for token in tokens[:index])
                before += self.separator if before else ""
                rest = self.separator.join(token.text for token in tokens[index + 1 :])
                if self._swallows(before, word + following[:1]) or not self.accepts(before + word + rest):
                    continue
                yield self._glue(before + word + rest, word, following, text)
                return

    def _swallows(self, before: str, glued: str) -> bool:
        return any(
            word.node is not None and residual(word.node, glued) is not None
            for word in self.words.beginnings(before.encode())
        )

    def _glue(self, witness: str, word: str, following: str, text: str) -> Diagnostic:
        return diagnose(
            self.document.source,
            self.document.ignores[0].at,
            "W2",
            f"%ignore lets words be glued together: {shown(word)} may be followed by {shown(following[:20])} without "
            "a space",
            why="servers accept it; whatever reads the text later may take it for one word",
            fix=f'write the space into the grammar, as in "{word} ", instead of ignoring it',
            witness=witness,
        )

    def _runaway(self) -> Iterator[Diagnostic]:
        for options in self.derivation.productions.values():
            for production in options:
                if not self.derivation.usable(production):
                    continue
                yield from self._runaway_at(production)
                again = len(production.body) > 1 and len(set(production.body)) == 1
                if again and self.separator and production.head.startswith("."):
                    yield from self._blanks(production)

    def _runaway_at(self, production: Production) -> Iterator[Diagnostic]:
        for index, key in enumerate(production.body[: 1 if production.endless else None]):
            terminal = self.derivation.only_terminal(key) if production.endless else None
            terminal = terminal or self.derivation.terminals.get(key)
            if terminal is None or terminal.node is None or not terminal.texts:
                continue
            each = production.endless and not isinstance(terminal.node, Times) and _wide(terminal.node)
            if not each and not _endless_tail(terminal.node):
                continue
            before, _ = self.derivation.context(production.head)
            head = "".join(t.text for t in self.derivation.expand(before + production.body[:index]))
            long = head + terminal.texts[0] + "a \n" * 400
            # a text that may not end here is ended by what must come
            if self.accepts(long):
                yield diagnose(
                    self.document.source,
                    production.at,
                    "W3",
                    f"{terminal.key[:40]} may go on for ever: nothing ends it but the end of the text",
                    why="a model that drifts here writes until it is cut off (any server)",
                    fix="bound it, as in {0,400}, or leave out the character that ends it",
                    witness=long[:60],
                )

    def _blanks(self, production: Production) -> Iterator[Diagnostic]:
        terminal = self.derivation.only_terminal(production.body[0])
        if terminal is None or terminal.listed or not isinstance(terminal.node, Chars):
            return
        text = terminal.texts[0]
        before, after = self.derivation.context(production.head)
        head = "".join(t.text for t in self.derivation.expand(before))
        tail = "".join(t.text for t in self.derivation.expand(after))
        witness = head + text + self.separator + text * (len(production.body) - 1) + tail
        if self.accepts(witness):
            yield diagnose(
                self.document.source,
                production.at,
                "W5",
                f"{production.shown} is repeated in a rule, so ignored text may stand between its characters",
                why="%ignore applies between terminals, and each character is one here (every server)",
                fix="repeat it inside of a terminal: NAME: /.../+",
                witness=witness,
            )


def ignored_text(document: Document) -> str:
    """A shortest text that `%ignore` skips; empty where nothing is ignored."""
    lexicon = Lexicon(document)
    for node in document.ignores:
        try:
            text = shortest(lexicon.regular(node))
        except NotRegularError:
            continue
        if text:
            return text
    return ""


def _approximate(node: Regular) -> bool:
    match node:
        case Chars(approximate=approximate):
            return approximate
        case Concat(items=items):
            return any(_approximate(item) for item in items)
        case Union(options=options):
            return any(_approximate(option) for option in options)
        case Times(item=item):
            return _approximate(item)
        case _:
            return True


def _endless_tail(node: Regular) -> bool:
    """Whether a match may end in any amount of any text, line ends included."""
    match node:
        case Times(item=item, high=None):
            return _wide(item)
        case Times(item=item):
            return _endless_tail(item)
        case Concat(items=items) if items:
            return _endless_tail(items[-1]) or (nullable(items[-1]) and _endless_tail(Concat(items[:-1])))
        case Union(options=options):
            return any(_endless_tail(option) for option in options)
        case _:
            return False


def _wide(node: Regular) -> bool:
    return all(residual(node, character) is not None for character in "a Z0\n.,")
