# SPDX-License-Identifier: Apache-2.0
"""Packed samples are bit for bit what went in, and damage is always noticed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.series import T0, make_samples, same
from tracker.errors import StoreDamaged, StoreError
from tracker.model import Samples
from tracker.store.codec import join_samples, pack_samples, unpack_samples


@given(
    steps=st.lists(st.integers(1, 2**40), min_size=0, max_size=60),
    seed=st.integers(0, 2**32 - 1),
    gyro=st.booleans(),
    compress=st.booleans(),
)
def test_packing_is_exact(steps: list[int], seed: int, gyro: bool, compress: bool) -> None:
    """Any whole microseconds, any float32 bits (NaN payloads and infinities among them)."""
    n = len(steps) + 1
    bits = np.random.default_rng(seed).integers(0, 2**32, (2, n, 3), dtype=np.uint32)
    values = bits.view(np.float32)
    t_us = T0 // 1000 + np.concatenate([[0], np.cumsum(np.array(steps, np.int64))])
    samples = Samples(t_ns=t_us.astype(np.int64) * 1000, acc_g=values[0],
                      gyr_dps=values[1] if gyro else None)  # fmt: skip
    back = unpack_samples(pack_samples(samples, compress=compress))
    assert np.array_equal(back.t_ns, samples.t_ns)
    assert back.acc_g.tobytes() == samples.acc_g.tobytes()
    assert (back.gyr_dps is None) == (not gyro)
    if back.gyr_dps is not None:
        assert back.gyr_dps.tobytes() == values[1].tobytes()


@pytest.mark.parametrize("compress", [False, True])
def test_every_flipped_byte_and_every_cut_is_noticed(compress: bool) -> None:
    """No damaged block is ever taken for samples."""
    block = pack_samples(make_samples(T0, 20), compress=compress)
    whole = unpack_samples(block)
    for i in range(len(block)):
        broken = bytes([*block[:i], block[i] ^ 0x40, *block[i + 1 :]])
        with pytest.raises(StoreDamaged):
            unpack_samples(broken)
    for i in range(len(block)):
        with pytest.raises(StoreDamaged):
            unpack_samples(block[:i])
    assert same(whole, make_samples(T0, 20))


def test_times_between_microseconds_are_refused() -> None:
    """What could not come back exactly is not stored."""
    samples = make_samples(T0, 3)
    odd = Samples(t_ns=samples.t_ns + 1, acc_g=samples.acc_g)
    with pytest.raises(StoreError, match="whole microseconds"):
        pack_samples(odd, compress=False)


@given(st.permutations(range(6)))
def test_joining_blocks_does_not_depend_on_their_order(order: list[int]) -> None:
    """Blocks in any order, with and without a gyro, make one increasing stretch."""
    whole = make_samples(T0, 60)
    parts = [whole[i * 10 : (i + 1) * 10] for i in range(6)]
    joined = join_samples([parts[i] for i in order])
    assert same(joined, whole)
    parts[2] = Samples(t_ns=parts[2].t_ns, acc_g=parts[2].acc_g)
    mixed = join_samples([parts[i] for i in order])
    assert np.array_equal(mixed.t_ns, whole.t_ns)
    assert mixed.gyr_dps is not None
    assert np.isnan(mixed.gyr_dps[20:30]).all()
    assert not np.isnan(mixed.gyr_dps[:20]).any()
