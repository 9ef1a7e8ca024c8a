"""Controlled English over a database: questions that mean one thing, read without any model.

    english = English(database.schema, aliases="words.toml")
    reading = english.read("top 5 customers by sum of order total where country is Brazil")
    reading.sql, reading.readback

`guide.GUIDE` shows the language on a page. What its sentences mean:

Names. Tables and columns answer to their words in singular and plural (`order lines` for `OrderLine`), to their
exact name, in backquotes to nothing else, to the words of an alias file (`aliases.py` has the format), and to what
a comment calls them: a short one as a whole, of others what follows `also called` or `synonyms:`. `price` is the
`unit price` of a table with no other price, `hired` the `hire date`. Case and spacing do not matter outside quotes.
A column of another table is named with it: `customer country`, `country of customer`, `customer's country`; a key's
role serves as well: `boss name` for `boss_id`. Values are written in double quotes; numbers, dates, true and false,
and stored values of the column they are compared with, without. A stored value without a column (`customers from
Brazil`, `Rock tracks`) is of the one column of the rows that holds it, else of the one column of a row that each
has one of. `artist "Queen"` is the row with that name (for people, first and last name), `order 5` the one with
that key; where several columns may be the name, that is asked.

Joins follow foreign keys. A direct key is preferred to a way round, and ways on which a row meets at most one other
row to the others; if more than one is left, the readings are listed. Where keys lead both ways (a country has
cities, and one of them as its capital), `with cities` and `number of cities` are those of which there are many. The
read-back names every key that was used.

Rows are never multiplied. A condition on rows of which there may be many (`with at least 2 orders where total > 5`,
`number of products > 3`, `order total > 100`) asks about those rows, each once; sums and counts of them are
sub-queries. `customers with products "A" and "B"` have both, each in whatever order. `bought`, `ordered`, `rented`...
stand for the rows of a table that is called so, and only where the way leads through it. `where` belongs to the noun
before it whose column it names; if it could be two nouns, that is asked.

Empty values (NULL) match no comparison, neither `is` nor `is not`; ask for them with `is empty`. `not` keeps an
unknown unknown. A sum, average, minimum or maximum of nothing is empty, a count of nothing is 0. Groups with an
empty key are kept as one group; a group that has no rows does not appear. Empty values sort last in both directions.

`the 3 products with the highest price` and `the customer with the most orders` are so many rows, as with `top`; of
several that are equal the read-back says which are taken, and without a number (`products with the highest price`)
that is asked. `the product with the second highest price` is the row after the first; `the second highest price` of
the different prices. Whether the fewest of something may be none is asked, whether `with 3 orders` is exactly or at least 3,
and whether `with newsletter`, of what is true or false, is that it is true. `newest first` is for dates.

`latest`, `this year`, `per month` without a column are about the date of the rows that is called like them (`order
date`), else about the only one; `cheapest`, `longer than` about the only price or length. Relative dates go by `now`:
`last month` is the whole month before this one, `the last 30 days` end with today, `more than 2 weeks ago` is before
that day. A week is shown as its Monday, a weekday as its number (1 is Monday), an hour from 0 to 23. `older than 60` is
about an age, or by a birth date about whole years on that day: 61 or more.

Arithmetic is that of each row: times and divided before plus and minus, and empty where a side is empty. A division
gives decimals, by 0 nothing; a date minus a date is the days between. `sum of total / number of orders` reckons with
the measures of a group, `sum of total / quantity` adds up what was divided. `above the average of their category` is over
the rows of the same category, empty where there is none. A value of another row (`more expensive than "Chai"`) is the
largest where several rows have that name. `more orders than average` counts those with none as 0.

A share is the group's part of all rows of the question, in percent, whatever `having` or a limit leave out.
`percentage of X with Y` is of all X; per group it may be either, which is asked. A running total follows the last key
after `per`, within the others; empty keys come last. `than the month before` is the group before that has any rows,
and nothing is more than that of the first. `average count` is over the groups.

`the latest order of each customer`, `top 3 ... per ...` number the rows of each group as `top` does; rows without a
customer are left out, rows with an empty column are a group. Two lists put together have each value once, sorted.

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
