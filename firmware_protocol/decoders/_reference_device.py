# SPDX-License-Identifier: Apache-2.0
"""A simulated device of our open profile: ring buffer, replay, clock exchange, boot counter."""

import struct
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.decoders._base import BATTERY_LEVEL, BATTERY_SERVICE, DPS_PER_RAD, G
from firmware_protocol.peripheral import (
    AttError,
    BasePeripheral,
    Characteristic,
    Motion,
    Notification,
)

S = 1_000_000_000
STREAMING_ERROR, UNSUPPORTED_ERROR = 0x80, 0x81


class ReferencePeripheral(BasePeripheral):
    """The device side of the profile.

    `ring` samples are kept; `drift_ppm` makes its crystal fast; `mtu` is what the link negotiated.
    """

    name = "PostureIMU-0001"
    services = (wire.SERVICE,)

    def __init__(
        self, *, ring: int = 40_000, drift_ppm: float = 0.0, mtu: int = 247, boot: int = 7
    ) -> None:
        super().__init__()
        self.caps = wire.Capabilities(
            layouts=(0, 1, 3),
            rates_hz=(25, 50, 100, 200),
            acc_ranges_g=(2, 4, 8, 16),
            gyro_ranges_dps=(250, 500, 1000, 2000),
            ring_samples=ring,
            chip="LSM6DS3TR-C",
        )
        self.mtu = mtu
        self.drift_ppm = drift_ppm
        self.config = wire.Config(flags=0)
        self.boot = boot
        self.streaming = False
        self.sampling = False
        self.next_index = 0
        self.dropped = 0  # samples the device itself lost; tests set it
        self._ring: deque[tuple[int, bytes, int]] = deque(maxlen=ring)
        self._batch: list[tuple[int, bytes, int]] = []
        self._gap = False
        self._epoch_ns: int | None = None

    # -- the GATT table -------------------------------------------------------------------------

    def characteristics(self) -> Sequence[Characteristic]:
        """Section 3 of PROTOCOL.md."""

        def c(uuid: str, *flags: str) -> Characteristic:
            return Characteristic(service=wire.SERVICE, uuid=uuid, flags=flags)

        return (
            c(wire.CAPABILITIES, "read"),
            c(wire.CONFIG, "read", "write"),
            c(wire.SCALE, "read"),
            c(wire.LIVE, "notify"),
            c(wire.REPLAY, "notify"),
            c(wire.CONTROL, "write", "indicate"),
            c(wire.STATUS, "read", "notify"),
            Characteristic(service=BATTERY_SERVICE, uuid=BATTERY_LEVEL, flags=("read", "notify")),
        )

    def on_read(self, uuid: str, now_ns: int | None = None) -> bytes:
        """Capabilities, configuration, scale, status, battery."""
        self.seen(now_ns)
        if uuid == wire.CAPABILITIES:
            return self.caps.encode()
        if uuid == wire.CONFIG:
            return self.config.encode()
        if uuid == wire.SCALE:
            return self.scale.encode()
        if uuid == wire.STATUS:
            return self._status().encode()
        return super().on_read(uuid, now_ns)

    @property
    def scale(self) -> wire.Scale:
        """Full scale over 32768 of the configured ranges."""
        return wire.Scale.typical(self.config)

    def _status(self) -> wire.Status:
        oldest = self._ring[0][0] if self._ring else self.next_index
        bits = (1 if self.streaming else 0) | (2 if self.sampling else 0)
        return wire.Status(
            bits=bits,
            boot=self.boot,
            next_index=self.next_index,
            oldest_index=oldest,
            tick=self._tick(self.now_ns),
        )

    def _tick(self, t_ns: int) -> int:
        if self._epoch_ns is None:
            self._epoch_ns = t_ns
        passed = t_ns - self._epoch_ns
        passed += round(passed * self.drift_ppm * 1e-6)
        return max(0, passed * self.caps.tick_hz // S)

    # -- writes ---------------------------------------------------------------------------------

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None) -> list[Notification]:
        """Configuration and control point."""
        self.seen(now_ns)
        if uuid == wire.CONFIG:
            self._configure(data)
            return []
        if uuid != wire.CONTROL or not data:
            raise AttError(0x03, f"{uuid} cannot be written")
        replayed: list[Notification] = []
        answer = self._operate(data[0], data[1:], replayed)
        return [*replayed, (wire.CONTROL, answer.encode())]

    def _configure(self, data: bytes) -> None:
        if self.streaming or self.sampling:
            raise AttError(STREAMING_ERROR, "streaming: STOP first")
        wanted = wire.Config.decode(data)
        caps = self.caps
        if (
            wanted.layout not in caps.layouts
            or wanted.rate_hz not in caps.rates_hz
            or wanted.acc_range_g not in caps.acc_ranges_g
            or wanted.gyro_range_dps not in caps.gyro_ranges_dps
        ):
            raise AttError(UNSUPPORTED_ERROR, "unsupported configuration")
        self.config = wanted
        self._ring.clear()
        self._batch.clear()

    def _operate(self, op: int, params: bytes, replayed: list[Notification]) -> wire.Answer:
        if op == wire.REPLAY_OP:
            return self._replay(params, replayed)
        status, told = wire.OK, b""
        if op == wire.START and wire.LIVE not in self.subscribed:
            status = wire.WRONG_STATE
        elif op in (wire.START, wire.STOP):
            self.streaming = self.sampling = op == wire.START
            self._batch.clear()
        elif op == wire.RANGE:
            oldest = self._ring[0][0] if self._ring else self.next_index
            told = struct.pack("<II", oldest, self.next_index)
        elif op == wire.SYNC and len(params) == 9:
            told = struct.pack("<BQH", params[0], self._tick(self.now_ns), 0)
        elif op == wire.SYNC:
            status = wire.BAD_PARAMETER
        elif op == wire.ERASE:
            self._ring.clear()
        elif op not in (wire.ABORT, wire.IDENTIFY, wire.SLEEP):
            status = wire.UNKNOWN_OP
        return wire.Answer(op=op, status=status, params=told)

    def _replay(self, params: bytes, replayed: list[Notification]) -> wire.Answer:
        if len(params) != 8:
            return wire.Answer(op=wire.REPLAY_OP, status=wire.BAD_PARAMETER)
        first, last = struct.unpack("<II", params)
        kept = [s for s in self._ring if first <= s[0] <= last]
        n = self.config.samples_per_frame(self.mtu)
        at = 0
        while at < len(kept):
            end = at + 1
            while end < len(kept) and end - at < n and kept[end][0] == kept[end - 1][0] + 1:
                end += 1
            frame = self._frame(kept[at:end], replay=True, gap=False)
            replayed.append((wire.REPLAY, frame))
            at = end
        whole = len(kept) == last - first + 1
        sent_last = kept[-1][0] if kept else 0
        return wire.Answer(
            op=wire.REPLAY_OP,
            status=wire.OK if whole else wire.PARTLY,
            params=struct.pack("<II", sent_last, len(kept)),
        )

    # -- link and samples -----------------------------------------------------------------------

    def on_subscribe(self, uuid: str, on: bool) -> list[Notification]:
        """Clearing the live CCCD ends streaming."""
        if uuid == wire.LIVE and not on:
            self._unlink()
        return super().on_subscribe(uuid, on)

    def on_disconnect(self) -> None:
        """Go on into the ring when configured so."""
        self._unlink()
        super().on_disconnect()

    def _unlink(self) -> None:
        self.streaming = False
        self.sampling = self.sampling and bool(self.config.flags & wire.KEEP_SAMPLING)
        self._batch.clear()

    def reboot(self) -> None:
        """Power cycle: index, clock and ring start anew, the boot counter goes up."""
        self.on_disconnect()
        self.sampling = False
        self.boot = (self.boot + 1) % 65536
        self.next_index = 0
        self._ring.clear()
        self._epoch_ns = None
        self.config = wire.Config(flags=0)

    def notify(self, samples: Motion) -> list[Notification]:
        """Sample into the ring; send frames that are full."""
        out: list[Notification] = []
        n = self.config.samples_per_frame(self.mtu)
        if not self.sampling:
            self.seen(int(samples.t_ns[-1]) if len(samples.t_ns) else None)
            return out
        raw = self._counts(samples)
        for t, row in zip(samples.t_ns.tolist(), raw, strict=True):
            self.seen(t)
            if self.dropped:
                self.dropped -= 1
                self.next_index += 1
                self._gap = True
                continue
            sample = (self.next_index, row.tobytes(), self._tick(t))
            self.next_index += 1
            self._ring.append(sample)
            if not self.streaming:
                continue
            self._batch.append(sample)
            if len(self._batch) >= n:
                out.append((wire.LIVE, self._frame(self._batch, replay=False, gap=self._gap)))
                self._batch.clear()
                self._gap = False
        return out

    def _counts(self, samples: Motion) -> NDArray[np.int16]:
        scale = self.scale
        acc = samples.acc_g * (G / scale.acc)
        if self.config.layout == 1:
            gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(acc)
            acc = np.hstack([acc, gyr / (DPS_PER_RAD * scale.gyro)])
        elif self.config.layout == 3:
            acc = np.tile([16384.0, 0.0, 0.0, 0.0], (len(acc), 1))
        return np.asarray(np.clip(np.rint(acc), -32767, 32767), "<i2")

    def _frame(self, batch: Sequence[tuple[int, bytes, int]], *, replay: bool, gap: bool) -> bytes:
        width = wire.CHANNELS[self.config.layout]
        raw = np.frombuffer(b"".join(s[1] for s in batch), "<i2").reshape(-1, width)
        return wire.StreamFrame(
            layout=self.config.layout,
            index16=batch[0][0],
            tick=batch[-1][2],
            raw=raw.astype(np.int16),
            replay=replay,
            gap=gap,
        ).encode()
