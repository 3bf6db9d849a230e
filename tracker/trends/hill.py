# SPDX-License-Identifier: Apache-2.0
"""The smooth W50: F(t) = t^h / (t^h + W50^h) fitted to a curve by least squares.

Levenberg's damped steps in log W50 and log h, two numbers and a 2 x 2 system. A general fitter
gives the same answer (a test compares it with `scipy.optimize.curve_fit`), but its import alone
costs as much processor time as analysing a day.
"""

import math

import numpy as np
from numpy.typing import NDArray

W50_MIN = (1e-3, 1440.0)  # minutes
SLOPE = (0.05, 50.0)
MOST_STEPS = 500
_LOW = np.log([W50_MIN[0], SLOPE[0]])
_HIGH = np.log([W50_MIN[1], SLOPE[1]])

Floats = NDArray[np.float64]


def fit(minutes: Floats, share: Floats, start_min: float) -> tuple[float, float] | None:
    """W50 in minutes and h from lengths (n,) and shares (n,); None where no minimum is found."""
    t = np.log(minutes)
    at = np.clip(np.log([start_min, 1.5]), _LOW, _HIGH)
    off, slope = _off(t, share, at)
    damping = 1e-3
    for _ in range(MOST_STEPS):
        normal, pull = slope.T @ slope, slope.T @ off
        ridge = damping * np.maximum(np.diag(normal), 1e-12)
        step = _solve(normal[0, 0] + ridge[0], normal[0, 1], normal[1, 1] + ridge[1], pull)
        new = np.clip(at - step, _LOW, _HIGH)
        moved = float(np.abs(new - at).max())
        new_off, new_slope = _off(t, share, new)
        was, now = float(off @ off), float(new_off @ new_off)
        if now > was and moved > 1e-12:
            damping *= 4
            continue
        if now <= was:
            at, off, slope, damping = new, new_off, new_slope, max(damping / 5, 1e-12)
        if moved < 1e-9 or was - now < 1e-14:
            return math.exp(at[0]), math.exp(at[1])
    return None


def _off(t: Floats, share: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Distances (n,) from the curve and their derivatives (n, 2) by log W50 and log h."""
    h = math.exp(at[1])
    z = np.clip(h * (t - at[0]), -500, 500)
    curve = 1 / (1 + np.exp(-z))
    steep = curve * (1 - curve)
    return curve - share, np.stack([-h * steep, z * steep], axis=1)


def _solve(a: float, b: float, d: float, pull: Floats) -> Floats:
    """The step of a symmetric 2 x 2 system."""
    det = a * d - b * b
    if det <= 0:
        return np.zeros(2)
    return np.array([d * pull[0] - b * pull[1], a * pull[1] - b * pull[0]]) / det
