"""`jigwork alias`: words of one's own are kept beside the database, checked, and understood by `ask` at once."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jigwork.agent.cli.alias_place import aliases_for, default_place

Cli = Callable[..., Any]


@pytest.fixture
def own_shop(shop: Path, tmp_path: Path) -> Path:
    """A shop whose words are nobody else's."""
    return Path(shutil.copy(shop, tmp_path / "own shop.db"))


def test_add_ask_list_remove(own_shop: Path, cli: Cli) -> None:
    """A word that `ask` does not know is added, understood, listed, and gone again."""
    assert cli("ask", "--db", own_shop, "count outlets").code == 1
    added = cli("alias", "add", "outlet", "stores", "--db", own_shop)
    assert (added.code, added.out) == (0, "outlet stands for stores\n")
    place = own_shop.with_name("own shop.db.aliases.toml")
    assert tomllib.loads(place.read_text())["tables"] == {"stores": ["outlet"]} and str(place) in added.err
    assert cli("ask", "--db", own_shop, "count outlets").code == 0
    listed = cli("alias", "list", "--db", own_shop)
    assert listed.out.splitlines()[2].split() == ["outlet", "stores", "file"]
    assert cli("alias", "remove", "outlet", "--db", own_shop).out == "outlet no longer stands for stores\n"
    assert cli("ask", "--db", own_shop, "count outlets").code == 1
    assert "No words yet" in cli("alias", "list", "--db", own_shop).out


def test_documents(own_shop: Path, cli: Cli, tmp_path: Path) -> None:
    """`--json` says the file and the entries; a file may be named."""
    words = tmp_path / "words.toml"
    added = cli("alias", "add", "town", "stores.city", "--db", own_shop, "--aliases", words, "--json")
    entry = {"word": "town", "meaning": "stores.city", "table": "stores", "column": "city", "value": None}
    assert added.json == {"file": str(words), "aliases": [entry]}
    listed = cli("alias", "list", "--db", own_shop, "--aliases", words, "--json").json
    assert listed["aliases"] == [{**entry, "from": "file"}]
    assert cli("ask", "--db", own_shop, "--aliases", words, "count stores per town").code == 0
    assert cli("ask", "--db", own_shop, "count stores per town").code == 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["add", "outlet", "storse"], "there is no 'storse' here; did you mean stores"),
        (
            ["add", "order", "stores"],
            "'order' already means the table orders; choose another word, or add it with --force",
        ),
        (["add", "done", "orders.status=payed"], "orders.status stores no 'payed'"),
        (["remove", "outlet"], "no such entry for 'outlet'"),
        (["add", "outlet"], "Missing argument"),
        (["list", "--db", "nowhere.db"], "nowhere.db"),
    ],
)
def test_what_is_wrong(own_shop: Path, cli: Cli, arguments: list[str], part: str) -> None:
    """One line says what is wrong and what there is instead; nothing is written."""
    db = [] if "--db" in arguments else ["--db", str(own_shop)]
    done = cli("alias", *arguments, *db)
    assert done.code == 2 and part in done.err and done.out == ""
    assert len(done.err.splitlines()) == 1
    assert not default_place(str(own_shop)).exists()


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a SQLite file; for a server in the user's configuration, one file for each database, without its password."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_place("shop.db") == default_place("sqlite:///shop.db") == Path("shop.db.aliases.toml")
    one = default_place("postgresql://me:secret@host/shop")
    assert one.is_relative_to(tmp_path) and "secret" not in str(one) and "shop" in one.name
    assert one == default_place("postgresql://other:word@host/shop")
    assert one != default_place("postgresql://me:secret@host:5433/shop")
    assert aliases_for(str(tmp_path / "none.db"), None) is None
    assert aliases_for(str(tmp_path / "none.db"), "words.toml") == "words.toml"
