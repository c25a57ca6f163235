"""Every set beside the others, worst first: no setting is chosen on one camera's pictures alone.

A set's margin is the smaller of the leads in QABF and in VIFF (sums over both sources, VIFF's divided by
four, which brings both to like ranges) over the best hand rule that keeps enough of each source's edges
(DOMQ).  M3SVD's videos are another camera and never trained on; of TNO all 17 pairs are taken, 14 of which
are trained on, and of the other sets the held-out part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import data
import eval_rules
from eval_methods import OURS, Filmd, Method, Sources
from eval_report import number, table
from eval_scores import Row, Scorer, means
from validate import spread, yardstick

VIDEO, OTHER = "m3svd", "tno_rest"
FRAMES = ("0000", "0008", "0016")  # of each of its scenes
SHOWN = ("QABF", "VIFF", "SCD", "DOMQ", "NABF", "CLIP")
LEAST_DOMQ = 0.5
LAPLACIAN = "Laplacian"


@dataclass(frozen=True)
class Domain:
    """Ours and the rules on one set."""

    name: str
    pairs: int
    rows: dict[str, Row]

    def rivals(self) -> dict[str, Row]:
        """The rules that keep enough of each source; all of them where none does."""
        rules = {n: r for n, r in self.rows.items() if n != OURS}
        return {n: r for n, r in rules.items() if r["DOMQ"] >= LEAST_DOMQ} or rules

    def lead(self, metric: str) -> tuple[float, str]:
        """Over the best rule, and its name."""
        best, name = max((row[metric], name) for name, row in self.rivals().items())
        return self.rows[OURS][metric] - best, name

    @property
    def margin(self) -> float:
        return min(self.lead("QABF")[0], self.lead("VIFF")[0] / 4)


def video(folder: Path) -> list[data.Pair]:
    """Frames of M3SVD's clean scenes; none where the set is not beside the others."""
    scenes = sorted((folder.parent / VIDEO / "infrared_Enhance").glob("*"))
    return [
        data.Pair(
            VIDEO,
            f"{scene.name}_{frame}",
            data.luma(scene / f"{frame}.png"),
            data.luma(scene.parents[1] / "visible_Enhance" / scene.name / f"{frame}.png"),
        )
        for scene in scenes
        for frame in FRAMES
    ]


def few(folder: Path) -> list[data.Pair]:
    """All of TNO's pairs; none where the set is not beside the others."""
    files = [{p.stem: p for p in (folder / OTHER / side).glob("*")} for side in "ab"]
    stems = sorted(files[0].keys() & files[1].keys())
    return [data.Pair(OTHER, s, data.luma(files[0][s]), data.luma(files[1][s])) for s in stems]


def rules(task: str) -> list[Method]:
    """The rules that are hard to beat on any set."""
    baselines = yardstick("baselines")

    def laplacian(a, b):
        return baselines._o(baselines.lp_float(a, b, 5, "avg", 1.0, 3))

    found = {eval_rules.GUIDED: baselines.gff, LAPLACIAN: laplacian}
    if task == "mef":
        found["Mertens"] = baselines.mertens
    if task == "mff":
        found[eval_rules.DECISION] = eval_rules.decision_map
    return [Method(name, rule=rule) for name, rule in found.items()]


def measure(filmd: Filmd, folder: Path, work: Path, int8: str, limit: int) -> list[Domain]:
    """Every set, worst first."""
    scorer, found = Scorer(work / "domains.json"), []
    sets = {name: data.load(folder, name, "val") for name in data.SETS}
    sets |= {OTHER: few(folder), VIDEO: video(folder)}
    for name, all_pairs in sets.items():
        pairs = spread(all_pairs, limit)
        if not pairs:
            print(f"\n{name}: NOT MEASURED, it is not beside the other sets")
            continue
        sources = Sources(work, pairs, "domain")
        rows = {}
        for method in (Method(OURS, ("--model", int8)), *rules(pairs[0].task)):
            pictures = sources.fused(filmd, method)
            scores = [scorer.score(p, f, SHOWN) for p, f in zip(pairs, pictures, strict=True)]
            rows[method.name] = means(scores)
        found.append(Domain(name, len(pairs), rows))
        scorer.save()
    return sorted(found, key=lambda d: d.margin)


def show(found: list[Domain]) -> None:
    """One table."""
    rows = {}
    for domain in found:
        (q, by_q), (v, by_v) = domain.lead("QABF"), domain.lead("VIFF")
        mine = domain.rows[OURS]
        rows[f"{domain.name}, {domain.pairs} pairs"] = [
            *(number(mine[m]) for m in SHOWN),
            f"{q:+.3f} ({by_q})",
            f"{v:+.3f} ({by_v})",
        ]
    table("Domains, worst first", (*SHOWN, "QABF over a rule", "VIFF over a rule"), rows)
