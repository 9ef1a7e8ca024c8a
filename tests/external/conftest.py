"""A real llama.cpp for the tests of this folder, in a process of its own that can be killed, and models for it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def llamacpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the server; skips where its packages are not installed."""
    for package in ("xllamacpp", "gguf"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the package {package} is not installed")
    folder = tmp_path_factory.mktemp("llamacpp")
    script = Path(__file__).with_name("tiny_server.py")
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)], stdout=subprocess.PIPE, stderr=log, text=True
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("listening "):
                yield f"{line.split()[1]}/v1"
                break
        else:
            pytest.fail(f"llama.cpp did not start: {(folder / 'log').read_text()[-2000:]}")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def write_model() -> Callable[..., Path]:
    """Writes a model that says what it is told to, see `write_chain`; skips where packages are not installed."""
    for package in ("xllamacpp", "gguf"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the package {package} is not installed")
    return write_chain


TEMPLATE = """\
{%- if tools %}<|im_start|>system
You may call these functions:
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
Answer with a JSON object within <tool_call></tool_call>:
<tool_call>
{"name": <name>, "arguments": <arguments>}
</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}<|im_start|>assistant
{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% elif message.role == 'tool' %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

WIDTH = 512


def write_chain(
    path: Path, says: Sequence[str] = (), *, template: str = TEMPLATE, ends: bool = False, context: int = 4096
) -> Path:
    """A model that answers with these pieces, one after the other; with none it says anything, and ends or not.

    Its vocabulary is all bytes and the pieces; all layers are zero, so that the last token alone counts.
    """
    gguf: Any = pytest.importorskip("gguf", reason="needs the package gguf")
    np: Any = pytest.importorskip("numpy", reason="needs the package numpy")
    kind = gguf.TokenType
    byte_names = [f"<0x{i:02X}>".encode() for i in range(256)]
    tokens = [b"<unk>", b"<s>", b"</s>", *byte_names, *(p.replace(" ", "▁").encode() for p in says)]
    types = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL, *[kind.BYTE] * 256, *[kind.NORMAL] * len(says)]
    size = len(tokens)
    follows = np.zeros((size, WIDTH), np.float32)
    last = 3 + ord("\n")  # the templates end in a line break
    for token in [*range(259, size), 2] if says else []:
        follows[token, last] = 1
        last = token
    if not says:
        follows[:, :] = np.random.default_rng(7).standard_normal((size, WIDTH)) * 0.05
        follows[2, :] = 0 if ends else -1
    out = gguf.GGUFWriter(path, "llama")
    out.add_name("chain")
    out.add_context_length(context)
    out.add_embedding_length(WIDTH)
    out.add_block_count(1)
    out.add_feed_forward_length(32)
    out.add_head_count(8)
    out.add_head_count_kv(8)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(WIDTH // 8)
    out.add_vocab_size(size)
    out.add_tokenizer_model("llama")
    out.add_token_list(tokens)
    out.add_token_scores([0.0] * size)
    out.add_token_types(types)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_unk_token_id(0)
    out.add_add_space_prefix(False)
    out.add_chat_template(template)
    ones = np.ones(WIDTH, np.float32)
    tensors = {"token_embd": np.eye(size, WIDTH, dtype=np.float32), "output": follows, "output_norm": ones}
    tensors |= {"blk.0.attn_norm": ones, "blk.0.ffn_norm": ones}
    shapes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (WIDTH, WIDTH))
    shapes |= {"ffn_gate": (32, WIDTH), "ffn_up": (32, WIDTH), "ffn_down": (WIDTH, 32)}
    tensors |= {f"blk.0.{name}": np.zeros(shape, np.float32) for name, shape in shapes.items()}
    for name, values in tensors.items():
        out.add_tensor(f"{name}.weight", values)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path
