"""Free questions over a schema with traps: what is taken without asking, and where that would be a guess."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from jigwork.grammars.english import English
from jigwork.tools.sql import SQLDatabase

CLINIC = """
CREATE TABLE wards (ward_id INTEGER PRIMARY KEY, ward_name TEXT NOT NULL, building TEXT, beds INTEGER);
CREATE TABLE doctors (doctor_no INTEGER PRIMARY KEY, last_name TEXT NOT NULL, first_name TEXT NOT NULL, city TEXT,
                      birth_date DATE, hire_date DATE, salary REAL, ward_id INTEGER REFERENCES wards);
CREATE TABLE patients (patient_no INTEGER PRIMARY KEY, full_name TEXT NOT NULL, town TEXT, phone TEXT, insured BOOLEAN,
                       ward_id INTEGER REFERENCES wards);
CREATE TABLE doctor_patient (doctor_no INTEGER REFERENCES doctors, patient_no INTEGER REFERENCES patients,
                             PRIMARY KEY (doctor_no, patient_no));
CREATE TABLE complaints (complaint_no INTEGER PRIMARY KEY, doctor_no INTEGER REFERENCES doctors,
                         patient_no INTEGER REFERENCES patients, filed_by TEXT, noted_by TEXT);
CREATE TABLE visits (visit_no INTEGER PRIMARY KEY, patient_no INTEGER REFERENCES patients, visit_date DATE,
                     due_date DATE, paid_date DATETIME, view_count INTEGER, fee REAL, ship_name TEXT);
CREATE TABLE grades (doctor_no INTEGER REFERENCES doctors, grade TEXT, since DATE, PRIMARY KEY (doctor_no, grade, since));
CREATE TABLE award_modes (id INTEGER PRIMARY KEY, ward_id INTEGER REFERENCES wards, prize TEXT);
CREATE TABLE suppliers (supplier_id INTEGER PRIMARY KEY, company_name TEXT, contact_name TEXT, city TEXT);
CREATE TABLE shippers (shipper_id INTEGER PRIMARY KEY, company_name TEXT, rate_per_unit REAL, ship_mode TEXT);
INSERT INTO wards VALUES (1,'North','Main',20),(2,'South','Annex',12);
INSERT INTO doctors VALUES (1,'Okoro','Ada','Lima','1970-02-03','2001-01-01',90000,1),(2,'Berg','Jon','Oslo','1980-05-06','2010-01-01',70000,2);
INSERT INTO patients VALUES (1,'Mia Voss','Oslo',NULL,1,1),(2,'Tom Reyes','Kiel','555',0,2);
INSERT INTO doctor_patient VALUES (1,1),(2,2);
INSERT INTO complaints VALUES (1,1,2,'Mia Voss','Tom Reyes');
INSERT INTO visits VALUES (1,1,'2023-04-05','2023-05-01',NULL,7,50,'Ox');
INSERT INTO grades VALUES (1,'senior','2005-01-01'),(2,'junior','2011-01-01');
INSERT INTO suppliers VALUES (1,'Acme','Kim','Kiel'),(2,'Bolt','Lee','Rome');
INSERT INTO shippers VALUES (1,'Swift',1.5,'air');
"""

SURE = [
    # what says which row it is: two names of a person, the name beside the key, else the key
    ("Which doctors live in Oslo?", 'list first name, last name for doctors where city is "Oslo"'),
    ("Show the names of the doctors with a salary above 80000", "list first name, last name for doctors where salary > 80000"),
    ("What are the first and last names of all doctors?", "list first name, last name for doctors"),
    ("Which suppliers are in Kiel?", 'list company name for suppliers where city is "Kiel"'),
    ("Which visits have a fee above 40?", "list visit no for visits where fee > 40"),
    ("List the doctors hired after 2005 together with their salary",
     "list first name, last name, salary for doctors where hire date since 2006-01-01"),
    # who and which of them
    ("Who has the highest salary?", None),
    ("Who is the youngest doctor?", "list first name, last name for doctors sorted by birth date descending limit 1"),
    ("Which doctor has the second highest salary?",
     "list first name, last name for doctors sorted by salary descending limit 1 skipping 1"),
    ("What is the second highest salary?", "list distinct salary for doctors sorted by salary descending limit 1 skipping 1"),
    ("Which doctors earn more than 80000?", "list first name, last name for doctors where salary > 80000"),
    ("Which doctors earn more than average?", "list first name, last name for doctors where salary > (average of salary across doctors)"),
    ("Which building has the ward with the most beds?", "list building for wards sorted by beds descending limit 1"),
    ("Which ward has the highest average salary of doctors?",
     "list ward name, average of salary of doctors for wards with doctors sorted by average of salary of doctors descending limit 1"),
    ("Which city has the highest average salary?",
     "average of salary across doctors per city sorted by average of salary descending limit 1"),
    ("List the visits with a fee higher than their view count", "list visit no for visits where fee > view count of visit"),
    ("Show the phone numbers of the patients from Kiel", 'list phone for patients where town is "Kiel"'),
    ("Which complaints have no doctor?", None),
    # ways: the table that is called like both ends
    ("Which patient has the most doctors?", "list full name for patients sorted by number of doctors of doctor patients descending limit 1"),
    ("Which doctors have no patients?", "list first name, last name for doctors without patients of doctor patients"),
    # what was done, and when
    ("Which visits have not been paid yet?", "list visit no for visits where paid date is empty"),
    ("How many visits have been paid?", "count visits where paid date is not empty"),
    ("Which patients are insured?", "list full name for patients where insured is true"),
    ("Which patients have no phone?", "list full name for patients where phone is empty"),
    ("How many visits were made in 2023?", "count visits where visit date in 2023"),
    ("How many visits were made in April 2023?", "count visits where visit date is 2023-04"),
    ("How many visits took place after 2023-04-01?", "count visits where visit date since 2023-04-02"),
    ("How many visits were there each month?", "count visits per month of visit date"),
    ("How many doctors were hired each year?", "count doctors per year of hire date"),
    ("Which visits have more than 5 views?", "list visit no for visits where view count > 5"),
    ("Which doctors work in the North ward?", 'list first name, last name for doctors with (ward where ward name is "North")'),
    ("Which complaints were filed by Mia Voss?", 'list complaint no for complaints where filed by is "Mia Voss"'),
]  # fmt: skip
"""Free questions, and the controlled question that each is; None: it is taken, however it is said."""

UNSURE = [
    # two that only have a third in common: patients and doctors of one ward
    "Which wards have more patients than doctors?",
    "Which grades are held by fewer than 3 doctors?",
    # a value of rows far away, while the rows have a column of that name themselves
    "Which suppliers are in Oslo?",
    # another column than the verb names
    "Which complaints were filed by Tom Reyes?",
    # a date that the verb does not name
    "How many doctors were awarded in 2010?",
    "How many patients were born in 1990?",
    "How many doctors have each grade?",
    "Which visits were late?",
    # a table whose name only has the word in it; what rows are, which is not known
    "How many modes are there?",
    "How many wards are available?",
    "Who is the best doctor?",
    "Which patients are happy?",
]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLDatabase]:
    """The database, opened."""
    path: Path = tmp_path_factory.mktemp("clinic") / "clinic.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(CLINIC)
    connection.close()
    with SQLDatabase(path) as database:
        yield database


@pytest.mark.parametrize(("question", "said"), SURE, ids=[question for question, _ in SURE])
def test_what_is_taken(clinic: SQLDatabase, question: str, said: str | None) -> None:
    """A question that leaves no doubt is taken for what it says."""
    english = English(clinic.schema_for(question))
    suggestions = english.suggest(question)
    assert suggestions.sure is not None, suggestions
    if said is not None:
        assert suggestions.sure.sql == english.read(said).sql, suggestions.sure.question
    clinic.query(suggestions.sure.sql)


@pytest.mark.parametrize("question", UNSURE)
def test_what_would_be_a_guess(clinic: SQLDatabase, question: str) -> None:
    """What could be meant otherwise is not taken."""
    suggestions = English(clinic.schema_for(question)).suggest(question)
    assert suggestions.sure is None, suggestions.sure
    assert suggestions.reason


CONTROLLED = [
    ("count visits per patient", ("patient_no", "full_name", "count")),
    ("list shippers", ("shipper_id", "company_name", "rate_per_unit", "ship_mode")),
]


@pytest.mark.parametrize(("question", "columns"), CONTROLLED)
def test_groups_have_names(clinic: SQLDatabase, question: str, columns: tuple[str, ...]) -> None:
    """Rows as groups are shown by key and name."""
    reading = English(clinic.schema).read(question)
    assert reading.columns == columns


@pytest.mark.parametrize(
    ("prefix", "word"),
    [("visits not p", "paid"), ("patients i", "insured"), ("count visits not ", "paid")],
)
def test_what_was_done_is_completed(clinic: SQLDatabase, prefix: str, word: str) -> None:
    """Words for what was done, and for what is true or false, are among the completions."""
    assert word in English(clinic.schema).complete(prefix)
