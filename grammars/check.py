"""`Grammar.check()`: the static rules here, everything that runs the grammar in a process that can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from jigwork.errors import GrammarError, GrammarLimitError

from .diagnostics import Diagnostic, diagnose
from .foreign import foreign, size
from .lint import lint, lint_regex
from .naming import shown
from .nodes import Document, Source
from .reader import read
from .rule_fixes import RuleFixes
from .text_fixes import text_edits

__all__ = ["Target", "check", "check_text"]

Target = Literal["openai", "llguidance", "lark", "gbnf"]


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a check may use, and what it is for. `pattern` is set where the grammar is one regular expression."""

    target: Target
    seconds: float
    megabytes: int
    pattern: str | None


_STALL = 2.0  # seconds without a sign of life in one probe: llguidance does not come back
_STAGES = ("compile", "coverage", "dialect", "hang")


def check_text(
    text: str, *, target: Target = "openai", seconds: float = 5.0, megabytes: int = 2048
) -> list[Diagnostic]:
    """All findings for a text that is meant to be a Lark grammar, also where it is so wrong that it cannot be read.

    Says what `Grammar.check` says, which needs a grammar that can be made.
    """
    try:
        return check("lark", text, target=target, seconds=seconds, megabytes=megabytes)
    except GrammarLimitError:
        raise
    except GrammarError as error:
        return [_unreadable(Source(text), error)]


def _unreadable(source: Source, error: GrammarError) -> Diagnostic:
    """What stopped the reader, as a finding."""
    at = source.offset(error.line, error.column) if error.line and error.column else None
    place = f"line {error.line}, column {error.column}: "
    message, _, fix = str(error).removeprefix(place).partition("; ")
    why = "this is no grammar, so every server refuses it"
    found = diagnose(source, at, error.rule or "E8", message, why=why, fix=fix)
    return found if at is None or error.rule == "E9" else replace(found, edits=text_edits(source, at))


def check(
    syntax: str, definition: str, *, target: Target, seconds: float, megabytes: int
) -> list[Diagnostic]:
    """All findings for a grammar, errors first, each group in the order of the text."""
    started = time.monotonic()
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
        # reading a megabyte takes its time as well, and so does what comes after the trial
        left = max(0.5, seconds - 1.5 * (time.monotonic() - started))
        found = _running(document, _Limits(target, left, megabytes, pattern))
    if shift:
        found = [_shifted(finding, shift) for finding in found if finding.rule != "W7"]
    elif found:
        fixes = RuleFixes(document)
        found = [replace(finding, edits=fixes.edits(finding)) for finding in found]
    found = _merged(list(dict.fromkeys(found)))
    return sorted(found, key=lambda f: (f.severity, f.line or 1 << 30, f.column or 0, f.rule))


def _merged(found: list[Diagnostic]) -> list[Diagnostic]:
    """A hang that was seen, and the terminal that was suspected of it, are one finding."""
    hang = next((f for f in found if f.rule == "E13" and f.line is None), None)
    suspect = next((f for f in found if f.rule == "E13" and f.line is not None), None)
    if hang is None or suspect is None:
        return found
    fix = suspect.fix or hang.fix
    one = replace(hang, line=suspect.line, column=suspect.column, excerpt=suspect.excerpt, fix=fix)
    return [one if f is suspect else f for f in found if f is not hang]


def _running(document: Document, limits: _Limits) -> list[Diagnostic]:
    found = [*size(document, limits.target), *foreign(document, limits.target)]
    long = any(finding.rule == "E14" for finding in found)  # each mask of it takes long, and then is refused
    tried = list(_Trial(document, limits).findings(_STAGES[:-1] if long else _STAGES))
    refused = [f for f in tried if f.rule == "E10" and limits.target != "gbnf"]
    return refused or [*found, *(f for f in tried if not (long and f.rule == "W10"))]


class _Trial:
    """One grammar in a process of its own, watched."""

    def __init__(self, document: Document, limits: _Limits) -> None:
        self.document = document
        self.limits = limits

    def findings(self, stages: tuple[str, ...]) -> Iterator[Diagnostic]:
        """Run the stages; where one does not come back, say so and go on with the next."""
        end = time.monotonic() + self.limits.seconds
        wanted: list[str] = list(stages)
        while wanted and (left := end - time.monotonic()) > 0.2:
            stage, reason = "", f"it took longer than {self.limits.seconds:.2g} s"
            probe: str | None = None
            lines = self._run(wanted, left)
            for line in lines:
                if "finding" in line:
                    yield Diagnostic.from_dict(line["finding"])
                elif "probe" in line:
                    probe = line["probe"]
                elif "end" in line:
                    reason = line["end"]
                elif "stage" in line:
                    stage, probe = line["stage"], None
            if stage == "done":
                return
            yield self._stuck(stage, probe, reason)
            if stage in ("", "compile"):  # without it there is nothing to go on with
                return
            wanted = wanted[wanted.index(stage) + 1 :] if stage in wanted else []
        if wanted:
            yield self._stuck(wanted[0], None, f"it took longer than {self.limits.seconds:.2g} s")

    def _stuck(self, stage: str, probe: str | None, reason: str) -> Diagnostic:
        if stage == "hang" and probe is not None:
            place = f"after {shown(probe[-60:])}" if probe else "at the beginning of a text"
            return diagnose(
                self.document.source,
                None,
                "E13",
                f"llguidance does not come back {place}: there is only one way on, for ever",
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
