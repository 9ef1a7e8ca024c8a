"""The grammar that a command is about: from a file, stdin, the user's own modules or the ready ones."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from jigwork.errors import GrammarError, GrammarLimitError
from jigwork.grammars import Diagnostic, Grammar, check_text

from .load import load_target
from .options import read_stdin

if TYPE_CHECKING:
    from jigwork.grammars.check import Target

__all__ = ["GrammarFile", "open_grammar"]

_UNREADABLE = "this is no grammar, so every server refuses it"
_NO_SCHEMA = "this cannot be enforced, and a schema is enforced whole or not at all"


@dataclass(frozen=True, slots=True)
class GrammarFile:
    """A grammar as its author wrote it, right or wrong. `name` is what findings begin with."""

    name: str
    text: str
    kind: Literal["lark", "regex", "json"] = "lark"

    @property
    def stem(self) -> str:
        """The name without folder and ending."""
        return Path(self.name).stem

    def grammar(self) -> Grammar:
        """Return the grammar. Raises GrammarError that names the file and the place."""
        try:
            return self._made()
        except GrammarError as error:
            finding = self._finding(error)
            place = f":{finding.line}:{finding.column}" if finding.line else ""
            fix = f"; {finding.fix}" if finding.fix else ""
            raise GrammarError(
                f"{self.name}{place}: {finding.message}{fix}",
                line=finding.line,
                column=finding.column,
                rule=error.rule,
            ) from error

    def findings(self, target: Target, seconds: float) -> list[Diagnostic]:
        """Return what `Grammar.check()` says, and what is too wrong to get that far."""
        try:
            if self.kind == "lark":
                return check_text(self.text, target=target, seconds=seconds)
            if self.kind == "regex":
                return Grammar(self.text, self.kind).check(target=target, seconds=seconds)
            found = self._made().check(target=target, seconds=seconds)
        except GrammarLimitError:
            raise
        except GrammarError as error:
            return [self._finding(error)]
        # The places are those of the text that was made from the schema; the author has never seen it.
        return [replace(finding, line=None, column=None, excerpt="", edits=()) for finding in found]

    def _made(self) -> Grammar:
        if self.kind == "json":
            return Grammar.from_json_schema(self.text, name=self.stem)
        if self.kind == "regex":
            return Grammar.from_regex(self.text, name=self.stem)
        return Grammar.from_lark(self.text, name=self.stem)

    def _finding(self, error: GrammarError) -> Diagnostic:
        """What a constructor raised, as a finding with its line."""
        message, line, column = str(error), error.line, error.column
        if self.kind == "json" and isinstance(error.__cause__, json.JSONDecodeError):
            cause = error.__cause__
            message, line, column = f"the schema is not JSON: {cause.msg}", cause.lineno, cause.colno
        message, _, fix = message.removeprefix(f"line {line}, column {column}: ").partition("; ")
        why = _NO_SCHEMA if self.kind == "json" else _UNREADABLE
        found = Diagnostic(error.rule or "E8", "error", message, why, fix, line, column)
        lines = self.text.split("\n")
        if line is None or column is None or not 0 < line <= len(lines):
            return found
        start = max(0, column - 50)
        shown = lines[line - 1].replace("\t", " ")[start : start + 100]
        return replace(found, excerpt=f"{shown}\n{' ' * (column - 1 - start)}^")


def open_grammar(argument: str) -> GrammarFile:
    """Find the grammar that an argument names. Raises a usage error where there is none."""
    if argument == "-":
        return _typed("<stdin>", read_stdin())
    path = Path(argument)
    try:
        if path.is_dir():
            raise click.UsageError(f"{argument} is a folder: name a file in it")
        if path.exists():
            return _typed(argument, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{argument} is not UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise click.UsageError(f"{argument} cannot be read: {error.strerror}") from error
    if ":" in argument:
        return _own(argument, load_target(argument))
    return _ready(argument)


def _typed(name: str, text: str) -> GrammarFile:
    """A text by its name and its first sign: no Lark grammar begins with a brace."""
    is_json = name.endswith(".json") or (not name.endswith(".lark") and text.lstrip().startswith("{"))
    return GrammarFile(name, text, "json" if is_json else "lark")


def _own(argument: str, value: Any) -> GrammarFile:
    """A grammar, a tool that has one, or a model or schema, out of the user's own code."""
    value = getattr(value, "grammar", None) or value
    if isinstance(value, Grammar):
        return GrammarFile(argument, value.definition, value.syntax)
    from jigwork.grammars.json_schema import schema_of

    try:
        return GrammarFile(argument, json.dumps(schema_of(value), ensure_ascii=False), "json")
    except (GrammarError, TypeError) as error:
        raise click.UsageError(
            f"{argument} is a {type(value).__name__}: name a Grammar, a @tool with a grammar, or a pydantic model"
        ) from error


def _ready(name: str) -> GrammarFile:
    from difflib import get_close_matches

    from jigwork.grammars import library, library_names

    names = library_names()
    if name in names:
        return GrammarFile(name, library(name).definition)
    if not name.isidentifier():
        raise click.UsageError(f"there is no file {name}")
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"ready are {', '.join(names)}"
    raise click.UsageError(f"{name} is no file and no ready grammar: {hint}")
