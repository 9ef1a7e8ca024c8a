"""Controlled English over a database: questions that mean one thing, read without any model.

    english = English(database.schema, aliases="words.toml")
    reading = english.read("top 5 customers by sum of order total where country is Brazil")
    reading.sql, reading.readback

`guide.GUIDE` shows the language on a page. What its sentences mean:

Names. Tables and columns answer to their words in singular and plural (`order lines` for `OrderLine`), to their
exact name, in backquotes to nothing else, and to the words of an alias file (`aliases.py` has the format). Case and
spacing do not matter outside quotes. A column of another table is named with it: `customer country`, `country of
customer`, `customer's country`; a key's role serves as well: `boss name` for `boss_id`. Values are written in
double quotes; numbers, dates, true and false, and stored values of the column they are compared with, without.

Joins follow foreign keys. A direct key is preferred to a way round, and ways on which a row meets at most one other
row to the others; if more than one is left, the readings are listed. The read-back names every key that was used.

Rows are never multiplied. A condition on rows of which there may be many (`with at least 2 orders where total > 5`,
`number of products > 3`, `order total > 100`) asks about those rows, each once; sums and counts of them are
sub-queries. `where` belongs to the noun before it whose column it names; if it could be two nouns, that is asked.

Empty values (NULL) match no comparison, neither `is` nor `is not`; ask for them with `is empty`. `not` keeps an
unknown unknown. A sum, average, minimum or maximum of nothing is empty, a count of nothing is 0. Groups with an
empty key are kept as one group; a group that has no rows does not appear. Empty values sort last in both directions.

`the 3 products with the highest price` and `the customer with the most orders` are so many rows, as with `top`; of
several that are equal the read-back says which are taken, and without a number (`products with the highest price`)
that is asked. Whether the fewest of something may be none is asked, whether `with 3 orders` is exactly or at least 3,
and whether `with newsletter`, of what is true or false, is that it is true. `newest first` is for dates.

`per customer` groups by the customer's key and shows its name; two customers of one name stay two. `per TABLE` may
also lead to rows of which each has several (`count tracks per playlist`). `top N` gives N rows, ties in the order of
the primary key. Text is compared exactly, `contains`, `starts with` and `ends with` without regard to case. Order
comparisons of text with a number are refused. A date stands for its whole period: `after 2023` begins on 2024-01-01.

`and` binds tighter than `or`, `not` tighter than both; parentheses as usual.
"""

from .english import English, Reading, read_tool_use
from .guide import GUIDE
from .problems import AmbiguousQuestion, NotUnderstood, Place

__all__ = ["GUIDE", "AmbiguousQuestion", "English", "NotUnderstood", "Place", "Reading", "read_tool_use"]
