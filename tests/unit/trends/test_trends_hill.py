# SPDX-License-Identifier: Apache-2.0
"""The smooth W50 against another implementation: scipy's general curve fit."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from tracker.trends.fragmentation import accumulation, weighted_median_min
from tracker.trends.hill import fit


def _curve(t: np.ndarray, w50: float, h: float) -> np.ndarray:
    return 1 / (1 + (w50 / t) ** h)


@pytest.mark.parametrize("seed", range(20))
def test_the_fit_is_as_good_as_scipys(seed: int) -> None:
    """Bouts of a day, few or many: the same numbers as the general fitter, or a better curve."""
    rng = np.random.default_rng(seed)
    minutes = np.round(rng.lognormal(2.3, rng.uniform(0.5, 1.2), rng.integers(4, 40)), 2)
    lengths, share = accumulation(minutes)
    start = weighted_median_min(minutes)
    assert start is not None
    wanted, _ = curve_fit(
        _curve, lengths, share, p0=(start, 1.5), bounds=([1e-3, 0.05], [1440.0, 50.0])
    )
    found = fit(lengths, share, start)
    assert found is not None
    ours, theirs = (float(((_curve(lengths, *p) - share) ** 2).sum()) for p in (found, wanted))
    assert ours <= theirs + 1e-9
    assert found == pytest.approx(tuple(wanted), rel=1e-3)


def test_bouts_of_nearly_one_length_end_quietly() -> None:
    """A curve too steep to be told ends at a bound or nowhere, never in an exception."""
    for minutes in ([1.0, 1.0, 5.0, 9.0], [5.0, 8.0, 8.0, 0.12], [10.0, 10.01, 10.02]):
        lengths, share = accumulation(minutes)
        found = fit(lengths, share, 5.0)
        assert found is None or (0 < found[0] <= 1440.1 and 0 < found[1] <= 50.1)


def test_a_curve_of_its_own_kind_is_found_again() -> None:
    """Points on the curve give its numbers."""
    t = np.geomspace(1, 100, 12)
    found = fit(t, _curve(t, 25.0, 2.0), 10.0)
    assert found is not None
    assert np.allclose(found, (25.0, 2.0), rtol=1e-6)
