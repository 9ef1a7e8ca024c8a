"""One grammar for other servers: GBNF, EBNF, llguidance, a regular expression, a JSON schema.

An export says whether it is exact. Where it can only be a superset it says so with the reason; where the target has
no words for the grammar, it is refused with the place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jigwork.errors import GrammarError

from .automata import plain
from .exactness import difference
from .lexicon import Lexicon, NotRegularError
from .nodes import Alias, Choice, Definition, Document, Name, Node, Repeat, Sequence
from .reader import read
from .regular import Both, Chars, Complement, Concat, Regular, Times, Union, finite
from .rust_regex import read_regex
from .writer import write_node

__all__ = ["SPELLINGS", "Export", "gbnf", "llguidance", "pattern", "regex_text", "string_schema"]

SPELLINGS = (
    "%json is written as rules for JSON as json.dumps spells it; llguidance itself takes a few other spellings of names "
    "and numbers"
)
_MOST_PATTERN = 100_000
_MOST_ENUM = 250  # texts; OpenAI bounds the length of longer lists


@dataclass(frozen=True, slots=True)
class Export:
    """A grammar in the words of another tool. With `exact` the language is the same, which has been proved;
    otherwise it is larger, and `differences` say where."""

    text: str
    exact: bool = True
    differences: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def llguidance(syntax: str, definition: str) -> Export:
    """For servers that take llguidance's own language and tell it by its first line."""
    if syntax == "regex":
        definition = _slashed(definition)
    return Export("%llguidance {}\n" + definition)


def gbnf(syntax: str, definition: str) -> Export:
    """GBNF, as llama.cpp and XGrammar read it. Raises GrammarError where it has no words for the grammar."""
    document = _document(syntax, definition)
    writer = _Gbnf(document)
    lines = [writer.rule(definition) for definition in document.definitions if not definition.terminal]
    lines += [f"{writer.name(name)} ::= {_gbnf(writer.terminal(name))}" for name in writer.used]
    lines.sort(key=lambda line: not line.startswith("root ::="))
    reasons = _differences(definition, document)
    return Export("\n".join(lines) + "\n", not reasons, reasons)


def pattern(syntax: str, definition: str) -> Export:
    """One regular expression that Rust, Python and JavaScript read alike, without anchors.

    Raises GrammarError where the grammar is recursive, and so no regular one, or where it gets too long.
    """
    document = _document(syntax, definition)
    text = _Pattern(document).start()
    reasons = _differences(definition, document)
    return Export(text, not reasons, reasons)


def string_schema(syntax: str, definition: str) -> dict[str, Any]:
    """The schema of a string: `enum` or `pattern`. Raises GrammarError where that would not be exact."""
    made = pattern(syntax, definition)
    if not made.exact:
        raise GrammarError(f"a pattern would accept more than the grammar: {made.differences[0]}", rule="W9")
    texts = finite(read_regex(made.text).node, _MOST_ENUM)
    if texts is not None:
        return {"type": "string", "enum": texts}
    return {"type": "string", "pattern": f"^(?:{made.text})$"}


def _differences(definition: str, document: Document) -> tuple[str, ...]:
    reason = difference(document)
    reasons = () if reason is None else (reason,)
    return (*reasons, SPELLINGS) if "%json" in definition else reasons


def _slashed(definition: str) -> str:
    return "start: /" + (definition if "\\/" in definition else definition.replace("/", "\\/")) + "/\n"


def _document(syntax: str, definition: str) -> Document:
    if "%json" in definition:
        from .openai_words import openai_words

        definition = openai_words(syntax, definition).text
    document = read(_slashed(definition) if syntax == "regex" else definition)
    if document.ignores:
        line, column = document.source.position(document.ignores[0].at)
        raise GrammarError(
            f"line {line}: %ignore has no counterpart there; write the spaces into the rules",
            line=line,
            column=column,
            rule="W2",
        )
    return document


def _refuse(document: Document, at: int, what: str) -> GrammarError:
    line, column = document.source.position(at)
    return GrammarError(f"line {line}, column {column}: {what}", line=line, column=column, rule="W7")


def _regular(document: Document, lexicon: Lexicon, node: Node) -> Regular:
    try:
        regular = lexicon.regular(node)
    except NotRegularError as error:
        raise _refuse(document, node.at, f"{write_node(node)[:60]} has no counterpart there") from error
    found = None if _approximate(regular) else plain(regular)
    if found is None:
        raise _refuse(
            document,
            node.at,
            f"{write_node(node)[:60]} uses Unicode classes, or & and ~ that need a very long pattern; write the "
            "characters out",
        )
    return found


def _approximate(node: Regular) -> bool:
    match node:
        case Chars(approximate=approximate):
            return approximate
        case Concat(items=items) | Both(items=items):
            return any(_approximate(item) for item in items)
        case Union(options=options):
            return any(_approximate(option) for option in options)
        case Times(item=item) | Complement(item=item):
            return _approximate(item)


class _Gbnf:
    """Writes the rules of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.lexicon = Lexicon(document)
        self.used: dict[str, Node] = {}
        self.names: dict[str, str] = {"start": "root"}
        self._refuse_indirect_left_recursion()

    def name(self, name: str) -> str:
        """The name in letters, digits and dashes, each name once."""
        if name not in self.names:
            wish = ("t-" if self.lexicon.is_terminal(name) else "r-") + name.strip("_").lower().replace(
                "_", "-"
            )
            while wish in self.names.values():
                wish += "-x"
            self.names[name] = wish
        return self.names[name]

    def terminal(self, name: str) -> Regular:
        return _regular(self.document, self.lexicon, self.used[name])

    def rule(self, definition: Definition) -> str:
        if definition.attributes or definition.parametric:
            raise _refuse(self.document, definition.at, f"{definition.name} has attributes or a parameter")
        body = definition.body
        options = body.options if isinstance(body, Choice) else (body,)
        loops = [tail for option in options if (tail := _after(option, definition.name)) is not None]
        plain = [self.node(option) for option in options if _after(option, definition.name) is None]
        text = " | ".join(plain)
        if loops:
            if not plain:
                raise _refuse(self.document, definition.at, f"{definition.name} has no end")
            again = " | ".join(" ".join(self.tight(item) for item in tail) for tail in loops)
            text = f"({text}) ({again})*"
        return f"{self.name(definition.name)} ::= {text}"

    def node(self, node: Node) -> str:
        match node:
            case Sequence(items=items):
                return " ".join(self.tight(item) for item in items) or '""'
            case Choice(options=options):
                return " | ".join(self.node(option) for option in options)
            case Alias(item=item):
                return self.node(item)
            case Repeat(item=item, low=low, high=high):
                return self.tight(item, group=True) + _counts(low, high)
            case Name(name=name) if not self.lexicon.is_terminal(name):
                return self.name(name)
            case Name(name=name):
                self.used.setdefault(name, node)
                return self.name(name)
            case _:
                return _gbnf(_regular(self.document, self.lexicon, node))

    def tight(self, node: Node, *, group: bool = False) -> str:
        text = self.node(node)
        loose = isinstance(node, (Choice, Alias)) or (group and not isinstance(node, Name))
        return f"({text})" if loose else text

    def _refuse_indirect_left_recursion(self) -> None:
        starts: dict[str, set[str]] = {}
        bodies = {d.name: d for d in self.document.definitions if not d.terminal}
        empty = _empty_rules(self.document)
        for definition in bodies.values():
            direct = definition.body.options if isinstance(definition.body, Choice) else (definition.body,)
            names: set[str] = set()
            for option in direct:
                tail = _after(option, definition.name)
                names |= _first_names(option, empty) if tail is None else set()
                if tail is not None and definition.name in _first_names(Sequence(tail, 0), empty):
                    names.add(definition.name)
            starts[definition.name] = names
        for name in starts:
            reached, stack = set[str](), [name]
            while stack:
                for following in starts.get(stack.pop(), ()):
                    if following == name:
                        raise _refuse(
                            self.document, bodies[name].at, f"{name} recurses on its left end through others"
                        )
                    if following not in reached:
                        reached.add(following)
                        stack.append(following)


def _after(option: Node, name: str) -> tuple[Node, ...] | None:
    """What follows the rule's own name at the beginning of an option; None where the option begins otherwise."""
    if isinstance(option, Alias):
        return _after(option.item, name)
    if isinstance(option, Sequence) and option.items and isinstance(option.items[0], Name):
        return option.items[1:] if option.items[0].name == name else None
    return None


def _empty_rules(document: Document) -> set[str]:
    empty: set[str] = set()
    changed = True
    while changed:
        changed = False
        for definition in document.definitions:
            if definition.name not in empty and _may_be_empty(definition.body, empty):
                empty.add(definition.name)
                changed = True
    return empty


def _may_be_empty(node: Node, empty: set[str]) -> bool:
    match node:
        case Sequence(items=items):
            return all(_may_be_empty(item, empty) for item in items)
        case Choice(options=options):
            return any(_may_be_empty(option, empty) for option in options)
        case Alias(item=item):
            return _may_be_empty(item, empty)
        case Repeat(item=item, low=low):
            return low == 0 or _may_be_empty(item, empty)
        case Name(name=name):
            return name in empty
        case _:
            return False


def _first_names(node: Node, empty: set[str]) -> set[str]:
    match node:
        case Sequence(items=items):
            found: set[str] = set()
            for item in items:
                found |= _first_names(item, empty)
                if not _may_be_empty(item, empty):
                    break
            return found
        case Choice(options=options):
            return {name for option in options for name in _first_names(option, empty)}
        case Alias(item=item) | Repeat(item=item):
            return _first_names(item, empty)
        case Name(name=name):
            return {name}
        case _:
            return set()


class _Pattern:
    """Writes a document without recursion as one expression."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.lexicon = Lexicon(document)
        self.open: list[str] = []
        self.length = 0

    def start(self) -> str:
        definition = self.document.definition("start")
        return self.rule(definition) if definition else ""

    def rule(self, definition: Definition) -> str:
        if definition.name in self.open:
            raise _refuse(
                self.document, definition.at, f"{definition.name} recurses, so this is no regular grammar"
            )
        self.open.append(definition.name)
        text = self.node(definition.body)
        self.open.pop()
        self.length += len(text)
        if self.length > _MOST_PATTERN:
            raise _refuse(self.document, definition.at, "the expression gets too long")
        return text

    def node(self, node: Node) -> str:
        match node:
            case Sequence(items=items):
                return "".join(self.tight(item) for item in items)
            case Choice(options=options):
                return "|".join(self.node(option) for option in options)
            case Alias(item=item):
                return self.node(item)
            case Repeat(item=item, low=low, high=high):
                return f"(?:{self.node(item)}){_counts(low, high)}"
            case Name(name=name) if not self.lexicon.is_terminal(name):
                definition = self.document.definition(name)
                if definition is None or definition.attributes or definition.parametric:
                    raise _refuse(self.document, node.at, f"{name} has attributes or a parameter")
                return f"(?:{self.rule(definition)})"
            case _:
                return regex_text(_regular(self.document, self.lexicon, node))

    def tight(self, node: Node) -> str:
        text = self.node(node)
        return text if isinstance(node, (Repeat, Sequence)) or "|" not in text else f"(?:{text})"


def _counts(low: int, high: int | None) -> str:
    if high is None and low < 2:
        return "+" if low else "*"
    if (low, high) == (0, 1):
        return "?"
    return f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}"


def _gbnf(node: Regular) -> str:
    """A regular expression as a GBNF expression."""
    match node:
        case Chars(ranges=ranges):
            body = "".join(
                _code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in ranges
            )
            return f"[{body}]"
        case Concat(items=items):
            return " ".join(_gbnf_parts(items)) or '""'
        case Union(options=options):
            return f"({' | '.join(_gbnf(option) for option in options)})"
        case Times(item=item, low=low, high=high):
            text = _gbnf(item)
            return (text if isinstance(item, (Chars, Union)) else f"({text})") + _counts(low, high)
        case _:
            raise GrammarError("& and ~ have no counterpart in GBNF", rule="W7")


def _gbnf_parts(items: tuple[Regular, ...]) -> list[str]:
    """Items side by side, single characters joined into strings."""
    parts: list[str] = []
    text = ""
    for item in items:
        one = isinstance(item, Chars) and len(item.ranges) == 1 and item.ranges[0][0] == item.ranges[0][1]
        if (
            one and isinstance(item, Chars) and item.ranges[0][0] != 127
        ):  # XGrammar loses it inside of a string
            text += _in_string(item.ranges[0][0])
            continue
        if text:
            parts.append(f'"{text}"')
            text = ""
        parts.append(_gbnf(item))
    return [*parts, f'"{text}"'] if text else parts


def _whole(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Ranges that stop on both sides of the surrogates, joined over them: no text holds any."""
    joined: list[tuple[int, int]] = []
    for low, high in ranges:
        if joined and joined[-1][1] == 0xD7FF and low == 0xE000:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return tuple(joined)


def _code(code: int) -> str:
    """A character inside of brackets."""
    if chr(code).isascii() and chr(code).isalnum():
        return chr(code)
    # Never \\x: XGrammar reads on as long as there are hexadecimal digits, llama.cpp stops after two.
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _in_string(code: int) -> str:
    if 32 <= code < 127 and chr(code) not in '"\\':
        return chr(code)
    return _code(code)


def regex_text(node: Regular) -> str:
    """A regular expression in the words that all dialects share."""
    match node:
        case Chars(ranges=ranges):
            if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
                return _escaped(ranges[0][0])
            body = "".join(
                _escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}"
                for low, high in _whole(ranges)
            )
            return f"[{body}]"
        case Concat(items=items):
            return "".join(f"(?:{regex_text(i)})" if isinstance(i, Union) else regex_text(i) for i in items)
        case Union(options=options):
            return "|".join(regex_text(option) for option in options)
        case Times(item=item, low=low, high=high):
            text = regex_text(item)
            return (text if isinstance(item, Chars) else f"(?:{text})") + _counts(low, high)
        case _:
            raise GrammarError("& and ~ have no counterpart in a regular expression", rule="W7")


def _escaped(code: int) -> str:
    character = chr(code)
    if character.isascii() and not character.isalnum() and code >= 32 and code != 127:
        return character if character in " _,;:!\"'%&<>=@`" else "\\" + character
    return f"\\x{code:02x}" if code < 32 or code == 127 else character
