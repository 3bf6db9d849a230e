# SPDX-License-Identifier: Apache-2.0
"""Answers on the control point of our open profile (PROTOCOL.md section 4)."""

import struct
from dataclasses import dataclass

from firmware_protocol.decoders._reference_words import OK, PARTLY, RANGE, REPLAY_OP, SYNC
from firmware_protocol.errors import TruncatedFrame, UnknownFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An indication of the control point."""

    op: int
    status: int
    params: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> "Answer":
        """Check the length that belongs to the operation."""
        if len(data) < 2:
            raise TruncatedFrame(f"control point answer of {len(data)} bytes; expected 2 or more")
        if not data[0] & 0x80:
            raise UnknownFrame(f"control point sent {data[0]:#04x}, which is no answer; ignore it")
        answer = cls(op=data[0] & 0x7F, status=data[1], params=data[2:])
        wanted = {RANGE: 8, REPLAY_OP: 8, SYNC: 11}.get(answer.op, 0)
        if answer.status in (OK, PARTLY) and len(answer.params) != wanted:
            raise TruncatedFrame(
                f"answer to operation {answer.op}: {len(answer.params)} bytes of parameters, "
                f"expected {wanted}"
            )
        return answer

    def encode(self) -> bytes:
        """For the device."""
        return bytes([self.op | 0x80, self.status]) + self.params

    def pair(self) -> tuple[int, int]:
        """The two u32 of RANGE? (oldest, next) or REPLAY (last, count)."""
        first, second = struct.unpack("<II", self.params)
        return int(first), int(second)

    def sync(self) -> tuple[int, int, int]:
        """Id, tick at reception, ticks until the answer left."""
        sync_id, tick, gap = struct.unpack("<BQH", self.params)
        return int(sync_id), int(tick), int(gap)
