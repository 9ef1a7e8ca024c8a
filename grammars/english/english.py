"""Controlled English over one database: questions in, SQL and a read-back out, nothing guessed.

Built from a `Schema`; used by the offline model and by the prompt of the command line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from jigwork.grammars.schema import Schema

from .aliases import Aliases, AliasSource, load_aliases
from .choices import Choices, Trouble, explore
from .columns import FAR
from .compile import Compiler
from .engine import Node, Reach, TooMany, fragments, load_rules, parse
from .hints import Hints
from .joins import Joins
from .names import Lexicon, word_of
from .phrase import Phraser
from .problems import AmbiguousQuestion, NotUnderstood, Place
from .propose import CLAUSES, Part, Proposer
from .query import Query
from .questions import Questions
from .readback import Readback
from .rules import RULES
from .tokens import Token, tokenize
from .trusted import TrustedQuestions
from .use import ToolUse, complete_use, is_use, read_use, usable
from .values import MONTHS

if TYPE_CHECKING:
    from jigwork.grammars.linking import Linker
    from jigwork.grammars.sql.trusted import TrustedQuery

    from .free import Suggester, Suggestions

__all__ = ["English", "Reading", "read_tool_use"]

_MOST_TOKENS, _LONGEST = 120, 2000
_TOO_LONG = "the question is too long: ask in several steps"
_LARGE = 40
"""Tables from which on a free question is read over a part of them."""
_PART = 10
_MOST_READINGS = 6
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)")
_DATE = re.compile(r"\d{4}-\d{1,2}(?:-\d{1,2})?")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
_COUNTS = {
    w: str(i)
    for i, w in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a question means. `columns` are the titles of the result, `limit` the most rows that it may have.

    `capped` says that this limit is not the question's, so that a full result may not be all there is. `question`
    is the same question in its plainest form, which reads the same. For `use TOOL with ...` the kind is "tool",
    and `tool` and `arguments` say what to call; there is no `sql` then. `trusted` names the query that is called,
    and its author; `sql` is the call then.
    """

    kind: Literal["list", "number", "groups", "tool"]
    readback: str
    question: str
    sql: str = ""
    columns: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    limit: int = 0
    capped: bool = False
    query: Query | None = None
    tool: str | None = None
    trusted: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


class English:
    """The language of one schema. `max_rows` is the LIMIT of a question that has none.

    `aliases` is a mapping or a TOML file (see `jigwork.grammars.english.aliases`); `tools` are function definitions
    as the Responses API has them, for `use TOOL with NAME VALUE`. `now` is the day that `today` and `last month` go
    by, or what gives it (default: the day of this machine); the read-back says the dates. `trusted` are checked
    queries that are called when one asks their question; with `trusted_only` nothing else may be asked. Raises
    ConfigurationError for wrong aliases.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        aliases: AliasSource | Aliases | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        max_rows: int = 1000,
        now: date | Callable[[], date] | None = None,
        trusted: Sequence[TrustedQuery] = (),
        trusted_only: bool = False,
    ) -> None:
        self.schema = schema
        self._trusted = TrustedQuestions(trusted, schema.dialect, only=trusted_only)
        self.tools = tuple(tools)
        self.max_rows = max_rows
        self._now = now
        self.joins = Joins(schema)
        self._aliases = load_aliases(aliases, schema)
        self.lexicon = Lexicon(schema, self.joins, self._aliases)
        self.rules = load_rules(RULES)
        self._phrasers = [Phraser(self.lexicon, self.joins, quoted=quoted) for quoted in (False, True)]
        self._hints = Hints(self.lexicon, self.rules)
        self._first_words = {
            form[0] for form in (*self.lexicon.tables.entries, *self.lexicon.columns.entries)
        }
        self._readback = Readback(self.lexicon, self.joins)
        self._compiler = Compiler(schema, self.joins, max_rows)

    @cached_property
    def grammar(self) -> str:
        """The language as Lark text, for `Grammar.from_lark`: questions in their canonical spacing."""
        from .larktext import lark_text

        return lark_text(self.rules, self.lexicon, self.tools)

    def read(self, question: str) -> Reading:
        """Return the one meaning of the question; raises NotUnderstood or AmbiguousQuestion (QuestionErrors)."""
        use = read_tool_use(question, self.tools, self)
        if use is not None:
            return use
        if (called := self._trusted.read(question)) is not None:
            query, call, said = called
            return Reading(
                "list", f"{said or query.name} ({query.label})", question, call, trusted=query.label
            )
        tokens = tokenize(question)
        if not tokens:
            raise NotUnderstood(
                "there is no question", Place(question, 0, 0), expected=("count", "list", "top 5")
            )
        if len(tokens) > _MOST_TOKENS:
            place = Place(question, tokens[_MOST_TOKENS].start, len(question))
            raise NotUnderstood(_TOO_LONG, place)
        nodes, reach = self.parse(tokens, question)
        if not nodes:
            problem = self._hints.problem(question, tokens, reach)
            raise problem.with_proposals(self._proposals(question, problem))
        return self._only(question, tokens, nodes)

    def parse(self, tokens: Sequence[Token], question: str = "") -> tuple[list[Node], Reach]:
        """Return every derivation of the tokens, and how far the reader came."""
        words = self._word_list(tokens)
        match = _Match(self.lexicon, tokens, words)
        try:
            return parse(self.rules, words, match)
        except TooMany:
            place = Place(question, 0, len(question))
            raise NotUnderstood("this can be taken apart in too many ways: use parentheses", place) from None

    @staticmethod
    def _word_list(tokens: Sequence[Token]) -> list[str]:
        return [word_of(token) or (token.value if token.kind == "punct" else "\x00") for token in tokens]

    def _only(self, question: str, tokens: Sequence[Token], nodes: list[Node]) -> Reading:
        cost, found, troubles = self._meanings(nodes)
        if not found:
            raise self._trouble(question, tokens, troubles)
        if len(found) > 1:
            raise self._ambiguous(question, found)
        if cost >= FAR:
            raise self._far(question, found[0])
        try:
            return self.reading(found[0])
        except Trouble as trouble:
            raise self._trouble(question, tokens, [trouble]) from None

    def _meanings(self, nodes: list[Node]) -> tuple[int, list[Query], list[Trouble]]:
        """Return the meanings of the lowest cost (names as near as possible to where they stand), and that cost."""
        found: dict[Query, int] = {}
        troubles: list[Trouble] = []
        for node in nodes:
            try:
                results, failed = explore(partial(self._resolve, node))
            except Trouble as trouble:
                troubles.append(trouble)
                continue
            troubles.extend(failed)
            for cost, query in results:
                found[query] = min(cost, found.get(query, cost))
        low = min(found.values(), default=0)
        return low, [query for query, cost in found.items() if cost == low], troubles

    def _resolve(self, node: Node, choices: Choices) -> Query:
        return Questions(self.lexicon, self.joins, choices, self.today()).resolve(node)

    def today(self) -> date:
        """Return the day that relative dates go by."""
        now = self._now() if callable(self._now) else self._now or date.today()
        return now.date() if isinstance(now, datetime) else now

    def means(self, question: str) -> list[Query]:
        """Return the meanings that `read` would choose between; none where it would not understand."""
        try:
            nodes, _ = self.parse(tokenize(question), question)
        except NotUnderstood:
            return []
        cost, found, _ = self._meanings(nodes)
        return found if cost < FAR else []

    def phrase(self, query: Query) -> str:
        """Return a question that reads as this query: in plain words where they suffice, else with quoted names."""
        text = ""
        for phraser in self._phrasers:
            text = phraser.question(query)
            found = self.means(text)
            if len(found) == 1 and self._alike(found[0], query):
                return text
        return text

    def _alike(self, one: Query, other: Query) -> bool:
        if one == other:
            return True
        try:
            return self._write(one) == self._write(other)
        except Trouble:
            return False

    def _write(self, query: Query) -> tuple[str, tuple[str, ...]]:
        return self._compiler.write(query)

    def reading(self, query: Query) -> Reading:
        """Return the reading of a query that is already understood."""
        sql, columns = self._write(query)
        single = bool(query.measures) and not query.keys
        capped = not single and (bool(query.each) or query.limit is None or query.limit > self.max_rows)
        tables = tuple(
            table.name for table in self.schema.tables if _mentions(sql, table.name, self.schema.dialect)
        )
        return Reading(
            kind="list" if not query.measures else "groups" if query.keys else "number",
            sql=sql,
            readback=self._readback.sentence(query, limit=self.max_rows if capped else None),
            columns=columns,
            tables=tables,
            limit=1 if single else self.max_rows if capped else query.limit or self.max_rows,
            capped=capped,
            question=self.phrase(query),
            query=query,
        )

    # --- errors ---------------------------------------------------------------------------------------------

    def _ambiguous(self, question: str, queries: list[Query]) -> AmbiguousQuestion:
        shown = queries[:_MOST_READINGS]
        readings = tuple(self.phrase(query) for query in shown)
        return AmbiguousQuestion(
            question, readings, tuple(self._readback.sentence(query, limit=None) for query in shown)
        )

    def _far(self, question: str, query: Query) -> NotUnderstood:
        """A table or column that was not named and can only be guessed: the question that names it is offered."""
        reason = "this leaves out what it is about: name the column, and the table it belongs to"
        return NotUnderstood(reason, Place(question, 0, len(question)), proposals=(self.phrase(query),))

    def _trouble(self, question: str, tokens: Sequence[Token], troubles: list[Trouble]) -> NotUnderstood:
        trouble = max(troubles, key=lambda each: each.depth)
        start, end = 0, len(question)
        if trouble.node is not None and trouble.node.start < len(tokens):
            start = tokens[trouble.node.start].start
            end = tokens[max(trouble.node.end, trouble.node.start + 1) - 1].end
        place = Place(question, start, end)
        meant = tuple(self.phrase(query) for query in trouble.queries)
        proposals = trouble.proposals or meant or (self.propose(question) if trouble.depth < 3 else ())
        return NotUnderstood(trouble.reason, place, suggestions=trouble.suggestions, proposals=proposals)

    def begins_with(self, word: str) -> bool:
        """Tell whether some table or column begins with the word."""
        return word in self._first_words

    # --- help -----------------------------------------------------------------------------------------------

    def _proposals(self, question: str, problem: NotUnderstood) -> tuple[str, ...]:
        """The question with the word put right, then others that are near it; at the least, where one can begin."""
        start, end = problem.place.start, problem.place.end
        mended = [question[:start] + word + question[end:] for word in problem.suggestions if start < end]
        found = [text for text in mended if len(self.means(text)) == 1][:1] + list(self.propose(question))
        if not found and not problem.suggestions:
            tables = [forms[1] for forms in self.lexicon.shown_table.values()]
            found = [f"{verb} {name}" for verb, name in zip(("count", "list"), tables, strict=False)]
        return tuple(dict.fromkeys(found))[:3]

    def propose(self, question: str) -> tuple[str, ...]:
        """Return at most three questions of the language for a free question. Each has one reading; none is run."""
        return tuple(proposal.question for proposal in self.suggest(question).proposals)

    def suggest(self, question: str) -> Suggestions:
        """Return the same with what was assumed, and which of them may be taken without asking, if any.

        Of a large schema only the tables that the question is about are looked at.
        """
        if self._trusted.only or len(question) > _LONGEST:
            from .free import Suggestions

            why = "only the trusted questions can be asked here" if self._trusted.only else _TOO_LONG
            return Suggestions(question, (), None, why)
        if len(self.schema.tables) <= _LARGE:
            return self._suggester.suggest(question)
        from jigwork.grammars.sql.focus import focus

        from .free import Suggestions

        part = focus(self.schema, question, tables=_PART, linker=self._linker)
        if part is self.schema:
            return Suggestions(question, (), None, "no table or column here is called so")
        found = English(part, aliases=self._aliases, max_rows=self.max_rows, now=self._now).suggest(question)
        return found.only(self._reads_as)

    @cached_property
    def _linker(self) -> Linker:
        from jigwork.grammars.linking import Linker

        return Linker(self.schema, tables=self._aliases.tables, columns=self._aliases.columns)

    def _reads_as(self, question: str, sql: str) -> bool:
        found = self.means(question)
        return len(found) == 1 and self._write(found[0])[0] == sql

    @cached_property
    def _suggester(self) -> Suggester:
        from .free import Suggester

        return Suggester(self)

    def near(self, question: str) -> tuple[str, ...]:
        """Return questions that keep clauses, names and values of a free question, whatever becomes of the rest."""
        try:
            tokens = tokenize(question)[:_MOST_TOKENS]
        except NotUnderstood:
            tokens = []
        words = self._word_list(tokens) or question.lower().split()
        parts = self._parts(question, tokens)
        found: list[str] = []
        for candidate in Proposer(self.lexicon, self.joins, self._is_clause).proposals(words, parts):
            meanings = self.means(candidate)
            if len(meanings) == 1:
                found.append(self.phrase(meanings[0]) if parts else candidate)
        return tuple(dict.fromkeys(found))[:3]

    def _parts(self, question: str, tokens: Sequence[Token]) -> list[Part]:
        """The clauses in a question that is not understood as a whole."""
        match = _Match(self.lexicon, tokens, words := self._word_list(tokens))
        try:
            nodes = fragments(self.rules, words, match, [*CLAUSES])
        except TooMany:
            return []
        texts = [question[tokens[node.start].start : tokens[node.end - 1].end] for node in nodes]
        return [Part(node.name, text, node.start, node.end) for node, text in zip(nodes, texts, strict=True)]

    def _is_clause(self, question: str) -> bool:
        return len(self.means(question)) == 1

    def complete(self, prefix: str) -> list[str]:
        """Return what may follow: each replaces the unfinished last word of `prefix` (after its last space)."""
        if is_use(prefix) and usable(self.tools):
            return complete_use(prefix, self.tools)
        known = self._trusted.complete(prefix)
        if self._trusted.only:
            return known
        finished, unfinished = prefix, ""
        if prefix and not prefix[-1].isspace():
            cut = max(prefix.rfind(char) for char in " (\t,") + 1
            finished, unfinished = prefix[:cut], prefix[cut:]
        try:
            tokens = tokenize(finished + "\N{ZERO WIDTH SPACE}")[:-1] if finished.strip() else []
            _, reach = self.parse(tokens[:_MOST_TOKENS])
        except NotUnderstood:
            return []
        free = self._hints.completions(self._word_list(tokens), reach, unfinished)
        return list(dict.fromkeys([*known, *free]))


def read_tool_use(
    question: str, tools: Sequence[Mapping[str, Any]], english: English | None = None
) -> Reading | None:
    """Read `use TOOL with NAME VALUE, ...`; None for any other sentence. Raises NotUnderstood.

    `english` is asked whether `use` may begin a name of its schema, which then wins where there are no tools.
    """
    if not is_use(question) or (english is not None and not usable(tools) and english.begins_with("use")):
        return None
    use = read_use(question, tools)
    return Reading("tool", _said(use), question.strip(), tool=use.tool, arguments=use.arguments)


def _said(use: ToolUse) -> str:
    """The read-back of a tool call."""
    given = ", ".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in use.arguments.items()
    )
    return f"Call the tool {use.tool}{f' with {given}' if given else ' without arguments'}."


def _mentions(sql: str, table: str, dialect: str) -> bool:
    from jigwork.grammars.sql.names import quote_name

    quoted = re.escape(quote_name(table, dialect))
    return re.search(rf"(?:FROM|JOIN) {quoted}(?= |\)|$)", sql) is not None


class _Match:
    """Matches the terminals of the rules at a token."""

    def __init__(self, lexicon: Lexicon, tokens: Sequence[Token], words: Sequence[str]) -> None:
        self._lexicon = lexicon
        self._tokens = tokens
        self._words = words

    def __call__(self, term: str, start: int) -> tuple[list[tuple[int, Any]], int]:
        lexicon = self._lexicon
        match term:
            case "TABLE":
                ends, partial = lexicon.tables.lengths(self._words, start)
                forms = [(n, tuple(self._words[start : start + n])) for n in ends]
                return [
                    (start + n, table) for n, form in forms for table in lexicon.tables.best(form)
                ], partial
            case "ONE":
                ends, partial = lexicon.tables.lengths(self._words, start)
                return [
                    (start + n, table)
                    for n in ends
                    if lexicon.is_one(form := tuple(self._words[start : start + n]))
                    for table in lexicon.tables.best(form)
                ], partial
            case "COLUMN":
                return self._forms([lexicon.columns], start)
            case "NOUN":
                return self._forms([lexicon.tables, lexicon.roles], start)
            case "FLAG":
                return self._forms([lexicon.flags], start)
            case "DEED":
                return self._forms([lexicon.deeds], start)
            case "VIA":
                return self._forms([lexicon.vias], start)
            case "STORED":
                ends, partial = lexicon.values.lengths(self._words, start)
                said = [(n, " ".join(token.text for token in self._tokens[start : start + n])) for n in ends]
                return [(start + n, text) for n, text in said], partial
            case _:
                return self._literal(term, start), 0

    def _forms(self, names: Sequence[Any], start: int) -> tuple[list[tuple[int, Any]], int]:
        found: dict[int, tuple[str, ...]] = {}
        furthest = 0
        for forms in names:
            ends, partial = forms.lengths(self._words, start)
            furthest = max(furthest, partial)
            found.update({n: tuple(self._words[start : start + n]) for n in ends})
        return [(start + n, form) for n, form in sorted(found.items())], furthest

    def _literal(self, term: str, start: int) -> list[tuple[int, Any]]:
        if start >= len(self._tokens):
            return []
        token = self._tokens[start]
        if term == "TEXT":
            return [(start + 1, token.value)] if token.kind == "text" else []
        if token.kind != "word":
            return []
        value: str | None = None
        match term:
            case "NUMBER":
                value = token.value if _NUMBER.fullmatch(token.value) else _COUNTS.get(token.value)
            case "COUNT":
                value = (
                    token.value
                    if token.value.isascii() and token.value.isdigit()
                    else _COUNTS.get(token.value)
                )
            case "DATE":
                value = token.value if _DATE.fullmatch(token.value) else None
            case "MONTH":
                value = token.value if token.value in MONTHS else None
            case "DAYNUM":
                day = _DAY.fullmatch(token.value)
                value = day.group(1) if day else None
            case "YEARNUM":
                value = token.value if re.fullmatch(r"\d{4}", token.value) else None
            case _:
                raise AssertionError(f"no such terminal: {term}")
        return [] if value is None else [(start + 1, value)]
