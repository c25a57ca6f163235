"""A vision-language model of random weights that llama.cpp loads, for the describer's tests.

    python tiny_vision.py OUT_DIR [SEED]

Writes OUT_DIR/text.gguf (one block of type `llama`, a BPE vocabulary of the prompts' own words, a
chat template of Gemma's kind) and OUT_DIR/mmproj.gguf (projector of type `gemma3`), and prints
their SHA-256.  It knows nothing; what it writes is the grammar's choice and chance.  The bytes
depend on the seed, on the prompts in src/describe and on the pinned packages only.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

WIDTH, INNER, HEADS = 32, 64, 2
CONTEXT, VOCABULARY = 4096, 1024
IMAGE, PATCH, POOL = 128, 8, 4  # 16 x 16 patches, pooled to 4 x 4 tokens
SPECIAL = [
    "<|endoftext|>",
    "<start_of_image>",
    "<end_of_image>",
    "<start_of_turn>",
    "<end_of_turn>",
]
TEMPLATE = (
    "{% for message in messages %}<start_of_turn>{{ message['role'] }}\n"
    "{{ message['content'] }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
F16 = gguf.GGMLQuantizationType.F16


def corpus() -> list[str]:
    """String literals of the prompts: what the model will read and write."""
    folder = Path(__file__).parent.parent / "src" / "describe"
    texts = []
    for name in ("prompt.rs", "ask.rs", "advice.rs", "template.rs"):
        source = (folder / name).read_text().split("#[cfg(test)]")[0]
        source = re.sub(r"\\\n\s*", "", source)
        texts += [t.replace("\\n", "\n") for t in re.findall(r'"((?:[^"\\]|\\.)*)"', source)]
    return texts


def vocabulary() -> tuple[list[str], list[str]]:
    """Tokens and merges of a byte-level BPE."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus(), trainer)
    state = json.loads(bpe.to_str())["model"]
    tokens = sorted(state["vocab"], key=state["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in state["merges"]]
    return tokens, merges


class Weights:
    """Seeded tensors, added to a writer."""

    def __init__(self, writer: gguf.GGUFWriter, seed: int) -> None:
        self.writer = writer
        self.random = np.random.default_rng(seed)

    def normal(self, name: str, *shape: int, scale: float | None = None) -> None:
        scale = shape[-1] ** -0.5 if scale is None else scale
        values = (self.random.standard_normal(shape) * scale).astype(np.float16)
        self.writer.add_tensor(name, values, raw_dtype=F16)

    def constant(self, name: str, length: int, value: float) -> None:
        self.writer.add_tensor(name, np.full(length, value, np.float32))

    def table(self, name: str, *shape: int) -> None:
        values = self.random.standard_normal(shape).astype(np.float32)
        self.writer.add_tensor(name, values)


def finish(writer: gguf.GGUFWriter, path: Path) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    data = path.read_bytes()
    print(f"{hashlib.sha256(data).hexdigest()}  {path.name}  {len(data)} bytes")


def text_model(path: Path, seed: int) -> None:
    tokens, merges = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny random text model")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    control, normal = int(gguf.TokenType.CONTROL), int(gguf.TokenType.NORMAL)
    writer.add_token_types([control if t in SPECIAL else normal for t in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_eot_token_id(SPECIAL.index("<end_of_turn>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    w = Weights(writer, seed)
    w.normal("token_embd.weight", len(tokens), WIDTH, scale=1.0)
    w.constant("output_norm.weight", WIDTH, 1.0)
    w.constant("blk.0.attn_norm.weight", WIDTH, 1.0)
    # Ten times what is usual: a token looks at few others, pictures among them, and heeds them.
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        w.normal(f"blk.0.{name}.weight", WIDTH, WIDTH, scale=10 * WIDTH**-0.5)
    w.constant("blk.0.ffn_norm.weight", WIDTH, 1.0)
    w.normal("blk.0.ffn_gate.weight", INNER, WIDTH)
    w.normal("blk.0.ffn_up.weight", INNER, WIDTH)
    w.normal("blk.0.ffn_down.weight", WIDTH, INNER)
    finish(writer, path)


def projector(path: Path, seed: int) -> None:
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_name("tiny random vision encoder")
    writer.add_string("clip.projector_type", "gemma3")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.use_gelu", True)
    sizes = {
        "image_size": IMAGE,
        "patch_size": PATCH,
        "embedding_length": WIDTH,
        "feed_forward_length": INNER,
        "projection_dim": WIDTH,
        "block_count": 1,
        "attention.head_count": HEADS,
        "projector.scale_factor": POOL,
    }
    for key, value in sizes.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    w = Weights(writer, seed)
    w.table("v.patch_embd.weight", WIDTH, 3, PATCH, PATCH)
    w.constant("v.patch_embd.bias", WIDTH, 0.0)
    w.table("v.position_embd.weight", (IMAGE // PATCH) ** 2, WIDTH)
    for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
        w.normal(f"v.blk.0.{name}.weight", WIDTH, WIDTH)
        w.constant(f"v.blk.0.{name}.bias", WIDTH, 0.0)
    for name in ("ln1", "ln2"):
        w.constant(f"v.blk.0.{name}.weight", WIDTH, 1.0)
        w.constant(f"v.blk.0.{name}.bias", WIDTH, 0.0)
    w.normal("v.blk.0.ffn_up.weight", INNER, WIDTH)
    w.constant("v.blk.0.ffn_up.bias", INNER, 0.0)
    w.normal("v.blk.0.ffn_down.weight", WIDTH, INNER)
    w.constant("v.blk.0.ffn_down.bias", WIDTH, 0.0)
    w.constant("v.post_ln.weight", WIDTH, 1.0)
    w.constant("v.post_ln.bias", WIDTH, 0.0)
    w.normal("mm.input_projection.weight", WIDTH, WIDTH, scale=1.0)
    w.constant("mm.soft_emb_norm.weight", WIDTH, 1.0)
    finish(writer, path)


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    out, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 1
    out.mkdir(parents=True, exist_ok=True)
    text_model(out / "text.gguf", seed)
    projector(out / "mmproj.gguf", seed)


if __name__ == "__main__":
    main()
