"""A language of one's own: a robot that takes programs, and nothing that is no program.

The tool's function receives the parse tree. On a server that knows grammars (OpenAI) the model cannot write
anything else; on every other the text is checked here, and what is wrong is explained to the model.

    python examples/robot.py
"""

from __future__ import annotations

from lark import Token, Tree

from jigwork import Agent, Grammar, tool
from jigwork.testing import ScriptedModel

PROGRAM = Grammar.from_lark(
    r"""
start: command ("; " command)*
command: move | turn | repeat
move: "forward " NUMBER
turn: "turn " SIDE
repeat: "repeat " NUMBER " (" start ")"
SIDE: "left" | "right"
NUMBER: /[1-9][0-9]{0,2}/
""",
    name="robot",
)

HEADINGS = [(0, 1), (1, 0), (0, -1), (-1, 0)]


class Robot:
    """Walks on a grid."""

    def __init__(self) -> None:
        self.x = self.y = self.heading = 0

    def run(self, tree: Tree[Token]) -> None:
        """Run a program."""
        for command in tree.children:
            assert isinstance(command, Tree)
            (action,) = command.children
            assert isinstance(action, Tree)
            match action.data, action.children:
                case "move", [steps]:
                    dx, dy = HEADINGS[self.heading]
                    self.x += dx * int(str(steps))
                    self.y += dy * int(str(steps))
                case "turn", [side]:
                    self.heading = (self.heading + (1 if side == "right" else -1)) % 4
                case "repeat", [times, Tree() as body]:
                    for _ in range(int(str(times))):
                        self.run(body)
                case _:
                    raise AssertionError(action)


robot = Robot()


@tool(grammar=PROGRAM)
def drive(program: Tree[Token]) -> str:
    """Drive the robot. Commands: forward N, turn left|right, repeat N (...), joined by "; "."""
    robot.run(program)
    return f"at {robot.x}, {robot.y}"


def main() -> None:
    model = ScriptedModel(
        [
            [{"name": "drive", "input": "repeat 4 (forward 10; turn rihgt)"}],
            [{"name": "drive", "input": "repeat 3 (forward 10; turn right)"}],
            "The robot has walked three sides of a square.",
        ]
    )
    result = Agent(model, tools=[drive]).run_sync("Walk three sides of a square.")
    for call in result.calls:
        assert call.outcome is not None
        print(f"{call.arguments}\n  {call.outcome.status}: {call.outcome.output}")
    print(result.output)


if __name__ == "__main__":
    main()
