# SPDX-License-Identifier: Apache-2.0
"""The demo's live wearer: some lively simulated minutes, again and again, by the real live path."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from firmware_protocol.registry import decoders
from tracker.clock import Clock, clock_from_environment
from tracker.collect.hub import Hub, Sensor
from tracker.collect.simulate import play
from tracker.demo import PLACEMENT, SEED, WEARER
from tracker.log import set_up_logging
from tracker.model import SECOND_NS, Samples
from tracker.settings import Settings
from tracker.signal.calibrate import Calibration
from tracker.simulation.days import record
from tracker.simulation.motions import Script
from tracker.store.base import Batch, CalibrationRecord, SensorConfig
from tracker.store.sqlite import open_store

ADDRESS = "demo:reference"
TALL_DEG, SLUMP_DEG = 2.0, 24.0
_log = logging.getLogger("backstay.demo")


def run_feed(settings: Settings) -> None:
    """Feed the demo's folder until asked to stop."""
    set_up_logging(settings.log)
    asyncio.run(_feed(settings, clock_from_environment()))


async def _feed(settings: Settings, clock: Clock) -> None:
    store = open_store(settings, clock)
    try:
        calibration = Calibration(
            tall_deg=TALL_DEG,
            slumped_deg=TALL_DEG + SLUMP_DEG,
            standing_deg=0.0,
            method=("demo",),
        )
        # The wearer is known to the store before a calibration can belong to it.
        store.write(Batch(wearer=WEARER, placement=PLACEMENT))
        store.put_calibration(
            WEARER,
            PLACEMENT,
            CalibrationRecord(
                from_ns=clock.now_ns() - 60 * SECOND_NS, kind="demo", body=asdict(calibration)
            ),
        )
        hub = Hub(store, clock, raw_days=1)
        config = SensorConfig(
            address=ADDRESS, wearer=WEARER, placement=PLACEMENT, name="Demo", decoder="reference"
        )

        async def source(sensor: Sensor) -> None:
            await play(sensor, _blocks(clock), decoders()["reference"], clock)

        hub.plan(config, source)
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM"):
            with contextlib.suppress(NotImplementedError, AttributeError):
                loop.add_signal_handler(getattr(signal, name), hub.stop)
        await hub.run()
    finally:
        store.close()


def _blocks(clock: Clock) -> Iterator[Samples]:
    """A few lively minutes after the other, each from where the clock is or the last one ended."""
    rng = np.random.default_rng(SEED)
    next_ns = clock.now_ns()
    while True:
        script = Script(rng, 50.0, tall_deg=TALL_DEG, slump_deg=SLUMP_DEG)
        script.stand(6)
        script.walk(20)
        script.stand(5)
        script.sit_down()
        script.sit(45, 0.0)
        script.sit(75, 1.0)
        script.sit(60, 0.2)
        script.stand_up()
        script.stand(15)
        samples = record(script, PLACEMENT, start_ns=next_ns).samples
        next_ns = int(samples.t_ns[-1]) + 20_000_000
        yield samples
