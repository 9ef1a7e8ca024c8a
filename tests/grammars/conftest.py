"""A tiny language model with random weights, for llama.cpp's own server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

_WIDTH, _HEADS, _LAYERS, _CONTEXT = 64, 4, 2, 2048
_PIECES = ["true", "null", "id", "name", "O-O", "P1", '"', "{", "}", ":", ",", "\u2581", "--- a", "@@"]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model that writes noise: bytes and a few longer tokens."""
    gguf: Any = pytest.importorskip("gguf", reason="needs the package gguf")
    np: Any = pytest.importorskip("numpy", reason="needs the package numpy")
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    rng = np.random.default_rng(0)
    tokens = [
        b"<unk>",
        b"<s>",
        b"</s>",
        *(b"<0x%02X>" % i for i in range(256)),
        *(p.encode() for p in _PIECES),
    ]
    kind = gguf.TokenType
    kinds = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL, *[kind.BYTE] * 256, *[kind.NORMAL] * len(_PIECES)]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    _add_weights(writer, rng, np, len(tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_weights(writer: Any, rng: Any, np: Any, vocabulary: int) -> None:
    def noise(*shape: int) -> Any:
        return (rng.standard_normal(shape) * 0.2).astype(np.float32)

    writer.add_tensor("token_embd.weight", noise(vocabulary, _WIDTH))
    writer.add_tensor("output_norm.weight", np.ones(_WIDTH, np.float32))
    writer.add_tensor("output.weight", noise(vocabulary, _WIDTH))
    for layer in range(_LAYERS):
        name = f"blk.{layer}."
        writer.add_tensor(name + "attn_norm.weight", np.ones(_WIDTH, np.float32))
        writer.add_tensor(name + "ffn_norm.weight", np.ones(_WIDTH, np.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{name}{part}.weight", noise(_WIDTH, _WIDTH))
        writer.add_tensor(name + "ffn_gate.weight", noise(2 * _WIDTH, _WIDTH))
        writer.add_tensor(name + "ffn_up.weight", noise(2 * _WIDTH, _WIDTH))
        writer.add_tensor(name + "ffn_down.weight", noise(_WIDTH, 2 * _WIDTH))
