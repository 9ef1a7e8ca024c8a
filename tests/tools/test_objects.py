"""Objects of a user's own classes as tools: conversations of many turns leave them as the same calls by hand do."""

from __future__ import annotations

import copy
import random
import threading
import time
from typing import Any, Literal

import pytest

from jigwork import Agent, ScriptedModel, Toolset, tool
from jigwork.errors import ToolDefinitionError


class Files:
    """Folders and files, with a place where one is; every answer depends on what was done before."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {"docs": {"a.txt": "one two three"}, "tmp": {}}
        self.place: list[str] = []
        self.log: list[str] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Files) and vars(self) == vars(other)

    def _here(self) -> dict[str, Any]:
        folder = self.tree
        for part in self.place:
            folder = folder[part]
        return folder

    def cd(self, folder: str) -> dict[str, str]:
        """Go to a folder.

        Args:
            folder (str): A folder here, or ".." for the one above.

        Returns:
            current (str): Where one is then.
        """
        time.sleep(random.uniform(0, 0.002))  # what runs in threads would overtake
        if folder == "..":
            self.place = self.place[:-1]
        elif isinstance(self._here().get(folder), dict):
            self.place = [*self.place, folder]
        else:
            return {"error": f"no folder {folder}"}
        return {"current": "/".join(self.place)}

    def ls(self, a: bool = False) -> dict[str, list[str]]:
        """List what is here.

        Args:
            a (bool): [Optional] Show hidden files too.
        """
        return {"contents": [name for name in self._here() if a or not name.startswith(".")]}

    def mkdir(self, dir_name: str) -> None:
        """Make a folder here."""
        time.sleep(random.uniform(0, 0.002))
        if dir_name in self._here():
            raise FileExistsError(f"{dir_name} is there already")
        self._here()[dir_name] = {}

    def echo(self, content: str, file_name: str | None = None) -> dict[str, str]:
        """Write a text into a file here, or give it back.

        Args:
            content (str): The text.
            file_name (str): [Optional] The file; without one, nothing is written.
        """
        if file_name is None:
            return {"terminal_output": content}
        self._here()[file_name] = content
        self.log.append(file_name)
        return {}

    def tail(self, file_name: str, lines: int = 10) -> dict[str, str]:
        """Show the last lines of a file."""
        return {"last_lines": "\n".join(str(self._here()[file_name]).splitlines()[-lines:])}


class Account:
    """Money and orders, with numbers that a model may write as whole ones."""

    fee = 0.5

    def __init__(self) -> None:
        self.balance = 1000.0
        self.orders: dict[int, dict[str, Any]] = {}
        self.watched: list[str] = []

    def deposit(self, amount: float) -> dict[str, float]:
        """Put money in."""
        self.balance += amount
        return {"balance": self.balance}

    def place_order(
        self,
        order_type: Literal["Buy", "Sell"],
        symbol: str,
        price: float,
        amount: int,
        *,
        tags: list[str] = [],  # noqa: B006
    ) -> dict[str, Any]:
        """Order shares; the price and the fee are taken at once."""
        total = price * amount + self.fee
        if order_type == "Buy" and total > self.balance:
            raise ValueError(f"{total} is more than the balance")
        self.balance -= total if order_type == "Buy" else -total
        number = len(self.orders) + 1
        self.orders[number] = {"type": order_type, "symbol": symbol, "amount": amount, "tags": list(tags)}
        return {"order_id": number}

    def cancel_order(self, order_id: int) -> dict[str, int]:
        """Take an order back."""
        del self.orders[order_id]
        return {"order_id": order_id}

    def watch(self, symbols: list[str], limits: dict[str, float] | None = None) -> list[str]:
        """Watch shares."""
        self.watched += [f"{symbol}:{(limits or {}).get(symbol)}" for symbol in symbols]
        return self.watched

    @staticmethod
    def percent(part: float, whole: float) -> float:
        """Say what percentage one number is of another."""
        return 100 * part / whole


Turn = list[tuple[str, dict[str, Any]]]

CONVERSATIONS: list[list[Turn]] = [
    [
        [("cd", {"folder": "docs"}), ("mkdir", {"dir_name": "old"}), ("cd", {"folder": "old"}), ("ls", {})],
        [("echo", {"content": "x", "file_name": "b.txt"}), ("cd", {"folder": ".."}), ("ls", {"a": True})],
        [("mkdir", {"dir_name": "old"}), ("cd", {"folder": "nowhere"}), ("tail", {"file_name": "a.txt"})],
        [("tail", {"file_name": "nothing.txt"}), ("echo", {"content": "said"}), ("cd", {"folder": "old"})],
    ],
    [
        [("deposit", {"amount": 50}), ("place_order", {"order_type": "Buy", "symbol": "A", "price": 10, "amount": 3})],
        [
            ("place_order", {"order_type": "Buy", "symbol": "B", "price": 9e9, "amount": 1}),
            ("place_order", {"order_type": "Sell", "symbol": "C", "price": 1.25, "amount": 2, "tags": ["x"]}),
            ("cancel_order", {"order_id": 1}),
            ("cancel_order", {"order_id": 77}),
        ],
        [("watch", {"symbols": ["A", "B"], "limits": {"A": 3.5}}), ("watch", {"symbols": []}), ("percent", {"part": 1, "whole": 8})],
    ],
    [
        [(name, arguments) for number in range(12) for name, arguments in
         [("mkdir", {"dir_name": f"d{number}"}), ("cd", {"folder": f"d{number}"})]],
        [("echo", {"content": str(number), "file_name": "same.txt"}) for number in range(20)],
    ],
]  # fmt: skip


def by_hand(things: list[Any], conversation: list[Turn]) -> list[Any]:
    """Call the methods one after the other; what one raises is its result."""
    results: list[Any] = []
    for name, arguments in (call for turn in conversation for call in turn):
        method = next(getattr(thing, name) for thing in things if hasattr(thing, name))
        try:
            results.append(method(**arguments))
        except Exception as error:  # noqa: BLE001
            results.append(error)
    return results


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@pytest.mark.parametrize("whole", [True, False], ids=["toolset", "methods"])
def test_state_is_what_the_calls_leave(conversation: list[Turn], whole: bool) -> None:
    """Turn by turn, all calls of a turn at once: the objects end as they do by hand, and each call has its result."""
    ours: list[Any] = [Files(), Account()]
    theirs = copy.deepcopy(ours)
    expected = by_hand(theirs, conversation)
    files, account = ours
    tools: list[Any] = (
        [Toolset.from_object(files), Toolset.from_object(account)]
        if whole
        else [files.cd, files.ls, files.mkdir, files.echo, files.tail, account.deposit, account.place_order,
              account.cancel_order, account.watch, account.percent]
    )  # fmt: skip
    state, outcomes = None, list[Any]()
    for turn in conversation:
        calls = [{"name": name, "arguments": arguments} for name, arguments in turn]
        result = Agent(ScriptedModel([calls, "Done."]), tools=tools).run_sync("Next.", state=state)
        state = result.state
        outcomes += [call.outcome for call in result.calls[-len(turn) :]]
    assert [vars(thing) for thing in ours] == [vars(thing) for thing in theirs]
    for outcome, value in zip(outcomes, expected, strict=True):
        assert outcome is not None
        if isinstance(value, Exception):
            assert outcome.status == "failed" and "Traceback" not in str(outcome.output)
        else:
            assert (outcome.status, outcome.value) == ("ok", value)


def test_methods_of_one_object_take_turns_and_others_do_not() -> None:
    """Two objects work at the same time, one object does one thing at a time."""
    both = threading.Barrier(2, timeout=10)

    class Desk:
        """Counts who is at it."""

        def __init__(self) -> None:
            self.busy, self.most = 0, 0

        def meet(self) -> str:
            """Wait for the other desk."""
            both.wait()
            return "met"

        def work(self) -> str:
            """Work alone."""
            self.busy += 1
            self.most = max(self.most, self.busy)
            time.sleep(0.01)
            self.busy -= 1
            return "done"

    one, two = Desk(), Desk()
    calls: list[dict[str, Any]] = [
        {"name": name, "arguments": {}}
        for name in ("a_work", "a_work", "b_meet", "a_meet", "a_work", "b_work")
    ]
    tools = [Toolset.from_object(one).prefixed("a"), Toolset.from_object(two).prefixed("b")]
    result = Agent(ScriptedModel([calls, "ok"]), tools=tools).run_sync("go")
    assert [call.outcome and call.outcome.status for call in result.calls] == ["ok"] * 6
    assert one.most == 1


def test_a_limit_of_its_own_lets_methods_run_together() -> None:
    """Whoever says how many may run at once, or that a method only reads, has thought of it."""

    class Reader:
        """Reads."""

        def __init__(self) -> None:
            self.barrier = threading.Barrier(2, timeout=10)

        @tool(read_only=True)
        def read(self) -> str:
            """Read with somebody else."""
            self.barrier.wait()
            return "read"

        @tool(max_concurrency=2)
        def fetch(self) -> str:
            """Fetch with somebody else."""
            self.barrier.wait()
            return "fetched"

    for name in ("read", "fetch"):
        calls: list[dict[str, Any]] = [{"name": name, "arguments": {}}] * 2
        result = Agent(ScriptedModel([calls, "ok"]), tools=[Toolset.from_object(Reader())]).run_sync("go")
        assert [call.outcome and call.outcome.status for call in result.calls] == ["ok", "ok"]


def test_a_method_may_run_an_agent_that_calls_its_object() -> None:
    """What is called inside a call does not wait for that call to end."""

    class Desk:
        """Asks itself."""

        def ask(self) -> str:
            """Let another agent look."""
            script: list[Any] = [[{"name": "look", "arguments": {}}], "seen"]
            inner = Agent(ScriptedModel(script), tools=[self.look])
            return inner.run_sync("look").output

        def look(self) -> str:
            """Look."""
            return "nothing"

    desk = Desk()
    script: list[Any] = [[{"name": "ask", "arguments": {}}], "ok"]
    agent = Agent(ScriptedModel(script), tools=[desk.ask])
    result = agent.run_sync("go")
    assert [call.outcome and call.outcome.value for call in result.calls] == ["seen"]


def test_what_is_no_object_of_methods() -> None:
    """A class, and an object without methods, are errors that say so."""
    with pytest.raises(ToolDefinitionError, match="give an object of it"):
        Toolset.from_object(Files)
    with pytest.raises(ToolDefinitionError, match="no public methods"):
        Toolset.from_object(3)


def test_private_and_inherited_methods() -> None:
    """Private ones are no tools; those of a base class are, unless they are overridden."""

    class More(Account):
        """An account with a limit."""

        def deposit(self, amount: float) -> dict[str, float]:
            """Put in at most a hundred."""
            return super().deposit(min(amount, 100))

    made = Toolset.from_object(More()).known
    assert made is not None
    assert [one.name for one in made] == ["deposit", "place_order", "cancel_order", "watch", "percent"]
    assert made[0].description == "Put in at most a hundred."
