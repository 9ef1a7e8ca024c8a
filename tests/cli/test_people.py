"""`jigwork run` with a person: questions asked at the terminal, answered by options, for agents inside too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
Start = Callable[..., Any]

PEOPLE = '''
"""Agents that need a person."""
from jigwork import Agent, ScriptedModel, agent_tool, ask_human, tool


@tool(approval="always")
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


def told(request):
    return [str(item["output"]) for item in request.items if item["type"] == "function_call_output"]


def saying(*calls):
    return ScriptedModel(lambda request: " and ".join(told(request)) if told(request) else list(calls))


def asking(question, **more):
    return {"name": "ask_human", "arguments": {"question": question, **more}}


count = Agent(saying(asking("How \\x1b[31mmany?")), tools=[ask_human(output=int)])
size = Agent(saying(asking("Which size?")), tools=[ask_human(choices=["small", "large"])])
free = Agent(saying(asking("Where?", choices=["here", "there"])), tools=[ask_human()])
inner = Agent(saying(asking("Sure?"), {"name": "pay", "arguments": {"amount": 5}}), tools=[pay, ask_human(output=bool)])
outer = Agent(
    saying({"name": "clerk", "arguments": {"task": "pay"}}),
    tools=[agent_tool(inner, name="clerk", description="Pays.")],
)
payer = Agent(saying({"name": "pay", "arguments": {"amount": 20}}), tools=[pay])
'''


@pytest.fixture
def people(project: Path) -> Path:
    """Return the project, with agents that ask."""
    (project / "people.py").write_text(PEOPLE)
    return project


def test_an_answer_is_typed_and_asked_for_again_until_it_fits(people: Path, terminal: Start) -> None:
    """The person is told what was expected; the model's text cannot reach the terminal."""
    screen = terminal("run", "people.py:count", "go")
    screen.expect("The agent asks:  How many?")
    screen.expect("later)")
    screen.type("a few\r")
    screen.expect("expected an integer")
    screen.type("7\r")
    screen.expect("ok      ask_human: 7")
    assert screen.end() == 0


def test_choices_are_numbered(people: Path, terminal: Start) -> None:
    """A number or a word; something else only where the model proposed."""
    screen = terminal("run", "people.py:size", "go")
    screen.expect("1. small")
    screen.expect("2. large")
    screen.expect("later)")
    screen.type("huge\r")
    screen.expect('expected one of "small", "large"')
    screen.type("2\r")
    screen.expect("large")
    assert screen.end() == 0
    screen = terminal("run", "people.py:free", "go")
    screen.expect("later)")
    screen.type("elsewhere\r")
    screen.expect("ok      ask_human: elsewhere")
    assert screen.end() == 0


def test_a_person_may_have_no_answer_or_answer_later(people: Path, terminal: Start) -> None:
    """The first is told to the model with the reason, the second leaves the command that goes on."""
    screen = terminal("run", "people.py:count", "go")
    screen.expect("later)")
    screen.type("\\n\r")
    screen.expect("Why not?")
    screen.type("nobody knows\r")
    screen.expect("Nobody answered the question: nobody knows")
    assert screen.end() == 0
    screen = terminal("run", "people.py:count", "go", "--state", "count.json", columns=200)
    screen.expect("later)")
    screen.type("\\l\r")
    screen.expect("jigwork run people.py:count --state count.json --answer call_1=...")
    assert screen.end() == 1


def test_arguments_are_edited_until_the_tool_takes_them(people: Path, terminal: Start) -> None:
    """What the person writes is checked as the model's would be."""
    screen = terminal("run", "people.py:payer", "go")
    screen.expect("May this run?  pay(amount=20)")
    screen.expect("[l]ater")
    screen.type("e\r")
    screen.expect("Arguments")
    screen.type('{"amount": "ten"}\r')
    screen.expect("expected an integer")
    screen.type('{"amount": 10}\r')
    screen.expect("paid 10")
    assert screen.end() == 0


def test_agents_inside_ask_at_the_same_terminal(people: Path, terminal: Start) -> None:
    """It says who asks; the run goes on inside."""
    screen = terminal("run", "people.py:outer", "go")
    screen.expect("clerk asks:  Sure?")
    screen.expect("later)")
    screen.type("y\r")
    screen.expect("May this run?  clerk/pay(amount=5)")
    screen.expect("[l]ater")
    screen.type("y\r")
    screen.expect("true and paid 5")
    assert screen.end() == 0


def test_answers_by_options(people: Path, cli: Cli) -> None:
    """Without a terminal the run pauses and says how to go on; --approve all answers no question."""
    paused = cli("run", "people.py:outer", "go", "--state", "o.json")
    assert paused.code == 1 and "waiting for approval: call_1/call_2 (clerk/pay)" in paused.err
    assert "waiting for an answer: call_1/call_1, clerk/ask_human asks: Sure?" in paused.err
    assert "--state o.json --answer call_1/call_1=..." in paused.err
    again = cli("run", "people.py:outer", "--state", "o.json", "--approve", "all")
    assert again.code == 1 and "waiting for approval" not in again.err and "Sure?" in again.err
    wrong = cli("run", "people.py:outer", "--state", "o.json", "--answer", "call_1/call_1=perhaps")
    assert wrong.code != 0 and "expected true or false" in wrong.err
    done = cli("run", "people.py:outer", "--state", "o.json", "--answer", "call_1/call_1=no")
    assert done.code == 0 and "false and paid 5" in done.out


def test_arguments_by_option(people: Path, cli: Cli) -> None:
    """ID=JSON; what the tool cannot take is an error, and the call still waits."""
    cli("run", "people.py:payer", "go", "--state", "p.json")
    for text, said in (
        ("{", "not JSON"),
        ("[]", "one JSON object"),
        ('{"amount": "x"}', "expected an integer"),
    ):
        wrong = cli("run", "people.py:payer", "--state", "p.json", "--approve", f"call_1={text}")
        assert wrong.code != 0 and said in wrong.err
    done = cli("run", "people.py:payer", "--state", "p.json", "--approve", 'call_1={"amount": 1}')
    assert done.code == 0 and "paid 1" in done.out


def test_the_document_has_the_question(people: Path, cli: Cli) -> None:
    """With its schema, and the command that answers it."""
    document = cli("run", "people.py:size", "go", "--json").json
    (approval,) = document["approvals"]
    assert approval["question"] == {
        "text": "Which size?", "choices": ["small", "large"], "schema": {"enum": ["small", "large"]},
    }  # fmt: skip
    assert document["resume"].endswith("--answer call_1=...")
    lines = cli("run", "people.py:size", "go", "--jsonl").out.splitlines()
    asked = next(json.loads(line) for line in lines if '"ApprovalAsked"' in line)
    assert asked["question"]["text"] == "Which size?"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--answer", "call_1"], "give ID=VALUE"),
        (["--answer", "call_9=1"], "no call 'call_9' waits"),
        (["--approve", "call_1"], "asks 'How"),
    ],
)
def test_what_cannot_be_decided_is_said(people: Path, cli: Cli, options: list[str], said: str) -> None:
    """And nothing runs."""
    cli("run", "people.py:count", "go", "--state", "c.json")
    wrong = cli("run", "people.py:count", "--state", "c.json", *options)
    assert wrong.code != 0 and said in wrong.err
