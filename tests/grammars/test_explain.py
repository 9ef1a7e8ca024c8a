"""Explanations: where a text leaves a language, what may stand there, and what was probably meant."""

from __future__ import annotations

import json

import pytest

from jigwork.errors import TextRejectedError
from jigwork.grammars import Grammar

QUERY = Grammar.from_lark("""
start: "SELECT " COLUMN (", " COLUMN)* " FROM " TABLE [" WHERE " condition]
condition: COLUMN (" = " | " < ") value
value: NUMBER | STRING
COLUMN: "id" | "name" | "email"
TABLE: "users" | "orders"
NUMBER: /[0-9]+(\\.[0-9]+)?/
STRING: /'[^']*'/
""")

CASES: list[tuple[str, int, tuple[str, ...], str | None]] = [
    # text, position, names that must be expected, nearest legal text
    ("SELECT id, nome FROM users", 12, ('"name"',), "SELECT id, name FROM users"),
    ("SELECT id FROM user", 19, ('"users"',), "SELECT id FROM users"),
    ("select id FROM users", 0, ('"SELECT "',), "SELECT id FROM users"),
    ("SELECT id FROM users;", 20, ('" WHERE "',), "SELECT id FROM users"),
    ("SELECT id FORM users", 11, ('" FROM "',), "SELECT id FROM users"),
    ("SELECT id,name FROM users", 10, ('", "',), "SELECT id, name FROM users"),
    ("SELECT id FROM users WHERE id == 1", 31, ('" = "',), "SELECT id FROM users WHERE id = 1"),
    ("SELECT id FROM users WHERE id = ", 32, ("NUMBER", "STRING"), None),
    ("SELECT id FROM users WHERE id = 12.", 35, ("NUMBER",), None),
    ("SELECT id FROM users WHERE name = 'x", 36, ("STRING",), "SELECT id FROM users WHERE name = 'x'"),
    (
        "SELECT id FROM users WHERE name = x",
        34,
        ("NUMBER", "STRING"),
        "SELECT id FROM users WHERE name = 'x'",
    ),
    ("SELECT id FROM customers", 15, ('"users"', '"orders"'), None),
    ("", 0, ('"SELECT "',), None),
]


@pytest.mark.parametrize(("text", "position", "names", "nearest"), CASES, ids=[c[0] for c in CASES])
def test_place_expectation_and_nearest_text(
    text: str, position: int, names: tuple[str, ...], nearest: str | None
) -> None:
    """Each wrong text is explained by its place, by what may stand there, and by the legal text one edit away."""
    explanation = QUERY.explain(text)
    assert not explanation
    assert explanation.position == position
    assert explanation.prefix == text[:position]
    assert set(names) <= set(explanation.expected)
    if nearest is not None:
        assert explanation.nearest == nearest
    if explanation.nearest is not None:
        assert QUERY.accepts(explanation.nearest)


MEANT: list[tuple[str, str]] = [
    # what was written, what was meant
    ("SELECT id FROM users WHERE name = 'x", "SELECT id FROM users WHERE name = 'x'"),
    ("SELECT id FROM users WHERE name = x", "SELECT id FROM users WHERE name = 'x'"),
    ('SELECT id FROM users WHERE name = "x y"', "SELECT id FROM users WHERE name = 'x y'"),
    ("SELECT id, FROM users", "SELECT id FROM users"),
    ("SELECT id name FROM users", "SELECT id, name FROM users"),
    ("select id from users where id < 3", "SELECT id FROM users WHERE id < 3"),
    ("SELECT  id  FROM  users", "SELECT id FROM users"),
    ("SELECT idd FROM users", "SELECT id FROM users"),
    ("SELECT id FROM uesrs", "SELECT id FROM users"),
    ("SELECT id FROM users\n", "SELECT id FROM users"),
    ("SELECT email FROM users WHERE id=3", "SELECT email FROM users WHERE id = 3"),
]


@pytest.mark.parametrize(("text", "meant"), MEANT, ids=[c[0] for c in MEANT])
def test_what_was_meant(text: str, meant: str) -> None:
    """A sign or a word too many or too few, quotes, and slips that run through the whole text have a legal text near."""
    assert QUERY.accepts(meant)
    assert QUERY.explain(text).nearest == meant


JSON = Grammar.from_lark("""
start: value
value: "{" [pair ("," pair)*] "}" | "[" [value ("," value)*] "]" | STRING | NUMBER | "true" | "null"
pair: STRING ":" value
STRING: /"[^"]*"/
NUMBER: /-?[0-9]+/
""")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"a":1,}', '{"a":1}'),
        ('{"a":[1,2}', '{"a":[1,2]}'),
        ('{"a": 1, "b": [true, null]}', '{"a":1,"b":[true,null]}'),
        ("{a:1}", '{"a":1}'),
        ("{'a':1}", '{"a":1}'),
        ('{"a":True}', '{"a":true}'),
        ('{"a" 1}', '{"a":1}'),
        ('{"a":1', '{"a":1}'),
        ('["a","b]', '["a","b"]'),
        ("[1 2]", "[1,2]"),
    ],
)
def test_brackets_and_quotes(text: str, meant: str) -> None:
    """The slips that are usual in data are put right in the explanation."""
    assert JSON.explain(text).nearest == meant


def test_a_missing_end() -> None:
    """Where only the last word is missing, the whole text is offered; an empty text has no nearest one."""
    grammar = Grammar.from_lark(
        'start: COUNT " " DISH (", " DISH)* " please"\nCOUNT: /[0-9]/\nDISH: "soup" | "toast"\n'
    )
    assert grammar.explain("2 soup").nearest == "2 soup please"
    assert grammar.explain("").nearest is None


def test_the_end_is_named_where_it_may_stand() -> None:
    """Where the text could have ended before what is wrong, that is said as well."""
    explanation = QUERY.explain("SELECT id FROM users;")
    assert explanation.may_end
    assert 'Expected " WHERE " or the end of the text.' in explanation.for_model()
    assert not QUERY.explain("SELECT id FORM users").may_end


def test_names_are_short() -> None:
    """A literal of any length is named by its beginning."""
    grammar = Grammar.from_choices(["x" * 10_000, "y"])
    assert all(len(name) < 220 for name in grammar.next("").expected)
    assert len(grammar.explain("z").for_model()) < 400


def test_expected_names_only_what_can_follow() -> None:
    """Keywords that an identifier could spell are not offered where only an identifier may stand."""
    grammar = Grammar.from_lark('start: "select" " " ID " " "from" " " ID\nID: /[a-z]+/\n')
    assert grammar.next("select ").expected == ("ID",)
    assert grammar.next("select a ").expected == ('"from"',)
    assert set(grammar.next("select a").expected) == {'" "', "ID"}


def test_forced_continuation() -> None:
    """Where there is only one way on, it is given as far as it goes."""
    assert QUERY.next("SEL").forced == "ECT "
    assert QUERY.explain("SELECT id, nome").forced == "ame"
    assert QUERY.next("SELECT id").forced == ""


def test_next_tells_whether_the_text_may_end() -> None:
    """A complete text may end, an open one may not, and a wrong prefix has no continuation."""
    assert QUERY.next("SELECT id FROM users").may_end
    assert not QUERY.next("SELECT id").may_end
    with pytest.raises(TextRejectedError, match="unexpected"):
        QUERY.next("SELECT nothing")


def test_a_choice_is_sorted_by_closeness() -> None:
    """Of many literals at most a dozen are named, the one that was probably meant first."""
    grammar = Grammar.from_choices([f"column_{n}" for n in range(300)] + ["customer_name"])
    explanation = grammar.explain("custmer_name")
    first, *others = explanation.expected
    assert first == '"customer_name"'
    assert len(others) < 12
    assert explanation.nearest == "customer_name"


def test_letter_case_is_the_smallest_mistake() -> None:
    """A word in the wrong case is taken for itself, and a literal with the i flag continues in any case."""
    assert Grammar.from_choices(["MAY", "DAY"]).explain("may").nearest == "MAY"
    grammar = Grammar.from_lark('start: "select"i " " /[a-z]+/\n')
    assert grammar.accepts("SELECT x")
    assert grammar.explain("SELEC x").expected == ('"select"',)


LINES = [
    ("ab", "ab", 1, 3),
    ("ab\ncx", "ab\nc", 2, 2),
    ("ab\n", "ab\n", 2, 1),
    ("ab\nfé", "ab\n", 2, 1),
    ("äb", "", 1, 1),
    ("ab\ncd€", "ab\ncd", 2, 3),
]


@pytest.mark.parametrize(("text", "prefix", "line", "column"), LINES)
def test_lines_and_columns_count_characters(text: str, prefix: str, line: int, column: int) -> None:
    """Line and column count characters from 1, and never point into the middle of one."""
    explanation = Grammar.from_lark('start: "ab" "\\n" ("cd" | "é") "\\n"\n').explain(text)
    assert (explanation.prefix, explanation.line, explanation.column) == (prefix, line, column)


def test_half_characters_are_explained_not_crashed_on() -> None:
    """A lone surrogate is no text in any language."""
    grammar = Grammar.from_regex("(?s:.)*")
    assert not grammar.accepts("a\ud800")
    assert grammar.explain("a\ud800b").position == 1


def test_for_model_is_short_and_plain() -> None:
    """A model reads three lines at most: where, what was expected, what would be right."""
    said = QUERY.explain("SELECT id, nome FROM users").for_model()
    assert said.splitlines() == [
        'Invalid at line 1, column 13: unexpected "ome" after "SELECT id, n".',
        'Expected "name".',
        "Nearest valid text: SELECT id, name FROM users",
    ]
    assert QUERY.explain("SELECT id FROM users").for_model() == "The text is valid."


def test_render_points_at_the_place() -> None:
    """A person sees the line with a caret under the first wrong character; colour is optional."""
    explanation = QUERY.explain("SELECT id, nome FROM users")
    lines = explanation.render().splitlines()
    assert lines[1] == "  SELECT id, nome FROM users"
    assert lines[2].index("^") == 2 + 12
    assert "\x1b[" in explanation.render(color=True)
    assert "\x1b[" not in explanation.render()


def test_to_dict_is_json() -> None:
    """The explanation as data survives JSON."""
    explanation = QUERY.explain("SELECT id,")
    data = json.loads(json.dumps(explanation.to_dict()))
    assert data["position"] == 10
    assert data["accepted"] is False


def test_an_accepted_text_needs_no_explanation() -> None:
    """An accepted text is its own prefix, and nothing is expected."""
    explanation = QUERY.explain("SELECT id FROM orders WHERE id < 7")
    assert explanation
    assert explanation.prefix == explanation.text
    assert explanation.expected == ()


def test_ignored_text_is_no_continuation() -> None:
    """White space that a grammar ignores is not offered as a way on."""
    grammar = Grammar.from_lark('%import common.WS\nstart: "let" NAME "=" NAME\nNAME: /[a-z]+/\n%ignore WS\n')
    assert grammar.explain("let x").expected[0] == '"="'
    assert grammar.next("let ").expected == ("NAME",)
