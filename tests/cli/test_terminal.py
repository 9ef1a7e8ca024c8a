"""What a person at a terminal sees and types: prompts, completion, colours, approvals, Ctrl-C."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jigwork.agent.pytest_plugin import ServerFactory

Start = Callable[..., Any]


def test_prompt_answers_and_leaves(shop: Path, terminal: Start) -> None:
    """The prompt introduces itself, answers, explains what it does not understand, and leaves with \\q."""
    screen = terminal("ask", "--db", shop)
    screen.expect("offline, because no model is named")
    screen.expect("6 tables")
    screen.expect("ask>")
    screen.type("count stores\r")
    screen.expect("SELECT COUNT(*)")
    screen.expect("answer  12")
    screen.expect("ask>")
    screen.type("count stors\r")
    screen.expect("^^^^^")
    screen.expect("ask>")
    screen.type("\\d stores\r")
    screen.expect("floor area")
    screen.type("\\h\r")
    screen.expect("leave (or Ctrl-D)")
    screen.type("\\q\r")
    assert screen.end() == 0


def test_the_number_of_a_proposal_asks_it(terminal: Start, tmp_path: Path) -> None:
    """Questions that could be meant are numbered, and the number alone asks one."""
    connection = sqlite3.connect(tmp_path / "two.db")
    connection.executescript(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE letters (id INTEGER PRIMARY KEY, sender_id INTEGER REFERENCES people (id),"
        " receiver_id INTEGER REFERENCES people (id));"
        "INSERT INTO people VALUES (1, 'Ada'), (2, 'Bo'); INSERT INTO letters VALUES (1, 1, 2);"
    )
    connection.close()
    screen = terminal("ask", "--db", tmp_path / "two.db")
    screen.expect("ask>")
    screen.type("count letters per people name\r")
    screen.expect("The number asks it.")
    screen.expect("ask>")
    screen.type("1\r")
    screen.expect("answer  1 row")
    screen.expect("ask>")
    screen.type("\x04")
    assert screen.end() == 0


def test_a_single_question_is_asked_back_once(shop: Path, terminal: Start) -> None:
    """Outside of the prompt there is one place to type a number; Enter leaves it."""
    screen = terminal("ask", "--db", shop, "how many frobnicated customers are in Brazil?")
    screen.expect("Which one?")
    screen.type("\r")
    assert screen.end() == 1
    assert "You can ask:" in screen.text and "The number asks it." not in screen.text


def test_prompt_completes_from_the_grammar(shop: Path, terminal: Start) -> None:
    """What may follow is offered as one types: the tables of this database among them."""
    screen = terminal("ask", "--db", shop)
    screen.expect("ask>")
    screen.type("count custo")
    screen.expect("customers")
    screen.type("\t")
    screen.type("\r")
    screen.expect("Count the customers")
    screen.expect("ask>")
    screen.type("\x04")
    assert screen.end() == 0


def test_history_is_kept(shop: Path, terminal: Start, tmp_path: Path) -> None:
    """A question is offered again in the next session, from a file that only its owner reads."""
    env = {"XDG_STATE_HOME": str(tmp_path)}
    first = terminal("ask", "--db", shop, env=env)
    first.expect("ask>")
    first.type("count stores\r")
    first.expect("answer  12")
    first.expect("ask>")
    first.type("\\q\r")
    assert first.end() == 0
    assert (tmp_path / "jigwork/ask.history").stat().st_mode & 0o077 == 0
    second = terminal("ask", "--db", shop, env=env)
    second.expect("ask>")
    second.type("\x1b[A")
    second.expect("count stores")
    second.type("\r")
    second.expect("answer  12")
    second.expect("ask>")
    second.type("\x04")
    assert second.end() == 0


def test_colours_and_width(shop: Path, terminal: Start) -> None:
    """A terminal gets colours, and tables no wider than it is; NO_COLOR takes the colours away."""
    screen = terminal("ask", "--db", shop, "top 3 orders by total", columns=60)
    assert screen.end() == 0
    assert "\x1b[1;34mSELECT" in screen.raw
    table = screen.text.partition("rows  ")[2].partition("answer")[0].splitlines()
    assert max(len(line) for line in table) <= 60 and "not shown, no room" in screen.text
    plain = terminal("ask", "--db", shop, "count orders", env={"NO_COLOR": "1"})
    assert plain.end() == 0
    assert "\x1b[1" not in plain.raw and "\x1b[3" not in plain.raw


def test_long_results_are_cut_on_a_terminal(shop: Path, terminal: Start) -> None:
    """A terminal shows the first 50 rows and says how to see more."""
    screen = terminal("ask", "--db", shop, "orders")
    assert screen.end() == 0
    assert "the first 50 shown (--max-rows shows more)" in screen.text


def test_model_cannot_reach_the_terminal(project: Path, terminal: Start) -> None:
    """Escapes in a model's text or a tool's result do not arrive."""
    screen = terminal("run", "agent.py:agent", "go")
    assert screen.end() == 0
    assert "Let me see." in screen.text and "\x1b[31msee" not in screen.raw and "\x1b]0;" not in screen.raw


def test_approval_at_the_terminal(project: Path, terminal: Start) -> None:
    """A person sees the whole call and approves it; the run goes on."""
    screen = terminal("run", "agent.py:payer", "pay")
    screen.expect("May this run?  pay(amount=20)")
    screen.expect("[l]ater")
    screen.type("y\r")
    screen.expect("Done.")
    assert screen.end() == 0
    assert (project / "paid.txt").read_text() == "20"


def test_always_is_asked_once(project: Path, terminal: Start) -> None:
    """Who says always is not asked again for the same tool."""
    screen = terminal("run", "agent.py:both", "pay")
    screen.expect("May this run?  pay(amount=1)")
    screen.expect("[l]ater")
    screen.type("a\r")
    screen.expect("Done.")
    assert screen.end() == 0
    assert screen.text.count("May this run?") == 1 and "paid 2" in screen.text


def test_denial_at_the_terminal(project: Path, terminal: Start) -> None:
    """A person denies a call and gives a reason, which the model is told."""
    screen = terminal("run", "agent.py:payer", "pay", "--state", "pay.json")
    screen.expect("[l]ater")
    screen.type("n\r")
    screen.expect("Why not?")
    screen.type("far too much\r")
    screen.expect("Done.")
    assert screen.end() == 0
    outcome = json.loads((project / "pay.json").read_text())["outcomes"]["call_1"]
    assert outcome["status"] == "denied" and "far too much" in outcome["output"]
    assert not (project / "paid.txt").exists()


def test_deciding_later(project: Path, terminal: Start) -> None:
    """Who decides later gets the state file and the command that goes on."""
    screen = terminal("run", "agent.py:payer", "pay", "--state", "pay.json", columns=200)
    screen.expect("[l]ater")
    screen.type("l\r")
    screen.expect("jigwork run agent.py:payer --state pay.json --approve all")
    assert screen.end() == 1


def test_ctrl_c_at_a_terminal(project: Path, terminal: Start) -> None:
    """Ctrl-C stops the run and prints how to go on."""
    screen = terminal("run", "agent.py:sleeper", "go", columns=200)
    screen.expect("call    nap()")
    screen.type("\x03")
    screen.expect("jigwork run agent.py:sleeper --state jigwork-run_")
    assert screen.end() == 130


def test_ctrl_c_in_the_prompt_keeps_the_prompt(
    shop: Path, terminal: Start, jigwork_server: ServerFactory, tmp_path: Path
) -> None:
    """A question that is stopped leaves a state file, and the next one can be asked."""
    slow = {"text": "a very slow answer", "chunk": 1, "delay": 0.4}
    server = jigwork_server([slow, "A quick answer."])
    state = tmp_path / "s.json"
    screen = terminal("ask", "--db", shop, "--model", f"{server.base_url}#m", "--state", state, columns=200)
    screen.expect("ask>")
    screen.type("slow?\r")
    screen.expect("says    a ")
    screen.type("\x03")
    screen.expect(f"--state {state}")
    screen.expect("ask>")
    screen.type("quick?\r")
    screen.expect("A quick answer.")
    screen.expect("ask>")
    screen.type("\x04")
    assert screen.end() == 0
    said = [item["content"] for item in json.loads(state.read_text())["items"] if item.get("role") == "user"]
    assert said == ["slow?", "quick?"], "nothing of the conversation is lost"


def test_chat_at_a_terminal(terminal: Start, jigwork_server: ServerFactory, tmp_path: Path) -> None:
    """A conversation is streamed, can be saved, and begun anew."""
    server = jigwork_server(["Hello there.", "New."])
    screen = terminal("chat", "--model", f"{server.base_url}#m")
    screen.expect("chat>")
    screen.type("Hi\r")
    screen.expect("Hello there.")
    screen.expect("chat>")
    screen.type(f"\\save {tmp_path / 'talk.json'}\r")
    screen.expect("chat>")
    screen.type("\\new\r")
    screen.expect("chat>")
    screen.type("Again\r")
    screen.expect("New.")
    screen.expect("chat>")
    screen.type("\x04")
    assert screen.end() == 0
    assert len(json.loads((tmp_path / "talk.json").read_text())["items"]) == 2
    assert [m["content"] for m in server.bodies[1]["messages"]] == ["Again"]
