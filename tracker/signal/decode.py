# SPDX-License-Identifier: Apache-2.0
"""From evidence per block to a posture per block: a hidden Markov model, motion-gated.

Posture does not change without motion, so the cost of a change is high where the block was still
and low where it moved (recognition.md section 5: a light penalty gains, a heavy one eats short
bouts). Vertical displacement says which way a change went. Filtering runs forward for ever;
smoothing looks `LAG` blocks ahead, so a label is settled after a fixed time and the result does
not depend on how the stream was split.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LIE, SIT, STAND, WALK, EXER = range(5)
CLASSES = 5
LAG = 12
_FEW = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Per block: likelihood (n, 5) and change matrix (n, 5, 5) from the block before, float64."""

    likelihood: NDArray[np.float64]
    change: NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.likelihood.shape[0])


def forward(alpha: NDArray[np.float64], evidence: Evidence) -> NDArray[np.float64]:
    """Filtered probabilities (n, 5). Plain Python: five states are too few for numpy to pay.

    Written out, because a day is 34,560 steps: loops over five states cost twice as much.
    """
    n = len(evidence)
    # (n, state now, state before), so that a row of numbers comes in the order of its use
    turned = evidence.change.transpose(0, 2, 1) * evidence.likelihood[:, :, None]
    a, b, c, d, e = alpha.tolist()
    out: list[float] = []
    for (
        aa, ab, ac, ad, ae, ba, bb, bc, bd, be, ca, cb, cc, cd, ce,
        da, db, dc, dd, de, ea, eb, ec, ed, ee,
    ) in turned.reshape(n, -1).tolist():  # fmt: skip
        a, b, c, d, e = (
            a * aa + b * ab + c * ac + d * ad + e * ae,
            a * ba + b * bb + c * bc + d * bd + e * be,
            a * ca + b * cb + c * cc + d * cd + e * ce,
            a * da + b * db + c * dc + d * dd + e * de,
            a * ea + b * eb + c * ec + d * ed + e * ee,
        )
        scale = 1.0 / (a + b + c + d + e)
        a, b, c, d, e = a * scale, b * scale, c * scale, d * scale, e * scale
        out += (a, b, c, d, e)
    return np.array(out).reshape(n, CLASSES)


def smooth(alpha: NDArray[np.float64], evidence: Evidence, count: int) -> NDArray[np.float64]:
    """Probabilities (count, 5) of the first blocks, each given at most LAG blocks of the future.

    A few blocks (live) run through plain Python, many (batch) through numpy: the same operations in
    the same order, so the same bits.
    """
    if count <= _FEW:
        table = _Table.of(alpha, evidence)
        last = len(evidence) - 1
        rows = [table.sweep(i, min(i + LAG, last), keep=1)[0] for i in range(count)]
        return np.array(rows).reshape(count, CLASSES)
    n = len(evidence)
    # Blocks last, so that every sum runs over neighbours in memory; a pad says nothing.
    lik = np.ones((CLASSES, count + LAG))
    lik[:, :n] = evidence.likelihood[: count + LAG].T
    change = np.zeros((CLASSES, CLASSES, count + LAG))
    change[:, :, :n] = evidence.change[: count + LAG].transpose(1, 2, 0)
    beta = np.ones((CLASSES, count))
    for ahead in range(LAG, 0, -1):
        there = min(count, n - ahead)  # a block that does not exist yet leaves exactly one
        if there <= 0:
            continue
        weighted = lik[:, ahead : ahead + there] * beta[:, :there]
        step = change[:, :, ahead : ahead + there]
        new = step[:, 0] * weighted[0]
        for s in range(1, CLASSES):
            new += step[:, s] * weighted[s]
        beta[:, :there] = new / _total(new)
    joint = alpha[:count].T * beta
    return np.ascontiguousarray((joint / _total(joint)).T)


def smooth_tail(alpha: NDArray[np.float64], evidence: Evidence, first: int) -> NDArray[np.float64]:
    """Probabilities of the blocks from `first` on, given all that is there: provisional."""
    n = len(evidence)
    if first >= n:
        return np.empty((0, CLASSES))
    return np.array(_Table.of(alpha, evidence, first).sweep(0, n - 1 - first, keep=n - first))


def _total(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values[0] + values[1] + values[2] + values[3] + values[4])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Filtered probabilities, likelihoods and changes as plain numbers, 5, 5 and 25 a block."""

    alpha: list[list[float]]
    likelihood: list[list[float]]
    change: list[list[float]]

    @classmethod
    def of(cls, alpha: NDArray[np.float64], evidence: Evidence, first: int = 0) -> "_Table":
        """Blocks from `first` on."""
        return cls(
            alpha=alpha[first:].tolist(),
            likelihood=evidence.likelihood[first:].tolist(),
            change=evidence.change[first:].reshape(-1, CLASSES * CLASSES).tolist(),
        )

    def sweep(self, first: int, last: int, *, keep: int) -> list[list[float]]:
        """Smoothed probabilities of `keep` blocks from `first` on, looking back from `last`."""
        a = b = c = d = e = 1.0
        out: list[list[float]] = []
        for i in range(last, first - 1, -1):
            if i < first + keep:
                x = self.alpha[i]
                joint = x[0] * a, x[1] * b, x[2] * c, x[3] * d, x[4] * e
                total = joint[0] + joint[1] + joint[2] + joint[3] + joint[4]
                out.append([v / total for v in joint])
            if i == first:
                break
            la, lb, lc, ld, le = self.likelihood[i]
            a, b, c, d, e = la * a, lb * b, lc * c, ld * d, le * e
            (
                aa, ab, ac, ad, ae, ba, bb, bc, bd, be, ca, cb, cc, cd, ce,
                da, db, dc, dd, de, ea, eb, ec, ed, ee,
            ) = self.change[i]  # fmt: skip
            a, b, c, d, e = (
                aa * a + ab * b + ac * c + ad * d + ae * e,
                ba * a + bb * b + bc * c + bd * d + be * e,
                ca * a + cb * b + cc * c + cd * d + ce * e,
                da * a + db * b + dc * c + dd * d + de * e,
                ea * a + eb * b + ec * c + ed * d + ee * e,
            )
            total = a + b + c + d + e
            a, b, c, d, e = a / total, b / total, c / total, d / total, e / total
        return out[::-1]
