# SPDX-License-Identifier: Apache-2.0
"""One wearer and placement: stored samples through the chain, into epochs for the store.

Runs in a worker thread and may lag behind what is recorded. Whatever happens, the stored epochs
end up equal to one batch analysis of all stored samples:

* after a crash the newest stored chain state is loaded and the raw samples after it are read;
* where samples came late, the minutes from there on are analysed again from the last state before;
* a new calibration ends the running chain and begins another, at the time from which it holds.
"""

import logging
from dataclasses import replace

import numpy as np

from tracker import chain
from tracker.chain import ChainState, Results
from tracker.collect.intake import Work
from tracker.collect.joined import join_results
from tracker.collect.late import Late
from tracker.collect.live import LiveView
from tracker.collect.points import Point, Points
from tracker.collect.setups import AUTO_S, Since, at, record_of, setups
from tracker.corrections import corrected, corrections
from tracker.errors import InputError, StoreError
from tracker.model import EPOCH_NS, SECOND_NS, Samples, State
from tracker.signal.calibrate import calibrate
from tracker.store.base import Batch, SensorConfig
from tracker.store.sqlite import SqliteStore
from tracker.store.sqlite_read import SqliteReader

log = logging.getLogger("backstay.analysis")

MINUTE_NS = 60 * SECOND_NS
DAY_NS = 24 * 3600 * SECOND_NS
PART_NS = 3600 * SECOND_NS


class Analyst:
    """The chain of one series. All methods are called from one thread at a time.

    `reads` is a connection of its own for raw samples: reading hours of them must not hold up the
    recording of new ones.
    """

    def __init__(
        self,
        store: SqliteStore,
        config: SensorConfig,
        late: Late,
        *,
        reads: SqliteReader | None = None,
        research_models: bool = True,
    ) -> None:
        self.wearer, self.placement = config.wearer, config.placement
        self.last_ns: int | None = None  # time of the newest sample that was analysed
        self._store, self._reads, self._late = store, reads or store, late
        self._axes = str(config.options.get("axes", ""))
        self._research = research_models
        self._setups: list[Since] = []
        self._told: tuple[tuple[int, int, State], ...] = ()
        self._now: Point | None = None
        self._points = Points()
        self._waiting: list[Samples] = []  # before anything is known of the mounting
        self._dumped_ns = 0
        self._settled = True
        self.live = LiveView(config.address)
        self.warnings: tuple[str, ...] = ()
        self.reload()

    # -- beginning ----------------------------------------------------------------------------

    @property
    def moving(self) -> bool:
        """Whether the wearer was walking when last seen: then a lost link is a matter of reach."""
        return self.live.state is State.WALKING

    @property
    def chain_state(self) -> ChainState | None:
        """The running chain, for whoever looks at a set while it is done."""
        return None if self._now is None else self._now.state

    def reload(self) -> None:
        """Read calibrations and settings again; a change of thresholds holds from now on."""
        settings = self._store.wearer_settings(self.wearer)
        self._told = corrections(settings, self.placement)
        before, self._setups = (
            self._setups,
            setups(
                self.placement,
                self._store.calibrations(self.wearer, self.placement),
                settings,
                axes=self._axes,
                research_models=self._research,
            ),
        )
        if self._now is None:
            return
        through = self._now.through_ns
        known = {since.from_ns for since in before}
        new = [s.from_ns for s in self._setups if s.from_ns not in known and s.from_ns <= through]
        if new:  # it holds for what was analysed already
            self._late.mark(min(new))
        self._now = self._now.under(self._setups)

    def restore(self, newest_ns: int) -> None:
        """After a start: load the newest state. Raw samples after it wait up to `newest_ns`."""
        stored = self._store.chain_state(self.wearer, self.placement)
        index = at(self._setups, stored[0]) if stored is not None else None
        self.last_ns = newest_ns
        if self._late.from_ns is not None:
            return
        if stored is not None and index is not None:
            try:
                state = chain.load(stored[1], self._setups[index].setup)
            except InputError as error:
                log.warning(
                    "the stored state cannot be used; analysing again", extra={"error": str(error)}
                )
            else:
                self._now = Point(through_ns=stored[0], index=index, state=state)
                self.last_ns = stored[0]
                return
        if self._setups:
            self._late.mark(max(newest_ns - DAY_NS, 0))
            return
        self._waiting = [self._raw(newest_ns - DAY_NS, newest_ns + 1)]

    def _raw(self, start_ns: int, end_ns: int) -> Samples:
        return self._reads.raw(self.wearer, self.placement, start_ns, end_ns)

    def step(self, fresh: Samples | None, work: Work, now_ns: int) -> list[Batch]:
        """Take samples in that are on the disk; results and the live row, in order."""
        batches: list[Batch] = []
        if fresh is not None and len(fresh):
            batches.append(self._advance(fresh))
        elif not self._settled and self._silent(now_ns):
            batches.append(self._settle())
        return [*batches, self.shown(work, now_ns)]

    def shown(self, work: Work, now_ns: int) -> Batch:
        """The live row of now."""
        return self._batch(live=self.live.row(work, now_ns))

    def catch_up(self, to_ns: int) -> tuple[list[Batch], bool]:
        """Take in what is on the disk up to a time, an hour at once; whether that was all."""
        start = max(to_ns - DAY_NS, 0) if self.last_ns is None else self.last_ns + 1
        spans = self._reads.raw_spans(self.wearer, self.placement, start)
        if not spans or spans[0][0] > to_ns:
            return [], True
        start = max(start, spans[0][0])
        end = min(start + PART_NS, to_ns + 1)
        raw = self._raw(start, end)
        return [self._advance(raw)] if len(raw) else [], end > to_ns

    def _advance(self, raw: Samples) -> Batch:
        if self.last_ns is None or raw.t_ns[0] - self.last_ns > 2 * SECOND_NS:
            self._points.keep(self._now)
        self.last_ns = int(raw.t_ns[-1])
        self._settled = False
        if self._now is None and not self._begin(raw):
            self.live.trace(raw, None)
            return self._batch()
        results = self._through(raw if not self._waiting else Samples.concat(self._waiting))
        self._waiting = []
        point = self._now
        self.live.trace(raw, None if point is None else point.state.setup.calibration)
        self.live.hear(results)
        due = int(raw.t_ns[-1]) - self._dumped_ns >= MINUTE_NS
        return self._of(results, dump=due)

    def _begin(self, raw: Samples) -> bool:
        """Start the chain with the setup of now; without one, watch for 20 s and make one."""
        self._waiting.append(raw)
        first = int(self._waiting[0].t_ns[0])
        if not self._setups:
            if int(raw.t_ns[-1]) - first < AUTO_S * SECOND_NS:
                return False
            made = calibrate(Samples.concat(self._waiting), self.placement)
            record = record_of(made, from_ns=first, kind="auto")
            try:
                self._store.put_calibration(self.wearer, self.placement, record)
            except StoreError as error:
                log.warning("no calibration could be kept yet", extra={"error": str(error)})
                return False
            self.reload()
        index = at(self._setups, first) or 0
        state = chain.start(self._setups[index].setup)
        self._now = Point(through_ns=first - 1, index=index, state=state)
        return True

    def _through(self, samples: Samples) -> Results:
        """Advance over the samples, hour by hour, changing setup where another one begins."""
        parts: list[Results] = []
        while len(samples) and self._now is not None:
            index, state = self._now.index, self._now.state
            end_ns = int(samples.t_ns[0]) + PART_NS
            if index + 1 < len(self._setups):
                begins = self._setups[index + 1].from_ns
                if begins <= samples.t_ns[0]:
                    _, last = chain.finish(state)
                    parts.append(last)
                    fresh = chain.start(self._setups[index + 1].setup)
                    self._now = replace(self._now, index=index + 1, state=fresh)
                    continue
                end_ns = min(end_ns, begins)
            cut = int(np.searchsorted(samples.t_ns, end_ns))
            state, results = chain.advance(state, samples[:cut])
            parts.append(results)
            self._now = Point(through_ns=int(samples.t_ns[cut - 1]), index=index, state=state)
            if self._points.due(self._now):
                self._points.keep(self._now)
            samples = samples[cut:]
        return join_results(parts)

    def _settle(self) -> Batch:
        """Nothing comes any more: give out what the chain still held, without ending it."""
        self._settled = True
        if self._now is None:
            return self._batch()
        _, results = chain.finish(self._now.state)
        self.live.hear(results)
        return self._of(results, dump=False)

    def end(self, *, all_there_is: bool = True) -> list[Batch]:
        """At a clean stop: settle, and leave the state for the next start.

        Without `all_there_is` samples on the disk still wait; the next start takes them up.
        """
        batches = self.rework() if self._late.from_ns is not None else []
        if self._now is not None:
            last = self._settle() if all_there_is else self._batch()
            batches.append(self._dumped(last))
        return batches

    def _silent(self, now_ns: int) -> bool:
        return self.last_ns is not None and now_ns - self.last_ns > 30 * SECOND_NS

    def _of(self, results: Results, *, dump: bool) -> Batch:
        """What came out, and (now and then) the state for a restart."""
        self.warnings = results.warnings or self.warnings
        made = Batch(
            wearer=self.wearer,
            placement=self.placement,
            epochs=corrected(results.epochs, self._told) if len(results.epochs) else None,
            transitions=results.transitions,
            sets=results.sets,
        )
        return self._dumped(made) if dump else made

    def _dumped(self, batch: Batch) -> Batch:
        if self._now is None:
            return batch
        self._dumped_ns = through = self._now.through_ns
        return replace(batch, chain_state=chain.dump(self._now.state), chain_through_ns=through)

    def _batch(self, **what: object) -> Batch:
        return Batch(wearer=self.wearer, placement=self.placement, **what)  # type: ignore[arg-type]

    # -- what came late -----------------------------------------------------------------------

    def rework_due(self, now_ns: int) -> bool:
        """Whether late samples are complete enough, and anything is known to analyse them with."""
        return bool(self._setups) and self._late.due(now_ns)

    def rework(self) -> list[Batch]:
        """Analyse again from the last state before the late samples; the results replace."""
        if self.last_ns is None or not self._setups:
            return []
        late_ns = self._late.begin()
        if late_ns is None:
            return []
        if self._late.to_ns > self.last_ns:
            # Recorded, and so are live samples after them that this analysis has not come to yet:
            # it would go on behind them.
            self._late.mark(self.last_ns)
        base = self._before(late_ns)
        raw = self._raw(base.through_ns + 1, self.last_ns + 1)
        if not len(raw):
            return []
        self._points.forget_after(base.through_ns)
        self._now = base
        results = self._through(raw)
        self.live.hear(results)
        start = -(-base.through_ns // EPOCH_NS) * EPOCH_NS
        end = int(raw.t_ns[-1]) + EPOCH_NS
        log.info(
            "late samples analysed",
            extra={"wearer": self.wearer, "minutes": round((end - start) / MINUTE_NS, 1)},
        )
        made = self._of(results, dump=True)
        return [replace(made, replace_from_ns=start, replace_to_ns=end)]

    def _before(self, t_ns: int) -> Point:
        """The newest known state before a time; failing that, a new chain a day before it."""
        if (known := self._points.before(t_ns)) is not None:
            return known.under(self._setups)
        spans = self._reads.raw_spans(self.wearer, self.placement, max(0, t_ns - DAY_NS))
        first = max(spans[0][0], t_ns - DAY_NS) if spans else t_ns
        index = at(self._setups, first) or 0
        state = chain.start(self._setups[index].setup)
        return Point(through_ns=first - 1, index=index, state=state)
