"""Tools that run together, one of them failing; a malformed call explained and repaired.

A local server plays the model here (the real SDK talks to it over HTTP), so this runs without a key. With one, put
`Agent("gpt-5.2", ...)` in the place of the scripted model.

    python examples/parallel_tools.py
"""

from __future__ import annotations

import time

from jigwork import Agent, CallSettled, CallStarted, ItemAdded, OpenAIModel, TextDelta, tool
from jigwork.agent.server import LocalServer


@tool(read_only=True)
def weather(city: str) -> str:
    """Look up the weather.

    Args:
        city: The name of a city.
    """
    time.sleep(0.3)
    if city == "Atlantis":
        raise ValueError("no weather station in Atlantis")
    return f"{city}: 21 degrees, clear"


@tool(read_only=True)
def population(city: str, year: int) -> int:
    """Look up how many people lived in a city in a year."""
    time.sleep(0.3)
    return 2_100_000 + 1_000 * (year - 2020)


# What the model says, turn by turn. The call of `population` is malformed: the year is a word.
REPLIES = [
    {
        "calls": [
            {"name": "weather", "arguments": {"city": "Paris"}},
            {"name": "weather", "arguments": {"city": "Atlantis"}},
            {"name": "weather", "arguments": {"city": "Oslo"}},
            {"name": "population", "arguments": '{"city": "Paris", "year": "last"}'},
        ]
    },
    [{"name": "population", "arguments": {"city": "Paris", "year": 2025}}],
    "Paris and Oslo are clear at 21 degrees, Paris has 2.1 million people; for Atlantis there is no station.",
]


def main() -> None:
    with LocalServer(REPLIES) as server:
        model = OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="none needed", endpoint="responses")
        agent = Agent(model, tools=[weather, population])
        with agent.stream_sync("How are Paris, Atlantis and Oslo?") as run:
            for event in run:
                match event:
                    case CallStarted():
                        print(f"  -> {event.name} {event.arguments}")
                    case CallSettled():
                        print(f"  <- {event.outcome.status:<17} {event.outcome.output}")
                    case ItemAdded(item={"type": "function_call_output"}):
                        pass  # the outputs come in the model's order, when all calls of the turn have settled
                    case TextDelta():
                        print(event.text, end="")
                    case _:
                        pass
    calls = run.result.calls
    settled = ", ".join(c.outcome.status for c in calls if c.outcome)
    print(f"\n{len(calls)} calls ({settled})")


if __name__ == "__main__":
    main()
