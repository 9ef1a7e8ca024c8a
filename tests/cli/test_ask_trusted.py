"""`jigwork ask --trusted` without a model: checked queries, asked in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jigwork.tools.sql import SQLDatabase

Cli = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One checked query."""
    (tmp_path / "dear.sql").write_text(
        "-- question: orders above :sum\n-- author: Ada\n-- :sum integer\n"
        "SELECT COUNT(*) AS n FROM orders WHERE orders.total > :sum LIMIT 1\n"
    )
    return tmp_path


def test_it_is_marked(cli: Cli, shop: Path, folder: Path) -> None:
    """The call stands in the place of the SQL, and the answer says whose query it was."""
    done = cli("ask", "--db", shop, "--trusted", folder, "--trusted-only", "Orders above 100?")
    with SQLDatabase(shop) as database:
        count = database.query("SELECT COUNT(*) FROM orders WHERE total > 100").rows[0][0]
    assert done.code == 0
    assert "sql     CALL dear(sum=100)" in done.out
    assert f"answer  {count}" in done.out
    assert "trusted dear by Ada" in done.out


@pytest.mark.parametrize("more", [[], ["--yes"]])
def test_others_are_refused(cli: Cli, shop: Path, folder: Path, more: list[str]) -> None:
    """Nothing runs, and what can be asked is listed."""
    done = cli("ask", "--db", shop, "--trusted", folder, "--trusted-only", *more, "count orders")
    assert done.code == 1
    assert "none of the questions that can be asked here" in done.err
    assert "You can ask: orders above :sum" in done.err
    assert "SELECT" not in done.out


def test_json_says_so(cli: Cli, shop: Path, folder: Path) -> None:
    """The document has the SQL as it ran and the query's name."""
    done = cli("ask", "--db", shop, "--trusted", folder, "--json", "orders above 100")
    assert done.json["trusted"] == "dear by Ada"
    assert done.json["sql"].startswith("SELECT COUNT(*)")
