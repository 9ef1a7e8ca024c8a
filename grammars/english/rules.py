"""The rules of controlled English, as Lark writes them. Pure data.

A text in quotes is one or more words; upper case names are what the schema fills in:

    TABLE   a table as the noun of a question       NOUN    a table or a role on the way to a column
    ONE     a table in the singular
    COLUMN  a column of some table                  VIA     a foreign key, by its column or role
    STORED  a stored value, without quotes          TEXT    a quoted text
    NUMBER  12, -3.5      COUNT  a whole number     DATE 2024, 2024-05, 2024-05-17 [10:30[:00]]
    FLAG    a column that is true or false, or what was done on a date
    DEED    what is done, of some table: ordered, rented
    MONTH   may, september...                       DAYNUM  1 to 31

`not` binds tightest, then `and`, then `or`. Rules that begin with `_` leave no node of their own.
"""

from __future__ import annotations

import re

__all__ = ["RULES", "WORDS"]

RULES = r"""
question: ["please"] _question [[","] "please"]
_question: listing | counting | measuring | topping | grouping | combining

listing: [_show] [_all] [valued] noun [owned] [bare] _tail
       | _show COUNT [valued] noun [bare] _tail
       | [_show] (single [_called] | noun _called) naming _tail
       | _show [_all] noun _there _tail
       | [_show] [_all] noun extras _tail
       | _show selection _tail
       | named _tail
named: selection
selection: [_all] [distinct] _items [_for ([valued] noun [owned] | noun [_called] naming)]
valued: STORED | FLAG
flag: [_be] [unmet] FLAG
unmet: "not" | "not yet" | "never" | "have not been" | "has not been" | "have never been" | "never been"
owned: ("of" | "from") (owner | pair) | "by" owner | ("in" | "on") tag
owner: lone (owned | bare | filter+ | [_called] naming ("or" naming)*)
lone: _hop
naming: TEXT | NUMBER | STORED
_called: "called" | "named"
extras: ("and" | "," | "with their" | unsaid) ["their"] aggref (_sep ["their"] aggref)*
unsaid: "with"
counting: [_what] _howmany [_all] [valued] noun [owned] [_there] [bare] _tail
        | [_what] _howmany distinct _items [_for [valued] noun [owned]] [_there] _tail
measuring: [_show] measure (_sep measure)* [across noun | _for [valued] noun] [owned] _tail
topping: [_show] extreme COUNT ([valued] noun | selection) (filter | limit | group)* "by" sortkey _tail
       | [_show] extreme COUNT ([valued] noun | selection) _tail
       | [_show] [_items ("of" | "for")] (COUNT noun | single | noun) filter* _with peak _tail
       | [_show] [_items ("of" | "for")] (COUNT _best noun | _best COUNT noun | _best (single | noun) | ordinal single) _tail
       | [_show] [_items ("of" | "for")] nth _best (single | noun) _tail
       | [_show] nth (high | low) item [_for [valued] noun] [owned] _tail
nth: second | third | fourth | fifth
second: "second" | "2nd"
third: "third" | "3rd"
fourth: "fourth" | "4th"
fifth: "fifth" | "5th"
ordinal: primal | final
primal: "first"
final: "last"
_best: recent | judged
judged: cheap | dear | long | short | heavy | light
cheap: "cheapest" | "least expensive"
dear: "most expensive" | "priciest"
long: "longest"
short: "shortest"
heavy: "heaviest"
light: "lightest"
grouping: [_show] (colref | part | unit) gwith _tail
        | [_show] [COUNT] (colref | part | unit) _with (most | fewest) noun _tail
gwith: _with quantity noun
     | _with [_art] (more | less) (noun | ranking) "than" (prior | usual | naming)
     | _with [_art] ranking _hpredicate
more: "more" | "higher" | "larger" | "greater" | "bigger" | "longer"
less: "fewer" | "less" | "lower" | "smaller" | "shorter"
combining: "either" side either side | "both" side "and" side | side unless side
         | [_show] [distinct] item _for noun either ([_for] noun | item _for noun)
         | [_show] [distinct] item _for "both" noun "and" noun
         | [_show] [distinct] item _for noun unless ([_for] noun | item _for noun)
side: "(" listing ")"
either: "or"
unless: ["and" | ","] "but not" | "except"
peak: [nth] (high | low) (colref | part | aggref) | [nth] (most | fewest) _related
recent: late | early
single: ONE
_there: "were there" | "there were" | "are there" | "there are" | "do we have" | "do you have" | "exist"

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
item: _term
_term: colref | part | aggref | calc | days
calc: factor (_arith factor)+
factor: colref | NUMBER | "(" (calc | aggref | days) ")"
_arith: plus | minus | times | over
plus: "+" | "plus"
minus: "-" | "minus"
times: "*" | "times" | "multiplied by"
over: "/" | "divided by"
days: "days" ("between" colref "and" | "from" colref ("to" | "until")) colref
extreme: top | bottom | first | last
top: "top"
bottom: "bottom"
first: "first"
last: "last"

measure: func (_sep func)* ["of"] ["all"] (_summed | aggref)
       | countrows
       | number distinct colref
       | _percentage "(" filter+ ")"
       | share
       | running
       | ratio
ratio: mfactor (_arith mfactor)+
mfactor: func ["of"] ["all"] colref | number distinct colref | countrows
       | "(" (func ["of"] ["all"] _summed | number distinct colref | countrows | ratio) ")"
_summed: colref | calc | days
share: _share (countrows | noun | func ["of"] _summed | _summed)
_percentage: "percentage" | "percent" | "share"
_share: "share of" | "percentage of" | "percent of" | "proportion of" | "what percentage of" | "what share of"
running: _running (countrows | noun | func ["of"] _summed | _summed)
_running: "running" | "cumulative" | "running total of" | "cumulative total of"
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
countrows: "count" | "number of" noun | "how many"

_tail: ([","] _clause)*
_clause: filter | group | having | sort | limit | tops
filter: _where cond | wcond | unflagged
unflagged: flag
bare: ["were" | "was"] bconj
bconj: comparison ("and" [_where] neg)*
_where: "where" | "whose" | "which" | "that" | "who" | "when" | "that were" | "which were" | "who were" | "that was" | "which was" | "who was"
tops: ("top" | "first") COUNT
limit: "limit" COUNT ["skipping" COUNT] | "limited to" COUNT

cond: conj ("or" [_where] conj)*
conj: neg (("and" | "but") [_where] neg)*
neg: not neg | "(" cond ")" | _atom
wcond: wconj ("or" conj)*
wconj: (with | without | [_be] located | outside | deed | judging) (("and" | "but") [_where] neg)*
not: "not" | "it is not true that"
_atom: comparison | with | without | [_be] located | outside | deed | judging | flag

deed: [_doer] [never] DEED [["by" | "to" | "from"] [quantity] _related | located | "anything" | "something"]
never: "never" | "not" | "did not" | "didn't" | "have never" | "has never" | "were never" | "was never" | "were not" | "have not" | "has not" | "had never" | "have not been" | "have never been"
_doer: "who" | "that" | "which" | "that were" | "which were" | "who have" | "that have" | "which have" | "that have been" | "were" | "have" | "ever"
with: _with [quantity] _related
    | _with [_art] comparison
    | _with [_art] measured
    | _with [_art] pair
    | _with [_art] (colref | part)
    | _with [_art] outdo
    | _with alike
outdo: (more | less) (_related | colref | aggref) "than" (usual | peer | _value)
alike: "same" colref "as" peer
pair: colref ["of"] (_value | _oneof)
measured: _operand "of" compare _rhs | _operand "of" between _value "and" _value
_art: "a" | "an"
without: _without _related
       | _without (colref | part)
_with: "with" | "who placed" | "that placed" | "who made" | "that made" | "have placed" | "has placed" | "who have placed" | "that have placed" | "have made" | "that have" | "that has" | "which has" | "who has" | "had" | "that had" | "who had" | "which had" | "who have" | "which have" | "have" | "has" | "having"
_without: "without" [_any] | "with no" | "with none of" | "that have no" | "who have no" | "which have no" | "have no" | "has no" | "had no" | "that had no" | "who had no" | "that has no" | "which has no" | "who has no" | _lack [_any]
_lack: "do not have" | "that do not have" | "who do not have" | "which do not have" | "does not have" | "don't have" | "that don't have" | "who don't have" | "which don't have" | "doesn't have" | "did not have" | "didn't have" | "that did not have" | "who did not have" | "that does not have" | "not having"
_any: "any" | "a" | "an"
quantity: (ge | le | gt | lt | eq) COUNT | COUNT (ormore | orless) | some | COUNT
ormore: "or more" | "or later" | "or higher" | "or above"
orless: "or fewer" | "or less" | "or earlier" | "or lower" | "or below"
some: "any" | "some" | "a" | "an"
_related: related | "(" related ")"
tagged: ("of" | "from" | "by" | "in" | "on") (tag | pair)
tag: lone [_called] naming ("or" naming)*
related: nouns tagged | [valued] nouns [filter] | nouns filter+ | nouns bare | nouns [_called] names
names: naming ("or" naming)* | every
every: naming ("and" naming)+
located: ("in" | "from" | "on" | "during" | "within") _value (("," | "or") _value)*
       | relative
       | "of" date
       | (after | before | since | until) _value
       | between _value "and" _value
       | fromto _value "to" _value
fromto: "from"
outside: ("not in" | "not from" | "outside" | "outside of" | "are not from" | "is not from" | "are not in") _value (("," | "or") _value)*
judging: [_be] (longer | shorter | cheaper | dearer | heavier | lighter | older | younger) "than" (usual | peer | _value)
       | [_be] (older | younger) "than" NUMBER ("years" | "years old" | "years of age")
       | [_be] compare NUMBER ("years old" | "years of age") | [_be] "aged" compare NUMBER
older: "older"
younger: "younger"
longer: "longer"
shorter: "shorter"
cheaper: "cheaper"
dearer: "more expensive" | "dearer"
heavier: "heavier"
lighter: "lighter"

nouns: _hop ("of" _hop)*
_hop: NOUN [via]
via: "via" VIA

colref: pre | post | COLUMN
pre: (NOUN ["'s"])+ COLUMN
post: COLUMN "of" ["all"] nouns
part: unit "of" _colpart | colref unit
_colpart: colref
unit: year | quarter | month | week | day | weekday | hour
weekday: "weekday" | "weekdays" | "day of the week" | "day of week"
hour: "hour" | "hours" | "hour of the day" | "hour of day"
quarter: "quarter" | "quarters"
week: "week" | "weeks"
year: "year" | "years"
month: "month" | "months"
day: "day" | "days" | "date"
aggref: number _related
      | number distinct colref
      | func ["of"] (colref [filter] | "(" colref filter+ ")" | calc | days | "(" (calc | days) filter+ ")")
number: "number of" | "count of"

comparison: _operand _predicate
          | standing
standing: nouns (empty | filled) | nouns _be located | nouns isq naming | nouns isq ["either"] naming ("or" naming)+ | nouns isnt naming
_operand: _term
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
isin: "in" | "one of" | "any of" | "either of" | "during" | "within"
isnotin: "is not in" | "not in" | "are not in" | "is not one of" | "was not in"
between: "between" | "in between"
notbetween: "is not between" | "not between" | "are not between" | "was not between"
matches: contains | starts | ends | like | notcontains | notstarts | notends | notlike
like: "like" | "is like" | "matches"
notlike: "not like" | "is not like" | "does not match"
contains: "contains" | "contain" | "containing" | "includes"
starts: "starts with" | "start with" | "starting with" | "begins with" | "beginning with"
ends: "ends with" | "end with" | "ending with"
notcontains: "does not contain" | "do not contain" | "not containing" | "doesn't contain"
notstarts: "does not start with" | "do not start with" | "not starting with" | "doesn't start with"
notends: "does not end with" | "do not end with" | "not ending with" | "doesn't end with"
empty: "is empty" | "are empty" | "is missing" | "is null" | "is unknown" | "has no value"
filled: "is not empty" | "are not empty" | "is not missing" | "is not null" | "is known" | "is present" | "has a value"

_rhs: _value | colref | calc | days | scalar | usual | peer
usual: "average" [same]
scalar: func ["of"] ["all"] colref [same]
      | "(" func "of" _term ["across" noun] [filter] [sames] ")"
      | "(" "count" "across" noun [filter] ")"
same: ("per" | "of its" | "of their" | "in its" | "in their" | "for its" | "for their" | "within its" | "within their" | "of the same" | "in the same" | "for the same") key
sames: "per" key ("," key)*
peer: ["that of" | "those of" | "of"] [noun] naming
_oneof: _value (("," | "or") _value)* [","] "or" _value
_list: "(" _value (_lsep _value)* ")" | _value (_lsep _value)*
_lsep: "," | [","] "or" | [","] "and"
_value: TEXT | NUMBER | date | STORED | true | false
true: "true" | "yes"
false: "false" | "no"
date: relative | DATE | MONTH YEARNUM | MONTH DAYNUM [","] YEARNUM | DAYNUM ["of"] MONTH YEARNUM

relative: today | yesterday | (this | previous) unit | lately COUNT unit | COUNT unit ago
today: "today"
yesterday: "yesterday"
this: "this" | "current"
previous: "last" | "previous"
lately: "last" | "past"
ago: "ago"

group: _per key (_sep key)*
_per: "per" | "by" | "for each" | "for every" | "grouped by" | "group by" | "in each" | "by each" | "by every" | "per each" | "broken down by" | "of each" | "of every" | "within each"
key: part | unit | dated | colref | nouns | chain | rows
rows: "(" nouns ")"
dated: unit "of" nouns
chain: (NOUN ["'s"])+ NOUN

having: "having" hcond
hcond: hconj ("or" hconj)*
hconj: hatom ("and" ["having"] hatom)*
hatom: not hatom | "(" hcond ")" | ranking _hpredicate
ranking: func ["of"] ["all"] _summed | "count" | "how many" | "number of" noun | number distinct colref
prior: ranking "before" | unit "before" | "previous" unit
among: usual | func ["of"] ranking
_hpredicate: [_be] compare (_value | prior | among | scalar)
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
sortkey: (_term | ranking | share | running | unit) [[","] (asc | desc)]
asc: "ascending" | "asc" | "in ascending order" | "lowest first" | "smallest first" | "from lowest to highest" | "from low to high" | "low to high" | "increasing" | oldfirst | alphabetic
oldfirst: "oldest first" | "earliest first"
newfirst: "newest first" | "latest first" | "most recent first"
alphabetic: "alphabetically" | "in alphabetical order" | "from a to z"
desc: "descending" | "desc" | "in descending order" | "highest first" | "largest first" | "biggest first" | "from highest to lowest" | "from high to low" | "high to low" | "decreasing" | newfirst
"""

WORDS = frozenset(word for phrase in re.findall(r'"([^"]*)"', RULES) for word in phrase.split())
"""Every word that the language itself uses."""
