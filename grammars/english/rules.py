"""The rules of controlled English, as Lark writes them. Pure data.

A text in quotes is one or more words; upper case names are what the schema fills in:

    TABLE   a table as the noun of a question       NOUN    a table or a role on the way to a column
    ONE     a table in the singular
    COLUMN  a column of some table                  VIA     a foreign key, by its column or role
    STORED  a stored value, without quotes          TEXT    a quoted text
    NUMBER  12, -3.5      COUNT  a whole number     DATE 2024, 2024-05, 2024-05-17 [10:30[:00]]
    MONTH   may, september...                       DAYNUM  1 to 31

`not` binds tightest, then `and`, then `or`. Rules that begin with `_` leave no node of their own.
"""

from __future__ import annotations

__all__ = ["RULES"]

RULES = r"""
question: ["please"] _question [[","] "please"]
_question: listing | counting | measuring | topping

listing: [_show] [_all] noun [owned] [bare] _tail
       | _show COUNT noun [bare] _tail
       | _show [_all] noun _there _tail
       | [_show] [_all] noun extras _tail
       | _show selection _tail
       | named _tail
named: selection
selection: [_all] [distinct] _items [_for noun [owned]]
owned: ("of" | "from") (owner | pair)
owner: lone (owned | bare | filter+)
lone: _hop
extras: ("and" | "," | "with their" | unsaid) ["their"] aggref (_sep ["their"] aggref)*
unsaid: "with"
counting: [_what] _howmany [_all] noun [owned] [_there] [bare] _tail
        | [_what] _howmany distinct _items [_for noun [owned]] [_there] _tail
measuring: [_show] measure (_sep measure)* [across noun | _for noun] [owned] _tail
topping: [_show] extreme COUNT (noun | selection) (filter | limit)* "by" sortkey _tail
       | [_show] extreme COUNT (noun | selection) _tail
       | [_show] [_items ("of" | "for")] (COUNT noun | single | noun) filter* _with peak _tail
       | [_show] (COUNT recent noun | recent COUNT noun | recent noun) _tail
peak: (high | low) (colref | part | aggref) | (most | fewest) _related
recent: late | early
single: ONE
_there: "are there" | "there are" | "do we have" | "do you have" | "exist"

_show: "list" | "show" ["me"] | "find" | "give" ["me"] | "display" | "return" | "get" ["me"] | "tell me" | "which" | _what
_what: "what is" | "what are" | "what 's" | "show" | "find" | "give" | "return"
_all: "all" | "every" | "each"
_for: ("for" | "from" | "of") ["all"]
_sep: ["," ] "and" | "," | "as well as"
_howmany: "count" ["of" | "number of"] | "number of" | "total number of" | "how many"
distinct: "distinct" | "different" | "unique"
across: "across" | "across all"
noun: TABLE
_items: item (_sep ["their"] item)*
item: colref | part | aggref
extreme: top | bottom | first | last
top: "top"
bottom: "bottom"
first: "first"
last: "last"

measure: func (_sep func)* ["of"] ["all"] colref
       | countrows
func: count | sum | avg | min | max
count: "count" | "number"
sum: "sum" | "total"
avg: "average" | "avg" | "mean"
min: "minimum" | "min" | diminutive
diminutive: "lowest" | "smallest" | "earliest"
max: "maximum" | "max" | superlative
superlative: "highest" | "largest" | "greatest" | "biggest" | "latest"
high: "highest" | "largest" | "greatest" | "biggest" | "maximum" | late
low: "lowest" | "smallest" | "minimum" | early
late: "latest" | "newest" | "most recent"
early: "earliest" | "oldest"
most: "most" | "highest number of" | "largest number of" | "greatest number of"
fewest: "fewest" | "least" | "lowest number of" | "smallest number of" | "least number of"
countrows: "count" | "number of" noun

_tail: ([","] _clause)*
_clause: filter | group | having | sort | limit | tops
filter: _where cond | wcond
bare: ["were" | "was"] bconj
bconj: comparison ("and" [_where] neg)*
_where: "where" | "whose" | "which" | "that" | "who" | "when" | "that were" | "which were" | "who were" | "that was" | "which was" | "who was"
tops: ("top" | "first") COUNT
limit: "limit" COUNT | "limited to" COUNT

cond: conj ("or" [_where] conj)*
conj: neg (("and" | "but") [_where] neg)*
neg: not neg | "(" cond ")" | _atom
wcond: wconj ("or" conj)*
wconj: (with | without | located) (("and" | "but") [_where] neg)*
not: "not" | "it is not true that"
_atom: comparison | with | without | located

with: _with [quantity] _related
    | _with [_art] comparison
    | _with [_art] measured
    | _with [_art] pair
    | _with [_art] (colref | part)
pair: colref ["of"] (_value | _oneof)
measured: _operand "of" compare _rhs | _operand "of" between _value "and" _value
_art: "a" | "an"
without: _without _related
       | _without (colref | part)
_with: "with" | "that have" | "that has" | "which has" | "who has" | "had" | "that had" | "who had" | "which had" | "who have" | "which have" | "have" | "has" | "having"
_without: "without" [_any] | "with no" | "with none of" | "that have no" | "who have no" | "which have no" | "have no" | "has no" | "had no" | "that had no" | "who had no" | "that has no" | "which has no" | "who has no" | _lack [_any]
_lack: "do not have" | "that do not have" | "who do not have" | "which do not have" | "does not have" | "don't have" | "that don't have" | "who don't have" | "which don't have" | "doesn't have" | "did not have" | "didn't have" | "that did not have" | "who did not have" | "that does not have" | "not having"
_any: "any" | "a" | "an"
quantity: (ge | le | gt | lt | eq) COUNT | COUNT (ormore | orless) | some | COUNT
ormore: "or more" | "or later" | "or higher" | "or above"
orless: "or fewer" | "or less" | "or earlier" | "or lower" | "or below"
some: "any" | "some" | "a" | "an"
_related: related | "(" related ")"
related: nouns [filter] | nouns filter+ | nouns bare
located: ("in" | "from" | "on" | "during") _value
       | (after | before | since | until) _value
       | between _value "and" _value
       | fromto _value "to" _value
fromto: "from"

nouns: _hop ("of" _hop)*
_hop: NOUN [via]
via: "via" VIA

colref: pre | post | COLUMN
pre: (NOUN ["'s"])+ COLUMN
post: COLUMN "of" ["all"] nouns
part: unit "of" _colpart | colref unit
_colpart: colref
unit: year | month | day
year: "year" | "years"
month: "month" | "months"
day: "day" | "days" | "date"
aggref: number _related
      | number distinct colref
      | func ["of"] (colref [filter] | "(" colref filter+ ")")
number: "number of" | "count of"

comparison: _operand _predicate
          | standing
standing: nouns (empty | filled)
_operand: colref | part | aggref
_predicate: [_be] compare _rhs
          | [_be] compare _rhs ("and" | "but") [_be] compare _rhs
          | isq _rhs
          | isq ["either"] _oneof
          | isq _value (ormore | orless)
          | isneither _value ("nor" _value)+
          | [_be] fromto _value "to" _value
          | [_be] isin _list
          | isnotin _list
          | isnt _rhs
          | [_be] between _value "and" _value
          | notbetween _value "and" _value
          | matches _value
          | empty
          | filled
_be: "is" | "are" | "was" | "were"
compare: gt | ge | lt | le | after | since | before | until
isq: "is" | "are" | "=" | "equals" | "equal to" | "is equal to" | "was" | "is exactly" | "equals to" | "were" | "on" | "is on" | "was on"
isneither: "is neither" | "are neither"
isnt: "is not" | "are not" | "isn't" | "aren't" | "wasn't" | "were not" | "not equal to" | "!=" | "is not equal to" | "does not equal" | "was not" | "is different from"
gt: ">" | "more than" | "greater than" | "over" | "above" | "higher than" | "larger than" | "bigger than" | "exceeds" | "exceeding"
lt: "<" | "less than" | "fewer than" | "under" | "below" | "lower than" | "smaller than"
ge: ">=" | "at least" | "not less than" | "no less than" | "no fewer than" | "greater than or equal to" | "more than or equal to" | "equal to or greater than" | "equal to or more than"
le: "<=" | "at most" | "not more than" | "no more than" | "less than or equal to" | "fewer than or equal to" | "equal to or less than" | "up to"
eq: "exactly" | "="
after: "after" | "later than"
before: "before" | "earlier than"
since: "since" | "on or after"
until: "until" | "on or before"
isin: "in" | "one of" | "any of" | "either of" | "during"
isnotin: "is not in" | "not in" | "are not in" | "is not one of" | "was not in"
between: "between" | "in between"
notbetween: "is not between" | "not between" | "are not between" | "was not between"
matches: contains | starts | ends | notcontains | notstarts | notends
contains: "contains" | "contain" | "containing" | "includes"
starts: "starts with" | "start with" | "starting with" | "begins with" | "beginning with"
ends: "ends with" | "end with" | "ending with"
notcontains: "does not contain" | "do not contain" | "not containing" | "doesn't contain"
notstarts: "does not start with" | "do not start with" | "not starting with" | "doesn't start with"
notends: "does not end with" | "do not end with" | "not ending with" | "doesn't end with"
empty: "is empty" | "are empty" | "is missing" | "is null" | "is unknown" | "has no value"
filled: "is not empty" | "are not empty" | "is not missing" | "is not null" | "is known" | "is present" | "has a value"

_rhs: _value | colref | scalar | usual
usual: "average"
scalar: func ["of"] ["all"] colref
_oneof: _value (("," | "or") _value)* [","] "or" _value
_list: "(" _value (_lsep _value)* ")" | _value (_lsep _value)*
_lsep: "," | [","] "or" | [","] "and"
_value: TEXT | NUMBER | date | STORED | true | false
true: "true" | "yes"
false: "false" | "no"
date: DATE | MONTH YEARNUM | MONTH DAYNUM [","] YEARNUM | DAYNUM ["of"] MONTH YEARNUM

group: _per key (_sep key)*
_per: "per" | "by" | "for each" | "for every" | "grouped by" | "group by" | "in each" | "by each" | "by every" | "per each" | "broken down by"
key: part | unit | colref | nouns

having: "having" hcond
hcond: hconj ("or" hconj)*
hconj: hatom ("and" ["having"] hatom)*
hatom: not hatom | "(" hcond ")" | ranking _hpredicate
ranking: func ["of"] ["all"] colref | "count" | "number of" noun | number distinct colref
_hpredicate: [_be] compare _value
           | isq _value
           | isnt _value
           | [_be] between _value "and" _value
           | notbetween _value "and" _value

sort: _sorted ["their"] sortkey (_then ["their"] sortkey)*
    | up ["their"] sortkey
    | down ["their"] sortkey
_then: _sep | [","] ["and"] "then" ["by"]
up: "in ascending order of" | "in alphabetical order of" | "in increasing order of"
down: "in descending order of" | "in decreasing order of"
_sorted: "sorted by" | "ordered by" | "sort by" | "order by" | "in order of" | "sorted in order of"
sortkey: (colref | part | aggref | ranking | unit) [[","] (asc | desc)]
asc: "ascending" | "asc" | "in ascending order" | "lowest first" | "smallest first" | "from lowest to highest" | "from low to high" | "low to high" | "increasing" | oldfirst | alphabetic
oldfirst: "oldest first" | "earliest first"
newfirst: "newest first" | "latest first" | "most recent first"
alphabetic: "alphabetically" | "in alphabetical order" | "from a to z"
desc: "descending" | "desc" | "in descending order" | "highest first" | "largest first" | "biggest first" | "from highest to lowest" | "from high to low" | "high to low" | "decreasing" | newfirst
"""
