# SPDX-License-Identifier: Apache-2.0
"""The plain sensor: some writes, some subscriptions, one table from characteristic to decoding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from firmware_protocol.decoders._base import (
    BATTERY_LEVEL,
    BATTERY_SERVICE,
    BaseSession,
    battery,
    match_services,
    unknown_channel,
)
from firmware_protocol.frame import Frame, Packet, Stream
from firmware_protocol.peripheral import (
    BasePeripheral,
    Characteristic,
    Motion,
    Notification,
    Peripheral,
)
from firmware_protocol.registry import Advert, Match, Resume, Session, Step, Wish

Handler = Callable[[Frame], Sequence[Packet]]
Row = Callable[[Sequence[float], Sequence[float]], list[Notification]]


class TableSession(BaseSession):
    """Frames go to the handler of their characteristic."""

    title = ""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._streams: tuple[Stream, ...] = ()

    @property
    def streams(self) -> Sequence[Stream]:
        """As configured."""
        return self._streams

    def start(self) -> Sequence[Step]:
        """Nothing to write."""
        return ()

    def feed(self, frame: Frame) -> Sequence[Packet]:
        """Decode by characteristic; the battery level is known everywhere."""
        handler = self._handlers.get(frame.channel)
        if handler is not None:
            return handler(frame)
        if frame.channel == BATTERY_LEVEL:
            return (battery(frame),)
        raise unknown_channel(frame, self.title)


def ignore(_frame: Frame) -> Sequence[Packet]:
    """A frame that is expected and holds nothing for us."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GattDecoder:
    """A decoder made of its parts; `advertised` are services seen before connecting."""

    name: str
    title: str
    services: tuple[str, ...]
    session: Callable[[Wish, Advert | None], Session]
    device: Callable[[], Peripheral]
    names: tuple[str, ...] = ()
    company: int | None = None
    advertised: tuple[str, ...] = ()
    connects: bool = True

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """Services decide; name or company are hints."""
        wanted = self.services if services else (*self.services, *self.advertised)
        return match_services(
            wanted, advert, services, title=self.title, names=self.names, company=self.company
        )

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> Session:
        """Begin a connection; nothing is buffered by the device."""
        return self.session(wish, advert)

    def peripheral(self) -> Peripheral:
        """A simulated device."""
        return self.device()


class RowPeripheral(BasePeripheral):
    """A simulated device that sends notifications sample by sample while subscribed."""

    def __init__(
        self,
        *,
        name: str,
        service: str,
        notifies: Sequence[str],
        row: Row | None = None,
        writes: Sequence[str] = (),
        reads: dict[str, bytes] | None = None,
        advertises: bool = False,
        has_battery: bool = False,
    ) -> None:
        super().__init__()
        self.name = name
        self.services = (service,) if advertises else ()
        self.writes: list[Notification] = []
        self._service = service
        self._row = row
        self._reads = reads or {}
        table = [Characteristic(service=service, uuid=u, flags=("notify",)) for u in notifies]
        for uuid in dict.fromkeys([*writes, *self._reads]):
            flags = (("read",) if uuid in self._reads else ()) + (
                ("write", "write-without-response") if uuid in writes else ()
            )
            table.append(
                Characteristic(
                    service=service, uuid=uuid, flags=flags, value=self._reads.get(uuid, b"")
                )
            )
        if has_battery:
            table.append(
                Characteristic(
                    service=BATTERY_SERVICE, uuid=BATTERY_LEVEL, flags=("read", "notify")
                )
            )
        self._table = tuple(table)
        self._writable = frozenset(writes)

    def characteristics(self) -> Sequence[Characteristic]:
        """As given."""
        return self._table

    def on_read(self, uuid: str, now_ns: int | None = None) -> bytes:
        """A stored value."""
        if uuid in self._reads:
            return self._reads[uuid]
        return super().on_read(uuid, now_ns)

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None) -> list[Notification]:
        """Keep what was written; what is readable reads back as written."""
        if uuid not in self._writable:
            return super().on_write(uuid, data, now_ns)
        self.writes.append((uuid, data))
        if uuid in self._reads:
            self._reads[uuid] = data
        return self.answer(uuid, data)

    def answer(self, uuid: str, data: bytes) -> list[Notification]:
        """What a write is answered with; nothing by default."""
        return []

    def notify(self, samples: Motion) -> list[Notification]:
        """One row per sample, of the characteristics that are subscribed."""
        gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(samples.acc_g)
        out: list[Notification] = []
        for t, a, g in zip(samples.t_ns.tolist(), samples.acc_g, gyr, strict=True):
            self.seen(t)
            row = self._row(a.tolist(), g.tolist()) if self._row else []
            out += [n for n in row if n[0] in self.subscribed]
        return out


def counts(values: Sequence[float], per_unit: float, low: int = -32768, high: int = 32767) -> bytes:
    """int16 little-endian of values in counts per unit."""
    scaled = np.rint(np.asarray(values, float) * per_unit)
    return np.clip(scaled, low, high).astype("<i2").tobytes()


def floats(values: Sequence[float]) -> bytes:
    """float32 little-endian."""
    return np.asarray(values, "<f4").tobytes()
