"""Scores of fused pictures by the yardstick, kept by content: what was scored once stays scored."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import data
from eval_methods import FLOAT, NOISY_PAIRS, OURS, TONE, Filmd, Method, Sources, noisy
from validate import yardstick

METRICS = ("EN", "SD", "SF", "AG", "VIFF", "QABF", "SSIM", "SCD", "DOMQ", "NABF", "CLIP", "CORE")
AT_SF = ("SF", "VIFF", "QABF")
GAIN = "noise gain"
Row = dict[str, float]


@dataclass
class SetResult:
    """Means over one set by method, and how far int8 is from f32."""

    name: str
    task: str
    pairs: int
    raw: dict[str, Row] = field(default_factory=dict)
    one_level: dict[str, Row] = field(default_factory=dict)  # one mean and SD a pair
    one_sf: dict[str, dict[str, Row]] = field(default_factory=dict)  # at the SF of a method
    psnr: list[float] = field(default_factory=list)  # int8 to f32, dB, a pair
    absent: list[str] = field(default_factory=list)  # methods that this filmd does not know


class Scorer:
    """Yardstick scores with a cache file."""

    def __init__(self, cache: Path) -> None:
        self.cache, self.metrics = cache, yardstick("fusion_metrics")
        self.known = json.loads(cache.read_text()) if cache.exists() else {}
        self.code = Path(self.metrics.__file__).read_bytes()
        self.pair: tuple[str, object] = ("", None)

    def score(self, pair: data.Pair, fused: np.ndarray, wanted: tuple[str, ...]) -> Row:
        """Scores of one picture. Pairs come in runs, so one pair's own part is kept in memory."""
        sources = hashlib.sha256(self.code + pair.a.tobytes() + pair.b.tobytes()).hexdigest()
        key = hashlib.sha256(sources.encode() + fused.tobytes()).hexdigest()[:24]
        row = self.known.setdefault(key, {})
        missing = tuple(m for m in wanted if m not in row)
        if missing:
            if self.pair[0] != sources:
                self.pair = (sources, self.metrics.Pair(pair.a, pair.b))
            row.update(self.pair[1].evaluate(fused, missing))
        return {m: row[m] for m in wanted}

    def save(self) -> None:
        """Writes the cache."""
        self.cache.parent.mkdir(parents=True, exist_ok=True)
        self.cache.write_text(json.dumps(self.known))

    def spatial_frequency(self, picture: np.ndarray) -> float:
        return self.metrics.sf(picture)


def to_u8(x: np.ndarray) -> np.ndarray:
    """Rounded and clipped to uint8."""
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def level(pair: data.Pair, fused: np.ndarray) -> np.ndarray:
    """Affine map to the mean of the sources' means and the mean of their SDs."""
    mean, sd = (np.mean([f(x) for x in (pair.a, pair.b)]) for f in (np.mean, np.std))
    f = fused.astype(np.float64)
    return to_u8((f - f.mean()) * (sd / max(f.std(), 1e-6)) + mean)


def at_sf(scorer: Scorer, fused: np.ndarray, wanted: float) -> np.ndarray:
    """Contrast about the mean scaled until the spatial frequency is `wanted`; clipping, which
    lowers it again, is made up for in a few steps."""
    f, gain, out = fused.astype(np.float64), 1.0, fused
    for _ in range(4):
        gain *= wanted / max(scorer.spatial_frequency(out), 1e-6)
        out = to_u8((f - f.mean()) * gain + f.mean())
    return out


def psnr(x: np.ndarray, y: np.ndarray) -> float:
    """dB between two uint8 pictures; equal ones give that of one level off in one pixel."""
    error = float(np.mean((x.astype(np.float64) - y) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1 / x.size)))


def means(rows: list[Row]) -> Row:
    """Mean by column."""
    return {m: float(np.mean([row[m] for row in rows])) for m in rows[0]}


def noise_gain(pair: data.Pair, disturbed: data.Pair, clean: np.ndarray, out: np.ndarray) -> float:
    """SD of what the sources' noise changes in the fused picture, over the noise's own."""
    sources = ((pair.a, disturbed.a), (pair.b, disturbed.b))
    came = np.sqrt(np.mean([np.var(n.astype(float) - x) for x, n in sources]))
    return float(np.std(out.astype(float) - clean) / came)


def evaluate(
    scorer: Scorer, filmd: Filmd, methods: list[Method], pairs: list[data.Pair], work: Path
) -> SetResult:
    """Fuses one set by every method and scores it as it is and after equalising."""
    result = SetResult(pairs[0].set, pairs[0].task, len(pairs))
    result.absent = [m.name for m in methods if not filmd.knows(m)]
    methods = [m for m in methods if filmd.knows(m)]
    clean = Sources(work, pairs, "clean")
    disturbed = Sources(work, [noisy(p) for p in pairs[:NOISY_PAIRS]], "noisy")
    fused = {m.name: clean.fused(filmd, m) for m in methods}
    raw, one_level = ({m.name: [] for m in methods} for _ in range(2))
    references = [m for m in (OURS, TONE) if m in fused]
    one_sf = {r: {m.name: [] for m in methods} for r in references}
    for i, pair in enumerate(pairs):
        for name, pictures in fused.items():
            picture = pictures[i]
            raw[name].append(scorer.score(pair, picture, METRICS))
            one_level[name].append(scorer.score(pair, level(pair, picture), METRICS))
            for reference in references:
                wanted = scorer.spatial_frequency(fused[reference][i])
                mapped = at_sf(scorer, picture, wanted)
                one_sf[reference][name].append(scorer.score(pair, mapped, AT_SF))
    for method in methods:
        result.raw[method.name] = means(raw[method.name])
        result.one_level[method.name] = means(one_level[method.name])
        gains = map(
            noise_gain, pairs, disturbed.pairs, fused[method.name], disturbed.fused(filmd, method)
        )
        result.raw[method.name][GAIN] = float(np.mean(list(gains)))
    result.one_sf = {r: {m: means(v) for m, v in rows.items()} for r, rows in one_sf.items()}
    if OURS in fused and FLOAT in fused:
        result.psnr = [psnr(x, y) for x, y in zip(fused[OURS], fused[FLOAT])]
    scorer.save()
    return result
