# SPDX-License-Identifier: Apache-2.0
"""The loop that brings changed hours from `epochs.db` to InfluxDB and loses none.

An hour leaves the queue only after the server said that it has it, and only if it did not change
meanwhile. Outages are waited out for ever; a line that the server refuses goes to a dead letter
instead of blocking the queue; a wrong token or a missing bucket is an alarm, not a loss.
"""

import json
import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.errors import StoreError
from tracker.model import SECOND_NS
from tracker.settings import Settings
from tracker.store import influx_lines as line
from tracker.store.base import DirtyHour, HourRow
from tracker.store.influx_target import Fault, InfluxFault, InfluxTarget
from tracker.store.sqlite import SqliteStore
from tracker.store.sqlite_read import SqliteReader
from tracker.store.sqlite_write import HOUR_NS
from tracker.units import day_bounds_ns, local_date

LOG = logging.getLogger(__name__)
LINES_PER_REQUEST = 5_000  # the vendor's own figure for the size of a batch
HOURS_PER_ROUND = 24
ROUND_S = 5.0
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkStatus:
    """What the dashboard shows; `alarm` needs a person, `away` heals by itself."""

    backlog_hours: int = 0
    oldest_ns: int | None = None
    last_ok_ns: int | None = None
    away: str = ""
    alarm: str = ""
    dead_letters: int = 0


def read_status(store: SqliteReader) -> SinkStatus:
    """The sink's state as kept in the store, for any process."""
    kept = json.loads(store.meta("sink") or "{}")
    backlog, oldest = store.backlog()
    return SinkStatus(
        backlog_hours=backlog,
        oldest_ns=oldest,
        last_ok_ns=kept.get("last_ok_ns"),
        away=kept.get("away", ""),
        alarm=kept.get("alarm", ""),
        dead_letters=len(store.dead_letters()),
    )


def resend_mark(epochs_db: Path) -> Path:
    """A file that asks a running sink to send everything again (`backstay influx resend`)."""
    return epochs_db.with_name("influx-resend")


def forget_erased(store: SqliteStore, target: InfluxTarget) -> None:
    """Delete wearers that were erased here. Raises InfluxFault; what is left stays queued."""
    for wearer in store.erasing():
        target.delete_wearer(wearer)
        store.clear_erasing(wearer)


class Sink:
    """Brings the queue of one store to one target. `drain` once, or `run` for ever."""

    def __init__(
        self,
        store: SqliteStore,
        target: InfluxTarget,
        clock: Clock = SYSTEM_CLOCK,
        *,
        seed: int | None = None,
        hours_per_round: int = HOURS_PER_ROUND,
    ) -> None:
        self._store = store
        self._target = target
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - jitter, no secret
        self._hours = hours_per_round
        self._fails = 0
        self._last_ok_ns: int | None = None
        self._kept = SinkStatus()
        self._name = f"{target.url}|{target.org}|{target.bucket}"
        self._known = False

    def step(self) -> int:
        """One round: erasures, then the oldest hours; how many hours were acknowledged.

        Raises InfluxFault (AWAY, REFUSED or MISSING) when nothing more can be done now.
        """
        if not self._known:
            if self._store.meta("sink_target") != self._name:  # a new place gets everything
                self._store.mark_all_dirty()
                self._store.put_meta("sink_target", self._name)
            self._known = True
        asked = resend_mark(self._store.path)
        if asked.exists():
            self._store.mark_all_dirty()
            asked.unlink(missing_ok=True)
        forget_erased(self._store, self._target)
        hours = self._store.dirty(self._hours)
        if not hours:
            return 0
        seconds, nanos = [], []
        for hour in hours:
            a, b = self._lines_of(hour)
            seconds += a
            nanos += b
        for lines, precision in ((seconds, "s"), (nanos, "ns")):
            for part in line.chunks(sorted(set(lines)), LINES_PER_REQUEST):
                self._send(part, precision)
        self._store.clear_dirty(hours)
        self._last_ok_ns = self._clock.now_ns()
        return len(hours)

    def drain(self) -> int:
        """Rounds until the queue is empty; the number of hours acknowledged."""
        total = 0
        while done := self.step():
            total += done
        return total

    def run(self, stop: threading.Event, wait: Callable[[float], object] | None = None) -> None:
        """Rounds until `stop`; outages are waited out with growing pauses up to a minute."""
        pause = wait or stop.wait
        while not stop.is_set():
            try:
                done = self.step()
                self._note(None)
            except InfluxFault as fault:
                self._fails += 1
                self._note_calmly(fault)
                pause(self.wait_s(fault.retry_s))
                continue
            except StoreError as error:  # a full disk, say: what is queued stays queued
                self._fails += 1
                LOG.warning("the queue for InfluxDB cannot be read or written: %s", error)
                pause(self.wait_s())
                continue
            self._fails = 0
            if done < self._hours:
                pause(self._clock.real_s(ROUND_S))

    def wait_s(self, wish_s: float | None = None) -> float:
        """Pause after a failure: 1, 2, 4 ... 60 s, each between half and one and a half."""
        step = min(LONGEST_WAIT_S, 2.0 ** min(self._fails - 1, 10))
        return max(min(LONGEST_WAIT_S, step * self._random.uniform(0.5, 1.5)), wish_s or 0.0)

    def _note_calmly(self, fault: InfluxFault) -> None:
        try:
            self._note(fault)
        except StoreError as error:
            LOG.warning("the state of InfluxDB cannot be kept: %s", error)

    def _note(self, fault: InfluxFault | None) -> None:
        """Keep the state for other processes, only when it changed or once a minute."""
        alarm = fault is not None and fault.fault in (Fault.REFUSED, Fault.MISSING)
        status = SinkStatus(
            last_ok_ns=self._last_ok_ns,
            away=str(fault) if fault is not None and not alarm else "",
            alarm=str(fault) if fault is not None and alarm else "",
        )
        if (status.away, status.alarm) != (self._kept.away, self._kept.alarm):
            if fault is None:
                LOG.info("InfluxDB has everything again")
            else:
                LOG.log(logging.ERROR if alarm else logging.WARNING, "%s", fault)
            if fault is not None and fault.fault is Fault.MISSING:
                self._store.mark_all_dirty()  # a bucket that was deleted comes back empty
        elif (status.last_ok_ns or 0) - (self._kept.last_ok_ns or 0) < 60 * SECOND_NS:
            return
        self._kept = status
        self._store.put_meta("sink", json.dumps(asdict(status)))

    def _send(self, lines: Sequence[str], precision: str) -> None:
        """Write; halve what is too large; find the line that is refused and set it aside."""
        if not lines:
            return
        try:
            self._target.write(lines, precision)
        except InfluxFault as fault:
            if fault.fault not in (Fault.TOO_LARGE, Fault.REJECTED):
                raise
            if len(lines) == 1:
                LOG.warning("InfluxDB refuses a line, it is kept as a dead letter: %s", fault)
                self._store.put_dead_letter(_wearer_of(lines[0]), lines[0], str(fault))
                return
            half = len(lines) // 2
            self._send(lines[:half], precision)
            self._send(lines[half:], precision)

    def _lines_of(self, hour: DirtyHour) -> tuple[list[str], list[str]]:
        """Every line of an hour: those with precision s, and those with precision ns."""
        who, where = hour.wearer, hour.placement
        start_ns, end_ns = hour.hour_ns, hour.hour_ns + HOUR_NS
        epochs = self._store.epochs(who, where, max(start_ns, hour.from_ns), end_ns)
        seconds = list(line.epoch_lines(who, where, epochs))
        rolled = self._store.hours(who, where, start_ns, end_ns) or [HourRow(start_ns=start_ns)]
        seconds += [line.hour_line(who, where, row) for row in rolled]
        seconds += self._day_lines(hour)
        nanos = [
            *(line.transition_line(who, where, t)
              for t in self._store.transitions(who, where, start_ns, end_ns)),
            *(line.set_line(who, where, s) for s in self._store.sets(who, where, start_ns, end_ns)),
            *(line.gap_line(who, where, g)
              for g in self._store.gaps(who, where, start_ns, end_ns) if g.start_ns >= start_ns),
        ]  # fmt: skip
        for measurement, t_ns, tag in self._store.gone(hour):
            if measurement == "epoch":
                seconds.append(line.removed_epoch_line(who, where, t_ns))
            else:
                nanos.append(line.removed_event_line(measurement, who, where, t_ns, tag))
        return seconds, nanos

    def _day_lines(self, hour: DirtyHour) -> list[str]:
        tz = self._store.zone_of(hour.wearer)
        ends = (hour.hour_ns, hour.hour_ns + HOUR_NS - 1)
        days = sorted({local_date(t, tz).isoformat() for t in ends})
        rows = {r.day: r for r in self._store.days(hour.wearer, hour.placement, days[0], days[-1])}
        return [
            line.day_line(rows[day])
            if day in rows
            else line.removed_day_line(
                hour.wearer, hour.placement, day, day_bounds_ns(date.fromisoformat(day), tz)[0]
            )
            for day in days
        ]


def start_sink(
    store: SqliteStore, settings: Settings, clock: Clock = SYSTEM_CLOCK
) -> Callable[[], None]:
    """Run a sink in a thread of the collector; the function that is returned stops it.

    Nothing needs to be flushed at the end: what was not acknowledged is still in the queue.
    """
    stop = threading.Event()
    target = InfluxTarget(settings)
    sink = Sink(store, target, clock)
    thread = threading.Thread(target=sink.run, args=(stop,), name="influx-sink", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(timeout=15)
        target.close()

    return end


def _wearer_of(text: str) -> str:
    return text.split(" ", 1)[0].rpartition("wearer=")[2]
