"""Texts that look like a given word: in letters of other alphabets, with unseen characters in between, or escaped.

`find_lookalikes` walks from every character that may open a mark, drops what cannot be seen, undoes escapes and
folds letters to the plain ones that they look like, as long as the word goes on.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

__all__ = ["find_lookalikes"]

_ESCAPE = re.compile(
    r"\\+u0000(?P<long>[0-9a-f]{4})|\\+u\{0{0,8}(?P<braced>[0-9a-f]{1,6})\}|\\+u(?P<u>[0-9a-f]{4})"
    r"|\\+x(?P<x>[0-9a-f]{2})|\\+0?(?P<oct>[0-7]{2,3})|%(?:25)*(?P<pct>[0-9a-f]{2})"
    r"|&(?:amp;?)*(?:#x0{0,6}(?P<hex>[0-9a-f]{1,6})|#0{0,6}(?P<dec>[0-9]{1,7})|(?P<name>[a-z]{2,24}));?",
    re.IGNORECASE,
)
"""A character written as an escape of JSON, JavaScript, URLs or HTML, however often it was escaped."""

_OPENING = re.compile(
    r"[<\[{«‹〈❬❮❰⟨⟪⟦⟮⦅⦇⦉⦑⦓⦗⧼《「『【〔〖〘〚﴿︿︷︹︻︽︿﹁﹃﹙﹛﹝﹤＜［｛｟｢≪⋘≺⪡⪻⊰⋖⩽≤≦≨⨞ᐸᑉ˂𐋀]|\\+(?=[ux0-7])|[%&]",
    re.IGNORECASE,
)
"""What may stand at the beginning of a mark: brackets, what looks like one, and what an escape begins with."""

_LETTERS = {
    "o": "οоօᴏ๐໐০੦௦೦൦〇○◦∘°ѳө0ѺѻⲞⲟꓳ",
    "u": "υսᴜʋ∪ꓴ",
    "t": "τтᴛ†⊤ꓔ7",
    "s": "ѕꜱ5$ʂꓢ",
    "i": "іιɪıᎥ1l|!јᛁꓲ∣ǀ",
    "d": "ԁᴅɗժꓒ",
    "e": "еᴇ3ҽ℮єꓰ",
    "a": "аαᴀɑ4@ꓮᎪ",
    "<": "‹〈❬❮❰⟨⟪《«≪⋘≺⪡⪻⊰⋖≤≦≨⩽⨞ᐸᑉ˂𐋀⧼⦑⦓",
    "[": "⟦⟮⦅⦇⦉⦗「『【〔〖〘〚﴿",
    "/": "⁄∕⧸╱⟋〳⧶\\⧵∖╲",
}
_SAME = {look: letter for letter, looks in _LETTERS.items() for look in looks}
_BRACKETS = frozenset("<[{")


def find_lookalikes(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Yield where a bracket stands before something that looks like `word` (letters only), slashes aside: the start
    and the end of the bracket."""
    at = 0
    while (found := _OPENING.search(text, at)) is not None:
        at = found.end()
        bracket, after = _unit(text, found.start())
        if bracket not in _BRACKETS:
            continue
        if _goes_on(text, after, word, hyphen=bracket != "<"):
            yield found.start(), after
        at = max(at, found.start() + 1)


def _goes_on(text: str, at: int, word: str, *, hyphen: bool) -> bool:
    """Tell whether the word follows; with `hyphen` only where one is in it, as in no link of a text about such a word."""
    wanted = 0
    while at < len(text):
        letters, at = _unit(text, at)
        for letter in letters:
            if letter == word[wanted]:
                wanted += 1
                if wanted == len(word):
                    return not hyphen
            elif letter == "-":
                hyphen = False
            elif letter != "/" or wanted:
                return False
    return wanted > len(word) // 2  # cut off: the rest may come in the next piece


def _unit(text: str, at: int) -> tuple[str, int]:
    """Return the folded character at a place, escaped or not, and where the next one begins."""
    c = text[at]
    if c in "\\%&" and (escape := _ESCAPE.match(text, at)) is not None:
        meant = _meant(escape)
        if meant is not None:
            return _folded(meant), escape.end()
    if c == "\\":
        return "/", at + 1
    return _folded(c), at + 1


def _meant(escape: re.Match[str]) -> str | None:
    kind = escape.lastgroup
    digits = escape[kind] if kind else ""
    if kind == "name":
        meant = html.unescape(f"&{digits};")
        if len(meant) > 1 and digits.lower() in _NAMES:
            meant = html.unescape(f"&{digits.lower()};")
        return meant if len(meant) == 1 else None
    number = int(digits, 8 if kind == "oct" else 10 if kind == "dec" else 16)
    return chr(number) if 0 < number < 0x110000 else None


_NAMES = frozenset({"lt", "lsqb", "lbrack", "lcub", "sol", "bsol", "zwnj", "zwj", "shy", "nbsp"})


@lru_cache(maxsize=4096)
def _folded(c: str) -> str:
    """Return the plain letters that a character looks like; "" for what cannot be seen, white space included."""
    if c in _SAME:
        return _SAME[c]
    if c.isascii():
        return "" if c.isspace() or not c.isprintable() else "-" if c in "-_.~" else c.lower()
    folded: list[str] = []
    for one in unicodedata.normalize("NFKD", c).casefold():
        kind = unicodedata.category(one)
        if kind in ("Mn", "Me", "Mc", "Cf", "Cc", "Zs", "Zl", "Zp", "Cn", "Co", "Cs") or one in _FILLERS:
            continue
        if kind in ("Pd", "Pc") or one in "−·‧・⁃～∼˜":
            folded.append("-")
        else:
            folded.append(_SAME.get(one, one if not one.isspace() else ""))
    return "".join(folded)


_FILLERS = frozenset("ᅟᅠㅤﾠ឴឵⠀")
"""Letters and symbols that are drawn as nothing."""
