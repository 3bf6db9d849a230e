# SPDX-License-Identifier: Apache-2.0
"""States of a running chain, kept in memory so that late samples cost minutes, not a day."""

import bisect
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracker.chain import ChainState
from tracker.collect.setups import Since
from tracker.model import SECOND_NS

SNAPSHOT_NS = 300 * SECOND_NS
SNAPSHOTS = 48  # four hours


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """A chain state and the last sample it has seen; `index` says which setup it runs with."""

    through_ns: int
    index: int
    state: ChainState

    def under(self, setups: Sequence[Since]) -> "Point":
        """The same with today's thresholds; its place in the list of setups is kept."""
        return replace(self, state=replace(self.state, setup=setups[self.index].setup))


class Points:
    """The newest points of one series."""

    def __init__(self) -> None:
        self._kept: deque[Point] = deque(maxlen=SNAPSHOTS)

    def keep(self, point: Point | None) -> None:
        """Remember a point, in time order."""
        if point is not None:
            self._kept.append(point)

    def due(self, point: Point) -> bool:
        """Whether the newest point is old enough for another one."""
        return not self._kept or point.through_ns - self._kept[-1].through_ns >= SNAPSHOT_NS

    def before(self, t_ns: int) -> Point | None:
        """The newest point before a time."""
        known = sorted((p.through_ns, i) for i, p in enumerate(self._kept))
        place = bisect.bisect_left(known, (t_ns, 0))
        return self._kept[known[place - 1][1]] if place else None

    def forget_after(self, t_ns: int) -> None:
        """Points that have seen a sample after a time are void."""
        self._kept = deque((p for p in self._kept if p.through_ns <= t_ns), maxlen=SNAPSHOTS)
