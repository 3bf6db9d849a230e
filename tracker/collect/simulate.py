# SPDX-License-Identifier: Apache-2.0
"""A sensor without radio: motion through a decoder's own device and frames into the hub.

Everything after the antenna is real: the simulated device encodes notifications, the session
decodes them, sequence, chain and store follow. Its link is shown as "demo", so that nobody takes
it for a person.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import numpy as np

from firmware_protocol.frame import Frame
from firmware_protocol.peripheral import AttError, Notification, Peripheral, SimulatedDecoder
from firmware_protocol.registry import Advert, Decoder, Session, Step
from tracker.clock import Clock
from tracker.collect.hub import Sensor
from tracker.collect.inbox import Arrival, LinkNews
from tracker.errors import UsageError
from tracker.model import SECOND_NS, Samples

log = logging.getLogger("backstay.simulate")

CHUNK_S = 0.2  # how often a simulated device speaks


@dataclass(slots=True)
class Played:
    """One simulated connection: carries steps to the device and its answers to the queue."""

    sensor: Sensor
    device: Peripheral
    clock: Clock
    session: Session | None = None
    _wanted: list[tuple[Session, Sequence[Step]]] = field(default_factory=list)

    def begin(self, decoder: Decoder, link: str = "demo") -> None:
        """Connect: open a session and carry out its start sequence."""
        self.session = self.sensor.intake.open(decoder, Advert(address=self.sensor.config.address))
        self.sensor.taker = self
        self.tell(link)
        self._run(self.session.start())
        self.todo(self.session, self.session.pending())

    def tell(self, link: str, why: str = "") -> None:
        """News about the link."""
        self.sensor.inbox.tell(
            LinkNews(at_ns=self.clock.now_ns(), link=link, why=why, session=self.session)
        )

    def todo(self, session: Session, steps: Sequence[Step]) -> None:
        """Carry out steps of the session that is open."""
        if session is self.session:
            self._run(steps)

    def play(self, samples: Samples) -> None:
        """Let the device sample this motion and deliver what it notifies."""
        if len(samples):
            self._deliver(self.device.notify(samples))

    def _deliver(self, notifications: Sequence[Notification]) -> None:
        session = self.session
        if session is None:
            return
        for channel, payload in notifications:
            frame = Frame(
                sensor=self.sensor.config.address,
                channel=channel,
                payload=payload,
                received_ns=self.clock.now_ns(),
            )
            self.sensor.inbox.put(Arrival(session=session, frame=frame))

    def _run(self, steps: Sequence[Step]) -> None:
        for step in steps:
            try:
                self._deliver(self._carry_out(step))
            except AttError as error:
                if not step.optional:
                    raise UsageError(f"the simulated sensor refuses {step.why}: {error}") from error

    def _carry_out(self, step: Step) -> list[Notification]:
        now_ns = self.clock.now_ns()
        if step.action in ("subscribe", "unsubscribe"):
            return self.device.on_subscribe(step.channel, step.action == "subscribe")
        if step.action == "read":
            return [(step.channel, self.device.on_read(step.channel, now_ns))]
        if step.action in ("write", "write_no_response"):
            data = step.data
            if (at := step.stamp_at) is not None and self.session is not None:
                data = data[:at] + (now_ns // 1000).to_bytes(8, "little") + data[at + 8 :]
                self.session.wrote(step, now_ns)
            return self.device.on_write(step.channel, data, now_ns)
        return []


def device_of(decoder: Decoder) -> Peripheral:
    """The simulated device of a decoder. Raises UsageError for one that has none."""
    if not hasattr(decoder, "peripheral"):
        raise UsageError(f"{decoder.name} has no simulated device: choose `reference`")
    return cast("SimulatedDecoder", decoder).peripheral()


async def play(
    sensor: Sensor,
    blocks: Iterable[Samples],
    decoder: Decoder,
    clock: Clock,
    *,
    link: str = "demo",
) -> None:
    """Play blocks of motion in the clock's time; a block is sent when its last sample is due."""
    played = Played(sensor=sensor, device=device_of(decoder), clock=clock)
    played.begin(decoder, link)
    async for part in in_time(blocks, clock):
        played.play(part)


async def in_time(blocks: Iterable[Samples], clock: Clock) -> AsyncIterator[Samples]:
    """Chunks of 0.2 s, each when its last sample is due by the clock. Late ones come at once."""
    for part in chunks(blocks):
        wait_s = (int(part.t_ns[-1]) - clock.now_ns()) / SECOND_NS
        if wait_s > 0:
            await clock.sleep(wait_s)
        else:
            await asyncio.sleep(0)
        yield part


def chunks(blocks: Iterable[Samples], chunk_s: float = CHUNK_S) -> Iterator[Samples]:
    """The same samples in pieces that span at most `chunk_s`."""
    step = int(chunk_s * SECOND_NS)
    for block in blocks:
        if not len(block):
            continue
        slots = (block.t_ns - block.t_ns[0]) // step
        cuts = [0, *(np.flatnonzero(np.diff(slots)) + 1).tolist(), len(block)]
        for a, b in pairwise(cuts):
            yield block[a:b]
