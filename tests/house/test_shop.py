"""The demo database: the same everywhere, sound, and untidy in the ways that real ones are."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples/shop.py"


def make(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the generator as a reader of the README does."""
    return subprocess.run(
        [sys.executable, SCRIPT, path, *options], capture_output=True, text=True, check=False
    )


def dump(path: Path) -> str:
    """Return a fingerprint of every row and table of a database."""
    connection = sqlite3.connect(path)
    text = "\n".join(connection.iterdump())
    connection.close()
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A connection to a fresh demo database."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    assert make(path).returncode == 0
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def test_two_are_alike(tmp_path: Path) -> None:
    """The same seed makes the same rows, another seed others."""
    for name, options in {"a": (), "b": (), "c": ("--seed", "5")}.items():
        assert make(tmp_path / name, *options).returncode == 0
    assert dump(tmp_path / "a") == dump(tmp_path / "b") != dump(tmp_path / "c")


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    """Someone else's file is not overwritten unless one says so."""
    path = tmp_path / "mine.db"
    path.write_text("precious")
    assert make(path).returncode == 1
    assert path.read_text() == "precious"
    assert make(path, "--force").returncode == 0


def test_keys_are_real(shop: sqlite3.Connection) -> None:
    """Every foreign key points to a row, and the tables have the rows of a small shop."""
    assert shop.execute("PRAGMA foreign_key_check").fetchall() == []
    assert shop.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    counts = [
        shop.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0] for table in ("orders", "order lines")
    ]
    assert counts[0] > 2000 and counts[1] > 2 * counts[0]


@pytest.mark.parametrize(
    "question",
    [
        "SELECT COUNT(*) FROM products WHERE title LIKE '%''%' AND title LIKE '%\"%'",
        "SELECT COUNT(*) FROM products WHERE artist IS NULL",
        'SELECT COUNT(*) FROM products WHERE id NOT IN (SELECT product_id FROM "order lines")',
        "SELECT COUNT(*) FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)",
        "SELECT COUNT(*) FROM customers WHERE name LIKE '%null'",
        "SELECT COUNT(*) FROM employees WHERE manager_id IS NULL",
        "SELECT COUNT(*) FROM orders WHERE employee_id IS NULL",
        "SELECT COUNT(*) FROM orders WHERE \"customer's note\" = ''",
        "SELECT COUNT(*) FROM orders WHERE shipped IS NULL AND status = 'open'",
        "SELECT COUNT(*) FROM stores WHERE city = '東京'",
    ],
)
def test_the_oddities_are_there(shop: sqlite3.Connection, question: str) -> None:
    """Quotes, missing values, customers without orders and foreign letters can all be asked for."""
    assert shop.execute(question).fetchone()[0] > 0


def test_totals_are_the_sum_of_lines(shop: sqlite3.Connection) -> None:
    """An order's total is what its lines add up to."""
    wrong = shop.execute(
        'SELECT COUNT(*) FROM orders WHERE ABS(total - (SELECT SUM(quantity * "unit price" * (1 - COALESCE(discount, 0)))'
        ' FROM "order lines" WHERE order_id = orders.id)) > 0.006'
    )
    assert wrong.fetchone()[0] == 0


def test_nobody_sells_before_being_hired(shop: sqlite3.Connection) -> None:
    """Dates are in the order of life: hired before selling, joined before buying, ordered before sent."""
    wrong = shop.execute(
        "SELECT COUNT(*) FROM orders JOIN customers ON customers.id = customer_id"
        " LEFT JOIN employees ON employees.id = employee_id"
        " WHERE hired > ordered OR joined > ordered OR shipped < ordered"
    )
    assert wrong.fetchone()[0] == 0
