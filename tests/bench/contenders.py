"""Three loops that do the same work: jigwork, and two written by hand on the official SDK.

`raw` is the loop of the SDK's own guide, on the typed `create`. `post` is the least that one can do with that client:
dicts in, dicts out, orjson, no validation at all. All three look the tool up by name, decode the arguments, run the
calls of a turn together and send every output back.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx2
import orjson
from openai import AsyncOpenAI
from wire_server import MODEL, parse_case, tool_schema

INSTRUCTIONS = "You keep the stock of four warehouses."
QUESTION = "Do we have enough of LX-20481 and its siblings in Lyon for the orders of this week?"
RESULT = "Lyon holds 412 pieces of this article, 36 of them reserved; the next delivery of 240 comes on Thursday morning."


@dataclass
class Case:
    """One conversation: where it is, and what its tools do. `ticks` gets the CPU time at each call."""

    base_url: str
    name: str
    endpoint: str
    stream: bool
    tool: Callable[..., Any] | None = None
    ticks: list[float] = field(default_factory=list[float])

    @property
    def tools(self) -> int:
        """The number of tools."""
        return parse_case(self.name)[2]

    @property
    def requests(self) -> int:
        """The number of model requests of one run."""
        return parse_case(self.name)[0] + 1

    @property
    def calls(self) -> int:
        """The number of tool calls of one run."""
        turns, calls, _ = parse_case(self.name)
        return turns * calls

    @property
    def url(self) -> str:
        """The base URL of this conversation."""
        return f"{self.base_url}/{self.name}/v1"

    def make_tools(self) -> list[Callable[..., Any]]:
        """Return the functions that the model may call, named and typed as a user would write them."""
        if self.tool is not None:
            return [_renamed(self.tool, i) for i in range(self.tools)]

        def make(number: int) -> Callable[..., Awaitable[str]]:
            async def stock(sku: str, warehouse: str, quantity: int, urgent: bool) -> str:
                """Look up how many pieces of an article a warehouse holds.

                Args:
                    sku: Stock keeping unit, as printed on the label.
                    warehouse: The city of the warehouse.
                    quantity: How many are needed.
                    urgent: Whether it has to leave today.
                """
                self.ticks.append(time.process_time())
                return RESULT

            stock.__name__ = f"stock_{number}"
            return stock

        return [make(number) for number in range(self.tools)]


def _renamed(function: Callable[..., Any], number: int) -> Callable[..., Any]:
    function.__name__ = f"stock_{number}"
    return function


class Contender(Protocol):
    """Something that can hold one conversation, many times over the same connection."""

    async def run(self) -> str:
        """Hold the conversation and return its last text."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


def sdk(case: Case) -> AsyncOpenAI:
    """Make the client that a hand-written loop uses."""
    return AsyncOpenAI(api_key="sk-bench", base_url=case.url, max_retries=0)


class _ByHand:
    """What both hand-written loops share: the client, the tools and how a call is made."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.client = sdk(case)
        self.functions: dict[str, Callable[..., Any]] = {f.__name__: f for f in case.make_tools()}
        self.schemas = [tool_schema(number) for number in range(case.tools)]
        self.chat_schemas = [
            {"type": "function", "function": {key: value for key, value in schema.items() if key != "type"}}
            for schema in self.schemas
        ]

    async def call(self, name: str, arguments: str) -> str:
        function = self.functions[name]
        values: dict[str, Any] = orjson.loads(arguments)
        if inspect.iscoroutinefunction(function):
            return await function(**values)
        return await asyncio.to_thread(function, **values)

    async def aclose(self) -> None:
        await self.client.close()


class Post(_ByHand):
    """`client.post` with bytes out and bytes in: the floor of what this SDK can do."""

    async def run(self) -> str:
        responses = self.case.endpoint == "responses"
        history: list[dict[str, Any]] = [{"role": "user", "content": QUESTION}]
        body: dict[str, Any] = {"model": MODEL, "stream": self.case.stream}
        if responses:
            body |= {"instructions": INSTRUCTIONS, "input": history, "tools": self.schemas}
        else:
            history.insert(0, {"role": "system", "content": INSTRUCTIONS})
            body |= {"messages": history, "tools": self.chat_schemas}
            body |= {"stream_options": {"include_usage": True}} if self.case.stream else {}
        while True:
            items = await self._ask("/responses" if responses else "/chat/completions", body)
            history += items
            if responses:
                calls = [
                    (i["call_id"], i["name"], i["arguments"]) for i in items if i["type"] == "function_call"
                ]
            else:
                chat: list[dict[str, Any]] = items[0].get("tool_calls") or []
                calls = [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in chat]
            if not calls:
                return items[-1]["content"][0]["text"] if responses else items[-1]["content"]
            outputs = await asyncio.gather(*(self.call(name, arguments) for _, name, arguments in calls))
            for (call_id, _, _), output in zip(calls, outputs, strict=True):
                if responses:
                    history.append({"type": "function_call_output", "call_id": call_id, "output": output})
                else:
                    history.append({"role": "tool", "tool_call_id": call_id, "content": output})

    async def _ask(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self.client.post(
            path,
            cast_to=httpx2.Response,
            content=orjson.dumps(body),
            options={"headers": {"Content-Type": "application/json"}},
            stream=self.case.stream,
        )
        assert isinstance(answer, httpx2.Response)
        if not self.case.stream:
            data = orjson.loads(answer.content)
            return data["output"] if path == "/responses" else [data["choices"][0]["message"]]
        merge = self._merge_responses if path == "/responses" else self._merge_chat
        return await merge(_events(answer))

    async def _merge_responses(self, events: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        async for event in events:
            if event["type"] == "response.completed":
                items = event["response"]["output"]
        return items

    async def _merge_chat(self, events: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        text: list[str] = []
        calls: dict[int, dict[str, Any]] = {}
        async for event in events:
            for choice in event["choices"]:
                if content := choice["delta"].get("content"):
                    text.append(content)
                for delta in choice["delta"].get("tool_calls") or ():
                    if "id" in delta:
                        calls[delta["index"]] = delta
                    else:
                        calls[delta["index"]]["function"]["arguments"] += delta["function"]["arguments"]
        for call in calls.values():
            del call["index"]
        return [message | ({"tool_calls": list(calls.values())} if calls else {"content": "".join(text)})]


async def _events(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON of each server-sent event."""
    buffer = b""
    async for data in answer.aiter_bytes():
        *whole, buffer = (buffer + data).split(b"\n\n")
        for event in whole:
            text = event[event.index(b"data: ") + 6 :]
            if text != b"[DONE]":
                yield orjson.loads(text)
    await answer.aclose()


class Raw(_ByHand):
    """The loop of the SDK's guide: typed `create`, what it returns goes into the next input."""

    async def run(self) -> str:
        if self.case.endpoint == "responses":
            return await self._responses()
        return await self._chat()

    async def _responses(self) -> str:
        history: Any = [{"role": "user", "content": QUESTION}]
        tools: Any = self.schemas
        while True:
            answer: Any = await self.client.responses.create(
                model=MODEL, instructions=INSTRUCTIONS, input=history, tools=tools, stream=self.case.stream
            )
            if self.case.stream:
                answer = await self._completed(answer)
            history += answer.output
            calls = [item for item in answer.output if item.type == "function_call"]
            if not calls:
                return answer.output_text
            outputs = await asyncio.gather(*(self.call(call.name, call.arguments) for call in calls))
            for call, output in zip(calls, outputs, strict=True):
                history.append({"type": "function_call_output", "call_id": call.call_id, "output": output})

    async def _completed(self, events: Any) -> Any:
        """Return the response that a stream ends with."""
        response: Any = None
        async for event in events:
            if event.type == "response.completed":
                response = event.response
        return response

    async def _chat(self) -> str:
        history: Any = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": QUESTION}]
        tools: Any = self.chat_schemas
        create: Any = self.client.chat.completions.create
        extra: Any = {"stream": True, "stream_options": {"include_usage": True}} if self.case.stream else {}
        while True:
            answer: Any = await create(model=MODEL, messages=history, tools=tools, **extra)
            message, calls, text = await self._merged(answer) if self.case.stream else self._whole(answer)
            if not calls:
                return text
            history.append(message)
            outputs = await asyncio.gather(*(self.call(name, arguments) for _, name, arguments in calls))
            for (call_id, _, _), output in zip(calls, outputs, strict=True):
                history.append({"role": "tool", "tool_call_id": call_id, "content": output})

    def _whole(self, answer: Any) -> tuple[Any, list[tuple[str, str, str]], str]:
        """Return the message of a completion, its calls and its text."""
        message = answer.choices[0].message
        calls = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()]
        return message, calls, message.content

    async def _merged(self, chunks: Any) -> tuple[Any, list[tuple[str, str, str]], str]:
        """Put the chunks of a streamed completion together."""
        text: list[str] = []
        made: dict[int, dict[str, Any]] = {}
        async for chunk in chunks:
            for choice in chunk.choices:
                text.append(choice.delta.content or "")
                for delta in choice.delta.tool_calls or ():
                    if delta.id:
                        function = {"name": delta.function.name, "arguments": delta.function.arguments}
                        made[delta.index] = {"id": delta.id, "type": "function", "function": function}
                    else:
                        made[delta.index]["function"]["arguments"] += delta.function.arguments
        calls = [
            (call["id"], call["function"]["name"], call["function"]["arguments"]) for call in made.values()
        ]
        return {"role": "assistant", "tool_calls": list(made.values())}, calls, "".join(text)


class Jigwork:
    """The whole framework, used as the README shows: an agent, its tools, `run` or `stream`."""

    def __init__(self, case: Case) -> None:
        from jigwork import Agent, Limits, OpenAIModel

        self.case = case
        endpoint: Any = case.endpoint
        self.model = OpenAIModel(MODEL, base_url=case.url, api_key="sk-bench", endpoint=endpoint)
        limits = Limits(turns=case.requests + 1)
        self.agent = Agent(self.model, instructions=INSTRUCTIONS, tools=case.make_tools(), limits=limits)

    async def run(self) -> str:
        if not self.case.stream:
            return (await self.agent.run(QUESTION)).output
        async with self.agent.stream(QUESTION) as run:
            async for _ in run:
                pass
            return run.result.output

    async def aclose(self) -> None:
        await self.model.aclose()


CONTENDERS: dict[str, Callable[[Case], Contender]] = {"jigwork": Jigwork, "post": Post, "raw": Raw}
