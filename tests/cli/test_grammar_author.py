"""The first ten minutes of a grammar's author: a mistake, the check, the fix, a look at it, an agent that uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Cli = Callable[..., Any]

FIRST = """\
start: "add " COUNT " " ITEM " to " LISTS
COUNT: /[1-9][0-9]?/
ITEM: /[a-z ]{1,30}/
LIST: "groceries" | "hardware"
"""

AGENT = '''\
from jigwork import Agent, Grammar, tool
from jigwork.testing import ScriptedModel

LISTS = {"groceries": [], "hardware": []}


@tool(grammar=Grammar.from_file("shopping.lark"))
def shopping(order: str) -> str:
    """Keep the shopping lists. Write orders such as "add 2 hammers to hardware"."""
    words = order.split(" ")
    LISTS[words[-1]].append(" ".join(words[1:-2]))
    return f"{words[-1]}: {', '.join(LISTS[words[-1]])}"


agent = Agent(
    ScriptedModel(
        [
            [{"name": "shopping", "input": "add 2 hammers to hardwear"}],
            [{"name": "shopping", "input": "add 2 hammers to hardware"}],
            "Two hammers are on the list.",
        ]
    ),
    tools=[shopping],
)
'''


def test_the_first_ten_minutes(cli: Cli, tmp_path: Path, monkeypatch: Any) -> None:
    """Each step tells enough to take the next one, without another page open."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "shopping.lark"

    # A name is misspelt: the place is named, and the name that was meant.
    file.write_text(FIRST)
    done = cli("grammar", "check", "shopping.lark")
    assert done.code == 1 and done.out.startswith(
        "shopping.lark:1:37: error E7: the terminal LISTS is not defined\n"
    )
    assert "  fix:  did you mean LIST?\n" in done.out

    # It is defined now, and yet no order can be written: ITEM runs over " to ". A text shows it, and the fix is said.
    file.write_text(FIRST.replace(" LISTS\n", " LIST\n"))
    done = cli("grammar", "check", "shopping.lark")
    assert done.code == 1 and "shopping.lark:1:8: error E11: this can never be written" in done.out
    assert 'ITEM runs over " to "' in done.out and "fix:  make ITEM unable to go on there" in done.out
    shown = done.out.partition("text: '")[2].partition("'")[0]
    assert cli("grammar", "explain", "shopping.lark", shown).code == 1

    # An item is one word.
    file.write_text(FIRST.replace(" LISTS\n", " LIST\n").replace("[a-z ]{1,30}", "[a-z]{1,30}"))
    done = cli("grammar", "check", "shopping.lark", "--target", "openai", "--target", "gbnf")
    assert (done.code, done.out) == (0, "shopping.lark: clean (for openai, gbnf)\n")
    assert cli("grammar", "explain", "shopping.lark", shown).code == 0

    # What does it allow, and what does it look like?
    samples = cli("grammar", "sample", "shopping.lark", "-n", "5").out.splitlines()
    assert len(samples) == 5 and all(line.startswith("add ") for line in samples)
    assert cli("grammar", "show", "shopping.lark", "-o", "shopping.html").code == 0
    page = (tmp_path / "shopping.html").read_text()
    assert page.count("<svg ") == 4 and ">LIST</text>" in page

    # Why is this one refused?
    done = cli("grammar", "explain", "shopping.lark", "add 2 hammers to hardwear")
    assert done.code == 1 and "did you mean add 2 hammers to hardware" in done.out

    # In an agent: what the model writes wrong never reaches the function, and the model is told why.
    (tmp_path / "shop_agent.py").write_text(AGENT)
    done = cli("run", "shop_agent.py:agent", "We need two hammers.", "--json")
    assert done.code == 0 and done.json["output"] == "Two hammers are on the list."
    calls = [
        (call["arguments"], call["outcome"]["status"], call["outcome"]["output"])
        for call in done.json["calls"]
    ]
    assert calls[-1] == ("add 2 hammers to hardware", "ok", "hardware: 2 hammers")
    assert [status for _, status, _ in calls].count("ok") == 1
    assert any(
        "did you mean" in text or "Nearest valid text" in text for text in map(str, done.json["items"])
    )

    # And on another server.
    assert cli("grammar", "convert", "shopping.lark", "--to", "gbnf").out.startswith("root ::=")
