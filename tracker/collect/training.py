# SPDX-License-Identifier: Apache-2.0
"""The live count and hold clock of a guided set, for the page that guides it.

Asked about once a second while a set runs. The chain's state is a value, so looking at it disturbs
neither receiving nor analysing.
"""

import asyncio
from dataclasses import asdict

from tracker.collect.hub import Hub
from tracker.errors import UsageError
from tracker.exercises.guided_state import Live
from tracker.exercises.live import look, seen_from
from tracker.model import SECOND_NS, Exercise
from tracker.signal.grid import finish_grid

LONGEST_S = 3600.0
STALE_NS = 10 * SECOND_NS  # a sensor that sent nothing for so long does not count


def exercise_of(name: str) -> Exercise:
    """An exercise by its id. Raises UsageError."""
    found = next((e for e in Exercise if e.label == name and e is not Exercise.NONE), None)
    if found is None:
        raise UsageError(f"there is no exercise {name!r}")
    return found


async def live_set(hub: Hub, wearer: str, exercise: str, ago_s: float) -> dict[str, object]:
    """Repetitions and seconds held since `ago_s` seconds ago; None where no sensor sees it."""
    kind = exercise_of(exercise)
    if not 0 <= ago_s <= LONGEST_S:
        raise UsageError("a set began at most an hour ago")
    now_ns = hub.clock.now_ns()
    since_ns = now_ns - round(ago_s * SECOND_NS)
    best = Live()
    for sensor in list(hub.sensors.values()):
        if sensor.config.wearer != wearer or not seen_from(kind, sensor.config.placement):
            continue
        state, last_ns = sensor.analyst.chain_state, sensor.analyst.last_ns
        if state is None or last_ns is None or now_ns - last_ns > STALE_NS:
            continue
        _, rest = finish_grid(state.grid)
        waiting = state.queue.join(rest).runs()
        seen = await asyncio.to_thread(look, state.exercises, waiting, kind, since_ns)
        if (seen.reps or 0) > (best.reps or -1) or (seen.hold_s or 0) > (best.hold_s or -1):
            best = seen
    return asdict(best)
