"""The published FILM network (Zhao et al., ICML 2024, arXiv 2402.02235), to run its checkpoints.

Own definition, after the paper and the public implementation's parameter names and order of
operations (github.com/Zhaozixiang1228/IF-FILM), so that its state dicts load as they are.

Shapes: images [1,1,H,W] in 0..1 of any size; text features [1,N,768], any N >= 1, every row in
use.  Stage by stage the features of each source are brought to a grid of 288x384 cells, whatever
the picture's size: that grid is part of the network, since its cells are folded into the keys of
the cross-attention.  The text asks them; the mean answer, scaled to an L1 norm of one, weights
the cells, which come back to the picture's size.  Both resizes take the nearest cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GRID = (288, 384)  # rows and columns of the attention grid
FEATURES = 768  # of a text token: hidden size of BLIP-2's Q-Former
EXPANSION = 4  # of the feed-forward part
SIDES = ("A", "B")


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; the defaults are the published ones."""

    stages: int = 3
    channels: int = 32
    heads: int = 8  # of the transformer blocks
    hidden: int = 256  # of text and attention keys
    depth: int = 32  # channels on the attention grid
    text_heads: int = 8  # of the cross-attention; a checkpoint does not tell

    @staticmethod
    def of(state: dict[str, Tensor]) -> Shape:
        """What a state dict was made with; the published sizes where it does not tell."""
        usual = Shape()

        def size(name: str, axis: int, otherwise: int) -> int:
            weight = state.get(name)
            return otherwise if weight is None or weight.dim() <= axis else weight.shape[axis]

        stages = {name.split(".")[0] for name in state if name.startswith("restormerca")}
        return Shape(
            stages=len(stages) or usual.stages,
            channels=size("conv1.weight", 0, usual.channels),
            heads=size("restormer1.attn.temperature", 0, usual.heads),
            hidden=size("text_process.conv.weight", 0, usual.hidden),
            depth=size("restormerca1.imagef2textfA1.conv.weight", 0, usual.depth),
        )


def unit(x: Tensor, order: int, axis: int) -> Tensor:
    """x at a norm of 1 along an axis."""
    return x / torch.clamp(torch.linalg.vector_norm(x, order, dim=axis, keepdim=True), min=1e-12)


def nearest(x: Tensor, rows: Tensor | int, columns: Tensor | int) -> Tensor:
    """[1,C,h,w] to [1,C,rows,columns]: cell floor(i * f32(h / rows)), as PyTorch's interpolate.

    Written out, since runtimes divide the other way round, which at some sizes gives the
    neighbouring cell.
    """
    for axis, wanted in ((2, rows), (3, columns)):
        there = torch.as_tensor(x.shape[axis])
        index = torch.arange(wanted).float()
        index = torch.floor(index * (there.float() / torch.as_tensor(wanted).float())).long()
        x = torch.index_select(x, axis, torch.minimum(index, there.long() - 1))
    return x


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Module()
        self.body.weight = nn.Parameter(torch.ones(channels))
        self.body.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(1, keepdim=True)
        x = x / torch.sqrt((x * x).mean(1, keepdim=True) + 1e-5)
        return x * self.body.weight.view(1, -1, 1, 1) + self.body.bias.view(1, -1, 1, 1)


class ChannelAttention(nn.Module):
    """Multi-head attention between channels (Restormer, Zamir et al., CVPR 2022)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.channels, self.heads = channels, heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.qkv_dwconv = nn.Conv2d(
            3 * channels, 3 * channels, 3, padding=1, groups=3 * channels, bias=False
        )
        self.project_out = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        each = self.channels // self.heads
        parts = self.qkv_dwconv(self.qkv(x)).split(self.channels, dim=1)
        q, k, v = (part.reshape(1, self.heads, each, -1) for part in parts)
        weights = unit(q, 2, -1) @ unit(k, 2, -1).transpose(-2, -1)
        weights = torch.softmax(weights * self.temperature, dim=-1)
        return self.project_out((weights @ v).reshape(x.shape))


class GatedForward(nn.Module):
    """Gated feed-forward part with a depthwise convolution (Restormer)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.wide = EXPANSION * channels
        both = 2 * self.wide
        self.project_in = nn.Conv2d(channels, both, 1, bias=False)
        self.dwconv = nn.Conv2d(both, both, 3, padding=1, groups=both, bias=False)
        self.project_out = nn.Conv2d(self.wide, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.dwconv(self.project_in(x)).split(self.wide, dim=1)
        return self.project_out(F.gelu(gate) * value)


class Block(nn.Module):
    """Restormer's transformer block."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(channels)
        self.attn = ChannelAttention(channels, heads)
        self.norm2 = ChannelNorm(channels)
        self.ffn = GatedForward(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.ffn(self.norm2(x))


class TextAttention(nn.Module):
    """The text [1,N,D] asks the image's keys [1,K,D]; the parameters of multi-head attention."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.hidden, self.heads = hidden, heads
        inner = nn.Module()
        inner.in_proj_weight = nn.Parameter(torch.empty(3 * hidden, hidden))
        inner.in_proj_bias = nn.Parameter(torch.zeros(3 * hidden))
        inner.out_proj = nn.Linear(hidden, hidden)
        nn.init.xavier_uniform_(inner.in_proj_weight)
        self.multihead_attn = inner

    def forward(self, text: Tensor, keys: Tensor) -> Tensor:
        inner, hidden = self.multihead_attn, self.hidden
        weights = inner.in_proj_weight.split(hidden)
        biases = inner.in_proj_bias.split(hidden)
        q, k, v = (
            F.linear(x, w, b).reshape(1, -1, self.heads, hidden // self.heads).transpose(1, 2)
            for x, w, b in zip((text, keys, keys), weights, biases)
        )
        scores = (q * (hidden // self.heads) ** -0.5) @ k.transpose(-2, -1)
        answer = torch.softmax(scores, dim=-1) @ v
        return inner.out_proj(answer.transpose(1, 2).reshape(1, -1, hidden))


class ToGrid(nn.Module):
    """Features [1,C,H,W] to the attention grid [1,depth,288,384]."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, depth, 1)

    def forward(self, x: Tensor) -> Tensor:
        return nearest(self.conv(x), *GRID)


class Stage(nn.Module):
    """Each source through one block and under the text's weights; the sources stay apart."""

    def __init__(self, shape: Shape, entering: int) -> None:
        super().__init__()
        c, self.hidden, self.depth = shape.channels, shape.hidden, shape.depth
        for number, side in enumerate(SIDES, 1):
            parts = {
                f"conv{side}1": nn.Conv2d(entering, c, 3, padding=1, bias=False),
                f"conv{side}2": nn.Conv2d(shape.depth, c, 1),
                f"conv{side}3": nn.Conv2d(2 * c, c, 1),
                f"restormer{side}1": Block(c, shape.heads),
                f"cross_attentionA{number}": TextAttention(shape.hidden, shape.text_heads),
                f"imagef2textf{side}1": ToGrid(c, shape.depth),
            } | {f"prelu{side}{i}": nn.PReLU() for i in (1, 2, 3)}
            for name, part in parts.items():
                self.add_module(name, part)

    def _guided(self, x: Tensor, text: Tensor, number: int, side: str) -> Tensor:
        def part(name: str) -> nn.Module:
            return getattr(self, name)

        height, width = x.shape[2], x.shape[3]
        x = part(f"prelu{side}1")(part(f"conv{side}1")(x))
        x = part(f"restormer{side}1")(x)
        grid = part(f"imagef2textf{side}1")(x)
        keys = grid.reshape(1, -1, self.hidden)
        answer = part(f"cross_attentionA{number}")(text, keys).mean(1, keepdim=True)
        weighted = (keys * unit(answer, 1, 2)).reshape(1, self.depth, *GRID)
        back = part(f"conv{side}2")(nearest(weighted, height, width))
        back = part(f"prelu{side}2")(back) + x
        return part(f"prelu{side}3")(part(f"conv{side}3")(torch.cat([x, back], 1)))

    def forward(self, a: Tensor, b: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        return self._guided(a, text, 1, "A"), self._guided(b, text, 2, "B")


class TextProcess(nn.Module):
    """Token features to the hidden size."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(FEATURES, hidden, 1)

    def forward(self, text: Tensor) -> Tensor:
        return F.linear(text, self.conv.weight.squeeze(2), self.conv.bias)


class PublishedFilm(nn.Module):
    """Sources a, b [1,1,H,W] in 0..1 and text [1,N,768] -> fused [1,1,H,W] in 0..1."""

    def __init__(self, shape: Shape = Shape()) -> None:
        super().__init__()
        self.shape = shape
        c = shape.channels
        self.text_process = TextProcess(shape.hidden)
        for i in range(1, shape.stages + 1):
            self.add_module(f"restormerca{i}", Stage(shape, 1 if i == 1 else c))
        self.restormer1 = Block(2 * c, shape.heads)
        self.conv1 = nn.Conv2d(2 * c, c, 1)
        self.restormer2 = Block(c, shape.heads)
        self.restormer3 = Block(c, shape.heads)
        self.conv2 = nn.Conv2d(c, 1, 1)

    def forward(self, a: Tensor, b: Tensor, text: Tensor) -> Tensor:
        text = self.text_process(text)
        for i in range(1, self.shape.stages + 1):
            a, b = getattr(self, f"restormerca{i}")(a, b, text)
        x = self.conv1(self.restormer1(torch.cat([a, b], 1)))
        return torch.sigmoid(self.conv2(self.restormer3(self.restormer2(x))))


def stretched(x: Tensor) -> Tensor:
    """Smallest value to 0, largest to 1: what the public test script does to each fused picture.

    A flat picture becomes 0 here; there it is a division by zero.
    """
    least, most = x.amin(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
    return (x - least) / torch.clamp(most - least, min=1e-12)


def parameters(net: nn.Module) -> int:
    """Number of trained numbers."""
    return sum(p.numel() for p in net.parameters())


def mac_per_pixel(shape: Shape, height: int, width: int, tokens: int) -> float:
    """Multiply-accumulates a pixel of one frame: convolutions, linear layers and attention."""
    pixels, cells = height * width, GRID[0] * GRID[1]
    keys = cells * shape.depth // shape.hidden

    def block(c: int) -> int:  # qkv, its 3x3, two products between channels, out; feed-forward
        wide = EXPANSION * c
        return 3 * c * c + 27 * c + 2 * c * c // shape.heads + c * c + 3 * c * wide + 18 * wide

    c, d, h = shape.channels, shape.depth, shape.hidden
    total = 0
    for stage in range(shape.stages):
        side = 9 * c * (c if stage else 1) + block(c) + c * d + d * c + 2 * c * c
        text = 2 * keys * h * h + 2 * tokens * h * h + 2 * tokens * keys * h
        total += 2 * (pixels * side + text)
    total += pixels * (block(2 * c) + 2 * c * c + 2 * block(c) + c) + tokens * FEATURES * h
    return total / pixels
