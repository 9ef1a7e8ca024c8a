"""Verbs that stand for the rows between two nouns: `customers who bought ...`, `films never rented`.

A verb is understood where a table is called like what is done: orders and invoices for `bought`, rentals for
`rented`. What it stands for is shown by the keys in the read-back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .words import singular

__all__ = ["deeds_of", "is_past", "past"]

_PAST = {"birth": "born", "ship": "shipped", "pay": "paid", "sale": "sold", "begin": "begun", "built": "built",
         "sell": "sold", "buy": "bought", "due": "due", "submit": "submitted", "made": "made", "sent": "sent"}  # fmt: skip
_TRADE = "order purchase invoice sale transaction"
_DEEDS = {
    ("order", "ordered"): "order purchase invoice sale",
    ("buy", "bought"): _TRADE,
    ("purchase", "purchased"): _TRADE,
    ("sell", "sold"): _TRADE,
    ("rent", "rented"): "rental lease",
    ("borrow", "borrowed"): "loan rental checkout borrowing",
    ("pay", "paid"): "payment",
    ("book", "booked"): "booking reservation",
    ("reserve", "reserved"): "booking reservation",
    ("enroll", "enrolled"): "enrollment enrolment registration",
    ("visit", "visited"): "visit",
    ("review", "reviewed"): "review",
    ("rate", "rated"): "rating review",
    ("attend", "attended"): "attendance",
}


def past(word: str) -> str:
    """Return what was done when a date is called so: `hire` gives `hired`, `birth` gives `born`."""
    if word in _PAST:
        return _PAST[word]
    if is_past(word):
        return word
    if word.endswith("e"):
        return word + "d"
    return word[:-1] + "ied" if word.endswith("y") and word[-2:-1] not in "aeiou" else word + "ed"


def is_past(word: str) -> bool:
    """Tell whether a date that is called so says when something was done: `shipped`, `born`."""
    return word.endswith("ed") or word in _PAST.values()


def deeds_of(words: Iterable[str]) -> Iterator[str]:
    """Yield the verbs, plain and past, that a table with these words in its name stands for."""
    said = {singular(word) for word in words}
    for forms, nouns in _DEEDS.items():
        if said & set(nouns.split()):
            yield from forms
