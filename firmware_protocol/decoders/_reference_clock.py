# SPDX-License-Identifier: Apache-2.0
"""The clock exchange of our profile: SYNC requests, and the pair each answer measures."""

import struct
from dataclasses import dataclass

from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.registry import Step

ROUNDS = 4
EVERY_NS = 600 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """At `utc_ns` the device's clock stood at `tick`, uncertain by half of `delay_ns`."""

    tick: int
    utc_ns: int
    delay_ns: int


class ClockExchange:
    """A round of exchanges at START and every ten minutes; the fastest of a round counts."""

    def __init__(self) -> None:
        self._wrote_ns: dict[int, int] = {}
        self._fastest_ns: int | None = None
        self._id = 0
        self._done_ns: int | None = None
        self.due = False

    def steps(self) -> list[Step]:
        """A round of requests, each followed by a wait for its answer that may fail."""
        self.due = False
        self._fastest_ns = None
        self._wrote_ns.clear()
        steps = []
        for _ in range(ROUNDS):
            self._id = (self._id + 1) % 256
            data = struct.pack("<BBQ", wire.SYNC, self._id, 0)
            answer = bytes([wire.SYNC | 0x80, wire.OK, self._id])
            steps += [
                Step(action="write", channel=wire.CONTROL, data=data, stamp_at=2, why="clock"),
                Step(
                    action="wait",
                    channel=wire.CONTROL,
                    expect=answer,
                    timeout_s=2.0,
                    optional=True,
                    why="clock",
                ),
            ]
        return steps

    def wrote(self, step: Step, at_ns: int) -> None:
        """Keep when a request left."""
        if step.stamp_at is not None and step.data[:1] == bytes([wire.SYNC]):
            self._wrote_ns[step.data[1]] = at_ns

    def tick_by(self, received_ns: int) -> None:
        """Let time pass: after ten minutes the next round is due."""
        if self._done_ns is None:
            self._done_ns = received_ns
        elif received_ns - self._done_ns > EVERY_NS:
            self.due, self._done_ns = True, received_ns

    def answered(self, answer: wire.Answer, arrived_ns: int, tick_hz: float) -> Pair | None:
        """The pair measured, if it is the best of its round so far (PROTOCOL.md 6)."""
        sync_id, tick, gap = answer.sync()
        left_ns = self._wrote_ns.pop(sync_id, None)
        if left_ns is None:
            return None
        self._done_ns = arrived_ns
        delay_ns = arrived_ns - left_ns - round(gap * 1e9 / tick_hz)
        if self._fastest_ns is not None and delay_ns >= self._fastest_ns:
            return None
        self._fastest_ns = delay_ns
        middle_ns = (arrived_ns + left_ns) // 2
        return Pair(tick=tick + gap // 2, utc_ns=middle_ns, delay_ns=delay_ns)
