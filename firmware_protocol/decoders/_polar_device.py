# SPDX-License-Identifier: Apache-2.0
"""A simulated Polar sensor: settings, start, stop, batches of data frames."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.decoders import _polar_wire as wire
from firmware_protocol.decoders._base import BATTERY_LEVEL, BATTERY_SERVICE
from firmware_protocol.peripheral import BasePeripheral, Characteristic, Motion, Notification
from firmware_protocol.registry import Advert

S = 1_000_000_000
SUCCESS, INVALID_TYPE, INVALID_RATE, BAD_OP = 0, 2, 8, 1


@dataclass(slots=True, kw_only=True)
class _Running:
    """One measurement: applied settings and the samples waiting for a full frame."""

    settings: dict[int, tuple[float, ...]]
    raw: list[NDArray[np.int64]] = field(default_factory=list)
    ts_ns: list[int] = field(default_factory=list)


class PolarPeripheral(BasePeripheral):
    """`model` is "H10" (acceleration only, plain frames of 36) or "Verity Sense" (delta, 71).

    `drift_ppm` makes the device's clock fast; `per_frame` overrides the batch size.
    """

    def __init__(
        self, *, model: str = "Verity Sense", drift_ppm: float = 0.0, per_frame: int | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.h10 = model == "H10"
        self.name = f"Polar {model.replace('Verity Sense', 'Sense')} 0000ABCD"
        self.drift_ppm = drift_ppm
        self.per_frame = per_frame or (36 if self.h10 else 71)
        self.offered = {
            wire.ACC: _H10_ACC if self.h10 else _VERITY_ACC,
        }
        if not self.h10:
            self.offered[wire.GYRO] = _VERITY_GYRO
        self.running: dict[int, _Running] = {}
        self._epoch_ns: int | None = None

    def advert(self) -> Advert:
        """Heart rate service and the maker's number; the measurement service is not advertised."""
        return Advert(
            address="00:00:5E:00:53:02",
            name=self.name,
            services=("0000180d-0000-1000-8000-00805f9b34fb",),
            manufacturer={0x006B: bytes.fromhex("7200")},
        )

    def characteristics(self) -> Sequence[Characteristic]:
        """The measurement data service and the battery."""
        return (
            Characteristic(
                service=wire.SERVICE, uuid=wire.CONTROL, flags=("read", "write", "indicate")
            ),
            Characteristic(service=wire.SERVICE, uuid=wire.DATA, flags=("notify",)),
            Characteristic(service=BATTERY_SERVICE, uuid=BATTERY_LEVEL, flags=("read", "notify")),
        )

    def on_read(self, uuid: str, now_ns: int | None = None) -> bytes:
        """The feature bits, the battery."""
        if uuid == wire.CONTROL:
            bits = sum(1 << k for k in self.offered)
            return bytes([0x0F, bits]) + bytes(15)
        return super().on_read(uuid, now_ns)

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None) -> list[Notification]:
        """Settings, start, stop. Without a subscription no answer comes [#281]."""
        self.seen(now_ns)
        if uuid != wire.CONTROL:
            return super().on_write(uuid, data, now_ns)
        if uuid not in self.subscribed or len(data) < 2:
            return []
        op, kind = data[0], data[1] & 0x3F
        status, params = self._operate(op, kind, data[2:])
        return [(wire.CONTROL, bytes([0xF0, op, kind, status, 0]) + params)]

    def _operate(  # noqa: PLR0911 - one return per refusal
        self, op: int, kind: int, body: bytes
    ) -> tuple[int, bytes]:
        if op not in (wire.GET_SETTINGS, wire.START, wire.STOP):
            return BAD_OP, b""
        if kind not in self.offered:
            return INVALID_TYPE, b""
        if op == wire.GET_SETTINGS:
            return SUCCESS, wire.encode_settings(self.offered[kind])
        if op == wire.STOP:
            self.running.pop(kind, None)
            return SUCCESS, b""
        if kind in self.running:
            return wire.ALREADY, b""
        asked = wire.settings(body)
        if any(v[0] not in self.offered[kind].get(k, ()) for k, v in asked.items()):
            return INVALID_RATE, b""
        self.running[kind] = _Running(settings=asked)
        if self.h10:
            return SUCCESS, b"\x01"
        factor = _ACC_FACTOR if kind == wire.ACC else _GYRO_FACTOR
        self.running[kind].settings[wire.FACTOR] = (factor,)
        return SUCCESS, wire.encode_settings({wire.FACTOR: (factor,)})

    def on_disconnect(self) -> None:
        """A Verity stops; an H10 goes on measuring for nobody, as the real one does."""
        super().on_disconnect()
        if not self.h10:
            self.running.clear()

    def notify(self, samples: Motion) -> list[Notification]:
        """Fill frames; acceleration before rotation at the same time."""
        out: list[tuple[int, Notification]] = []
        for kind, run in self.running.items():
            values = samples.acc_g if kind == wire.ACC else samples.gyr_dps
            if values is None:
                values = np.zeros_like(samples.acc_g)
            factor = 1e-3 if self.h10 else run.settings[wire.FACTOR][0]
            counts = np.clip(np.rint(values / factor), -32768, 32767).astype(np.int64)
            for t, row in zip(samples.t_ns.tolist(), counts, strict=True):
                self.seen(t)
                run.raw.append(row)
                run.ts_ns.append(self._clock(t))
                if len(run.raw) == self.per_frame:
                    out.append((t, (wire.DATA, self._frame(kind, run))))
        if wire.DATA not in self.subscribed:
            return []
        return [n for _, n in sorted(out, key=lambda pair: pair[0])]

    def _clock(self, t_ns: int) -> int:
        """Ns since 2000; the H10's clock begins at 2019-01-01 when it is switched on."""
        if self._epoch_ns is None:
            self._epoch_ns = t_ns
        passed = t_ns - self._epoch_ns
        passed += round(passed * self.drift_ppm * 1e-6)
        return 599_616_000 * S + passed

    def _frame(self, kind: int, run: _Running) -> bytes:
        raw, ts_ns = np.array(run.raw), run.ts_ns[-1]
        run.raw.clear()
        run.ts_ns.clear()
        frame = 0x01 if self.h10 else 0x80
        return wire.encode(wire.Data(kind=kind, frame=frame, ts_ns=ts_ns, raw=raw))


_ACC_FACTOR = float(np.float32(2.44e-4))
_GYRO_FACTOR = float(np.float32(0.07))
_H10_ACC: dict[int, tuple[float, ...]] = {
    wire.RATE: (25, 50, 100, 200),
    wire.RESOLUTION: (16,),
    wire.RANGE: (2, 4, 8),
}
_VERITY_ACC: dict[int, tuple[float, ...]] = {
    wire.RATE: (52,),
    wire.RESOLUTION: (16,),
    wire.RANGE: (8,),
    wire.CHANNELS: (3,),
}
_VERITY_GYRO: dict[int, tuple[float, ...]] = {
    wire.RATE: (52,),
    wire.RESOLUTION: (16,),
    wire.RANGE: (2000,),
    wire.CHANNELS: (3,),
}
