# SPDX-License-Identifier: Apache-2.0
"""Sensors described in TOML: what can be said, and how each mistake is answered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.decoders.described import EXAMPLE, load
from firmware_protocol.errors import BadDescription, BadField, ProtocolError, TruncatedFrame
from firmware_protocol.frame import Kind
from firmware_protocol.loopback import Loopback
from firmware_protocol.peripheral import Block
from firmware_protocol.registry import Advert, Wish, best

UUID = "13012f01-f8c3-4f4a-a8f4-15cd926da146"
BATCHED = f"""
name = "xiao-batch"
title = "XIAO, ten samples a notification"
service = "13012f00-f8c3-4f4a-a8f4-15cd926da146"

[[start]]
characteristic = "{UUID[:-1]}7"
hex = "01 32"

[[stop]]
characteristic = "{UUID[:-1]}7"
hex = "00"
response = false

[[stream]]
characteristic = "{UUID}"
rate_hz = 104
byte_order = "big"
header = ["skip:u16", "counter:u16", "time:u32"]
sample = ["acc_x:i16", "acc_y:i16", "acc_z:i16"]
samples = "many"
acc = {{ unit = "m/s2", scale = 0.0023942017, range = 78.4, axes = ["-y", "x", "z"] }}
time = {{ tick_s = 0.000001, of = "first" }}
counter = {{ of = "packet" }}
"""
TEXT = f"""
name = "lines"
service = "FFE0"
[[stream]]
characteristic = "{UUID}"
encoding = "csv"
separator = ";"
rate_hz = 25
sample = ["time", "acc_x", "acc_y", "acc_z", "skip"]
acc = {{ unit = "mg" }}
time = {{ tick_s = 0.001 }}
"""


def test_batched_binary(feed) -> None:
    """Header, several samples, turned axes, big-endian, time of the first, packet counter."""
    session = load(BATCHED).open(Wish())
    data = "AA55" + "0007" + "000F4240" + "000000001000" + "001000200030"
    (packet,) = feed(session, UUID, data)
    assert packet.values * 9.80665 == pytest.approx(
        np.array([[0, 0, 9.80665], [-0.0766, 0.0383, 0.1149]]), abs=1e-4
    )
    assert (packet.ticks, packet.ticks_at, packet.index) == (1_000_000, "first", 7)
    assert (packet.stream.tick_hz, packet.stream.index_unit) == (1e6, "packet")
    assert (packet.stream.fs_hz, packet.stream.index_bits) == (104, 16)


def test_writes_come_before_the_subscription() -> None:
    """Start and stop writes as described."""
    session = load(BATCHED).open(Wish())
    steps = [s for s in session.start() if not s.optional]
    assert [(s.action, s.data.hex()) for s in steps] == [("write", "0132"), ("subscribe", "")]
    assert [(s.action, s.data.hex()) for s in session.stop()] == [("write_no_response", "00")]


def test_lines_split_across_notifications(feed) -> None:
    """Text is joined across notifications; a short UUID belongs to the Bluetooth SIG."""
    decoder = load(TEXT)
    assert decoder.services == ("0000ffe0-0000-1000-8000-00805f9b34fb",)
    session = decoder.open(Wish())
    assert feed(session, UUID, b"40;1") == []
    (packet,) = feed(session, UUID, b"00;-20;980;x\n80;1")
    assert packet.values[0] == pytest.approx([0.1, -0.02, 0.98], abs=1e-6)
    assert packet.ticks == 40


@pytest.mark.parametrize("line", [b"1;2;3\n", b"1;a;3;4;5\n", b"1;nan;3;4;5\n", b"9" * 300])
def test_bad_lines_are_refused(feed, line: bytes) -> None:
    """Too few values, no number, not finite, endless."""
    with pytest.raises(BadField):
        feed(load(TEXT).open(Wish()), UUID, line)


@pytest.mark.parametrize("description", [BATCHED, TEXT], ids=["binary", "text"])
def test_simulated(description: str) -> None:
    """The peripheral that follows the description is understood by the decoder."""
    decoder = load(description)
    link = Loopback(decoder.open(Wish()), decoder.peripheral())
    link.start(10**18)
    acc = np.tile(np.array([[0.1, -0.2, 0.9]], np.float32), (20, 1))
    t = 10**18 + np.arange(20) * 10_000_000
    packets = link.send(Block(t_ns=t, acc_g=acc))
    assert sum(p.n for p in packets) == 20
    assert np.concatenate([p.values for p in packets]) == pytest.approx(acc, abs=2e-3)


def test_it_competes_with_the_built_in_decoders() -> None:
    """A described decoder is found by its service."""
    decoder = load(BATCHED.replace("13012f00", "aaaa2f00"))
    found = best(Advert(address="A"), ["aaaa2f00-f8c3-4f4a-a8f4-15cd926da146"], extra=[decoder])
    assert found is not None
    assert found[0] is decoder


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ('name = "arduino', 'nam = "arduino', "name", "add it"),
        ('"arduino-six-floats"', '"Ärduino"', "name", "small letters"),
        ('"arduino-six-floats"', "7", "name", "write a text"),
        ('service = "13012f00-', 'service = "13012f0-', "service", "hex digits"),
        ("rate_hz = 50", "rate_hz = 0", "stream[0].rate_hz", "samples per second"),
        ("rate_hz = 50", 'rate_hz = "50"', "stream[0].rate_hz", "number"),
        ("rate_hz = 50", "rate = 50", "stream[0].rate_hz", "rate_hz = 50"),
        ("rate_hz = 50", "rate_hz = 50\nratte = 1", "stream[0].ratte", "known"),
        ("rate_hz = 50", 'rate_hz = 50\nbyte_ordr = "big"', "stream[0].byte_ordr", "byte_order?"),
        ("rate_hz = 50", 'rate_hz = 50\nbyte_order = "b"', "stream[0].byte_order", "little, big"),
        ("acc_x:f32", "acc_x:f31", "stream[0].sample", "f32"),
        ("acc_x:f32", "acx:f32", "stream[0].sample", "acc_x"),
        ("acc_x:f32", "acc_y:f32", "stream[0].sample", "once"),
        ('"acc_x:f32", ', "", "stream[0].sample", "all three axes"),
        ('unit = "g"', 'unit = "G"', "stream[0].acc.unit", "m/s2"),
        ("scale = 1.0, axes", "scale = 0, axes", "stream[0].acc.scale", "per count"),
        ('["x", "y", "z"]', '["x", "y", "y"]', "stream[0].acc.axes", '["-y", "x", "z"]'),
        ('["x", "y", "z"]', '["x", "y"]', "stream[0].acc.axes", "raw axis"),
        ("acc = {", "acd = {", "stream[0].acc", "add acc"),
        ("gyr = {", "time = { tick_s = 1 }\ngyr = {", "stream[0].time", "time:u32"),
        ("gyr = {", "counter = { bits = 8 }\ngyr = {", "stream[0].counter", "counter:u16"),
        ("[[stream]]", "[stream]", "stream", "list"),
        ('name = "', "name = ", "TOML", "quotes"),
        ("[[stream]]", '[[start]]\nhex = "0"\n[[stream]]', "start[0].hex", "two digits"),
    ],
)  # fmt: skip
def test_every_mistake_names_its_key_and_the_remedy(
    old: str, new: str, key: str, remedy: str
) -> None:
    """One sentence: where, what was found, what to write."""
    assert old in EXAMPLE
    with pytest.raises(BadDescription) as error:
        load(EXAMPLE.replace(old, new, 1))
    assert key in str(error.value)
    assert remedy in str(error.value)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('"time:u32"', '"time:f32"'), "time is a fraction"),
        (('"counter:u16"', '"counter:f32"'), "counter is a fraction"),
        (("tick_s = 0.000001", "tick_s = 10"), "tick_s"),
        (('of = "packet"', 'of = "both"'), "counter.of"),
        (('"skip:u16"', '"acc_x:u16"'), "move it into sample"),
        (('["skip:u16", "counter:u16", "time:u32"]', '["counter:u16"]'), "time"),
    ],
)
def test_mistakes_in_time_and_counter(change: tuple[str, str], key: str) -> None:
    """Time and counter have their own ways to go wrong."""
    with pytest.raises(BadDescription, match=key):
        load(BATCHED.replace(*change))


def test_a_wrong_length_says_what_was_expected(feed) -> None:
    """Firmware and description disagree."""
    with pytest.raises(TruncatedFrame, match=r"expects 8 \+ n \* 6"):
        feed(load(BATCHED).open(Wish()), UUID, "00" * 9)
    with pytest.raises(TruncatedFrame, match="expects 24"):
        feed(load(EXAMPLE).open(Wish()), UUID, "00" * 28)


@given(text=st.text(max_size=60), at=st.integers(min_value=0, max_value=len(BATCHED)))
def test_any_text_is_a_description_or_a_sentence(text: str, at: int) -> None:
    """Whatever is typed into the file, the answer is a decoder or BadDescription."""
    try:
        decoder = load(BATCHED[:at] + text + BATCHED[at:])
    except BadDescription:
        return
    assert Kind.ACC in {s.kind for s in decoder.open(Wish()).streams}


@given(data=st.binary(max_size=80))
def test_any_bytes_are_samples_or_a_protocol_error(data: bytes) -> None:
    """Described decoders are as hard to upset as the others."""
    for description in (BATCHED, TEXT, EXAMPLE):
        session = load(description).open(Wish())
        for frame_data in (data, b"\n"):
            from firmware_protocol.frame import Frame

            frame = Frame(sensor="t", channel=UUID, payload=frame_data, received_ns=1)
            try:
                for packet in session.feed(frame):
                    assert np.isfinite(packet.values).all()
            except ProtocolError:
                continue
