"""Extract a pydantic model from text: the answer is validated, and what is wrong with it is explained to the model.

The script answers wrongly first, so that one sees the second request. With a key: `Agent("gpt-5.2", output=Invoice)`.

    python examples/extract.py
"""

from __future__ import annotations

import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from jigwork import Agent
from jigwork.testing import ScriptedModel


class Line(BaseModel):
    """One line of an invoice."""

    article: str
    quantity: int = Field(ge=1)
    price: Decimal


class Invoice(BaseModel):
    """An invoice."""

    number: str
    date: datetime.date
    lines: list[Line]
    note: str | None = None


TEXT = "Invoice 2026-17 of 3 March 2026: two jigs at 19.90 each and a clamp at 7.50."

WRONG = """{"number": "2026-17", "date": "3 March 2026", "note": null, "lines": [
    {"article": "jig", "quantity": 2, "price": "19.90"}, {"article": "clamp", "quantity": 0, "price": "7.50"}]}"""
RIGHT = """{"number": "2026-17", "date": "2026-03-03", "note": null, "lines": [
    {"article": "jig", "quantity": 2, "price": "19.90"}, {"article": "clamp", "quantity": 1, "price": "7.50"}]}"""


def main() -> None:
    model = ScriptedModel([WRONG, RIGHT])
    result = Agent(model, instructions="Extract the invoice.", output=Invoice).run_sync(TEXT)
    print("What the model was told about its first answer:")
    print(model.requests[1].items[-1]["content"])
    invoice = result.output  # an Invoice, as the type checker knows
    total = sum((line.quantity * line.price for line in invoice.lines), Decimal())
    print(f"\nInvoice {invoice.number} of {invoice.date}: {len(invoice.lines)} lines, {total} in all")


if __name__ == "__main__":
    main()
