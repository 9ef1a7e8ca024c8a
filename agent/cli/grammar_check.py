"""`jigwork grammar check`: what is wrong with a grammar, said as a compiler says it, and put right where that is safe."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import click

from .documents import print_json
from .escape import clean, one_line
from .extras import need
from .grammar_file import GrammarFile, open_grammar
from .grammar_fix import difference, fixable, write
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
    """One grammar and its findings, each with the targets for which it was found. `fixed` are those that are gone from
    `text`, which is None where nothing was to be fixed."""

    file: GrammarFile
    targets: tuple[Target, ...]
    findings: dict[Diagnostic, list[Target]]
    fixed: tuple[Diagnostic, ...] = ()
    text: str | None = None

    @property
    def changed(self) -> bool:
        """Whether the text is another one now."""
        return self.text is not None and self.text != self.file.text


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
@click.option(
    "--fix",
    "fix",
    is_flag=True,
    help="Make the fixes that are safe, in the file itself; the text of standard input goes to standard output.",
)
@click.option(
    "--diff", "diff", is_flag=True, help="With --fix: show what would be changed, and write nothing."
)
@json_option
def command(files: tuple[str, ...], targets: tuple[Target, ...], seconds: float, **options: bool) -> int:
    """Find what is wrong with grammars before a request is paid for.

    Each finding has a rule, a place, a text that shows it where there is one, the reason and the fix. A fix is safe, and
    made by --fix, where the texts of the grammar stay what they are or were surely meant to be. The exit code is 0 where
    nothing is found, or left after --fix, and 1 where something is (with --diff also where something would be changed).
    """
    need("cli", "jigwork grammar check")
    from .screen import Screen

    as_json, fix, diff = options["as_json"], options["fix"], options["diff"]
    if diff and not fix:
        raise click.UsageError("--diff shows what --fix would change: give both")
    opened = [open_grammar(name) for name in files]
    if fix:
        opened = [fixable(name, file) for name, file in zip(files, opened, strict=True)]
    text_out = fix and not as_json and (diff or "-" in files)
    screen = Screen(sys.stderr if text_out else None)
    checked: list[_Checked] = []
    for name, file in zip(files, opened, strict=True):
        if not as_json:
            screen.note(f"trying out {one_line(file.name, 60)}")
        checked.append(_fix(file, targets, seconds) if fix else _check(file, targets, seconds))
        if fix and not diff and name != "-":
            write(name, checked[-1].file.text, checked[-1].text)
        if not as_json:
            _show(screen, checked[-1], fix=fix, several=len(files) > 1)
    if as_json:
        print_json(_document(checked, diff=diff))
    else:
        screen.line(one_line(_summary(checked, fix=fix, diff=diff)))
        for name, each in zip(files, checked, strict=True) if text_out else ():
            shown = difference(each.file, each.text) if diff else each.text or ""
            if diff or name == "-":
                sys.stdout.write(clean(shown) if sys.stdout.isatty() else shown)
    left = any(each.findings for each in checked) or (diff and any(each.changed for each in checked))
    return 1 if left else 0


def _check(file: GrammarFile, targets: tuple[Target, ...], seconds: float) -> _Checked:
    wanted = tuple(dict.fromkeys(targets)) or cast(
        "tuple[Target, ...]", ("llguidance",) if file.kind == "json" else ("openai",)
    )
    findings: dict[Diagnostic, list[Target]] = {}
    for target in wanted:
        for finding in file.findings(target, seconds):
            findings.setdefault(finding, []).append(target)
    return _Checked(file, wanted, findings)


def _fix(file: GrammarFile, targets: tuple[Target, ...], seconds: float) -> _Checked:
    """Make what is safe, for one target after the other."""
    from jigwork.grammars import fix_text

    wanted: tuple[Target, ...] = tuple(dict.fromkeys(targets)) or ("openai",)
    text = file.text
    fixed: list[Diagnostic] = []
    findings: dict[Diagnostic, list[Target]] = {}
    for target in wanted:
        found = fix_text(text, target=target, seconds=seconds)
        fixed += found.made
        if found.text != text:
            text, findings = found.text, {}
        for finding in found.left:
            findings.setdefault(finding, []).append(target)
    if len(wanted) > 1 and fixed:  # what was said for a target before may be gone
        findings = _check(GrammarFile(file.name, text), wanted, seconds).findings
    return _Checked(file, wanted, findings, tuple(fixed), text)


def _show(screen: Screen, checked: _Checked, *, fix: bool, several: bool) -> None:
    from .screen import GUTTER

    for finding in checked.fixed:
        screen.fresh_line()
        screen.write(f"{one_line(checked.file.name)}: " if several else "", "bold")
        screen.write(f"fixed {one_line(finding.rule)}", "bold green")
        place = f" line {finding.line}" if finding.line else ""
        screen.write(f"{place}: {one_line(finding.message)}\n")
    for finding, targets in checked.findings.items():
        place = f":{finding.line}:{finding.column}" if finding.line else ""
        screen.fresh_line()
        screen.write(one_line(f"{checked.file.name}{place}: ") + " ", "bold")
        screen.write(f"{finding.severity} {one_line(finding.rule)}: ", _COLORS[finding.severity])
        screen.write(one_line(finding.message) + "\n")
        place_lines = finding.caret(max(20, min(100, screen.width - GUTTER - 1))) or ()
        for line, style in zip(place_lines, ("", "red"), strict=False):
            screen.line((" " * GUTTER + clean(line)).rstrip(), style)
        rows = {
            "text": "" if finding.witness is None else _witness(finding.witness),
            "why": finding.why,
            "fix": _by_hand(finding) if fix and not finding.edits else finding.fix,
            "for": "" if len(targets) == len(checked.targets) else ", ".join(targets),
        }
        for name, text in rows.items():
            if text:
                screen.label(f"  {name}:", one_line(text))


def _by_hand(finding: Diagnostic) -> str:
    return f"{finding.fix} (no safe fix: change it by hand)".lstrip()


def _witness(text: str) -> str:
    cut = text if len(text) <= _WITNESS else f"{text[:_WITNESS]}..."
    return clean(repr(cut))


def _counts(checked: list[_Checked]) -> dict[str, int]:
    found = [finding.severity for each in checked for finding in each.findings]
    return {severity: found.count(severity) for severity in ("error", "warning")}


def _summary(checked: list[_Checked], *, fix: bool, diff: bool) -> str:
    parts = [
        f"{count} {severity}{'' if count == 1 else 's'}"
        for severity, count in _counts(checked).items()
        if count
    ]
    where = checked[0].file.name if len(checked) == 1 else f"{len(checked)} grammars"
    targets = ", ".join(dict.fromkeys(target for each in checked for target in each.targets))
    fixed = sum(len(each.fixed) for each in checked)
    said = f"{', '.join(parts) or 'clean'}{' left' if parts and fixed else ''} (for {targets})"
    if fix:
        return f"{where}: {fixed} {'would be ' if diff else ''}fixed, {said}" if fixed else f"{where}: {said}"
    safe = sum(bool(finding.edits) for each in checked for finding in each.findings)
    return f"{where}: {said}" + (f"; {safe} can be fixed with --fix" if safe else "")


def _document(checked: list[_Checked], *, diff: bool) -> dict[str, Any]:
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
                **_changes(each, diff=diff),
            }
            for each in checked
        ],
    }


def _changes(checked: _Checked, *, diff: bool) -> dict[str, Any]:
    """What --fix has done, or would do."""
    if checked.text is None:
        return {}
    made: dict[str, Any] = {"changed": checked.changed, "fixed": [f.to_dict() for f in checked.fixed]}
    return {**made, **({"diff": difference(checked.file, checked.text)} if diff else {"text": checked.text})}
