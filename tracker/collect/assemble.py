# SPDX-License-Identifier: Apache-2.0
"""Packets of one sensor to samples: acceleration and rotation on one time line, gaps kept.

Time comes from :mod:`firmware_protocol.sequence` (one state per kind of stream, kept across
reconnects), rotation is joined by :mod:`firmware_protocol.pair`. Where a sensor with a gyroscope
sent no rotation for a sample it counts as 0, as it does in the chain for sensors without one.
Acceleration is never interpolated. A sensor that promised rotation and sent none for three seconds
(a phone whose gyroscope is not chosen) is not waited for any more until some comes.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from firmware_protocol import pair, sequence
from firmware_protocol.frame import Kind, Packet, Stream
from firmware_protocol.pair import Paired, PairState
from firmware_protocol.sequence import Block, SequenceState
from tracker.model import SECOND_NS, Samples

SLICE_NS = 2 * SECOND_NS
NO_ROTATION_NS = 3 * SECOND_NS  # as long as a pair waits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """Samples without a hole that the sensor's own count knows of, and what came before them.

    lost    samples missing before it, by the sensor's own count
    reset   "" or why time began anew ("boot", "device_clock", "host_clock")
    """

    samples: Samples
    lost: int = 0
    reset: str = ""


@dataclass(slots=True)
class Assembler:
    """Keeps the sequence states of one sensor. `add` packets, `take` samples."""

    states: dict[Kind, SequenceState] = field(default_factory=dict)
    battery_pct: int | None = None
    has_gyro: bool = False
    _live: dict[Kind, list[Block]] = field(default_factory=dict)
    _replayed: list[Block] = field(default_factory=list)
    _marks: list[Piece] = field(default_factory=list)  # first samples after a loss or reset
    _pair: PairState = field(default_factory=PairState)
    _first_acc_ns: int | None = None  # while no rotation was ever seen
    _rotation: bool | None = None  # whether any came; None: too early to say

    def expect(self, streams: Iterable[Stream]) -> None:
        """Learn from a session what will come, so that the first samples wait for rotation too."""
        told = any(s.kind is Kind.GYRO for s in streams) and self._rotation is not False
        self.has_gyro = self.has_gyro or told

    def add(self, packets: Iterable[Packet]) -> None:
        """Take decoded packets in order of arrival."""
        for packet in packets:
            kind = packet.stream.kind
            if kind is Kind.BATTERY and packet.n:
                self.battery_pct = round(float(packet.values[-1, 0]))
            if kind not in (Kind.ACC, Kind.GYRO):
                continue
            state = self.states.get(kind, SequenceState())
            block, self.states[kind] = sequence.advance(state, packet)
            if not len(block):
                continue
            self._look_for_rotation(kind, block)
            if block.replayed:
                self._replayed.append(block)
                continue
            self._live.setdefault(kind, []).append(block)
            if kind is Kind.ACC and (block.lost or block.reset or block.gap_before):
                first = Samples(t_ns=block.t_ns[:1], acc_g=block.values[:1, :3])
                self._marks.append(Piece(samples=first, lost=block.lost, reset=block.reset))

    def _look_for_rotation(self, kind: Kind, block: Block) -> None:
        if kind is Kind.GYRO:
            self.has_gyro = self._rotation = True
        elif self._rotation is None:
            first = self._first_acc_ns = self._first_acc_ns or int(block.t_ns[0])
            if self.has_gyro and int(block.t_ns[-1]) - first > NO_ROTATION_NS:
                self.has_gyro = self._rotation = False

    @property
    def waiting(self) -> Samples | None:
        """Live samples that wait for their rotation, with what is known of it."""
        out, _ = pair.flush(self._pair)
        live = [_samples(p) for p in out if not p.replayed]
        return live[0] if live else None

    def take(self, *, all_there_is: bool = False) -> tuple[list[Piece], list[Samples]]:
        """Live pieces in time order, and late samples (replayed ones) in order of arrival."""
        live, self._live = self._live, {}
        replayed, self._replayed = self._replayed, []
        if not self.has_gyro:
            blocks = live.get(Kind.ACC, [])
            rest, self._pair = pair.flush(self._pair)  # waited for rotation that does not come
            done = [_samples(p) for p in rest if not p.replayed]
            done += [_plain(_joined(blocks))] if blocks else []
            late = [_samples(p) for p in rest if p.replayed]
            late += [_plain(b) for b in replayed if b.stream.kind is Kind.ACC]
            return self._pieces(done), late
        paired: list[Paired] = []
        for block in _interleaved(live):
            out, self._pair = pair.advance(self._pair, block)
            paired += out
        for block in replayed:
            out, self._pair = pair.advance(self._pair, block)
            paired += out
        if all_there_is or not replayed:
            out, self._pair = self._flushed(live=all_there_is)
            paired += out
        return (
            self._pieces([_samples(p) for p in paired if not p.replayed]),
            [_samples(p) for p in paired if p.replayed],
        )

    @property
    def drift_ppm(self) -> float:
        """Drift of the sensor's clock against this computer's."""
        state = self.states.get(Kind.ACC)
        return 0.0 if state is None else state.drift_ppm

    @property
    def counters(self) -> sequence.Counters:
        """Totals of the acceleration stream."""
        state = self.states.get(Kind.ACC)
        return sequence.Counters() if state is None else state.counters

    def _flushed(self, *, live: bool) -> tuple[tuple[Paired, ...], PairState]:
        """Release what waits: everything, or (when no replay comes any more) replayed samples."""
        out, _ = pair.flush(self._pair)
        if live:
            return out, PairState()
        return tuple(p for p in out if p.replayed), PairState(live=self._pair.live)

    def _pieces(self, done: list[Samples]) -> list[Piece]:
        """Cut the samples where a loss or a reset was marked."""
        pieces: list[Piece] = []
        for samples in done:
            cuts = [0]
            marks = [Piece(samples=samples)]
            while self._marks and self._marks[0].samples.t_ns[0] <= samples.t_ns[-1]:
                mark = self._marks.pop(0)
                at = int(np.searchsorted(samples.t_ns, mark.samples.t_ns[0]))
                if at == cuts[-1]:
                    marks[-1] = mark
                else:
                    cuts.append(at)
                    marks.append(mark)
            for i, mark in enumerate(marks):
                end = cuts[i + 1] if i + 1 < len(cuts) else len(samples)
                part = samples[cuts[i] : end]
                pieces.append(Piece(samples=part, lost=mark.lost, reset=mark.reset))
        return pieces


def _interleaved(live: dict[Kind, list[Block]]) -> Iterator[Block]:
    """Two seconds of rotation, two of acceleration, ...: neither lane may run far ahead."""
    waiting = {kind: deque(blocks) for kind, blocks in live.items()}
    while any(waiting.values()):
        edge = min(int(b[0].t_ns[-1]) for b in waiting.values() if b) + SLICE_NS
        for kind in (Kind.GYRO, Kind.ACC):
            blocks = waiting.get(kind, deque())
            some: list[Block] = []
            while blocks and blocks[0].t_ns[-1] <= edge:
                some.append(blocks.popleft())
            if some:
                yield _joined(some)


def _joined(blocks: list[Block]) -> Block:
    """Consecutive live blocks of one stream as one."""
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        stream=blocks[-1].stream,
        t_ns=np.concatenate([b.t_ns for b in blocks]),
        values=np.concatenate([b.values[:, :3] for b in blocks]),
    )


def _plain(block: Block) -> Samples:
    return Samples(t_ns=block.t_ns, acc_g=block.values[:, :3])


def _samples(paired: Paired) -> Samples:
    return Samples(
        t_ns=paired.t_ns, acc_g=paired.acc_g, gyr_dps=np.nan_to_num(paired.gyr_dps, nan=0.0)
    )
