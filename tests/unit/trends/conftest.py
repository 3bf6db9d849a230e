# SPDX-License-Identifier: Apache-2.0
"""Hand-made epochs for the tests of the metrics."""

from collections.abc import Callable

import numpy as np
import pytest

from tracker.model import EPOCH_NS, Epochs, State

Line = Callable[..., Epochs]


def make_line(*parts: tuple[State | None, float], start_ns: int = 0) -> Epochs:
    """Epochs from (state, seconds); None leaves a hole. Angles and slump are 0."""
    starts: list[int] = []
    states: list[int] = []
    t = start_ns
    for state, seconds in parts:
        n = round(seconds / 5)
        if state is not None:
            starts += [t + i * EPOCH_NS for i in range(n)]
            states += [int(state)] * n
        t += n * EPOCH_NS
    n = len(starts)
    state_codes = np.array(states, np.uint8)
    return Epochs(
        start_ns=np.array(starts, np.int64),
        state=state_codes,
        confidence=np.ones(n, np.float32),
        trunk=np.zeros(n, np.uint8),
        slouch=np.zeros(n, np.uint8),
        tilt_deg=np.zeros(n, np.float32),
        side_deg=np.zeros(n, np.float32),
        slump_pct=np.zeros(n, np.float32),
        move_mg=np.zeros(n, np.float32),
        exercise=np.zeros(n, np.uint8),
        worn=(state_codes != State.NOT_WORN).astype(np.uint8),
        valid=np.ones(n, np.float32),
    )


@pytest.fixture
def line() -> Line:
    """The maker of hand-made epochs."""
    return make_line
