"""Checks import_film.py on random weights: `make -C models check-import`.

PyTorch's own operators, written down here a second time from a state dict, against the network of
film_published.py, ONNX Runtime and `filmd fuse` (FILMD=/path/to/filmd, else the build of this
tree; left out, loudly, where there is none).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import import_film
from film_published import FEATURES, GRID, PublishedFilm, Shape, nearest, stretched

LIMIT = 1e-4
HERE = Path(__file__).resolve().parent
# Rows, columns, tokens. 288 x 384 is the grid itself; from and to 40 rows a division the other way
# round takes other cells.
CASES = ((40, 56, 5), (97, 43, 12), (288, 384, 3))


class Reference:
    """The published network from the names in its state dict, by PyTorch's own operators."""

    def __init__(self, state: dict[str, Tensor], shape: Shape) -> None:
        self.state, self.shape = state, shape

    def conv(self, name: str, x: Tensor, groups: int = 1) -> Tensor:
        weight = self.state[f"{name}.weight"]
        bias = self.state.get(f"{name}.bias")
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, groups=groups)

    def norm(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.state[f"{name}.body.weight"], self.state[f"{name}.body.bias"]
        return F.layer_norm(x.movedim(1, 3), weight.shape, weight, bias, 1e-5).movedim(3, 1)

    def block(self, name: str, x: Tensor) -> Tensor:
        c, heads = x.shape[1], self.shape.heads
        y = self.conv(f"{name}.attn.qkv", self.norm(f"{name}.norm1", x))
        y = self.conv(f"{name}.attn.qkv_dwconv", y, groups=3 * c).view(3, heads, c // heads, -1)
        q, k = F.normalize(y[0], dim=-1), F.normalize(y[1], dim=-1)
        weights = torch.softmax(
            torch.einsum("hip,hjp->hij", q, k) * self.state[f"{name}.attn.temperature"], dim=-1
        )
        y = torch.einsum("hij,hjp->hip", weights, y[2]).reshape(x.shape)
        x = x + self.conv(f"{name}.attn.project_out", y)
        y = self.conv(f"{name}.ffn.project_in", self.norm(f"{name}.norm2", x))
        gate, value = self.conv(f"{name}.ffn.dwconv", y, groups=y.shape[1]).chunk(2, dim=1)
        return x + self.conv(f"{name}.ffn.project_out", F.gelu(gate) * value)

    def attention(self, name: str, text: Tensor, keys: Tensor) -> Tensor:
        stock = torch.nn.MultiheadAttention(
            self.shape.hidden, self.shape.text_heads, batch_first=True
        )
        head = f"{name}.multihead_attn."
        own = {k.removeprefix(head): v for k, v in self.state.items() if k.startswith(head)}
        stock.load_state_dict(own)
        return stock(text, keys, keys, need_weights=False)[0]

    def side(self, stage: str, x: Tensor, text: Tensor, side: str) -> Tensor:
        def prelu(i: int, y: Tensor) -> Tensor:
            return F.prelu(y, self.state[f"{stage}.prelu{side}{i}.weight"])

        size = x.shape[2:]
        x = self.block(f"{stage}.restormer{side}1", prelu(1, self.conv(f"{stage}.conv{side}1", x)))
        grid = F.interpolate(self.conv(f"{stage}.imagef2textf{side}1.conv", x), GRID)
        keys = grid.contiguous().view(1, -1, self.shape.hidden)
        which = {"A": "cross_attentionA1", "B": "cross_attentionA2"}[side]
        weights = F.normalize(self.attention(f"{stage}.{which}", text, keys).mean(1), p=1, dim=1)
        back = F.interpolate((keys * weights[:, None]).view(grid.shape), size)
        back = prelu(2, self.conv(f"{stage}.conv{side}2", back)) + x
        return prelu(3, self.conv(f"{stage}.conv{side}3", torch.cat([x, back], 1)))

    def __call__(self, a: Tensor, b: Tensor, text: Tensor) -> Tensor:
        text = F.conv1d(
            text.transpose(1, 2),
            self.state["text_process.conv.weight"],
            self.state["text_process.conv.bias"],
        ).transpose(1, 2)
        for i in range(1, self.shape.stages + 1):
            stage = f"restormerca{i}"
            a, b = self.side(stage, a, text, "A"), self.side(stage, b, text, "B")
        x = self.conv("conv1", self.block("restormer1", torch.cat([a, b], 1)))
        x = self.block("restormer3", self.block("restormer2", x))
        return torch.sigmoid(self.conv("conv2", x))


def resizes() -> None:
    """Our resize takes the cells that PyTorch's takes, to the grid and back."""
    for size in range(1, 800):
        for there, wanted in ((size, GRID[0]), (GRID[0], size), (size, GRID[1]), (GRID[1], size)):
            line = torch.arange(there).float().view(1, 1, there, 1)
            if not torch.equal(nearest(line, wanted, 1), F.interpolate(line, (wanted, 1))):
                raise SystemExit(f"the resize from {there} to {wanted} takes other cells")


def texts_matter(net: PublishedFilm) -> None:
    """Random weights under which no text changes the picture would show nothing."""
    a, b = (torch.rand(1, 1, 40, 56) for _ in range(2))
    with torch.no_grad():
        one, two = (stretched(net(a, b, torch.randn(1, 6, FEATURES))) for _ in range(2))
    changed = 255 * float((one - two).abs().max())
    if changed < 1:
        raise SystemExit(f"another text changes the picture by {changed:.2f} grey levels only")


def greys(height: int, width: int, seed: int) -> np.ndarray:
    """A picture with large and small structures."""
    noise = np.random.default_rng(seed)
    coarse = cv2.resize(noise.random((6, 8)), (width, height), interpolation=cv2.INTER_CUBIC)
    fine = noise.random((height, width))
    return np.clip(255 * (0.8 * coarse + 0.2 * fine), 0, 255).astype(np.uint8)


def tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.astype(np.float32) / 255)[None, None]


def checkpoint(net: PublishedFilm, folder: Path) -> Path:
    """As the public training script saves it."""
    path = folder / "IVF.pth"
    state = {f"module.{name}": weight for name, weight in net.state_dict().items()}
    torch.save({"model": state, "epoch": 3, "optimizer1": {"state": {}}}, path)
    return path


def refusals(net: PublishedFilm, folder: Path) -> None:
    """Other checkpoints end with the names that differ."""
    state = net.state_dict()
    weight = state.pop("conv1.weight")
    state["decoder.weight"] = weight
    path = folder / "other.pth"
    torch.save(state, path)
    for wanted in ("1 missing: conv1.weight", "1 unexpected: decoder.weight"):
        try:
            import_film.load(path)
        except SystemExit as error:
            assert wanted in str(error), error
        else:
            raise SystemExit("a checkpoint without conv1.weight was taken")


def program() -> Path | None:
    """filmd, where it was built."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    path = Path(os.environ.get("FILMD", target / "release/filmd"))
    if not path.is_file():
        print(f"SKIPPED: filmd fuse: there is no {path}; build it or set FILMD")
        return None
    return path


def by_filmd(filmd: Path, folder: Path, task: str, graph: bytes, case: tuple) -> np.ndarray:
    """What `filmd fuse` makes of the case's pictures and features."""
    pictures, text = case
    files = [folder / name for name in ("net.onnx", "text.npy", "a.png", "b.png", "fused.png")]
    files[0].write_bytes(graph)
    np.save(files[1], text.numpy())
    cv2.imwrite(str(files[2]), pictures[0])
    cv2.imwrite(str(files[3]), pictures[1])
    model, features, a, b, fused = map(str, files)
    command = [filmd, "fuse", a, b, "--task", task, "--model", model, "--features", features]
    subprocess.run([*command, "--out", fused], check=True)
    return cv2.imread(fused, cv2.IMREAD_UNCHANGED)


def compared(net: PublishedFilm, task: str, raw: bool, folder: Path) -> None:
    """One network in all four forms."""
    reference = Reference(net.state_dict(), net.shape)
    model = import_film.Imported(net, task in import_film.SWAPPED, raw)
    graph = import_film.graph(model, task)
    ort = import_film.check(model, graph)
    filmd, torches, levels = program(), 0.0, 0.0
    for number, (height, width, tokens) in enumerate(CASES):
        pictures = [greys(height, width, 10 * number + i) for i in range(2)]
        text = torch.randn(1, tokens, FEATURES, generator=torch.Generator().manual_seed(number))
        a, b = map(tensor, reversed(pictures) if model.swap else pictures)
        with torch.no_grad():
            wanted = reference(a, b, text)
            wanted = wanted if raw else stretched(wanted)
            found = model(*map(tensor, pictures), text)
        torches = max(torches, float((found - wanted).abs().max()))
        if filmd is not None:
            fused = by_filmd(filmd, folder, task, graph, (pictures, text))
            away = np.abs(fused.astype(np.float32) - 255 * wanted[0, 0].numpy()).max()
            levels = max(levels, float(away))
    print(
        f"{net.shape.channels} channels, {task}, {'raw' if raw else 'stretched'}: from PyTorch's "
        f"operators {torches:.1e}, ONNX Runtime from ours {ort:.1e}"
        + ("" if filmd is None else f", filmd fuse {levels:.2f} grey levels")
    )
    # Half a level is the rounding to 8 bit.
    if torches > LIMIT or levels > 0.5 + 255 * LIMIT:
        raise SystemExit("further apart than they may be")


def main() -> None:
    """All checks."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    resizes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = import_film.random(7, Shape())
        net = import_film.load(checkpoint(made, folder))
        assert net.shape == Shape()
        refusals(made, folder)
        texts_matter(net)
        compared(net, "ivf", False, folder)
        tiny = import_film.random(3, import_film.TINY)
        texts_matter(tiny)
        for task, raw in (("mif", False), ("mff", True)):
            compared(tiny, task, raw, folder)


if __name__ == "__main__":
    main()
