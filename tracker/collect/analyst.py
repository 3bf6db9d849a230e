# SPDX-License-Identifier: Apache-2.0
"""One wearer and placement: samples through the chain, into batches for the store.

Runs in the worker thread. Whatever happens, the stored epochs end up equal to one batch analysis
of all stored samples:

* after a crash the newest stored chain state is loaded and the raw samples after it are replayed;
* samples that come late (a sensor that buffers, a phone that was offline) are stored at once, and
  the minutes from there on are analysed again from the last state before them;
* a new calibration ends the running chain and begins another, at the time from which it holds.
"""

import bisect
import hashlib
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from tracker import chain
from tracker.chain import ChainState, Results, merge_epochs
from tracker.collect.intake import Work
from tracker.collect.live import LiveView
from tracker.collect.setups import AUTO_S, Since, at, corrected, corrections, record_of, setups
from tracker.errors import InputError, StoreError
from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Gap, GapReason, Samples, State
from tracker.signal.calibrate import calibrate
from tracker.store.base import Batch, SensorConfig
from tracker.store.sqlite import SqliteStore

log = logging.getLogger("backstay.analysis")

MINUTE_NS = 60 * SECOND_NS
SNAPSHOT_NS = 5 * MINUTE_NS
SNAPSHOTS = 48
QUIET_NS = 2 * SECOND_NS  # late samples have come to an end
LATE_MAX_NS = 30 * SECOND_NS  # or the first of them has waited long enough
DAY_NS = 24 * 3600 * SECOND_NS
PART_NS = 3600 * SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Point:
    """A chain state and the last sample it has seen; `index` says which setup it runs with."""

    through_ns: int
    index: int
    state: ChainState


class Analyst:
    """The chain of one series. All methods are called from one thread at a time."""

    def __init__(
        self, store: SqliteStore, config: SensorConfig, *, research_models: bool = True
    ) -> None:
        self.wearer, self.placement = config.wearer, config.placement
        self._store = store
        self._axes = str(config.options.get("axes", ""))
        self._research = research_models
        self._setups: list[Since] = []
        self._told: tuple[tuple[int, int, State], ...] = ()
        self._now: _Point | None = None
        self._points: deque[_Point] = deque(maxlen=SNAPSHOTS)
        self._waiting: list[Samples] = []  # before anything is known of the mounting
        self._through_ns: int | None = None
        self._late_from_ns: int | None = None
        self._late_since_ns = 0
        self._late_last_ns = 0
        self._dumped_ns = 0
        self._settled = True
        self.live = LiveView(config.address)
        self.warnings: tuple[str, ...] = ()
        self.overlapped = 0
        self.reload()

    # -- beginning ----------------------------------------------------------------------------

    @property
    def last_ns(self) -> int | None:
        """Time of the newest sample that was taken in."""
        return self._through_ns

    @property
    def moving(self) -> bool:
        """Whether the wearer was walking when last seen: then a lost link is a matter of reach."""
        return self.live.state is State.WALKING

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
            self._mark_late(min(new), 0)
        self._now = self._with_setup(self._now)

    def _with_setup(self, point: _Point) -> _Point:
        """The point with today's thresholds; its place in the list of setups is kept."""
        setup = self._setups[point.index].setup
        return replace(point, state=replace(point.state, setup=setup))

    def restore(self) -> list[Batch]:
        """After a start: load the newest state, replay what was stored after it."""
        last = self._last_stored()
        if last is None:
            return []
        self._through_ns = last
        batches = [Batch(wearer=self.wearer, placement=self.placement, gaps=self._unnamed(last))]
        marked = self._store.meta(self._mark)
        stored = self._store.chain_state(self.wearer, self.placement)
        if marked:
            self._late_from_ns = int(marked)
            return [*batches, *self.rework()]
        index = at(self._setups, stored[0]) if stored is not None else None
        if stored is not None and index is not None:
            try:
                state = chain.load(stored[1], self._setups[index].setup)
            except InputError as error:
                log.warning(
                    "the stored state cannot be used; analysing again", extra={"error": str(error)}
                )
            else:
                self._now = _Point(through_ns=stored[0], index=index, state=state)
                rest = self._store.raw(self.wearer, self.placement, stored[0] + 1, last + 1)
                results = self._through(rest)
                return [*batches, self._batch(results, dump=rest[-1:] if len(rest) else None)]
        if self._setups:
            self._late_from_ns = max(last - DAY_NS, 0)
            return [*batches, *self.rework()]
        self._waiting = [self._store.raw(self.wearer, self.placement, last - DAY_NS, last + 1)]
        return batches

    def _last_stored(self) -> int | None:
        spans = self._store.raw_spans(self.wearer, self.placement)
        return spans[-1][1] if spans else None

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

    # -- every second -------------------------------------------------------------------------

    def step(self, work: Work, now_ns: int) -> list[Batch]:
        """Take one tick's samples in; batches to write, in order."""
        batches: list[Batch] = []
        fresh = [s for p in work.pieces if len(s := self._fresh(p.samples))]
        if fresh:
            batches.append(self._advance(fresh))
        elif not self._settled and self._silent(now_ns):
            batches.append(self._settle())
        batches += [b for s in work.late if (b := self._take_late(s, now_ns)) is not None]
        gaps = (*work.gaps, *(g for c in work.check for g in self._what_remains(c, work)))
        live = self.live.row(work, now_ns)
        batches.append(Batch(wearer=self.wearer, placement=self.placement, gaps=gaps, live=live))
        return batches

    def _fresh(self, samples: Samples) -> Samples:
        """Samples after everything seen; what overlaps (two sensors on one place) is counted."""
        if self._through_ns is None or not len(samples):
            return samples
        cut = int(np.searchsorted(samples.t_ns, self._through_ns, side="right"))
        self.overlapped += cut
        return samples[cut:]

    def _advance(self, fresh: list[Samples]) -> Batch:
        raw = Samples.concat(fresh)
        if self._through_ns is None or raw.t_ns[0] - self._through_ns > 2 * SECOND_NS:
            self._remember()
        self._through_ns = int(raw.t_ns[-1])
        self._settled = False
        if self._now is None and not self._begin(raw):
            self.live.trace(raw, None)
            return Batch(wearer=self.wearer, placement=self.placement, raw=raw)
        results = self._through(raw if not self._waiting else Samples.concat(self._waiting))
        self._waiting = []
        point = self._now
        self.live.trace(raw, None if point is None else point.state.setup.calibration)
        self.live.hear(results)
        due = int(raw.t_ns[-1]) - self._dumped_ns >= MINUTE_NS
        return replace(self._batch(results, dump=raw if due else None), raw=raw)

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
        self._now = _Point(through_ns=first - 1, index=index, state=state)
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
            self._now = _Point(through_ns=int(samples.t_ns[cut - 1]), index=index, state=state)
            if self._now.through_ns - self._newest_point() >= SNAPSHOT_NS:
                self._remember()
            samples = samples[cut:]
        return _merged(parts)

    def _settle(self) -> Batch:
        """Nothing comes any more: give out what the chain still held, without ending it."""
        self._settled = True
        if self._now is None:
            return Batch(wearer=self.wearer, placement=self.placement)
        _, results = chain.finish(self._now.state)
        self.live.hear(results)
        return self._batch(results, dump=None)

    def end(self) -> list[Batch]:
        """At a clean stop: settle, and leave the state for the next start."""
        batches = self.rework() if self._late_from_ns is not None else []
        if self._now is not None:
            tail = self._store.raw(
                self.wearer, self.placement, self._now.through_ns, self._now.through_ns + 1
            )
            batches.append(
                replace(self._settle(), raw=tail, chain_state=chain.dump(self._now.state))
            )
        return batches

    def _silent(self, now_ns: int) -> bool:
        return self._through_ns is not None and now_ns - self._through_ns > 30 * SECOND_NS

    def _batch(self, results: Results, *, dump: Samples | None) -> Batch:
        """What came out, and (with the raw samples it has seen) the state for a restart."""
        state: bytes | None = None
        if dump is not None and self._now is not None and len(dump):
            state = chain.dump(self._now.state)
            self._dumped_ns = self._now.through_ns
        self.warnings = results.warnings or self.warnings
        return Batch(
            wearer=self.wearer,
            placement=self.placement,
            raw=dump if state is not None else None,
            epochs=corrected(results.epochs, self._told) if len(results.epochs) else None,
            transitions=results.transitions,
            sets=results.sets,
            chain_state=state,
        )

    # -- what comes late ----------------------------------------------------------------------

    def _take_late(self, samples: Samples, now_ns: int) -> Batch | None:
        """Store late samples at once and remember from where to analyse again."""
        if self._through_ns is None or not len(samples):
            return None
        samples = samples[: int(np.searchsorted(samples.t_ns, self._through_ns))]
        if not len(samples):
            return None
        self._mark_late(int(samples.t_ns[0]), now_ns)
        return Batch(wearer=self.wearer, placement=self.placement, raw=samples)

    def _mark_late(self, from_ns: int, now_ns: int) -> None:
        """Remember, over a crash too, from where to analyse again."""
        self._late_last_ns = now_ns
        if self._late_from_ns is None:
            self._late_since_ns = now_ns
        elif from_ns >= self._late_from_ns:
            return
        self._late_from_ns = from_ns
        try:
            self._store.put_meta(self._mark, str(from_ns))
        except StoreError as error:
            log.warning("cannot note what came late", extra={"error": str(error)})

    def rework_due(self, now_ns: int) -> bool:
        """Whether late samples are complete enough to be analysed."""
        if self._late_from_ns is None or self._now is None:
            return False  # before the first calibration there is nothing to analyse again
        quiet = now_ns - self._late_last_ns > QUIET_NS
        return quiet or now_ns - self._late_since_ns > LATE_MAX_NS

    def rework(self) -> list[Batch]:
        """Analyse again from the last state before the late samples; the results replace."""
        late_ns = self._late_from_ns
        if late_ns is None or self._through_ns is None or not self._setups:
            return []
        self._late_from_ns = None
        base = self._before(late_ns)
        raw = self._store.raw(
            self.wearer, self.placement, base.through_ns + 1, self._through_ns + 1
        )
        if not len(raw):
            return []
        self._points = deque(
            (p for p in self._points if p.through_ns <= base.through_ns), maxlen=SNAPSHOTS
        )
        self._now = base
        results = self._through(raw)
        self.live.hear(results)
        start = -(-base.through_ns // EPOCH_NS) * EPOCH_NS
        end = int(raw.t_ns[-1]) + EPOCH_NS
        log.info(
            "late samples analysed",
            extra={"wearer": self.wearer, "minutes": round((end - start) / MINUTE_NS, 1)},
        )
        return [
            replace(self._batch(results, dump=raw[-1:]), replace_from_ns=start, replace_to_ns=end)
        ]

    def reworked(self) -> None:
        """The results of `rework` are on the disk."""
        if self._late_from_ns is None:
            self._store.put_meta(self._mark, "")

    def _before(self, t_ns: int) -> _Point:
        """The newest known state before a time; failing that, a new chain a day before it."""
        known = sorted((p.through_ns, i) for i, p in enumerate(self._points))
        place = bisect.bisect_left(known, (t_ns, 0))
        if place:
            return self._with_setup(self._points[known[place - 1][1]])
        spans = self._store.raw_spans(self.wearer, self.placement, max(0, t_ns - DAY_NS))
        first = max(spans[0][0], t_ns - DAY_NS) if spans else t_ns
        index = at(self._setups, first) or 0
        return _Point(
            through_ns=first - 1, index=index, state=chain.start(self._setups[index].setup)
        )

    def _remember(self) -> None:
        if self._now is not None:
            self._points.append(self._now)

    def _newest_point(self) -> int:
        return self._points[-1].through_ns if self._points else -(1 << 62)

    def _what_remains(self, gap: Gap, work: Work) -> list[Gap]:
        """The parts of a gap that late samples, stored or just coming, did not fill."""
        try:
            t = self._store.raw(self.wearer, self.placement, gap.start_ns, gap.end_ns + 1).t_ns
        except StoreError as error:
            log.warning("a gap is kept as a whole", extra={"error": str(error)})
            return [gap]
        inside = [t, *(s.t_ns for s in work.late), *(p.samples.t_ns for p in work.pieces)]
        times = np.unique(np.concatenate(inside))
        times = times[(times >= gap.start_ns) & (times <= gap.end_ns)]
        edges = np.concatenate([[gap.start_ns], times, [gap.end_ns]])
        steps = np.diff(edges)
        return [
            replace(gap, start_ns=int(edges[i]), end_ns=int(edges[i + 1]))
            for i in np.flatnonzero(steps > SECOND_NS // 2).tolist()
        ]

    @property
    def _mark(self) -> str:
        # A note of the store outlives an erasure, so it must not name the wearer.
        name = hashlib.sha256(f"{self.wearer}:{self.placement}".encode()).hexdigest()
        return f"rework:{name[:16]}"


def _merged(parts: Sequence[Results]) -> Results:
    if not parts:
        return Results(epochs=Epochs.empty())
    return replace(
        parts[-1],
        epochs=merge_epochs([p.epochs for p in parts]),
        transitions=tuple(t for p in parts for t in p.transitions),
        sets=tuple(s for p in parts for s in p.sets),
        slouch_events=tuple(e for p in parts for e in p.slouch_events),
        warnings=tuple(dict.fromkeys(w for p in parts for w in p.warnings)),
    )
