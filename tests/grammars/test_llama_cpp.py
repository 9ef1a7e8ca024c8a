"""Exports on a real llama.cpp server, with a tiny model that writes noise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jigwork.grammars import Grammar, library

pytestmark = pytest.mark.slow

EXACT = [
    "json",
    "arithmetic",
    "chess",
    "cron",
    "csv",
    "iso8601",
    "semver",
    "lucene",
    "apply_patch",
    "unified_diff",
]
SUPERSET = [
    'start: A "b"\nA: /[ab]{1,4}/',
    'start: NAME " = " NUMBER UNIT?\nNAME: /[a-z]{1,5}/\nNUMBER: /[0-9]{1,4}/\nUNIT: /[0-9]?[a-z]/',
    'start: ITEM ("," ITEM)* "."\nITEM: /[a-z,]{1,6}/',
]
"""Grammars whose terminals run over what may follow them, which a form without a lexer cannot say."""
_SEEDS = range(6)


@pytest.fixture(scope="module")
def server(tiny_model: Path) -> Iterator[Any]:
    """A llama.cpp server in this process."""
    llama: Any = pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(tiny_model)
    params.n_ctx = 2048
    params.warmup = False
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 1
    params.port = 0
    yield llama.Server(params)


def write(server: Any, grammar: str, seed: int) -> tuple[str, bool]:
    """What the model writes under a grammar, and whether it came to an end."""
    request = {"prompt": "x", "max_tokens": 160, "temperature": 1.0, "seed": seed, "grammar": grammar}
    answer = server.handle_completions(request)
    data: Any = json.loads(answer) if isinstance(answer, (str, bytes)) else answer
    choice = data["choices"][0]
    return str(choice["text"]), choice["finish_reason"] == "stop"


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_export_gives_accepted_texts(server: Any, name: str) -> None:
    """Under an export that is called exact every complete text is accepted, and every cut one is a beginning."""
    grammar = library(name)
    made = grammar.to_gbnf()
    assert made.exact
    written = [write(server, made.text, seed) for seed in _SEEDS]
    assert all(text or grammar.accepts("") for text, _ in written)
    for text, complete in written:
        if complete:
            assert grammar.accepts(text), text
        else:
            # Bytes that are no UTF-8 came as U+FFFD: the end may be half a character, and llama.cpp takes over-long
            # forms, which the model's tokens of single bytes can make, for the characters that they stand for.
            judged = grammar.explain(text.partition("\ufffd")[0])
            assert judged.accepted or judged.unfinished, text


@pytest.mark.parametrize("text", SUPERSET)
def test_a_superset_is_taken_by_the_server(
    server: Any, text: str, record_property: Callable[[str, object], None]
) -> None:
    """An export that is called a superset constrains the server too; what it lets through is recorded."""
    grammar = Grammar.from_lark(text)
    made = grammar.to_gbnf()
    assert not made.exact and made.differences
    texts = [write(server, made.text, seed) for seed in _SEEDS]
    record_property("outside", [said for said, complete in texts if complete and not grammar.accepts(said)])
    assert all(grammar.explain(said).position > 0 for said, _ in texts)


def test_the_same_grammar_without_translation(server: Any) -> None:
    """llama.cpp with llguidance takes the grammar itself, told by its first line."""
    grammar = Grammar.from_lark(
        'start: "SELECT " COL (", " COL)* " FROM " TABLE\nCOL: "id" | "name"\nTABLE: "t"\n'
    )
    for seed in _SEEDS:
        text, complete = write(server, grammar.to_llguidance().text, seed)
        judged = grammar.explain(text)
        assert judged.accepted if complete else judged.accepted or judged.unfinished


def test_a_schema_as_gbnf(server: Any) -> None:
    """A lowered JSON schema holds the model too: every complete text is valid JSON that the grammar accepts."""
    grammar = Grammar.from_json_schema(
        {
            "type": "object",
            "properties": {
                "a": {"enum": [1, 2, 30]},
                "b": {"type": "string", "maxLength": 3},
                "c": {"type": "null"},
            },
            "dependentRequired": {"b": ["c"]},
            "additionalProperties": False,
        }
    )
    made = grammar.to_gbnf()
    assert made.exact
    whole = [text for text, complete in (write(server, made.text, seed) for seed in _SEEDS) if complete]
    assert whole and all(grammar.accepts(text) and isinstance(json.loads(text), dict) for text in whole)
