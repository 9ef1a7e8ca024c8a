"""Figures of an answer, held against the rows: what agrees, what does not, and what the model is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jigwork import Agent, RunState, ScriptedModel, SQLAgent, SQLDatabase
from jigwork.agent.evidence import Evidence
from jigwork.agent.figure_check import note_of, unsupported
from jigwork.agent.figures import figures_in

RESULT: dict[str, Any] = {
    "columns": ["day", "country", "orders", "total"],
    "rows": [
        ["2024-03-05", "Brazil", 40, "1234.56"],
        ["2024-03-06", "Area 51", 25, 2000000.0],
        ["2024-04-01 10:30:00", "France", 35, None],
    ],
    "row_count": 1203,
    "truncated": True,
    "notes": [],
}

AGREEING = [
    "There are 1,203 rows, 3 of them shown; 1203 in all.",
    "Brazil has 40 orders worth $1,234.56, which is 1,234.6 or 1,235 rounded.",
    "About 1,200 (roughly 1,230); over 1.2 thousand; nearly 1.21k.",
    "2 million, $2.0M, 2,000,000.00, 2e6.",
    "Together 100 orders, 33.3 on average; Brazil 15 more than the second, or 60% more.",
    "40% are from Brazil, 25 percent from Area 51, 65.0% from the first two.",
    "On 2024-03-05, March 6, 2024, 1 April, Apr 2024, and at 10:30 in 2024.",
    "1. Brazil: 40\n2. Area 51: 25\n3. France: 35",
    "The top 10 of Q3, the 2nd place, COVID-19, B2, `LIMIT 77`, ```\nSELECT 99\n```",
    "You asked for more than 7 since 2019-05-01: none in 2019.",
    "1.234,56 € in der Summe, 1\u202f203 Zeilen.",
    "Nothing.",
]
DISAGREEING = [
    ("Brazil has 41 orders.", ["41"]),
    ("Brazil has -41 orders or 1,243.", ["-41", "1,243"]),
    ("1,200 rows.", ["1,200"]),
    ("$1,234.57 it is.", ["$1,234.57"]),
    ("3 million and 17.3%.", ["3 million", "17.3%"]),
    ("In 2023, on March 7, 2024 at 11:30.", ["March 7, 2024", "11:30", "2023"]),
    ("About 1,300.", ["1,300"]),
    ("42. That is all.", ["42"]),
]


@pytest.fixture
def evidence() -> Evidence:
    """A question, and one result."""
    found = Evidence()
    found.add_text("more than 7 since 2019-05-01?")
    found.add_output(json.dumps(RESULT))
    return found


@pytest.mark.parametrize("text", AGREEING)
def test_what_the_rows_support(evidence: Evidence, text: str) -> None:
    """What stands in a result, can be worked out from it, or is rounded to what is written, is no mistake."""
    assert [figure.text for figure in figures_in(text) if not evidence.supports(figure)] == []


@pytest.mark.parametrize(("text", "wrong"), DISAGREEING)
def test_what_they_do_not(evidence: Evidence, text: str, wrong: list[str]) -> None:
    """What no result has is found, as it is written."""
    found = [figure.text for figure in figures_in(text) if not evidence.supports(figure)]
    assert found == wrong


SALES: dict[str, Any] = {
    "columns": ["region", "shops", "sales", "latest"],
    "rows": [
        ["North", 18, "61320.40", "2024-11-05"],
        ["West", 14, "40880.10", "2024-09-30"],
        ["East", 7, "20440.00", "2024-02-17"],
        ["South", 3, None, None],
    ],
    "row_count": 4,
    "truncated": False,
    "notes": [],
}
REASONABLE = [
    "North leads with $61,320.40 from eighteen shops.",
    "North €61.3k, West 40.9k, East about 20 thousand.",
    "US$61,320.40 and USD 40,880.10.",
    "There are four regions; North has 18 of 42 shops (43%).",
    "North and West together: 102,200.50, or 83.3% of the total of 122,640.50.",
    "North sells 50% more than West, and 3 times as much as East.",
    "West sells 2x what East does; North 1.5 times what West does.",
    "North has four more shops than West.",
    "Sales per shop in North: 3,406.69.",
    "On average 40,880.17 per region with sales; the median is 40,880.10.",
    "One region (South) has no sales; the other 3 do.",
    "Two of the four regions sell less than 41,000.",
    "The latest was on 5 November 2024, the earliest on Feb 17th.",
    "The latest was on 05/11/2024, or 11/05/2024 as one writes it there, or 05.11.2024.",
    "In Q4 2024, H2 and FY24 North led.",
    "1. North - 61,320.40\n2. West - 40,880.10\n3. East - 20,440.00",
    "| region | sales |\n|---|---:|\n| North | 61,320.40 |",
    "61.320,40 EUR, 61 320,40 €, 61'320.40 CHF.",
    "Between 3 and 18 shops; sales from 20,440 to 61,320.4.",
    "The top ten would be all of them; the first three make 122,640.50.",
    "West and East together have 21 shops.",
    "I ran three queries, and there are several ways to read this.",
    "See ISO 3166, section 2.1 and version 2.0.1; call +47 22 33 44 55, open 24/7.",
    "Fourteen shops are in West, 33.3% of all.",
    "10.5 shops per region.",
]
UNREASONABLE = [
    ("North leads with $61,420.40.", ["$61,420.40"]),
    ("There are nineteen shops in North.", ["nineteen"]),
    ("West has 13 shops.", ["13"]),
    ("There are ninety-one shops.", ["ninety-one"]),
    ("North sells 2.7 times as much as West.", ["2.7 times"]),
    ("The latest was on 6 November 2024.", ["6 November 2024"]),
    ("The latest was on 06/11/2024.", ["06/11/2024"]),
    ("The latest was on 06.11.2024.", ["06.11.2024"]),
    ("In 2021 North led.", ["2021"]),
    ("The total is 132,640.50.", ["132,640.50"]),
    ("About 70k for North.", ["70k"]),
    ("€62.3k", ["€62.3k"]),
    ("62 320,40 €", ["62\u202f320,40"]),
    ("West is at 48%.", ["48%"]),
    ("The median is 40,881.00.", ["40,881.00"]),
]


@pytest.fixture
def sales() -> Evidence:
    """A result of four rows."""
    found = Evidence()
    found.add_text("which regions sell most? top 5 since 2023")
    found.add_output(json.dumps(SALES))
    return found


@pytest.mark.parametrize("text", REASONABLE)
def test_reasonable_answers_pass(sales: Evidence, text: str) -> None:
    """However a right figure is written or worked out, it raises no alarm."""
    assert [figure.text for figure in figures_in(text) if not sales.supports(figure)] == []


@pytest.mark.parametrize(("text", "wrong"), UNREASONABLE)
def test_wrong_figures_are_found(sales: Evidence, text: str, wrong: list[str]) -> None:
    """The same ways of writing do not hide a figure that is wrong."""
    assert [figure.text for figure in figures_in(text) if not sales.supports(figure)] == wrong


SQL = "SELECT COUNT(*) AS n FROM customers LIMIT 1"
QUERY = [{"name": "query", "input": SQL}]


def test_a_mismatch_is_fed_back_once(shop: SQLDatabase) -> None:
    """The model is told which figures are wrong, with the nearest there is; a right answer then stands alone."""
    model = ScriptedModel([QUERY, "There are 41 customers.", "There are 40 customers."])
    result = SQLAgent(shop, model, check_figures=True).run_sync("how many customers?")
    assert result.output == "There are 40 customers." and note_of(result.output) is None
    assert "- 41 (the nearest there is: 40)" in str(model.requests[2].items[-1])


def test_what_stays_is_noted(shop: SQLDatabase) -> None:
    """After one feedback the answer is taken, and says which figures no result has."""
    model = ScriptedModel([QUERY, "There are 41 customers.", "There are 43 customers.", "never asked"])
    result = SQLAgent(shop, model, check_figures=True).run_sync("how many customers?")
    assert result.output == "There are 43 customers.\n\nNote: no query result has 43."
    assert note_of(result.output) == "no query result has 43." and len(model.requests) == 3


def test_every_question_has_its_feedback(shop: SQLDatabase) -> None:
    """In a conversation the results of earlier questions count, and each answer is checked anew."""
    model = ScriptedModel([QUERY, "41.", "40.", "Still 40, or 44.", "Still 40."])
    agent = SQLAgent(shop, model, check_figures=True)
    first = agent.run_sync("how many customers?")
    second = agent.run_sync("sure?", state=first.state)
    assert (first.output, second.output) == ("40.", "Still 40.")


def test_an_answer_after_a_handoff_is_checked(shop: SQLDatabase) -> None:
    """Whoever hands the question over, the answer is held against the rows."""
    analyst = SQLAgent(
        shop,
        ScriptedModel([QUERY, "There are 41 customers.", "There are 40 customers."]),
        check_figures=True,
        name="analyst",
    )
    front = Agent(ScriptedModel([[{"name": "transfer_to_analyst", "arguments": {}}]]), handoffs=[analyst])
    assert front.run_sync("how many customers?").output == "There are 40 customers."


def test_it_is_not_checked_unless_asked(shop: SQLDatabase) -> None:
    """Without the option an answer is taken as it is."""
    result = SQLAgent(shop, ScriptedModel([QUERY, "There are 41 customers."])).run_sync("how many customers?")
    assert result.output == "There are 41 customers."


def test_an_empty_answer_is_still_refused(shop: SQLDatabase) -> None:
    """What is wrong with any answer is said first; the budget for both together is the agent's."""
    model = ScriptedModel([QUERY, "", "", "There are 41 customers."])
    result = SQLAgent(shop, model, check_figures=True).run_sync("how many customers?")
    assert note_of(result.output) == "no query result has 41."


def test_a_saved_state_is_checked_alike(shop: SQLDatabase) -> None:
    """The check needs nothing but the state's items."""
    result = SQLAgent(shop, ScriptedModel([QUERY, "40."])).run_sync("how many customers?")
    state = RunState.from_json(result.state.to_json())
    assert unsupported("40 of 41", state) == ["41"]


OFFLINE = [
    "count customers",
    "list customers",
    "list orders where total is more than 100",
    "average total of orders per status",
    "list products sorted by price",
    "total qty of order lines",
    "number of orders per customer country",
    "list order lines",
    "count orders where placed is after 2024-06-01",
]


@pytest.mark.parametrize("question", OFFLINE)
def test_no_false_alarm_offline(shop: SQLDatabase, question: str) -> None:
    """The offline engine says what the rows say: its answers pass as they are."""
    result = SQLAgent(shop, check_figures=True).run_sync(question)
    assert unsupported(result.output, result.state) == [] and note_of(result.output) is None
    assert len(result.requests) == 2
