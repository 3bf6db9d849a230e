# SPDX-License-Identifier: Apache-2.0
"""What one series puts on the disk before anything is made of it: raw samples and gaps.

Runs once a second and does little, so that a slow analysis never keeps samples in memory. Samples
older than the newest one stored are late (a sensor that buffers, a phone that was offline).
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tracker.collect.intake import Work
from tracker.collect.late import Late
from tracker.collect.spill import Spill
from tracker.errors import StoreError
from tracker.model import SECOND_NS, Gap, GapReason, Samples
from tracker.store.base import Batch, SensorConfig
from tracker.store.sqlite import SqliteStore

log = logging.getLogger("backstay.recorder")

DAY_NS = 24 * 3600 * SECOND_NS


class Recorder:
    """The raw side of one series. All methods are called from one thread at a time."""

    def __init__(self, store: SqliteStore, config: SensorConfig, late: Late) -> None:
        self.wearer, self.placement = config.wearer, config.placement
        self.through_ns: int | None = None  # time of the newest sample that was taken in
        self.overlapped = 0  # samples of a time that was stored already: two on one place?
        self._store, self._late = store, late
        self._early: list[Samples] = []  # replayed, but no live sample has come after it yet
        self._spill = Spill(store, self.wearer, self.placement)
        self._spilled = True

    @property
    def holds_back(self) -> bool:
        """Whether samples wait in memory alone; a sensor must be able to send them again."""
        return bool(self._early) or not self._spilled

    def restore(self) -> list[Batch]:
        """After a start: where the last process ended, and the holes it could not name."""
        spans = self._store.raw_spans(self.wearer, self.placement)
        self.through_ns = spans[-1][1] if spans else None
        batches = []
        if self.through_ns is not None:
            batches.append(self._batch(gaps=self._unnamed(self.through_ns)))
        rest = self._spill.restore()
        if rest is not None and len(rest := self._fresh(rest)):
            self.through_ns = int(rest.t_ns[-1])
            batches.append(self._batch(raw=rest))
        return batches

    def spill(self, work: Work) -> None:
        """Keep what waits for its rotation, so that a crash does not lose it."""
        self._spilled = self._spill.keep(work.waiting)

    def take(self, work: Work, now_ns: int) -> tuple[list[Batch], Samples | None]:
        """One tick's raw samples and gaps, to be written at once; the live ones for the analysis.

        Late samples are noted before they are written: a crash in between loses no analysis.
        """
        late = [*self._early, *work.late]
        fresh = [s for p in work.pieces if len(s := self._fresh(p.samples))]
        raw = Samples.concat(fresh) if fresh else None
        if raw is not None:
            self.through_ns = int(raw.t_ns[-1])
        seen = [*(s.t_ns for s in late), *(p.samples.t_ns for p in work.pieces)]
        gaps = (*work.gaps, *(g for c in work.check for g in self._what_remains(c, seen)))
        batches = [self._batch(raw=raw, gaps=gaps)] if raw is not None or gaps else []
        return [*batches, *self._of_late(late, now_ns)], raw

    def end(self, now_ns: int) -> list[Batch]:
        """Replayed samples that no live sample followed are kept all the same."""
        early, self._early = self._early, []
        if not early:
            return []
        newest = max(int(s.t_ns[-1]) for s in early)
        self.through_ns = max(self.through_ns or 0, newest + 1)
        return self._of_late(early, now_ns)

    def _fresh(self, samples: Samples) -> Samples:
        """Samples after everything seen; what overlaps (two sensors on one place) is counted."""
        if self.through_ns is None or not len(samples):
            return samples
        cut = int(np.searchsorted(samples.t_ns, self.through_ns, side="right"))
        self.overlapped += cut
        return samples[cut:]

    def _of_late(self, late: Iterable[Samples], now_ns: int) -> list[Batch]:
        self._early = []
        batches = []
        for samples in late:
            through = -1 if self.through_ns is None else self.through_ns
            cut, beyond = np.searchsorted(samples.t_ns, [through, through + 1]).tolist()
            if beyond < len(samples):
                self._early.append(samples[beyond:])
            if cut:
                self._late.mark(int(samples.t_ns[0]), now_ns, int(samples.t_ns[cut - 1]))
                batches.append(self._batch(raw=samples[:cut]))
        return batches

    def _unnamed(self, last_ns: int) -> tuple[Gap, ...]:
        """Holes of the last day that no gap explains: the collector was not there to do so."""
        start = last_ns - DAY_NS
        spans = self._store.raw_spans(self.wearer, self.placement, start)
        known = self._store.gaps(self.wearer, self.placement, start, last_ns)
        holes = [(a[1], b[0]) for a, b in pairwise(spans)]
        return tuple(
            Gap(start_ns=a, end_ns=b, reason=GapReason.COLLECTOR_DOWN)
            for a, b in holes
            if not any(g.start_ns < b and g.end_ns > a for g in known)
        )

    def _what_remains(self, gap: Gap, seen: Sequence[NDArray[np.int64]]) -> list[Gap]:
        """The parts of a gap that late samples, stored or just coming, did not fill."""
        try:
            t = self._store.raw(self.wearer, self.placement, gap.start_ns, gap.end_ns + 1).t_ns
        except StoreError as error:
            log.warning("a gap is kept as a whole", extra={"error": str(error)})
            return [gap]
        times = np.unique(np.concatenate([t, *seen]))
        times = times[(times >= gap.start_ns) & (times <= gap.end_ns)]
        edges = np.concatenate([[gap.start_ns], times, [gap.end_ns]])
        steps = np.diff(edges)
        return [
            replace(gap, start_ns=int(edges[i]), end_ns=int(edges[i + 1]))
            for i in np.flatnonzero(steps > SECOND_NS // 2).tolist()
        ]

    def _batch(self, raw: Samples | None = None, gaps: tuple[Gap, ...] = ()) -> Batch:
        return Batch(wearer=self.wearer, placement=self.placement, raw=raw, gaps=gaps)
