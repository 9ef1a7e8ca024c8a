"""Ask a database: what was understood, the SQL under a grammar of its schema, the rows, the answer.

    python examples/shop.py demo/shop.db
    python examples/ask_database.py demo/shop.db "top 3 customers by sum of orders total"

Without a key the offline engine answers controlled English; with OPENAI_API_KEY set the same program asks GPT-5.2
in any words, under the same grammar.
"""

from __future__ import annotations

import sys

from jigwork import SQLAgent, SQLDatabase


def main(path: str, question: str) -> None:
    with SQLDatabase(path) as database:
        result = SQLAgent(database).run_sync(question)
    for call in result.calls:
        print(f"SQL: {call.arguments}")
    print(result.output)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
