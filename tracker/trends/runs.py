# SPDX-License-Identifier: Apache-2.0
"""Run lengths of the state: a span of time tiled without overlap, gaps included.

Everything that counts or draws states starts here, so that a gap is treated the same everywhere:
time without epochs is a run of `UNKNOWN` that was not measured, and never sitting.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, Epochs, State


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Consecutive runs that tile a span; arrays of equal length, in order of time.

    start_ns, end_ns  int64, half-open; each run starts where the one before ends
    state             uint8, codes of :class:`State`; `UNKNOWN` where nothing was measured
    measured          bool, False where there are no epochs
    confidence        float64, mean over the epochs of the run; 0 where not measured
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    state: NDArray[np.uint8]
    measured: NDArray[np.bool_]
    confidence: NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.start_ns.shape[0])

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Length of each run in seconds."""
        return (self.end_ns - self.start_ns) / 1e9


def within(epochs: Epochs, start_ns: int, end_ns: int) -> Epochs:
    """The epochs that start in the span (`start_ns` sorted)."""
    first, last = np.searchsorted(epochs.start_ns, [start_ns, end_ns])
    if first == 0 and last == len(epochs):
        return epochs
    return epochs[int(first) : int(last)]


def state_runs(epochs: Epochs, start_ns: int, end_ns: int) -> Runs:
    """Runs of equal state that tile [start_ns, end_ns) exactly; missing time is a run of its own.

    A day of 23 or 25 hours is just a shorter or longer span.
    """
    part = within(epochs, start_ns, end_ns)
    n = len(part)
    if n == 0:
        width = 1 if end_ns > start_ns else 0
        return Runs(
            start_ns=np.full(width, start_ns, np.int64),
            end_ns=np.full(width, end_ns, np.int64),
            state=np.zeros(width, np.uint8),
            measured=np.zeros(width, bool),
            confidence=np.zeros(width),
        )
    cut = (np.diff(part.state) != 0) | (np.diff(part.start_ns) != EPOCH_NS)
    first = np.concatenate([[0], np.flatnonzero(cut) + 1])
    last = np.concatenate([first[1:] - 1, [n - 1]])
    begin = part.start_ns[first]
    end = np.minimum(part.start_ns[last] + EPOCH_NS, end_ns)
    summed = np.add.reduceat(part.confidence.astype(np.float64), first)
    confidence = summed / (last - first + 1)
    # a gap before each run (and one after the last) where the tiles do not meet
    before = np.concatenate([[start_ns], end])
    after = np.concatenate([begin, [end_ns]])
    hole = np.flatnonzero(before < after)
    order = np.argsort(np.concatenate([begin, before[hole]]), kind="stable")

    def join(runs: NDArray[np.generic], holes: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.concatenate([runs, holes])[order]

    return Runs(
        start_ns=join(begin, before[hole]).astype(np.int64),
        end_ns=join(end, after[hole]).astype(np.int64),
        state=join(part.state[first], np.full(hole.size, State.UNKNOWN, np.uint8)).astype(np.uint8),
        measured=join(np.ones(first.size, bool), np.zeros(hole.size, bool)).astype(bool),
        confidence=join(confidence, np.zeros(hole.size)).astype(np.float64),
    )
