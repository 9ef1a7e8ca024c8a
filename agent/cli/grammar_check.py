"""`jigwork grammar check`: what is wrong with a grammar, said as a compiler says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import click

from .documents import print_json
from .escape import clean, one_line
from .extras import need
from .grammar_file import GrammarFile, open_grammar
from .options import json_option

if TYPE_CHECKING:
    from jigwork.grammars import Diagnostic
    from jigwork.grammars.check import Target

    from .screen import Screen

__all__ = ["command"]

_TARGETS = ("openai", "llguidance", "lark", "gbnf")
_COLORS = {"error": "bold red", "warning": "bold yellow"}
_WITNESS = 200


@dataclass(frozen=True, slots=True)
class _Checked:
    """One grammar and its findings, each with the targets for which it was found."""

    file: GrammarFile
    targets: tuple[Target, ...]
    findings: dict[Diagnostic, list[Target]]


@click.command("check", short_help="Find what servers refuse or read differently, and texts that cannot be.")
@click.argument("files", metavar="GRAMMAR...", nargs=-1, required=True)
@click.option(
    "--target",
    "targets",
    multiple=True,
    type=click.Choice(_TARGETS),
    help="The server it is meant for; may be given several times (default: openai; llguidance for a JSON schema).",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5),
    default=5.0,
    show_default=True,
    help="Give up trying out a grammar after so long, and say so.",
)
@json_option
def command(files: tuple[str, ...], targets: tuple[Target, ...], seconds: float, as_json: bool) -> int:
    """Find what is wrong with grammars before a request is paid for.

    Each finding has a rule, a place, a text that shows it where there is one, the reason and the fix. The exit code
    is 0 where there are none, 1 where there are some.
    """
    need("cli", "jigwork grammar check")
    from .screen import Screen

    opened = [open_grammar(name) for name in files]
    screen = Screen()
    checked: list[_Checked] = []
    for file in opened:
        if not as_json:
            screen.note(f"trying out {one_line(file.name, 60)}")
        checked.append(_check(file, targets, seconds))
        if not as_json:
            _show(screen, checked[-1])
    if as_json:
        print_json(_document(checked))
    else:
        screen.line(one_line(_summary(checked)))
    return 1 if any(each.findings for each in checked) else 0


def _check(file: GrammarFile, targets: tuple[Target, ...], seconds: float) -> _Checked:
    wanted = tuple(dict.fromkeys(targets)) or cast(
        "tuple[Target, ...]", ("llguidance",) if file.kind == "json" else ("openai",)
    )
    findings: dict[Diagnostic, list[Target]] = {}
    for target in wanted:
        for finding in file.findings(target, seconds):
            findings.setdefault(finding, []).append(target)
    return _Checked(file, wanted, findings)


def _show(screen: Screen, checked: _Checked) -> None:
    from .grammar_screen import caret_lines
    from .screen import GUTTER

    for finding, targets in checked.findings.items():
        place = f":{finding.line}:{finding.column}" if finding.line else ""
        screen.fresh_line()
        screen.write(one_line(f"{checked.file.name}{place}: ") + " ", "bold")
        screen.write(f"{finding.severity} {one_line(finding.rule)}: ", _COLORS[finding.severity])
        screen.write(one_line(finding.message) + "\n")
        for line, style in zip(
            caret_lines(finding.excerpt, screen.width - GUTTER - 1), ("", "red"), strict=False
        ):
            screen.line((" " * GUTTER + line).rstrip(), style)
        rows = {
            "text": "" if finding.witness is None else _witness(finding.witness),
            "why": finding.why,
            "fix": finding.fix,
            "for": "" if len(targets) == len(checked.targets) else ", ".join(targets),
        }
        for name, text in rows.items():
            if text:
                screen.label(f"  {name}:", one_line(text))


def _witness(text: str) -> str:
    cut = text if len(text) <= _WITNESS else f"{text[:_WITNESS]}..."
    return clean(repr(cut))


def _counts(checked: list[_Checked]) -> dict[str, int]:
    found = [finding.severity for each in checked for finding in each.findings]
    return {severity: found.count(severity) for severity in ("error", "warning")}


def _summary(checked: list[_Checked]) -> str:
    parts = [
        f"{count} {severity}{'' if count == 1 else 's'}"
        for severity, count in _counts(checked).items()
        if count
    ]
    where = checked[0].file.name if len(checked) == 1 else f"{len(checked)} grammars"
    targets = ", ".join(dict.fromkeys(target for each in checked for target in each.targets))
    return f"{where}: {', '.join(parts) or 'clean'} (for {targets})"


def _document(checked: list[_Checked]) -> dict[str, Any]:
    counts = _counts(checked)
    return {
        "errors": counts["error"],
        "warnings": counts["warning"],
        "grammars": [
            {
                "name": each.file.name,
                "kind": each.file.kind,
                "targets": list(each.targets),
                "findings": [
                    {**finding.to_dict(), "targets": targets} for finding, targets in each.findings.items()
                ],
            }
            for each in checked
        ],
    }
