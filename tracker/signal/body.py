# SPDX-License-Identifier: Apache-2.0
"""Samples as they come to channels in body axes: rows without numbers out, offset, gain, rotation.

Sums are written out: a BLAS product may round differently for other lengths, and then the result
would depend on how the stream was split.
"""

import numpy as np
from numpy.typing import NDArray

from tracker.model import Samples

SLAB = 16_384  # columns at once: what fits the processor's cache


def channels_of(samples: Samples, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Times (n,) and values (wanted, n), wanted 3 or 6; rows that are not finite are left out."""
    t, acc, gyr = samples.t_ns, samples.acc_g, samples.gyr_dps
    out = np.empty((wanted, t.shape[0]), np.float32)
    out[:3] = acc.T
    if wanted == 6:
        out[3:] = 0.0 if gyr is None else gyr.T
    if out.size and not np.isfinite(np.add.reduce(out, axis=None, dtype=np.float64)):
        # After a reconnect rotation may begin later than acceleration. A row without rotation is
        # then the same as in a block without any: the sensor counts as not turning there.
        still = np.isfinite(out[:3]).all(axis=0) & ~np.isfinite(out[3:]).all(axis=0)
        out[3:, still] = 0.0
        good = np.isfinite(out).all(axis=0)
        t, out = t[good], out[:, good]
    return t, out


def to_body(
    v: NDArray[np.float32],
    rotation: NDArray[np.float32],
    offset_g: NDArray[np.float32],
    gain: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Values (3 or 6, n) in body axes; changes `v` itself where it can."""
    if offset_g.any() or (gain != 1).any():
        v[:3] -= offset_g[:, None]
        v[:3] *= gain[:, None]
    size = np.abs(rotation)
    parts = v.reshape(-1, 3, v.shape[1])
    if ((size == 0) | (size == 1)).all():
        return _along_axes(parts, rotation).reshape(v.shape)
    out = np.empty_like(parts)
    r = rotation.T[:, None, :, None]  # (sensor axis, 1, body axis, 1)
    for a in range(0, v.shape[1], SLAB):
        part, into = parts[:, :, None, a : a + SLAB], out[:, :, a : a + SLAB]
        np.multiply(part[:, 0], r[0], out=into)
        into += part[:, 1] * r[1]
        into += part[:, 2] * r[2]
    return out.reshape(v.shape)


def _along_axes(parts: NDArray[np.float32], rotation: NDArray[np.float32]) -> NDArray[np.float32]:
    """Axes that change places or signs: exact, and no sums."""
    axes = np.abs(rotation).argmax(axis=1)
    sign = rotation[np.arange(3), axes]
    if (axes != np.arange(3)).any():
        parts = parts[:, axes]
    if (sign != 1).any():
        parts = parts * sign[:, None]
    return parts
