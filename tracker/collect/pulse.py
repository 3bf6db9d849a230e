# SPDX-License-Identifier: Apache-2.0
"""The collector's pulse: what came is put on the disk every second, and analysed after that.

Two loops with a thread each. Recording cuts what came, writes raw samples and gaps in one synced
transaction, and is never held up by the analysis: a sample that is older than a second survives
any end of this process, however slow the machine. The analysis takes what is on the disk and may
lag; what it lacks after a restart it reads from there.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from firmware_protocol.registry import Resume
from tracker.clock import Clock
from tracker.collect.intake import Work
from tracker.collect.keeper import Keeper
from tracker.collect.served import Sensor
from tracker.errors import BackstayError, StoreError
from tracker.model import Samples
from tracker.store.base import Batch
from tracker.store.sqlite import SqliteStore

log = logging.getLogger("backstay.hub")

# What a chain can stumble over in data nobody foresaw; the sensor's raw samples are kept then.
ANALYSIS_ERRORS = (BackstayError, ValueError, ArithmeticError, LookupError, TypeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseParams:
    """Times in seconds of the clock unless said otherwise."""

    tick_s: float = 0.8  # and the write itself: what is a second old is on the disk
    tick_min_real_s: float = 0.1  # a fast clock must not make the disk sync all the time
    keep_resume_s: float = 15.0
    housekeep_s: float = 3600.0


class Pulse:
    """Records and analyses for the sensors of a hub. `turn` before `thinking` where both are held.

    turn      held while sensors are cut and recorded, or their set changes
    thinking  held while they are analysed, or something must not happen meanwhile
    """

    def __init__(
        self,
        store: SqliteStore,
        keeper: Keeper,
        clock: Clock,
        sensors: Mapping[str, Sensor],
        *,
        params: PulseParams | None = None,
        raw_days: int = 30,
    ) -> None:
        self.turn, self.thinking = asyncio.Lock(), asyncio.Lock()
        self.ticks = 0
        self._store, self._keeper, self._clock, self._sensors = store, keeper, clock, sensors
        self._p = params or PulseParams()
        self._raw_days = raw_days
        self._news = asyncio.Event()
        self._resume_due = clock.monotonic_s()
        self._house_due = clock.monotonic_s()

    async def record_for_ever(self) -> None:
        """Every tick; what a tick takes is not added to the pause."""
        period = max(self._clock.real_s(self._p.tick_s), self._p.tick_min_real_s)
        loop = asyncio.get_running_loop()
        due = loop.time() + period
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await asyncio.shield(self.record())
            due = max(due + period, loop.time() + period / 10)

    async def analyse_for_ever(self) -> None:
        """After every recording, as fast as it goes."""
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.shield(self.analyse())
            if not self._keeper.error and any(s.series.behind for s in self._sensors.values()):
                self._news.set()

    async def record(self) -> None:
        """Write what came since the last time."""
        async with self.turn:
            works = [(s, s.intake.cut()) for s in self._sensors.values()]
            resumes = self._resumes()  # of this cut: what they say was received is in it
            for sensor, work in works:
                sensor.battery.hear(self._clock.now_ns(), work.battery_pct)
            await asyncio.to_thread(self._record, works, resumes)
            self.ticks += 1
        self._news.set()

    async def analyse(self) -> None:
        """Analyse what is on the disk."""
        async with self.thinking:
            sensors = list(self._sensors.values())
            await asyncio.to_thread(self._analyse, sensors)

    async def finish(self, sensors: Sequence[Sensor]) -> None:
        """The last of some sensors: record, analyse, leave their state. Needs both locks."""
        works = [(s, replace(s.intake.end(), link="lost")) for s in sensors]
        await asyncio.to_thread(self._finish, works)

    # -- in a thread --------------------------------------------------------------------------

    def _record(
        self,
        works: Sequence[tuple[Sensor, Work]],
        resumes: Sequence[tuple[Sensor, Resume]] = (),
    ) -> bool:
        now_ns = self._clock.now_ns()
        batches: list[Batch] = []
        heard: list[Samples | None] = []
        for sensor, work in works:
            made, fresh = self._of(sensor, work, now_ns)
            batches += made
            heard.append(fresh)
        clean = self._keeper.write(batches)
        for (sensor, work), fresh in zip(works, heard, strict=True):
            sensor.series.heard(fresh, work, clean=clean)
            if clean:
                sensor.series.recorder.spill(work)
        # Only now: a sensor is never told to go on behind what is on the disk.
        for sensor, resume in resumes if clean else ():
            if not sensor.series.recorder.holds_back:
                self._keep_resume(sensor, resume)
        return clean

    def _of(
        self, sensor: Sensor, work: Work, now_ns: int
    ) -> tuple[Sequence[Batch], Samples | None]:
        try:
            return sensor.series.record(work, now_ns)
        except ANALYSIS_ERRORS as error:
            self._fault(sensor, error)
            where = {"wearer": sensor.config.wearer, "placement": sensor.config.placement}
            raws: list[Samples] = [p.samples for p in work.pieces] + list(work.late)
            kept = [Batch(**where, raw=r) for r in raws if len(r)]  # type: ignore[arg-type]
            return [*kept, Batch(**where, gaps=(*work.gaps, *work.check))], None  # type: ignore[arg-type]

    def _analyse(self, sensors: Sequence[Sensor]) -> None:
        now_ns = self._clock.now_ns()
        if not self._write_all([(s, s.series.analyse(now_ns)) for s in sensors]):
            return
        for sensor in sensors:
            self._rework(sensor, now_ns)
            self._look_at_the_fit(sensor)
        if self._clock.monotonic_s() >= self._house_due:
            self._house_due = self._clock.monotonic_s() + self._p.housekeep_s
            with _logged("housekeeping"):
                self._store.housekeep(self._raw_days)

    def _write_all(self, parts: Sequence[tuple[Sensor, Iterator[list[Batch]]]]) -> bool:
        """The parts of all sensors, one after the other, each round in one transaction."""
        while parts:
            got = [(sensor, part, self._next(sensor, part)) for sensor, part in parts]
            batches = [b for _, _, made in got if made is not None for b in made]
            if batches and not self._keeper.write(batches, sync=False):
                return False
            parts = [(sensor, part) for sensor, part, made in got if made is not None]
        return True

    def _next(self, sensor: Sensor, parts: Iterator[list[Batch]]) -> list[Batch] | None:
        try:
            return next(parts, None)
        except ANALYSIS_ERRORS as error:
            self._fault(sensor, error)
            sensor.series.renew()
            return None

    def _rework(self, sensor: Sensor, now_ns: int) -> None:
        try:
            batches = sensor.series.rework(now_ns)
            if batches is not None and self._keeper.write(batches):
                sensor.series.late.done()
        except ANALYSIS_ERRORS as error:
            self._fault(sensor, error)
            sensor.series.renew()

    def _look_at_the_fit(self, sensor: Sensor) -> None:
        try:
            if sensor.wearing is not None and sensor.wearing.look(sensor.analyst.last_ns):
                sensor.analyst.reload()
        except ANALYSIS_ERRORS as error:
            self._fault(sensor, error)

    def _finish(self, works: Sequence[tuple[Sensor, Work]]) -> None:
        clean = self._record(works)
        now_ns = self._clock.now_ns()
        rest = [b for s, _ in works for b in s.series.recorder.end(now_ns)]
        if not self._keeper.write(rest) or not clean:
            return
        self._write_all([(s, s.series.end(now_ns)) for s, _ in works])
        for sensor, _ in works:
            if (resume := sensor.intake.resume) is not None:
                self._keep_resume(sensor, resume)

    def _fault(self, sensor: Sensor, error: Exception) -> None:
        sensor.faults += 1
        log.error(
            "the analysis failed; raw samples are kept",
            exc_info=error,
            extra={"sensor": sensor.config.address, "error": str(error)},
        )

    # -- what sensors with a buffer need after a crash ----------------------------------------

    def _resumes(self) -> list[tuple[Sensor, Resume]]:
        """Now and then: where each sensor is to go on."""
        now = self._clock.monotonic_s()
        if now < self._resume_due:
            return []
        self._resume_due = now + self._p.keep_resume_s
        return [(s, r) for s in self._sensors.values() if (r := s.intake.resume)]

    def _keep_resume(self, sensor: Sensor, resume: Resume) -> None:
        options = {**sensor.config.options, "resume": asdict(resume)}
        sensor.config = replace(sensor.config, options=options)
        if any(s.address == sensor.config.address for s in self._store.sensors()):
            with _logged("resume of a sensor"):
                self._store.put_sensor(sensor.config)


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        log.warning("%s failed", what, extra={"error": str(error)})
