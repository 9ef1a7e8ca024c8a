"""`jigwork ask` with questions that are no controlled English: proposals, `--yes`, and what a person chooses."""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
Start = Callable[..., Any]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keepers and animals; more names than are listed as values."""
    path = tmp_path_factory.mktemp("zoo") / "zoo.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE keeper (keeper_id INTEGER PRIMARY KEY, name TEXT, age INTEGER, city TEXT);"
            "CREATE TABLE animal (animal_id INTEGER PRIMARY KEY, name TEXT, species TEXT, weight REAL,"
            " keeper_id INTEGER REFERENCES keeper);"
        )
        for i in range(1, 41):
            connection.execute(
                "INSERT INTO keeper VALUES (?, ?, ?, ?)", (i, f"Keeper{i}", 20 + i, ["Ulm", "Kiel"][i % 2])
            )
            row = (i, f"Animal{i}", ["lion", "seal", "crane"][i % 3], i * 1.5, 1 + i % 7)
            connection.execute("INSERT INTO animal VALUES (?, ?, ?, ?, ?)", row)
    connection.close()
    return path


FREE = "Give the name of each keeper with an age above 50"


def test_a_pipe_gets_proposals_and_runs_none(zoo: Path, cli: Cli) -> None:
    """Without a choice nothing is run: exit code 1, what was understood so far, what one can ask, and how."""
    done = cli("ask", "--db", zoo, "names of keepers with frobnicated lions")
    assert done.code == 1 and "SELECT" not in done.out
    assert "You can ask: " in done.err and "Of your words: " in done.err and "frobnicated" in done.err
    command = shlex.split(done.err.splitlines()[-1].removeprefix("To ask it: "))
    assert command[:2] == ["jigwork", "ask"] and cli(*command[1:]).code == 0


def test_yes_takes_what_leaves_no_doubt(zoo: Path, cli: Cli) -> None:
    """It says what it asks and what it took the words for, and answers."""
    done = cli("ask", "--db", zoo, "--yes", FREE)
    assert done.code == 0, done.err
    assert "asked   list name for keepers where age > 50" in done.out
    assert "keeper = the table keeper" in done.out and "Keeper31" in done.out


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("How many keepers resigned?", "nothing here is called resigned"),
        ("name of the keeper with the fewest animals", "it may also mean"),
    ],
)
def test_yes_abstains_with_the_reason(zoo: Path, cli: Cli, question: str, part: str) -> None:
    """Where there is doubt nothing is run, and the reason is said."""
    done = cli("ask", "--db", zoo, "--yes", question)
    assert done.code == 1 and part in done.err and "Not answered" in done.err
    document = cli("ask", "--db", zoo, "--yes", "--json", question).json
    assert document["error"]["type"] == "Undecided" and part in document["error"]["reason"]
    assert document["queries"] == []


def test_the_document_has_offers_and_assumptions(zoo: Path, cli: Cli) -> None:
    """`--json` has the proposals with what was assumed; with `--yes` what was asked."""
    refused = cli("ask", "--db", zoo, "--json", "names of keepers with heavy lions")
    assert refused.code == 1
    assert all(set(offer) == {"question", "understood", "assumed"} for offer in refused.json["offers"])
    assert 0 < len(refused.json["offers"]) <= 3
    taken = cli("ask", "--db", zoo, "--json", "--yes", FREE).json
    assert taken["question"] == FREE and taken["asked"] == "list name for keepers where age > 50"
    assert {"words": "keeper", "meaning": "the table keeper"} in taken["assumed"]
    assert taken["columns"] == ["name"] and len(taken["rows"]) == 10


def test_rows_of_a_file(zoo: Path, cli: Cli, tmp_path: Path) -> None:
    """`--jsonl` honours `--yes`: an answer, or abstained with the reason, for every row; only asked columns come."""
    rows = [
        {"id": 1, "question": FREE},
        {"id": 2, "question": "Which species has the most animals?"},
        {"id": 3, "question": "How many keepers resigned?"},
        {"id": 4, "question": "count animals"},
        {"id": 5, "question": "What is the weight of Animal17?"},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    done = cli("ask", "--db", zoo, "--yes", "--jsonl", file)
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2, 3, 4, 5]
    assert [answer["abstained"] for answer in answers] == [False, False, True, False, False]
    assert answers[1]["columns"] == ["species"] and len(answers[1]["rows"]) == 1
    for answer in answers[:2]:  # the SQL gives just these columns and rows
        again = cli("sql", "run", "--db", zoo, "--json", answer["sql"]).json
        assert (again["columns"], again["rows"]) == (answer["columns"], answer["rows"])
    assert "resigned" in answers[2]["reason"] and answers[2]["sql"] is None
    assert answers[3]["rows"] == [[40]] and answers[4]["rows"] == [[25.5]]
    without = cli("ask", "--db", zoo, "--jsonl", file)
    assert json.loads(without.out.splitlines()[0])["abstained"] is True


@pytest.mark.parametrize("yes", [[], ["--yes"]])
@pytest.mark.parametrize(
    "question", ["1+" * 500_000, "count " * 100_000, "(" * 100_000, '"x" or ' * 50_000, "x" * 3000]
)
def test_a_question_that_is_too_long_is_told_briefly(
    zoo: Path, cli: Cli, tmp_path: Path, question: str, yes: list[str]
) -> None:
    """It takes no time, and what is said of it does not repeat it."""
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"id": 1, "question": question}))
    done = cli("ask", "--db", zoo, *yes, "--jsonl", file)
    answer = json.loads(done.out)
    assert answer["abstained"] and len(answer["reason"]) < 1000 and answer["ms"] < 5000


def test_yes_is_for_the_offline_engine(zoo: Path, cli: Cli) -> None:
    """A model answers free questions anyway."""
    done = cli("ask", "--db", zoo, "--yes", "--model", "http://127.0.0.1:9/v1#m", FREE)
    assert done.code == 2 and "--yes is for the offline engine" in done.err


def test_a_person_chooses(zoo: Path, terminal: Start) -> None:
    """On a terminal the proposals are numbered with what was assumed, and the number runs one."""
    screen = terminal("ask", "--db", zoo, "name of the keeper that has most lions")
    screen.expect("1")
    screen.expect("Which one?")
    screen.type("1\r")
    screen.expect("asked")
    screen.expect("sql")
    assert screen.end() == 0
    screen = terminal("ask", "--db", zoo, "name of the keeper that has most lions")
    screen.expect("Which one?")
    screen.type("\r")
    assert screen.end() == 1
