"""Words that name the same thing in many databases, and short forms of names. General English; pure data.

A line of `SYNONYMS` is words that may stand for each other, in the singular; a synonym is weaker evidence than the
word itself. `SHORT` gives what abbreviations in names are short for.
"""

from __future__ import annotations

__all__ = ["COMMON", "IRREGULAR", "SHORT", "SYNONYMS"]

SYNONYMS: tuple[tuple[str, ...], ...] = tuple(
    tuple(line.split())
    for line in """
person people individual human
man male
woman female
sex gender
kid child
country nation
nationality citizenship
city town
district county
region area zone
place location site venue
address location
shop store
movie film
show program programme
song track
singer artist musician vocalist performer
band group
album record
customer client buyer purchaser shopper patron
visitor guest
user account
employee worker staff personnel
teacher instructor professor lecturer tutor
student pupil learner
author writer
boss manager supervisor
leader head chief
owner proprietor
player athlete
team club squad
coach trainer
match game
contest competition tournament
doctor physician
drug medicine medication
disease illness sickness
company firm business corporation enterprise
organization organisation institution
department division
job position occupation profession role
school college university
course class subject module
grade mark score
semester term
car vehicle automobile auto
maker manufacturer producer brand
plane airplane aircraft aeroplane
airline carrier
ship boat vessel
train railway
trip journey tour travel
pet animal
dog puppy
breed race
house home residence
building property
apartment flat
room chamber
product item article good merchandise
order purchase
invoice bill
payment transaction
supplier vendor seller
price cost charge fee fare
salary wage pay income earning
money amount sum
bonus premium reward
award prize honor honour
profit gain
debt loan credit
quantity number count amount
kind type category sort form
class category
name title
title headline heading
caption label
id identifier key
code abbreviation
comment remark note
text content
document file paper
picture image photo photograph
mail email
phone telephone mobile
birthday birthdate
start begin beginning commence
end finish
date day time
duration length
size dimension
weight mass
height tallness stature
speed velocity
capacity volume
rank ranking position standing
rating score
result outcome
level degree
percentage percent share
proportion ratio
population inhabitant resident people
language tongue
religion faith
surface area
government regime
president leader
law rule regulation
language speech
book publication volume
newspaper journal magazine
chapter section
library archive
author creator
friend buddy
spouse partner
voter elector
vote ballot
winner champion victor
loser defeated
captain leader
battle fight combat
war conflict
death casualty
injury wound
killed dead
shipment delivery
warehouse depot storage
stock inventory
restaurant diner
food dish meal
flight connection
airport airfield
source origin departure
destination arrival target
status state condition
active enabled
website url link homepage
device machine gadget
computer pc
software application app program
version release edition
feature attribute property
treatment therapy procedure
hospital clinic
nurse caregiver
event happening occasion
concert performance gig
audience attendance spectator
stadium arena
museum gallery
ticket admission
painting picture artwork
channel station network
episode instalment installment
series serial
director filmmaker
rent lease rental
tenant renter
agent representative
claim demand
policy contract
insurance coverage
bank lender
branch office
""".strip().splitlines()
)

SHORT: dict[str, str] = {
    "num": "number", "no": "number", "nbr": "number", "nr": "number", "cnt": "count", "qty": "quantity",
    "amt": "amount", "dept": "department", "desc": "description", "descr": "description", "addr": "address",
    "tel": "telephone", "dob": "birthday", "yr": "year", "mon": "month", "mgr": "manager", "emp": "employee",
    "cust": "customer", "prod": "product", "cat": "category", "avg": "average", "max": "maximum", "min": "minimum",
    "ref": "reference", "indep": "independence", "gov": "government", "govt": "government", "pct": "percent",
    "perc": "percent", "lang": "language", "loc": "location", "org": "organization", "pos": "position", "cd": "code",
    "nm": "name", "fname": "first name", "lname": "last name", "firstname": "first name", "lastname": "last name",
    "stu": "student", "prof": "professor", "inv": "invoice", "acct": "account", "acc": "account", "bal": "balance",
    "pmt": "payment", "txn": "transaction", "trx": "transaction", "tx": "transaction", "cntry": "country",
    "ctry": "country", "st": "state", "lat": "latitude", "lon": "longitude", "lng": "longitude", "alt": "altitude",
    "temp": "temperature", "vol": "volume", "wt": "weight", "ht": "height", "len": "length", "dist": "distance",
    "dur": "duration", "src": "source", "dst": "destination", "dest": "destination", "dep": "departure",
    "arr": "arrival", "apt": "airport", "res": "reservation", "resv": "reservation", "pub": "publication",
    "univ": "university", "sch": "school", "crs": "course", "sem": "semester", "hrs": "hours", "sal": "salary",
    "comm": "commission", "disc": "discount", "mfr": "manufacturer", "mfg": "manufacturer", "veh": "vehicle",
    "img": "image", "pic": "picture", "info": "information", "doc": "document", "att": "attribute",
    "stat": "status", "msg": "message", "usr": "user", "pwd": "password", "lvl": "level", "grp": "group",
    "tot": "total", "cred": "credit", "prereq": "prerequisite", "sched": "scheduled", "qtr": "quarter", "sz": "size", "dt": "date", "ts": "timestamp", "freq": "frequency", "temps": "temperatures", "mpg": "miles per gallon",
    "gnp": "gross national product", "gdp": "gross domestic product", "tv": "television", "uk": "united kingdom",
}  # fmt: skip

IRREGULAR: dict[str, str] = {
    "written": "write", "wrote": "write", "writer": "write", "bought": "buy", "sold": "sell", "sale": "sell",
    "taught": "teach", "won": "win", "winner": "win", "winning": "win", "lost": "lose", "loss": "lose", "loser": "lose",
    "flown": "fly", "flew": "fly", "flight": "fly", "driven": "drive", "drove": "drive", "spoken": "speak", "spoke": "speak",
    "speech": "speak", "born": "birth", "died": "death", "dead": "death", "die": "death", "built": "build", "made": "make",
    "paid": "pay", "spent": "spend", "held": "hold", "sang": "sing", "sung": "sing", "song": "sing", "singer": "sing",
    "begun": "begin", "began": "begin", "chosen": "choose", "choice": "choose", "given": "give", "gift": "give",
    "grown": "grow", "known": "know", "led": "lead", "left": "leave", "met": "meet", "ran": "run", "seen": "see",
    "sent": "send", "shot": "shoot", "taken": "take", "thought": "think", "told": "tell", "won't": "will",
    "tall": "height", "taller": "height", "tallest": "height", "heavy": "weight", "heavier": "weight",
    "heaviest": "weight", "weigh": "weight", "old": "age", "older": "age", "oldest": "age", "young": "age",
    "younger": "age", "youngest": "age", "aged": "age", "long": "length", "longer": "length", "longest": "length",
    "wide": "width", "widest": "width", "deep": "depth", "deepest": "depth", "fast": "speed", "fastest": "speed",
    "cheap": "price", "cheapest": "price", "expensive": "price", "rich": "worth", "richest": "worth",
    "populated": "population", "populous": "population", "heights": "height",
}  # fmt: skip
"""Words whose stem is not to be had by cutting off an ending."""

COMMON = frozenset(
    """a about all also an and any are as at be been between but by can could count did display do does each every find for from
    get give had has have having how i if in into is it it's its least less list many may me more most much no not number of
    on one only or order other our out over per please return show so some tell than that the their them there these they
    this those to top total under up us was we were what what's when where which who whom whose will with without would you
    your her his""".split()
)
"""Words that ask, count and connect, and name nothing."""
