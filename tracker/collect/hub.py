# SPDX-License-Identifier: Apache-2.0
"""All sensors of a collector: one task each, one tick a second into the store.

In the event loop frames are decoded and put on the time line (`intake.py`). Once a second a worker
thread takes what came through the chain (`analyst.py`) and writes it in one transaction
(`keeper.py`), while the loop goes on receiving. A fault in one sensor's data is logged, counted
and kept from the others; its raw samples are stored all the same.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from firmware_protocol.registry import Advert, Decoder, Resume, Session, Wish, decoders
from tracker.clock import Clock
from tracker.collect.analyst import Analyst
from tracker.collect.ble import Link, LinkParams
from tracker.collect.inbox import Arrival, Inbox, LinkNews, StepTaker
from tracker.collect.intake import Intake, Work
from tracker.collect.keeper import Keeper
from tracker.collect.scan import Air
from tracker.errors import BackstayError, InputError, ServiceError, StoreError
from tracker.model import GapReason, Placement, Samples
from tracker.store.base import Batch, SensorConfig
from tracker.store.sqlite import SqliteStore

log = logging.getLogger("backstay.hub")

# What a chain can stumble over in data nobody foresaw; the sensor's raw samples are kept then.
ANALYSIS_ERRORS = (BackstayError, ValueError, ArithmeticError, LookupError, TypeError)
Source = Callable[["Sensor"], Awaitable[None]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubParams:
    """Times in seconds of the clock unless said otherwise."""

    tick_s: float = 1.0
    tick_min_real_s: float = 0.1  # a fast clock must not make the disk sync all the time
    keep_resume_s: float = 15.0
    housekeep_s: float = 3600.0


@dataclass(slots=True)
class Sensor:
    """One sensor that is being served. A source puts `Arrival`s into `inbox`."""

    config: SensorConfig
    intake: Intake
    analyst: Analyst
    link: Link | None = None
    taker: StepTaker | None = None
    tasks: tuple[asyncio.Task[None], ...] = ()
    faults: int = 0

    @property
    def inbox(self) -> Inbox:
        """The sensor's queue."""
        return self.intake.inbox


class Hub:
    """Serves sensors until `stop`. `run` is the service's main task."""

    def __init__(
        self,
        store: SqliteStore,
        clock: Clock,
        *,
        air: Air | None = None,
        extra: Sequence[Decoder] = (),
        params: HubParams | None = None,
        link_params: LinkParams | None = None,
        raw_days: int = 30,
        research_models: bool = True,
    ) -> None:
        self.store, self.clock = store, clock
        self.sensors: dict[str, Sensor] = {}
        self.keeper = Keeper(store)
        self.sources: dict[str, Source] = {}  # by prefix of the address
        self.refused: dict[str, str] = {}  # configured sensors that cannot be served, and why
        self.started_ns = clock.now_ns()
        self.ticks = 0
        self._air = air or Air(clock)
        self._extra = tuple(extra)
        self._p = params or HubParams()
        self._link_params = link_params
        self._raw_days, self._research = raw_days, research_models
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()  # the planned sensors are served
        self._group: asyncio.TaskGroup | None = None
        self._turn = asyncio.Lock()  # one analysis or change of the set of sensors at a time
        self._resume_due = clock.monotonic_s()
        self._house_due = clock.monotonic_s()
        self._planned: list[tuple[SensorConfig, Source | None]] = []

    @property
    def air(self) -> Air:
        """The radio that all sensors share."""
        return self._air

    def stop(self) -> None:
        """Ask `run` to end; it lets go of every sensor and writes what is left."""
        self._stopping.set()

    async def run(self) -> None:
        """Serve until `stop`."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for config, source in self._planned:
                    await self._try_to_add(config, source)
                ticker = group.create_task(self._tick_for_ever(), name="tick")
                self.ready.set()
                await self._stopping.wait()
                ticker.cancel()
                await asyncio.gather(*(self._quit(s) for s in list(self.sensors.values())))
        finally:
            self._group = None
            self.ready.set()
            await asyncio.shield(self._end())

    # -- sensors ------------------------------------------------------------------------------

    def plan(self, config: SensorConfig, source: Source | None = None) -> None:
        """Serve a sensor as soon as `run` begins."""
        self._planned.append((config, source))

    async def _try_to_add(self, config: SensorConfig, source: Source | None) -> None:
        try:
            await self.add(config, source)
        except (InputError, StoreError) as error:
            self.refused[config.address] = str(error)
            log.error("sensor not served", extra={"sensor": config.address, "error": str(error)})  # noqa: TRY400 - the sentence says it all

    async def add(self, config: SensorConfig, source: Source | None = None) -> Sensor:
        """Serve a sensor. Without `source`: over Bluetooth. Raises InputError where it cannot be.

        A sensor whose address has a prefix has no radio link: `sources` may know how to follow it
        (`phyphox:HOST:PORT`), else others fill its queue (`phone:ID`).
        """
        source = source or self.sources.get(config.address.partition(":")[0])
        address = config.address
        if self._group is None:
            raise ServiceError("the collector is not running: start it first")
        if address in self.sensors:
            await self.remove(address)
        other = next(
            (
                s
                for s in self.sensors.values()
                if (s.config.wearer, s.config.placement) == (config.wearer, config.placement)
            ),
            None,
        )
        if other is not None:
            raise InputError(
                f"{config.wearer} already wears {other.config.address} at {config.placement}: "
                "remove it first, or choose another placement"
            )
        async with self._turn:
            sensor = await asyncio.to_thread(self._make, config)
        self.sensors[address] = sensor
        tasks = [self._group.create_task(self._receive(sensor), name=f"receive {address}")]
        if source is not None:
            tasks.append(self._group.create_task(self._play(source, sensor), name=address))
        elif not has_prefix(address):
            link = sensor.link = sensor.taker = self._link(sensor)
            tasks.append(self._group.create_task(link.run(), name=f"link {address}"))
        sensor.tasks = tuple(tasks)
        log.info("sensor served", extra={"sensor": address, "wearer": config.wearer})
        return sensor

    async def remove(self, address: str) -> None:
        """Let go of a sensor; what it measured stays."""
        sensor = self.sensors.get(address)
        if sensor is None:
            return
        await self._quit(sensor)
        async with self._turn:
            self.sensors.pop(address, None)
            await asyncio.to_thread(self._finish, [(sensor, sensor.intake.end())])

    def inbox_of(self, address: str) -> Inbox | None:
        """The queue of a served sensor."""
        sensor = self.sensors.get(address)
        return None if sensor is None else sensor.inbox

    def series(self, wearer: str, placement: Placement) -> Sensor | None:
        """The sensor that serves a series, if any does."""
        found = (
            s
            for s in self.sensors.values()
            if (s.config.wearer, s.config.placement) == (wearer, placement)
        )
        return next(found, None)

    async def reload(self, wearer: str) -> None:
        """Calibrations or settings of a wearer changed."""
        async with self._turn:
            for sensor in self.sensors.values():
                if sensor.config.wearer == wearer:
                    await asyncio.to_thread(sensor.analyst.reload)

    async def at_rest(self, work: Callable[[], T]) -> T:
        """Run something that needs the store while no analysis is under way."""
        async with self._turn:
            return await asyncio.to_thread(work)

    def _make(self, config: SensorConfig) -> Sensor:
        options = config.options
        wish = Wish(fs_hz=float(str(options.get("fs_hz", 50.0))))
        intake = Intake(config, self.clock, wish=wish)
        analyst = Analyst(self.store, config, research_models=self._research)
        self.keeper.write(analyst.restore())
        if analyst.last_ns is not None:
            analyst.reworked()
        intake.resume_from(resume_of(options.get("resume")), analyst.last_ns)
        return Sensor(config=config, intake=intake, analyst=analyst)

    def _link(self, sensor: Sensor) -> Link:
        known = {d.name: d for d in (*self._extra, *decoders().values())}
        wanted = sensor.config.decoder
        if wanted and wanted not in known:
            raise InputError(f"there is no decoder {wanted!r}: choose {', '.join(sorted(known))}")

        def open_session(decoder: Decoder, advert: Advert) -> Session:
            return sensor.intake.open(decoder, advert)

        return Link(
            address=sensor.config.address,
            inbox=sensor.inbox,
            air=self._air,
            clock=self.clock,
            decoder=known.get(wanted),
            extra=self._extra,
            params=self._link_params,
            open_session=open_session,
            moving=lambda: sensor.analyst.moving,
        )

    async def _receive(self, sensor: Sensor) -> None:
        while True:
            items: list[Arrival | LinkNews] = await sensor.inbox.get()
            for session, steps in sensor.intake.take(items):
                if sensor.taker is not None:
                    sensor.taker.todo(session, steps)

    async def _play(self, source: Source, sensor: Sensor) -> None:
        """A source that gives up says why; the other sensors go on."""
        try:
            await source(sensor)
        except (BackstayError, ImportError) as error:
            why = str(error)
            if isinstance(error, ImportError):
                why = f"a package is missing ({error}): install backstay[http]"
            address = sensor.config.address
            self.refused[address] = why
            log.error("a sensor cannot be followed", extra={"sensor": address, "error": why})  # noqa: TRY400 - the sentence says it all
            sensor.inbox.tell(
                LinkNews(
                    at_ns=self.clock.now_ns(), link="lost", reason=GapReason.LINK_LOST, why=why
                )
            )

    @staticmethod
    async def _quit(sensor: Sensor) -> None:
        for task in sensor.tasks:
            task.cancel()
        if sensor.tasks:
            await asyncio.wait(sensor.tasks)

    # -- every second -------------------------------------------------------------------------

    async def _tick_for_ever(self) -> None:
        period = max(self.clock.real_s(self._p.tick_s), self._p.tick_min_real_s)
        loop = asyncio.get_running_loop()
        due = loop.time() + period
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await asyncio.shield(self.tick())
            due = max(due + period, loop.time() + period / 10)  # what a tick takes is not added

    async def tick(self) -> None:
        """Analyse and write what came since the last tick."""
        async with self._turn:
            works = [(s, s.intake.cut()) for s in self.sensors.values()]
            resumes = self._resumes()
            await asyncio.to_thread(self._analyse, works, resumes)
            self.ticks += 1

    def _resumes(self) -> list[tuple[str, Resume]]:
        """Now and then: what sensors with a buffer need after a crash of this process."""
        now = self.clock.monotonic_s()
        if now < self._resume_due:
            return []
        self._resume_due = now + self._p.keep_resume_s
        return [(s.config.address, r) for s in self.sensors.values() if (r := s.intake.resume)]

    def _analyse(
        self, works: Sequence[tuple[Sensor, Work]], resumes: Sequence[tuple[str, Resume]]
    ) -> None:
        now_ns = self.clock.now_ns()
        batches: list[Batch] = []
        for sensor, work in works:
            batches += self._step(sensor, work, now_ns)
        clean = self.keeper.write(batches)
        if not clean:
            return
        for sensor, _ in works:
            if sensor.analyst.rework_due(now_ns):
                self._rework(sensor)
        for address, resume in resumes:
            self._keep_resume(address, resume)
        if self.clock.monotonic_s() >= self._house_due:
            self._house_due = self.clock.monotonic_s() + self._p.housekeep_s
            with _logged("housekeeping"):
                self.store.housekeep(self._raw_days)

    def _step(self, sensor: Sensor, work: Work, now_ns: int) -> list[Batch]:
        try:
            return sensor.analyst.step(work, now_ns)
        except ANALYSIS_ERRORS as error:
            sensor.faults += 1
            log.exception(
                "the analysis failed; raw samples are kept",
                extra={"sensor": sensor.config.address, "error": str(error)},
            )
            where = {"wearer": sensor.config.wearer, "placement": sensor.config.placement}
            raws: list[Samples] = [p.samples for p in work.pieces] + list(work.late)
            kept = [Batch(**where, raw=r) for r in raws if len(r)]  # type: ignore[arg-type]
            sensor.analyst = Analyst(self.store, sensor.config, research_models=self._research)
            return [*kept, Batch(**where, gaps=(*work.gaps, *work.check))]  # type: ignore[arg-type]

    def _rework(self, sensor: Sensor) -> None:
        try:
            if self.keeper.write(sensor.analyst.rework()):
                sensor.analyst.reworked()
        except ANALYSIS_ERRORS as error:
            sensor.faults += 1
            log.exception(
                "late samples could not be analysed",
                extra={"sensor": sensor.config.address, "error": str(error)},
            )

    def _keep_resume(self, address: str, resume: Resume) -> None:
        config = self.sensors[address].config
        options = {**config.options, "resume": asdict(resume)}
        config = self.sensors[address].config = replace(config, options=options)
        if any(s.address == address for s in self.store.sensors()):
            with _logged("resume of a sensor"):
                self.store.put_sensor(config)

    # -- the end ------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Everything that is still in memory goes to the disk."""
        async with self._turn:
            works = [(s, s.intake.end()) for s in self.sensors.values()]
            await asyncio.to_thread(self._finish, works)

    def _finish(self, works: Sequence[tuple[Sensor, Work]]) -> None:
        now_ns = self.clock.now_ns()
        batches = [b for s, w in works for b in self._step(s, replace(w, link="lost"), now_ns)]
        if not self.keeper.write(batches):
            return
        for sensor, _ in works:
            try:
                if self.keeper.write(sensor.analyst.end()):
                    sensor.analyst.reworked()
            except ANALYSIS_ERRORS as error:
                log.exception("the end of an analysis failed", extra={"error": str(error)})
            if (resume := sensor.intake.resume) and sensor.config.address in self.sensors:
                self._keep_resume(sensor.config.address, resume)


def has_prefix(address: str) -> bool:
    """Whether an address is no radio address: `phone:...`, `demo:...`, `replay:...`.

    Bluetooth addresses have colons too (`C0:00:...`), identifiers of macOS have none.
    """
    head, colon, _ = address.partition(":")
    return bool(colon) and len(head) > 2


def resume_of(value: object) -> Resume | None:
    """A resume from its JSON; None where there is none or it cannot be read."""
    if not isinstance(value, dict):
        return None
    try:
        missing = tuple((int(a), int(b)) for a, b in value.get("missing", ()))
        return Resume(
            decoder=str(value["decoder"]),
            boot=int(value["boot"]),
            next_index=int(value["next_index"]),
            missing=missing,
        )
    except (KeyError, TypeError, ValueError):
        log.warning("the stored place to resume from cannot be read")
        return None


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        log.warning("%s failed", what, extra={"error": str(error)})
