"""Grammars as values: how they are made, what they refuse, what they send."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import lark
import pytest
from pydantic import BaseModel, TypeAdapter

from jigwork.errors import GrammarError, GrammarLimitError, TextRejectedError
from jigwork.grammars import Grammar
from jigwork.grammars import tree as trees

COFFEE = """
start: size " " drink (" with " EXTRA)*
size: "small" | "large"
drink: "espresso" | "latte"
EXTRA: "milk" | "sugar" | "oat milk"
"""

REFUSED: list[tuple[str, str, int | None, str]] = [
    # text, rule, line, part of the sentence
    ("strat: /x/\n", "E7", None, "start"),
    ("start: x\n", "E7", 1, "x is not defined"),
    ("start: itme\nitem: /x/\n", "E7", 1, "did you mean item?"),
    ("start: NUMBER\n", "E7", 1, "%import common.NUMBER"),
    ("start: a\na: /x/\na: /y/\n", "E7", 3, "already defined on line 2"),
    ("%import common.INT\nstart: INT\nINT: /1/\n", "E7", 3, "already defined by %import"),
    ("start: A\nA: A /x/ | /y/\n", "E7", 2, "refers to itself"),
    ("start: A\nA: B\nB: A?\n", "E7", 2, "refers to itself"),
    ("start: A\nA: b\nb: /x/\n", "E7", 2, "uses the rule b"),
    ('start: A\nA: %json {"type":"null"}\n', "E7", 2, "%json"),
    ("start: /(?=a)b/\n", "E1", 1, "lookaround"),
    ("start: /(?<!a)b/\n", "E1", 1, "lookaround"),
    ("start: /(a)\\1/\n", "E1", 1, "references to groups"),
    ("start: /\\bx/\n", "E1", 1, "word boundary"),
    ("start: /(?>a)b/\n", "E1", 1, "atomic"),
    ("start: /a\\Z/\n", "E1", 1, "\\Z"),
    ("start: /x^y/\n", "E1", 1, "middle"),
    ("start: /a{,3}/\n", "E1", 1, "{0,n}"),
    ("start: /[a-/\n", "E1", 1, "never closed"),
    ("start.2: /x/\n", "E2", 1, "priority"),
    ("start: A\nA.3: /x/\n", "E2", 2, "priority"),
    ("start: pair{a}\npair{x}: x x\na: /x/\n", "E3", 1, "template"),
    ("%declare A\nstart: A\n", "E4", 1, "%declare"),
    ("%override start: /x/\n", "E5", 1, "%override"),
    ("%import python.NAME\nstart: NAME\n", "E6", 1, "common only"),
    ("%import .other.NAME\nstart: NAME\n", "E6", 1, "common only"),
    ("%import common.NUMBR\nstart: NUMBR\n", "E6", 1, "did you mean NUMBER?"),
    ("start: Word\nWord: /x/\n", "E8", 2, "neither a rule"),
    ("start: _a\n?_a: /x/\n", "E8", 2, "inlined twice"),
    ("start: 'x'\n", "E8", 1, "double quotes"),
    ('start: "it\\\'s"\n', "E8", 1, "not an escape"),
    ('start: "a\tb"\n', "E8", 1, "\\u0009"),
    ('\ufeffstart: "x"\n', "E8", 1, "byte order mark"),
    ('start: ("x"\n', "E8", 1, "not closed"),
    ('start: "x" +* "y"\n', "E8", 1, "two things"),
    ("start: * /x/\n", "E8", 1, "nothing before it"),
    ('start: "x"~3..1\n', "E8", 1, "smaller number"),
    ('start: "z".."a"\n', "E8", 1, "range is empty"),
    ('start: "x\n', "E8", 1, 'closing "'),
    ('start: "a"\n// or\n  | "b"\n', "E8", 3, "comment stands between"),
    ("start: " + "(" * 29 + '"x"' + ")" * 29 + "\n", "E9", 1, "nested"),
]


@pytest.mark.parametrize(("text", "rule", "line", "part"), REFUSED, ids=[repr(r[0])[:40] for r in REFUSED])
def test_static_errors_are_raised_where_the_grammar_is_made(
    text: str, rule: str, line: int | None, part: str
) -> None:
    """A grammar that no server takes is refused at once, with rule, line and a sentence that says what to do."""
    with pytest.raises(GrammarError) as caught:
        Grammar.from_lark(text)
    assert caught.value.rule == rule
    assert caught.value.line == line
    assert part in str(caught.value)


ACCEPTED_SYNTAX = [
    "start:\n",
    'start: "a" | | "b"\n',
    'start: "a"i "a"~2..3 "b"{2,} [("c")]\n',
    '!?start: _x -> name\n_x: "a".."f"\n',
    "%import common (INT, WS) \nstart: INT+\n%ignore WS\n",
    "%import common.INT -> n\nstart: n\n",
    "start: A # comment\n  | B // comment\nA: /x/i\nB: /[^\\/\\]\\x00]+/\n",
    "start: name-with-dash\nname-with-dash: NAME-X\nNAME-X: /x/\n",
    "start: A\nA: /[a-z]+/ & ~/if|else/\n",
    'start: %json {"type":"object"} "!"\n',
    "start: part\npart[lazy]: /.*;/\n",
    'start: perm::0x0\nperm::_: "" %if is_ones([0:1])\n  | "a" perm::set_bit(0) %if bit_clear(0)\n',
    '%llguidance {"no_forcing": false}\nstart: "x"\n',
    "start: /(?i)a|b$/ /^c/\n",
    'start: "tab\\t \\u00e9 \\x41 \\/"\n',
]


@pytest.mark.parametrize("text", ACCEPTED_SYNTAX)
def test_whatever_llguidance_reads_is_read(text: str) -> None:
    """Syntax that llguidance accepts is never refused, known to Lark or not."""
    assert Grammar.from_lark(text).explain("\x00").accepted is False


def test_grammars_are_values() -> None:
    """Grammars with the same definition are equal, hash alike and survive pickling; the name does not matter."""
    one, other = Grammar.from_lark(COFFEE), Grammar.from_lark(COFFEE, name="coffee")
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(other)).name == "coffee"
    assert one != Grammar.from_regex("x")
    with pytest.raises(AttributeError):
        one.definition = "start:"  # type: ignore[misc]


def test_from_file_names_the_grammar(tmp_path: Path) -> None:
    """A grammar read from a file is called like the file."""
    file = tmp_path / "coffee.lark"
    file.write_text(COFFEE, encoding="utf-8")
    grammar = Grammar.from_file(file)
    assert grammar.name == "coffee"
    assert grammar.accepts("small latte with oat milk with sugar")


def test_from_resource_reads_a_file_of_a_package() -> None:
    """A grammar can live inside of an installed package."""
    grammar = Grammar.from_resource("jigwork.grammars", "chess.lark")
    assert grammar.name == "chess"
    assert grammar.accepts("Nf3")


CHOICES: list[tuple[list[str], list[str], list[str]]] = [
    # choices, accepted, refused
    (["red", "green"], ["red", "green"], ["", "re", "redgreen", "Red"]),
    (["in", "int", "integer"], ["in", "int", "integer"], ["inte", ""]),
    (["", "x"], ["", "x"], ["xx"]),
    ([""], [""], ["x"]),
    (['say "hi"', "a\\b", "tab\t", "\x7f", "\n", "é", "/", "\x00"],
     ['say "hi"', "a\\b", "tab\t", "\x7f", "\n", "é", "/", "\x00"], ["say hi", "a", "e"]),
    (["a", "a"], ["a"], ["aa"]),
]  # fmt: skip


@pytest.mark.parametrize(("choices", "accepted", "refused"), CHOICES)
def test_choices_are_exact(choices: list[str], accepted: list[str], refused: list[str]) -> None:
    """A choice accepts each of its texts, whatever is in them, and no other; each has a tree."""
    grammar = Grammar.from_choices(choices)
    assert [text for text in accepted if not grammar.accepts(text)] == []
    assert [text for text in refused if grammar.accepts(text)] == []
    if any(accepted):
        assert all(isinstance(grammar.parse(text), lark.Tree) for text in accepted)


@pytest.mark.parametrize("wrong", [[], "red", ["\ud800"]])
def test_choices_that_are_none_are_refused(wrong: Any) -> None:
    """No choices, one text in place of a list, and half characters are refused with a sentence."""
    with pytest.raises(GrammarError, match=r"choice"):
        Grammar.from_choices(wrong)


def test_regex_matches_whole_and_greedily() -> None:
    """A pattern accepts whole texts only, in Rust's dialect."""
    grammar = Grammar.from_regex(r"^[A-Z]{2}/\d{3}$")
    assert grammar.syntax == "regex"
    assert grammar.accepts("AB/123")
    assert not grammar.accepts("AB/1234")
    assert grammar.parse("AB/123") == lark.Tree("start", [lark.Token("TEXT", "AB/123")])


@pytest.mark.parametrize("pattern", [r"(?!x)y", "a\nb", "(", r"\1", r"a\b"])
def test_regex_that_servers_refuse(pattern: str) -> None:
    """A pattern that is not Rust's, or spans lines, is refused with a column."""
    with pytest.raises(GrammarError) as caught:
        Grammar.from_regex(pattern)
    assert caught.value.column is not None


class Order(BaseModel):
    """A pydantic model for the tests below."""

    item: str
    count: int


def test_json_schema_grammars_write_compact_json_in_order() -> None:
    """A schema, its text, a model and a type adapter give the same kind of grammar: compact, keys in order."""
    grammar = Grammar.from_json_schema(Order)
    assert grammar.name == "Order"
    assert grammar.accepts('{"item":"tea","count":2}')
    for wrong in (
        '{"count":2,"item":"tea"}',
        '{"item": "tea","count":2}',
        '{"item":"tea","count":"2"}',
        "{}",
        " ",
    ):
        assert not grammar.accepts(wrong)
    schema = {"type": "array", "items": {"type": "integer"}, "maxItems": 2}
    for made in (Grammar.from_json_schema(schema), Grammar.from_json_schema('{"type":"array","maxItems":2}')):
        assert made.accepts("[1,2]")
        assert not made.accepts("[1,2,3]")
    assert Grammar.from_json_schema(TypeAdapter(list[bool])).accepts("[true,false]")


@pytest.mark.parametrize(
    "schema",
    [{"type": "strin"}, {"not": {}}, {"type": "array", "uniqueItems": True}, "{", int, 7],
)
def test_schemas_that_cannot_be_enforced_are_refused(schema: Any) -> None:
    """What llguidance cannot express, and what is no schema at all, is said when the grammar is made."""
    with pytest.raises(GrammarError) as caught:
        Grammar.from_json_schema(schema)
    assert caught.value.rule == "E10"


def test_parse_gives_trees_and_transforms() -> None:
    """An accepted text has a tree; a Transformer or a function shapes it."""
    grammar = Grammar.from_lark(COFFEE)
    tree = grammar.parse("large latte with milk")
    assert [child.data for child in tree.children if isinstance(child, lark.Tree)] == ["size", "drink"]

    class Extras(lark.Transformer[Any, list[str]]):
        def start(self, children: list[Any]) -> list[str]:
            return [str(child) for child in children if isinstance(child, lark.Token)]

    assert grammar.parse("large latte with milk", Extras()) == ["milk"]
    assert grammar.parse("large latte", lambda tree: len(tree.children)) == 2


TREES: list[tuple[str, str]] = [
    # grammars that Lark does not read as they stand, or that LALR parses wrongly
    ('start: d{2,3} "-" d{2}\nd: /[0-9]/\n', "123-45"),
    ('start: a-b\na-b: A-B{1,}\nA-B: "x"\n', "xxx"),
    ("%import common.INT -> n\nstart: n\n", "42"),
    (
        'start: expr\nexpr: term (SP "+" SP term)*\nterm: N (SP "*" SP N)*\nN: /[0-9]+/\nSP: " "\n',
        "4 + 4 * 12",
    ),
    ('start: A? "ab"\nA: /a+/\n', "ab"),
    ("%llguidance {}\nstart: /x/\n", "x"),
    ('start: "x"i "!" | /(?i)k/ "!"\n', "K!"),
]


@pytest.mark.parametrize(("text", "sentence"), TREES)
def test_trees_exist_for_grammars_that_lark_or_lalr_dislike(text: str, sentence: str) -> None:
    """Counts, names with dashes and LALR conflicts do not keep an accepted text from having a tree."""
    grammar = Grammar.from_lark(text)
    assert grammar.accepts(sentence)
    assert grammar.parse(sentence).data == "start"


def test_parse_refuses_what_is_not_accepted() -> None:
    """A text outside of the language raises with the explanation, also where Lark alone would parse it."""
    with pytest.raises(TextRejectedError) as caught:
        Grammar.from_lark(COFFEE).parse("medium latte")
    assert caught.value.explanation.position == 0
    munched = Grammar.from_lark('start: "ab" "c" | "a" "bd"\n')
    with pytest.raises(TextRejectedError):
        munched.parse("abd")


PLACES: list[tuple[str, str, str]] = [
    # grammar, text, what the error names
    ('start: "x" %regex {"substring_chars": "abc"}\n', "xab", "column 12"),
    ("start: A\nA: /[a-z]+/ & ~/if/\n", "of", "line 2"),
    ("start: part\npart[lazy]: /.*;/\n", "a;", "part"),
    ('start: %json {"x-guidance":{"item_separator":"; "},"type":"array"}\n', "[1; 2]", "column 8"),
]


@pytest.mark.parametrize(("text", "sentence", "part"), PLACES)
def test_parse_says_why_there_is_no_tree(text: str, sentence: str, part: str) -> None:
    """What only llguidance knows has no tree, and the error names the place."""
    grammar = Grammar.from_lark(text)
    assert grammar.accepts(sentence)
    with pytest.raises(GrammarError, match=part):
        grammar.parse(sentence)


NODE = """{"type":"object","properties":{"tag":{"enum":["a","b\\n"]},"size":{"type":"number","minimum":0},
"below":{"type":"array","items":{"$ref":"#"}},"any":true},"additionalProperties":false,"required":["tag"]}"""

JSON_TEXTS: list[tuple[str, list[str]]] = [
    (f"start: %json {NODE}\n", ['{"tag":"a"}', '{"tag": "b\\n", "size":1.52, "below":[ ], "any":[null,{"x":""}]}']),
    (f'start: json_x ":" %json {NODE} "." json_x\njson_x: JSON_STRING\nJSON_STRING: /[a-z]+/\n',
     ['ab:{"tag":"a","below":[{"tag":"a"},{"tag":"b\\n"}]}.cd']),
    ('start: NAME | %json {"type":["integer","null"]}\nNAME: /[a-m]+/\n', ["abc", "-12", "null"]),
    ('start: %json {"type":"boolean"} %json {"anyOf":[{"type":"string"},{"const":[1]}]}\n', ['true"a"', "false[1]"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentences"), JSON_TEXTS)
def test_schemas_have_trees(text: str, sentences: list[str]) -> None:
    """Embedded schemas become rules for JSON: a tree of objects, pairs and arrays that holds every value."""
    grammar = Grammar.from_lark(text)
    for sentence in sentences:
        assert grammar.accepts(sentence)
        names = {str(tree.data) for tree in grammar.parse(sentence).iter_subtrees()}
        assert names <= {"start", "object", "array", "pair", "json_x"}
        assert ("object" in names) == ("{" in sentence)


def test_a_large_json_text_has_a_tree() -> None:
    """Trees of schemas come from the fast parser."""
    grammar = Grammar.from_json_schema({"type": "array", "items": {"type": "integer"}})
    tree = grammar.parse("[" + ",".join(str(n) for n in range(9000)) + "]")
    (array,) = tree.find_data("array")
    assert [str(child) for child in array.children][-1] == "8999"


def test_to_openai_nests_as_each_endpoint_wants() -> None:
    """The Responses format is flat, the Chat format is nested once more."""
    grammar = Grammar.from_regex("[a-z]+")
    assert grammar.to_openai() == {"type": "grammar", "syntax": "regex", "definition": "[a-z]+"}
    assert grammar.to_openai("chat") == {
        "type": "grammar",
        "grammar": {"syntax": "regex", "definition": "[a-z]+"},
    }
    with pytest.raises(GrammarError, match="responses"):
        grammar.to_openai("completions")  # type: ignore[arg-type]


def test_importing_grammars_is_light() -> None:
    """Neither the package nor making a Lark grammar loads lark, llguidance or pydantic."""
    code = (
        "import sys; from jigwork.grammars import Grammar; Grammar.from_lark('start: /x/');"
        "print([m for m in ('lark', 'llguidance', 'pydantic', 'jsonschema') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_chain_of_rules_that_would_overflow_a_stack_is_refused() -> None:
    """Deep chains are an error with the fix, not the end of the process; long lists of rules are fine."""
    chain = "start: r0\n" + "".join(f'r{i}: "x" r{i + 1}\n' for i in range(20_000)) + 'r20000: "y"\n'
    with pytest.raises(GrammarError, match="chain of more than 500 rules"):
        Grammar.from_lark(chain)
    wide = (
        "start: "
        + " | ".join(f"r{i}" for i in range(1200))
        + "\n"
        + "".join(f'r{i}: "a{i}b"\n' for i in range(1200))
    )
    assert Grammar.from_lark(wide).accepts("a7b")


def test_a_name_in_the_other_case_is_suggested() -> None:
    """`list` where LIST is defined is a slip of one key."""
    with pytest.raises(GrammarError, match="did you mean LIST"):
        Grammar.from_lark('start: list\nLIST: "a"')


def test_trees_of_long_texts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text has its tree as a short one has, and where that takes too long it is said, not waited for."""
    words = Grammar.from_lark('start: word+\nword: WORD ";"\nWORD: "ab" | "abc"\n')
    text = "ab;abc;" * 5000
    tree = words.parse(text)
    assert len(tree.children) == 10_000
    assert tree.meta.end_pos == len(text)
    monkeypatch.setattr(trees, "SECONDS", 0.0)
    with pytest.raises(GrammarLimitError, match="tree for 35000 characters"):
        words.parse(text)
