"""Safe fixes: what can be put right without a change of the texts is put right, everything else is left alone."""

from __future__ import annotations

import json

import pytest

from jigwork.errors import GrammarError
from jigwork.grammars import Diagnostic, Edit, Grammar, apply_fixes, check_text, fix_text
from jigwork.grammars.edits import apply_edits, moved_back

FIXED: list[tuple[str, str, str]] = [
    # rule, before, after
    ("E1", "start: /a\\Z/ \"b\"\n", 'start: /a/ "b"\n'),
    ("E1", "start: /a(?#note)b/\n", "start: /ab/\n"),
    ("E1", "start: /a{,3}b/\n", "start: /a{0,3}b/\n"),
    ("E1", "start: /a/li\n", "start: /a/i\n"),
    ("E2", 'start: a\n?a.10: "x" | "y"\n', 'start: a\n?a: "x" | "y"\n'),
    ("E2", 'start: A B\nA.2: "x"\nB: /[0-9]/\n', 'start: A B\nA: "x"\nB: /[0-9]/\n'),
    ("E3", 'start: sep{"a", ","}\nsep{x, s}: x (s x)*\n', 'start: ("a" ("," "a")*)\n'),
    ("E3", 'start: _o{_q{"a"}, "," "b"}\n'.replace('"," "b"', '";"') + '_o{x, s}: x (s x)?\n_q{y}: "<" y ">"\n',
     'start: (("<" "a" ">") (";" ("<" "a" ">"))?)\n'),
    ("E5", 'start: a\na: "x" // c\n%extend a: "y"\n', 'start: a\na: "x" | "y" // c\n'),
    ("E5", 'start: a\na: "x"\n%override a: "y"\n', 'start: a\na: "y"\n'),
    ("E5", "%import common.INT\n%override INT: /[1-9]/\nstart: INT\n", "INT: /[1-9]/\nstart: INT\n"),
    ("E7", 'begin: "x" b\nb: "y"\n', 'start: begin\nbegin: "x" b\nb: "y"\n'),
    ("E7", 'Start: "x"\n', 'start: "x"\n'),
    ("E7", "start: INT\n", "%import common.INT\nstart: INT\n"),
    ("E7", 'start: A\nA: "x"\nA: "x"\n', 'start: A\nA: "x"\n'),
    ("E7", "%import common.WS\n%import common.WS\nstart: WS\n", "%import common.WS\nstart: WS\n"),
    ("E8", '\ufeffstart: "x"\n', 'start: "x"\n'),
    ("E8", "start: 'it\\'s' | 'a \"b\"'\n", 'start: "it\'s" | "a \\"b\\""\n'),
    ("E8", "start: “x”\u00a0“y”\n", 'start: "x" "y"\n'),
    ("E8", 'start: "a\tb"\n', 'start: "a\\tb"\n'),
    ("E8", 'start ::= a ;\na := "x" ;\n', 'start: a\na: "x"\n'),
    ("E8", 'start: a\na = "x"\n  ;\n', 'start: a\na: "x"\n'),
    ("E8", 'start: "x" \\\n  "y"\n', 'start: "x"  "y"\n'),
    ("E8", 'start: "x"\n    "y"\n', 'start: "x" "y"\n'),
    ("E8", 'start: ("x"\n  "y"\n)\n', 'start: ("x" "y" )\n'),
    ("E8", 'start: "x"\n  // or\n\n  | "y"\n', 'start: "x"  // or\n  | "y"\n'),
    ("E8", 'start: "x"** "y"++\n', 'start: "x"* "y"+\n'),
    ("E8", 'start: myRule\n!?myRule: "x"\n', 'start: my_rule\n!?my_rule: "x"\n'),
    ("E8", 'start: A _b\n!A: "x"\n!?_b: "y"\n', 'start: A _b\nA: "x"\n!_b: "y"\n'),
    ("W1", 'start: /[^;]*?;/\n', 'start: /[^;]*;/\n'),
    ("W4", 'start: A "c"\nA: /^ab$/\n', 'start: A "c"\nA: /ab/\n'),
    ("W4", "start: /[[:digit:]_]+/\n", "start: /[0-9_]+/\n"),
    ("W4", 'start: T ";"\nT: /in|int/\n', 'start: T ";"\nT: /int|in/\n'),
    ("W4", 'start: "a\\/b"\n', 'start: "a/b"\n'),
    ("W6", "start: LINE start | LINE\nLINE: /[a-z]+\\n/\n", "start: LINE+\nLINE: /[a-z]+\\n/\n"),
    ("W6", 'start: N "," start | N\nN: /[0-9]+/\n', 'start: N ("," N)*\nN: /[0-9]+/\n'),
    ("W7", 'start: "x"{2,} "y"{,3} ("a" | "b"){1,2}\n', 'start: ("x"~2 "x"*) "y"~0..3 ("a" | "b")~1..2\n'),
    ("W7", 'start: a-b a-b\na-b: "x"\n', 'start: a_b a_b\na_b: "x"\n'),
    ("W7", "start: /(?<n>a)\\x{e9}\\z/\n", "start: /(?P<n>a)\\u00e9/\n"),
]  # fmt: skip

_FAST = {"E1", "E3", "E8"}
_FIXED = [
    pytest.param(*case, id=f"{case[0]} {case[1][:30]!r}", marks=[] if case[0] in _FAST or number % 3 == 0 else [pytest.mark.slow])
    for number, case in enumerate(FIXED)
]  # fmt: skip


@pytest.mark.parametrize(("rule", "before", "after"), _FIXED)
def test_what_is_safe_is_put_right(rule: str, before: str, after: str) -> None:
    """The text afterwards is the expected one, has nothing left that could be fixed, and fixing it again is no change."""
    fixed = fix_text(before)
    assert fixed.text == after
    assert {finding.rule for finding in fixed.made} == {rule}
    assert not any(finding.edits for finding in fixed.left)
    assert rule not in {finding.rule for finding in fixed.left}


@pytest.mark.parametrize(("rule", "before", "after"), _FIXED)
def test_no_text_is_lost_or_won(rule: str, before: str, after: str) -> None:
    """Where the grammar could be used before, the texts of the one are texts of the other."""
    try:
        old = Grammar.from_lark(before)
        old.accepts("")
    except GrammarError:
        return  # no server took it
    new = Grammar.from_lark(after)
    assert all(new.accepts(text) for text in old.sample(25, seed=1))
    assert all(old.accepts(text) for text in new.sample(25, seed=2))


LEFT: list[tuple[str, str]] = [
    ("E1", "start: /a(?=b)/\n"),
    ("E1", "start: /\\bfoo/\n"),
    ("E1", "start: /(a)\\1/\n"),
    ("E2", 'start: IF | ID\nIF.2: "if"\nID: /[a-z]+/\n'),  # it may decide which of them a text is
    ("E3", 'start: t{"a"}\nt{x}: x | "(" t{x} ")"\n'),
    ("E4", "%declare A\nstart: A\n"),
    ("E6", "%import python.NAME\nstart: NAME\n"),
    ("E7", 'start: nam\nname: "x"\n'),
    ("E7", 'start: A\nA: "x"\nA: "y"\n'),
    ("E7", 'one: "x"\ntwo: "y"\n'),
    ("E8", 'start: "x\n'),
    ("E8", 'start: "x"+?\n'),  # once or lazily
    ("E8", 'start: "\\d"\n'),
    ("E8", 'start: ("x"\nother: "y")\n'),
    ("E11", 'start: T "."\nT: /[a-z.]+/\n'),
    ("E12", 'start: "x"\nspare: "y"\n'),
    ("W1", "start: /'.*?'/\n"),  # without the ? it would not mean what was meant
    ("W12", "%import common.ESCAPED_STRING\nstart: ESCAPED_STRING\n"),
]
_LEFT = [
    pytest.param(*case, id=f"{case[0]} {case[1][:30]!r}", marks=[pytest.mark.slow] if number > 13 else [])
    for number, case in enumerate(LEFT)
]


@pytest.mark.parametrize(("rule", "text"), _LEFT)
def test_what_is_not_safe_is_left_alone(rule: str, text: str) -> None:
    """Where more than one thing may be meant, or texts would be lost, nothing is changed."""
    fixed = fix_text(text)
    assert (fixed.text, fixed.made) == (text, ())
    assert rule in {finding.rule for finding in fixed.left}


def test_line_ends_and_comments_stay() -> None:
    """Only what is wrong is changed: windows line ends, comments and blank lines are as they were."""
    before = "// top\r\nstart: a  // first\r\n\r\na: 'x'   // it\r\n  | NUMBER\r\n"
    after = '// top\r\n%import common.NUMBER\r\nstart: a  // first\r\n\r\na: "x"   // it\r\n  | NUMBER\r\n'
    assert fix_text(before).text == after.replace("// top\r\n%import", "// top\r\n%import")


def test_places_are_those_of_the_text_that_was_given() -> None:
    """Also what is found only after other fixes is named by its line in the author's text."""
    fixed = fix_text("begin: 'x' a\n\na.2: [NUMBER]\n    ;\n")
    assert [(f.rule, f.line) for f in fixed.made] == [
        ("E7", None),
        ("E8", 1),
        ("E2", 3),
        ("E7", 3),
        ("E8", 4),
    ]


def test_edits_are_data() -> None:
    """A finding carries its edits, through JSON and back, and they are offsets in the text."""
    (finding,) = check_text("start: INT\n")
    assert finding.edits == (Edit(0, 0, "%import common.INT\n"),)
    data = json.loads(json.dumps(finding.to_dict()))
    assert data["edits"] == [{"start": 0, "end": 0, "text": "%import common.INT\n"}]
    assert Diagnostic.from_dict(data) == finding
    assert apply_fixes("start: INT\n", [finding]) == ("%import common.INT\nstart: INT\n", (finding,))


def test_edits_that_clash_are_made_one_after_the_other() -> None:
    """Of two edits for the same characters the first is made; the same edit twice is one; groups are whole or nothing."""
    word, again, end, over = Edit(0, 2, "X"), Edit(0, 2, "X"), Edit(5, 6, ""), Edit(1, 5, "Y")
    assert apply_edits("abcdef", [[word], [over, end], [again, end]]) == ("Xcde", [word, end], [0, 2])
    assert apply_edits("abc", [[Edit(1, 1, "1")], [Edit(1, 1, "2")]])[0] == "a1bc"
    assert apply_edits("abc", [[Edit(2, 9, "")], []]) == ("abc", [], [])
    assert [moved_back(n, [Edit(1, 1, "--"), Edit(2, 4, "")]) for n in range(6)] == [0, 1, 1, 1, 4, 5]


@pytest.mark.parametrize(
    "text",
    ["", "\x00", "{", "start", ":", '"', "/", "%", "start:\n|", "start: (" * 50, ";" * 200, "'" * 99, "= = =\n" * 40, "a" * 5000,
     "start: a{b{c{\n", "%import\n", "%extend x\n", "start: \ud800\n", "\n\n;\n", "start: \"x\" ;;;\n"],
)  # fmt: skip
def test_nonsense_is_survived(text: str) -> None:
    """Whatever the text, fixing it ends, and what is left is said."""
    fixed = fix_text(text)
    assert fixed.left or Grammar.from_lark(fixed.text)
