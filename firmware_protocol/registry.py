# SPDX-License-Identifier: Apache-2.0
"""Which decoder fits this sensor: the contract of a decoder and the search over all of them.

A decoder is one module in `firmware_protocol/decoders/` that defines a module-level `DECODER`
object. Nothing else has to be edited: the registry walks the folder.

A decoder never touches a radio. What must be written to the device is a list of steps; the
collector carries them out.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, runtime_checkable

from firmware_protocol.frame import Frame, Packet, Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Advert:
    """What a scan shows of a device: name, advertised services, manufacturer and service data."""

    address: str
    name: str = ""
    services: tuple[str, ...] = ()
    manufacturer: Mapping[int, bytes] = field(default_factory=dict)
    service_data: Mapping[str, bytes] = field(default_factory=dict)
    rssi_dbm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How well a decoder fits: `score` 0 (no) to 100 (certain) and a sentence that says why."""

    score: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action of a start or stop sequence, carried out in order by the collector.

    `action`: "subscribe", "unsubscribe", "write" (with response), "write_no_response", "read",
    "wait" (for a notification on `channel` that `expect` prefixes) or "sleep".
    What a "read" or "wait" brings is handed to `Session.feed` like any other frame.

    `service` says which service's `channel` is meant where one UUID stands in several.
    `optional` steps may fail (a sensor without a battery service) without ending the connection.
    `stamp_at` is the offset in `data` where the collector puts the host's time, u64 microseconds
    UTC little-endian, at the moment of writing; `Session.wrote` then learns that time.
    """

    action: str
    channel: str = ""
    data: bytes = b""
    expect: bytes = b""
    timeout_s: float = 5.0
    why: str = ""
    service: str = ""
    optional: bool = False
    stamp_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the wearer's setup asks of a sensor; the session picks the nearest it can do."""

    fs_hz: float = 50.0
    acc_range_g: float = 8.0
    gyro_range_dps: float = 1000.0
    gyro: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """What one connection leaves to the next of the same sensor; opaque to the collector.

    `next_index` is the index after the newest sample received, `missing` the index ranges (first,
    last) still wanted, `boot` the boot counter they belong to. It may be stored as JSON.
    """

    decoder: str
    boot: int
    next_index: int
    missing: tuple[tuple[int, int], ...] = ()


class Session(Protocol):
    """The decoder's state for one connection. Made by `Decoder.open`, thrown away on disconnect."""

    @property
    def streams(self) -> Sequence[Stream]:
        """The streams as configured now (rates and scales may change after `feed`)."""

    def start(self) -> Sequence[Step]:
        """Steps that make the device stream."""

    def stop(self) -> Sequence[Step]:
        """Steps that make it stop, as far as the protocol knows any."""

    def feed(self, frame: Frame) -> Sequence[Packet]:
        """Decode one frame; answers and settings update the session and give no packets.

        Raises only :class:`~firmware_protocol.errors.ProtocolError`.
        """

    def pending(self) -> Sequence[Step]:
        """Steps that became necessary by what was fed (next block of a start sequence, REPLAY).

        The collector asks after `start()` was carried out and after each `feed`; steps are handed
        out once.
        """

    def wrote(self, step: Step, at_ns: int) -> None:
        """Learn when a step with `stamp_at` was written (UTC)."""

    def resume(self) -> Resume | None:
        """What the next connection needs to ask for what this one missed; None: nothing."""


@runtime_checkable
class Haptic(Protocol):
    """What a session has beside the rest where the sensor can vibrate or show itself."""

    def vibrate(self, ms: int) -> Sequence[Step]:
        """Steps for one pulse of about so many milliseconds (20 to 2000)."""


@runtime_checkable
class Decoder(Protocol):
    """One kind of sensor."""

    name: str
    title: str
    connects: bool  # False: advertisement only
    services: tuple[str, ...]

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """Say how well this decoder fits an advertisement and, if connected, its services."""

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> Session:
        """Begin a connection; `resume` comes from the previous session of the same sensor."""


@cache
def decoders() -> Mapping[str, Decoder]:
    """All decoders in the folder, by name."""
    import firmware_protocol.decoders as folder

    found: dict[str, Decoder] = {}
    for info in pkgutil.iter_modules(folder.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        decoder = getattr(module, "DECODER", None)
        if decoder is not None:
            found[decoder.name] = decoder
    return dict(sorted(found.items()))


def best(
    advert: Advert,
    services: Sequence[str] = (),
    extra: Sequence[Decoder] = (),
) -> tuple[Decoder, Match] | None:
    """The decoder that fits best, or None when none fits.

    Services decide; a name alone never does. `extra` holds user-described decoders.
    """
    scored = [(d, d.match(advert, services)) for d in (*extra, *decoders().values())]
    scored = [(d, m) for d, m in scored if m.score > 0]
    return max(scored, key=lambda dm: dm[1].score) if scored else None
