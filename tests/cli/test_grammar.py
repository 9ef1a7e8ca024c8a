"""`jigwork grammar`: check, explain, sample, convert, sql, and the ways to name a grammar."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jigwork.grammars import Grammar

Cli = Callable[..., Any]
COMMANDS = ["check", "explain", "sample", "show", "repl", "convert", "sql"]
ESCAPE = "\x1b]0;owned\x07"

UNDEFINED = 'start: greeting\ngreeting: "hello" nam\n'
SWALLOWED = 'start: WORD " now"\nWORD: /[a-z ]{1,20}/\n'
CLEAN = 'start: "hello " NAME\nNAME: "Ada" | "Bo"\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with some grammars, as the working folder."""
    monkeypatch.chdir(tmp_path)
    files = {
        "undefined.lark": UNDEFINED,
        "swallowed.lark": SWALLOWED,
        "clean.lark": CLEAN,
        "open.lark": 'start: ("a"\n',
        "escape.lark": f'start: "a{ESCAPE}" nope{ESCAPE}\n',
        "wide.lark": 'start: "正正" nope\n',
        "point.json": json.dumps(
            {
                "type": "object",
                "properties": {"x": {"type": "integer"}},
                "required": ["x"],
                "additionalProperties": False,
            }
        ),
        "typo.json": '{"type": "object",\n "properties": }\n',
        "odd.json": '{"type": "array", "uniqueItems": true}',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "latin.lark").write_bytes(b'start: "\xe9"\n')
    return tmp_path


def test_help_names_every_command(cli: Cli) -> None:
    """The group explains itself, its commands and what a GRAMMAR may be."""
    done = cli("grammar", "--help")
    assert done.code == 0 and all(f"  {name} " in done.out for name in COMMANDS) and "-" in done.out
    assert cli("grammar").out == done.out
    assert "did you mean 'explain'?" in cli("grammar", "explian").err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(cli: Cli, name: str) -> None:
    """Every command explains itself and its options."""
    done = cli("grammar", name, "--help")
    assert done.code == 0 and f"Usage: jigwork grammar {name}" in done.out


def test_help_is_light() -> None:
    """Help imports no engine, no screen and no drawing."""
    program = (
        "import sys\nfrom jigwork.__main__ import main\nsys.argv[1:] = ['grammar', '--help']\nmain()\n"
        "heavy = {'openai', 'lark', 'llguidance', 'sqlalchemy', 'sqlglot', 'rich', 'prompt_toolkit', 'pydantic', 'railroad'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


# check


def test_check_prints_as_a_compiler_does(cli: Cli, here: Path) -> None:
    """Place, severity, rule, message; the line and the caret under the place; the fix; a last line with counts."""
    done = cli("grammar", "check", "undefined.lark")
    assert done.code == 1 and done.err == ""
    head, line, caret, *rest = done.out.splitlines()
    assert head == "undefined.lark:2:19: error E7: the rule nam is not defined"
    assert line.strip() == 'greeting: "hello" nam' and line[caret.index("^")] == "n" and "^" in caret
    assert any(row.startswith("  fix:  ") for row in rest)
    assert rest[-1] == "undefined.lark: 1 error (for openai)"


def test_check_finds_what_can_never_be_written(cli: Cli, here: Path) -> None:
    """A finding that needs the grammar to be tried out has a text that shows it, and the reason."""
    done = cli("grammar", "check", "swallowed.lark")
    assert done.code == 1
    assert "error E11: " in done.out and "  why:  the longest match" in done.out and "  text: '" in done.out


def test_check_of_a_clean_grammar(cli: Cli, here: Path) -> None:
    """No findings: one line, exit code 0, also for several targets at once."""
    done = cli("grammar", "check", "clean.lark", "--target", "gbnf", "--target", "lark", "--target", "gbnf")
    assert (done.code, done.out, done.err) == (0, "clean.lark: clean (for gbnf, lark)\n", "")


def test_check_as_data(cli: Cli, here: Path) -> None:
    """Several grammars are one document with all fields, and each finding knows for which target it was made."""
    done = cli(
        "grammar", "check", "undefined.lark", "clean.lark", "--json", "--target=lark", "--target=openai"
    )
    assert done.code == 1 and done.err == ""
    document = done.json
    assert (document["errors"], document["warnings"]) == (1, 0)
    wrong, clean = document["grammars"]
    assert clean["findings"] == [] and clean["name"] == "clean.lark"
    (finding,) = wrong["findings"]
    assert (finding["rule"], finding["line"], finding["column"], finding["severity"]) == (
        "E7",
        2,
        19,
        "error",
    )
    assert finding["targets"] == ["lark", "openai"] == wrong["targets"] and finding["fix"]


# check --fix

SLIPS = "begin: 'hi' name\r\nname.2: [WORD] // who\r\n"
RIGHT = '%import common.WORD\r\nstart: begin\r\nbegin: "hi" name\r\nname: [WORD] // who\r\n'


def test_fix(cli: Cli, here: Path) -> None:
    """What is safe is put right in the file, which keeps its line ends and rights, and said line by line."""
    file = here / "slips.lark"
    file.write_bytes(SLIPS.encode())
    file.chmod(0o640)
    done = cli("grammar", "check", "slips.lark")
    assert done.code == 1 and done.out.endswith(
        "slips.lark: 1 error (for openai); 1 can be fixed with --fix\n"
    )
    done = cli("grammar", "check", "slips.lark", "--fix")
    assert done.code == 0 and done.err == "" and file.read_bytes().decode() == RIGHT
    assert done.out.splitlines() == [
        "fixed E7: there is no rule named start",
        'fixed E8 line 1: strings stand between double quotes: "..."',
        "fixed E2 line 2: name has a priority, which no server supports",
        "fixed E7 line 2: the terminal WORD is not defined",
        "slips.lark: 4 fixed, clean (for openai)",
    ]
    assert file.stat().st_mode & 0o777 == 0o640 and not list(here.glob(".slips*"))
    written = file.stat().st_mtime_ns
    assert cli("grammar", "check", "slips.lark", "--fix").out == "slips.lark: clean (for openai)\n"
    assert file.stat().st_mtime_ns == written


def test_fix_says_what_is_left(cli: Cli, here: Path) -> None:
    """What is not safe stays, is said to be the author's to change, and makes the exit code 1."""
    (here / "both.lark").write_text("start: 'a' nam\nname: NUMBER\n")
    done = cli("grammar", "check", "both.lark", "clean.lark", "--fix")
    assert done.code == 1 and "both.lark: fixed E8 line 1: " in done.out
    assert "  fix:  did you mean name? (no safe fix: change it by hand)\n" in done.out
    assert done.out.endswith("2 grammars: 2 fixed, 1 error left (for openai)\n")
    assert (here / "both.lark").read_text() == '%import common.NUMBER\nstart: "a" nam\nname: NUMBER\n'
    assert (here / "clean.lark").read_text() == CLEAN


def test_fix_of_standard_input(cli: Cli, here: Path) -> None:
    """The text that comes in goes out, put right or as it was; what is said goes to standard error."""
    done = cli("grammar", "check", "-", "--fix", stdin="start: 'a'\n")
    assert (done.code, done.out) == (0, 'start: "a"\n') and "fixed E8 line 1" in done.err
    done = cli("grammar", "check", "-", "--fix", stdin='start: "a\n')
    assert (done.code, done.out) == (1, 'start: "a\n') and "no safe fix" in done.err


def test_fix_shows_the_difference(cli: Cli, here: Path) -> None:
    """With --diff nothing is written, and a unified diff is all that comes out."""
    (here / "one.lark").write_text("start: 'a'\n// b")
    done = cli("grammar", "check", "one.lark", "--fix", "--diff")
    assert done.code == 1 and (here / "one.lark").read_text() == "start: 'a'\n// b"
    assert (
        done.out.startswith("--- a/one.lark\n+++ b/one.lark\n@@")
        and "-start: 'a'\n+start: \"a\"\n" in done.out
    )
    assert done.out.endswith(" // b\n\\ No newline at end of file\n") and "would be fixed" in done.err
    done = cli("grammar", "check", "clean.lark", "--fix", "--diff")
    assert (done.code, done.out) == (0, "")


def test_fix_as_data(cli: Cli, here: Path) -> None:
    """Edits are part of every finding; with --fix the document has what was fixed and the new text."""
    (here / "one.lark").write_text("start: 'a'\n")
    (finding,) = cli("grammar", "check", "one.lark", "--json").json["grammars"][0]["findings"]
    assert finding["edits"] == [{"start": 7, "end": 10, "text": '"a"'}]
    done = cli("grammar", "check", "one.lark", "--json", "--fix")
    (each,) = done.json["grammars"]
    assert done.code == 0 and (each["changed"], each["findings"]) == (True, [])
    assert each["text"] == 'start: "a"\n' and each["fixed"][0]["line"] == 1
    assert (here / "one.lark").read_text() == 'start: "a"\n'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["json", "--fix"], "--fix changes .lark files"),
        (["point.json", "--fix"], "--fix changes .lark files"),
        (["clean.lark", "--diff"], "give both"),
        (["missing.lark", "--fix"], "there is no file"),
    ],
)
def test_fix_misused(cli: Cli, here: Path, arguments: list[str], message: str) -> None:
    """Only a text that the author has can be changed."""
    done = cli("grammar", "check", *arguments)
    assert done.code == 2 and message in done.err and done.out == ""


def test_fix_follows_a_link(cli: Cli, here: Path) -> None:
    """A link stays a link: the file that it names is changed."""
    (here / "real.lark").write_text("start: 'a'\n")
    (here / "link.lark").symlink_to("real.lark")
    assert cli("grammar", "check", "link.lark", "--fix").code == 0
    assert (here / "link.lark").is_symlink() and (here / "real.lark").read_text() == 'start: "a"\n'


def test_a_finding_for_one_of_the_targets_says_so(cli: Cli, here: Path) -> None:
    """What only one server minds is marked where several were asked about."""
    (here / "counted.lark").write_text('start: "a"{2,3}\n')
    done = cli("grammar", "check", "counted.lark", "--target", "llguidance", "--target", "openai")
    assert done.code == 1 and "warning W7" in done.out and "  for:  openai\n" in done.out
    assert cli("grammar", "check", "counted.lark", "--target", "llguidance").code == 0


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("open.lark", "open.lark:1:8: error E8: ( is not closed"),
        ("typo.json", "typo.json:2:16: error E10: the schema is not JSON: Expecting value"),
        ("odd.json", "odd.json: error E10: this schema cannot be a grammar: #: uniqueItems"),
    ],
)
def test_what_cannot_be_read_is_a_finding(cli: Cli, here: Path, name: str, head: str) -> None:
    """A text that is no grammar, or no schema, has its place as any other finding."""
    done = cli("grammar", "check", name)
    assert done.code == 1 and done.out.splitlines()[0].startswith(head)


def test_a_schema_is_checked_for_servers(cli: Cli, here: Path) -> None:
    """A JSON schema is clean; what is found in the text that is made of it has no place that its author could know."""
    assert cli("grammar", "check", "point.json").code == 0
    assert cli("grammar", "check", "point.json", "--target", "openai").code == 0
    (here / "large.json").write_text(json.dumps({"enum": [f"entry number {n}" for n in range(5000)]}))
    done = cli("grammar", "check", "large.json", "--target", "openai", "--json")
    # on a busy machine, a second finding says that the check was not finished in time
    finding = next(found for found in done.json["grammars"][0]["findings"] if " KB" in found["message"])
    assert done.code == 1 and finding["rule"] == "W10" and finding["line"] is None and finding["edits"] == []


def test_nothing_that_a_terminal_obeys_is_shown(cli: Cli, here: Path) -> None:
    """Escape sequences in grammars and texts do not reach the screen, and JSON has them as escapes."""
    for arguments in (
        ["check", "escape.lark"],
        ["check", "escape.lark", "--json"],
        ["explain", "clean.lark", f"hello {ESCAPE}"],
        ["explain", "clean.lark", f"hello {ESCAPE}", "--json"],
        ["sample", "escape.lark"],
        ["show", "escape.lark"],
        ["check", f"no{ESCAPE}"],
    ):
        done = cli("grammar", *arguments)
        assert done.code in (1, 2) or arguments[0] == "show"
        assert "\x1b" not in done.out + done.err and "\x07" not in done.out + done.err


def test_the_caret_stands_under_its_character(cli: Cli, here: Path) -> None:
    """Characters that are two columns wide move the caret."""
    line, caret = cli("grammar", "check", "wide.lark").out.splitlines()[1:3]
    assert caret.index("^") == line.index("nope") + 2


# naming a grammar


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cronn", "did you mean cron?"),
        ("zzzz", "ready are apply_patch, "),
        ("missing.lark", "there is no file missing.lark"),
        (".", "is a folder"),
        ("latin.lark", "is not UTF-8 (byte 8)"),
        ("own.py:nothing", "own.py has no 'nothing'"),
        ("own.py:number", "is a int: name a Grammar"),
    ],
)
def test_a_grammar_that_is_not_there(cli: Cli, here: Path, name: str, message: str) -> None:
    """What names no grammar is a mistake of the command line, with the nearest name."""
    (here / "own.py").write_text("number = 3\n")
    done = cli("grammar", "check", name)
    assert done.code == 2 and message in done.err and done.out == "" and done.err.count("\n") == 1


def test_grammars_by_every_name(cli: Cli, here: Path) -> None:
    """Ready grammars, standard input, and grammars, tools and models of the user's own."""
    (here / "own_grammars.py").write_text(
        "from pydantic import BaseModel\nfrom jigwork import Grammar, tool\n"
        "greeting = Grammar.from_regex('hello|bye')\n"
        "class Point(BaseModel):\n    x: int\n"
        "@tool(grammar=greeting)\ndef greet(text: str) -> str:\n    'Greet.'\n    return text\n"
    )
    assert cli("grammar", "explain", "cron", "@daily").code == 0
    assert cli("grammar", "explain", "-", "hello Ada", stdin=CLEAN).code == 0
    assert cli("grammar", "explain", "-", '{"x":1}', stdin=(here / "point.json").read_text()).code == 0
    assert cli("grammar", "explain", "own_grammars.py:greeting", "bye").code == 0
    assert cli("grammar", "explain", "own_grammars.py:greet", "bye").code == 0
    assert cli("grammar", "explain", "own_grammars:Point", '{"x":1}').code == 0
    assert cli("grammar", "explain", "own_grammars:Point", '{"y":1}').code == 1


def test_a_wrong_grammar_is_named_with_its_place(cli: Cli, here: Path) -> None:
    """Commands that need a right grammar say in one line where it is wrong."""
    for name in ("explain", "convert", "sample"):
        more = {"explain": ["x"], "convert": ["--to", "gbnf"], "sample": []}[name]
        done = cli("grammar", name, "undefined.lark", *more)
        assert done.code == 2 and "undefined.lark:2:19: the rule nam is not defined" in done.err
    error = cli("grammar", "sample", "undefined.lark", "--json").json["error"]
    assert (error["rule"], error["line"], error["column"]) == ("E7", 2, 19)


# explain


def test_explain(cli: Cli, here: Path) -> None:
    """Accepted or the place with a caret, what may stand there and what was probably meant."""
    done = cli("grammar", "explain", "clean.lark", "hello Ada")
    assert (done.code, done.out) == (0, "valid\n")
    done = cli("grammar", "explain", "clean.lark", "hello Adx")
    head, line, caret, *rest = done.out.splitlines()
    assert done.code == 1 and head.startswith("line 1, column 9: not valid")
    assert line[caret.index("^")] == "x" and "did you mean hello Ada" in rest
    document = cli("grammar", "explain", "clean.lark", "hello Adx", "--json").json
    assert document["accepted"] is False and document["nearest"] == "hello Ada" and document["column"] == 9
    assert document["found"] == "x" and "Invalid at line 1" in document["message"]


def test_explain_standard_input(cli: Cli, here: Path) -> None:
    """The new line that `echo` adds does not count, unless the grammar wants one."""
    assert cli("grammar", "explain", "clean.lark", "-", stdin="hello Ada\n").code == 0
    assert cli("grammar", "explain", "clean.lark", "-", stdin="hello Ada\n\n").code == 1
    (here / "line.lark").write_text('start: "a\\n"\n')
    assert cli("grammar", "explain", "line.lark", "-", stdin="a\n").code == 0
    assert cli("grammar", "explain", "line.lark", "-", stdin="a").code == 1


def test_explain_many(cli: Cli, here: Path) -> None:
    """One row that cannot be read or judged does not end the others; each row says which it is."""
    rows = [
        '"hello Ada"',
        '{"id": "b", "text": "hello"}',
        "",
        "nope",
        '{"id": 4}',
        "[1]",
        '"\\ud800"',
        "[" * 20000,
    ]
    (here / "rows.jsonl").write_bytes("\n".join(rows).encode() + b'\n"\xff"\n"hello Bo"')
    done = cli("grammar", "explain", "clean.lark", "--jsonl", "rows.jsonl")
    out = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1 and done.err == ""
    assert [row["row"] for row in out] == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert [row.get("accepted") for row in out] == [True, False, None, None, None, False, None, None, True]
    assert (out[1]["id"], out[3]["id"]) == ("b", 4) and out[1]["unfinished"] is True
    assert all(row["error"]["message"] for row in out if "accepted" not in row)
    done = cli("grammar", "explain", "clean.lark", "--jsonl", "-", stdin='"hello Ada"\n"hello Bo"\n')
    assert done.code == 0 and len(done.out.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clean.lark"], "give one TEXT"),
        (["clean.lark", "x", "--jsonl", "rows"], "give one TEXT"),
        (["-", "-"], "both"),
        (["-", "--jsonl", "-"], "both"),
        (["clean.lark", "--jsonl", "no/such/file"], "cannot be read"),
    ],
)
def test_explain_misused(cli: Cli, here: Path, arguments: list[str], message: str) -> None:
    """What cannot be meant is a mistake of the command line."""
    done = cli("grammar", "explain", *arguments)
    assert done.code == 2 and message in done.err + done.out


# sample, convert, sql


def test_sample(cli: Cli, here: Path) -> None:
    """Texts are accepted, the same for a seed, and JSON strings where a line would not show them."""
    done = cli("grammar", "sample", "clean.lark", "-n", "6", "--seed", "4")
    assert done.code == 0 and set(done.out.splitlines()) == {"hello Ada", "hello Bo"}
    assert cli("grammar", "sample", "clean.lark", "-n", "6", "--seed", "4").out == done.out
    document = cli("grammar", "sample", "unified_diff", "-n", "3", "--json").json
    diff = Grammar.from_file(Path(__file__).parents[2] / "grammars/unified_diff.lark")
    assert len(document["samples"]) == 3 and all(map(diff.accepts, document["samples"]))
    lines = cli("grammar", "sample", "unified_diff", "-n", "3").out.splitlines()
    assert [json.loads(line) for line in lines] == document["samples"]


def test_sample_finds_nothing(cli: Cli, here: Path) -> None:
    """Where no text is short enough the reason is told, and the exit code is 1."""
    done = cli("grammar", "sample", "clean.lark", "--longest", "3")
    assert done.code == 1 and done.out == "" and "no text of at most 3 characters" in done.err


@pytest.mark.parametrize("form", ["llguidance", "gbnf", "ebnf", "regex"])
def test_convert_prints_the_text(cli: Cli, here: Path, form: str) -> None:
    """What is printed is what the grammar's method gives."""
    export = getattr(Grammar.from_lark(CLEAN), f"to_{form}")()
    done = cli("grammar", "convert", "clean.lark", "--to", form)
    assert (done.code, done.err) == (0, "") and done.out.rstrip("\n") == export.text.rstrip("\n")
    document = cli("grammar", "convert", "clean.lark", "--to", form, "--json").json
    assert (document["text"], document["exact"], document["differences"]) == (export.text, True, [])


def test_convert_for_openai_and_schemas(cli: Cli, here: Path) -> None:
    """What is JSON already is printed as JSON."""
    grammar = Grammar.from_lark(CLEAN)
    for form, value in {
        "openai-responses": grammar.to_openai("responses"),
        "openai-chat": grammar.to_openai("chat"),
        "json-schema": grammar.to_json_schema(),
    }.items():
        assert cli("grammar", "convert", "clean.lark", "--to", form).json == value
        assert cli("grammar", "convert", "clean.lark", "--to", form, "--json").json["format"] == value


def test_convert_says_what_is_different(cli: Cli, here: Path) -> None:
    """A larger language is named on standard error; the text alone is on standard output."""
    done = cli("grammar", "convert", "swallowed.lark", "--to", "gbnf")
    assert done.code == 0 and done.err.startswith("jigwork: not exact: ") and done.out.startswith("root ::=")
    document = cli("grammar", "convert", "swallowed.lark", "--to", "gbnf", "--json").json
    assert document["exact"] is False and len(document["differences"]) == 1


def test_convert_refuses_with_the_place(cli: Cli, here: Path) -> None:
    """What a form has no words for is refused: exit code 1, the reason and the place."""
    (here / "nested.lark").write_text('start: nest\nnest: "(" nest ")" | "x"\n')
    done = cli("grammar", "convert", "nested.lark", "--to", "regex")
    assert done.code == 1 and done.out == "" and "line 2, column 1" in done.err and "recurses" in done.err
    error = cli("grammar", "convert", "nested.lark", "--to", "regex", "--json").json["error"]
    assert (error["line"], error["column"]) == (2, 1)
    done = cli("grammar", "convert", "nested.lark", "--to", "nothing")
    assert done.code == 2 and "gbnf" in done.err


def test_sql(cli: Cli, here: Path, shop: Path) -> None:
    """The grammar of a live database: its names, narrowed by options, ready to be checked and explained."""
    done = cli("grammar", "sql", "--db", shop)
    assert done.code == 0 and done.err == ""
    (here / "shop.lark").write_text(done.out)
    assert cli("grammar", "explain", "shop.lark", "SELECT stores.name FROM stores LIMIT 5").code == 0
    assert cli("grammar", "explain", "shop.lark", "SELECT stores.nome FROM stores LIMIT 5").code == 1
    narrow = cli(
        *("grammar", "sql", "--db", shop, "--table", "stores", "--deny", "stores.name", "--max-limit", "7"),
        *("--function", "upper", "--json"),
    ).json
    grammar = Grammar.from_lark(narrow["definition"])
    assert (narrow["dialect"], narrow["tables"]) == ("sqlite", ["stores"])
    assert grammar.accepts("SELECT COUNT(*) FROM stores LIMIT 7")
    assert not grammar.accepts("SELECT COUNT(*) FROM stores LIMIT 8")
    assert not grammar.accepts("SELECT stores.name FROM stores LIMIT 5")
    assert not grammar.accepts("SELECT COUNT(*) FROM orders LIMIT 5")


def test_sql_sampled(cli: Cli, shop: Path) -> None:
    """Random sentences are counted: what passes the check, what is refused where and for what, with an example."""
    document = cli("grammar", "sql", "--db", shop, "--sample", "200", "--json").json
    refused = sum(refusal["count"] for refusal in document["refusals"])
    assert document["count"] == 200 == document["passed"] + refused and 0 < document["passed"] < 200
    counts = [refusal["count"] for refusal in document["refusals"]]
    assert counts == sorted(counts, reverse=True)
    for refusal in document["refusals"]:
        done = cli("sql", "check", "--db", shop, refusal["example"], "--json")
        assert (done.json["ok"], done.json["stage"]) == (False, refusal["stage"])
    done = cli("grammar", "sql", "--db", shop, "--sample", "200")
    assert done.code == 0 and done.out.startswith(f"200 sentences: {document['passed']} pass the check")
    done = cli("grammar", "sql", "--db", shop, "--sample", "5", "--dialect", "postgres")
    assert done.code == 2 and "leave --dialect out" in done.err


def test_sql_misused(cli: Cli, here: Path) -> None:
    """A database, dialect or function that is not there is told without a traceback."""
    assert cli("grammar", "sql").code == 2
    done = cli("grammar", "sql", "--db", "no.db")
    assert done.code == 2 and "no.db" in done.err and not (here / "no.db").exists()
