"""A project with its own `agent.py` and its own `tools/` folder beside the script, as most have.

They are imported as usual: Jigwork's own packages are called `jigwork.agent` and `jigwork.tools`, and nothing of it
is called `agent` or `tools`.

    python examples/own_tools/main.py
"""

from __future__ import annotations

from tools.clock import add_hours  # this folder's tools/

from agent import helper  # this folder's agent.py


def main() -> None:
    result = helper.run_sync("What time is it five hours after ten in the evening?")
    print(list(helper.tools), add_hours(22, 5))
    print(result.output)


if __name__ == "__main__":
    main()
