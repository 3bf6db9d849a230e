# SPDX-License-Identifier: Apache-2.0
"""Frames of samples of our open profile, live and replayed (PROTOCOL.md section 5)."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.decoders._reference_words import CHANNELS, EVENT, VERSION
from firmware_protocol.errors import BadField, TruncatedFrame, UnknownFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamFrame:
    """A frame of 0005 or 0006; `raw` is (n, channels) int16."""

    layout: int
    index16: int
    tick: int
    raw: NDArray[np.int16]
    replay: bool = False
    gap: bool = False

    @classmethod
    def decode(cls, data: bytes) -> "StreamFrame":
        """Reject any length that is not header + n samples."""
        if len(data) < 8:
            raise TruncatedFrame(f"stream frame of {len(data)} bytes; the header alone has 8")
        head, bits, index, tick = struct.unpack_from("<BBHI", data)
        major, layout, n = head >> 4, head & 0x0F, bits & 0x3F
        if major != VERSION:
            raise UnknownFrame(f"stream frame of version {major}; update Backstay")
        if layout == EVENT:
            raw = np.empty((0, 1), np.int16)
        else:
            if layout not in CHANNELS:
                raise UnknownFrame(f"stream frame of layout {layout}, which is not defined")
            if n == 0:
                raise BadField("stream frame without samples; the firmware is faulty")
            width = CHANNELS[layout]
            if len(data) != 8 + 2 * width * n:
                raise TruncatedFrame(
                    f"stream frame of {len(data)} bytes for {n} samples of {2 * width}; "
                    f"expected {8 + 2 * width * n}, check the MTU"
                )
            raw = np.frombuffer(data, "<i2", offset=8).astype(np.int16).reshape(n, width)
        return cls(
            layout=layout,
            index16=index,
            tick=tick,
            raw=raw,
            replay=bool(bits & 0x40),
            gap=bool(bits & 0x80),
        )

    def encode(self) -> bytes:
        """For the device."""
        bits = self.raw.shape[0] | (0x40 if self.replay else 0) | (0x80 if self.gap else 0)
        head = struct.pack(
            "<BBHI",
            VERSION << 4 | self.layout,
            bits,
            self.index16 & 0xFFFF,
            self.tick & 0xFFFFFFFF,
        )
        return head + self.raw.astype("<i2").tobytes()
