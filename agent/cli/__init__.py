"""The command line: `run()` reads sys.argv, does what is asked, and returns the exit code.

0 fine; 1 the run or the question failed, or there are findings; 2 the command was put together wrongly, a missing
extra included; 130 Ctrl-C; 141 whoever read the output went away. Nothing but `jigwork.__main__` imports this.
"""

from __future__ import annotations

__all__ = ["run"]


def run() -> int:
    """Run the command line of this process."""
    try:
        from .app import run_arguments, use_utf8

        return run_arguments(use_utf8())
    except KeyboardInterrupt:  # before anything began
        return 130
