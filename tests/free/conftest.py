"""Shared by the tests of free questions: a small library in SQLite, and databases filled for other people's SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from jigwork.grammars.english import English
from jigwork.tools.sql import SQLDatabase

_TABLES = """
CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT, age INTEGER, country TEXT);
CREATE TABLE branch (branch_id INTEGER PRIMARY KEY, branch_name TEXT, city TEXT, opening_year INTEGER, floor_area REAL);
CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES author, pages INTEGER,
                   price REAL, published_on DATE, genre TEXT);
CREATE TABLE copy (copy_id INTEGER PRIMARY KEY, book_id INTEGER REFERENCES book, branch_id INTEGER REFERENCES branch);
CREATE TABLE reader (reader_id INTEGER PRIMARY KEY, first_name TEXT, email TEXT, birth_year INTEGER);
CREATE TABLE loan (loan_id INTEGER PRIMARY KEY, copy_id INTEGER REFERENCES copy, reader_id INTEGER REFERENCES reader,
                   lent_on DATE, fine REAL);
"""
_GENRES = ["crime", "poetry", "science fiction", "travel"]
_COUNTRIES = ["Chile", "Ghana", "Japan", "Norway"]
_NAMES = [
    f"{first} {last}"
    for first in ("Ada", "Ben", "Cleo", "Dan", "Eva")
    for last in ("Frost", "Green", "Hale", "Ito")
]
_TITLES = [f"{noun} of {place}" for noun in ("Shadows", "Songs", "Maps", "Birds", "Clocks") for place in ("Oslo", "Accra", "Kyoto", "Lima", "Rome")]  # fmt: skip


@pytest.fixture(scope="session")
def library_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of authors, books, branches, readers and loans."""
    path = tmp_path_factory.mktemp("library") / "library.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(_TABLES)
        for i, name in enumerate(_NAMES, 1):
            connection.execute(
                "INSERT INTO author VALUES (?, ?, ?, ?)", (i, name, 25 + 3 * i, _COUNTRIES[i % 4])
            )
        for i, title in enumerate(_TITLES, 1):
            row = (
                i,
                title,
                1 + i * 7 % 17,
                80 + 13 * i,
                5 + i / 2,
                f"20{10 + i % 12}-0{1 + i % 9}-1{i % 10}",
                _GENRES[i % 4],
            )
            connection.execute("INSERT INTO book VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        for i, city in enumerate(["Bonn", "Kiel", "Bonn", "Ulm"], 1):
            connection.execute(
                "INSERT INTO branch VALUES (?, ?, ?, ?, ?)", (i, f"Branch {i}", city, 1990 + 7 * i, 250.5 * i)
            )
        for i in range(1, 61):
            connection.execute("INSERT INTO copy VALUES (?, ?, ?)", (i, 1 + i * 5 % 23, 1 + i * 3 % 4))
        for i in range(1, 13):
            connection.execute(
                "INSERT INTO reader VALUES (?, ?, ?, ?)", (i, f"Reader{i}", f"r{i}@example.org", 1960 + 4 * i)
            )
        for i in range(1, 90):
            connection.execute(
                "INSERT INTO loan VALUES (?, ?, ?, ?, ?)",
                (i, 1 + i * 11 % 60, 1 + i * 5 % 10, f"2024-0{1 + i % 9}-2{i % 8}", i % 4),
            )
    connection.close()
    return path


@pytest.fixture(scope="session")
def library(library_path: Path) -> Iterator[SQLDatabase]:
    """The library, opened."""
    with SQLDatabase(library_path) as database:
        yield database


@pytest.fixture(scope="session")
def english(library_path: Path) -> English:
    """The language of the library, with every value that is stored in it."""
    with SQLDatabase(library_path, values=200) as database:
        return English(database.schema)
