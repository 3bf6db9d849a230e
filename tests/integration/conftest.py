# SPDX-License-Identifier: Apache-2.0
"""A private bus with a fake `org.bluez` on it, for every test that needs a radio."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.bluez import FakeBluez
from tests.fakes.bus import Bus
from tests.fakes.link_bench import ADDRESS, Bench
from tracker.clock import Clock
from tracker.collect.scan import Air

SPEED = 10.0


@pytest.fixture
def clock() -> Clock:
    """Time runs ten times as fast, starting on a Monday morning."""
    return Clock(start_ns=1_795_420_800_000_000_000, origin_ns=time.time_ns(), speed=SPEED)


@pytest.fixture
def bus(dbus_daemon: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """A private dbus-daemon that Bleak takes for the system bus. Nothing else is switched."""
    with tempfile.TemporaryDirectory(prefix="bus") as folder:  # a socket path must be short
        daemon = Bus(dbus_daemon, Path(folder))
        daemon.start()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", daemon.address)
        yield daemon
        daemon.kill()


@pytest.fixture
async def bluez(bus: Bus, clock: Clock) -> AsyncIterator[FakeBluez]:
    """The fake daemon in the test's own loop."""
    fake = FakeBluez(bus.address, clock=clock)
    await fake.start()
    yield fake
    await fake.stop()
    await _end_of_bleak()


@pytest.fixture
async def bench(bluez: FakeBluez, clock: Clock) -> AsyncIterator[Bench]:
    """A streaming sensor."""
    made = Bench(bluez, clock, ADDRESS, Air(clock))
    made.start()
    await made.more(3)
    yield made
    await made.stop()


async def _end_of_bleak() -> None:
    """Close Bleak's one manager of this loop, so that no socket outlives the test."""
    from bleak.backends.bluezdbus import manager

    instance = manager._global_instances.pop(asyncio.get_running_loop(), None)
    if instance is not None and instance._bus is not None:
        instance._bus.disconnect()
        if instance._bus_watcher_task is not None:
            await asyncio.wait({instance._bus_watcher_task}, timeout=2)
