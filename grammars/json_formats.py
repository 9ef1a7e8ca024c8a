"""The formats of JSON schemas as patterns for the whole string, after the RFCs that JSON Schema 2020-12 names.

A format that JSON Schema does not define is a note to the reader and holds nothing, as the standard says.
"""

from __future__ import annotations

__all__ = ["FORMATS", "NO_WORDS"]

_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DATE = (
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_ZONE = "(?:[zZ]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_TIME = rf"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?{_ZONE}"
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_ATOM = r"[a-zA-Z0-9!#$%&'*+\-/=?^_`{|}~]+"
_BYTE = "(?:[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
_IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_H = "[0-9a-fA-F]{1,4}"
_LAST = f"(?:{_H}:{_H}|{_IPV4})"
_IPV6 = "(?:" + "|".join([
    f"(?:{_H}:){{6}}{_LAST}",
    f"::(?:{_H}:){{5}}{_LAST}",
    f"(?:{_H})?::(?:{_H}:){{4}}{_LAST}",
    f"(?:(?:{_H}:){{0,1}}{_H})?::(?:{_H}:){{3}}{_LAST}",
    f"(?:(?:{_H}:){{0,2}}{_H})?::(?:{_H}:){{2}}{_LAST}",
    f"(?:(?:{_H}:){{0,3}}{_H})?::{_H}:{_LAST}",
    f"(?:(?:{_H}:){{0,4}}{_H})?::{_LAST}",
    f"(?:(?:{_H}:){{0,5}}{_H})?::{_H}",
    f"(?:(?:{_H}:){{0,6}}{_H})?::",
]) + ")"  # fmt: skip
_NUMBERED = "[0-9]+"
_CLOCK = f"T(?:{_NUMBERED}H(?:{_NUMBERED}M(?:{_NUMBERED}S)?)?|{_NUMBERED}M(?:{_NUMBERED}S)?|{_NUMBERED}S)"
_DAYS = f"(?:{_NUMBERED}Y(?:{_NUMBERED}M(?:{_NUMBERED}D)?)?|{_NUMBERED}M(?:{_NUMBERED}D)?|{_NUMBERED}D)"
_WIDE = "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef\U00010000-\U000efffd"


def _reference(extra: str, *, scheme: bool) -> str:
    """An URI, or a reference to one; `extra` are the characters that an IRI may have besides."""
    plain = rf"a-zA-Z0-9\-._~{extra}"
    escaped = "%[0-9a-fA-F]{2}"
    char = rf"(?:[{plain}!$&'()*+,;=:@]|{escaped})"
    first = rf"(?:[{plain}!$&'()*+,;=@]|{escaped})"
    host = rf"(?:\[(?:{_IPV6}|v[0-9a-fA-F]+\.[a-zA-Z0-9\-._~!$&'()*+,;=:]+)\]|(?:[{plain}!$&'()*+,;=]|{escaped})*)"
    authority = rf"//(?:(?:[{plain}!$&'()*+,;=:]|{escaped})*@)?{host}(?::[0-9]*)?(?:/{char}*)*"
    absolute = f"/(?:{char}+(?:/{char}*)*)?"
    rest = rf"(?:\?(?:{char}|[/?])*)?(?:#(?:{char}|[/?])*)?"
    full = rf"[a-zA-Z][a-zA-Z0-9+\-.]*:(?:{authority}|{absolute}|{char}+(?:/{char}*)*|)"
    if scheme:
        return full + rest
    return f"(?:{full}|{authority}|{absolute}|{first}+(?:/{char}*)*|){rest}"


_NAME = "(?:[a-zA-Z0-9_]|%[0-9a-fA-F]{2})"
_VARIABLE = rf"{_NAME}(?:\.?{_NAME})*(?::[1-9][0-9]{{0,3}}|\*)?"

FORMATS: dict[str, str] = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f"{_DATE}[tT]{_TIME}",
    "duration": f"P(?:{_DAYS}(?:{_CLOCK})?|{_CLOCK}|{_NUMBERED}W)",
    "email": rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}(?:\.{_LABEL})*|\[{_IPV4}\])",
    "idn-email": r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+",
    "hostname": rf"{_LABEL}(?:\.{_LABEL})*",
    "ipv4": _IPV4,
    "ipv6": _IPV6,
    "uuid": "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "uri": _reference("", scheme=True),
    "uri-reference": _reference("", scheme=False),
    "iri": _reference(_WIDE, scheme=True),
    "iri-reference": _reference(_WIDE, scheme=False),
    "json-pointer": "(?:/(?:[^~/]|~[01])*)*",
    "relative-json-pointer": "(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~[01])*)*)",
    "uri-template": rf"(?:[^\x00-\x20\x7f\"'<>%\\^`{{|}}]|%[0-9a-fA-F]{{2}}|\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*\}})*",
}
"""Patterns that match the whole string."""

NO_WORDS = frozenset({"regex", "idn-hostname"})
"""Formats that a validator checks and no grammar can."""
