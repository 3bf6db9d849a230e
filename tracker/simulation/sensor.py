# SPDX-License-Identifier: Apache-2.0
"""What a commodity sensor makes of a movement: mounting, noise, bias, gain, loss, jitter, range.

Default figures are those of data sheets of common parts (LSM6DSOX, BMI270, MPU-6500 class):
noise 2 mg and 0.1 deg/s at 50 Hz, zero offset up to 30 mg and 1 deg/s, gain within 1.5 %.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracker.model import MICROSECOND_NS, SECOND_NS, Placement, Samples
from tracker.simulation.body import Motion, kinematics

Floats = NDArray[np.float64]
_CHUNK = 200_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensor:
    """One sensor as worn.

    fs_hz       rate at which it samples
    gyro        whether it has one
    mounting    (3, 3): body = mounting @ sensor
    gain        (3,) factor of the accelerometer axes
    bias_g, bias_dps  (3,) zero offsets
    noise_g, noise_dps  standard deviation of the noise of one sample
    range_g     values are clipped here
    loss        share of packets lost, in bursts of about `burst` packets of `packet` samples
    jitter_s    standard deviation of the time stamp of a sample
    hold_hz     where set, new values come only this often and are held in between (a slow sensor
                saved on a faster clock)
    """

    fs_hz: float = 50.0
    gyro: bool = True
    mounting: Floats = field(default_factory=lambda: np.eye(3))
    gain: Floats = field(default_factory=lambda: np.ones(3))
    bias_g: Floats = field(default_factory=lambda: np.zeros(3))
    bias_dps: Floats = field(default_factory=lambda: np.zeros(3))
    noise_g: float = 0.002
    noise_dps: float = 0.1
    range_g: float = 8.0
    loss: float = 0.0
    packet: int = 10
    burst: float = 2.0
    jitter_s: float = 0.0
    hold_hz: float | None = None


def random_sensor(
    rng: np.random.Generator,
    *,
    fs_hz: float = 50.0,
    gyro: bool = True,
    turned_deg: float = 15.0,
    loss: float = 0.0,
    jitter_s: float = 0.0,
) -> Sensor:
    """A sensor whose faults lie within the data sheet and that sits up to `turned_deg` askew."""
    axis = rng.normal(size=3)
    return Sensor(
        fs_hz=fs_hz,
        gyro=gyro,
        mounting=rotation(axis, rng.uniform(0, turned_deg)),
        gain=1 + rng.uniform(-0.015, 0.015, 3),
        bias_g=rng.uniform(-0.03, 0.03, 3),
        bias_dps=rng.uniform(-1, 1, 3),
        noise_g=rng.uniform(0.001, 0.004),
        noise_dps=rng.uniform(0.05, 0.2),
        loss=loss,
        jitter_s=jitter_s,
    )


def rotation(axis: Floats, angle_deg: float) -> Floats:
    """Rotation matrix (3, 3) about an axis of any length (Rodrigues)."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(angle_deg)
    turned: Floats = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return turned


def observe(
    motion: Motion,
    placement: Placement,
    sensor: Sensor,
    rng: np.random.Generator,
    *,
    start_ns: int = 0,
) -> Samples:
    """Sample a motion with a sensor worn at a place; the first sample is at `start_ns`."""
    seconds = len(motion) / motion.fs_hz
    n = int(seconds * sensor.fs_hz)
    t_s = np.arange(n) / sensor.fs_hz
    read_s = t_s
    if sensor.hold_hz is not None:
        read_s = np.floor(t_s * sensor.hold_hz) / sensor.hold_hz
    acc = np.empty((n, 3), np.float32)
    gyr = np.empty((n, 3), np.float32) if sensor.gyro else None
    to_sensor = sensor.mounting  # body = M @ sensor, so a row vector: sensor = body @ M
    grid_step = 1 / motion.fs_hz
    for first in range(0, n, _CHUNK):
        last = min(n, first + _CHUNK)
        # Neighbours on both sides, so that derivatives do not see the seam.
        lo = max(0, int(read_s[first] / grid_step) - 4)
        hi = min(len(motion), int(read_s[last - 1] / grid_step) + 6)
        part = Motion(
            fs_hz=motion.fs_hz,
            angles_deg=motion.angles_deg[lo:hi],
            push_g=motion.push_g[lo:hi],
        )
        body_acc, body_gyr = kinematics(part, placement)
        at = read_s[first:last] / grid_step - lo
        acc[first:last] = _sample(body_acc, at) @ (to_sensor * sensor.gain)
        if gyr is not None:
            gyr[first:last] = _sample(body_gyr, at) @ to_sensor
    acc += rng.standard_normal((n, 3), np.float32) * np.float32(sensor.noise_g)
    acc += sensor.bias_g.astype(np.float32)
    np.clip(acc, -sensor.range_g, sensor.range_g, out=acc)
    if gyr is not None:
        gyr += rng.standard_normal((n, 3), np.float32) * np.float32(sensor.noise_dps)
        gyr += sensor.bias_dps.astype(np.float32)
    if sensor.hold_hz is not None:
        _hold(read_s, acc, gyr)
    if sensor.jitter_s:
        # Never so late that two samples change places.
        limit = 0.45 / sensor.fs_hz
        late = np.clip(rng.normal(0, sensor.jitter_s, n), -limit, limit)
        t_s = np.maximum(t_s + late, 0.0)
    t_ns = start_ns + np.rint(t_s * (SECOND_NS // MICROSECOND_NS)).astype(np.int64) * MICROSECOND_NS
    keep = _kept(n, sensor, rng)
    return Samples(t_ns=t_ns[keep], acc_g=acc[keep], gyr_dps=None if gyr is None else gyr[keep])


def _sample(values: Floats, at: Floats) -> Floats:
    """Linear interpolation of rows at fractional positions."""
    low = np.clip(at.astype(np.int64), 0, values.shape[0] - 1)
    high = np.minimum(low + 1, values.shape[0] - 1)
    share = (at - low)[:, None]
    if not share.any():
        return values[low]
    mixed: Floats = values[low] * (1 - share) + values[high] * share
    return mixed


def _hold(read_s: Floats, acc: NDArray[np.float32], gyr: NDArray[np.float32] | None) -> None:
    """Repeat the first value of every packet, noise included."""
    fresh = np.flatnonzero(np.diff(read_s, prepend=-1.0))
    source = fresh[np.searchsorted(fresh, np.arange(read_s.shape[0]), side="right") - 1]
    acc[:] = acc[source]
    if gyr is not None:
        gyr[:] = gyr[source]


def _kept(n: int, sensor: Sensor, rng: np.random.Generator) -> NDArray[np.bool_] | slice:
    """Which samples arrive: a two-state chain over packets (Gilbert), mean burst `burst`."""
    if sensor.loss <= 0:
        return slice(None)
    packets = -(-n // sensor.packet)
    leave = 1 / max(sensor.burst, 1.0)
    enter = leave * sensor.loss / (1 - sensor.loss)
    draws = rng.random(packets)
    lost = np.zeros(packets, bool)
    bad = False
    for i, draw in enumerate(draws.tolist()):
        bad = draw >= leave if bad else draw < enter
        lost[i] = bad
    return ~np.repeat(lost, sensor.packet)[:n]
