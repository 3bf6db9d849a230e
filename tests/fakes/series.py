# SPDX-License-Identifier: Apache-2.0
"""Samples and epochs with every value a store can meet, from a seed."""

import numpy as np

from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Samples

T0 = 1_795_500_000 * SECOND_NS  # 2026-11-24 06:00 UTC


def make_samples(start_ns: int, n: int, seed: int = 0, gyro: bool = True) -> Samples:
    """Samples at 50 Hz with random bits in every value."""
    rng = np.random.default_rng(seed)
    return Samples(
        t_ns=start_ns + np.arange(n, dtype=np.int64) * 20_000_000,
        acc_g=rng.normal(size=(n, 3)).astype(np.float32),
        gyr_dps=rng.normal(size=(n, 3)).astype(np.float32) if gyro else None,
    )


def make_epochs(start_ns: int, n: int, seed: int = 0) -> Epochs:
    """Epochs over the whole range of every column, NaN among them."""
    rng = np.random.default_rng(seed)

    def values(low: int, high: int, steps: int, missing: float) -> np.ndarray:
        out = (rng.integers(low, high + 1, n) / steps).astype(np.float32)
        out[rng.random(n) < missing] = np.nan
        return out

    def codes(count: int) -> np.ndarray:
        return rng.integers(0, count, n).astype(np.uint8)

    return Epochs(
        start_ns=start_ns + np.arange(n, dtype=np.int64) * EPOCH_NS,
        state=codes(8),
        confidence=values(0, 100, 100, 0),
        trunk=codes(7),
        slouch=codes(2),
        tilt_deg=values(-1800, 1800, 10, 0.2),
        side_deg=values(-900, 900, 10, 0.2),
        slump_pct=values(-50, 150, 1, 0.3),
        move_mg=values(0, 30_000, 10, 0.05),
        exercise=codes(16),
        worn=codes(2),
        valid=values(0, 100, 100, 0),
        algo='chain 1.0 "a\\b"',
    )


def same(a: Samples, b: Samples) -> bool:
    """Bit-equal samples."""
    return (
        np.array_equal(a.t_ns, b.t_ns)
        and np.array_equal(a.acc_g, b.acc_g)
        and (
            (a.gyr_dps is None and b.gyr_dps is None)
            or (
                a.gyr_dps is not None
                and b.gyr_dps is not None
                and np.array_equal(a.gyr_dps, b.gyr_dps)
            )
        )
    )
