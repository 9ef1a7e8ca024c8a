"""The grammar as a value: made from text, checked at once, judged by llguidance, parsed by Lark, sent anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from jigwork.errors import GrammarError, TextRejectedError

from .engine import SECONDS, compiled
from .lint import lint, lint_regex
from .reader import read
from .writer import quote

if TYPE_CHECKING:
    from types import ModuleType

    import lark

    from .check import Target
    from .diagnostics import Diagnostic
    from .explain import Explanation, Next
    from .export import Export
    from .json_schema import SchemaLike
    from .masks import TokenMatcher

__all__ = ["Endpoint", "Grammar", "Syntax"]

Syntax = Literal["lark", "regex"]
Endpoint = Literal["responses", "chat"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a text may be. Make one with a `from_` method; each raises GrammarError with line, column and rule id.

    `definition` is the text that a server receives, `syntax` says in which language. Two grammars with the same
    definition are equal; `name` is for messages only. Compiling is put off until a text is judged.
    """

    definition: str
    syntax: Syntax = "lark"
    name: str | None = field(default=None, compare=False)

    @classmethod
    def from_lark(
        cls, text: str, *, name: str | None = None, rules: Mapping[str, Grammar] | None = None
    ) -> Grammar:
        """A grammar in Lark's language, as far as servers know it (rules E1 to E9 of `check`).

        `rules` are other grammars that the text may use as rules, by name.
        """
        if rules:
            from .compose import embedded_text

            text = embedded_text(text, rules)
        found = [diagnostic for diagnostic in lint(read(text)) if diagnostic.severity == "error"]
        if found:
            raise found[0].to_error()
        return cls(text, "lark", name)

    @classmethod
    def from_file(cls, path: str | Path) -> Grammar:
        """A grammar from a UTF-8 file; its name is the file's name without the ending."""
        file = Path(path)
        return cls.from_lark(file.read_text(encoding="utf-8"), name=file.stem)

    @classmethod
    def from_resource(cls, package: str, file: str) -> Grammar:
        """A grammar from a file inside of an installed package, such as `("my_package.grammars", "query.lark")`."""
        from importlib.resources import files

        text = (files(package) / file).read_text(encoding="utf-8")
        return cls.from_lark(text, name=file.removesuffix(".lark"))

    @classmethod
    def from_regex(cls, pattern: str, *, name: str | None = None) -> Grammar:
        """One regular expression in the dialect of Rust's regex crate, which matches the whole text."""
        found = lint_regex(pattern)
        if found:
            raise found[0].to_error()
        return cls(pattern, "regex", name)

    @classmethod
    def from_choices(cls, strings: Iterable[str], *, name: str | None = None) -> Grammar:
        """One of the given texts, exactly."""
        if isinstance(strings, str):
            raise GrammarError("choices is a list of texts, not one text; write [text]", rule="E7")
        texts = list(dict.fromkeys(strings))
        if not texts:
            raise GrammarError("no choices were given; a grammar needs at least one text", rule="E7")
        for text in texts:
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise GrammarError(f"the choice {text!r} holds half of a surrogate pair", rule="E8")
        optional = "" in texts
        options = " | ".join(quote(text) for text in texts if text)
        if not options:
            return cls('start: ""\n', "lark", name)
        # In one terminal the lexer sees all of them at once: no choice can swallow another.
        return cls(f"start: {'[CHOICE]' if optional else 'CHOICE'}\nCHOICE: {options}\n", "lark", name)

    @classmethod
    def from_json_schema(cls, schema: SchemaLike, *, name: str | None = None) -> Grammar:
        """Compact JSON after a schema (dict or text), a pydantic model or a `TypeAdapter`: what `jsonschema` calls valid.

        The text is as `json.dumps(value, ensure_ascii=False, separators=(",", ":"))` writes it. Keys stand in the order
        in which the schema's `properties` name them (those of `allOf`, `anyOf` or `$ref` before it come first), other
        keys after them in any order; whole numbers are written without a fraction. Formats that JSON Schema defines
        are held, others are notes. Compiles at once; a keyword that no grammar can hold (such as `uniqueItems` over
        strings) is refused with its JSON pointer.
        """
        from .json_schema import compiled_schema, schema_of

        given = schema_of(schema)
        text = compiled_schema(given)
        title = given.get("title")
        return cls(text, "lark", name or (title if isinstance(title, str) else None))

    @classmethod
    def choice(cls, *grammars: Grammar, name: str | None = None) -> Grammar:
        """Any one of the grammars. Their terminals compete for the longest match: `check()` says where that hurts."""
        from .compose import choice_text

        return cls.from_lark(choice_text(grammars), name=name)

    @classmethod
    def sequence(cls, *grammars: Grammar, name: str | None = None) -> Grammar:
        """The grammars one after the other, with nothing between."""
        from .compose import sequence_text

        return cls.from_lark(sequence_text(grammars), name=name)

    def __repr__(self) -> str:
        text = self.definition if len(self.definition) <= 60 else self.definition[:57] + "..."
        return f"Grammar({self.name or ''!r}, {self.syntax}, {text!r})"

    def accepts(self, text: str, *, seconds: float = SECONDS) -> bool:
        """Whether a server with llguidance could have written this text, complete.

        Raises GrammarError where the grammar does not compile, and its subclass GrammarLimitError where the answer
        would take longer than `seconds` or more memory than llguidance allows.
        """
        try:
            data = text.encode()
        except UnicodeEncodeError:
            return False
        return compiled(self.syntax, self.definition).accepts(data, seconds)

    def explain(self, text: str, *, seconds: float = SECONDS) -> Explanation:
        """The verdict on a text, with place, expectation and nearest legal text. Raises as `accepts` does."""
        from .explain import explain
        from .vocabulary import vocabulary

        engine = compiled(self.syntax, self.definition)
        return explain(engine, vocabulary(self.syntax, self.definition), text, seconds)

    def check(
        self, *, target: Target = "openai", seconds: float = 5.0, megabytes: int = 2048
    ) -> list[Diagnostic]:
        """Everything that is wrong with the grammar, errors first; an empty list is a clean grammar.

        Errors (E1 to E14): a server refuses the grammar, an alternative can never be written, or a text never ends.
        Warnings (W1 to W12) each have a text on which engines differ or that runs away. `target` is the server it is
        meant for. The grammar is tried out in a process of its own, which is killed after `seconds` or when it wants
        more memory than `megabytes`; a finding then says so.
        """
        from .check import check

        return check(self.syntax, self.definition, target=target, seconds=seconds, megabytes=megabytes)

    def next(self, prefix: str, *, seconds: float = SECONDS) -> Next:
        """What may come after a prefix. Raises TextRejectedError where no accepted text begins with it."""
        from .explain import following
        from .vocabulary import vocabulary

        engine = compiled(self.syntax, self.definition)
        found = following(engine, vocabulary(self.syntax, self.definition), prefix, seconds)
        if found is None:
            raise self._rejection(prefix, seconds)
        return found

    @overload
    def parse(self, text: str) -> lark.Tree[lark.Token]: ...

    @overload
    def parse(self, text: str, transform: type[T]) -> T: ...

    @overload
    def parse(self, text: str, transform: Callable[[lark.Tree[lark.Token]], T]) -> T: ...

    @overload
    def parse(self, text: str, transform: lark.Transformer[Any, T]) -> T: ...

    @overload
    def parse(self, text: str, transform: Mapping[str, type[Any]] | ModuleType) -> Any: ...

    def parse(self, text: str, transform: Any = None) -> Any:
        """The Lark tree of an accepted text, or what `transform` makes of it.

        `transform` is a Transformer, a function of the tree, or what the tree is to become: a pydantic model or
        dataclass for the whole text, a mapping from rules to such classes, or a module of them. A class fills from the
        rule of its name, a field from the children of its name (see `jigwork.grammars.shaping`).

        Raises TextRejectedError where the text is not accepted (with the explanation) or its values do not suit their
        fields, and GrammarError where Lark does not know what the grammar uses or names do not fit.
        """
        from .shaping import parsed
        from .tree import parse

        if not self.accepts(text):
            raise self._rejection(text, SECONDS)
        if transform is None:
            return parse(self.syntax, self.definition, text)
        return parsed(self.syntax, self.definition, text, transform)

    def sample(self, n: int = 10, *, seed: int = 0, longest: int = 400) -> list[str]:
        """`n` accepted texts of at most `longest` characters, random but the same for a seed.

        Every alternative that can be written is used by one of them where `n` is at least their number. Raises
        GrammarError where no text is found.
        """
        from .sample import sample

        return sample(self.syntax, self.definition, n, seed=seed, longest=longest)

    def matcher(self, tokenizer: Any, *, end: int | None = None) -> TokenMatcher:
        """Token masks for a model in this process.

        `tokenizer` is a list of the bytes of every token (then `end` is the id of the end token), a tokenizer of
        transformers, or an `LLTokenizer`. Raises GrammarError where the grammar does not compile, and where the texts
        of a tokenizer are not its tokens' bytes in a row.
        """
        from .masks import token_matcher

        return token_matcher(self.syntax, self.definition, tokenizer, end=end)

    def to_openai(self, endpoint: Endpoint = "responses") -> dict[str, Any]:
        """The `format` of a custom tool; the two endpoints nest it differently.

        OpenAI's server is not known to take `%json`, so JSON schemas are written as rules. Raises GrammarError where
        a schema has no such rules.
        """
        from .openai_words import openai_words

        plain = {"syntax": self.syntax, "definition": openai_words(self.syntax, self.definition).text}
        if endpoint == "responses":
            return {"type": "grammar", **plain}
        if endpoint == "chat":
            return {"type": "grammar", "grammar": plain}
        raise GrammarError(f"there is no endpoint {endpoint!r}; it is 'responses' or 'chat'")

    def to_llguidance(self) -> Export:
        """For servers that recognise llguidance's language by its first line (llama.cpp, SGLang, vLLM)."""
        from .export import llguidance

        return llguidance(self.syntax, self.definition)

    def to_gbnf(self) -> Export:
        """GBNF for llama.cpp. Raises GrammarError, with the place, for what it has no words for."""
        from .export import gbnf

        return gbnf(self.syntax, self.definition)

    def to_ebnf(self) -> Export:
        """The EBNF of XGrammar and SGLang, which read GBNF. Raises as `to_gbnf` does."""
        return self.to_gbnf()

    def to_regex(self) -> Export:
        """One regular expression, without anchors, in the words that all dialects share.

        Raises GrammarError where the grammar is recursive or uses what they do not share.
        """
        from .export import pattern

        return pattern(self.syntax, self.definition)

    def to_json_schema(self) -> dict[str, Any]:
        """A string in a strict function schema: an `enum` where all texts can be listed, else an anchored `pattern`.

        Raises GrammarError where neither is exact.
        """
        from .export import string_schema

        return string_schema(self.syntax, self.definition)

    def _rejection(self, text: str, seconds: float) -> TextRejectedError:
        explanation = self.explain(text, seconds=seconds)
        return TextRejectedError(explanation.for_model(), explanation=explanation)
