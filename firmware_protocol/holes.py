# SPDX-License-Identifier: Apache-2.0
"""Index ranges that did not arrive, and what replayed packets put into them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

US = 1_000
OPEN = -(1 << 62)  # before the first sample ever received


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Missing samples first..last (unwrapped indices) between two output times."""

    first: int
    last: int
    after_ns: int
    before_ns: int


def fill(
    holes: tuple[Hole, ...], index: int, t_ns: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], tuple[Hole, ...]]:
    """Put samples index.. with wished times into the holes.

    Returns which samples were missing until now, their times (kept strictly inside their hole, so
    that nothing already delivered is overlapped) and the holes that remain.
    """
    n = len(t_ns)
    taken = np.zeros(n, np.bool_)
    times = t_ns.copy()
    rest: list[Hole] = []
    for hole in holes:
        lo, hi = max(index, hole.first), min(index + n - 1, hole.last)
        room_ns = hole.before_ns - hole.after_ns
        cramped = hole.first != OPEN and room_ns <= (hole.last - hole.first + 2) * US
        if lo > hi or cramped:
            rest.append(hole)
            continue
        part = slice(lo - index, hi - index + 1)
        place = np.arange(lo, hi + 1)
        times[part] = np.minimum(times[part], hole.before_ns - US * (hole.last - place + 1))
        if hole.first != OPEN:
            times[part] = np.maximum(times[part], hole.after_ns + US * (place - hole.first + 1))
        taken[part] = True
        if hole.first < lo:
            before = int(times[part][0])
            rest.append(
                Hole(first=hole.first, last=lo - 1, after_ns=hole.after_ns, before_ns=before)
            )
        if hi < hole.last:
            after = int(times[part][-1])
            rest.append(
                Hole(first=hi + 1, last=hole.last, after_ns=after, before_ns=hole.before_ns)
            )
    return taken, times, tuple(rest)
