"""Laws over random databases and random sentences of the rules."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jigwork.grammars import Grammar
from jigwork.grammars.english import AmbiguousQuestion, English, NotUnderstood, Reading
from jigwork.grammars.sql import sql_grammar

Rows = list[tuple[Any, ...]]
TODAY = date(2023, 3, 17)
HEALTH = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
SLOW_MACHINE = settings(deadline=None, max_examples=8, suppress_health_check=HEALTH)


def normal(rows: Rows) -> Rows:
    """Numbers of the two sides are equal when they differ by rounding only."""
    return [
        tuple(round(float(v), 5) + 0.0 if isinstance(v, (int, float)) else v for v in row) for row in rows
    ]


def check(world: Any, evaluate: Callable[[Any, Any], Rows], reading: Reading) -> None:
    """The rows that SQLite gives are those that following the keys in Python gives."""
    assert reading.query is not None
    check_rows(world, reading.sql, reading.query, evaluate(world, reading.query))


def check_rows(world: Any, sql: str, query: Any, expected: Rows) -> None:
    """Rows without a key have no order of their own."""
    found, wanted = normal(world.run(sql)), normal(expected)
    keyed = world.schema.table(query.table).primary_key
    if not keyed and not query.measures and not query.distinct and not query.also:
        assert len(found) == len(wanted), sql
        if query.limit is None:
            assert sorted(found, key=repr) == sorted(wanted, key=repr), sql
        return
    assert found == wanted, sql


def sample(world: Any, sentences: Callable[[English, int], Any], seed: int, count: int) -> list[Reading]:
    """The readings of random sentences; refusals must be of the two kinds and say something."""
    english = English(world.schema, now=TODAY)
    writer = sentences(english, seed)
    readings: list[Reading] = []
    for i in range(count):
        text = writer.sentence()
        if not english.means(text) and i % 6:
            continue  # why it is refused is asked now and then: it takes longest
        try:
            readings.append(english.read(text))
        except NotUnderstood as error:
            assert error.reason and 0 <= error.position <= len(text), text
        except AmbiguousQuestion as error:
            assert len(error.readings) > 1, text
            for question in error.readings:
                assert english.read(question).sql, question
    return readings


@SLOW_MACHINE
@given(seed=st.integers(0, 10**9))
def test_every_sentence_gives_the_rows_of_an_independent_evaluation(
    world: Callable[[int], Any],
    evaluate: Callable[[Any, Any], Rows],
    sentences: Callable[[English, int], Any],
    seed: int,
) -> None:
    """What is understood runs in SQLite and gives the rows that an evaluator without SQL gives."""
    made = world(seed)
    for reading in sample(made, sentences, seed, 30):
        check(made, evaluate, reading)


@pytest.mark.slow
@settings(deadline=None, max_examples=300, suppress_health_check=HEALTH)
@given(seed=st.integers(0, 10**9))
def test_many_sentences_give_the_rows_of_an_independent_evaluation(
    world: Callable[[int], Any],
    evaluate: Callable[[Any, Any], Rows],
    sentences: Callable[[English, int], Any],
    seed: int,
) -> None:
    """The same law over many more databases."""
    made = world(seed)
    for reading in sample(made, sentences, seed, 40):
        check(made, evaluate, reading)


def check_query(made: Any, english: English, query: Any, wanted: Rows) -> None:
    """The question that says the query reads as it, and its rows are those of the evaluator."""
    text = english.phrase(query)
    if text.count(" ") > 90:
        return  # a question has no more than so many words
    try:
        reading = english.read(text)
    except (
        AmbiguousQuestion
    ):  # columns of one name in tables that join: it is asked back, with what was meant among it
        assert english.reading(query).sql in [english.reading(found).sql for found in english.means(text)]
        return
    check_rows(made, reading.sql, query, wanted)
    again = english.read(reading.question)
    assert (again.sql, again.columns) == (reading.sql, reading.columns), text


@SLOW_MACHINE
@given(seed=st.integers(0, 10**9))
def test_every_query_is_said_and_read_back(
    world: Callable[[int], Any],
    evaluate: Callable[[Any, Any], Rows],
    queries: Callable[[English, int], Any],
    seed: int,
) -> None:
    """What the language can mean it can say: the sentence reads as the same query and gives the right rows."""
    made = world(seed)
    english = English(made.schema, now=TODAY)
    writer = queries(english, seed)
    for _ in range(10):
        query = writer.query()
        check_query(made, english, query, evaluate(made, query))


@pytest.mark.slow
@settings(deadline=None, max_examples=150, suppress_health_check=HEALTH)
@given(seed=st.integers(0, 10**9))
def test_many_queries_are_said_and_read_back(
    world: Callable[[int], Any],
    evaluate: Callable[[Any, Any], Rows],
    queries: Callable[[English, int], Any],
    seed: int,
) -> None:
    """The same law over many more databases."""
    made = world(seed)
    english = English(made.schema, now=TODAY)
    writer = queries(english, seed)
    for _ in range(20):
        query = writer.query()
        check_query(made, english, query, evaluate(made, query))


@SLOW_MACHINE
@given(seed=st.integers(0, 10**9))
def test_the_plainest_form_reads_the_same(
    world: Callable[[int], Any], sentences: Callable[[English, int], Any], seed: int
) -> None:
    """`question` of a reading is a question with the same SQL and the same read-back columns."""
    made = world(seed)
    english = English(made.schema, now=TODAY)
    for reading in sample(made, sentences, seed, 15):
        again = english.read(reading.question)
        assert (again.sql, again.columns) == (reading.sql, reading.columns), reading.question


@settings(deadline=None, max_examples=5, suppress_health_check=HEALTH)
@given(seed=st.integers(0, 10**9))
def test_the_sql_is_canonical(
    world: Callable[[int], Any], sentences: Callable[[English, int], Any], seed: int
) -> None:
    """Every SQL is a text of the SQL grammar of the schema."""
    made = world(seed)
    grammar = sql_grammar(made.schema)
    for reading in sample(made, sentences, seed, 15):
        assert grammar.accepts(reading.sql), grammar.explain(reading.sql).for_model()


@settings(deadline=None, max_examples=8, suppress_health_check=HEALTH)
@given(seed=st.integers(0, 10**9))
def test_the_lark_grammar_is_the_language(
    world: Callable[[int], Any], sentences: Callable[[English, int], Any], seed: int
) -> None:
    """The Lark grammar takes every sentence of the rules, and no sentence with a word left out that they refuse."""
    made = world(seed)
    english = English(made.schema, now=TODAY)
    grammar = Grammar.from_lark(english.grammar)
    writer = sentences(english, seed)
    rng = random.Random(seed)
    for _ in range(15):
        text = writer.sentence()
        if "nothing-of-the-kind" in text:
            continue
        assert grammar.accepts(text), grammar.explain(text).for_model()
        words = text.split(" ")
        del words[rng.randrange(len(words))]
        cut = " ".join(words)
        assert grammar.accepts(cut) == derives(english, cut), cut


def derives(english: English, text: str) -> bool:
    """Whether the rules derive a text, be it meaningful or not."""
    from jigwork.grammars.english.tokens import tokenize

    try:
        tokens = tokenize(text)
    except NotUnderstood:
        return False
    return bool(tokens) and bool(english.parse(tokens, text)[0])


@settings(deadline=None, max_examples=15, suppress_health_check=HEALTH)
@given(seed=st.integers(0, 10**9))
def test_completions_lead_on(
    world: Callable[[int], Any], sentences: Callable[[English, int], Any], seed: int
) -> None:
    """Every word of a sentence is among the completions before it, or belongs to a name or a value."""
    made = world(seed)
    english = English(made.schema, now=TODAY)
    writer = sentences(english, seed)
    rng = random.Random(seed)
    for _ in range(5):
        words = writer.sentence().split(" ")
        cut = rng.randrange(len(words))
        prefix = "".join(f"{word} " for word in words[:cut])
        for offered in english.complete(prefix)[:5]:
            text = prefix + offered
            nodes, reach = english.parse(_tokens(text), text)
            assert nodes or reach.position >= len(_tokens(text)), text


def _tokens(text: str) -> Any:
    from jigwork.grammars.english.tokens import tokenize

    return tokenize(text)
