# SPDX-License-Identifier: Apache-2.0
"""Values delivered several times, in a stream that has neither counter nor clock.

After a sloppy reconnect BlueZ hands over each value two, three, four times (ble.md). Equal bytes
alone prove nothing: a coarse sensor at rest repeats itself, and notifications come in bursts. But
an echo repeats *every* value, so what counts is the shortest run of equal values among the last
few: two means that everything comes twice.
"""

from dataclasses import dataclass

CLOSE_NS = 2_000_000  # copies follow each other within this time
RUNS = 8  # so many finished runs are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """The last value, how often it came so far, and how long the runs before it were."""

    raw: bytes | None = None
    at_ns: int = 0
    run: int = 0
    runs: tuple[int, ...] = ()

    @property
    def copies(self) -> int:
        """How many times each value comes at the moment; 1 is the healthy state."""
        return min(self.runs) if len(self.runs) == RUNS else 1


def hear(echo: Echo, raw: bytes, received_ns: int) -> tuple[bool, Echo]:
    """Whether this value is a copy of one already taken, and the new state."""
    if raw == echo.raw and 0 <= received_ns - echo.at_ns < CLOSE_NS:
        run = echo.run + 1
        heard = Echo(raw=raw, at_ns=received_ns, run=run, runs=echo.runs)
        return (run - 1) % echo.copies != 0, heard
    runs = (*echo.runs, echo.run)[-RUNS:] if echo.run else echo.runs
    return False, Echo(raw=raw, at_ns=received_ns, run=1, runs=runs)
