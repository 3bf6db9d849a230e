# SPDX-License-Identifier: Apache-2.0
"""The collector process: store, hub, local door, phone door, signals.

One collector per data folder: the store's lock refuses a second one with a sentence. SIGTERM and
Ctrl+C stop sensors cleanly, disconnect them and write what is left.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import TYPE_CHECKING

from firmware_protocol.registry import Decoder
from tracker.clock import Clock, clock_from_environment
from tracker.collect.actions import Actions
from tracker.collect.ble import LinkParams
from tracker.collect.broker import broker_of
from tracker.collect.control import ControlServer
from tracker.collect.described import described
from tracker.collect.hub import Hub, Sensor, Source
from tracker.collect.phone_door import PhoneDoor
from tracker.collect.prompts_here import prompts_of
from tracker.collect.scan import RADIO_ERRORS, Air
from tracker.errors import SensorError, StoreBusy
from tracker.settings import Settings
from tracker.store.base import CalibrationRecord, SensorConfig
from tracker.store.sqlite import SqliteStore, open_reader, open_store

if TYPE_CHECKING:
    from tracker.collect.pull import Phone

log = logging.getLogger("backstay.collector")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a collector serves. No `sensors`: all that are configured and enabled in the store.

    `keep` stores the given sensors, so that the next start serves them without options.
    """

    settings: Settings
    clock: Clock = field(default_factory=clock_from_environment)
    sensors: Sequence[tuple[SensorConfig, Source | None]] = ()
    calibrations: Sequence[tuple[SensorConfig, CalibrationRecord]] = ()
    keep: bool = True
    doors: bool = True
    extra: Sequence[Decoder] = ()
    link_params: LinkParams | None = None
    finished: asyncio.Event | None = None  # ends the collector when set, for a replay


def run(plan: Plan) -> None:
    """Run a collector until a signal comes. Raises StoreBusy where one runs already."""
    asyncio.run(serve(plan))


async def serve(plan: Plan) -> None:
    """The same in a running loop."""
    settings = plan.settings
    if settings.mqtt_url:
        broker_of(settings.mqtt_url)  # refuse a wrong address before anything is opened
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = _open(settings, plan.clock)
    end_sink: Callable[[], None] = lambda: None  # noqa: E731 - a default
    end_push = end_sink
    try:
        if settings.influx_url:
            from tracker.store.influx_sink import start_sink

            end_sink = start_sink(store, settings, plan.clock)
        from tracker.collect.push import start_push

        end_push = start_push(open_reader(settings), settings.data, plan.clock)
        own, wrong = described(settings.data)
        plan = replace(plan, extra=(*plan.extra, *own))
        hub = Hub(
            store,
            plan.clock,
            air=Air(plan.clock),
            extra=plan.extra,
            link_params=plan.link_params
            or LinkParams(acquire_notify=settings.ble_notify == "acquire"),
            raw_days=settings.raw_days,
            research_models=settings.hapt_model != "off",
        )
        hub.refused.update(wrong)
        hub.sources.update(_followed(plan.clock))
        for config, record in plan.calibrations:
            store.put_calibration(config.wearer, config.placement, record)
        for config, source in _wanted(plan, store):
            hub.plan(config, source)
        await _serve(plan, hub)
        # Rollups follow the data by up to a minute; nothing else will come and bring them along.
        await asyncio.to_thread(store.refresh)
    finally:
        await asyncio.to_thread(end_push)
        await asyncio.to_thread(end_sink)
        store.close()


def _open(settings: Settings, clock: Clock) -> SqliteStore:
    try:
        return open_store(settings, clock)
    except StoreBusy as error:
        raise StoreBusy(
            f"a collector already runs on {settings.data}: use it, stop it first, or choose "
            "another folder with BACKSTAY_DATA"
        ) from error


def _wanted(plan: Plan, store: SqliteStore) -> list[tuple[SensorConfig, Source | None]]:
    if not plan.sensors:
        return [(c, None) for c in store.sensors() if c.enabled]
    known = {c.address: c for c in store.sensors()}
    wanted = []
    for config, source in plan.sensors:
        old = known.get(config.address)
        same = old is not None and (old.wearer, old.placement) == (config.wearer, config.placement)
        if old is not None and same:  # what it still owes us is remembered with it
            config = replace(config, options={**old.options, **config.options})  # noqa: PLW2901
        if plan.keep:
            store.put_sensor(config)
        wanted.append((config, source))
    return wanted


def _followed(clock: Clock) -> dict[str, Source]:
    """Phones that are servers: `sensorserver:HOST:PORT` and `phyphox:HOST:PORT`."""

    def phone(sensor: Sensor) -> "Phone":
        from tracker.collect.pull import Phone

        address = sensor.config.address
        return Phone(sensor=address, address=address.partition(":")[2])

    async def sensorserver(sensor: Sensor) -> None:
        from tracker.collect.pull import follow_sensor_server

        await follow_sensor_server(phone(sensor), sensor.inbox, clock)

    async def phyphox(sensor: Sensor) -> None:
        from tracker.collect.pull import follow_phyphox

        await follow_phyphox(phone(sensor), sensor.inbox, clock)

    return {"sensorserver": sensorserver, "phyphox": phyphox}


async def _serve(plan: Plan, hub: Hub) -> None:
    main = asyncio.create_task(hub.run(), name="hub")
    _on_signals(hub.stop)
    prompts = prompts_of(hub, plan.settings, plan.clock)
    phones = PhoneDoor(hub, plan.settings, plan.clock, prompts.routes)
    actions = Actions(hub, phones, plan.settings, plan.extra)
    control = ControlServer(plan.settings.data, {**actions.methods(), **prompts.methods()})
    try:
        await hub.ready.wait()
        if plan.doors:
            await phones.start()
        await control.start()
        prompts.start()
        log.info("collector runs", extra={"sensors": sorted(hub.sensors)})
        if plan.finished is not None:
            over = asyncio.create_task(plan.finished.wait())
            await asyncio.wait({over, main}, return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
            hub.stop()
        await main
    finally:
        hub.stop()
        await prompts.stop()
        await control.stop()
        if plan.doors:
            await phones.stop()
        await asyncio.gather(main, return_exceptions=True)
    main.result()


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        return

    def asked(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop)
        except (NotImplementedError, ValueError):  # Windows: no such thing in its event loop
            signal.signal(number, asked)


async def scan_here(plan: Plan, seconds: float) -> list[dict[str, object]]:
    """A scan by this process, for when no collector runs."""
    from tracker.collect.scan import scan
    from tracker.collect.wire import found_json

    try:
        own, _ = described(plan.settings.data)
        found = await scan(plan.clock, seconds=seconds, extra=(*plan.extra, *own))
    except RADIO_ERRORS as error:
        raise SensorError(f"Bluetooth does not answer ({error}): see `backstay doctor`") from error
    return [found_json(f) for f in found]
