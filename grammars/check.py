"""`Grammar.check()`: the static rules here, everything that runs the grammar in a process that can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from jigwork.errors import GrammarError

from .derivation import Derivation
from .diagnostics import Diagnostic, diagnose
from .engine import compile_error
from .lint import lint, lint_regex
from .naming import shown
from .nodes import All, Choice, Document, Embedded, Name, Node, Not, Reference, Repeat, Source, Special, walk
from .reader import read
from .writer import write_node

__all__ = ["Target", "check"]

Target = Literal["openai", "llguidance", "lark", "gbnf"]


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a check may use, and what it is for. `pattern` is set where the grammar is one regular expression."""

    target: Target
    seconds: float
    megabytes: int
    pattern: str | None


_MANY = 1500
_LARGE = 64_000
_STALL = 2.0  # seconds without a sign of life in one probe: llguidance does not come back
_STAGES = ("coverage", "dialect", "hang")
_PLACE = re.compile(r"(?:at )?(\d+)\((\d+)\): (.*)", re.DOTALL)


def check(
    syntax: str, definition: str, *, target: Target, seconds: float, megabytes: int
) -> list[Diagnostic]:
    """All findings for a grammar, errors first, each group in the order of the text."""
    shift, pattern = 0, None
    if syntax == "regex":
        found = lint_regex(definition)
        if found:
            return found
        shift, pattern = len("start: /"), definition
        definition = (
            "start: /" + (definition if "\\/" in definition else definition.replace("/", "\\/")) + "/\n"
        )
    document = read(definition)
    found = lint(document)
    if not found:
        said = compile_error("lark", definition)
        found = (
            [_refusal(document.source, said)]
            if said
            else _running(document, _Limits(target, seconds, megabytes, pattern))
        )
    if shift:
        found = [_shifted(finding, shift) for finding in found if finding.rule != "W7"]
    found = _merged(list(dict.fromkeys(found)))
    return sorted(found, key=lambda f: (f.severity, f.line or 1 << 30, f.column or 0, f.rule))


def _merged(found: list[Diagnostic]) -> list[Diagnostic]:
    """A hang that was seen, and the terminal that was suspected of it, are one finding."""
    seen = {f.witness: f for f in found if f.rule == "E13" and f.line is None}
    merged: list[Diagnostic] = []
    for finding in found:
        twin = seen.get(finding.witness) if finding.rule == "E13" else None
        if twin is None:
            merged.append(finding)
        elif finding is not twin:
            merged.append(replace(twin, line=finding.line, column=finding.column, excerpt=finding.excerpt))
        elif not any(f.rule == "E13" and f is not twin and f.witness == twin.witness for f in found):
            merged.append(finding)
    return merged


def _running(document: Document, limits: _Limits) -> list[Diagnostic]:
    found = [*_structure(document), *_size(document, limits.target), *_foreign(document, limits.target)]
    found.extend(_Trial(document, limits).findings())
    if limits.target == "gbnf":
        found.extend(_gbnf(document))
    return found


def _refusal(source: Source, said: str) -> Diagnostic:
    place = _PLACE.match(said)
    if place and int(place[1]) <= source.text.count("\n") + 1:
        at = source.text.split("\n")[: int(place[1]) - 1]
        offset = sum(len(line) + 1 for line in at) + int(place[2]) - 1
        return diagnose(
            source, min(offset, len(source.text)), "E10", f"llguidance refuses this: {place[3].strip()}"
        )
    return diagnose(source, None, "E10", f"llguidance refuses the grammar: {said}")


def _structure(document: Document) -> Iterator[Diagnostic]:
    """E12: rules without a sentence, and definitions that nothing uses."""
    derivation = Derivation(document)
    used = {"start"}
    by_name = {d.name: d for d in document.definitions}
    stack: list[Node] = [by_name["start"].body, *document.ignores]
    while stack:
        for node in walk(stack.pop()):
            if isinstance(node, Name) and node.name in by_name and node.name not in used:
                used.add(node.name)
                stack.append(by_name[node.name].body)
    unknown = any(t.opaque for t in derivation.terminals.values())
    for definition in document.definitions:
        if definition.name not in used:
            finding = diagnose(
                document.source,
                definition.at,
                "E12",
                f"{definition.name} is never used",
                why="no text can hold it; it only makes the grammar longer (any server)",
                fix="drop it, or use it",
            )
            yield replace(finding, severity="warning")
        elif definition.name in derivation.productions and not derivation.productive(definition.name):
            if unknown:
                continue
            yield diagnose(
                document.source,
                definition.at,
                "E12",
                f"{definition.name} has no finite text: every alternative needs another {definition.name}",
                why="a model that gets here can never come to an end (any server)",
                fix="add an alternative that does not recurse",
            )


def _gbnf(document: Document) -> Iterator[Diagnostic]:
    """What GBNF cannot say (E10), and where it says more (W9)."""
    from .export import gbnf

    try:
        made = gbnf("lark", document.source.text)
    except GrammarError as error:
        at = None
        if error.line and error.column:
            at = (
                sum(len(line) + 1 for line in document.source.text.split("\n")[: error.line - 1])
                + error.column
                - 1
            )
        yield diagnose(
            document.source,
            at,
            "E10",
            f"GBNF cannot say this: {str(error).partition(': ')[2] or error}",
            why="llama.cpp without llguidance reads GBNF only",
            fix="write it with plain rules, or send to_llguidance()",
        )
        return
    for difference in made.differences:
        yield diagnose(
            document.source,
            None,
            "W9",
            f"GBNF accepts more than the grammar: {difference}",
            why="GBNF has no lexer; what a llama.cpp server writes is checked again here",
            fix="make the terminals that may stand at one place exclude each other",
        )


def _size(document: Document, target: Target) -> Iterator[Diagnostic]:
    text = document.source.text
    for definition in document.definitions:
        if definition.terminal:
            continue
        for node in walk(definition.body):
            if isinstance(node, Choice) and len(node.options) > _MANY:
                yield diagnose(
                    document.source,
                    definition.at,
                    "E14",
                    f"{definition.name} has {len(node.options)} alternatives; llguidance stops at 2000 in one row",
                    why="the request fails when the model gets here, not before (every server with llguidance)",
                    fix=f"put them into one terminal: {definition.name.upper()}: ...",
                )
    if len(text) > _LARGE and target == "openai":
        yield diagnose(
            document.source,
            None,
            "W10",
            f"the grammar has {len(text) // 1000} KB",
            why="OpenAI names no limit and may refuse a grammar as too complex; every request sends and pays for it",
            fix="leave out what the question does not need",
        )


def _foreign(document: Document, target: Target) -> Iterator[Diagnostic]:
    """W7: what llguidance knows and Lark does not, once for each kind."""
    if target == "llguidance":
        return
    seen: set[str] = set()
    for what, at, fix in _foreign_places(document):
        if what not in seen:
            seen.add(what)
            yield diagnose(
                document.source,
                at,
                "W7",
                f"{what} is known to llguidance only",
                why="OpenAI does not document it, Lark cannot load it, and there are no trees of such texts"
                if "{" not in what and "-" not in what
                else "OpenAI does not document it, and Lark cannot load it",
                fix=fix,
            )


def _foreign_places(document: Document) -> Iterator[tuple[str, int, str]]:
    for definition in document.definitions:
        if "-" in definition.name:
            yield "a - in a name", definition.at, f"write {definition.name.replace('-', '_')}"
        if definition.attributes:
            yield "[attributes] of a rule", definition.at, "say in the pattern where the text ends"
        if definition.parametric:
            yield "a parametric rule", definition.at, "write the alternatives out"
        for node in walk(definition.body):
            match node:
                case Repeat(sign="{", low=low, high=high):
                    fix = f"write ~{low}..{high}" if high else f"write ~{low} and then *"
                    yield "the count {m,n} after an item", node.at, fix
                case All() | Not():
                    yield "& and ~ in terminals", node.at, "write a pattern that says both"
                case Embedded(kind=kind) if kind != "if":
                    yield f"%{kind}", node.at, "write rules for it"
                case Special() | Reference():
                    yield write_node(node), node.at, "use it with servers of your own only"
                case _:
                    pass


class _Trial:
    """One grammar in a process of its own, watched."""

    def __init__(self, document: Document, limits: _Limits) -> None:
        self.document = document
        self.limits = limits

    def findings(self) -> Iterator[Diagnostic]:
        """Run all stages; where one does not come back, say so and go on with the next."""
        end = time.monotonic() + self.limits.seconds
        wanted: list[str] = list(_STAGES)
        while wanted and (left := end - time.monotonic()) > 0.2:
            stage, probe, reason = "", "", f"it took longer than {self.limits.seconds:g} s"
            lines = self._run(wanted, left)
            for line in lines:
                if "finding" in line:
                    yield Diagnostic(**line["finding"])
                elif "probe" in line:
                    probe = line["probe"]
                elif "end" in line:
                    reason = line["end"]
                elif "stage" in line:
                    stage, probe = line["stage"], ""
            if stage == "done":
                return
            yield self._stuck(stage, probe, reason)
            wanted = wanted[wanted.index(stage) + 1 :] if stage in wanted else []
        if wanted:
            yield self._stuck(wanted[0], "", f"it took longer than {self.limits.seconds:g} s")

    def _stuck(self, stage: str, probe: str, reason: str) -> Diagnostic:
        if stage == "hang" and probe:
            return diagnose(
                self.document.source,
                None,
                "E13",
                f"llguidance does not come back after {shown(probe[-60:])}: there is only one way on, for ever",
                why="one request with this grammar blocks a llama.cpp server for all others; others may time out",
                fix="take the characters of what follows out of the terminal, or bound it",
                witness=probe,
            )
        return diagnose(
            self.document.source,
            None,
            "W10",
            f"the check of the grammar was not finished ({stage or 'start'}): {reason}",
            why="what was not checked may be wrong",
            fix="make the grammar smaller, or give the check more: check(seconds=..., megabytes=...)",
        )

    def _run(self, wanted: list[str], seconds: float) -> Iterator[dict[str, Any]]:
        request = {
            "definition": self.document.source.text,
            "stages": wanted,
            "target": self.limits.target,
            "seconds": max(0.2, seconds - 0.5),
            "pattern": self.limits.pattern,
            "memory": self.limits.megabytes,
        }
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "jigwork.grammars.trial"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(_import_path())},
            text=True,
            encoding="utf-8",
        )
        silent = True
        try:
            for line in _watch(child, json.dumps(request), seconds):
                silent = False
                yield line
            if _status(child) not in (None, 0):
                yield {
                    "end": f"its process died with status {child.returncode}" + (" at once" if silent else "")
                }
        finally:
            child.kill()
            child.wait()


def _watch(child: subprocess.Popen[str], request: str, seconds: float) -> Iterator[dict[str, Any]]:
    """The lines of a process, until it ends, is silent in a probe for too long, or the time is over."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def talk() -> None:
        if child.stdin and child.stdout:
            with contextlib.suppress(OSError), child.stdin:  # a process that died has closed it
                child.stdin.write(request)
            for line in child.stdout:
                lines.put(line)
        lines.put("")

    threading.Thread(target=talk, daemon=True).start()
    end = time.monotonic() + seconds
    probing = False
    while (left := end - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=min(left, _STALL) if probing else left)
        except queue.Empty:
            return
        if not line:
            return
        data: dict[str, Any] = json.loads(line)
        probing = "probe" in data
        yield data


def _status(child: subprocess.Popen[str]) -> int | None:
    """The status of a process that has closed its output; None where it still runs."""
    try:
        return child.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return None


def _import_path() -> list[str]:
    """Where a child finds what this process has: its own path, in its order."""
    return list(dict.fromkeys(entry or os.getcwd() for entry in sys.path))


def _shifted(finding: Diagnostic, shift: int) -> Diagnostic:
    column = finding.column - shift if finding.column else None
    excerpt = "\n".join(line[shift:] for line in finding.excerpt.splitlines()).replace("/\n", "\n", 1)
    return replace(finding, column=column, excerpt=excerpt)
