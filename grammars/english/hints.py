"""What to say and offer where a question stops making sense: nearest words, what may follow, completions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .deeds import is_past
from .engine import Alt, Expr, Opt, Phrase, Reach, Rule, Seq, Star, Term
from .names import Lexicon, form_said, say_form, word_of
from .problems import NotUnderstood, Place
from .tokens import Token
from .words import Words, nearest

__all__ = ["Hints", "phrases_of"]

_SHOWN = 12
_MOST_COMPLETIONS = 80
_SAID = {
    "TEXT": 'a text in quotes ("...")',
    "NUMBER": "a number",
    "COUNT": "a whole number",
    "DATE": "a date (2024, 2024-05, 2024-05-17)",
    "YEARNUM": "a year",
    "DAYNUM": "a day",
    "VIA": "the name of a key",
}
_OPENERS = frozenset("list show count top bottom first last sum average minimum maximum which".split()) | {
    "how many",
    "number of",
    "what is",
}
_NO_VERBS = ("aled", "mented", "ioned", "anced", "enced")
_NAMES = ("TABLE", "ONE", "NOUN", "COLUMN", "STORED", "VIA", "DEED", "FLAG")


class Hints:
    """Hints for one schema."""

    def __init__(self, lexicon: Lexicon, rules: Mapping[str, Expr]) -> None:
        self._lexicon = lexicon
        self._synonyms = set(_synonyms(rules.values()))
        self._words = sorted({" ".join(p.words) for body in rules.values() for p in phrases_of(body)})
        self._names: list[str] | None = None

    # --- errors ---------------------------------------------------------------------------------------------

    def problem(self, question: str, tokens: Sequence[Token], reach: Reach) -> NotUnderstood:
        """Return the error for a question that the rules do not derive."""
        at = reach.position
        expected = self._expected(reach, tokens)
        if at >= len(tokens):
            place = Place(question, len(question.rstrip(" \t?.!;")), len(question.rstrip(" \t?.!;")))
            return NotUnderstood("something is missing at the end", place, expected=expected)
        token = tokens[at]
        place = Place(question, token.start, token.end)
        suggestions = self._near(tokens, reach)
        known = self._known(word_of(token)) or token.kind != "word"
        reason = f"{token.text} cannot stand here" if known else f"the word {token.text!r} is not known"
        if not known and ("TEXT", 0) in reach.terms:
            reason += "; a text that is no stored value is written in quotes"
        return NotUnderstood(reason, place, suggestions=suggestions, expected=expected)

    def _known(self, word: str) -> bool:
        lexicon = self._lexicon
        if any(word in phrase.split() for phrase in self._words):
            return True
        forms = (lexicon.tables, lexicon.columns, lexicon.roles, lexicon.values)
        return any(word in form for names in forms for form in names.entries)

    def _near(self, tokens: Sequence[Token], reach: Reach) -> tuple[str, ...]:
        found: list[str] = []
        allowed = [" ".join(phrase) for phrase in reach.phrases]
        for term, partial in reach.terms:
            start = reach.position - partial
            head = tuple(word_of(token) for token in tokens[start : reach.position])
            allowed.extend(
                self._text(term, form, partial) for form in self._forms(term) if form[:partial] == head
            )
        for length in (3, 2, 1):
            words = [word_of(token) for token in tokens[reach.position : reach.position + length]]
            if len(words) == length and all(words):
                found.extend(nearest(" ".join(words), set(allowed)))
        if not found and tokens[reach.position].kind == "word":
            found = nearest(word_of(tokens[reach.position]), self._all_names())
        return tuple(dict.fromkeys(found))[:3]

    def _all_names(self) -> list[str]:
        if self._names is None:
            self._names = [name for name in self._lexicon.all_names() if not name.startswith("`")]
        return self._names

    def _expected(self, reach: Reach, tokens: Sequence[Token]) -> tuple[str, ...]:
        said: list[str] = []
        terms = {term for term, partial in reach.terms if not partial}
        if "TABLE" in terms or "NOUN" in terms:
            tables = [forms[1] for forms in self._lexicon.shown_table.values()]
            said.append(
                "a table"
                if not tables
                else f"a table ({', '.join(tables[:4])}{', ...' if len(tables) > 4 else ''})"
            )
        if "COLUMN" in terms:
            said.append("a column")
        if "STORED" in terms:
            said.append("a stored value")
        said.extend(text for term, text in _SAID.items() if term in terms)
        for term, partial in reach.terms:
            if partial:
                head = tuple(word_of(token) for token in tokens[reach.position - partial : reach.position])
                rests = [" ".join(form[partial:]) for form in self._forms(term) if form[:partial] == head]
                said.extend(rest for rest in rests if rest)
        phrases = [" ".join(phrase) for phrase in reach.phrases if phrase not in self._synonyms]
        said.extend(phrase for phrase in phrases if phrase not in ("(", ",", "'s"))
        said = list(dict.fromkeys(said))
        return tuple(said[:_SHOWN]) + (("...",) if len(said) > _SHOWN else ())

    def _forms(self, term: str) -> Iterable[Words]:
        lexicon = self._lexicon
        match term:
            case "TABLE" | "ONE":
                return lexicon.tables.entries
            case "NOUN":
                return [*lexicon.tables.entries, *lexicon.roles.entries]
            case "COLUMN":
                return lexicon.columns.entries
            case "STORED":
                return lexicon.values.entries
            case "VIA":
                return lexicon.vias.entries
            case "DEED":
                return lexicon.deeds.entries
            case "FLAG":
                return lexicon.flags.entries
            case _:
                return ()

    # --- completion -----------------------------------------------------------------------------------------

    def completions(self, words: Sequence[str], reach: Reach, unfinished: str) -> list[str]:
        """Return what may follow `words`, of what begins with `unfinished`; names of the tables spoken of come first."""
        if reach.position < len(words):
            return []
        found: dict[str, int] = {}
        near = self._near_names(words)
        for term, partial in reach.terms:
            if term in _NAMES:
                head = tuple(words[len(words) - partial :]) if partial else ()
                self._add_names(found, near, (term, head), first=not words)
        for phrase in reach.phrases:
            text = " ".join(phrase)
            if phrase[0] == "'s":
                continue  # it stands at the word before it, not after a space
            opener = not words and text in _OPENERS
            found.setdefault(text, -1 if opener else 4 if phrase in self._synonyms else 2 if words else 3)
        unfinished = unfinished.lower()
        fitting = [
            (rank, text)
            for text, rank in found.items()
            if text.lower().startswith(unfinished) and text.lower() != unfinished
        ]
        if not unfinished:
            fitting = [each for each in fitting if each[0] < 4] or fitting
        return [text for _, text in sorted(fitting, key=lambda each: each[0])[:_MOST_COMPLETIONS]]

    def _add_names(
        self, found: dict[str, int], near: set[Words], what: tuple[str, Words], *, first: bool
    ) -> None:
        """Add the names of a terminal that go on from some words; at the start of a question, tables before columns."""
        (term, head), n = what, len(what[1])
        for form in self._shown(term):
            if form[:n] == head and len(form) > n and not form[n].startswith(("`", "'s")):
                if form in near:
                    rank = -1 if term == "STORED" else 0
                else:
                    rank = 3 if (near or first) and term in ("COLUMN", "STORED", "FLAG") else 1
                text = self._text(term, form, n)
                found[text] = min(rank, found.get(text, rank))

    def _text(self, term: str, form: Words, start: int) -> str:
        """The words of a form from `start` on; a stored value as it is stored."""
        text = say_form(form[start:])
        if term != "STORED" or start:
            return text
        stored = (each.value for each in self._lexicon.values.entries.get(form, {}))
        return next((value for value in stored if value.lower() == text), text)

    def _shown(self, term: str) -> Iterable[Words]:
        """Names as one says them; other forms are understood and not offered."""
        lexicon = self._lexicon
        if term == "TABLE":
            return [tuple(forms[1].split()) for forms in lexicon.shown_table.values()]
        if term == "ONE":
            return [tuple(forms[0].split()) for forms in lexicon.shown_table.values()]
        if term == "NOUN":
            tables = [tuple(form.split()) for forms in lexicon.shown_table.values() for form in forms]
            return [*tables, *lexicon.roles.entries]
        if term == "COLUMN":
            return [form_said(shown) for shown in lexicon.shown_column.values()]
        if term in ("DEED", "FLAG"):  # `rented`; a `rental date` makes `rentaled` too, which nobody says
            return [form for form in self._forms(term) if term == "FLAG" or is_past(form[-1])
                    if not form[-1].endswith(_NO_VERBS)]  # fmt: skip
        return self._forms(term)

    def _near_names(self, words: Sequence[str]) -> set[Words]:
        """The columns of the tables that are named already, and the values of the columns that are."""
        lexicon = self._lexicon
        near: set[Words] = set()
        columns: set[tuple[str, str]] = set()
        for start in range(len(words)):
            for n in lexicon.tables.lengths(words, start)[0]:
                for table in lexicon.tables.best(tuple(words[start : start + n])):
                    near.update(form_said(s) for (t, _), s in lexicon.shown_column.items() if t == table)
                    flags = lexicon.flags.entries.items()
                    near.update(form for form, places in flags if any(t == table for t, _ in places))
            for n in lexicon.columns.lengths(words, start)[0]:
                columns.update(lexicon.columns.entries[tuple(words[start : start + n])])
        for form, stored in lexicon.values.entries.items():
            if any((value.table, value.column) in columns for value in stored):
                near.add(form)
        return near


def phrases_of(expr: Expr) -> Iterable[Phrase]:
    """Yield the literal words of an expression."""
    match expr:
        case Phrase():
            yield expr
        case Seq(items) | Alt(items):
            for item in items:
                yield from phrases_of(item)
        case Opt(item):
            yield from phrases_of(item)
        case Star():
            yield from phrases_of(expr.item)
        case Term() | Rule():
            return


def _synonyms(bodies: Iterable[Expr]) -> Iterable[Words]:
    """Words that only ever are another way to say the first alternative of their rule."""
    first: set[Words] = set()
    others: set[Words] = {("please",)}
    for body in bodies:
        heads = [_head(item) for item in body.items] if isinstance(body, Alt) else [_head(body)]
        first.update(head for head in heads[:1] if head)
        if heads[0]:
            others.update(head for head in heads[1:] if head)
    return others - first


def _head(expr: Expr) -> Words:
    """The words that an expression begins with, if it begins with words."""
    if isinstance(expr, Phrase):
        return expr.words
    return _head(expr.items[0]) if isinstance(expr, Seq) and expr.items else ()
