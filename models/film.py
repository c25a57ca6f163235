"""The fusion network of filmd: a small text-guided net after FILM (Zhao et al., ICML 2024).

Idea kept from FILM: token features of a text meet image features in cross-attention, M times,
and the guided features are decoded to the fused luma.  Everything else is sized for a board:
the trunk works on 4x4 pixel cells (space-to-depth), attention on a grid of 16x16 pixels.

Shapes: images [N,1,H,W] in 0..1 with H, W multiples of 16; guidance [N,L,D], unused rows zero.
No op depends on a run-time shape, so that the ONNX graph has neither Shape nor Gather nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rounding import Rounded, conv

CELL = 4  # pixels per trunk cell, each way
TOKENS = 64  # guidance rows
FEATURES = 384  # guidance columns (MiniLM hidden size)
MULTIPLE_OF = 16  # CELL * 4 (context and attention grid)
DETAIL = 0.5  # bound of the additive detail, in units of full scale
DEAD_ZONE = 1 / 255  # what is taken off the detail's magnitude: less than a grey level is none
SLOPE = 1e4  # a text row is used as far as SLOPE times the sum of its magnitudes, at most 1
CLOSED = 1e4  # taken off the attention scores of a row that is not used


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; the defaults are the shipped ones, the switches are for ablations."""

    channels: int = 32  # trunk width at quarter resolution
    blocks: int = 4  # residual blocks (3x3, ReLU, 1x1)
    context: int = 32  # width of the context grid at 1/16 resolution
    heads: int = 2  # attention heads
    pooled: int = 64  # hidden width of the pooled text vector
    activity: bool = True  # the third input plane: which source is the more active
    bands: bool = True  # blend the coarse band with smoothed weights


class Activity(nn.Module):
    """Which source has the stronger gradients: (Ea - Eb) / (Ea + Eb + FLOOR), [N,1,H,W] in -1..1.

    E is |gx| + |gy| (Sobel, replicated borders) summed over 3x3 pixels; FLOOR is the energy of
    noise of about 20 grey levels, so that grain says "neither".  A floor of 0.6 made the video flicker:
    the noisier source won where nothing was to be seen.  Nothing here is trained.
    """

    FLOOR = 4.0

    def __init__(self) -> None:
        super().__init__()
        x = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        self.register_buffer("sobel", torch.stack([x, x.T])[:, None], persistent=False)
        self.register_buffer("box", torch.ones(1, 2, 3, 3), persistent=False)

    def energy(self, x: Tensor) -> Tensor:
        """[N,1,H,W] -> [N,1,H,W], at least 0."""
        # F.pad would export as a chain of nodes that compute its sizes.
        x = torch.cat([x[:, :, :1], x, x[:, :, -1:]], 2)
        x = torch.cat([x[..., :1], x, x[..., -1:]], 3)
        g = F.conv2d(x, self.sobel).abs()
        return F.conv2d(g, self.box, padding=1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        ea, eb = self.energy(a), self.energy(b)
        return (ea - eb) / (ea + eb + self.FLOOR)


class _Revived(torch.autograd.Function):
    """ReLU whose gradient leaks below zero, so that a unit that went silent can come back."""

    LEAK = 0.05

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        y = F.relu(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return torch.where(y > 0, gradient, _Revived.LEAK * gradient)


class Relu(nn.Module):
    """A plain ReLU; in training its gradient leaks.

    Without the leak, up to two thirds of the units of the deeper layers die at our learning rate.
    """

    def forward(self, x: Tensor) -> Tensor:
        return _Revived.apply(x) if self.training else F.relu(x)


def shrink(x: Tensor) -> Tensor:
    """Soft threshold (Donoho 1995): where a source is right as it is, 8-bit features add nothing to it.

    The gradient passes whole, so that a detail that is none can still grow.
    """
    return x - torch.clamp(x, -DEAD_ZONE, DEAD_ZONE).detach()


class Block(nn.Module):
    """Residual block: 3x3, ReLU, 1x1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.wide = nn.Conv2d(channels, channels, 3, padding=1)
        self.middle = Rounded()
        self.mix = nn.Conv2d(channels, channels, 1)
        self.relu = Relu()
        nn.init.zeros_(self.mix.weight)  # starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        on = self.middle.on
        return x + conv(self.mix, self.middle(self.relu(conv(self.wide, x, on))), on)


class Upsample(nn.Module):
    """Times-r upsampling as a depthwise 3x3 to r*r sub-positions, then depth-to-space.

    Starts as bilinear interpolation.  A Resize node would do the same, but runs ten times slower
    in tract than a convolution.
    """

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.taps = nn.Conv2d(channels, channels * factor * factor, 3, padding=1, groups=channels)
        offset = (torch.arange(factor) + 0.5) / factor - 0.5  # of a sub-position, in cells
        taps = F.relu(1 - (offset[:, None] - torch.arange(-1, 2)[None]).abs())  # [r,3]
        kernel = torch.einsum("iy,jx->ijyx", taps, taps).reshape(factor * factor, 1, 3, 3)
        with torch.no_grad():
            self.taps.weight.copy_(kernel.repeat(channels, 1, 1, 1))
            self.taps.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.taps(x), self.factor)


class TextAttention(nn.Module):
    """Cross-attention: queries from grid cells [N,C,h,w], keys and values from the text rows.

    Heads are separate projections and cells stay in two axes, so no reshape needs a run-time size.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        size = channels // heads
        self.scale = size**-0.5
        self.query = nn.ModuleList(nn.Conv2d(channels, size, 1) for _ in range(heads))
        self.key = nn.ModuleList(nn.Linear(FEATURES, size) for _ in range(heads))
        self.value = nn.ModuleList(nn.Linear(FEATURES, size) for _ in range(heads))
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)  # training starts text-free
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, text: Tensor, closed: Tensor) -> Tensor:
        """x [N,C,h,w], text [N,L,D], closed [N,1,1,L] (0, or a large negative number)."""
        heads = []
        for query, key, value in zip(self.query, self.key, self.value):
            q = query(x).permute(0, 2, 3, 1)  # [N,h,w,S]
            k = key(text).transpose(1, 2).unsqueeze(1)  # [N,1,S,L]
            v = value(text).unsqueeze(1)  # [N,1,L,S]
            weights = torch.softmax(torch.matmul(q, k) * self.scale + closed, dim=-1)
            heads.append(torch.matmul(weights, v).permute(0, 3, 1, 2))  # [N,S,h,w]
        return self.out(torch.cat(heads, 1))


class Guide(nn.Module):
    """One meeting of text and image on the context grid (1/16), added to the trunk.

    No ReLU stands behind `leave`: its inputs are large and positive, and a few steps of training
    were enough to silence every unit for good.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        c, g = shape.channels, shape.context
        self.enter = nn.Conv2d(c, g, 3, padding=1)
        self.attend = TextAttention(g, shape.heads)
        self.leave = nn.Conv2d(g, c, 3, padding=1)
        self.fine = Upsample(c, 4)
        self.relu = Relu()
        nn.init.zeros_(self.leave.weight)  # starts as the identity
        self.pooled, self.entered, self.attended, self.left = (Rounded() for _ in range(4))

    def forward(self, x: Tensor, text: Tensor, closed: Tensor) -> Tensor:
        on = self.pooled.on
        grid = self.entered(self.relu(conv(self.enter, self.pooled(F.avg_pool2d(x, 4)), on)))
        grid = self.attended(grid + self.attend(grid, text, closed))
        return x + self.fine(self.left(conv(self.leave, grid, on)))


class PooledText(nn.Module):
    """Mean of the used text rows to a scale and a shift per channel, for each of two stages."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.channels = shape.channels
        self.hidden = nn.Linear(FEATURES, shape.pooled)
        self.out = nn.Linear(shape.pooled, 4 * shape.channels)
        nn.init.zeros_(self.out.weight)  # training starts text-free
        nn.init.zeros_(self.out.bias)

    def forward(self, text: Tensor, used: Tensor) -> list[Tensor]:
        """text [N,L,D], used [N,L,1] in {0,1} -> four tensors [N,C,1,1]: scale, shift, twice."""
        count = torch.clamp(used.sum(1), min=1.0)
        mean = text.sum(1) / count  # unused rows are zero
        both = self.out(F.relu(self.hidden(mean))).unsqueeze(-1).unsqueeze(-1)
        c = self.channels
        return [both[:, i * c : (i + 1) * c] for i in range(4)]


class Film(nn.Module):
    """fused = w a + (1 - w) b + (W - w) C + d, with w and d from the guided trunk.

    C and W are the 4x4 cell means of a - b and of w, brought up bilinearly: the weights choose the
    fine band pixel by pixel and the coarse band smoothly, as in a pyramid (Burt and Adelson 1983), so
    that a switch from one source to the other leaves no step between their levels.
    """

    def __init__(self, shape: Shape = Shape()) -> None:
        super().__init__()
        self.shape = shape
        c, cells = shape.channels, CELL * CELL
        half = shape.blocks // 2
        self.activity = Activity()
        self.up = Upsample(1, CELL).requires_grad_(False)
        self.stem = nn.Conv2d((2 + shape.activity) * cells, c, 3, padding=1)
        self.relu = Relu()
        self.pooled = PooledText(shape)
        self.guides = nn.ModuleList(Guide(shape) for _ in range(2))
        self.early = nn.ModuleList(Block(c) for _ in range(half))
        self.late = nn.ModuleList(Block(c) for _ in range(shape.blocks - half))
        self.head = nn.Conv2d(c, 2 * cells, 3, padding=1)
        self.features = nn.ModuleList(Rounded() for _ in range(shape.blocks + 3))
        nn.init.zeros_(self.head.weight)  # starts as the mean of the sources
        nn.init.zeros_(self.head.bias)

    def quantised(self, on: bool) -> None:
        """Rounds weights and features as the 8-bit network does, or not."""
        for module in self.modules():
            if isinstance(module, Rounded):
                module.on = on

    def maps(self, a: Tensor, b: Tensor, guidance: Tensor) -> tuple[Tensor, Tensor]:
        """a, b [N,1,H,W] in 0..1, guidance [N,L,D] -> logit of a's weight and detail [N,1,H,W]."""
        used = torch.clamp(guidance.abs().sum(-1, keepdim=True) * SLOPE, max=1.0)  # [N,L,1]
        closed = ((used - 1.0) * CLOSED).transpose(1, 2).unsqueeze(1)  # [N,1,1,L]
        scale1, shift1, scale2, shift2 = self.pooled(guidance, used)
        rounded, on = iter(self.features), self.features[0].on
        planes = [a - 0.5, b - 0.5]
        if self.shape.activity:
            planes.append(0.5 * self.activity(a, b))  # as large as the others: one 8-bit scale
        x = torch.cat([F.pixel_unshuffle(p, CELL) for p in planes], 1)
        x = next(rounded)(self.relu(conv(self.stem, x, on)) * (1.0 + scale1) + shift1)
        x = next(rounded)(self.guides[0](x, guidance, closed))
        for block in self.early[:-1]:
            x = next(rounded)(block(x))
        x = next(rounded)(self.early[-1](x) * (1.0 + scale2) + shift2)
        x = next(rounded)(self.guides[1](x, guidance, closed))
        for block in self.late:
            x = next(rounded)(block(x))
        maps = F.pixel_shuffle(conv(self.head, x, on), CELL)  # [N,2,H,W]
        return maps[:, :1], shrink(torch.clamp(maps[:, 1:], -DETAIL, DETAIL))

    def blend(self, a: Tensor, b: Tensor, logit: Tensor, detail: Tensor) -> Tensor:
        """The formula above, not clipped."""
        w, c = torch.sigmoid(logit), a - b
        if not self.shape.bands:
            return b + w * c + detail
        coarse_w, coarse_c = (self.up(F.avg_pool2d(x, CELL)) for x in (w, c))
        return b + w * c + (coarse_w - w) * coarse_c + detail

    def forward(self, a: Tensor, b: Tensor, guidance: Tensor) -> Tensor:
        """a, b [N,1,H,W] in 0..1, guidance [N,L,D] -> fused [N,1,H,W] in 0..1."""
        return torch.clamp(self.blend(a, b, *self.maps(a, b, guidance)), 0.0, 1.0)


def parameters(net: nn.Module) -> int:
    """Number of trained numbers."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def mac_per_pixel(net: Film, height: int = 480, width: int = 640) -> float:
    """Multiply-accumulates a pixel of one frame: convolutions, linear layers and attention."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += module.weight.numel() * output.shape[-1] * output.shape[-2]
        elif isinstance(module, nn.Linear):
            total += module.weight.numel() * (output.numel() // output.shape[-1])
        elif isinstance(module, TextAttention):  # q k^T and weights v
            total += 2 * output.numel() * inputs[1].shape[1]
        elif isinstance(module, Activity):  # two Sobel filters and a box a source
            total += 2 * (18 + 18) * output.numel()

    hooks = [m.register_forward_hook(count) for m in net.modules()]
    image = torch.zeros(1, 1, height, width)
    with torch.no_grad():
        net(image, image, torch.zeros(1, TOKENS, FEATURES))
    for hook in hooks:
        hook.remove()
    return total / (height * width)


if __name__ == "__main__":
    film = Film().eval()
    print(f"parameters {parameters(film)}  MAC/pixel {mac_per_pixel(film):.0f}")
