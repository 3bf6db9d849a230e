# SPDX-License-Identifier: Apache-2.0
"""Tilt from gravity alone, beside a six-axis filter of somebody else (VQF, extra `orientation`)."""

import numpy as np
import pytest

from tests.conftest import lacking
from tracker.chain import analyze
from tracker.collect.setups import setups
from tracker.model import EPOCH_NS, Placement
from tracker.simulation.days import workday

STILL_MG = 20.0


@pytest.mark.parametrize("seed", [3, 4])
def test_tilt_agrees_with_a_six_axis_filter_while_the_back_is_still(seed: int) -> None:
    """Half an hour at a desk: half of the epochs within half a degree, all but 1 % within two.

    VQF also uses the rotation; while somebody sits or stands both must see the same gravity.
    """
    try:
        from vqf import VQF
    except ImportError:
        lacking("vqf is missing: install backstay[orientation]")
    samples = workday(np.random.default_rng(seed), hours=0.5).samples
    assert samples.gyr_dps is not None
    (known,) = setups(Placement.UPPER_BACK, [], {}, axes="x=forward,y=left,z=up")
    epochs = analyze(samples, known.setup).epochs
    period_s = float(np.median(np.diff(samples.t_ns))) / 1e9
    w, x, y, z = (
        VQF(period_s)
        .updateBatch(
            np.radians(samples.gyr_dps, dtype=np.float64),
            np.ascontiguousarray(samples.acc_g, np.float64) * 9.80665,
        )["quat6D"]
        .T
    )
    # The third row of the rotation is "up" as the sensor sees it.
    theirs = np.degrees(np.arctan2(-2 * (x * z - w * y), 1 - 2 * (x * x + y * y)))
    first = np.searchsorted(samples.t_ns, epochs.start_ns)
    after = np.searchsorted(samples.t_ns, epochs.start_ns + EPOCH_NS)
    median = np.array([np.median(theirs[a:b]) for a, b in zip(first, after, strict=True)])
    still = epochs.move_mg < STILL_MG
    apart = np.abs(epochs.tilt_deg - median)[still]
    assert still.sum() > 200
    assert np.ptp(epochs.tilt_deg[still]) > 10, "the back must have moved between stills"
    assert np.median(apart) < 0.5
    assert np.percentile(apart, 99) < 2.0
