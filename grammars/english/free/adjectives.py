"""What adjectives measure: `oldest` is about an age, `most expensive` about a price. General English; pure data."""

from __future__ import annotations

__all__ = ["ADJECTIVES", "COMPARATIVES", "MEASURES", "SUPERLATIVES"]

_HEIGHT, _LENGTH, _WEIGHT = ("height",), ("length", "duration", "runtime", "running time"), ("weight",)
_AGE = ("age", "birth date", "birth year", "birthday", "date of birth", "born")
_DATE = ("date", "year", "time")
_PRICE = ("price", "cost", "fee", "amount")
_SPEED, _SIZE = ("speed", "velocity"), ("size",)
_WORTH = ("net worth", "worth", "earnings", "income", "salary")

SUPERLATIVES: dict[str, tuple[tuple[str, ...], bool]] = {
    "oldest": (_AGE, True), "eldest": (_AGE, True), "youngest": (_AGE, False),
    "tallest": (_HEIGHT, True), "longest": (_LENGTH, True), "shortest": ((*_LENGTH, *_HEIGHT), False),
    "heaviest": (_WEIGHT, True), "lightest": (_WEIGHT, False),
    "latest": (_DATE, True), "newest": (_DATE, True), "earliest": (_DATE, False), "last": (_DATE, True),
    "cheapest": (_PRICE, False), "priciest": (_PRICE, True), "costliest": (_PRICE, True),
    "fastest": (_SPEED, True), "slowest": (_SPEED, False), "richest": (_WORTH, True), "poorest": (_WORTH, False),
    "highest": (("altitude", "elevation", "height"), True), "lowest": (("altitude", "elevation", "height"), False),
    "largest": (_SIZE, True), "biggest": (_SIZE, True), "smallest": (_SIZE, False),
}  # fmt: skip
"""Word: the columns that it may be about, and whether the most of it comes first."""

COMPARATIVES: dict[str, tuple[tuple[str, ...], bool]] = {
    "older": (_AGE, True), "younger": (_AGE, False), "taller": (_HEIGHT, True), "longer": (_LENGTH, True),
    "shorter": ((*_LENGTH, *_HEIGHT), False), "heavier": (_WEIGHT, True), "lighter": (_WEIGHT, False),
    "cheaper": (_PRICE, False), "pricier": (_PRICE, True), "faster": (_SPEED, True), "slower": (_SPEED, False),
    "richer": (_WORTH, True), "poorer": (_WORTH, False), "larger": (_SIZE, True), "bigger": (_SIZE, True),
    "smaller": (_SIZE, False),
}  # fmt: skip

_PAYS = {
    "cost costs costing": _PRICE, "earn earns earning earned": ("salary", "earnings", "income", "wage"),
    "weigh weighs weighing": _WEIGHT, "last lasts lasting lasted": _LENGTH,
}  # fmt: skip
MEASURES: dict[str, tuple[str, ...]] = {
    verb: columns for verbs, columns in _PAYS.items() for verb in verbs.split()
}
"""Verbs before `more than 5`."""

ADJECTIVES: dict[str, tuple[str, ...]] = {
    "expensive": _PRICE, "costly": _PRICE, "recent": _DATE, "recently": _DATE, "populated": ("population",),
    "populous": ("population",), "heavy": _WEIGHT, "long": _LENGTH, "wealthy": _WORTH, "experienced": ("experience",),
    "highly rated": ("rating",), "profitable": ("profit",), "spacious": ("capacity", "size"),
}  # fmt: skip
"""After `most` or `least`."""
