# SPDX-License-Identifier: Apache-2.0
"""All sensors of a collector: one task each, and one pulse into the store.

In the event loop frames are decoded and put on the time line (`intake.py`). The pulse (`pulse.py`)
writes raw samples every second and has them analysed after that, in threads, while the loop goes
on receiving. A fault in one sensor's data is logged, counted and kept from the others; its raw
samples are stored all the same.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from firmware_protocol.registry import Advert, Decoder, Session, Wish, decoders
from tracker.clock import Clock
from tracker.collect.ble import Link, LinkParams
from tracker.collect.inbox import Arrival, Inbox, LinkNews
from tracker.collect.intake import Intake
from tracker.collect.keeper import Keeper
from tracker.collect.pulse import Pulse, PulseParams
from tracker.collect.scan import Air
from tracker.collect.series import Series
from tracker.collect.served import Sensor, Source, has_prefix, resume_of
from tracker.collect.wearing import Wearing
from tracker.errors import BackstayError, InputError, ServiceError, StoreError
from tracker.model import GapReason, Placement
from tracker.store.base import SensorConfig
from tracker.store.sqlite import SqliteStore
from tracker.store.sqlite_read import SqliteReader

__all__ = ["Hub", "Sensor", "Source", "has_prefix", "resume_of"]

log = logging.getLogger("backstay.hub")

T = TypeVar("T")


class Hub:
    """Serves sensors until `stop`. `run` is the service's main task."""

    def __init__(
        self,
        store: SqliteStore,
        clock: Clock,
        *,
        air: Air | None = None,
        extra: Sequence[Decoder] = (),
        params: PulseParams | None = None,
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
        self._air = air or Air(clock)
        self._extra = tuple(extra)
        self._link_params = link_params
        self._research = research_models
        self._reads = SqliteReader(store.path)
        self._pulse = Pulse(
            store, self.keeper, clock, self.sensors, params=params, raw_days=raw_days
        )
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()  # the planned sensors are served
        self._group: asyncio.TaskGroup | None = None
        self._planned: list[tuple[SensorConfig, Source | None]] = []

    @property
    def air(self) -> Air:
        """The radio that all sensors share."""
        return self._air

    @property
    def ticks(self) -> int:
        """How often what came was recorded."""
        return self._pulse.ticks

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
                recording = group.create_task(self._pulse.record_for_ever(), name="record")
                thinking = group.create_task(self._pulse.analyse_for_ever(), name="analyse")
                self.ready.set()
                await self._stopping.wait()
                recording.cancel()
                thinking.cancel()
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
        async with self._pulse.turn, self._pulse.thinking:
            self.sensors.pop(address, None)
            await self._pulse.finish([sensor])

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
        async with self._pulse.thinking:
            for sensor in list(self.sensors.values()):
                if sensor.config.wearer == wearer:
                    await asyncio.to_thread(sensor.series.analyst.reload)

    async def at_rest(self, work: Callable[[], T]) -> T:
        """Run something that needs the store while no analysis is under way."""
        async with self._pulse.thinking:
            return await asyncio.to_thread(work)

    def _make(self, config: SensorConfig) -> Sensor:
        options = config.options
        wish = Wish(fs_hz=float(str(options.get("fs_hz", 50.0))))
        intake = Intake(config, self.clock, wish=wish)
        series = Series(self.store, config, reads=self._reads, research_models=self._research)
        self.keeper.write(series.restore())
        intake.resume_from(resume_of(options.get("resume")), series.through_ns)
        wearing = Wearing(self.store, config.wearer, config.placement, reads=self._reads)
        return Sensor(config=config, intake=intake, series=series, wearing=wearing)

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
            moving=lambda: sensor.series.analyst.moving,
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

    # -- the pulse ----------------------------------------------------------------------------

    async def tick(self) -> None:
        """Write and analyse what came until now, without waiting for the next second."""
        await self._pulse.record()
        await self._pulse.analyse()

    async def _end(self) -> None:
        """Everything that is still in memory goes to the disk."""
        async with self._pulse.turn, self._pulse.thinking:
            await self._pulse.finish(list(self.sensors.values()))
        self._reads.close()
