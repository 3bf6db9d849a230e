# SPDX-License-Identifier: Apache-2.0
"""Our filters against another implementation: scipy's, on any input."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import rank_filter, uniform_filter1d
from scipy.signal import find_peaks

from tracker.exercises.filters import moving_mean, moving_rank, peaks

# Few different values make ties and flat tops, where implementations differ if they do.
STEPS = hnp.arrays(np.float64, st.integers(3, 120), elements=st.integers(-6, 6).map(float))
SMOOTH = hnp.arrays(np.float64, st.integers(3, 120), elements=st.floats(-9, 9, width=32))


@given(x=STEPS | SMOOTH, size=st.integers(1, 15), leans=st.booleans())
def test_moving_mean_is_the_uniform_filter(x: np.ndarray, size: int, leans: bool) -> None:
    """Odd and even windows, also leaning on, at the edges too."""
    origin = -1 if leans and size % 2 == 0 else 0
    wanted = uniform_filter1d(x, size, mode="nearest", origin=origin)
    assert np.allclose(moving_mean(x, size, origin=origin), wanted, atol=1e-9)


def test_moving_mean_takes_columns() -> None:
    """Columns are smoothed each by itself."""
    x = np.random.default_rng(1).normal(size=(50, 3))
    assert np.allclose(moving_mean(x, 5), uniform_filter1d(x, 5, axis=0, mode="nearest"))


@given(x=STEPS | SMOOTH, size=st.sampled_from([3, 5, 7]), rank=st.integers(0, 2))
def test_moving_rank_is_the_rank_filter(x: np.ndarray, size: int, rank: int) -> None:
    """Exactly the same values."""
    assert np.array_equal(moving_rank(x, rank, size), rank_filter(x, rank, size, mode="nearest"))


@pytest.mark.parametrize("kind", ["steps", "smooth"])
@given(data=st.data())
def test_peaks_are_those_of_scipy(kind: str, data: st.DataObject) -> None:
    """Same peaks and prominences for any signal, distance, window and flat tops."""
    x = data.draw(STEPS if kind == "steps" else SMOOTH)
    prominence = data.draw(st.floats(0, 5))
    distance = data.draw(st.integers(1, 12))
    window = data.draw(st.integers(1, 20)) * 2 + 1
    widest = data.draw(st.integers(1, 8))
    at, high = peaks(x, prominence=prominence, distance=distance, window=window, widest=widest)
    with warnings.catch_warnings():  # scipy warns of what is asked for: a prominence of 0
        warnings.simplefilter("ignore")
        wanted, measured = find_peaks(
            x, prominence=prominence, distance=distance, wlen=window, plateau_size=(None, widest)
        )
    assert np.array_equal(at, wanted)
    assert np.allclose(high, measured["prominences"])
