# SPDX-License-Identifier: Apache-2.0
"""A simulated sensor that follows its own description."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.decoders import _described_load as load_
from firmware_protocol.decoders._base import (
    BATTERY_LEVEL,
    BATTERY_SERVICE,
)
from firmware_protocol.frame import Kind
from firmware_protocol.peripheral import (
    BasePeripheral,
    Characteristic,
    Motion,
    Notification,
)


class DescribedPeripheral(BasePeripheral):
    """A simulated sensor that follows its own description."""

    def __init__(self, description: load_.Description) -> None:
        super().__init__()
        self.name = description.device_names[0] if description.device_names else description.title
        self.services = description.services
        self._description = description
        self._count = 0
        self._epoch_ns: int | None = None

    def characteristics(self) -> Sequence[Characteristic]:
        """The described ones and a battery."""
        service = self.services[0]
        writes = {w.uuid for w in (*self._description.start, *self._description.stop)}
        return (
            *(
                Characteristic(service=service, uuid=c.uuid, flags=("notify",))
                for c in self._description.characteristics
            ),
            *(
                Characteristic(service=service, uuid=u, flags=("write", "write-without-response"))
                for u in sorted(writes)
            ),
            Characteristic(service=BATTERY_SERVICE, uuid=BATTERY_LEVEL, flags=("read", "notify")),
        )

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None) -> list[Notification]:
        """Take the described writes."""
        if uuid not in {w.uuid for w in (*self._description.start, *self._description.stop)}:
            return super().on_write(uuid, data, now_ns)
        return []

    def notify(self, samples: Motion) -> list[Notification]:
        """One notification per sample and characteristic."""
        gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(samples.acc_g)
        out: list[Notification] = []
        for t, a, g in zip(samples.t_ns.tolist(), samples.acc_g, gyr, strict=True):
            self._epoch_ns = t if self._epoch_ns is None else self._epoch_ns
            out += [
                (c.uuid, self._encode(c, t, a, g))
                for c in self._description.characteristics
                if c.uuid in self.subscribed
            ]
            self._count += 1
        return out

    def _encode(
        self,
        c: load_.Characteristic,
        t_ns: int,
        acc: NDArray[np.float32],
        gyr: NDArray[np.float32],
    ) -> bytes:
        values: dict[str, float] = {"counter": self._count % (1 << (c.counter_bits or 1))}
        if c.time:
            ticks = round((t_ns - (self._epoch_ns or t_ns)) / 1e9 / c.time.tick_s)
            values["time"] = ticks % (1 << c.time.bits)
        for vector in c.vectors:
            source = acc if vector.kind == Kind.ACC else gyr
            for k, (axis, sign) in enumerate(vector.axes):
                name = f"{load_.PREFIX[vector.kind]}_{'xyz'[axis]}"
                values[name] = float(source[k]) * sign / vector.scale
        if c.text:
            return (
                c.separator.join(f"{values.get(f.name, 0):.9g}" for f in c.sample) + "\n"
            ).encode()
        fields = (*c.header, *c.sample)
        parts = [
            values.get(f.name, 0) if f.letter in "fd" else round(values.get(f.name, 0))
            for f in fields
        ]
        return struct.pack(c.order + "".join(f.letter for f in fields), *parts)
