# SPDX-License-Identifier: Apache-2.0
"""The one source of time. Replay and tests run it fast; nothing else asks the machine.

`BACKSTAY_CLOCK=START@SPEED` (ISO 8601 UTC or nanoseconds, then a factor) makes every process that
shares it see the same time: START plus SPEED times what passed since `BACKSTAY_CLOCK_ORIGIN`
(the machine's `time.time_ns()` at the moment the clock was made).
"""

import asyncio
import os
import time
from dataclasses import dataclass
from datetime import datetime

from tracker.errors import UsageError
from tracker.units import to_ns


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the product sees it: `origin_ns` of the machine is `start_ns`, running `speed` times.

    The system clock is the special case start = origin, speed = 1.
    """

    start_ns: int = 0
    origin_ns: int = 0
    speed: float = 1.0

    def now_ns(self) -> int:
        """UTC in nanoseconds."""
        passed = time.time_ns() - self.origin_ns
        return self.start_ns + (passed if self.speed == 1.0 else int(passed * self.speed))

    def monotonic_s(self) -> float:
        """Seconds that never jump, at the clock's speed; for timeouts and watchdogs."""
        return time.monotonic() * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of this clock."""
        await asyncio.sleep(seconds / self.speed)

    def real_s(self, seconds: float) -> float:
        """Seconds of the machine that `seconds` of this clock take."""
        return seconds / self.speed

    def environment(self) -> dict[str, str]:
        """Variables that give a child process the same clock."""
        if self == SYSTEM_CLOCK:
            return {}
        return {
            "BACKSTAY_CLOCK": f"{self.start_ns}@{self.speed}",
            "BACKSTAY_CLOCK_ORIGIN": str(self.origin_ns),
        }


SYSTEM_CLOCK = Clock()


def clock_from(text: str, origin_ns: int | None = None) -> Clock:
    """A clock from `START@SPEED`; `origin_ns` defaults to now on the machine."""
    start, _, speed = text.partition("@")
    try:
        start_ns = int(start) if start.isdigit() else to_ns(datetime.fromisoformat(start))
        factor = float(speed or "1")
    except ValueError as error:
        raise UsageError(
            f"BACKSTAY_CLOCK={text!r} is not START@SPEED: write for example "
            "2026-11-23T08:00:00+00:00@60"
        ) from error
    if factor <= 0:
        raise UsageError("BACKSTAY_CLOCK: the speed must be above 0")
    origin = time.time_ns() if origin_ns is None else origin_ns
    return Clock(start_ns=start_ns, origin_ns=origin, speed=factor)


def clock_from_environment() -> Clock:
    """The system clock, or the one that `BACKSTAY_CLOCK` describes."""
    text = os.environ.get("BACKSTAY_CLOCK")
    if not text:
        return SYSTEM_CLOCK
    origin = os.environ.get("BACKSTAY_CLOCK_ORIGIN")
    return clock_from(text, int(origin) if origin else None)
