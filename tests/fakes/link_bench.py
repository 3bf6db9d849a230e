# SPDX-License-Identifier: Apache-2.0
"""One plain sensor in the air, its supervisor, and what arrived: for tests of the radio link."""

import asyncio
import contextlib
import struct
from collections.abc import Callable

import numpy as np

from firmware_protocol.peripheral import Block
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.plain import DATA, PLAIN, PlainSensor
from tracker.clock import Clock
from tracker.collect.ble import Link, LinkParams
from tracker.collect.inbox import Arrival, Inbox, LinkNews
from tracker.collect.scan import Air

ADDRESS = "C0:00:00:00:00:00"


class Bench:
    """One sensor in the air, its supervisor, and what arrived."""

    def __init__(
        self,
        bluez: FakeBluez,
        clock: Clock,
        address: str,
        air: Air,
        params: LinkParams | None = None,
    ) -> None:
        self.bluez, self.clock = bluez, clock
        self.device = PlainSensor()
        self.sensor = bluez.add(Sensor(address, self.device))
        self.inbox = Inbox()
        self.counts: list[int] = []
        self.news: list[LinkNews] = []
        self.link = Link(
            address=address,
            inbox=self.inbox,
            air=air,
            clock=clock,
            decoder=PLAIN,
            params=params,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Play, supervise, collect."""
        work = (self._play(), self._collect())
        self._tasks = [asyncio.ensure_future(w) for w in work]
        self.run = asyncio.ensure_future(self.link.run())

    async def stop(self) -> None:
        """End everything; the supervisor must let go by itself."""
        for task in (self.run, *self._tasks):
            task.cancel()
        await asyncio.gather(self.run, *self._tasks, return_exceptions=True)

    async def _play(self) -> None:
        one = np.array([[0.0, 0.0, 1.0]], np.float32)
        while True:
            block = Block(t_ns=np.array([self.clock.now_ns()]), acc_g=one)
            for uuid, payload in self.device.notify(block):
                with contextlib.suppress(Exception):
                    await self.bluez.notify(self.sensor.address, uuid, payload)
            await self.clock.sleep(0.1)

    async def _collect(self) -> None:
        while True:
            for item in await self.inbox.get():
                if isinstance(item, Arrival):
                    if item.frame.channel == DATA:
                        self.counts.append(struct.unpack("<I", item.frame.payload[:4])[0])
                else:
                    self.news.append(item)

    async def until(self, what: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait (in seconds of the clock) until something holds."""
        deadline = self.clock.monotonic_s() + seconds
        while not what():
            assert self.clock.monotonic_s() < deadline, [n.why for n in self.news]
            await asyncio.sleep(0.01)

    async def more(self, n: int = 5, seconds: float = 60.0) -> None:
        """Wait until n more values have arrived."""
        wanted = len(self.counts) + n
        await self.until(lambda: len(self.counts) >= wanted, seconds)

    @property
    def words(self) -> list[str]:
        """The link's words, in order."""
        return [n.link for n in self.news]
