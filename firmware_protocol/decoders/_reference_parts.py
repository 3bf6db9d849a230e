# SPDX-License-Identifier: Apache-2.0
"""Which streams a configured frame of our open profile holds, and what one count is worth."""

from typing import NamedTuple

from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.decoders._base import DPS_PER_RAD, G
from firmware_protocol.frame import Kind, Stream


class Part(NamedTuple):
    """A stream inside a frame: its columns and what one count is worth."""

    stream: Stream
    columns: slice


def parts(config: wire.Config, scale: wire.Scale, tick_hz: float) -> tuple[Part, ...]:
    def stream(kind: Kind, count: float, full: float | None) -> Stream:
        return Stream(
            kind=kind,
            fs_hz=float(config.rate_hz),
            scale=count,
            full_scale=full,
            tick_hz=tick_hz,
            tick_bits=32,
            index_bits=32,
        )

    acc = stream(Kind.ACC, scale.acc / G, float(config.acc_range_g))
    gyro = stream(Kind.GYRO, scale.gyro * DPS_PER_RAD, float(config.gyro_range_dps))
    mag = stream(Kind.MAG, scale.mag, None)
    quat = stream(Kind.QUAT, scale.quat, None)
    a, g, m = slice(0, 3), slice(3, 6), slice(6, 9)
    return {
        0: (Part(acc, a),),
        1: (Part(acc, a), Part(gyro, g)),
        2: (Part(acc, a), Part(gyro, g), Part(mag, m)),
        3: (Part(quat, slice(0, 4)),),
        4: (Part(acc, a), Part(quat, slice(3, 7))),
    }[config.layout]
