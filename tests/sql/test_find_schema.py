"""`find_schema`: the tables, columns and values that words speak of; and values found wherever they stand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from jigwork.errors import ToolError
from jigwork.tools.sql import SQLDatabase


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLDatabase]:
    """A clinic with more patients than are listed as values, and one table that is scoped."""
    path: Path = tmp_path_factory.mktemp("clinic") / "clinic.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """CREATE TABLE physician (physician_id INTEGER PRIMARY KEY, full_name TEXT, department TEXT);
               CREATE TABLE patient (patient_id INTEGER PRIMARY KEY, full_name TEXT);
               CREATE TABLE visit (visit_id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES patient,
                                   physician_id INTEGER REFERENCES physician, visit_on DATE, "total fee" REAL);
               CREATE TABLE diary (diary_id INTEGER PRIMARY KEY, physician_id INTEGER REFERENCES physician, entry TEXT);
               INSERT INTO physician VALUES (1, 'Ida Moe', 'Cardiology'), (2, 'Lev Ott', 'Surgery');
               INSERT INTO diary VALUES (1, 1, 'Secret Garden'), (2, 2, 'Open Door');"""
        )
        for i in range(60):
            connection.execute(
                "INSERT INTO patient VALUES (?, ?)", (i, f"Patient {i}" if i else "Zoë O'Hara")
            )
    connection.close()
    scope = {"diary": "physician_id = :me"}
    with SQLDatabase(path, scope=scope, parameters={"me": 2}) as database:
        yield database


def find(database: SQLDatabase, words: str) -> list[str]:
    """The lines that the tool gives."""
    tool = next(tool for tool in database.tools() if tool.name == "find_schema")
    decoded = tool.decode({"words": words})
    assert decoded.ok, decoded.error
    return str(tool.function(**decoded.arguments)).splitlines()


def test_names_values_and_joins(clinic: SQLDatabase) -> None:
    """Synonyms, values with their columns, the keys that join, and what was not matched: the best table first."""
    lines = find(clinic, "Which doctors of cardiology saw frobnicated patients?")
    assert lines[0].startswith("physician ") and "(synonym: doctors)" in lines[0]
    assert any(
        line.startswith("  department = 'Cardiology' ") and "(value: cardiology)" in line for line in lines
    )
    assert any(line.startswith("patient ") for line in lines)
    assert "join: visit.patient_id = patient.patient_id" in lines
    assert "join: visit.physician_id = physician.physician_id" in lines
    assert lines[-1] == "not matched: saw, frobnicated"


def test_values_that_are_not_listed_are_looked_up(clinic: SQLDatabase) -> None:
    """A column with many values is asked for those that the words mention, in any case, and quotes are letters."""
    assert clinic.schema.table("patient").column("full_name").values is None
    assert any("full_name = 'Zoë O''Hara'" in line for line in find(clinic, "visits of zoë o'hara"))
    schema = clinic.schema_for('What did "Patient 17" pay?')
    assert schema.table("patient").column("full_name").values == ("Patient 17",)
    assert clinic.schema_for("nothing that is stored") is clinic.schema


def test_what_is_scoped_is_not_looked_into(clinic: SQLDatabase) -> None:
    """Values of a scoped table are not found, neither other people's nor one's own."""
    for text in ("Secret Garden", "Open Door"):
        assert clinic.schema_for(f"the entry {text}") is clinic.schema
        assert not any(text in line for line in find(clinic, f"the entry {text}"))


def test_nothing_and_no_words(clinic: SQLDatabase) -> None:
    """Words that match nothing are told how to go on; no words are an error for the model."""
    assert "describe_tables" in find(clinic, "zyx")[0]
    with pytest.raises(ToolError, match="give a question"):
        find(clinic, " ")


@pytest.mark.parametrize(
    "words", ["'; DROP TABLE patient; --", '"""', "\x00", "%_%", "a" * 5000, "' OR '1'='1"]
)
def test_hostile_words(clinic: SQLDatabase, words: str) -> None:
    """Whatever the words are, they are only looked for."""
    assert find(clinic, words)
    assert clinic.query("SELECT COUNT(*) FROM patient LIMIT 1").rows == ((60,),)


def test_one_table_too_many(tmp_path: Path) -> None:
    """Of many tables that are called alike, a few are shown."""
    path = tmp_path / "many.db"
    with sqlite3.connect(path) as connection:
        for i in range(40):
            connection.execute(f"CREATE TABLE invoice_{i} (id INTEGER PRIMARY KEY, invoice_date DATE)")
    connection.close()
    with SQLDatabase(path) as database:
        assert sum(line.startswith("invoice_") for line in find(database, "invoices")) == 8
