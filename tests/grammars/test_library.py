"""The ready grammars: clean everywhere, and each with a table of accepted and refused texts."""

from __future__ import annotations

import pytest

from jigwork.errors import GrammarError
from jigwork.grammars import library, library_names

TABLE: dict[str, tuple[list[str], list[str]]] = {
    "json": (
        ['{"a":[1,-2.5e3,true],"b":{}}', "[]", '"\\u00e9\\n"', "null", "0", '["é"]'],
        ['{"a": 1}', "{a:1}", "[1,]", "01", "'a'", '"a\nb"', "tru", "", '{"a":1', "1.", "+1"],
    ),
    "arithmetic": (
        ["1", "1 + 2*3", "(1 - x)^2", "max(a, b)/2", "-x", "2^3^4", "-(1 + 2)", "1.25 - rate"],
        ["1+2", "1 +", "2 * 3", "X", "f()", "1..2", ")", "1.", "", "a b"],
    ),
    "iso8601": (
        ["2024-02-29", "12:30", "23:59:59.999Z", "2024-01-31T08:00:00+02:00", "P1Y2M3DT4H5M6.5S", "PT30M", "P2W",
         "2024-01-01/2024-12-31", "P3M", "PT1.5S", "2024-01-01T00:00:00Z/P1M", "P1D/2024-01-01",
         "2000-02-29"],
        ["2024-13-01", "2024-1-1", "24:00", "P", "PT", "P1H", "2024-01-01T", "12:30+25:00", "P1DT", "P1W2D", "",
         "2023-02-29", "1900-02-29", "2024-04-31", "P1D/P1D"],
    ),
    "contact": (
        ["ann.b+news@example.co.uk", "http://localhost:8080", "https://example.com/a/b?x=1&y=2#top",
         "https://a-b.example/", "x_1@mail.example", "o'neil@example.ie", "http://a/b%20c"],
        ["ann@", "@example.com", "ann@example", "ftp://example.com", "https://", "https://exa mple.com",
         "a..b@example.com", "http://-a.example", "http://a:0", "http://a:65536", "http://a/%zz", "mailto:a@b.example"],
    ),
    "csv": (
        ["", "a", "a,b", "a,,c", '"x,y",z', '"say ""hi"""', '"two\nlines",b', " a , b "],
        ['a"b', '"open', '"a"b', "a\nb", '""""" x', '"a" ,b'],
    ),
    "unified_diff": (
        ["--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@ def f():\n same\n-old\n+new\n",
         "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n--- c\n+++ d\n@@ -0,0 +1 @@\n+x\n",
         "--- a\n+++ b\n@@ -1 +1 @@\n-\n+- item\n",
         "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"],
        ["", "--- a\n+++ b\n", "--- a\n@@ -1 +1 @@\n-a\n", "--- a\n+++ b\n@@ 1 1 @@\n+x\n",
         "--- a\n+++ b\n@@ -1 +1 @@\nplain\n", "--- a\n+++ b\n@@ -1 +1 @@\n+x", "--- a\n+++ b\n@@ -1 +1 @@\n--- gone\n"],
    ),
    "apply_patch": (
        ["*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** End Patch",
         "*** Begin Patch\n*** Update File: a\n*** Move to: b\n@@ f\n x\n-y\n+z\n*** End of File\n*** End Patch\n",
         "*** Begin Patch\n*** Update File: a\n+z\n*** Delete File: c\n*** End Patch\n"],
        ["", "*** Begin Patch\n*** End Patch", "*** Begin Patch\n*** Add File: a\nline\n*** End Patch",
         "*** Begin Patch\n*** Delete File: a\n", "*** Begin Patch\n*** Update File: a\n*** End Patch",
         "*** Begin Patch\n*** Rename File: a\n*** End Patch"],
    ),
    "cron": (
        ["* * * * *", "*/15 0 1,15 * 1-5", "0 9-17/2 * JAN-MAR MON,FRI", "59 23 31 12 7", "@daily", "@midnight", "00 09 * * sun"],
        ["* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "@often", "*/0 * * * *",
         "a * * * *", "* * * * * *", "1- * * * *", "mon * * * *"],
    ),
    "semver": (
        ["0.0.1", "1.2.3", "10.20.30-rc.1", "1.0.0-alpha+build.5", "1.0.0+20130313", "1.0.0-0a.0", "1.0.0--"],
        ["1", "1.2", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "v1.2.3", "1.2.3-a..b", "1.2.3+é", ""],
    ),
    "lucene": (
        ["title:foo AND body:\"bar baz\"~2", "(a OR b) AND -c", "+must NOT field:te?t*", "age:[18 TO 65]",
         "date:{2020-01-01 TO *}", "roam~0.8", "jakarta^4 OR apache", "NOT x", "title:foo -title:bar",
         "*:*", "country:NORWAY", "count:>10", "field:/re[a-z]/", "(a && b) c^2", "caf\u00e9", "\\(1\\+1\\)", "age:[1 TO 9}"],
        ["", "a  b", "AND", "a AND", "a AND OR b", "NOT", "AND a", "title:", "(a OR b", "\"open", "age:[18 TO]", "a &&b", "a OR", "-", "field: x"],
    ),
    "graphql": (
        ["{ user }", "query ($n: Int) { a }", "{ ... { a } }", "{ ... @skip(if: $x) { a } }", "{ a(e: north) }", "query Me($id: ID! = 4) { user(id: $id) { name friends(first: 10) { id } } }",
         "mutation { like(id: \"x\", kind: STAR) { count } }", "{ a: user @include(if: true) { ...F ... on User { id } } }",
         "query { f(list: [1, 2.5], o: {a: null, b: [true]}) }\nfragment F on User { id }"],
        ["", "{ }", "{user}", "query { user", "{ user(id: ) }", "{ user() }", "query Me { a,b }", "{ 1a }",
         "{ user(id: 'x') }", "fragment F { id }", "fragment on on User { id }", "{ ...on }"],
    ),
    "jmespath": (
        ["a.b[0].c", "people[?age > `20`].[name, age]", "a || b && !c", "length(items) == `3`", "*.x | [0]", "a[1:5:2]",
         "{n: name, l: length(@)}", "sort_by(a, &b)[]", '"quoted name".x', "[*].foo", "(a || b).c", "[a, b]", "a.[b]",
         '{"a b": c}'],
        ["", "a.", ".a", "a[", "a[b]", "a[?]", "f(", "a..b", "a | ", "{n:name}", "1a", "a ||b", "&a"],
    ),
    "latex_math": (
        ["x = 1", "\\frac{a + b}{2}", "\\sqrt[3]{x^2}", "\\sum_{i = 1}^{n}{i^2}", "e^{-x} \\le \\alpha", "\\sin(x)",
         "\\left(a - b\\right)^2", "a_1 + a_n", "2 x \\cdot y", "-\\pi", "2\\pi r", "x \\theta", "n!",
         "\\lim_{x \\to 0}{\\sin(x)}", "|x| = -1", "\\log_2(8)", "x=1",
         "x^2+y^2=z^2", "\\sum_{i=1}^n i", "\\int_0^1 f(x) d x", "a\\le b", "a \\leq \\pi", "\\sum{i}"],
        ["", "x =", "+x", "\\alphax", "a\\leb", "\\frac{a}", "\\foo", "x^", "x^12", "(x", "\\left(a)", "x  y"],
    ),
    "chess": (
        ["e4", "Nf3", "Nbxd7+", "R1a3", "Qh4xe1#", "exd5", "bxa8=Q+", "O-O", "O-O-O#", "e4 e5 Nf3 Nc6"],
        ["", "e9", "Ne", "i4", "e8", "exd8", "0-0", "O-O-", "Kz1", "e4  e5", "e4e5", "nf3", "axc4", "axh5"],
    ),
}  # fmt: skip


def test_every_ready_grammar_has_a_table() -> None:
    """The table below the library is complete."""
    assert sorted(TABLE) == list(library_names())


@pytest.mark.parametrize("name", sorted(TABLE))
def test_accepted_and_refused(name: str) -> None:
    """Each ready grammar accepts its good texts, refuses its bad ones, and has a tree for each good one."""
    grammar = library(name)
    accepted, refused = TABLE[name]
    assert [text for text in accepted if not grammar.accepts(text)] == []
    assert [text for text in refused if grammar.accepts(text)] == []
    assert all(grammar.parse(text).data == "start" for text in accepted)


_FAST = {"chess", "csv", "json"}  # the others are checked in the long run of the tests


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in _FAST else [pytest.mark.slow]) for n in sorted(TABLE)]
)
@pytest.mark.parametrize(
    "target",
    [pytest.param("openai", marks=pytest.mark.slow), pytest.param("lark", marks=pytest.mark.slow), "gbnf"],
)
def test_ready_grammars_are_clean(name: str, target: str) -> None:
    """No ready grammar has a finding, on servers, in Lark or without a lexer."""
    assert library(name).check(target=target) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(TABLE))
def test_samples_of_ready_grammars_have_trees(name: str) -> None:
    """Random texts of each ready grammar are parsed by Lark as well."""
    grammar = library(name)
    for text in grammar.sample(12, seed=5, longest=160):
        assert grammar.parse(text).data == "start"


def test_unknown_names_are_explained() -> None:
    """A name that is no ready grammar is answered with the nearest one."""
    with pytest.raises(GrammarError, match="did you mean semver"):
        library("semvar")
