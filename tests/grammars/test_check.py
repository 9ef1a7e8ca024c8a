"""`check()`: every trap is found with a text that shows it, clean grammars have no findings, nothing ever hangs."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import lark
import pytest
from pydantic import BaseModel

from jigwork.grammars import Diagnostic, Grammar, check_text


@lru_cache
def checked(text: str) -> tuple[Diagnostic, ...]:
    """The findings for a text, asked for once by several tests."""
    return tuple(Grammar.from_lark(text).check())


TRAPS: list[tuple[str, str, str, int | None]] = [
    # what, grammar, rule, line
    ("a longer literal wins", 'start: agg "!"\nagg: "SUM(*)" | "SUM" "(" /[a-z]+/ ")"\n', "E11", 2),
    ("a longer word of a terminal wins", 'start: T " end" | T\nT: "item" | "item one"\n', "E11", 1),
    ("a second alternative is cut off", 'start: ("p" | "pq") "r" | "p" "qs"\n', "E11", 1),
    ("free text swallows what follows", 'start: TEXT "."\nTEXT: /[a-z .]+/\n', "E13", 1),
    ("free text swallows a keyword", 'start: "by " NAME " in " YEAR\nNAME: /[a-z ]+/\nYEAR: /[0-9]{4}/\n', "E11", 1),
    ("two free texts", "start: A B\nA: /[a-z]+/\nB: /[a-z]+/\n", "E11", 1),
    ("a forced loop", 'start: A "a"\nA: /a+/\n', "E13", 1),
    ("an optional start that swallows", 'start: B? "ba"\nB: /b+/\n', "E11", 1),
    ("no end", 'start: a\na: "(" a ")"\n', "E12", 2),
    ("one rule without end", 'start: "z" | a\na: "x" a\n', "E12", 2),
    ("an unused rule", 'start: "x"\nspare: "y"\n', "E12", 2),
    ("too many alternatives", "start: " + " | ".join(f'"w{n:04}"' for n in range(1600)) + "\n", "E14", 1),
    ("not compilable", "start: <|end|>\n", "E10", 1),
    ("lazy quantifier", "start: S\nS: /'.*?'/\n", "W1", 2),
    ("glued words", 'start: "let" NAME\nNAME: /[a-z]+/\n%ignore " "\n', "W2", 3),
    ("glued words in any case", 'start: /let/i NAME\nNAME: /[a-z]+/\n%ignore " "\n', "W2", 3),
    ("runaway text", 'start: "note: " TEXT\nTEXT: /[\\s\\S]+/\n', "W3", 1),
    ("intersection of classes", "start: /[a-z&&[^q]]+/\n", "W4", 1),
    ("named class", "start: /[[:digit:]]+/\n", "W4", 1),
    ("difference of classes", "start: /[a-f--c]/\n", "W4", 1),
    ("possessive quantifier", "start: /x*+x/\n", "W4", 1),
    ("inner anchors", 'start: A "z"\nA: /^xy$/\n', "W4", 2),
    ("first alternative of a pattern", 'start: A "z"\nA: /x|xy/\n', "W4", 2),
    ("word characters", "start: /\\w+/\n", "W4", 1),
    ("digits in a rule", "start: d+\nd: /[0-9]/\n%ignore / +/\n", "W5", 1),
    ("right recursion", 'start: line start | line\nline: /[a-z]+\\n/\n', "W6", 1),
    ("nested repetition", 'start: a+\na: "x"+\n', "W6", 1),
    ("counts in braces", 'start: "x"{2,3}\n', "W7", 1),
    ("a dash in a name", 'start: my-rule\nmy-rule: "x"\n', "W7", 2),
    ("embedded schema", 'start: %json {"type":"null"}\n', "W7", 1),
    ("a pattern Python cannot read", "start: /\\p{Lu}+/\n", "W7", 1),
    ("an empty terminal", 'start: "x" A\nA: /y*/\n', "W8", 2),
    ("overlapping terminals", 'start: N ".." N\nN: /[0-9]+\\.?[0-9]*/\n', "W9", 1),
    ("bounded terminals that overlap", "start: A B\nA: /[a-z]{1,3}/\nB: /[a-z]{1,3}/\n", "W9", 1),
    ("a word that begins another", 'start: ("do" | "dot") " "? ID\nID: /[a-z]+/\n', "W11", 1),
    ("strings with line ends", "%import common.ESCAPED_STRING\nstart: ESCAPED_STRING\n", "W12", 1),
    ("a terminal that may only be empty", 'start: "[" TEXT "]"\nTEXT: /.*/\n', "E11", 1),
    ("a rule far from start", 'start: "<" row ">"\nrow: CELL "|"\nCELL: /[a-z]+(\\|[a-z]+)*/\n', "E11", 2),
    ("characters that share a byte", 'start: WORD "。"\nWORD: /[ぁ-ん]+/\n', "E11", 1),
    ("no text at all", 'start: "x" A?\nA: /[a-f&&[0-9]]/\n', "E12", 2),
    ("a hang before the first character", 'start: "-" DASHES "-"\nDASHES: /-+/\n', "E13", 1),
    ("too many words in a group", 'start: "a " (' + " | ".join(f'"w{n}"' for n in range(2100)) + ")\n", "E14", 1),
    ("another grammar", "start: @other\n", "E10", 1),
    ("lazy in what is ignored", 'start: "x" "y"\n%ignore /#.*?;/\n', "W1", 2),
    ("runaway text with an optional end", 'start: "a:" LINE\nLINE: /[^;]+;?/\n', "W3", 1),
    ("runaway characters", 'start: "x" C*\nC: /[\\s\\S]/\n', "W3", 1),
    ("space in the middle", "start: /\\s+x/\n", "W4", 1),
    ("a slash in a string", 'start: "a\\/b"\n', "W4", 1),
    ("counted digits", 'start: "#" HEX~6\nHEX: /[0-9a-f]/\n%ignore " "\n', "W5", 1),
    ("a list with commas", 'start: "(" list ")"\nlist: N "," list | N\nN: /[0-9]+/\n', "W6", 2),
    ("options of llguidance", '%llguidance {"no_forcing": true}\nstart: "x"\n', "W7", 1),
    ("an empty string", 'start: "x" | ""\n', "W8", 1),
    ("a literal within free text", 'start: ANY* "END"\nANY: /[\\s\\S]/\n', "W11", 1),
    ("a separator within another", 'start: x ((" + " | " " | " \\\\cdot ") x)*\nx: "a" | "b" | "\\\\alpha"\n', "W11", 1),
    ("an imported string within a terminal", '%import common.ESCAPED_STRING\nstart: A\nA: ESCAPED_STRING ";"\n', "W12", 1),
    ("a large grammar", "start: A\nA: " + " | ".join(f'"entry number {n:04}"' for n in range(3500)), "W10", None),
]  # fmt: skip


_HARD = {
    *("a forced loop", "an optional start that swallows", "a large grammar", "too many alternatives"),
    *("a hang before the first character", "too many words in a group"),
}
_SLOW = _HARD | {t[0] for number, t in enumerate(TRAPS) if number % 4}  # each costs a process
_MARKED = [pytest.param(*t[1:], id=t[0], marks=[pytest.mark.slow] if t[0] in _SLOW else []) for t in TRAPS]


@pytest.mark.parametrize(("text", "rule", "line"), _MARKED)
def test_traps_are_found(text: str, rule: str, line: int | None) -> None:
    """Each trap is found under its rule, at its line, with a reason and a way out, and the check was finished."""
    assert not [finding for finding in checked(text) if "not finished" in finding.message]
    found = [finding for finding in checked(text) if finding.rule == rule]
    assert found
    assert line in {finding.line for finding in found}
    assert all(finding.message and (finding.fix or rule == "E10") for finding in found)


def lark_reads(grammar: str, text: str) -> bool:
    """Lark's widest reading of a text: Earley, and every way to cut it into terminals."""
    parser: Any = lark.Lark(grammar, parser="earley", lexer="dynamic_complete")
    try:
        parser.parse(text)
    except lark.exceptions.UnexpectedInput:
        return False
    return True


@pytest.mark.parametrize(
    "text", [t[1] for t in TRAPS if t[2] in ("E11", "W9", "W11") and t[0] not in _HARD and "/.*/" not in t[1]]
)
def test_witnesses_of_greed_are_true(text: str) -> None:
    """What is said to be unwritable is derivable (Lark's Earley parser reads it) and refused by llguidance."""
    grammar = Grammar.from_lark(text)
    for finding in checked(text):
        if finding.rule in ("E11", "W9", "W11"):
            assert finding.witness
            assert lark_reads(text, finding.witness)
            assert not grammar.accepts(finding.witness)


@pytest.mark.filterwarnings("ignore:Possible")  # Python on sets within sets, which are the point
@pytest.mark.parametrize("text", [t[1] for t in TRAPS if t[2] in ("W1", "W4", "W12")])
def test_witnesses_of_dialects_are_true(text: str) -> None:
    """On the witness of a dialect finding llguidance and Lark differ."""
    grammar = Grammar.from_lark(text)
    for finding in checked(text):
        if finding.rule in ("W1", "W4", "W12"):
            assert finding.witness is not None
            assert grammar.accepts(finding.witness) is not lark_reads(text, finding.witness)


CLEAN: list[tuple[str, str]] = [
    ("json", """
start: object
object: "{" [pair ("," pair)*] "}"
array: "[" [value ("," value)*] "]"
pair: STRING ":" value
value: object | array | STRING | NUMBER | "true" | "false" | "null"
%import common.WS
%ignore WS
STRING: /"([^"\\\\\\x00-\\x1f]|\\\\["\\\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4})*"/
NUMBER: /-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?/
"""),
    ("sums", """
start: sum
sum: product (("+" | "-") product)*
product: atom (("*" | "/") atom)*
atom: NUMBER | "(" sum ")" | "-" atom
NUMBER: /[0-9]+(\\.[0-9]+)?/
%ignore " "
"""),
    ("order", 'start: SIZE " " DRINK (", " EXTRA)*\nSIZE: "small" | "large"\nDRINK: "tea" | "teapot"\nEXTRA: /[a-z]+/\n'),
    ("lines", 'start: line+\nline: /[^\\n]+/ "\\n"\n'),
    ("keywords in any case", 'start: "get"i " " PATH (" " FLAG)*\nPATH: /\\/[a-z\\/]*/\nFLAG: "-v" | "-q"\n'),
    ("dates", 'start: DAY "-" MONTH "-" YEAR\nDAY: /[0-3][0-9]/\nMONTH: "JAN" | "FEB"\nYEAR: /[0-9]{4}/\n'),
    ("one word", "start: /[a-z]+/\n"),
    ("text between tags", 'start: "<" NAME ">" TEXT "</" NAME ">"\nNAME: /[a-z]+/\nTEXT: /[^<&]+/\n'),
    ("a reserved word", 'start: "not " start | ID " = " ID\nID: /[a-z]+/\n'),
    ("an operator that binds to the right", 'start: N "^" start | N\nN: /[0-9]+/\n'),
    ("statements", 'start: (NAME "=" sum ";")+\nsum: NAME (("+" | "-") NAME)*\nNAME: /[a-z_][a-z0-9_]*/\n%ignore /[ \\t\\n]+/\n%ignore /\\/\\/[^\\n]*\\n/\n'),
    ("signed numbers", 'start: N (("+" | "-") N)*\nN: /-?[0-9]+(\\.[0-9]+)?/\n'),
    ("an address", 'start: OCTET ("." OCTET)~3\nOCTET: /25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]/\n'),
    ("a table", 'start: row+\nrow: CELL ("," CELL)* "\\n"\nCELL: /"([^"]|"")*"/ | /[^",\\n]+/\n'),
    ("kana", 'start: WORD (" " WORD)* "!"\nWORD: /[ぁ-んァ-ヶ]+/\n'),
    ("any space is ignored", 'start: "(" /[a-z]+/* ")"\n%ignore /\\s+/\n'),
    ("windows line ends", 'start: a\r\na: "x" // c\r\n  | "y"\r\n'),
    ("unary", 'start: "NOT " start | /[a-z]+/\n'),
    ("separated list", 'start: item ("," item)*\nitem: /[0-9]+/ | "[" start "]"\n'),
    ("imports", '%import common (INT, WS, CNAME)\nstart: CNAME "=" INT\n%ignore WS\n'),
]  # fmt: skip


_CLEAN = [
    pytest.param(text, id=name, marks=[pytest.mark.slow] if number % 3 else [])
    for number, (name, text) in enumerate(CLEAN)
]


@pytest.mark.parametrize("text", _CLEAN)
@pytest.mark.parametrize("target", ["openai", pytest.param("llguidance", marks=pytest.mark.slow)])
def test_clean_grammars_have_no_findings(text: str, target: str) -> None:
    """A grammar without a trap is silent: ignored space, digits and strings in innocent places are no findings."""
    assert Grammar.from_lark(text).check(target=target) == []  # type: ignore[arg-type]


@pytest.mark.slow
def test_targets_differ() -> None:
    """What only Lark minds is said for the target lark, what only OpenAI might mind is not said for llguidance."""
    spaced = Grammar.from_lark('start: "a" "b"\n%ignore " "\n')
    assert spaced.check() == []
    assert [f.rule for f in spaced.check(target="lark")] == ["W2"]
    overlap = Grammar.from_lark('start: "if" ID | ID\nID: /[a-z]+/\n%ignore " "\n')
    assert "W9" in [f.rule for f in overlap.check(target="lark")]
    counted = Grammar.from_lark('start: "x"{2,3}\n')
    assert counted.check(target="llguidance") == []


@pytest.mark.slow
def test_gbnf_as_a_target() -> None:
    """For GBNF it is said what it has no words for, and where it accepts more."""
    assert Grammar.from_lark('start: "a" ("," "a")*\n').check(target="gbnf") == []
    ignored = Grammar.from_lark('start: "a" "b"\n%ignore " "\n').check(target="gbnf")
    assert [(f.rule, f.line) for f in ignored] == [("E10", 2)]
    greedy = Grammar.from_lark('start: ("a" | "ab") "c" | "a" "bd"\n').check(target="gbnf")
    assert {f.rule for f in greedy} == {"E11", "W9"}


def test_regexes_and_choices_and_schemas_are_checked() -> None:
    """Every kind of grammar can be checked; columns of a pattern count from its own beginning."""

    class Point(BaseModel):
        x: int
        tags: list[str] = []

    assert Grammar.from_regex("[A-Z]{2}/[0-9]+").check() == []
    lazy = Grammar.from_regex("x'.*?'").check()
    assert [(f.rule, f.line, f.column) for f in lazy] == [("W1", 1, 3)]
    assert lazy[0].excerpt.splitlines()[0] == "x'.*?'"
    assert Grammar.from_choices(["in", "int", "integer"]).check() == []
    assert Grammar.from_json_schema(Point).check(target="llguidance") == []


@pytest.mark.slow
def test_a_hang_is_seen_and_survived() -> None:
    """A grammar on which llguidance never returns is found out in a process that is killed, within the limit."""
    started = time.monotonic()
    found = Grammar.from_lark('start: A? "ab"\nA: /a+/\n').check(seconds=5)
    assert time.monotonic() - started < 8
    hang = next(finding for finding in found if finding.rule == "E13")
    assert "does not come back" in hang.message
    assert hang.witness == "aa"


HOSTILE = [
    'start: start start | "a" | ""\n',
    "start: /((a{1,100}){1,100}){1,100}/ /((b?){500}){500}/\n",
    "start: A\nA: ~/(.*a.{12}|.*b.{12})/ & /(?s:.*)c(?s:.){15}/\n",
    "start: " + " ".join(f"r{n}" for n in range(300)) + "\n" + "".join(f'r{n}: "x"? "y"?\n' for n in range(300)),
    "start: " + "(" * 27 + '"a"' + ")*" * 27 + "\n",
    'start: a\n' + "".join(f"r{n}: r{n + 1} r{n + 1}\n" for n in range(60)) + 'r60: "x"\na: r0\n',
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
def test_check_always_returns(text: str) -> None:
    """Whatever the grammar, the check comes back about when its time is over."""
    started = time.monotonic()
    findings = Grammar.from_lark(text).check(seconds=2, megabytes=1024)
    assert time.monotonic() - started < 5
    assert all(isinstance(finding, Diagnostic) for finding in findings)


@pytest.mark.parametrize(
    "text",
    [
        "start: " + "/a" * 100_000 + "\n",
        "start: r0\n" + "".join(f"r{n}: r{n + 1}\n" for n in range(10_000)) + 'r10000: "x"\n',
        "start: " + " ".join(f"x{n}" for n in range(20_000)) + "\n",
        "start: " + "(" * 100_000,
        "'" * 100_000,
    ],
    ids=["one long line", "a chain", "nothing is defined", "brackets", "quotes"],
)
def test_large_nonsense_is_refused_at_once(text: str) -> None:
    """What is wrong everywhere is said of the first hundred places, in no time."""
    started = time.monotonic()
    found = check_text(text)
    assert time.monotonic() - started < 10  # a second or two on a machine with nothing else to do
    assert found and len(found) <= 300


@pytest.mark.slow
def test_too_little_memory_or_time_is_said() -> None:
    """A check that cannot finish within its limits says so instead of staying silent."""
    grammar = Grammar.from_lark("start: K\nK: " + " | ".join(f'"k{n}"' for n in range(20_000)) + "\n")
    assert any("not finished" in f.message for f in grammar.check(seconds=0.4))
    assert any("not finished" in f.message for f in grammar.check(megabytes=60, target="llguidance"))


def test_template_and_declared_names_are_known() -> None:
    """What a refused statement names is not said to be undefined as well: one mistake, one finding."""
    for text, rules in (
        ('start: sep{"a", ","}\nsep{x, s}: x (s x)*\n', ["E3", "E3"]),
        ("%declare A B\nstart: A B\n", ["E4"]),
        ('start: a\n%override a: "x"\n', ["E5"]),
    ):
        assert [finding.rule for finding in check_text(text)] == rules


def test_a_text_that_cannot_be_read_is_a_finding() -> None:
    """`check_text` takes any text: what stops the reader is a finding with its place."""
    (finding,) = check_text('start: a\na = "x"\n')
    assert (finding.rule, finding.line, finding.column) == ("E8", 2, 3)
    assert finding.fix == "a rule is written a: ..." and finding.excerpt.endswith("  ^")
    assert check_text('start: "x"\n') == []


def test_diagnostics_read_like_a_compiler() -> None:
    """A finding prints place, severity, rule, the line with a caret, the reason, the witness and the fix."""
    finding = Grammar.from_lark('start: ("p" | "pq") "r" | "p" "qs"\n').check()[0]
    lines = finding.render(name="g.lark").splitlines()
    assert lines[0].startswith("g.lark:1:27: error E11: this can never be written:")
    assert lines[2].index("^") == 4 + 26
    assert lines[3] == "    witness: 'pqs'"
    assert '"pq"' in finding.why
    assert finding.to_dict()["rule"] == "E11"
