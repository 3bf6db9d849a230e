# SPDX-License-Identifier: Apache-2.0
"""Partial pooling: five people at least, towards the common mean, never beyond it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.trends.pooling import MIN_PEOPLE, pooled
from tracker.trends.quasi import Estimate


def estimate(beta: float, se: float) -> Estimate:
    """An estimate with its interval."""
    return Estimate(beta=beta, se=se, low=beta - 2 * se, high=beta + 2 * se)


def test_fewer_than_five_people_are_not_pooled():
    """Four estimates say nothing about a practice."""
    assert pooled([estimate(-1, 0.4)] * (MIN_PEOPLE - 1)) is None
    assert pooled([estimate(-1, 0.4)] * MIN_PEOPLE) is not None


_estimates = st.lists(
    st.builds(estimate, st.floats(-3, 3), st.floats(0.1, 2)), min_size=MIN_PEOPLE, max_size=12
)


@given(_estimates)
def test_each_lies_between_the_own_estimate_and_the_common_mean(found):
    """Pooling draws towards the others, never past them."""
    got = pooled(found)
    assert got is not None
    for own, drawn in zip(found, got.each, strict=True):
        low, high = sorted((own.beta, got.mean))
        assert low - 1e-9 <= drawn.mean <= high + 1e-9


def test_spread_between_people_is_that_of_dersimonian_and_laird():
    """By hand for equal variances: tau^2 is the sample variance less the sampling variance."""
    betas = [-2.0, -1.0, 0.0, 1.0, 2.0]
    got = pooled([estimate(b, 0.5) for b in betas])
    assert got is not None
    assert got.tau**2 == pytest.approx(np.var(betas, ddof=1) - 0.25)


def test_pooling_is_nearer_to_the_truth_on_average():
    """100 simulated practices of eight: the mean squared error falls, and coverage stays."""
    rng = np.random.default_rng(31)
    alone, together, inside = [], [], []
    for _ in range(100):
        truth = rng.normal(-0.5, 0.4, 8)
        se = rng.uniform(0.4, 0.9, 8)
        seen = truth + rng.normal(0, se)
        got = pooled([estimate(b, s) for b, s in zip(seen, se, strict=True)])
        assert got is not None
        alone.append((seen - truth) ** 2)
        together.append([(p.mean - t) ** 2 for p, t in zip(got.each, truth, strict=True)])
        inside += [p.low <= t <= p.high for p, t in zip(got.each, truth, strict=True)]
    print(
        f"error alone {np.mean(alone):.3f}, pooled {np.mean(together):.3f}, "
        f"coverage {np.mean(inside):.3f}"
    )
    assert np.mean(together) < 0.6 * np.mean(alone)
    assert np.mean(inside) > 0.92
