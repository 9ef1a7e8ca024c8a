"""`jigwork ask`: what is done with an answer's rows, questions by the row, trusted queries, figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jigwork.agent.pytest_plugin import ServerFactory

Cli = Callable[..., Any]
SQL = "SELECT stores.city FROM stores ORDER BY stores.city ASC LIMIT 2"
ASKED = [{"calls": [{"name": "query", "input": SQL}]}, "Two cities."]


def rows_file(folder: Path, *rows: dict[str, Any]) -> Path:
    """Write rows as a JSONL file."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


KEYS = ["id", "answer", "sql", "columns", "rows", "abstained", "reason", "ms"]


def test_questions_by_the_row(shop: Path, cli: Cli, tmp_path: Path) -> None:
    """Each row is answered for itself; what is not understood is abstained from with the reason."""
    rows: list[dict[str, Any]] = [
        {"id": 1, "question": "count stores"},
        {"id": 2, "question": "colourless green ideas"},
        {"id": 3},
        {"id": 4, "question": " "},
        {"id": 5, "question": "\ud800\x00"},
        {"id": 6, "question": "word " * 200_000},
        {"id": 7, "question": "count stores"},
    ]
    done = cli("ask", "--db", shop, "--jsonl", rows_file(tmp_path, *rows))
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1 and [list(answer) for answer in answers] == [KEYS] * 7
    assert [answer["abstained"] for answer in answers] == [False, True, True, True, True, True, False]
    assert all((answer["reason"] is None) != answer["abstained"] for answer in answers)
    assert answers[0]["rows"] == answers[6]["rows"] == [[12]] and answers[0]["columns"] == ["count"]
    assert "colourless" in answers[1]["reason"] and answers[1]["sql"] is None


def test_questions_through_a_pipe(shop: Path, process: Cli) -> None:
    """`--jsonl -` reads the rows of stdin, one after the other; only objects are on stdout."""
    given = b'{"id": "a", "question": "count stores"}\r\n\n{"id": "b"\n\xff\n{"id": "c", "question": "list stores"}'
    done = process("ask", "--db", shop, "--jsonl", "-", stdin=given)
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert (
        done.code == 1 and done.err == "" and [answer["id"] for answer in answers] == ["a", None, None, "c"]
    )
    assert [len(answer["rows"]) for answer in answers] == [1, 0, 0, 12]


def test_questions_by_the_row_to_a_model(
    shop: Path, cli: Cli, jigwork_server: ServerFactory, tmp_path: Path
) -> None:
    """Every row is a conversation of its own; an answer without a query is an abstention, with what was said."""
    server = jigwork_server([*ASKED, "I cannot know that."])
    file = rows_file(tmp_path, {"id": 0, "question": "cities?"}, {"id": 1, "question": "weather?"})
    done = cli("ask", "--db", shop, "--jsonl", file, "--model", f"{server.base_url}#gpt-5.2")
    first, second = [json.loads(line) for line in done.out.splitlines()]
    assert (first["answer"], first["sql"], len(first["rows"])) == ("Two cities.", SQL, 2)
    assert (second["answer"], second["abstained"]) == ("I cannot know that.", True)
    assert "cities?" not in json.dumps(server.bodies[2])


def test_csv_alone_on_stdout(shop: Path, cli: Cli) -> None:
    """`--csv -` writes the rows and nothing else; what a reader should know goes to stderr."""
    done = cli("ask", "--db", shop, "list stores", "--csv", "-", "--max-rows", 3)
    head, *rows = list(csv.reader(done.out.splitlines()))
    assert done.code == 0 and head[:3] == ["id", "name", "city"] and len(rows) == 3
    assert "jigwork: note: " in done.err


def test_csv_in_a_file(shop: Path, cli: Cli, tmp_path: Path) -> None:
    """The file has the rows as they are stored, NULL as nothing; the screen says where it is."""
    done = cli("ask", "--db", shop, "list stores", "--csv", tmp_path / "stores.csv")
    with (tmp_path / "stores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert done.code == 0 and len(rows) == 12 and rows[0]["floor area"] == ""
    assert rows[0]["city"] == "São Paulo" and f"csv     {tmp_path}/stores.csv, 12 rows" in done.out


def test_no_rows_no_csv(shop: Path, cli: Cli, jigwork_server: ServerFactory, tmp_path: Path) -> None:
    """An answer without a query writes no file, and the code says so."""
    server = jigwork_server(["I do not know."])
    model = f"{server.base_url}#gpt-5.2"
    done = cli("ask", "--db", shop, "weather?", "--csv", tmp_path / "x.csv", "--model", model)
    assert done.code == 1 and "nothing to keep" in done.err and not (tmp_path / "x.csv").exists()


def test_explain(shop: Path, cli: Cli) -> None:
    """Each table is told with what it is for, each join with the key it follows."""
    done = cli("ask", "--db", shop, "number of orders per customer country", "--explain", "--json")
    orders, customers = sorted(done.json["explanation"], key=lambda line: not line.startswith("orders"))
    assert orders.startswith("orders (2,400 rows)")
    assert "grouped by country" in customers
    assert "on id = orders.customer_id, along its foreign key" in customers
    shown = cli("ask", "--db", shop, "count orders where status is paid", "--explain")
    assert "why     orders (2,400 rows): kept by status" in shown.out


def test_save_and_call(shop: Path, cli: Cli, jigwork_server: ServerFactory, tmp_path: Path) -> None:
    """A question that is saved can be called by a model, and its answer says who has checked it."""
    folder = tmp_path / "checked"
    save = (
        "ask",
        "--db",
        shop,
        "list stores where country is Brazil",
        "--save",
        "brazil",
        "--trusted",
        folder,
    )
    done = cli(*save, "--author", "Ada")
    assert done.code == 0 and f"saved   {folder}/brazil.sql" in done.out
    again = cli(*save)
    assert (again.code, again.out) == (2, "") and "there already" in again.err
    server = jigwork_server([{"calls": [{"name": "query", "input": "CALL brazil()"}]}, "One."] * 2)
    common = ("ask", "--db", shop, "which?", "--trusted", folder, "--model", f"{server.base_url}#gpt-5.2")
    assert "trusted brazil by Ada" in cli(*common).out
    document = cli(*common, "--json").json
    assert document["trusted"] == "brazil by Ada" and document["rows"][0][3] == "Brazil"
    assert "CALL brazil()" in json.dumps(server.bodies[0])


def test_save_with_slots(shop: Path, cli: Cli, tmp_path: Path) -> None:
    """`--slot` puts a slot in the place of a value, in the query and in its question."""
    question = ("ask", "--db", shop, "list stores where country is Brazil", "--trusted", tmp_path)
    assert cli(*question, "--save", "located", "--slot", "country=Brazil").code == 0
    text = (tmp_path / "located.sql").read_text()
    assert "-- question: list stores where country is :country" in text
    assert "-- :country in stores.country" in text and "stores.country = :country" in text
    done = cli(*question, "--save", "other", "--slot", "country=France")
    assert done.code == 2 and "its values are: 'Brazil'" in done.err


def test_figures_are_checked(shop: Path, cli: Cli, jigwork_server: ServerFactory) -> None:
    """With --check-figures a wrong figure is told to the model; the corrected answer stands."""
    sql = "SELECT COUNT(*) AS n FROM stores LIMIT 1"
    query = {"calls": [{"name": "query", "input": sql}]}
    server = jigwork_server([query, "There are 13 stores.", "There are 12 stores."])
    common = ("ask", "--db", shop, "how many stores?", "--check-figures")
    done = cli(*common, "--model", f"{server.base_url}#gpt-5.2", "--json")
    assert done.json["answer"] == "There are 12 stores."
    assert "- 13 (the nearest there is: 12)" in json.dumps(server.bodies[2])
    server = jigwork_server([query, "There are 13 stores.", "There are 14 stores."])
    done = cli(*common, "--model", f"{server.base_url}#gpt-5.2")
    assert done.code == 0 and "note    no query result has 14." in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jsonl", "SHOP", "count stores"], "leave out QUESTION"),
        (["--jsonl", "SHOP", "--csv", "x.csv"], "--csv needs one QUESTION"),
        (["--save", "x", "--trusted", "t"], "--save needs one QUESTION"),
        (["count stores", "--save", "x"], "--trusted FOLDER"),
        (["count stores", "--save", "Not a name", "--trusted", "TMP"], "plain lower-case letters"),
        (["count stores", "--slot", "country=Brazil"], "--save NAME"),
        (["count stores", "--slot", "Brazil", "--save", "x", "--trusted", "TMP"], "NAME=VALUE"),
        (["count stores", "--trusted-only"], "--trusted FOLDER"),
        (["count stores", "--csv", "no/such/folder/x.csv"], "folder that exists"),
        (["count stores", "--csv", "-", "--json"], "both want stdout"),
        (["count stores", "--trusted", "nothere"], "nothere"),
    ],
)
def test_what_does_not_go_together(
    shop: Path, cli: Cli, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """Options that exclude each other are a usage error before anything runs."""
    places = {"TMP": str(tmp_path / "t"), "SHOP": str(shop)}
    words = [places.get(word, word) for word in arguments]
    done = cli("ask", "--db", shop, *words, stdin="")
    assert done.code == 2 and message in done.err + done.out
