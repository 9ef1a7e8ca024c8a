"""Make the demo database: a record shop with customers, products, orders, order lines, employees and stores.

    python examples/shop.py demo/shop.db

The rows are invented here and the same on every machine. The shop is as untidy as a real one: a table and columns
with spaces and quotes in their names, products with quotes in theirs, missing values, letters of many languages,
customers who never ordered and products that nobody bought. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Row: TypeAlias = tuple[str | int | float | None, ...]

SEED = 1877
CUSTOMERS, PRODUCTS, EMPLOYEES, ORDERS = 420, 140, 64, 2400
FIRST_DAY, LAST_DAY = date(2022, 1, 3), date(2026, 6, 30)

SCHEMA = """
CREATE TABLE stores (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    city TEXT NOT NULL,
    country TEXT NOT NULL,
    opened DATE NOT NULL,
    "floor area" REAL
);
CREATE TABLE employees (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    store_id INTEGER NOT NULL REFERENCES stores (id),
    manager_id INTEGER REFERENCES employees (id),
    hired DATE NOT NULL,
    salary INTEGER NOT NULL
);
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT UNIQUE,
    city TEXT NOT NULL,
    country TEXT NOT NULL,
    joined DATE NOT NULL,
    newsletter BOOLEAN NOT NULL CHECK (newsletter IN (0, 1))
);
CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    artist TEXT,
    category TEXT NOT NULL,
    price NUMERIC(8, 2) NOT NULL CHECK (price > 0),
    "in stock" INTEGER NOT NULL,
    weight INTEGER,
    released DATE,
    discontinued DATE
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    employee_id INTEGER REFERENCES employees (id),
    ordered DATE NOT NULL,
    shipped DATE,
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'shipped', 'returned', 'cancelled')),
    total NUMERIC(10, 2) NOT NULL,
    "customer's note" TEXT
);
CREATE TABLE "order lines" (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    "line no" INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    "unit price" NUMERIC(8, 2) NOT NULL,
    discount REAL,
    PRIMARY KEY (order_id, "line no")
);
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE INDEX lines_by_product ON "order lines" (product_id);
"""

PLACES = {
    "Brazil": ["São Paulo", "Rio de Janeiro", "Belém"],
    "Germany": ["Berlin", "Köln", "Leipzig"],
    "France": ["Paris", "Lyon"],
    "Iceland": ["Reykjavík"],
    "Ireland": ["Dublin", "Cork"],
    "Japan": ["東京", "Osaka"],
    "Poland": ["Łódź", "Kraków"],
    "United Kingdom": ["London", "Leeds", "King's Lynn"],
    "USA": ["New York", "Portland", "Coeur d'Alene"],
    "Côte d'Ivoire": ["Abidjan"],
}
GIVEN = (
    "Ana Bruno Chloé Dmitri Eoin Fátima Günther Haruka Ingrid João Katarzyna Liam Mehmet Niamh Óscar Paula Quentin "
    "Rosa Siobhán Tomáš Ursula Violeta Wanda Xavier Yuki Zoë"
).split()
FAMILY = [
    *"Abe Almeida Brennan Costa Dubois Fischer García Horváth Ito Jónsdóttir Kowalski Lefèvre Müller".split(),
    *"Nakamura Okafor Petrov Quinn Ribeiro Sørensen Taylor Ueda Vogel Walsh Yılmaz Zając".split(),
    "O'Connor",
    "D'Souza",
    "de la Cruz",
    "Smith-Jones",
    "null",
]
CATEGORIES = {
    "Vinyl": (14, 45, 280),
    "CD": (7, 20, 110),
    "Cassette": (5, 14, 80),
    "Turntable": (140, 900, 5200),
    "Headphones": (25, 420, 350),
    "Poster & Print": (8, 40, None),
    "Gift card": (10, 100, None),
}
ADJECTIVES = "Blue Broken Electric Golden Hollow Late Midnight Paper Quiet Second Silver Slow".split()
NOUNS = "Avenue Birds Canyon Garden Harbour Letters Machine Morning Rivers Signals Tigers Winter".split()
ARTISTS = [
    *("The Copper Kettles", "Sigríður & the Tide", "DJ Ångström", "Os Pássaros", "Märchenwald", "Café Noir"),
    *(
        "Black Thorn Trio",
        "夜の電車",
        "Nine O'Clock News",
        "Motor City Choir",
        "Zażółć",
        'Johnny "Two Keys" Malone',
    ),
]
ODD_PRODUCTS = [
    "Bob's 12\" vinyl",
    "100% Hits_of the 80's",
    'The "Best" of; DROP TABLE',
    "Salt \\ Pepper",
    "  Leading Spaces",
    "Ночь",
    "Smile 😀",
    "-- untitled --",
]
NOTES = [
    "Please don't ring the bell",
    "Gift wrap",
    'Write "Happy birthday"',
    "Leave at nº 7",
    "",
    "Vielen Dank!",
]
STATUSES = [("shipped", 0.78), ("paid", 0.08), ("open", 0.05), ("cancelled", 0.05), ("returned", 0.04)]


class Dice:
    """Random choices built on `random.random` alone, which is the same in every version of Python."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self._random() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` up to, not including, `high`."""
        return low + (high - low) * self._random()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return int(self.between(low, high + 1))

    def pick(self, options: Sequence[T], *, favour: float = 1.0) -> T:
        """Return one of the options; with `favour` above 1 the first ones come up more often."""
        return options[int(len(options) * self._random() ** favour)]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        """Return one of the options by its weight; the weights add up to 1."""
        at = self._random()
        for option, weight in options:
            at -= weight
            if at < 0:
                return option
        return options[-1][0]

    def day(self, first: date, last: date) -> date:
        """Return a day from `first` to `last`."""
        return first + timedelta(days=self.whole(0, max(0, (last - first).days)))


def stores(dice: Dice) -> Iterator[Row]:
    """One store in the first city of every country, and two more; the oldest have no recorded floor area."""
    cities = [(cities[0], country) for country, cities in PLACES.items()]
    cities += [("Köln", "Germany"), ("Portland", "USA")]
    for number, (city, country) in enumerate(cities, start=1):
        opened = dice.day(date(1998, 1, 1), date(2021, 12, 31))
        area = None if opened.year < 2003 else round(dice.between(60, 400), 1)
        yield number, f"Needle & Groove {city}", city, country, opened.isoformat(), area


def employees(dice: Dice, shops: Sequence[Row]) -> Iterator[Row]:
    """A director, a manager per store below, clerks below the manager of their store."""
    yield 1, "Ingrid Vogel", "Director", 1, None, "1998-03-02", 96000
    for number in range(2, EMPLOYEES + 1):
        manages = number <= len(shops) + 1
        shop = number - 1 if manages else dice.whole(1, len(shops))
        hired = dice.day(date.fromisoformat(str(shops[shop - 1][4])), date(2025, 12, 31))
        title = (
            "Store manager" if manages else dice.pick(["Clerk", "Senior clerk", "Sound engineer"], favour=1.6)
        )
        salary = dice.whole(52, 71) * 1000 if manages else dice.whole(270, 480) * 100
        name = f"{dice.pick(GIVEN)} {dice.pick(FAMILY[:-1])}"
        yield number, name, title, shop, 1 if manages else shop + 1, hired.isoformat(), salary


def customers(dice: Dice) -> Iterator[Row]:
    """People all over the world, some without an address for mail."""
    countries = list(PLACES)
    for number in range(1, CUSTOMERS + 1):
        given, family = dice.pick(GIVEN), dice.pick(FAMILY)
        country = dice.pick(countries, favour=1.4)
        email = (
            None if dice.chance(0.12) else f"{given}.{family}.{number}@example.org".lower().replace(" ", "")
        )
        joined = dice.day(FIRST_DAY, date(2026, 5, 31)).isoformat()
        city = dice.pick(PLACES[country], favour=1.3)
        yield number, f"{given} {family}", email, city, country, joined, int(dice.chance(0.4))


def products(dice: Dice) -> Iterator[Row]:
    """Records, players and gifts; the last ones are new and nobody has bought them yet."""
    names = [f"{adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS]
    for number in range(1, PRODUCTS + 1):
        odd = number <= len(ODD_PRODUCTS)
        category = "Vinyl" if odd else dice.pick(list(CATEGORIES), favour=1.7)
        low, high, weight = CATEGORIES[category]
        music = category in ("Vinyl", "CD", "Cassette")
        title = ODD_PRODUCTS[number - 1] if odd else names.pop(dice.whole(0, len(names) - 1))
        released = dice.day(date(1965, 1, 1), date(2025, 12, 31)) if music and not dice.chance(0.1) else None
        gone = dice.day(date(2024, 1, 1), LAST_DAY).isoformat() if dice.chance(0.06) else None
        yield (
            number,
            title if music else f"{title} {category.lower()}",
            dice.pick(ARTISTS) if music and not dice.chance(0.08) else None,
            category,
            int(dice.between(low, high)) + dice.pick([0.5, 0.9, 0.95, 0.99]),
            0 if gone else dice.whole(0, 90),
            None if weight is None or dice.chance(0.1) else int(weight * dice.between(0.8, 1.3)),
            released.isoformat() if released else None,
            gone,
        )


def sales(
    dice: Dice, people: Sequence[Row], staff: Sequence[Row], goods: Sequence[Row]
) -> Iterator[tuple[Row, list[Row]]]:
    """Orders, each with its lines; a tenth of the customers never order, orders on the web have no employee."""
    buyers = [row for row in people if not dice.chance(0.1)]
    for number in range(1, ORDERS + 1):
        buyer = dice.pick(buyers, favour=1.5)
        ordered = dice.day(date.fromisoformat(str(buyer[5])), LAST_DAY)
        status = dice.weighted(STATUSES)
        sent = ordered + timedelta(days=dice.whole(0, 9)) if status in ("shipped", "returned") else None
        lines: list[Row] = []
        total = 0.0
        for line in range(1, dice.weighted([(1, 0.35), (2, 0.3), (3, 0.2), (5, 0.1), (8, 0.05)]) + 1):
            product = dice.pick(goods[:-9], favour=1.3)
            quantity = dice.weighted([(1, 0.75), (2, 0.17), (3, 0.05), (10, 0.03)])
            discount = dice.pick([0.05, 0.1, 0.25]) if dice.chance(0.15) else None
            price = round(float(str(product[4])) * dice.pick([1.0, 1.0, 0.95, 0.9]), 2)
            total += quantity * price * (1 - (discount or 0.0))
            lines.append((number, line, product[0], quantity, price, discount))
        clerk = dice.pick(staff[1:-3])
        clerk_id = None if dice.chance(0.25) or str(clerk[5]) > ordered.isoformat() else clerk[0]
        note = dice.pick(NOTES) if dice.chance(0.07) else None
        shipped = sent.isoformat() if sent else None
        yield (number, buyer[0], clerk_id, ordered.isoformat(), shipped, status, round(total, 2), note), lines


def fill(connection: sqlite3.Connection, *, seed: int = SEED) -> None:
    """Make the tables and their rows in an empty database, in one transaction."""
    dice = Dice(seed)
    shops, people, goods = list(stores(dice)), list(customers(dice)), list(products(dice))
    staff = list(employees(dice, shops))
    sold = list(sales(dice, people, staff, goods))
    tables: dict[str, list[Row]] = {
        "stores": shops,
        "employees": staff,
        "customers": people,
        "products": goods,
        "orders": [order for order, _ in sold],
        "order lines": [line for _, lines in sold for line in lines],
    }
    connection.executescript(SCHEMA)
    connection.execute("PRAGMA foreign_keys = ON")
    with connection:
        for table, rows in tables.items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)


def make(path: Path, *, seed: int = SEED) -> None:
    """Write the database to `path`, replacing what is there only when the new one is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished)
    try:
        fill(connection, seed=seed)
    finally:
        connection.close()
    os.replace(unfinished, path)


def main() -> None:
    """Read the command line and make the file."""
    parser = argparse.ArgumentParser(description="Make the demo database.")
    parser.add_argument("path", type=Path, help="the SQLite file to write")
    parser.add_argument("--seed", type=int, default=SEED, help=f"another number makes another shop ({SEED})")
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    arguments = parser.parse_args()
    if arguments.path.exists() and not arguments.force:
        sys.exit(f"{arguments.path} exists; say --force to replace it")
    make(arguments.path, seed=arguments.seed)
    print(f"made {arguments.path}")


if __name__ == "__main__":
    main()
