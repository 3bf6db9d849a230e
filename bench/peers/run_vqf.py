# SPDX-License-Identifier: Apache-2.0
"""vqf: orientation from accelerometer and gyroscope, causal and offline, both in C++."""

from collections.abc import Callable

import numpy as np
from common import FS_HZ, STANDARD_GRAVITY, Recording, main
from vqf import VQF, offlineVQF


def arrays(r: Recording) -> tuple[object, object]:
    """What vqf takes: float64 in rad/s and m/s2, contiguous."""
    return (
        np.ascontiguousarray(np.radians(r.gyr_dps, dtype=np.float64)),
        np.ascontiguousarray(r.acc_g.astype(np.float64) * STANDARD_GRAVITY),
    )


def batch(r: Recording) -> Callable[[], None]:
    """The causal filter over the whole day in one call."""
    gyr, acc = arrays(r)

    def work() -> None:
        VQF(1 / FS_HZ).updateBatch(gyr, acc)

    return work


def offline(r: Recording) -> Callable[[], None]:
    """The filter forward and backward."""
    gyr, acc = arrays(r)

    def work() -> None:
        offlineVQF(gyr, acc, None, 1 / FS_HZ)

    return work


if __name__ == "__main__":
    main("vqf", {"updateBatch 6D": batch, "offlineVQF 6D": offline})
