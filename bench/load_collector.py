# SPDX-License-Identifier: Apache-2.0
"""Many wearers live through one collector: decode, time line, chain, store.

    python bench/load_collector.py [--wearers 50] [--seconds 60] [--json OUT]

Each wearer is a simulated device of the open profile at 50 Hz (acceleration and rotation, five
notifications a second); everything after the antenna is the real live path into a real `epochs.db`.
Printed: CPU of this process in percent of one core (the simulated devices' own work included), the
share of samples that reached the disk, the longest time from one commit to the next, memory, and
the machine's load average (above 1: others were at work, too).
"""

import argparse
import asyncio
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from firmware_protocol.registry import decoders
from tracker.clock import Clock
from tracker.collect.hub import Hub, Sensor
from tracker.collect.simulate import play
from tracker.model import Placement, Samples
from tracker.store.base import SensorConfig
from tracker.store.sqlite import SqliteStore

PERIOD_NS = 20_000_000


def motion(clock: Clock, seed: int) -> Iterator[Samples]:
    """Endless sitting with a sway, a second at a time."""
    rng = np.random.default_rng(seed)
    t0 = clock.now_ns() // 1000 * 1000
    while True:
        t = t0 + np.arange(50, dtype=np.int64) * PERIOD_NS
        sway = 0.05 * np.sin(2 * np.pi * 0.2 * t / 1e9)
        acc = rng.normal([0.1, 0.0, 0.99], 0.01, (50, 3)) + np.outer(sway, [1.0, 0.0, 0.0])
        gyr = rng.normal(0, 2, (50, 3))
        yield Samples(t_ns=t, acc_g=acc.astype(np.float32), gyr_dps=gyr.astype(np.float32))
        t0 = int(t[-1]) + PERIOD_NS


async def measure(folder: Path, wearers: int, seconds: int) -> dict[str, float]:
    """Run the load and say what it cost."""
    clock = Clock(start_ns=time.time_ns(), origin_ns=time.time_ns())
    store = SqliteStore(folder / "epochs.db", "UTC", clock=clock)
    hub = Hub(store, clock)
    decoder = decoders()["reference"]
    for i in range(wearers):
        config = SensorConfig(
            address=f"demo:{i}", wearer=f"w{i}", placement=Placement.UPPER_BACK,
            options={"axes": "x=forward,y=left,z=up"},
        )  # fmt: skip

        async def source(sensor: Sensor, seed: int = i) -> None:
            await play(sensor, motion(clock, seed), decoder, clock)

        hub.plan(config, source)
    running = asyncio.ensure_future(hub.run())
    await hub.ready.wait()
    await asyncio.sleep(3)  # all are connected
    cpu, wall = time.process_time(), time.perf_counter()
    longest, ticks, at = 0.0, hub.ticks, wall
    while time.perf_counter() - wall < seconds:
        await asyncio.sleep(0.02)
        if hub.ticks != ticks:
            longest = max(longest, time.perf_counter() - at)
            ticks, at = hub.ticks, time.perf_counter()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    received = sum(s.intake.assembler.counters.samples for s in hub.sensors.values())
    dropped = sum(s.inbox.dropped for s in hub.sensors.values())
    hub.stop()
    await running
    spans = sum(len(store.raw(w, p, 0, 1 << 62)) for w, p in store.wearers())
    store.close()
    return {
        "wearers": wearers,
        "seconds": seconds,
        "cpu_percent_of_a_core": round(100 * cpu / wall, 1),
        "samples_received": received,
        "samples_stored": spans,
        "frames_dropped": dropped,
        "longest_between_commits_s": round(longest, 2),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "cores": os.cpu_count() or 0,
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measure and print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--wearers", type=int, default=50)
    given.add_argument("--seconds", type=int, default=60)
    given.add_argument("--json", type=Path)
    told = given.parse_args()
    with tempfile.TemporaryDirectory(prefix="bs-bench-") as name:
        found = asyncio.run(measure(Path(name), told.wearers, told.seconds))
    for key, value in found.items():
        print(f"{key:28} {value}")
    if told.json:
        told.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
