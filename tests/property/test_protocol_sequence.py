# SPDX-License-Identifier: Apache-2.0
"""From packets to UTC: what holds for any sensor, any delay, any loss."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol import pair
from firmware_protocol.frame import Kind, Packet, PacketFlag, Stream
from firmware_protocol.sequence import Block, SequenceState, advance

S = 1_000_000_000
T0 = 1_760_000_000 * S
REFERENCE = Stream(kind=Kind.ACC, fs_hz=50.0, tick_hz=32768.0, tick_bits=32, index_bits=32)
POLAR = Stream(kind=Kind.ACC, fs_hz=52.0, tick_hz=1e9, tick_bits=64)
PLAIN = Stream(kind=Kind.ACC, fs_hz=50.0)


def _run(
    packets: Sequence[Packet], state: SequenceState | None = None
) -> tuple[list[Block], SequenceState]:
    state = state or SequenceState()
    blocks = []
    for packet in packets:
        block, state = advance(state, packet)
        blocks.append(block)
    return blocks, state


def _times(blocks: Sequence[Block], *, replayed: bool = False) -> np.ndarray:
    parts = [b.t_ns for b in blocks if b.replayed == replayed]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _packets(
    stream: Stream,
    *,
    seconds: float,
    batch: int,
    delays_ms: Sequence[float] = (20.0,),
    drift_ppm: float = 0.0,
    fs_hz: float | None = None,
    first_index: int = 0,
    first_tick: int = 0,
    start_ns: int = T0,
) -> tuple[list[Packet], np.ndarray]:
    """A device with a real rate and a drifting crystal; true sample times beside the packets.

    Delays are taken in turn; a notification never overtakes the one before it.
    """
    fs = fs_hz or stream.fs_hz
    n = int(seconds * fs) // batch * batch
    true = start_ns + np.rint(np.arange(n) * S / fs).astype(np.int64)
    packets, arrived = [], 0
    for k in range(0, n, batch):
        last = int(true[k + batch - 1])
        delay = delays_ms[(k // batch) % len(delays_ms)]
        arrived = max(arrived, last + round(delay * 1e6))
        ticks = None
        if stream.tick_hz is not None:
            device = (last - start_ns) * (1 - drift_ppm * 1e-6) / S * stream.tick_hz
            ticks = (first_tick + int(device)) % (1 << stream.tick_bits)
        index = None
        if stream.index_bits is not None:
            index = (first_index + k) % (1 << stream.index_bits)
        raw = np.arange(k, k + batch)[:, None] + np.zeros((1, 3), np.int64)
        packets.append(
            Packet(stream=stream, raw=raw, received_ns=arrived, ticks=ticks, index=index)
        )
    return packets, true


delays = st.lists(st.floats(min_value=5.0, max_value=400.0), min_size=1, max_size=40)


@settings(max_examples=30)
@given(
    delays_ms=delays,
    drift_ppm=st.floats(min_value=-400, max_value=400),
    batch=st.integers(min_value=1, max_value=20),
    stream=st.sampled_from([REFERENCE, POLAR]),
)
def test_jitter_of_arrival_is_not_jitter_of_samples(
    delays_ms: list[float], drift_ppm: float, batch: int, stream: Stream
) -> None:
    """Bursts up to 0.4 s late: spacing stays within 1 % and no sample is later than it arrived."""
    packets, true = _packets(
        stream, seconds=40, batch=batch, delays_ms=delays_ms, drift_ppm=drift_ppm
    )
    blocks, state = _run(packets)
    t = _times(blocks)
    assert len(t) == len(true)
    assert state.counters.lost == state.counters.duplicates == 0
    spacing = np.diff(t) * stream.fs_hz / S
    # Ticks of 1/32768 s and whole microseconds add at most 0.2 % to a 20 ms spacing.
    assert np.abs(spacing - 1).max() < 0.01
    assert (t % 1000 == 0).all()
    late = (t - true) / 1e6
    assert late.min() > -60, "never far before the truth"
    # A drift not yet known moves output time by drift times its settling time of 20 s.
    assert late.max() <= max(delays_ms) + 10


@settings(max_examples=25)
@given(drift_ppm=st.floats(min_value=-450, max_value=450), delays_ms=delays)
def test_drift_is_found_and_bounded(drift_ppm: float, delays_ms: list[float]) -> None:
    """After half an hour the device's drift is known to 30 ppm and never beyond 500."""
    packets, _ = _packets(
        REFERENCE, seconds=1800, batch=50, delays_ms=[*delays_ms, 10.0], drift_ppm=drift_ppm
    )
    _, state = _run(packets[::4])
    assert state.drift_ppm == pytest.approx(drift_ppm, abs=30)


def test_drift_beyond_a_crystal_is_refused() -> None:
    """A clock 5000 ppm off: the slope stays at 500, the times still follow arrival."""
    packets, true = _packets(REFERENCE, seconds=900, batch=10, drift_ppm=5000)
    blocks, state = _run(packets)
    assert state.drift_ppm == pytest.approx(500, abs=1)
    assert np.abs(_times(blocks) - true).max() / 1e6 < 1500


@settings(max_examples=20)
@given(
    fs_hz=st.floats(min_value=45, max_value=60),
    delays_ms=st.lists(st.floats(min_value=5.0, max_value=60.0), min_size=1, max_size=20),
)
def test_without_device_time_the_rate_is_fitted(fs_hz: float, delays_ms: list[float]) -> None:
    """A plain sensor at an unknown real rate: smooth times, no drift away from arrival."""
    packets, true = _packets(PLAIN, seconds=40, batch=4, delays_ms=delays_ms, fs_hz=fs_hz)
    blocks, _ = _run(packets)
    t = _times(blocks)
    assert len(t) == len(true)
    late = (t - true)[len(t) // 2 :] / 1e6
    assert late.min() > -50
    assert late.max() < max(delays_ms) + 50
    spacing = np.diff(t[len(t) // 2 :]) * fs_hz / S
    assert np.abs(spacing - 1).max() < 0.1


@given(
    lost=st.sets(st.integers(min_value=1, max_value=70), max_size=30),
    twice=st.sets(st.integers(min_value=0, max_value=70), max_size=30),
    first_index=st.sampled_from([0, 2**32 - 40, 70000]),
    first_tick=st.sampled_from([0, 2**32 - 99999]),
)
def test_losses_are_counted_and_duplicates_dropped(
    lost: set[int], twice: set[int], first_index: int, first_tick: int
) -> None:
    """Counter and clock wrap; each packet lost is counted, each delivered again is dropped."""
    packets, true = _packets(
        REFERENCE, seconds=15, batch=10, first_index=first_index, first_tick=first_tick
    )
    sent = []
    for k, packet in enumerate(packets):
        if k not in lost:
            sent += [packet] * (3 if k in twice else 1)
    blocks, state = _run(sent)
    kept = [k for k in range(len(packets)) if k not in lost]
    t = _times(blocks)
    assert len(t) == 10 * len(kept)
    assert (np.diff(t) > 0).all()
    assert state.counters.lost == 10 * (kept[-1] + 1 - len(kept))
    assert state.counters.duplicates == 20 * len(twice - lost)
    expected = np.concatenate([true[10 * k : 10 * k + 10] for k in kept])
    assert np.abs(t - expected - 20_000_000).max() < 1_000_000


@given(
    lost=st.sets(st.integers(min_value=1, max_value=60), min_size=1, max_size=40),
    order=st.randoms(use_true_random=False),
)
def test_replay_fills_the_holes_at_the_right_time(lost: set[int], order) -> None:
    """Replayed in any order, half of it twice: every sample once, at its own past time, marked."""
    packets, true = _packets(REFERENCE, seconds=15, batch=10)
    live = [p for k, p in enumerate(packets) if k not in lost]
    late = live[-1].received_ns + S
    again = [
        replace(packets[k], flags=PacketFlag.REPLAY, received_ns=late + k)
        for k in sorted(lost | {2, 3})
        if k < len(packets) - 1 or k in lost
    ]
    again += again[::2]
    order.shuffle(again)
    blocks, state = _run([*live, *again])
    t, past = _times(blocks), _times(blocks, replayed=True)
    everything = np.sort(np.concatenate([t, past]))
    expected = true[: 10 * (max(k for k in range(len(packets)) if k not in lost) + 1)]
    known = {int(v[0]) for b in blocks for v in b.values}
    assert known >= set(range(len(expected)))
    assert len(np.unique(everything)) == len(everything)
    assert np.abs(everything[: len(expected)] - expected - 20_000_000).max() < 1_000_000
    assert state.counters.recovered == len(past)


def test_after_a_reboot_everything_begins_anew() -> None:
    """A new boot counter: same index again, no duplicates, later times, the block says so."""
    first, _ = _packets(REFERENCE, seconds=10, batch=10)
    second, true = _packets(REFERENCE, seconds=10, batch=10, start_ns=T0 + 40 * S)
    blocks, state = _run(
        [*(replace(p, boot=1) for p in first), *(replace(p, boot=2) for p in second)]
    )
    assert [b.reset for b in blocks if b.reset] == ["boot"]
    assert state.counters.duplicates == 0
    assert np.abs(_times(blocks)[-len(true) :] - true - 20_000_000).max() < 1_000_000


@pytest.mark.parametrize("stream", [REFERENCE, POLAR], ids=["index and clock", "clock only"])
def test_a_restarted_clock_is_noticed_without_boot_counter(stream: Stream) -> None:
    """Power off and on: the clock starts again; times go on after the pause."""
    first, _ = _packets(stream, seconds=30, batch=10, first_tick=1_000_000_000_000 % 2**31)
    second, true = _packets(stream, seconds=10, batch=10, start_ns=T0 + 90 * S)
    blocks, state = _run([*first, *second])
    assert state.counters.resets >= 1
    assert state.counters.duplicates == 0
    assert np.abs(_times(blocks)[-len(true) :] - true - 20_000_000).max() < 2_000_000


def test_a_pause_of_the_link_is_a_gap_not_a_reset() -> None:
    """Ten minutes away with the device running: the gap has its true length, nothing is reset."""
    packets, true = _packets(REFERENCE, seconds=700, batch=10, drift_ppm=50)
    kept = [p for k, p in enumerate(packets) if not 100 <= k < 3100]
    blocks, state = _run(kept)
    t = _times(blocks)
    assert state.counters.resets == 0
    assert state.counters.lost == 30000
    gap = np.diff(t).max() / S
    assert gap == pytest.approx(600, abs=0.2)
    assert np.abs(t[-1] - true[-1]) < 60_000_000


@pytest.mark.parametrize("jump_s", [3600, 30])
def test_the_host_clock_may_jump_forward(jump_s: int) -> None:
    """NTP sets the host's clock: after at most 20 s the samples have the new time."""
    packets, true = _packets(REFERENCE, seconds=60, batch=10)
    moved = [
        replace(p, received_ns=p.received_ns + (jump_s * S if k > 100 else 0))
        for k, p in enumerate(packets)
    ]
    blocks, state = _run(moved)
    assert state.counters.resets == 1
    assert _times(blocks)[-1] - true[-1] == pytest.approx(jump_s * S + 20_000_000, abs=2_000_000)


def test_clock_exchange_sets_the_offset() -> None:
    """A measured pair removes the transport delay that arrivals alone cannot tell."""
    packets, true = _packets(REFERENCE, seconds=30, batch=10, delays_ms=[80.0, 120.0])
    sync = replace(
        packets[0], raw=np.empty((0, 3)), ticks=0, received_ns=T0, flags=PacketFlag.SYNC, index=None
    )
    blocks, _ = _run([sync, *packets])
    assert np.abs(_times(blocks) - true).max() < 1_000_000


@pytest.mark.parametrize("copies", [2, 3, 4])
def test_echoes_of_a_plain_sensor_are_dropped(copies: int) -> None:
    """Each value several times (sloppy reconnect): after eight values once is kept."""
    packets, true = _packets(PLAIN, seconds=20, batch=1, delays_ms=[5, 60, 30, 10])
    many = [
        replace(p, received_ns=p.received_ns + k * 300_000) for p in packets for k in range(copies)
    ]
    blocks, state = _run(many)
    t = _times(blocks)
    assert len(true) <= len(t) <= len(true) + 9 * (copies - 1)
    assert state.counters.duplicates == copies * len(true) - len(t)
    assert abs(int(t[-1]) - int(true[-1])) < 100_000_000


def test_a_coarse_sensor_at_rest_is_no_echo() -> None:
    """Equal values in bursts of three from a sensor that lies still: every one is kept."""
    packets, true = _packets(PLAIN, seconds=20, batch=1, delays_ms=[50, 30, 10])
    still = [replace(p, raw=np.asarray(p.raw) // 7 * 7) for p in packets]
    blocks, state = _run(still)
    assert len(_times(blocks)) == len(true)
    assert state.counters.duplicates == 0


def test_invalid_samples_leave_the_rest_in_place() -> None:
    """A sample the device calls invalid is counted and left out; neighbours keep their times."""
    packets, true = _packets(REFERENCE, seconds=2, batch=10)
    valid = np.ones(10, np.bool_)
    valid[4] = False
    packets[3] = replace(packets[3], valid=valid)
    blocks, state = _run(packets)
    assert state.counters.invalid == 1
    expected = np.delete(true, 34)
    assert np.abs(_times(blocks) - expected - 20_000_000).max() < 1_000_000


@given(
    stream=st.sampled_from(
        [
            REFERENCE,
            POLAR,
            PLAIN,
            Stream(kind=Kind.ACC, fs_hz=20, tick_hz=1000.0, tick_bits=16),
            Stream(kind=Kind.ACC, fs_hz=1, index_bits=16, index_unit="packet"),
        ]
    ),
    parts=st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=5),
            st.integers(min_value=T0, max_value=T0 + 10**6 * S),
            st.integers(min_value=0, max_value=2**64 - 1),
            st.integers(min_value=0, max_value=2**32 - 1),
            st.sampled_from([PacketFlag.NONE, PacketFlag.REPLAY, PacketFlag.SYNC]),
            st.sampled_from([None, 1, 2]),
        ),
        max_size=30,
    ),
)
def test_nonsense_never_breaks_the_order_of_time(stream: Stream, parts) -> None:
    """Random counters, clocks and arrivals: nothing is raised and live times only increase."""
    state, last = SequenceState(), None
    for n, received, tick, index, flags, boot in parts:
        packet = Packet(
            stream=stream,
            raw=np.zeros((n, 3), np.int16),
            received_ns=received,
            ticks=None if stream.tick_hz is None else tick % (1 << stream.tick_bits),
            index=None if stream.index_bits is None else index % (1 << stream.index_bits),
            flags=flags,
            boot=boot,
        )
        block, state = advance(state, packet)
        assert (np.diff(block.t_ns) > 0).all()
        assert (block.t_ns % 1000 == 0).all()
        if len(block) and not block.replayed:
            assert last is None or block.t_ns[0] > last
            last = int(block.t_ns[-1])


def _block(kind: Kind, t_ns: np.ndarray, *, replayed: bool = False) -> Block:
    stream = Stream(kind=kind, fs_hz=50)
    values = np.stack([t_ns / S - T0 / S] * 3, axis=1).astype(np.float32)
    return Block(stream=stream, t_ns=t_ns, values=values, replayed=replayed)


@given(
    order=st.lists(st.sampled_from([Kind.ACC, Kind.GYRO]), min_size=2, max_size=60),
    cuts=st.randoms(use_true_random=False),
)
def test_pairing_does_not_depend_on_block_borders(order: list[Kind], cuts) -> None:
    """The same samples in the same order, cut anywhere: the same pairs."""
    grid = T0 + np.arange(4000) * 20_000_000
    at = {Kind.ACC: 0, Kind.GYRO: 0}
    whole: list[Block] = []
    for kind in order:
        n = cuts.randint(1, 60)
        shift = 0 if kind == Kind.ACC else 7_000_000
        whole.append(_block(kind, grid[at[kind] : at[kind] + n] + shift))
        at[kind] += n
    single = [_block(b.stream.kind, b.t_ns[k : k + 1]) for b in whole for k in range(len(b))]

    def joined(blocks: list[Block]) -> tuple[np.ndarray, np.ndarray]:
        state, parts = pair.PairState(), []
        for block in blocks:
            out, state = pair.advance(state, block)
            parts += out
        rest, _ = pair.flush(state)
        parts += rest
        if not parts:
            return np.empty(0), np.empty((0, 3))
        t = np.concatenate([p.t_ns for p in parts])
        return t, np.concatenate([p.gyr_dps for p in parts])

    t_whole, gyr_whole = joined(whole)
    t_single, gyr_single = joined(single)
    assert t_whole.tolist() == t_single.tolist() == grid[: at[Kind.ACC]].tolist()
    assert np.array_equal(gyr_whole, gyr_single, equal_nan=True)


def test_pairing_interpolates_between_neighbours_only() -> None:
    """Rotation that is a ramp in time comes out as the same ramp; across a gap it is NaN."""
    grid = T0 + np.arange(100) * 20_000_000
    gyro = np.delete(grid + 7_000_000, slice(40, 60))
    state = pair.PairState()
    a, state = pair.advance(state, _block(Kind.ACC, grid))
    b, state = pair.advance(state, _block(Kind.GYRO, gyro))
    out = [*a, *b, *pair.flush(state)[0]]
    gyr = np.concatenate([p.gyr_dps for p in out])[:, 0]
    ramp = (grid - T0) / S
    known = ~np.isnan(gyr)
    assert gyr[known] == pytest.approx(ramp[known], abs=1e-3)
    assert np.flatnonzero(~known).tolist() == [0, *range(40, 61)]


def test_pairing_gives_up_waiting() -> None:
    """A gyro that fell silent holds acceleration back for three seconds, not for ever."""
    grid = T0 + np.arange(500) * 20_000_000
    out, _ = pair.advance(pair.PairState(), _block(Kind.ACC, grid))
    (block,) = out
    assert len(block) == 500 - 151
    assert np.isnan(block.gyr_dps).all()
