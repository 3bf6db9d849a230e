# SPDX-License-Identifier: Apache-2.0
"""Where an episode begins and ends among the active quanta."""

import numpy as np
from numpy.typing import NDArray

QUIET = 6  # quanta without movement end an episode; a repetition may be held ten seconds
LONGEST = 240


def episodes_of(flags: NDArray[np.bool_]) -> list[tuple[int, int, bool]]:
    """First and last active quantum of each episode, and whether it was cut for its length."""
    found: list[tuple[int, int, bool]] = []
    busy = np.flatnonzero(flags)
    if not busy.shape[0]:
        return found
    breaks = np.flatnonzero(np.diff(busy) > QUIET)
    firsts = busy[np.concatenate([[0], breaks + 1])].tolist()
    lasts = busy[np.concatenate([breaks, [busy.shape[0] - 1]])].tolist()
    for first, last in zip(firsts, lasts, strict=True):
        begin = first
        while last - begin >= LONGEST:
            end = _calmest(flags, begin)
            found.append((begin, end - 1, True))
            begin = end + int(np.flatnonzero(flags[end:])[0])
        found.append((begin, last, False))
    return found


def _calmest(flags: NDArray[np.bool_], begin: int) -> int:
    """Where to cut a long episode: inside the longest rest of its second half, so no set is cut."""
    low = begin + LONGEST // 2
    calm = np.concatenate([[False], ~flags[low : begin + LONGEST], [False]])
    edges = np.flatnonzero(np.diff(calm))
    starts, ends = edges[::2], edges[1::2]
    if not starts.shape[0]:
        return begin + LONGEST
    at = int(np.argmax(ends - starts))
    return low + int(starts[at] + ends[at] + 1) // 2
