# SPDX-License-Identifier: Apache-2.0
"""Figures of answers against truth: confusion, F1, intervals over people, reliability, coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, SECOND_NS

FEWEST = 10  # answers that make a share


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Truth, answer and confidence per epoch of each person."""

    name: str
    classes: tuple[str, ...]
    truth: dict[str, NDArray[np.int64]]
    answer: dict[str, NDArray[np.int64]]
    confidence: dict[str, NDArray[np.float64]]

    def figures(self) -> dict[str, Any]:
        """Pooled and per person figures with a bootstrap interval over people."""
        who = sorted(self.truth)
        k = len(self.classes)
        matrices = {p: confusion(self.truth[p], self.answer[p], k) for p in who}
        total = sum(matrices.values(), np.zeros((k, k + 1), int))
        own = [macro(matrices[p]) for p in who]
        rng = np.random.default_rng(0)
        draws = [
            macro(sum((matrices[who[i]] for i in rng.integers(0, len(who), len(who))), 0 * total))
            for _ in range(500)
        ]
        t = np.concatenate([self.truth[p] for p in who])
        a = np.concatenate([self.answer[p] for p in who])
        c = np.concatenate([self.confidence[p] for p in who])
        day = total.sum() * EPOCH_NS / SECOND_NS / 86_400
        return {
            "name": self.name,
            "people": len(who),
            "epochs": int(total.sum()),
            "classes": list(self.classes),
            "accuracy": round(float((t == a).mean()), 4),
            "macro_f1": round(macro(total), 4),
            "interval_95": [round(float(np.percentile(draws, q)), 4) for q in (2.5, 97.5)],
            "f1": dict(zip(self.classes, np.round(f1(total), 4).tolist(), strict=True)),
            "median_person": round(float(np.median(own)), 4),
            "worst_person": round(float(min(own)), 4),
            "unknown_share": round(float((a < 0).mean()), 4),
            "ece": round(calibration_error(t == a, c), 4),
            "reliability": reliability(t == a, c),
            "risk_coverage": risk_coverage(t == a, c),
            "confusion": total.tolist(),
            "minutes_per_day_error": {
                name: round(float((total[:, i].sum() - total[i].sum()) * 5 / 60 / day), 1)
                for i, name in enumerate(self.classes)
            },
        }


def confusion(t: NDArray[np.int64], a: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Rows truth, columns answer; the last column is unknown or something else."""
    out = np.zeros((k, k + 1), np.int64)
    np.add.at(out, (t, np.where((a < 0) | (a >= k), k, a)), 1)
    return out


def f1(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 per class of a confusion matrix."""
    k = matrix.shape[0]
    hit = np.diag(matrix[:, :k]).astype(np.float64)
    both = matrix.sum(axis=1) + matrix[:, :k].sum(axis=0)
    return np.asarray(2 * hit / np.maximum(both, 1))


def macro(matrix: Any) -> float:
    """Mean F1 of the classes that occur."""
    there = matrix.sum(axis=1) > 0
    return float(f1(matrix)[there].mean())


def calibration_error(right: NDArray[np.bool_], c: NDArray[np.float64]) -> float:
    """Expected calibration error over ten equal bins."""
    return float(sum(abs(b[1] - b[0]) * b[2] for b in reliability(right, c)))


def reliability(right: NDArray[np.bool_], c: NDArray[np.float64]) -> list[list[float]]:
    """Per bin: mean confidence, share right, share of epochs."""
    bins = np.minimum((c * 10).astype(int), 9)
    return [
        [round(float(c[m].mean()), 4), round(float(right[m].mean()), 4), round(float(m.mean()), 4)]
        for m in (bins == b for b in range(10))
        if m.any()
    ]


def risk_coverage(right: NDArray[np.bool_], c: NDArray[np.float64]) -> list[list[float]]:
    """Threshold, share answered, share wrong among the answered."""
    return [
        [q, round(float((c >= q).mean()), 4), round(float(1 - right[c >= q].mean()), 4)]
        for q in (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
        if (c >= q).any()
    ]


def unknown_threshold(parts: Sequence[Scored]) -> dict[str, Any]:
    """The confidence below which an answer is more often wrong than right, pooled over sets.

    `unknown` counts as wrong, so it costs whatever was right below the threshold; it is worth that
    only where most answers are wrong. The same with each set left out shows how firm it is.
    """

    def earned(chosen: Sequence[Scored]) -> float:
        right = np.concatenate([(s.truth[p] == s.answer[p]) for s in chosen for p in s.truth])
        sure = np.concatenate([s.confidence[p] for s in chosen for p in s.truth])
        best = 0.0
        for q in np.arange(0.2, 0.8, 0.02):
            below = (sure < q) & (sure > 0)
            if below.sum() >= FEWEST and right[below].mean() < 0.5:
                best = float(q)
        return round(best, 2)

    return {
        "all_sets": earned(parts),
        "each_set_left_out": {
            s.name: earned([o for o in parts if o is not s]) for s in parts if len(parts) > 1
        },
    }
