# SPDX-License-Identifier: Apache-2.0
"""Plays samples into a fake sensor in the clock's time, and loads recordings to play."""

from pathlib import Path

import numpy as np

from firmware_protocol.peripheral import Block
from tests.fakes.bluez import FakeBluez, Sensor
from tracker.clock import Clock
from tracker.model import SECOND_NS, Samples
from tracker.recording import read_recording

CHUNK_NS = SECOND_NS // 10


class Player:
    """One sensor's motion. `start_ns` is when its first sample is taken, by the clock."""

    def __init__(
        self, fake: FakeBluez, sensor: Sensor, samples: Samples, clock: Clock, start_ns: int
    ) -> None:
        self.samples = Samples(
            t_ns=samples.t_ns - samples.t_ns[0] + start_ns,
            acc_g=samples.acc_g,
            gyr_dps=samples.gyr_dps,
        )
        self.fake, self.sensor, self.clock = fake, sensor, clock
        self.played = 0

    async def run(self) -> None:
        """Until the motion ends; faults of the fake do not stop the device from sampling."""
        t = self.samples.t_ns
        while self.played < len(t):
            due = int(np.searchsorted(t, self.clock.now_ns(), side="right"))
            if due <= self.played:
                wait_s = (t[self.played] - self.clock.now_ns()) / SECOND_NS
                await self.clock.sleep(max(0.02, wait_s))
                continue
            part = self.samples[self.played : due]
            self.played = due
            block = Block(t_ns=part.t_ns, acc_g=part.acc_g, gyr_dps=part.gyr_dps)
            for uuid, payload in self.sensor.peripheral.notify(block):
                try:
                    await self.fake.notify(self.sensor.address, uuid, payload)
                except (OSError, EOFError):  # the fake daemon was killed meanwhile
                    continue
            await self.clock.sleep(CHUNK_NS / SECOND_NS)


def load(path: Path, *, rate_hz: float = 0.0, seg: int | None = None) -> Samples:
    """A recording: CSV/Parquet of ours, or an .npz of the shared set (gyro there in rad/s).

    `rate_hz` resamples linearly, because a device samples at the rate it was configured to.
    """
    if path.suffix != ".npz":
        samples = read_recording(path)
    else:
        with np.load(path) as z:
            segs = z["seg"]
            rows = [np.flatnonzero(segs == k) for k in np.unique(segs) if seg in (None, k)]
            step = 1.0 / float(z["fs"])
            t, end = [], 0.0
            for part in rows:  # each segment begins at 0: one after the other
                t.append(z["t"][part] - z["t"][part[0]] + end)
                end = float(t[-1][-1]) + step
            keep = np.concatenate(rows)
            gyr = np.degrees(z["gyro"][keep]).astype(np.float32) if "gyro" in z.files else None
            t_us = np.rint(np.concatenate(t) * 1e6).astype(np.int64)
            acc = z["acc"][keep].astype(np.float32)
            samples = Samples(t_ns=t_us * 1000, acc_g=acc, gyr_dps=gyr)
    return resample(samples, rate_hz) if rate_hz else samples


def resample(samples: Samples, rate_hz: float) -> Samples:
    """Linear interpolation to a regular rate."""
    t = np.arange(samples.t_ns[0], samples.t_ns[-1], round(SECOND_NS / rate_hz))

    def at(values: np.ndarray) -> np.ndarray:
        columns = [np.interp(t, samples.t_ns, values[:, i]) for i in range(3)]
        return np.stack(columns, axis=1).astype(np.float32)

    gyr = None if samples.gyr_dps is None else at(samples.gyr_dps)
    return Samples(t_ns=t - t % 1000, acc_g=at(samples.acc_g), gyr_dps=gyr)
