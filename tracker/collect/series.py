# SPDX-License-Identifier: Apache-2.0
"""One wearer and placement: recorded first, analysed after. Two threads meet here.

`record` (once a second) makes what must be on the disk at once. `heard` hands on what got there.
`analyse` takes that in; when it lags too far, or the disk was full, it reads the rest from the
disk instead of from memory. So nothing is analysed that is not stored, and a slow analysis costs
neither samples nor memory.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace

from tracker.collect.analyst import Analyst
from tracker.collect.intake import Work
from tracker.collect.late import Late
from tracker.collect.recorder import Recorder
from tracker.model import Samples
from tracker.store.base import Batch, SensorConfig
from tracker.store.sqlite import SqliteStore
from tracker.store.sqlite_read import SqliteReader

WAITING = 60_000  # samples: twenty minutes at 50 Hz; more are read from the disk


class Series:
    """`record` and `heard` are called by one thread, `analyse` and `end` by another."""

    def __init__(
        self,
        store: SqliteStore,
        config: SensorConfig,
        *,
        reads: SqliteReader | None = None,
        research_models: bool = True,
        waiting: int = WAITING,
    ) -> None:
        self._made = (store, config, reads, research_models)
        self._limit = waiting
        self.late = Late(store, config.wearer, config.placement)
        self.recorder = Recorder(store, config, self.late)
        self.analyst = self._analyst()
        self._guard = threading.Lock()
        self._fresh: list[Samples] = []
        self._work: Work | None = None
        self._behind = False  # samples are on the disk, or will be, that are not in `_fresh`
        self._catch_up_ns: int | None = None  # up to here, once they are
        self._restore_ns: int | None = None

    def _analyst(self) -> Analyst:
        store, config, reads, research = self._made
        return Analyst(store, config, self.late, reads=reads, research_models=research)

    @property
    def through_ns(self) -> int | None:
        """Time of the newest sample that was recorded."""
        return self.recorder.through_ns

    @property
    def lag_ns(self) -> int:
        """How far the analysis is behind what is recorded."""
        newest, analysed = self.recorder.through_ns, self.analyst.last_ns
        return 0 if newest is None or analysed is None else max(0, newest - analysed)

    # -- recording ----------------------------------------------------------------------------

    def restore(self) -> list[Batch]:
        """After a start; what was stored and not analysed waits for the first `analyse`."""
        self.late.restore()
        batches = self.recorder.restore()
        self._restore_ns = self._catch_up_ns = self.recorder.through_ns
        return batches

    def record(self, work: Work, now_ns: int) -> tuple[list[Batch], Samples | None]:
        """What must be written now, and the live samples in it."""
        return self.recorder.take(work, now_ns)

    def heard(self, fresh: Samples | None, work: Work, *, clean: bool) -> None:
        """What was recorded is on the disk (`clean`), or waits for it with all that follows."""
        with self._guard:
            self._work = replace(work, pieces=(), late=(), gaps=(), check=())
            if fresh is not None and clean and not self._behind:
                self._fresh.append(fresh)
                full = sum(len(s) for s in self._fresh) > self._limit
            else:
                full = fresh is not None
            if full:
                self._behind, self._fresh = True, []
            if self._behind and clean:
                self._catch_up_ns = self.recorder.through_ns

    # -- analysing ----------------------------------------------------------------------------

    def analyse(self, now_ns: int) -> Iterator[list[Batch]]:
        """Results in order, part by part; each part is to be written before the next is asked for.

        At most an hour of what must be read from the disk, so that other series get their turn.
        """
        if self._restore_ns is not None:
            last_ns, self._restore_ns = self._restore_ns, None
            self.analyst.restore(last_ns)
            if self.late.from_ns is not None and (batches := self.analyst.rework()):
                yield batches
                self.late.done()
        with self._guard:
            to_ns = self._catch_up_ns
        over = True
        if to_ns is not None:
            batches, over = self.analyst.catch_up(to_ns)
            yield batches
        with self._guard:
            if over and to_ns == self._catch_up_ns and to_ns is not None:
                self._catch_up_ns, self._behind = None, False
            ready = self._catch_up_ns is None and not self._behind
            fresh, work = self._fresh if ready else [], self._work
            if ready:
                self._fresh = []
        if work is not None and ready:
            yield self.analyst.step(Samples.concat(fresh) if fresh else None, work, now_ns)
        elif work is not None:
            yield [self.analyst.shown(work, now_ns)]

    @property
    def behind(self) -> bool:
        """Whether stored samples wait for another turn of `analyse`."""
        return self._restore_ns is not None or self._catch_up_ns is not None

    def rework(self, now_ns: int) -> list[Batch] | None:
        """New results where samples came late; None where nothing is due. Then call `late.done`."""
        return self.analyst.rework() if self.analyst.rework_due(now_ns) else None

    def renew(self) -> None:
        """After a fault: a new analysis, from the next samples on."""
        self.analyst = self._analyst()
        with self._guard:
            self._fresh, self._behind, self._catch_up_ns = [], False, None
            self.analyst.last_ns = self.recorder.through_ns

    def end(self, now_ns: int) -> Iterator[list[Batch]]:
        """At a clean stop: settle; what still waits on the disk is left to the next start."""
        yield from self.analyse(now_ns)
        yield self.analyst.end(all_there_is=not self.behind)
        self.late.done()
