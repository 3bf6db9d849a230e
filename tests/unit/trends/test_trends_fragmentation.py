# SPDX-License-Identifier: Apache-2.0
"""The published test vector of the fragmentation measures, to the digit."""

import numpy as np
import pytest

from tracker.trends.fragmentation import (
    accumulation,
    fragmentation,
    gini,
    half_bout_min,
    power_law_alpha,
    weighted_median_min,
)

VECTOR = [1, 2, 3, 5, 8, 13, 21, 34, 55, 8, 12, 40]


def test_vector_to_the_digit() -> None:
    """Twelve bouts give every number of the design's test vector."""
    f = fragmentation(VECTOR)
    assert (f.n, f.total_min, f.w50_min) == (12, 202, 34)
    assert f.w50_hill_min == pytest.approx(25.1, abs=0.05)
    assert f.hill_h == pytest.approx(2.04, abs=0.005)
    assert f.alpha == pytest.approx(1.44648, abs=5e-6)
    assert f.alpha_skdh == pytest.approx(1.34096, abs=5e-6)
    assert f.x05_min == pytest.approx(4.72316, abs=5e-6)
    assert f.w05_share == pytest.approx(0.97030, abs=5e-6)
    assert f.gini == pytest.approx(0.56346, abs=5e-6)
    assert f.breaks_per_sitting_h == pytest.approx(3.564, abs=5e-4)
    assert f.transition_per_min == pytest.approx(0.05941, abs=5e-6)


def test_uncorrected_gini_and_bands() -> None:
    """The small-sample factor is the only difference to 0.51650; the bands hold 63.9 and 74.3 %."""
    corrected = gini(VECTOR)
    assert corrected is not None
    assert corrected * 11 / 12 == pytest.approx(0.51650, abs=5e-6)
    x = np.array(VECTOR)
    assert (x[x >= 30].size, x[x >= 30].sum()) == (3, 129)
    assert (x[x >= 20].size, x[x >= 20].sum()) == (4, 150)


def test_seconds_instead_of_minutes() -> None:
    """The unit does not change alpha, and x0.5 scales with it (283.4 s, not 2.8e40)."""
    alpha = power_law_alpha(np.array(VECTOR) * 60.0, 60.0)
    assert alpha == pytest.approx(1.44648, abs=5e-6)
    assert half_bout_min(float(alpha), 60.0) == pytest.approx(283.4, abs=0.05)


def test_too_few_bouts_are_missing_not_zero() -> None:
    """Nine bouts, equal bouts and no bouts leave the expert measures missing."""
    for bouts in ([], [30], VECTOR[:9], [10] * 12):
        f = fragmentation(bouts)
        assert f.alpha is None
        assert f.gini is None
        assert f.x05_min is None
    assert fragmentation([]).w50_min is None
    assert fragmentation([]).breaks_per_sitting_h is None


def test_accumulation_ends_at_one_and_crosses_half_at_w50() -> None:
    """The accumulation curve and W50 are two views of one thing."""
    lengths, share = accumulation(VECTOR)
    assert share[-1] == pytest.approx(1)
    assert np.all(np.diff(share) > 0)
    assert lengths[np.searchsorted(share, 0.5)] == weighted_median_min(VECTOR)
