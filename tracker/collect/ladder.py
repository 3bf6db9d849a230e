# SPDX-License-Identifier: Apache-2.0
"""When scans hear nobody at all: count, switch the adapter off and on once, then tell a person.

The rungs are `ble.md`'s: a new scan, a power cycle of the adapter, words. Each scan is a new one
already; this counts those in which not a single device of any kind was heard.
"""

import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

log = logging.getLogger("backstay.radio")

DEAF_SCANS = 12  # a minute of scans of five seconds
Cycle = Callable[[], Awaitable[bool]]


async def _no_cycle() -> bool:
    return False


def cycle_of(adapter: str) -> Cycle:
    """How to switch the adapter off and on here; nothing where the system has no such call."""
    if sys.platform != "linux":
        return _no_cycle

    async def cycle() -> bool:
        from tracker.collect.power_cycle import power_cycle

        return await power_cycle(adapter)

    return cycle


@dataclass(slots=True)
class Ladder:
    """`heard` after each scan; `trouble` is a sentence once nothing else is left to try."""

    cycle: Cycle
    errors: tuple[type[Exception], ...]
    deaf: int = 0
    cycled: bool = False
    trouble: str = ""

    async def heard(self, anybody: bool) -> None:
        """A scan ended; whether it heard any device at all."""
        if anybody:
            self.deaf, self.cycled, self.trouble = 0, False, ""
            return
        self.deaf += 1
        if self.deaf < DEAF_SCANS:
            return
        self.deaf = 0
        if self.cycled:
            self.trouble = (
                "nothing at all is heard in the air, although Bluetooth was switched off and on: "
                "pull the adapter out and put it in again, or restart the computer"
            )
            return
        self.cycled = True
        try:
            done = await self.cycle()
        except self.errors as error:
            log.warning("Bluetooth could not be switched off and on", extra={"error": repr(error)})
        else:
            log.info("power cycle of the adapter", extra={"done": done})
