"""`jigwork grammar repl`: type a text and see at every key whether it is right so far and what may follow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from jigwork.errors import GrammarError, GrammarLimitError, TextRejectedError
from jigwork.grammars import Explanation, Grammar, Next

from .escape import clean, one_line
from .extras import need
from .failures import FAILED
from .grammar_explain import show_explanation
from .grammar_file import open_grammar
from .grammar_screen import in_quotes
from .options import read_stdin
from .prompt import at_terminal

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.lexers import Lexer

    from .screen import Screen

__all__ = ["Typing", "command"]

_SECONDS = 1.0  # for one key
_TREE_LINES = 40
_Pieces = list[tuple[str, str]]


@click.command("repl", short_help="Type a text and see at every key what may follow.")
@click.argument("file", metavar="GRAMMAR")
def command(file: str) -> int:
    """Type a text and see at every key whether it is right so far, what may follow, and where it went wrong.

    Tab completes, Return shows the verdict and the tree, Alt-Return begins a new line, Ctrl-D leaves. Without a
    terminal every line of standard input is judged, and the exit code is 1 where one is not accepted.
    """
    need("cli", "jigwork grammar repl")
    from .screen import Screen

    if file == "-":
        raise click.UsageError(
            "the grammar cannot come from standard input, where the texts come from: name a file"
        )
    opened = open_grammar(file)
    grammar = opened.grammar()
    grammar.accepts("")  # what does not compile is said before the first key
    screen = Screen()
    if not at_terminal():
        return _lines(screen, grammar)
    screen.line(
        f"{one_line(opened.name)}: Tab completes, Return judges, Alt-Return new line, Ctrl-D leaves.", "dim"
    )
    session = _session(Typing(grammar))
    while True:
        try:
            text = session.prompt("> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return 0
        _judge(screen, grammar, text)


def _lines(screen: Screen, grammar: Grammar) -> int:
    codes = [_judge(screen, grammar, line, tree=False) for line in read_stdin().split("\n") if line]
    return max(codes, default=0)


def _judge(screen: Screen, grammar: Grammar, text: str, *, tree: bool = True) -> int:
    try:
        found = grammar.explain(text)
    except GrammarLimitError as error:
        screen.line(one_line(str(error)), "red")
        return FAILED
    show_explanation(screen, found)
    if found.accepted and tree:
        _show_tree(screen, grammar, text)
    return 0 if found.accepted else FAILED


def _show_tree(screen: Screen, grammar: Grammar, text: str) -> None:
    try:
        lines = grammar.parse(text).pretty().rstrip("\n").split("\n")
    except GrammarError as error:
        screen.line(f"no tree: {one_line(str(error))}", "dim")
        return
    for line in lines[:_TREE_LINES]:
        screen.line(clean(line), "dim")
    if len(lines) > _TREE_LINES:
        screen.line(f"... {len(lines) - _TREE_LINES} more lines", "dim")


@dataclass
class Typing:
    """What is known about a text while it is typed."""

    grammar: Grammar
    _known: dict[str, Next | Explanation | None] = field(
        default_factory=dict[str, Next | Explanation | None], init=False
    )

    def view(self, text: str) -> Next | Explanation | None:
        """What may follow a text, or why nothing may; None where that takes too long to tell."""
        if text not in self._known:
            if len(self._known) > 200:
                self._known.clear()
            try:
                self._known[text] = self.grammar.next(text, seconds=_SECONDS)
            except TextRejectedError as error:
                self._known[text] = error.explanation
            except GrammarLimitError:
                self._known[text] = None
        return self._known[text]

    def status(self, text: str) -> _Pieces:
        """Lines for below the text: styles and words."""
        found = self.view(text)
        match found:
            case None:
                return [("", "this text takes too long to judge at every key")]
            case Next(may_end=True):
                pieces = [("fg:ansigreen", "complete")]
            case Next():
                pieces = [("fg:ansiyellow", "not complete yet")]
            case Explanation():
                place = f"line {found.line}, column {found.column}"
                pieces = [("fg:ansired", f"wrong from {place}: {in_quotes(found.found)}")]
        nothing = "nothing: the text is at its end"
        pieces.append(("", f"\nnext: {clean(', '.join(found.expected)) or nothing}"))
        if found.forced:
            pieces.append(("", f"\ngoes on with {in_quotes(found.forced[:200])}"))
        if isinstance(found, Explanation) and found.nearest is not None:
            pieces.append(("", f"\ndid you mean {in_quotes(found.nearest[-200:])}"))
        return pieces

    def complete(self, text: str) -> list[str]:
        """What may be added to a text: what must follow, else the literals that may."""
        found = self.view(text)
        if not isinstance(found, Next):
            return []
        added = [found.forced] if found.forced else []
        for name in found.expected:
            literal = _literal(name)
            # the beginning of a literal may stand there already
            for done in range(min(len(literal), len(text)), -1, -1):
                rest = literal[done:]
                if text.endswith(literal[:done]) and rest and isinstance(self.view(text + rest), Next):
                    added.append(rest)
                    break
        return list(dict.fromkeys(added))


def _literal(name: str) -> str:
    """The text of an expected literal; empty for the name of a terminal."""
    if name[:1] == "'" and len(name) > 1:
        name = '"' + name[1:-1].replace('"', '\\"') + '"'
    return str(json.loads(name)) if name[:1] == '"' else ""


def _session(typing: Typing) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app

    def below() -> Any:
        return typing.status(get_app().current_buffer.text)

    return PromptSession(
        multiline=True,
        bottom_toolbar=below,
        lexer=_lexer(typing),
        completer=_completer(typing),
        complete_while_typing=False,
        key_bindings=_keys(),
    )


def _keys() -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _lexer(typing: Typing) -> Lexer:
    from prompt_toolkit.lexers import Lexer

    class Wrong(Lexer):
        """Colours what comes after the longest valid beginning."""

        def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
            found = typing.view(document.text)
            right = found.position if isinstance(found, Explanation) else len(document.text)
            starts = [0]
            for line in document.lines:
                starts.append(starts[-1] + len(line) + 1)

            def styled(number: int) -> StyleAndTextTuples:
                line = document.lines[number]
                cut = max(0, right - starts[number])
                return [("", line[:cut]), ("fg:ansired underline", line[cut:])]

            return styled

    return Wrong()


def _completer(typing: Typing) -> Completer:
    from prompt_toolkit.completion import Completer, Completion

    class FromGrammar(Completer):
        """Offers what the grammar allows at the cursor."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            for rest in typing.complete(document.text_before_cursor):
                yield Completion(rest, display=in_quotes(rest))

    return FromGrammar()
