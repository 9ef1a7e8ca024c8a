"""`jigwork ask`: questions to a database, by the offline engine and by a model on a server."""

from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jigwork.agent.pytest_plugin import ServerFactory

Cli = Callable[..., Any]
SQL = "SELECT stores.city, COUNT(*) AS n FROM stores GROUP BY stores.city ORDER BY stores.city ASC LIMIT 2"
REPLIES: list[dict[str, Any]] = [
    {
        "text": "I count.",
        "calls": [{"name": "query", "input": SQL}],
        "usage": {
            "requests": 1,
            "input_tokens": 1000,
            "cached_tokens": 600,
            "output_tokens": 40,
            "total_tokens": 1040,
        },
    },
    {
        "text": "Two cities,\nat least.\x1b[31m",
        "usage": {"requests": 1, "input_tokens": 10, "total_tokens": 10},
    },
]


def value(shop: Path, sql: str) -> Any:
    """Return the one value of a query, without us."""
    connection = sqlite3.connect(shop)
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()


def test_offline_steps(shop: Path, cli: Cli) -> None:
    """One sees the model and why, the schema, what was understood, the SQL, the rows, the answer."""
    done = cli("ask", "--db", shop, "count orders where status is paid")
    assert (done.code, done.err) == (0, "")
    labels = [line[:8].strip() for line in done.out.splitlines() if line[:1].strip()]
    assert labels == ["model", "schema", "reads", "sql", "rows", "answer"]
    assert "offline, because no model is named and no API key is set" in done.out
    count = value(shop, "SELECT COUNT(*) FROM orders WHERE status = 'paid'")
    assert done.out.splitlines()[-1] == f"answer  {count}"
    assert "\x1b" not in done.out


def test_offline_document(shop: Path, cli: Cli) -> None:
    """--json is one document with answer, sql, columns, rows, usage, items and the model with its reason."""
    done = cli("ask", "--db", shop, "average of price of products per category", "--json")
    assert (done.code, done.err) == (0, "")
    document = done.json
    connection = sqlite3.connect(shop)
    expected = connection.execute(document["sql"]).fetchall()
    connection.close()
    assert [tuple(row) for row in document["rows"]] == expected
    assert document["row_count"] == len(expected) and not document["truncated"]
    assert len(document["columns"]) == len(document["types"]) == 2
    assert document["model"]["name"] == "offline" and "no API key" in document["model"]["reason"]
    assert document["understood"] in document["answer"]
    assert document["items"][0]["content"] == "average of price of products per category"
    assert document["queries"] == [{"sql": document["sql"], "status": "ok", "row_count": len(expected)}]


def test_a_question_that_is_not_understood(shop: Path, cli: Cli) -> None:
    """It is an error with place, nearest words and what may follow; nothing is run."""
    done = cli("ask", "--db", shop, "count custmers")
    assert done.code == 1 and "^^^^" in done.err and "customers" in done.err
    assert "sql  " not in done.out
    error = cli("ask", "--db", shop, "count custmers", "--json")
    assert error.code == 1 and error.err == ""
    assert error.json["error"]["position"] == 6 and "customers" in error.json["error"]["suggestions"]


def test_rows_are_cut_and_said_so(shop: Path, cli: Cli) -> None:
    """--max-rows bounds what is fetched; the true number is told."""
    done = cli("ask", "--db", shop, "orders where status is paid", "--max-rows", "4")
    count = value(shop, "SELECT COUNT(*) FROM orders WHERE status = 'paid'")
    assert f"rows    {count} rows, cut at 4" in done.out
    document = cli("ask", "--db", shop, "orders where status is paid", "--max-rows", "4", "--json").json
    assert (len(document["rows"]), document["row_count"], document["truncated"]) == (4, count, True)


def test_aliases(shop: Path, cli: Cli, tmp_path: Path) -> None:
    """--aliases gives tables, columns and values words of one's own."""
    aliases = tmp_path / "words.toml"
    aliases.write_text('[tables]\ncustomers = ["client"]\n')
    done = cli("ask", "--db", shop, "count clients", "--aliases", aliases, "--json")
    assert done.json["rows"] == [[value(shop, "SELECT COUNT(*) FROM customers")]]
    aliases.write_text('[tables]\ncustomer = ["client"]\n')
    wrong = cli("ask", "--db", shop, "count clients", "--aliases", aliases)
    assert wrong.code == 2 and "customers" in wrong.err


def test_questions_line_by_line(shop: Path, cli: Cli) -> None:
    """Without QUESTION, every line of a pipe is one; one that fails does not stop the others."""
    done = cli("ask", "--db", shop, "--json", stdin="count stores\n\nnonsense here\ncount employees\n")
    documents = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1
    assert ["error" in document for document in documents] == [False, True, False]
    assert documents[2]["rows"] == [[value(shop, "SELECT COUNT(*) FROM employees")]]
    text = cli("ask", "--db", shop, stdin="count stores\ncount employees\n")
    assert text.code == 0 and text.out.count("model   ") == 1 and text.out.count("answer  ") == 2


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a key that is worth nothing."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")


def test_model_on_a_server(
    shop: Path, cli: Cli, jigwork_server: ServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model's text, its SQL, the rows and its answer are shown as they come, and what it cost."""
    server = jigwork_server(REPLIES)
    monkeypatch.setenv("JIGWORK_MODEL", f"{server.base_url}#gpt-5.2")
    done = cli("ask", "--db", shop, "which cities have stores?", "--effort", "low")
    assert (done.code, done.err) == (0, "")
    assert f"model   {server.base_url}#gpt-5.2, from JIGWORK_MODEL" in done.out
    steps = [
        "says    I count.",
        f"sql     {SQL}",
        "rows    2 rows",
        "answer  Two cities,\n        at least.\n",
        "cost ",
    ]
    assert [step for step in steps if step not in done.out] == []
    assert "2 requests, 1,010 tokens in (600 cached), 40 out" in done.out
    assert "\x1b" not in done.out
    assert server.bodies[0]["reasoning_effort"] == "low"
    assert "CREATE" in json.dumps(server.bodies[0]) or "stores" in json.dumps(server.bodies[0]["messages"][0])


def test_sql_in_the_arguments_of_a_function(
    shop: Path, cli: Cli, jigwork_server: ServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without grammar tools gets the query as a function; its SQL is shown as it is written all the same."""
    sql = "SELECT stores.name FROM stores WHERE stores.city = 'Köln' AND stores.name <> 'a\"b\\\\c' LIMIT 2"
    call = {"calls": [{"name": "query", "arguments": {"sql": sql}}], "chunk": 3}
    server = jigwork_server([call, "One store."])
    monkeypatch.setenv("VLLM_BASE_URL", server.base_url)
    done = cli("ask", "--db", shop, "in Köln?", "--model", "vllm:some-model")
    assert server.bodies[0]["tools"][0]["type"] == "function"
    assert done.code == 0 and f"\nsql     {sql}\nrows    1 row\n" in done.out, done.out


def test_the_database_of_the_environment(
    shop: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, jigwork_server: ServerFactory
) -> None:
    """JIGWORK_DB names the database, and is not repeated in what is printed."""
    monkeypatch.setenv("JIGWORK_DB", str(shop))
    done = cli("ask", "count stores", "--json")
    assert done.code == 0 and done.json["rows"] == [[12]] and str(shop) not in done.out


def test_a_refused_query_is_told(shop: Path, cli: Cli, jigwork_server: ServerFactory) -> None:
    """A query outside the grammar is never run, the model is told why, and its next one counts."""
    bad: dict[str, Any] = {"calls": [{"name": "query", "input": "DROP TABLE stores"}]}
    server = jigwork_server([bad, *REPLIES])
    done = cli("ask", "--db", shop, "cities?", "--model", f"{server.base_url}#gpt-5.2", "--json")
    document = done.json
    assert document["sql"] == SQL and document["row_count"] == 2
    assert [query["sql"] for query in document["queries"] if query["status"] == "ok"] == [SQL]
    told = json.dumps(server.bodies[1]["messages"])
    assert "DROP is not allowed: only SELECT statements may be run" in told


def test_conversation_in_a_state_file(
    shop: Path, cli: Cli, jigwork_server: ServerFactory, tmp_path: Path
) -> None:
    """--state keeps the conversation over two commands."""
    server = jigwork_server(["First.", "Second."])
    common = ("--db", shop, "--model", f"{server.base_url}#gpt-5.2", "--state", tmp_path / "talk.json")
    assert cli("ask", "one?", *common).code == 0
    assert cli("ask", "two?", *common).code == 0
    said = [m["content"] for m in server.bodies[1]["messages"] if m["role"] != "system"]
    assert said == ["one?", "First.", "two?"]


def test_an_interrupted_question_goes_on(
    shop: Path, cli: Cli, jigwork_server: ServerFactory, tmp_path: Path
) -> None:
    """A state whose question has no answer yet is finished without a QUESTION."""
    from jigwork import RunState

    state = RunState()
    state.inject("one?")
    state.save(tmp_path / "open.json")
    server = jigwork_server(["The answer."])
    done = cli(
        "ask", "--db", shop, "--model", f"{server.base_url}#gpt-5.2", "--state", tmp_path / "open.json"
    )
    assert done.code == 0 and "The answer." in done.out


WRONG: list[tuple[list[str], int, str]] = [
    (["count stores"], 2, "Missing option '--db'"),
    (["count stores", "--db", "nothere.db"], 2, "nothere.db"),
    (["count stores", "--db", "SHOP", "--model", "gtp-5.2"], 2, "did you mean 'gpt-5.2'?"),
    (["count stores", "--db", "SHOP", "--model", "gpt-5.2"], 2, "OPENAI_API_KEY"),
    (["count stores", "--db", "SHOP", "--max-rows", "0"], 2, "--max-rows"),
    (["count stores", "--db", "SHOP", "--state", "no/such/folder/x.json"], 2, "folder that exists"),
    (["--db", "SHOP"], 2, "there is no question"),
    (["", "--db", "SHOP"], 2, "the question is empty"),
    (["count stores", "--db", "SHOP", "--modle", "x"], 2, "--model"),
    (["count stores", "--db", "SHOP", "--effort", "high"], 2, "name a --model"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG)
@pytest.mark.parametrize("as_json", [False, True])
def test_wrong_commands(
    shop: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    as_json: bool,
    *,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    """What is wrong is one line on stderr with the fix, or one document with --json; the code says which kind."""
    monkeypatch.chdir(tmp_path)
    words = [str(shop) if word == "SHOP" else word for word in arguments]
    done = cli("ask", *words, *(["--json"] if as_json else []))
    assert done.code == code, done
    if as_json:
        assert message in done.json["error"]["message"] and done.err == ""
    else:
        assert message in done.err and len(done.err.splitlines()) == 1


def test_no_state_of_nothing(shop: Path, cli: Cli, tmp_path: Path) -> None:
    """A question that was never asked leaves no state file."""
    done = cli("ask", "nonsense", "--db", shop, "--state", tmp_path / "s.json")
    assert done.code == 1 and not (tmp_path / "s.json").exists()


def test_stdin_may_be_closed(shop: Path) -> None:
    """Without any stdin a question is answered, and its absence is a usage error."""
    command = f"exec {sys.executable} -m jigwork ask --db {shop} --json"
    asked = subprocess.run(
        f"{command} 'count stores' <&-", shell=True, capture_output=True, text=True, check=True
    )
    assert json.loads(asked.stdout)["rows"] == [[12]]
    empty = subprocess.run(f"{command} <&-", shell=True, capture_output=True, text=True, check=False)
    assert empty.returncode == 2 and "there is no question" in json.loads(empty.stdout)["error"]["message"]


def test_a_server_that_is_not_there(shop: Path, cli: Cli) -> None:
    """A server that does not answer is one line that names it, after what was tried."""
    done = cli("ask", "count stores", "--db", shop, "--model", "http://127.0.0.1:9/v1#m")
    assert done.code == 1 and "127.0.0.1:9" in done.err and len(done.err.splitlines()) == 1


def test_interrupted_command_names_itself(shop: Path) -> None:
    """The command that goes on repeats the options that matter, quoted for a shell."""
    from jigwork.agent.cli.statefile import StateFile

    file = StateFile.of(None, ["jigwork", "ask", "--db", "my shop.db", None])
    assert shlex.split(file.resume_command(Path("s.json"))) == [
        "jigwork", "ask", "--db", "my shop.db", "--state", "s.json"
    ]  # fmt: skip
