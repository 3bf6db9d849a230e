# SPDX-License-Identifier: Apache-2.0
"""What a way in hands to the hub: frames on a bounded queue, and news about the link.

The radio's callback runs inside the event loop while packets keep coming, so it may only stamp and
append. A full queue drops the oldest frame *and counts it*: the newest data are worth most, and
the loss is recorded as a gap.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from firmware_protocol.frame import Frame
from firmware_protocol.registry import Session, Step
from tracker.model import GapReason

FRAMES = 4096  # about 80 s of one sensor at 50 notifications a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A frame and the session that understands it (a reconnect opens a new one)."""

    session: Session
    frame: Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkNews:
    """Something happened to the link.

    `link` is the word for :class:`tracker.model.Live`; `reason` says why data stop (None while
    they flow); `why` is one sentence for the log and the sensor page.
    """

    at_ns: int
    link: str
    reason: GapReason | None = None
    why: str = ""
    rssi_dbm: int | None = None
    battery_pct: int | None = None
    session: Session | None = None  # set when a connection begins


class StepTaker(Protocol):
    """Whoever can carry out steps on the device: the link's supervisor."""

    def todo(self, session: Session, steps: list[Step]) -> None:
        """Carry out steps that became necessary by what was fed."""


class Inbox:
    """One sensor's bounded queue. `put` never waits; `get` takes all there is."""

    def __init__(self, size: int = FRAMES) -> None:
        self._items: deque[Arrival | LinkNews] = deque()
        self._frames = 0
        self._size = size
        self._ready = asyncio.Event()
        self.received = 0
        self.dropped = 0
        self.dropped_from_ns: int | None = None  # since the last `take_drops`
        self.dropped_to_ns = 0

    def put(self, arrival: Arrival) -> None:
        """Append a frame; when full, drop the oldest and remember when it was."""
        self.received += 1
        if self._frames >= self._size:
            self._drop_oldest()
        self._items.append(arrival)
        self._frames += 1
        self._ready.set()

    def tell(self, news: LinkNews) -> None:
        """Append news about the link; news are few and never dropped."""
        self._items.append(news)
        self._ready.set()

    async def get(self) -> list[Arrival | LinkNews]:
        """Wait for something and take everything, in order."""
        await self._ready.wait()
        return self.get_nowait()

    def get_nowait(self) -> list[Arrival | LinkNews]:
        """Take everything that is there."""
        items = list(self._items)
        self._items.clear()
        self._frames = 0
        self._ready.clear()
        return items

    def take_drops(self) -> tuple[int, int] | None:
        """The span of arrival times lost since the last call, or None."""
        if self.dropped_from_ns is None:
            return None
        span = (self.dropped_from_ns, self.dropped_to_ns)
        self.dropped_from_ns = None
        return span

    def _drop_oldest(self) -> None:
        for index, item in enumerate(self._items):
            if isinstance(item, Arrival):
                del self._items[index]
                self._frames -= 1
                self.dropped += 1
                at = item.frame.received_ns
                if self.dropped_from_ns is None:
                    self.dropped_from_ns = at
                self.dropped_to_ns = max(self.dropped_to_ns, at)
                return
