# SPDX-License-Identifier: Apache-2.0
"""What every decoder must do. A new file in `firmware_protocol/decoders` is covered by being there.

Each module defines DECODER (with `peripheral()`) and GOLDEN frames.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firmware_protocol.decoders as folder
from firmware_protocol.decoders._base import BATTERY_LEVEL
from firmware_protocol.errors import ProtocolError
from firmware_protocol.frame import Frame, Kind, Packet, PacketFlag
from firmware_protocol.loopback import Loopback
from firmware_protocol.peripheral import Block, Golden, Peripheral
from firmware_protocol.registry import Advert, Decoder, Session, Wish, best, decoders
from firmware_protocol.sequence import SequenceState, advance

S = 1_000_000_000
T0 = 1_760_000_000 * S
DECODERS = decoders()


def _module(name: str):
    for info in pkgutil.iter_modules(folder.__path__):
        if not info.name.startswith("_"):
            module = importlib.import_module(f"{folder.__name__}.{info.name}")
            if module.DECODER.name == name:
                return module
    raise AssertionError(name)


GOLDEN: dict[str, tuple[Golden, ...]] = {name: _module(name).GOLDEN for name in DECODERS}
CASES = [
    pytest.param(name, case, id=f"{name}-{case.name}") for name in DECODERS for case in GOLDEN[name]
]
each = pytest.mark.parametrize("name", list(DECODERS))


def _prepared(name: str, case: Golden) -> Session:
    session = DECODERS[name].open(Wish())
    for frame in case.before:
        session.feed(frame)
    return session


def _is_a_sentence(error: ProtocolError) -> None:
    assert len(str(error)) > 20


def _check(packets: list[Packet]) -> None:
    """What holds for any packet, however odd the bytes were."""
    for packet in packets:
        assert packet.raw.ndim == 2
        assert np.isfinite(packet.values).all()
        assert packet.valid is None or packet.valid.shape == (packet.n,)
        assert packet.stream.fs_hz > 0
        assert packet.ticks is None or packet.stream.tick_hz
        assert packet.index is None or packet.stream.index_bits


def test_every_module_has_a_decoder() -> None:
    """A file in the folder without DECODER or GOLDEN is a mistake."""
    for info in pkgutil.iter_modules(folder.__path__):
        if not info.name.startswith("_"):
            module = importlib.import_module(f"{folder.__name__}.{info.name}")
            assert isinstance(module.DECODER, Decoder), info.name
            assert module.GOLDEN, info.name


@pytest.mark.parametrize(("name", "case"), CASES)
def test_golden_frames_decode(name: str, case: Golden) -> None:
    """Known bytes give the known number of samples."""
    packets = list(_prepared(name, case).feed(case.frame))
    _check(packets)
    motion = [p for p in packets if p.stream.kind not in (Kind.BATTERY, Kind.TEMPERATURE)]
    assert max((p.n for p in motion), default=0) == case.samples


@pytest.mark.parametrize(("name", "case"), CASES)
def test_truncated_frames_raise_only_protocol_errors(name: str, case: Golden) -> None:
    """Cut at every byte: refused with a sentence, or waited for; never anything else."""
    for end in range(len(case.frame.payload)):
        session = _prepared(name, case)
        cut = Frame(
            sensor="t",
            channel=case.frame.channel,
            payload=case.frame.payload[:end],
            received_ns=case.frame.received_ns,
        )
        try:
            _check(list(session.feed(cut)))
        except ProtocolError as error:
            _is_a_sentence(error)
        list(session.pending())


@st.composite
def _attacks(draw: st.DrawFn) -> tuple[str, Golden, list[Frame]]:
    name = draw(st.sampled_from(list(DECODERS)))
    case = draw(st.sampled_from(GOLDEN[name]))
    channels = [g.frame.channel for g in GOLDEN[name]]
    channels += [c.uuid for c in DECODERS[name].peripheral().characteristics()]
    frames = []
    for _ in range(draw(st.integers(min_value=1, max_value=4))):
        payload = draw(
            st.one_of(
                st.binary(max_size=64),
                st.binary(min_size=1, max_size=4).map(lambda b: case.frame.payload + b),
                st.tuples(st.integers(0, 10_000), st.integers(0, 255)).map(
                    lambda at: _changed(case.frame.payload, *at)
                ),
            )
        )
        channel = draw(st.sampled_from([case.frame.channel, *channels]))
        at = draw(st.integers(min_value=0, max_value=2**61))
        frames.append(Frame(sensor="t", channel=channel, payload=payload, received_ns=at))
    return name, case, frames


def _changed(payload: bytes, at: int, value: int) -> bytes:
    if not payload:
        return bytes([value])
    at %= len(payload)
    return payload[:at] + bytes([value]) + payload[at + 1 :]


@settings(max_examples=1000)
@given(attack=_attacks())
def test_random_bytes_raise_only_protocol_errors(attack: tuple[str, Golden, list[Frame]]) -> None:
    """Noise, longer frames and changed bytes, on any characteristic, also one after another."""
    name, case, frames = attack
    session = _prepared(name, case)
    states: dict[Kind, SequenceState] = {}
    for frame in frames:
        try:
            packets = list(session.feed(frame))
        except ProtocolError:
            continue
        _check(packets)
        for packet in packets:
            _, states[packet.stream.kind] = advance(
                states.get(packet.stream.kind, SequenceState()), packet
            )
        list(session.pending())
        session.resume()
        assert session.streams is not None


def _motion(fs_hz: float, seconds: float, gyro: bool) -> Block:
    n = int(fs_hz * seconds)
    t = T0 + S + np.rint(np.arange(n) * S / fs_hz).astype(np.int64)
    phase = np.arange(n)[:, None] * np.array([0.11, 0.07, 0.05])
    acc = 0.4 * np.sin(phase) + np.array([0.1, -0.2, 0.9])
    gyr = (60 * np.sin(phase * 1.7)).astype(np.float32)
    return Block(t_ns=t, acc_g=acc.astype(np.float32), gyr_dps=gyr if gyro else None)


def _parts(motion: Block, size: int) -> Iterator[Block]:
    for k in range(0, len(motion.t_ns), size):
        gyr = None if motion.gyr_dps is None else motion.gyr_dps[k : k + size]
        yield Block(t_ns=motion.t_ns[k : k + size], acc_g=motion.acc_g[k : k + size], gyr_dps=gyr)


DEVICES = [
    pytest.param(name, make, id=f"{name}-{label}" if label else name)
    for name in DECODERS
    for label, make in {
        "": DECODERS[name].peripheral,
        **getattr(_module(name), "VARIANTS", {}),
    }.items()
]


@pytest.mark.parametrize(("name", "device"), DEVICES)
def test_a_simulated_sensor_is_understood(name: str, device: Callable[[], Peripheral]) -> None:
    """Start sequence, samples, decode, UTC: what went in comes out, within a count of the sensor.

    encode is the inverse of decode, seen through the whole protocol.
    """
    decoder = DECODERS[name]
    link = Loopback(decoder.open(Wish()), device(), delay_ns=20_000_000)
    packets = link.start(T0)
    streams = {s.kind: s for s in link.session.streams}
    assert Kind.ACC in streams
    motion = _motion(streams[Kind.ACC].fs_hz, max(8.0, 40 / streams[Kind.ACC].fs_hz), gyro=True)
    # A slow sensor's samples have the time of their arrival, so each arrives alone.
    for part in _parts(motion, 3 if streams[Kind.ACC].fs_hz > 3 else 1):
        packets += link.send(part)
    assert link.errors == []
    _check(packets)
    for kind, truth in ((Kind.ACC, motion.acc_g), (Kind.GYRO, motion.gyr_dps)):
        state, t, values = SequenceState(), [], []
        for packet in packets:
            if packet.stream.kind == kind and PacketFlag.SYNC not in packet.flags:
                block, state = advance(state, packet)
                t.append(block.t_ns)
                values.append(block.values)
        if kind == Kind.GYRO and kind not in streams:
            continue
        got = np.concatenate(values)
        assert len(got) >= len(truth) - 80, "all but the last unfinished batch"
        count = 0.6 * abs(streams[kind].scale) + (0.006 if kind == Kind.ACC else 0.06)
        assert np.abs(got - truth[: len(got)]).max() < count
        late_ms = (np.concatenate(t) - motion.t_ns[: len(got)]) / 1e6
        period_ms = 1000 / streams[kind].fs_hz
        assert np.abs(late_ms - 20).max() < 25 + 3 * period_ms
        assert state.counters.lost == state.counters.duplicates == 0
    link.stop(int(motion.t_ns[-1]))


@each
def test_the_right_decoder_is_found(name: str) -> None:
    """By services after connecting; for advertising-only sensors by the advertisement."""
    decoder = DECODERS[name]
    device = decoder.peripheral()
    services = sorted({c.service for c in device.characteristics()})
    found = best(device.advert(), services)
    assert found is not None
    assert found[0].name == name
    assert found[1].score >= 90
    assert found[1].why


@each
def test_a_name_alone_proves_nothing(name: str) -> None:
    """A device that is only called like one gets a hint below 50, and 0 once services are known."""
    decoder = DECODERS[name]
    called = Advert(address="00:00:5E:00:53:99", name=decoder.peripheral().name)
    assert decoder.match(called).score < 50
    assert decoder.match(called, ["00001800-0000-1000-8000-00805f9b34fb"]).score == 0


@each
def test_battery_outside_its_range_is_refused(name: str) -> None:
    """250 percent is no battery level."""
    session = DECODERS[name].open(Wish())
    frame = Frame(sensor="t", channel=BATTERY_LEVEL, payload=b"\xfa", received_ns=T0)
    with pytest.raises(ProtocolError):
        session.feed(frame)


@each
def test_wishes_are_taken_as_far_as_the_sensor_can(name: str) -> None:
    """Any wish gives a session whose streams have a positive rate; no gyro is a wish too."""
    for wish in (Wish(fs_hz=1), Wish(fs_hz=500, gyro=False), Wish(acc_range_g=64)):
        decoder = DECODERS[name]
        link = Loopback(decoder.open(wish), decoder.peripheral())
        link.start(T0)
        assert link.errors == []
        assert all(s.fs_hz > 0 for s in link.session.streams)
