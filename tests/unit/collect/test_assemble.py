# SPDX-License-Identifier: Apache-2.0
"""Packets to samples: how often one takes does not matter, and rotation keeps its place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.frame import Kind, Packet, Stream
from tracker.collect.assemble import Assembler
from tracker.model import SECOND_NS, Samples

T0 = 1_795_420_800 * SECOND_NS
ACC = Stream(kind=Kind.ACC, fs_hz=50.0, tick_hz=1e6, tick_bits=64)
GYRO = Stream(kind=Kind.GYRO, fs_hz=50.0, tick_hz=1e6, tick_bits=64)


def packets(n: int, lag: int) -> list[Packet]:
    """N packets of ten samples; rotation (its value is its time in seconds) comes `lag` later."""
    made: list[tuple[int, Packet]] = []
    for i in range(n):
        t = (np.arange(10) + 10 * i + 1) * 0.02
        tick = T0 // 1000 + round(t[-1] * 1e6)
        at = T0 + round(t[-1] * SECOND_NS)
        acc = np.tile([0.0, 0.0, 1.0], (10, 1)).astype(np.float32)
        gyro = np.repeat(t[:, None], 3, axis=1).astype(np.float32)
        made.append((2 * i, Packet(stream=ACC, raw=acc, received_ns=at, ticks=tick)))
        turn = 2 * (i + lag) + 1
        made.append((turn, Packet(stream=GYRO, raw=gyro, received_ns=at, ticks=tick)))
    return [p for _, p in sorted(made, key=lambda m: m[0])]


def assembled(sent: list[Packet], cuts: list[int]) -> Samples:
    """All samples, taken after the packets at `cuts`."""
    assembler = Assembler()
    assembler.expect((ACC, GYRO))
    out: list[Samples] = []
    for i, packet in enumerate(sent):
        assembler.add([packet])
        if i in cuts:
            out += [p.samples for p in assembler.take()[0]]
    out += [p.samples for p in assembler.take(all_there_is=True)[0]]
    return Samples.concat([s for s in out if len(s)])


@given(
    cuts=st.lists(st.integers(0, 119), max_size=12), lag=st.integers(0, 3), n=st.integers(20, 60)
)
def test_how_often_one_takes_does_not_matter(cuts: list[int], lag: int, n: int) -> None:
    """Any pattern of cuts gives the same samples with the same rotation."""
    sent = packets(n, lag)
    once, often = assembled(sent, []), assembled(sent, cuts)
    assert np.array_equal(once.t_ns, often.t_ns)
    assert np.array_equal(once.gyr_dps, often.gyr_dps)
    assert len(once) == 10 * n


def test_a_long_burst_keeps_its_rotation() -> None:
    """Two minutes in one take (a fast replay): the first sample has its rotation like the last."""
    whole = assembled(packets(600, 0), [])
    assert whole.gyr_dps is not None
    wanted = (whole.t_ns - T0) / SECOND_NS
    assert np.allclose(whole.gyr_dps[:, 0], wanted, atol=1e-3)


def acceleration(n: int) -> list[Packet]:
    """N packets of ten samples without any rotation."""
    return [p for p in packets(n, 0) if p.stream is ACC]


def test_rotation_that_never_comes_is_not_waited_for() -> None:
    """A phone whose gyroscope is not chosen: after three seconds nothing waits."""
    assembler = Assembler()
    assembler.expect((ACC, GYRO))
    out: list[Samples] = []
    for i, packet in enumerate(acceleration(60)):
        assembler.add([packet])
        assembler.expect((ACC, GYRO))  # as every session does
        out += [p.samples for p in assembler.take()[0]]
        assert (assembler.waiting is not None) == (i < 15)
    whole = Samples.concat([s for s in out if len(s)])
    assert np.array_equal(np.diff(whole.t_ns) > 0, np.ones(599, np.bool_))
    rotation = [p for p in packets(60, 0) if p.stream is GYRO][-1:]
    assembler.add(rotation)
    assert assembler.has_gyro, "chosen after all"
