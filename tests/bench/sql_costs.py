"""What a SQL grammar costs for 3, 100 and 1000 tables, beside llguidance on the same text.

`write` makes the text from a schema, `ready` makes it judge its first query, `warm` judges again; `check` is the whole
analysis, in a process of its own as a user gets it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from grammar_costs import END, Vocabulary, warm
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper
from measure import Row

from jigwork.grammars import Column, ForeignKey, Grammar, Schema, Table
from jigwork.grammars.sql import sql_grammar
from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.sampled import check_samples

SIZES = (3, 100, 1000)
KINDS = ("text", "integer", "number", "date", "text", "boolean")


def schema(count: int) -> Schema:
    """A schema of so many tables with thirteen columns each, every one pointing at the one before."""
    tables: list[Table] = []
    for number in range(count):
        columns = [Column("id", kind="integer"), Column("parent_id", kind="integer")]
        columns += [Column(f"field_{place}", kind=KINDS[place % len(KINDS)]) for place in range(11)]  # type: ignore[arg-type]
        keys = (ForeignKey(("parent_id",), f"table_{number - 1}", ("id",)),) if number else ()
        tables.append(Table(f"table_{number}", tuple(columns), ("id",), keys))
    return Schema(tuple(tables))


def query(count: int) -> str:
    """A query that joins two tables, filters and groups."""
    one, two = f"table_{count - 1}", f"table_{count - 2}"
    return (
        f"SELECT {two}.field_0, COUNT(*) AS n FROM {one} JOIN {two} ON {one}.parent_id = {two}.id "
        f"WHERE {one}.field_1 > 30 GROUP BY {two}.field_0 ORDER BY COUNT(*) DESC LIMIT 10"
    )


def own(text: str) -> Callable[[str], bool]:
    """Return our judgement of a grammar."""
    return Grammar.from_lark(text).accepts


def direct(text: str) -> Callable[[str], bool]:
    """Return llguidance's own judgement of a grammar."""
    plain = LLTokenizer(
        TokenizerWrapper(Vocabulary([*(bytes([i]) for i in range(256)), b"<|end|>"])),
        n_vocab=257,
        eos_token=END,
        slices=[],
    )
    base = LLMatcher(plain, LLMatcher.grammar_from_lark(text), log_level=0)

    def judge(sample: str) -> bool:
        matcher = base.deep_copy()
        return matcher.consume_tokens(list(sample.encode())) and matcher.is_accepting()

    return judge


def refused(count: int) -> Row:
    """The share of random sentences of the demo shop's grammar that its check refuses."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "shop.db")
        script = Path(__file__).parents[2] / "examples" / "shop.py"
        subprocess.run([sys.executable, script, file], check=True, capture_output=True)
        with SQLDatabase(file) as database:
            sampled = check_samples(database, database.grammar(), count)
    share = 100 * (sampled.count - sampled.passed) / sampled.count
    return Row("sql grammar, sentences refused", f"sqlite, {count} sentences", "jigwork", share, "%")


def costs(rounds: int) -> list[Row]:
    """Every figure about SQL grammars, in milliseconds; their size in kilobytes."""
    rows = [refused(1000 * rounds)]
    for count in SIZES:
        case, sample, found = f"{count} tables", query(count), dict[tuple[str, str], list[float]]()
        tables = schema(count)
        text = ""
        for number in range(max(2, rounds // 2)):
            start = time.perf_counter()
            text = sql_grammar(tables, name=f"sql{number}").definition
            found.setdefault(("sql grammar, write", "jigwork"), []).append(time.perf_counter() - start)
            for who, make in (
                ("jigwork", own),
                ("llguidance", direct),
            ):
                start = time.perf_counter()
                judge = make(f"{text}\n// {number}\n")
                if not judge(sample):
                    raise ValueError(f"{who} refuses {sample}")
                found.setdefault(("sql grammar, ready", who), []).append(time.perf_counter() - start)
                found.setdefault(("sql grammar, warm", who), []).append(warm(judge, sample, 0.005))
        start = time.perf_counter()
        Grammar.from_lark(text).check()
        found["sql grammar, check", "jigwork"] = [time.perf_counter() - start]
        rows += [
            Row(section, case, who, statistics.median(taken) * 1000, "ms")
            for (section, who), taken in found.items()
        ]
        rows.append(Row("sql grammar, size", case, "jigwork", len(text) / 1000, "kB"))
    return rows


if __name__ == "__main__":
    from goals import table

    found = costs(3)
    for section in dict.fromkeys(row.section for row in found):
        print(table(section, found))
