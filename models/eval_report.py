"""Markdown tables of the evaluation."""

from __future__ import annotations

from eval_methods import FLOAT, NOISY_PAIRS, OURS, SIGMA
from eval_scores import AT_SF, GAIN, METRICS, Row, SetResult
from eval_temporal import Temporal
from eval_text import ALL, COMPARED, KINDS, Effect
from eval_wish import DEGREES, Degrees, Places, WishEffect

Interval = tuple[float, float]
FLOOR = 1e-3  # a share of pixels below this is nothing that a ratio could be taken to


def number(value: float) -> str:
    """Four digits or so."""
    size = abs(value)
    return f"{value:.1f}" if size >= 100 else f"{value:.2f}" if size >= 10 else f"{value:.3f}"


def table(title: str, columns: tuple[str, ...], rows: dict[str, list[str]]) -> None:
    """One Markdown table."""
    print(f"\n**{title}**\n\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def numbers(title: str, columns: tuple[str, ...], rows: dict[str, Row]) -> None:
    """A table of a row of scores a method."""
    table(title, columns, {k: [number(v[c]) for c in columns] for k, v in rows.items()})


def show_set(result: SetResult) -> None:
    """As they are, at one mean and SD, at one spatial frequency."""
    head = f"{result.name} ({result.task}), {result.pairs} pairs"
    numbers(head, (*METRICS, GAIN), result.raw)
    print(
        f"\n{GAIN}: independent noise of SD {SIGMA:g} in both sources, first {NOISY_PAIRS} pairs."
    )
    for name in result.absent:
        print(f"\nNOT MEASURED: {name}; this filmd does not know one of its options.")
    numbers(
        f"{result.name}: every output at the mean of the sources' means and of their SDs",
        METRICS,
        result.one_level,
    )
    for reference, rows in result.one_sf.items():
        numbers(f"{result.name}: every output at the spatial frequency of {reference}", AT_SF, rows)


def relative_changes(result: SetResult) -> list[tuple[float, str]]:
    """(share, metric) of int8 against f32, largest first; of FLOOR where there is less."""
    int8, f32 = result.raw[OURS], result.raw[FLOAT]
    changes = [((int8[m] - f32[m]) / max(abs(f32[m]), FLOOR), m) for m in (*METRICS, GAIN)]
    return sorted(changes, key=lambda c: -abs(c[0]))


def show_int8(results: list[SetResult]) -> None:
    """PSNR and every metric's change."""
    rows = {}
    for result in results:
        if result.psnr:
            mean, least = sum(result.psnr) / len(result.psnr), min(result.psnr)
            changes = ", ".join(
                f"{m} {100 * c:+.2f} % ({result.raw[OURS][m] - result.raw[FLOAT][m]:+.4f})"
                for c, m in relative_changes(result)
            )
            rows[result.name] = [f"{mean:.1f} / {least:.1f} dB", changes]
    if rows:
        table(
            "int8 against f32", ("PSNR, mean / least", "change of each metric, worst first"), rows
        )


def span(low_high: Interval, digits: int = 2) -> str:
    """[low, high]."""
    return f"[{low_high[0]:+.{digits}f}, {low_high[1]:+.{digits}f}]"


def show_texts(scores: dict[str, dict[str, list[float]]], effects: list[Effect]) -> None:
    """Closeness to the clean target, then the paired differences."""
    rows = {
        name: [f"{values[k][0]:.2f} / {values[k][1]:.4f}" for k in KINDS]
        for name, values in scores.items()
    }
    table("Degraded pairs: PSNR (dB) / SSIM to the fusion of the clean pair", KINDS, rows)
    for better, worse in COMPARED:
        rows = {}
        for effect in effects:
            if effect.compared == (better, worse):
                digits = 2 if effect.metric == "PSNR" else 4
                rows[f"{effect.condition}, {effect.metric}"] = [
                    f"{effect.mean:+.{digits}f}",
                    span(effect.by_scene, digits),
                    "yes" if effect.positive else "no",
                    span(effect.by_picture, digits),
                ]
        columns = ("mean", "95 % by scene", "above zero", "95 % by picture")
        table(f"{better} minus {worse}", columns, rows)


def show_tasks(rows: dict[str, list[float]], tasks: tuple[str, ...]) -> None:
    """Scores of a task's pairs under each task's neutral sentence."""
    title = "QABF + VIFF of a task's pairs under the neutral sentence of ..."
    table(title, tasks, {k: [number(v) for v in values] for k, values in rows.items()})


def show_wishes(found: list[WishEffect]) -> None:
    """Contrast of warm targets and change of the background."""
    columns = (
        "pictures",
        "contrast of warm targets",
        "95 % by scene",
        "95 % by picture",
        "background: mean change, of full scale",
        "of its own mean",
        "shift of its mean",
    )
    rows = {}
    for w in found:
        spans = (tuple(100 * v for v in i) for i in (w.by_scene, w.by_picture))
        rest = (w.background_scale, w.background_own, w.background_shift)
        rows[w.words] = [
            str(w.pictures),
            f"{100 * w.contrast:+.1f} %",
            *(f"{span(i, 1)} %" for i in spans),
            *(f"{100 * v:.2f} %" for v in rest),
        ]
    table("Bringing out people, against neutral text", columns, rows)


def show_degrees(degrees: Degrees, places: list[Places]) -> None:
    """Degrees and places of the same wish."""
    columns = ("pictures", "contrast of warm targets", "background: mean change, of full scale")
    cells = zip(degrees.contrast, degrees.background, strict=True)
    rows = {
        text: [str(degrees.pictures), f"{100 * c:+.1f} %", f"{100 * b:.2f} %"]
        for text, (c, b) in zip(DEGREES, cells, strict=True)
    }
    table("Degrees, against neutral text", columns, rows)
    print(f"\nSlightly < plain < strongly in {100 * degrees.monotone:.0f} % of the pictures.")
    for place in places:
        own, other = (sum(g[i] for g in place.gains) / len(place.gains) for i in range(2))
        print(
            f"On the {place.side}: {own:+.1f} grey levels of contrast there, {other:+.1f} on the "
            f"other side; at least twice as much in {place.kept} of {len(place.gains)} pictures."
        )


def show_temporal(found: Temporal) -> None:
    """Flicker and the jump at a change of the text."""
    a, b = found.sources
    print(
        f"\n**Temporal**: flicker {found.fused:.3f} grey levels, sources {a:.3f} and {b:.3f}; a "
        f'change from neutral to "{found.swap_text}" at once moves the picture by '
        f"{found.swap:.2f} grey levels."
    )


def pooled(effects: list[Effect]) -> list[Effect]:
    """Those over all conditions."""
    return [e for e in effects if e.condition == ALL]
