"""Masks in transformers: tokenizers, fast and slow, and a tiny model with random weights."""

from __future__ import annotations

import random
from typing import Any

import pytest

from jigwork.errors import GrammarError
from jigwork.grammars import Grammar, library

torch: Any = pytest.importorskip("torch", reason="needs the package torch")
transformers: Any = pytest.importorskip("transformers", reason="needs the package transformers")
tokenizers: Any = pytest.importorskip("tokenizers", reason="needs the package tokenizers")

pytestmark = pytest.mark.slow  # importing both takes longer than all the other tests here

ORDER = Grammar.from_lark(
    'start: item (", " item)* "."\nitem: N " " NAME\nN: /[1-9]/\nNAME: "tea" | "café" | "cake"\n'
)


@pytest.fixture(scope="module")
def fast() -> Any:
    """A fast tokenizer on bytes with a few longer tokens."""
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<end>", "<pad>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )
    model.train_from_iterator(["tea, cake, café. 1 tea 2 cake"] * 9, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=model, eos_token="<end>", pad_token="<pad>")


@pytest.fixture(scope="module")
def slow() -> Any:
    """A slow tokenizer: every byte is a token."""
    return transformers.ByT5Tokenizer()


def tiny(vocabulary: int) -> Any:
    """A model with random weights."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    return transformers.LlamaForCausalLM(config).eval()


def generated(tokenizer: Any, grammar: Grammar, **options: Any) -> list[list[int]]:
    """What a tiny model writes after two prompts of unequal length; its vocabulary is larger than the tokenizer's."""
    from jigwork.grammars.logits import GrammarLogits

    model = tiny(len(tokenizer) + 5)
    tokenizer.padding_side = "left"
    inputs = tokenizer(["tea", "2 cake, 3"], return_tensors="pt", padding=True, add_special_tokens=False)
    made: Any = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        logits_processor=[GrammarLogits(grammar, tokenizer)],
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **options,
    )
    return made[:, inputs["input_ids"].shape[1] :].tolist()


WAYS: list[dict[str, Any]] = [
    {"do_sample": True, "num_return_sequences": 4},
    {"do_sample": False, "num_beams": 3, "num_return_sequences": 3},
    {"do_sample": True, "num_beams": 2, "temperature": 3.0},
]


@pytest.mark.parametrize("options", WAYS, ids=["sampling", "beams", "sampled beams"])
@pytest.mark.parametrize("kind", ["fast", "slow"])
def test_a_random_model_writes_texts_of_the_grammar(
    kind: str, options: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """Every row is a text of the grammar, or the beginning of one where it was cut."""
    tokenizer = request.getfixturevalue(kind)
    ended = 0
    for ids in generated(tokenizer, ORDER, max_new_tokens=120, **options):
        if tokenizer.eos_token_id in ids:
            ended += 1
            end = ids.index(tokenizer.eos_token_id)
            assert ORDER.accepts(tokenizer.decode(ids[:end], clean_up_tokenization_spaces=False))
            assert set(ids[end + 1 :]) <= {tokenizer.pad_token_id, tokenizer.eos_token_id}
        else:
            text = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
            assert ORDER.explain(text.rstrip("\ufffd")).unfinished
    assert ended


@pytest.mark.parametrize("kind", ["fast", "slow"])
@pytest.mark.parametrize("name", ["chess", "semver", "iso8601"])
def test_texts_are_allowed_token_by_token(kind: str, name: str, request: pytest.FixtureRequest) -> None:
    """What the tokenizer makes of an accepted text passes the masks, and then the end token."""
    tokenizer = request.getfixturevalue(kind)
    grammar = library(name)
    matcher = grammar.matcher(tokenizer)
    for text in grammar.sample(10, seed=1):
        matcher.reset()
        for token in tokenizer.encode(text, add_special_tokens=False):
            mask = matcher.mask()
            assert mask[token >> 3] >> (token & 7) & 1
            assert matcher.consume(token)
        assert tokenizer.eos_token_id in matcher.allowed()
        assert tokenizer.pad_token_id not in matcher.allowed()


def trained(kind: str) -> Any:
    """A fast tokenizer of one of the kinds that there are, trained on a few words."""
    made, pre = tokenizers, tokenizers.pre_tokenizers
    words = {"unk_token": "<unk>"}
    special = {"special_tokens": ["<unk>", "<end>"], "vocab_size": 90}
    nothing = {"special_tokens": ["<unk>", "<end>"]}
    byte_names = [f"<0x{i:02X}>" for i in range(256)]
    fallback = {"special_tokens": ["<unk>", "<end>", *byte_names], "vocab_size": 320}
    models: dict[str, tuple[Any, Any, Any, Any]] = {
        "sentencepiece": (
            made.models.BPE(byte_fallback=True, **words),
            made.trainers.BpeTrainer(**fallback),
            pre.Metaspace(prepend_scheme="first"),
            made.decoders.Sequence([
                made.decoders.Replace("▁", " "), made.decoders.ByteFallback(),
                made.decoders.Fuse(), made.decoders.Strip(" ", 1, 0),
            ]),
        ),
        "unigram": (
            made.models.Unigram(), made.trainers.UnigramTrainer(**special, **words), pre.Metaspace(), made.decoders.Metaspace(),
        ),
        "wordpiece": (
            made.models.WordPiece(**words), made.trainers.WordPieceTrainer(**special), pre.BertPreTokenizer(), made.decoders.WordPiece(),
        ),
        "words": (made.models.WordLevel(**words), made.trainers.WordLevelTrainer(**nothing), pre.Whitespace(), None),
        "spaced": (made.models.BPE(**words), made.trainers.BpeTrainer(**special), pre.Whitespace(), None),
    }  # fmt: skip
    model, trainer, cut, join = models[kind]
    tokenizer = made.Tokenizer(model)
    tokenizer.pre_tokenizer = cut
    if join is not None:
        tokenizer.decoder = join
    tokenizer.train_from_iterator(["1 tea, 2 cake, 3 café. 4 tea, 5 cake"] * 9, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<end>", unk_token="<unk>"
    )


@pytest.mark.parametrize("kind", ["sentencepiece", "unigram"])
def test_pieces_with_their_spaces_are_masked(kind: str) -> None:
    """Whatever is chosen under the masks decodes to a text of the grammar; special tokens are never a text."""
    tokenizer = trained(kind)
    matcher = ORDER.matcher(tokenizer)
    ended = 0
    for seed in range(12):
        rng, written = random.Random(seed), list[int]()
        matcher.reset()
        while len(written) < 60 and not matcher.ended:
            allowed = matcher.allowed()
            assert tokenizer.unk_token_id not in allowed
            written.append(
                tokenizer.eos_token_id if tokenizer.eos_token_id in allowed else rng.choice(allowed)
            )
            assert matcher.consume(written[-1])
        ended += matcher.ended
        text = tokenizer.decode(written, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert not matcher.ended or ORDER.accepts(text)
    assert ended


@pytest.mark.parametrize("kind", ["wordpiece", "words", "spaced"])
def test_fast_tokenizers_that_put_spaces_between_tokens_are_refused(kind: str) -> None:
    """Their masks would be of another text than the one that comes out."""
    with pytest.raises(GrammarError, match="not its tokens in a row"):
        ORDER.matcher(trained(kind))


def test_a_token_that_was_masked_is_an_error(fast: Any) -> None:
    """When something else writes what the grammar forbids, the processor says so and does not go on."""
    from jigwork.grammars.logits import GrammarLogits

    processor = GrammarLogits(ORDER, fast, prompt=1)
    scores = torch.zeros((1, len(fast)))
    assert torch.isinf(processor(torch.tensor([[7]]), scores)).sum() > 100
    wrong = fast.encode("t", add_special_tokens=False)
    with pytest.raises(GrammarError, match="does not allow"):
        processor(torch.tensor([[7, *wrong]]), scores)


def test_tokenizers_whose_texts_are_not_their_tokens_are_refused() -> None:
    """A tokenizer that puts spaces between its tokens, and one without an end token, have no masks."""

    class Words(transformers.PreTrainedTokenizer):  # type: ignore[misc,name-defined]
        """Words, with a space put between them."""

        words = ("<unk>", "SELECT", "x", "FROM", "y", "<end>")

        @property
        def vocab_size(self) -> int:
            return len(self.words)

        def get_vocab(self) -> dict[str, int]:
            return {word: number for number, word in enumerate(self.words)}

        def _tokenize(self, text: str, **_: Any) -> list[str]:
            return text.split()

        def _convert_token_to_id(self, token: str) -> int:
            return self.get_vocab().get(token, 0)

        def _convert_id_to_token(self, index: int) -> str:
            return self.words[index]

    with pytest.raises(GrammarError, match="not its tokens in a row"):
        ORDER.matcher(Words(unk_token="<unk>", eos_token="<end>"))
    with pytest.raises(GrammarError, match="no end token"):
        ORDER.matcher(Words(unk_token="<unk>"))
