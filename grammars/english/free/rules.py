"""How people ask: the rules of free questions, in the notation of `jigwork.grammars.english.rules`. Pure data.

    TAB   a table             COL  a column             VAL  a stored value, or a quoted text
    NUM   a number            CNT  a whole number       DATE a date or a month
    VERB  a verb that says no more than that two things belong together

`FILLERS` are words that change nothing; they are taken out before the rules are tried. Rules that begin with `_`
leave no node of their own.
"""

from __future__ import annotations

__all__ = ["FILLERS", "RULES", "VERBS"]

FILLERS = frozenset(
    """the a an all any some please also respectively corresponding me us our my just together given existing
    ever then altogether overall yet dollars""".split()
)

RULES = r"""
question: _core [_sep] [_stop] [order] [limit] | _core [order] [_stop _show asked] | order [_stop] [_sep] _show _core
_core: listing | counting | each | mostof | topagg | having | topping | valuesof | sorting | whole

listing: [_show | _which] gcol _link ent
       | [_show] items [VERB | _that VERB] _of ent [group] [gmods]
       | [_show] items [VERB]
       | [_show] items bare
       | [_show | _which] ent _with items
       | "who" (supermod | cmpmod)
       | [_show] nth ends1 colref [_of ent]
       | [_show] items [_aux] bare [_prep]
       | [_show] items _of [_each] ent _sep more
       | [_show] items _of _each ent
       | [_show] items group [_of ent] [gmods] [_stop [_show] asked ["as" "well"]]
       | [_show] owner items mods
       | [_show] bareowner items
       | [_show | _which [_are]] ent [_verbend] [_stop _show asked]
       | _how COL [_aux] ent
bare: mod+
bareowner: VAL "'s"
more: count [[VERB] _prep _each [TAB] | "they" _have | "they" VERB | VERB "it" | "it" "has"]
_with: ("with" | "and" | "along with" | "as well as" | "including" | ",") ("their" | "its" | "his" | "her")
gmods: ("where" | "whose" | "with" | _that "have" | "having") hav | mods1
mods1: mod+
hav: (agg | count) pred
whole: [_show] ("information" | "everything" | "info") ("about" | "of" | "on" | "for" | "from" | "regarding") ent
sorting: ("sort" | "order" | "rank") (items _of ent | owner items | ent) ("by" | "in order of" | "based on" | "according to") keys [_dir] [_sep _show asked]
valuesof: [_show | _which] distinct gcol (_link | "where" | "with" | "that" | "for which" | "in which") ent [_verbend | "are from" | "come from"]
counting: _howmany ent [_verbend] [group] [gmods]
        | _howmany ent [_aux] eachkey [_verbto]
        | _howmany ent gunit [gmods]
        | _howmany distinct COL [_verbend] [_of ent]
        | _howmany distinct COL mods
        | _howmany distinct COL _aux ent ["have"]
each: ("for" | "of" | "in") _each key [","] [_show] items [_sep key2] [_verbto]
    | [_show] _each key _sep items [_verbto] [_of _each key4] ["it" | VERB "it" | "it" "has"]
    | [_show] key3 _sep ["their"] items [[VERB] [_of] _each key4 | "for" "each" | "from" "each" | "of" "each" | "it" "has" | VERB "it" | "that" VERB "it"] [gmods]
mostof: [_show | _which] distinct0 gcol _mostlink rank _mostent [again]
      | [_show] "most" _common gcol [_of ent]
      | [_show] gcol _that _are "most" _common [_of ent]
      | [_show | _which] gcol _are "most" _common
      | [_show | _which] gcol VERB "most" "often"
topagg: [_show | _which] distinct0 (gcol | key) ("with" | "has" | "have" | "had" | "having" | _that ("has" | "have")) ends1 (avg | sum) COL [_of ent]
having: [_show | _which] distinct0 gcol [_link] quant ent [_verbend]
      | [_show | _which] distinct0 gcol "for" "which" "there" "are" quant ent
topping: [_show] top CNT noun _by toprank
       | [_show] items _of top CNT noun [_by toprank]
again: [_stop | "and"] [_show] gcol _sep count [_verbto] ["it" "has" | "it" "have" | VERB "it"] | "and" "how many" ["does" "it" "have" | "it" "has" | TAB VERB "it"]
distinct0: [distinct]
gcol: COL | COL "of" TAB | TAB COL
rank: most | few
_mostent: ent
_mostlink: [_link] | _link "by"
_common: "common" | "popular" | "frequent" | "prevalent" | "commonly" VERB
top: "top" | "first" | "bottom"
toprank: colref | "number of" TAB | ("highest" | "largest" | "most") colref
_by: "by" | "based on" | "according to" | "in terms of" | "ranked by" | "with" ("highest" | "largest" | "most") | "ordered by" | "sorted by"

_show: "show" | "list" | "find" | "find out" | "give" | "return" | "display" | "get" | "tell" | "report" | "name" | "present" | "provide" | "select" | "print" | "fetch" | "retrieve" | "see" | "identify" | "can you show" | "can you list" | "i want" | "i need" | "i want to know" | "i want to see" | "what is" | "what are" | "what were" | "what was" | "what 's" | "which is" | "which are" | "who are" | "who is" | "what" | "which"
_which: "which" | "what" | "who"
_how: "how much" | "how many" | "how"
_sep: "," | "and" | "," "and" | "as well as" | "along with" | "," "along with" | "," "as well as"
_stop: "." | "?" | ","
_are: "are" | "is" | "were" | "was" | "be" | "been" | "being" | "has been" | "have been" | "had been"
_aux: "do" | "does" | "did" | "are" | "is" | "were" | "was" | "have" | "has" | "had"
_that: "that" | "who" | "which" | "whom" | "where" | "whose"
_each: "each" | "every" | "each of" | "each different" | "each distinct" | "each of different"
_of: "of" | "for" | "by" | "from" | "among" | "across" | "in" | "on" | "that" "belong" "to" | "belonging to" | "within" | "over"
_verbend: _there | "occur" | "occurs" | "occurred" | "happen" | "happened" | "took" "place" | "take" "place" | "have" "occurred" | "have" "happened" | "are" "held" | "were" "held" | "are" "stored"
_there: "there" | "are there" | "there are" | "do we have" | "do you have" | "exist" | "are listed" | "are recorded" | "in total" | "is there"
_verbto: VERB | VERB _prep | VERB "there" | "are" VERB | "to" VERB | "are" | "is" | "have" | "has" | "had" | "do they have" | _there
_howmany: "how many" | [_show] _number | "count" ["of"] | "count" _number
_number: "number of" | "numbers of" | "total number of" | "count of" | "amount of" | "total count of" | "quantity of"

items: item (_sep item)*
asked: items | TAB items | owner items | items _of [_each] TAB
item: [distinct] ["their" | "its" | "his" | "her"] (colref | agg | count | fullname)
fullname: ("first" "and" "last" ("name" | "names") | "full" ("name" | "names")) ["of" TAB] | TAB ["'s"] "full" ("name" | "names")
distinct: "different" | "distinct" | "unique" | "various"
colref: COL | TAB ["'s"] COL | COL "of" TAB
agg: func (_sep func)* ["of"] colref
count: _number [distinct] (TAB | COL) | "how many" TAB
func: avg | sum | max | min | longest | shortest
longest: "longest" | "latest"
shortest: "shortest" | "cheapest" | "earliest"
avg: "average" | "mean" | "avg"
sum: "total" | "sum of" | "sum" | "total amount of" | "total sum of" | "combined"
max: "maximum" | "highest" | "largest" | "max" | "greatest" | "biggest"
min: "minimum" | "lowest" | "smallest" | "min"
owner: TAB ["'s"]

ent: [pre] noun mods
noun: [distinct] [adjective] TAB ["table" | "records" | "entries"]
adjective: VAL
nth: "second" | "2nd" | "third" | "3rd" | "fourth" | "4th" | "fifth" | "5th"
pre: nth super | CNT super | "top" CNT super | super | super CNT
super: SUPER | ("most" | "least") ADJ
mods: mod*
mod: [","] ["and" | "but"] (valmod | bothmod | donemod | emptymod | yearmod | colmod | cmpmod | relmod | negrel | negval | supermod | likemod | there)
there: "are there" | "do we have" | "do you have" | "exist" | "are recorded" | "are listed"

donemod: [_that] [_are] DONE | notdone DONE
notdone: [_that] _notyet
_notyet: "are not" | "is not" | "were not" | "was not" | "have not been" | "has not been" | "had not been" | "have never been" | "has never been" | "were never" | "was never" | "not" | "never" | "haven't been" | "hasn't been" | "aren't" | "isn't" | "wasn't" | "weren't"
emptymod: _no (COL | TAB COL) | _no ROLE | [_that] _neg ["have"] ROLE | [_that] _neg ["have"] COL | ("whose" | "where" | "with") COL _are _missing | "with" _missing COL
_missing: "unknown" | "missing" | "empty" | "null" | "not known" | "undefined" | "blank" | "not set" | "not recorded"
bothmod: _link ["both"] VAL "and" VAL [TAB] | _link COL VAL "and" VAL | "where" "both" VAL "and" VAL _are VERB
likemod: (_link | "with") ["word" | "letter" | "substring" | "string" | "letters" | "phrase"] VAL "in" ["its" | "their" | "his" | "her"] COL
_link: _that [_aux] | [_that] VERB | [_that] _aux VERB [_prep] | [_that] VERB _prep | [_that] _are _prep | [_that] _aux | _prep | _aux VERB | _are "being" VERB _prep | [_that] _have "been" VERB [_prep]
_have: "have" | "has" | "had" | "having"
_prep: "from" | "in" | "of" | "at" | "on" | "with" | "for" | "by" | "located in" | "located at" | "based in" | "into" | "to" | "during" | "within" | "as" | "using" | "belonging to" | "belong to" | "belongs to" | "associated with" | "having" | "through"
valmod: _link oneof | _link oneof COL | _link oneof TAB | _link oneof YEAR | _link COL ["of" | "named" | "called" | "name"] oneof | [_that] COL oneof | ("named" | "called" | "titled" | "entitled" | _that _are ("named" | "called")) oneof | oneof0
oneof: ["either"] VAL (("or" | "," | "," "or") VAL)*
oneof0: VAL
yearmod: ["that"] [_aux] [VERB ["place"]] ("in" | "during" | "from" | "of" | "for") MONTH ["of"] YEAR | ["that"] [_aux] [VERB ["place"]] (["on"] DATE | when (DATE | MONTH ["of"] YEAR | MONTH DAY YEAR) | "on" MONTH DAY [","] YEAR)
       | ["that"] [_aux] [VERB ["place"]] ("in" | "during" | "from" | "of" | "for") ["year"] year | ["that"] [_aux] [VERB] when ["year"] YEAR
year: YEAR ["or" YEAR] | YEAR orafter | YEAR orbefore
orafter: "or after" | "or later" | "and later" | "and after"
orbefore: "or before" | "or earlier"
when: after | before
colmod: (_link | "whose" | "when" | "where" | "in which" | "for which" | "and") colref pred
      | (_link | "with" ) colpred0
      | _link "either" colref pred
colpred0: COL rhs0 | cmp rhs COL | COL "of" rhs0
pred: [_aux] cmp rhs | [_aux] between | isnot rhs | _aux rhs | like text | ("equals" | "equal to" | "is equal to" | "=") rhs | [_aux] ("in" | "one of") oneof
rhs: ("their" | "its") COL | NUM | ["either"] NUM "or" NUM | VAL | oneof | average | YEAR | DATE
rhs0: NUM | VAL
average: ("average" | "mean") [COL] [_of [_each] TAB] ["age"]
between: ("between" | "in between" | "ranging from" | "from") NUM ("and" | "to") NUM
cmp: gt | lt | ge | le | after | before
gt: "more than" | "greater than" | "over" | "above" | "higher than" | "larger than" | "bigger than" | "exceeding" | "exceeds" | "exceed" | "longer than" | "taller than" | ">" | "in excess of"
lt: "less than" | "fewer than" | "under" | "below" | "lower than" | "smaller than" | "shorter than" | "<"
ge: "at least" | "not lower than" | "no lower than" | "not smaller than" | "no less than" | "not less than" | "no fewer than" | "greater than or equal to" | "more than or equal to" | ">="
le: "at most" | "not higher than" | "no higher than" | "not greater than" | "no greater than" | "no more than" | "not more than" | "less than or equal to" | "up to" | "<="
after: "after" | "later than"
before: "before" | "earlier than" | "prior to"
isnot: "is not" | "are not" | "was not" | "were not" | "not" | "other than" | "is different from" | "is not equal to" | "not equal to" | "does not equal" | "is other than"
like: contains | starts | ends
contains: "has substring" | "have substring" | "contains" | "contain" | "containing" | "includes" | "include" | "including"
starts: "starts with" | "start with" | "starting with" | "begins with" | "begin with" | "beginning with"
ends: "ends with" | "end with" | "ending with"
text: [("word" | "letter" | "substring" | "string" | "letters" | "text" | "phrase")] VAL

cmpmod: [_that] [_are | PAYS] comp "than" NUM [_measure] | [_that] [_are] comp "than" (average | avgword)
      | [_that] PAYS cmp (NUM | average | avgword)
      | [_that] [_are] cmp COL NUM
      | [_that] [_are] cmp average
      | "aged" cmp NUM
avgword: "average"
_measure: "minutes" | "inches" | "years" ["old"] | "pounds" | "kilograms" | "kg" | "cm" | "centimeters" | "meters" | "feet" | "miles" | "km" | "kilometers"
comp: COMP | ("more" | "less") ADJ
relmod: _link [quant] ent | ["that"] _link quant TAB | "'s" TAB
quant: ge CNT | le CNT | gt CNT | lt CNT | CNT ormore | exactly CNT | gt "one" | only CNT | CNT orless
exactly: "exactly"
only: "only"
ormore: "or more"
orless: "or fewer" | "or less"
negrel: _no noun mods | [_that] _neg [_neglink] noun mods | ("except for" | "except" | "excluding") noun mods
_no: "without" | "with no" | [_that] "have no" | [_that] "has no" | [_that] "had no" | "with none of" | "lacking" | "not having" | [_that] VERB "with no" | [_that] VERB "no"
_neg: "do not" | "does not" | "did not" | "don't" | "doesn't" | "didn't" | "have not" | "has not" | "had not" | "haven't" | "hasn't" | "never" | "have never" | "has never" | "had never" | "were never" | "was never" | "are never" | "is never" | "are not" | "is not" | "were not" | "was not" | "aren't" | "isn't" | "have not been" | "has never been" | "have never been" | "cannot" | "not"
_neglink: "have" | "have had" | VERB | VERB _prep | "be" VERB _prep | _prep
negval: [_that] _neg [_neglink] oneof | ("other than" | "except" | "except for" | "excluding") oneof | [_that] _neg [_neglink] oneof COL | [_that] _neg [_neglink] COL oneof
supermod: _super nth ends1 colref | _super nth rank ent | _super ends1 colref | "whose" colref _are ends1 | _super rank ent | _super CNT ends1 colref | _super ends1 "number of" ent | _super "top" CNT ends1 colref | _super ends1 CNT colref
_super: "with" | [_that] [_are] VERB _prep | VERB "for" | ["that"] _are VERB "for" | [_that] _aux | [_that] VERB | [_that] ("has" | "have" | "had") VERB [_prep] | "of" | [_that] _are VERB | "having" | "by"
ends1: high | low
high: "highest" | "largest" | "most" | "maximum" | "greatest" | "biggest" | "longest" | "best"
low: "lowest" | "smallest" | "minimum" | "least" | "fewest" | "shortest"
most: "most" | "largest number of" | "highest number of" | "greatest number of" | "maximum number of" | "most number of" | "most of" | "largest amount of" | "greatest amount of"
few: "fewest" | "least" | "least number of" | "smallest number of" | "lowest number of" | "minimum number of" | "fewest number of"

key: COL | TAB | TAB ["'s"] COL | COL "of" TAB
key2: COL | COL "of" TAB | TAB COL
key4: COL | TAB | TAB COL
key3: [distinct] (COL | TAB COL | COL "of" TAB)
eachkey: _each key
gunit: [_are] ["there"] [VERB ["place"]] ["in" | "for" | "on" | "of" | "during"] _each unit | [_are] ["there"] [VERB ["place"]] ("per" | "by") unit
unit: uyear | uquarter | umonth | uweek | uday
uyear: "year"
uquarter: "quarter"
umonth: "month"
uweek: "week"
uday: "day"
group: [_are] [VERB] _of _each key [_verbto] | ("per" | "by" | "grouped by" | "group by" | "broken down by") key | gunit | "at" _each key | "to" _each key | "by" _each key | "with" _each key | _link _each key

order: [","] ["and"] _sorted keys [_dir] | [","] ["and"] _dirof keys | [","] ["and"] _sorted dirword | [","] ["sorted" | "ordered" | "listed"] dirword | [","] ["and"] ["sort" | "order"] "from" span
_sorted: (["that are"] ("sorted" | "ordered" | "order" | "sort" | "ranked" | "arranged" | "rank" | "sort them" | "order them" | "sort results" | "list them" | "listed" | "sort results" | "order results" | "sort list" | "ordered results") (["by" | "based on" | "according to" | "in terms of" | "in order of"])) | "in order of"
keys: skey (_sep skey)*
skey: ["their" | "its"] (colref | count)
_dir: [","] [("in" | "from")] dir ["order"] | [","] "from" span
_dirof: [("sorted" | "ordered" | "sort" | "order" | "listed")] "in" dir ["order"] ["of" | "by"] | ("sorted" | "ordered") dir "by"
dir: asc | desc
asc: ["ascending"] ("ascending" | "increasing" | "alphabetical" | "alphabetically" | "lexicographical" | "lexicographically" | "ascendingly") | "from low to high"
desc: "descending" ["alphabetical"] | "decreasing" | "reverse alphabetical" | "descendingly" | "descending lexicographical"
dirword: "alphabetically" | "in alphabetical order" | "in lexicographical order" | "in" asc "order" | "in" desc "order"
span: "old" "to" "young" | "young" "to" "old" | "highest" "to" "lowest" | "lowest" "to" "highest" | SUPER "to" SUPER | ("high" "to" "low") | ("low" "to" "high")
limit: "limit" CNT | "limited to" CNT
"""

VERBS = frozenset(
    """have has had having own owns owned owning belong belongs belonging work works worked working use uses used using speak
    speaks spoken speaking live lives lived living play plays played playing perform performs performed performing attend
    attends attended attending visit visits visited visiting make makes made making take takes took taken taking teach teaches
    taught teaching study studies studied enroll enrolls enrolled enrol enrolled register registers registered hire hires hired
    hiring employ employs employed employing receive receives received receiving get gets got gotten show shows showed shown
    showing hold holds held holding run runs ran running contain contains contained containing include includes included
    including occur occurs occurred occurring happen happens happened happening placed locate located come
    comes came coming associate associated relate related assign assigned appear appears appeared appearing participate
    participates participated participating join joins joined offer offers offered offering provide provides provided
    providing produce produces produced producing publish publishes published release releases released write writes wrote
    written direct directs directed create creates created creating give gives gave given ordered buy buys bought
    purchase purchases purchased sell sells sold selling rented treat treats treated fly flies flew flown depart
    departs departed departing arrive arrives arrived arriving land lands landed serve serves served serving operate operates
    operated conduct conducts conducted lead leads led manage manages managed managing supervise supervises supervised
    receive awarded born found founded build builds built named listed recorded stored
    features featured sing sings sang sung dated exist exists existing reside resides resided residing supports
    supported hosted stay stays stayed earn earns earned correspond corresponds corresponding
    shared connect connected found covers covered pay pays paid liked know
    open opens opened establish established launch launches launched reviewed rated transport
    transported carry carries carried borrow borrows borrowed borrowing lend lends lent contribute contributes contributed compete
    competes competed competing invest invests invested supply supplies supplied drive drives drove driven ride rides represent
    represents represented organize organizes organized organise organised consist consists possess possesses possessed coach
    coaches coached sponsor sponsors sponsored handle handles handled handling process processes processed offer issue issues
    issued assist assists assisted pay receive hold get give sell provide produce publish direct write run lead manage
    supervise operate conduct serve teach hire employ attend visit participate join appear perform create build post posts
    posted place places placing spend spends spent award awards complete completes advise advises advised advising do done belong cover feature
    perform""".split()
)
"""Verbs that say only that one thing has to do with another. Those that choose between states (`cancelled`, `lost`,
`failed`) are not among them: they may be a condition."""
