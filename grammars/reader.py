"""Reads a grammar text in Lark's language, as llguidance extends it, into a syntax tree.

It reads more than any one engine accepts; `lint` says what is refused where. Only text that is no grammar at
all raises here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from jigwork.errors import GrammarError

from .nodes import (
    Alias,
    All,
    Call,
    Choice,
    Definition,
    Document,
    Embedded,
    Import,
    Literal,
    Name,
    Node,
    Not,
    Pattern,
    Reference,
    Repeat,
    Sequence,
    Source,
    Span,
    Special,
)
from .scanner import Token, refuse, scan, unquote

__all__ = ["read"]

_DEEPEST = 28  # parentheses; llguidance refuses the 29th
_ARGUMENT = re.compile(r"\w+(?:\([^()\n]*\))?")  # after `name::` in llguidance's parametric rules
_CONDITION = re.compile(r"[^|\n]*")
_END = Token("end", "", 0)


@lru_cache(maxsize=64)
def read(text: str) -> Document:
    """Read a grammar text. Raises GrammarError with line, column and rule id where the syntax is wrong."""
    return _Reader(Source(text)).document()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = scan(source)
        self.position = 0
        self.depth = 0

    # tokens

    @property
    def token(self) -> Token:
        if self.position < len(self.tokens):
            return self.tokens[self.position]
        return Token("end", "", len(self.source.text))

    def peek(self, ahead: int = 1) -> Token:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else _END

    def take(self) -> Token:
        token = self.token
        self.position += 1
        return token

    def skip(self, text: str) -> bool:
        if self.token.text == text and self.token.kind in ("sign", "name"):
            self.position += 1
            return True
        return False

    def want(self, text: str, why: str) -> None:
        if not self.skip(text):
            raise self.error(f"expected {text} {why}, found {self.shown()}")

    def shown(self) -> str:
        token = self.token
        return {"newline": "the end of the line", "end": "the end of the text"}.get(token.kind, token.text)

    def error(self, message: str, *, at: int | None = None, rule: str = "E8") -> GrammarError:
        return refuse(self.source, self.token.at if at is None else at, rule, message)

    # statements

    def document(self) -> Document:
        definitions: list[Definition] = []
        ignores: list[Node] = []
        imports: list[Import] = []
        statements: list[tuple[str, str, int]] = []
        options: list[str] = []
        while self.token.kind != "end":
            token = self.token
            if token.kind == "newline":
                self.take()
                continue
            if token.kind != "keyword":
                definitions.append(self.definition())
            elif token.text == "%ignore":
                self.take()
                ignores.append(self.choice())
            elif token.text == "%import":
                imports.extend(self.imports())
            elif token.text == "%llguidance":
                self.take()
                options.append(self.take().text.strip())
            elif token.text in ("%declare", "%override", "%extend"):
                statements.append(self.refused_statement())
            else:
                raise self.error(
                    f"{token.text} is no statement; a line begins with a name or %ignore, %import"
                )
            if self.token.kind not in ("newline", "end"):
                raise self.error(f"expected the end of the line, found {self.shown()}")
        return Document(
            self.source, tuple(definitions), tuple(ignores), tuple(imports), tuple(statements), tuple(options)
        )

    def definition(self) -> Definition:
        at = self.token.at
        modifiers = ""
        while self.token.text in ("!", "?"):
            modifiers += self.take().text
        if self.token.kind != "name":
            more = "; a rule goes on only in a line that begins with |" if at and self.indented() else ""
            raise self.error(f"expected a rule or terminal, `name: ...`, found {self.shown()}{more}")
        name = self.take().text
        parametric = self.skip("::")
        if parametric and self.token.text != "=":
            self.want("_", "after ::")
        parameters = self.parameters() if self.token.text == "{" else None
        priority = None
        if self.skip("."):
            priority = self.take().text
        attributes = self.attributes() if self.token.text == "[" else ()
        if self.token.text in ("=", "->"):
            sign = ("::" if parametric else "") + self.token.text
            raise self.error(f"{sign} is another notation; a rule is written {name}: ...")
        if self.token.text != ":":
            raise self.error(f"expected : after {name}, found {self.shown()}")
        self.take()
        if self.shown() == "=":
            raise self.error(f":= is another notation; a rule is written {name}: ...")
        return Definition(
            name, self.choice(), at, modifiers, priority, parameters, attributes, parametric=parametric
        )

    def indented(self) -> bool:
        before = self.source.text[: self.token.at].rpartition("\n")[2]
        return before.isspace()

    def parameters(self) -> tuple[str, ...]:
        self.take()
        names = [self.take().text]
        while self.skip(","):
            names.append(self.take().text)
        self.want("}", "after the parameters")
        return tuple(names)

    def attributes(self) -> tuple[str, ...]:
        self.take()
        words: list[str] = []
        while self.token.text != "]":
            if self.token.kind in ("newline", "end"):
                raise self.error("these attributes have no closing ]")
            words.append(self.take().text)
        self.take()
        return tuple(words)

    def refused_statement(self) -> tuple[str, str, int]:
        token = self.take()
        start = self.token.at
        if token.text == "%declare":
            while self.token.kind not in ("newline", "end"):
                self.take()
        else:
            self.definition()
        return token.text, self.source.text[start : self.token.at].strip(), token.at

    def imports(self) -> list[Import]:
        at = self.take().at
        path = "." if self.skip(".") else ""
        path += self.name("after %import")
        while self.skip("."):
            path += "." + self.name("after the dot")
        if self.skip("("):
            names = [self.name("to import")]
            while self.skip(","):
                names.append(self.name("to import"))
            self.want(")", "after the names")
            return [Import(f"{path}.{name}", name, at) for name in names]
        alias = self.name("after ->") if self.skip("->") else path.rpartition(".")[2]
        return [Import(path, alias, at)]

    def name(self, where: str) -> str:
        if self.token.kind != "name":
            raise self.error(f"expected a name {where}, found {self.shown()}")
        return self.take().text

    # expressions

    def choice(self) -> Node:
        at = self.token.at
        options = [self.option()]
        while self.bar():
            options.append(self.option())
        return options[0] if len(options) == 1 else Choice(tuple(options), at)

    def bar(self) -> bool:
        if self.skip("|"):
            return True
        ahead = 0
        while self.peek(ahead).kind == "newline":
            ahead += 1
        if ahead and self.peek(ahead).text == "|":
            if ahead > 1:
                raise self.error(
                    "a comment stands between two options (or an empty line), and llguidance ends the rule there; "
                    "move the comment above the rule or behind an option",
                    at=self.peek(ahead).at,
                )
            self.position += ahead + 1
            return True
        return False

    def option(self) -> Node:
        at = self.token.at
        groups: list[Node] = [self.items()]
        while self.skip("&"):
            groups.append(self.items())
        node = groups[0] if len(groups) == 1 else All(tuple(groups), at)
        if self.token.text == "%if":
            condition = Embedded("if", self.condition(), self.token.at)
            groups[-1] = Sequence((groups[-1], condition), at)
        if self.skip("->"):
            return Alias(node, self.name("after ->"), at)
        return node

    def condition(self) -> str:
        """What stands after %if, up to the next option or the end of the line."""
        self.take()
        found = _CONDITION.match(self.source.text, self.token.at)
        return self.opaque(found.end() if found else self.token.at)

    def opaque(self, end: int) -> str:
        """The text up to an offset, its tokens skipped."""
        start = self.token.at
        while self.token.kind != "end" and self.token.at < end:
            self.take()
        return self.source.text[start:end].strip()

    def items(self) -> Node:
        at = self.token.at
        items: list[Node] = []
        while not (
            self.token.kind in ("newline", "end") or self.token.text in ("|", "->", ")", "]", "}", "&", "%if")
        ):
            items.append(self.item())
        return items[0] if len(items) == 1 else Sequence(tuple(items), at)

    def item(self) -> Node:
        at = self.token.at
        atom = Not(self.atom(), at) if self.skip("~") else self.atom()
        token = self.token
        if token.kind == "sign" and token.text in ("?", "*", "+"):
            self.take()
            if self.token.text in ("?", "*", "+") and self.token.at == token.at + 1:
                raise self.error(
                    f"{token.text}{self.token.text} says two things at once; keep one sign (matching is always "
                    "greedy)"
                )
            low, high = {"?": (0, 1), "*": (0, None), "+": (1, None)}[token.text]
            return Repeat(atom, low, high, token.text, at)
        if self.skip("~"):
            low = self.number()
            high = self.number() if self.skip("..") else low
            return self.counted(Repeat(atom, low, high, "~", at))
        if self.token.text == "{" and (self.peek().kind == "number" or self.peek().text == ","):
            return self.braces(atom, at)
        return atom

    def braces(self, atom: Node, at: int) -> Node:
        self.take()
        low = 0 if self.token.text == "," else self.number()
        high: int | None = low
        if self.skip(","):
            high = None if self.token.text == "}" else self.number()
        self.want("}", "after the counts")
        return self.counted(Repeat(atom, low, high, "{", at))

    def counted(self, made: Repeat) -> Repeat:
        if made.low < 0 or (made.high is not None and made.high < made.low):
            raise self.error(
                f"{made.low} to {made.high} times is no range; the smaller number comes first", at=made.at
            )
        if made.high == 0:
            raise self.error("zero times matches nothing; drop the item", at=made.at)
        return made

    def number(self) -> int:
        if self.token.kind != "number" or not self.token.text.lstrip("+-").isdigit():
            raise self.error(f"expected a whole number, found {self.shown()}")
        return int(self.take().text)

    def atom(self) -> Node:
        token = self.token
        if token.text == "(":
            return self.group(")", lambda inner: inner)
        if token.text == "[":
            return self.group("]", lambda inner: Repeat(inner, 0, 1, "[", token.at))
        if token.kind == "keyword":
            return self.embedded()
        self.take()
        match token.kind:
            case "string":
                return self.string(token)
            case "regex":
                slash = token.text.rindex("/")
                return Pattern(token.text[1:slash], token.text[slash + 1 :], token.at)
            case "special":
                return Special(token.text, token.at)
            case "reference":
                return Reference(token.text[1:], token.at)
            case "name":
                return self.named(token)
            case _:
                self.position -= 1
                raise self.error(self.misplaced(token))

    def misplaced(self, token: Token) -> str:
        if token.text in ("?", "*", "+"):
            if self.peek().kind == "name":
                return f"the sign {token.text} before a name belongs to its definition, not to its use"
            return f"{token.text} has nothing before it to repeat"
        if token.text == ":":
            return "a : in the middle of a rule; begin the next definition on a new line"
        if token.text == ".":
            return "expected a name, string or regular expression, found ."
        return f"expected a name, string or regular expression, found {self.shown()}"

    def group(self, close: str, wrap: Callable[[Node], Node]) -> Node:
        opening = self.take()
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error("parentheses are nested too deeply; name the inner parts", rule="E9")
        inner = self.choice()
        self.depth -= 1
        if self.token.text != close:
            if self.token.kind == "newline":
                raise self.error(
                    f"{opening.text} is not closed on its line; only a line that begins with | continues a rule",
                    at=opening.at,
                )
            raise self.error(f"{opening.text} is never closed", at=opening.at)
        self.take()
        return wrap(inner)

    def embedded(self) -> Node:
        token = self.take()
        if token.text == "%json":
            return Embedded("json", self.take().text.strip(), token.at)
        if token.text == "%regex":
            return Embedded("regex", self.take().text.strip(), token.at)
        if token.text == "%lark":
            return Embedded("lark", self.take().text.strip(), token.at)
        raise self.error(f"{token.text} begins a line of its own", at=token.at)

    def string(self, token: Token) -> Node:
        value, fold = unquote(self.source, token)
        if not self.skip(".."):
            return Literal(value, fold, token.at)
        last = self.take()
        if last.kind != "string":
            raise self.error('expected a string after "..", as in "a".."z"', at=last.at)
        end, _ = unquote(self.source, last)
        if len(value) != 1 or len(end) != 1:
            raise self.error("a range goes from one character to one character", at=token.at)
        if end < value:
            raise self.error(
                f'the range is empty; write the smaller character first: "{end}".."{value}"', at=token.at
            )
        return Span(value, end, token.at)

    def named(self, token: Token) -> Node:
        if self.skip("::"):
            found = _ARGUMENT.match(self.source.text, self.token.at)
            return Name(token.text, token.at, self.opaque(found.end() if found else self.token.at))
        if self.token.text == "{" and self.peek().kind != "number" and self.peek().text != ",":
            self.take()
            arguments = [self.item()]
            while self.skip(","):
                arguments.append(self.item())
            self.want("}", "after the arguments")
            return Call(token.text, tuple(arguments), token.at)
        return Name(token.text, token.at)
