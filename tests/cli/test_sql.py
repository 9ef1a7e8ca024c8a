"""`jigwork sql`: queries checked, run and rewritten, one by one or by the row."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


def rows_file(folder: Path, *rows: object) -> Path:
    """Write rows (bytes as they are, the rest as JSON) as a JSONL file."""
    path = folder / "rows.jsonl"
    path.write_bytes(
        b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)
    )
    return path


def answers(text: str) -> list[dict[str, Any]]:
    """Read one JSON object per line."""
    return [json.loads(line) for line in text.splitlines()]


HOSTILE: list[tuple[object, str]] = [
    (b"{not json", "no JSON"),
    (b"[" * 50_000, "no JSON"),
    (b'{"id": 1, "sql": "\xff"}', "not UTF-8"),
    (b"[1, 2]", "no object"),
    ({"sql": "SELECT 1"}, '"id"'),
    (b'{"id": NaN, "sql": "SELECT 1"}', '"id"'),
    ({"id": True, "sql": "SELECT 1"}, '"id"'),
    ({"id": 1}, '"sql"'),
    ({"id": 1, "sql": 5}, '"sql"'),
    ({"id": 1, "sql": ""}, "empty"),
    ({"id": 1, "sql": "SELECT \x00"}, "control character"),
    ({"id": "\ud800", "sql": "SELECT '\ud800'"}, "cannot be sent"),
    ({"id": 1, "sql": "SELECT " + "1+" * 500_000 + "1"}, "characters"),
    ({"id": 1, "sql": "SELECT " + "(" * 5_000}, "nest"),
    ({"id": 1, "sql": "DROP TABLE stores"}, "DROP"),
    ({"id": 1, "sql": "SELECT 1; SELECT 2"}, "one statement"),
    ({"id": 1, "sql": "SELECT stores.nothing FROM stores"}, "nothing"),
]
KEYS = {
    "check": ["id", "ok", "stage", "reason", "ms"],
    "canonicalize": ["id", "ok", "sql", "reason", "ms"],
    "run": ["id", "ok", "columns", "rows", "truncated", "reason", "ms"],
}


@pytest.mark.parametrize("verb", KEYS)
def test_a_bad_row_ends_nothing(shop: Path, cli: Cli, tmp_path: Path, verb: str) -> None:
    """Each row has its object, of the same keys, whatever stands in it; the last one is answered like the first."""
    good = {"id": "last", "sql": "SELECT count(*) FROM stores"}
    file = rows_file(tmp_path, {**good, "id": "first"}, *(row for row, _ in HOSTILE), b"", good)
    started = time.monotonic()
    done = cli("sql", verb, "--db", shop, "--jsonl", file)
    assert done.code == 1 and done.err == "" and time.monotonic() - started < 10
    first, *bad, last = answers(done.out)
    assert all(list(answer) == KEYS[verb] for answer in (first, *bad, last))
    assert (first["id"], first["ok"], last["id"], last["ok"]) == ("first", True, "last", True)
    for answer, (row, reason) in zip(bad, HOSTILE, strict=True):
        assert not answer["ok"] and reason in answer["reason"], row
    assert bad[11]["id"] == "\ud800"


def test_check_says_at_which_stage(shop: Path, cli: Cli, tmp_path: Path) -> None:
    """A row, the guard, and the database itself can say no."""
    file = rows_file(
        tmp_path,
        b"x",
        {"id": 1, "sql": "DELETE FROM stores"},
        {"id": 2, "sql": "SELECT substr(city) FROM stores"},
        {"id": 3, "sql": "SELECT * FROM stores"},
    )
    done = cli("sql", "check", "--db", shop, f"--jsonl={file}")
    assert [answer["stage"] for answer in answers(done.out)] == ["row", "guard", "database", None]


def test_run_shows_rows(shop: Path, cli: Cli) -> None:
    """Rows are a table for people, and data with --json."""
    query = "SELECT stores.city FROM stores ORDER BY stores.city LIMIT 2"
    done = cli("sql", "run", "--db", shop, query)
    assert done.code == 0 and done.out.splitlines()[:3] == ["city", "-------", "Abidjan"]
    document = cli("sql", "run", "--db", shop, query, "--json").json
    assert (document["columns"], document["rows"][0], document["truncated"]) == (["city"], ["Abidjan"], False)
    cut = cli("sql", "run", "--db", shop, "SELECT * FROM stores", "--max-rows", 3, "--json").json
    assert len(cut["rows"]) == 3 and cut["truncated"]


def test_canonicalize_writes_sql_alone(shop: Path, cli: Cli) -> None:
    """What is written can be piped into the next command."""
    done = cli("sql", "canonicalize", "--db", shop, "-", stdin="select city from stores\n")
    assert (done.code, done.out) == (0, "SELECT stores.city FROM stores LIMIT 1000\n")


def test_one_query_after_the_other(shop: Path, cli: Cli) -> None:
    """Several queries are told apart; one that is refused leaves the others and makes the code 1."""
    done = cli("sql", "check", "--db", shop, "SELECT 1", "DROP TABLE x", "SELECT 2")
    assert done.code == 1 and done.out.splitlines() == ["ok      SELECT 1", "ok      SELECT 2"]
    assert done.err.startswith("jigwork: query 2: DROP is not allowed")
    done = cli("sql", "check", "--db", shop, "SELECT 1", "DROP TABLE x", "--json")
    assert [(answer["id"], answer["ok"]) for answer in answers(done.out)] == [(1, True), (2, False)]


def test_tables_can_be_denied(shop: Path, cli: Cli) -> None:
    """What is denied is not available."""
    done = cli("sql", "check", "--db", shop, "--deny", "customers", "SELECT * FROM customers")
    assert done.code == 1 and "not available here" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--db", "SHOP", "--jsonl", "nothere.jsonl"], "nothere.jsonl"),
        (["check", "--db", "SHOP", "SELECT 1", "--jsonl", "SHOP"], "not both"),
        (["check", "--db", "SHOP", "--jsonl", "-"], "stdin is closed"),
        (["check", "--db", "nothere.db", "SELECT 1"], "nothere.db"),
        (["check", "SELECT 1"], "--db"),
        (["run", "--db", "SHOP"], "there is no query"),
        (["run", "--db", "SHOP", "SELECT 1", "--timeout", "0"], "--timeout"),
        (["chekc", "--db", "SHOP"], "chekc"),
    ],
)
def test_wrong_commands(shop: Path, cli: Cli, arguments: list[str], message: str) -> None:
    """What is wrong with the command line is one line, and code 2."""
    done = cli("sql", *[shop if word == "SHOP" else word for word in arguments])
    assert done.code == 2 and message in done.err + done.out


def test_ctrl_c_stops_the_query(shop: Path) -> None:
    """An interrupted query ends inside the database, and the command with it; the rows that follow are not asked."""
    slow = "SELECT count(*) FROM orders a JOIN orders b ON a.status = b.status JOIN orders c ON c.status = b.status"
    command = [sys.executable, "-m", "jigwork", "sql", "run", "--db", str(shop), "--timeout", "60", "--jsonl", "-"]  # fmt: skip
    rows = json.dumps({"id": 0, "sql": "SELECT 1"}) + "\n" + json.dumps({"id": 1, "sql": slow}) + "\n"
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(rows)
    process.stdin.close()
    assert json.loads(process.stdout.readline())["id"] == 0
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130


def test_run_writes_csv(shop: Path, cli: Cli, tmp_path: Path) -> None:
    """The rows of one query go to a file, or alone to stdout; what the rows do not say goes to stderr."""
    query = "SELECT stores.city FROM stores ORDER BY stores.city ASC LIMIT 3"
    done = cli("sql", "run", "--db", shop, query, "--csv", "-", "--max-rows", "2")
    assert done.out.splitlines()[0] == "city" and len(done.out.splitlines()) == 3
    assert "cut at 2" in done.err
    place = tmp_path / "cities.csv"
    assert cli("sql", "run", "--db", shop, query, "--csv", place).code == 0
    assert len(place.read_text().splitlines()) == 4
    assert cli("sql", "run", "--db", shop, query, query, "--csv", place).code == 2
