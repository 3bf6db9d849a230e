# SPDX-License-Identifier: Apache-2.0
"""Posture shifts and fidgets: what counts, once each, however the epochs come."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracker import chain
from tracker.model import EPOCH_DTYPES, EPOCH_NS, Epochs, Placement, Samples, State
from tracker.signal.calibrate import Calibration
from tracker.signal.shifts import Shift, ShiftKind, advance_shifts, start_shifts
from tracker.trends.motion import shift_epochs

ANGLES = st.lists(st.sampled_from([0.0, 0.3, 1.5, 4.9, 5.0, 9.0, -6.0]), min_size=1, max_size=60)


def table(tilts: list[float], sits: list[bool] | None = None, holes: int = 0) -> Epochs:
    """Seated epochs with these angles; a hole of an epoch after every `holes` epochs."""
    n = len(tilts)
    columns = {c: np.zeros(n, d) for c, d in EPOCH_DTYPES.items()}
    at = np.arange(n)
    columns["start_ns"] = (at + (at // holes if holes else 0)) * EPOCH_NS
    seated = np.ones(n, bool) if sits is None else np.array(sits)
    columns["state"] = np.where(seated, State.SITTING, State.STANDING).astype(np.uint8)
    columns["tilt_deg"] = np.array(tilts, np.float32)
    return Epochs(**columns)


def found(epochs: Epochs, cuts: list[int]) -> list[Shift]:
    """All events of the table, given in pieces."""
    state, events = start_shifts(), []
    for a, b in pairwise([0, *cuts, len(epochs)]):
        state, some = advance_shifts(state, epochs[a:b], flush=False)
        events += some
    return events


@given(data=st.data(), tilts=ANGLES, holes=st.sampled_from([0, 7]))
def test_any_split_finds_the_same_and_shifts_are_those_of_the_trends(
    data: st.DataObject, tilts: list[float], holes: int
) -> None:
    """Piece by piece or whole; and the day's count is the count of the chain's events."""
    sits = data.draw(st.lists(st.booleans(), min_size=len(tilts), max_size=len(tilts)))
    sits = [s or i % 3 > 0 for i, s in enumerate(sits)]
    epochs = table(tilts, sits, holes)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(tilts)), max_size=6)))
    whole = found(epochs, [])
    assert sorted(found(epochs, cuts), key=lambda s: (s.at_ns, s.kind)) == whole
    shifts = [s.at_ns for s in whole if s.kind is ShiftKind.SHIFT]
    assert shifts == epochs.start_ns[shift_epochs(epochs)].tolist()


def test_a_change_that_stays_is_a_shift_and_one_that_does_not_is_a_fidget() -> None:
    """5 degrees for 10 s is a shift; 4 degrees for one epoch after a calm minute is a fidget."""
    calm = [0.0, 0.2, 0.1, 0.0, 0.2] * 4
    stays = found(table([*calm, *[5.3] * 5]), [])
    assert [(s.kind, s.at_ns // EPOCH_NS) for s in stays] == [(ShiftKind.SHIFT, 20)]
    back = found(table([*calm, 4.0, *calm]), [])
    assert [(s.kind, s.at_ns // EPOCH_NS) for s in back] == [(ShiftKind.FIDGET, 20)]
    assert found(table([*calm, 0.9, *calm]), []) == []  # below a degree is noise
    assert found(table([*calm, *[5.3] * 5], [*[True] * 20, *[False] * 5]), []) == []  # got up


def test_the_chain_tells_shifts_live_as_in_a_batch() -> None:
    """A sitter who leans forward by 8 degrees twice: three shifts, packet by packet too."""
    n, fs = 240 * 50, 50
    t = np.arange(n) / fs
    lean = np.where((t // 60).astype(int) % 2 == 1, 8.0, 0.0) + 0.4 * np.sin(1.6 * t)
    rng = np.random.default_rng(2)
    acc = np.stack([-np.sin(np.radians(lean)), 0 * t, np.cos(np.radians(lean))], axis=1)
    samples = Samples(
        t_ns=np.arange(n, dtype=np.int64) * 20_000_000,
        acc_g=(acc + rng.normal(0, 0.003, (n, 3))).astype(np.float32),
    )
    setup = chain.Setup(placement=Placement.UPPER_BACK, calibration=Calibration(tall_deg=0.0))
    whole = chain.analyze(samples, setup)
    state, shifts = chain.start(setup), []
    for a in range(0, n, 130):
        state, result = chain.advance(state, samples[a : a + 130])
        shifts += result.shifts
        state = chain.load(chain.dump(state), setup) if a % 2600 == 0 else state
    shifts += chain.finish(state)[1].shifts
    assert tuple(shifts) == whole.shifts
    assert [s.at_ns // (60 * 10**9) for s in shifts if s.kind is ShiftKind.SHIFT] == [1, 2, 3]
