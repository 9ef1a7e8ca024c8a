"""`jigwork grammar show`: one page of railroad diagrams that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from jigwork.grammars import library_names

Cli = Callable[..., Any]

EVERYTHING = r"""
start: pair ("," pair)* | "<b>&'\"" | NUMBER~2..5 | many* -> again | ["maybe"i] | "a".."z" | /</ "" | c~3 | missing
  | "the second line"
pair: many "=" NUMBER
many: "1" "22" "333" "4444" "55555" "666666" "7777777" "88888888" "999999999" "1010101010" "1111111111" "1212121212"
NUMBER: /[^<>&"']+/ | "\x1b[31m" | "正正"
c: %json {"type": "string"}
%ignore /[ \t]+/
%import common.INT
"""


def drawings(page: str) -> list[ElementTree.Element]:
    """Return the SVGs of a page, read strictly."""
    found = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    return [ElementTree.fromstring(svg) for svg in found]


def texts(drawing: ElementTree.Element) -> list[str]:
    """Return what is written in a drawing."""
    return [element.text or "" for element in drawing.iter("text")]


@pytest.fixture
def page(cli: Cli, tmp_path: Path) -> str:
    """The page of a grammar in which everything comes up."""
    file = tmp_path / "every<thing>.lark"
    file.write_text(EVERYTHING, encoding="utf-8")
    done = cli("grammar", "show", file)
    assert done.code == 0 and done.err == ""
    return str(done.out)


def test_every_definition_is_drawn(page: str) -> None:
    """There is a drawing for each rule and terminal, with its text, and the names are links to each other."""
    start, pair, many, number, embedded = drawings(page)
    assert texts(start)[:2] == ["pair", '","'] and "missing" in texts(start) and '"maybe"i' in texts(start)
    assert {"2 to 5 times", "3 times", "again", '"a".."z"', "/</"} <= set(texts(start))
    assert texts(pair) == ["many", '"="', "NUMBER"]
    assert texts(number) == ["""/[^<>&"']+/""", '"\\u001b[31m"', '"正正"'] and len(texts(many)) == 12
    assert texts(embedded)[0].startswith("%json")
    assert {link.get("href") for link in start.iter("a")} == {"#pair", "#NUMBER", "#many", "#c"}
    assert "the second line&quot;" in page and "Ignored between all terminals" in page


def test_what_is_not_defined_looks_wrong(page: str) -> None:
    """A name without a definition is marked and is no link."""
    (missing,) = [g for g in drawings(page)[0].iter("g") if "missing" in g.get("class", "")]
    assert texts(missing) == ["missing"] and not list(missing.iter("a"))


def test_a_long_rule_goes_on_in_the_next_row(page: str) -> None:
    """No drawing is wider than a window."""
    assert all(float(drawing.get("width", "0")) < 1100 for drawing in drawings(page))


def test_the_page_needs_nothing_else(page: str) -> None:
    """No scripts, no addresses of others, nothing of the grammar that is HTML, and every element is closed."""
    assert "<script" not in page and "http://" not in page and "https://" not in page
    assert "<b>" not in page and "every&lt;thing&gt;" in page and "\x1b" not in page
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag != "meta":
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Reader().feed(page)
    assert opened == []


def test_every_ready_grammar_can_be_drawn(cli: Cli) -> None:
    """The grammars of the package make pages, one drawing for each definition."""
    for name in library_names():
        document = cli("grammar", "show", name, "--json").json
        assert len(drawings(document["html"])) == len(document["definitions"]) > 0, name


def test_show_writes_a_file(cli: Cli, tmp_path: Path) -> None:
    """With -o the page goes to a file, and one line says so."""
    target = tmp_path / "cron.html"
    done = cli("grammar", "show", "cron", "-o", target)
    assert done.code == 0 and done.out == f"{target}: 19 diagrams of cron\n"
    assert len(drawings(target.read_text(encoding="utf-8"))) == 19
    assert cli("grammar", "show", "cron", "-o", tmp_path / "no" / "x.html").code == 2
    assert cli("grammar", "show", "cron", "--open").code == 2


def test_a_schema_is_shown_as_it_is(cli: Cli, tmp_path: Path) -> None:
    """What is no rules has one box, and the schema is written below it."""
    (tmp_path / "s.json").write_text('{"type": "object", "properties": {"fee": {"type": "number"}}}')
    out = cli("grammar", "show", tmp_path / "s.json").out
    assert len(drawings(out)) == 1 and "&quot;fee&quot;: {" in out


def test_what_cannot_be_read_is_told_with_its_place(cli: Cli, tmp_path: Path) -> None:
    """A text that is no grammar has no page."""
    (tmp_path / "open.lark").write_text('start: ("a"\n')
    done = cli("grammar", "show", tmp_path / "open.lark")
    assert done.code == 2 and "open.lark:1:8: ( is not closed" in done.err and done.out == ""


def test_very_many_alternatives_are_counted(cli: Cli, tmp_path: Path) -> None:
    """A list of a thousand words is not drawn word by word."""
    words = " | ".join(f'"word{number}"' for number in range(1000))
    (tmp_path / "words.lark").write_text(f"start: WORD\nWORD: {words}\n")
    _, word = drawings(cli("grammar", "show", tmp_path / "words.lark").out)
    assert len(texts(word)) == 41 and texts(word)[-1] == "and 960 more"
