# SPDX-License-Identifier: Apache-2.0
"""The air: bounded scans shared by all sensors, and which decoder fits what was seen.

One `Air` per process owns the radio: scanning and connecting exclude each other (many adapters
fail when a connection is opened during a scan), and one scan serves every sensor that is looked
for. It always hands out a *fresh* scan result, because BlueZ forgets an unconnected device 30 s
after it was last seen.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bleak import BleakAdapter, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakError

from firmware_protocol.registry import Advert, Decoder, Match, best
from tracker.clock import Clock
from tracker.collect.ladder import Ladder, cycle_of
from tracker.errors import SensorError

log = logging.getLogger("backstay.radio")

GENERIC_ATTRIBUTE = "00001801-0000-1000-8000-00805f9b34fb"  # on practically every device
SERVICE_UNKNOWN = "org.freedesktop.DBus.Error.ServiceUnknown"  # nobody owns org.bluez
# What an unmodified Bleak lets through when bus, daemon or adapter vanish in mid-call: its own
# errors, those of sockets and dbus-fast (EOFError), and `assert self._bus` in its BlueZ client.
RADIO_ERRORS = (BleakError, OSError, EOFError, AssertionError, KeyError, AttributeError)


class AdapterError(SensorError):
    """Bluetooth itself is missing, off or forbidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A device in the air: Bleak's handle for connecting and what it advertises."""

    device: BLEDevice
    advert: Advert
    at_s: float  # monotonic seconds of the clock
    connected: bool = False  # the link exists already: nobody advertises on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One line of `backstay scan`: the device, the decoder that fits best, and why."""

    advert: Advert
    decoder: Decoder | None
    match: Match | None
    connected: bool = False
    battery_pct: int | None = None


def advert_of(device: BLEDevice, data: AdvertisementData) -> Advert:
    """Bleak's advertisement as the registry reads it; UUIDs in lower case."""
    return Advert(
        address=device.address,
        name=data.local_name or device.name or "",
        services=tuple(u.lower() for u in data.service_uuids),
        manufacturer=dict(data.manufacturer_data),
        service_data={k.lower(): bytes(v) for k, v in data.service_data.items()},
        rssi_dbm=None if data.rssi == -127 else data.rssi,  # Bleak's word for "not known"
    )


class Air:
    """Scanning and the right to connect, for all sensors of this process."""

    def __init__(self, clock: Clock, *, adapter: str = "") -> None:
        self._clock = clock
        self._bluez = {"adapter": adapter} if adapter else {}
        self.turn = asyncio.Lock()  # held while scanning or connecting
        self._wanted: dict[str, asyncio.Future[Seen]] = {}
        self._listeners: dict[str, Callable[[Seen], None]] = {}
        self._hit = asyncio.Event()
        self._ladder = Ladder(cycle=cycle_of(adapter), errors=RADIO_ERRORS)

    @property
    def trouble(self) -> str:
        """What a person must do, where every rung of the ladder was tried; else empty."""
        return self._ladder.trouble

    async def find(
        self, address: str, *, services: Sequence[str], scan_s: float, trust_links: bool = True
    ) -> Seen | None:
        """The device, fresh from the air or as a link that outlived a crash; None if not there.

        Raises AdapterError where Bluetooth itself is missing, off or forbidden.
        """
        try:
            return await self._find(address.upper(), services, scan_s, trust_links=trust_links)
        except TimeoutError:
            raise
        except (OSError, BleakDBusError) as error:
            if isinstance(error, BleakDBusError) and error.dbus_error != SERVICE_UNKNOWN:
                raise
            raise AdapterError(
                "The Bluetooth service does not answer: is it running? Backstay goes on by itself "
                "when it is there."
            ) from error

    async def _find(
        self, address: str, services: Sequence[str], scan_s: float, *, trust_links: bool
    ) -> Seen | None:
        for seen in await self.connected(services) if trust_links else ():
            if seen.advert.address.upper() == address:
                return seen
        wanted = self._wanted.get(address)
        if wanted is None or wanted.done():
            wanted = self._wanted[address] = asyncio.get_running_loop().create_future()
        deadline = self._clock.monotonic_s() + scan_s
        try:
            while not wanted.done() and (left := deadline - self._clock.monotonic_s()) > 0:
                async with self.turn:
                    if not wanted.done():
                        await self.sweep(left)
        finally:
            self._wanted.pop(address, None)
        return wanted.result() if wanted.done() and not wanted.cancelled() else None

    def listen(self, address: str, heard: Callable[[Seen], None]) -> None:
        """Call `heard` for every advertisement of a device that any scan sees."""
        self._listeners[address.upper()] = heard

    def unlisten(self, address: str) -> None:
        """End `listen`."""
        self._listeners.pop(address.upper(), None)

    async def sweep(self, seconds: float, everything: dict[str, Seen] | None = None) -> None:
        """One bounded scan; ends early when a wanted device was seen. Needs the turn."""
        self._hit.clear()
        anybody = False

        def heard(device: BLEDevice, data: AdvertisementData) -> None:
            nonlocal anybody
            anybody = True
            seen = Seen(
                device=device, advert=advert_of(device, data), at_s=self._clock.monotonic_s()
            )
            address = device.address.upper()
            if everything is not None:
                everything[address] = seen
            if (listener := self._listeners.get(address)) is not None:
                listener(seen)
            wanted = self._wanted.get(address)
            if wanted is not None and not wanted.done():
                wanted.set_result(seen)
                self._hit.set()

        try:
            scanner = BleakScanner(heard, bluez=self._bluez)  # type: ignore[arg-type]
            await scanner.start()
        except BleakBluetoothNotAvailableError as error:
            raise AdapterError(_not_available(error)) from error
        try:
            async with asyncio.timeout(self._clock.real_s(seconds)):
                if everything is not None:
                    await asyncio.Event().wait()
                await self._hit.wait()
        except TimeoutError:
            pass
        finally:
            await self._stop(scanner)
        await self._ladder.heard(anybody)

    async def connected(self, services: Sequence[str]) -> list[Seen]:
        """Devices whose link is up already, for example after a crash of the collector."""
        try:
            adapter = await BleakAdapter.get(bluez=self._bluez)  # type: ignore[arg-type]
            devices = await adapter.get_connected_devices([*services, GENERIC_ATTRIBUTE])
        except NotImplementedError:  # no such call on this platform
            return []
        except BleakBluetoothNotAvailableError as error:
            raise AdapterError(_not_available(error)) from error
        now = self._clock.monotonic_s()
        return [
            Seen(
                device=d,
                advert=Advert(address=d.address, name=d.name or "", services=_listed(d)),
                at_s=now,
                connected=True,
            )
            for d in devices
        ]

    async def _stop(self, scanner: BleakScanner) -> None:
        try:
            async with asyncio.timeout(5):  # StopDiscovery can hang; a scan is always bounded
                await scanner.stop()
        except (TimeoutError, *RADIO_ERRORS) as error:
            log.warning("scan did not end cleanly", extra={"error": repr(error)})


async def scan(
    clock: Clock,
    *,
    seconds: float = 5.0,
    extra: Sequence[Decoder] = (),
    air: Air | None = None,
) -> list[Found]:
    """Everything in reach, strongest first, with the decoder that fits and why.

    Raises SensorError where Bluetooth is missing, off or forbidden, or the scan fails.
    """
    air = air or Air(clock)
    everything: dict[str, Seen] = {}
    try:
        linked = await air.connected([])
        async with air.turn:
            await air.sweep(seconds, everything)
    except RADIO_ERRORS as error:
        raise SensorError(
            f"Bluetooth does not answer ({error}): is the Bluetooth service running? "
            "`backstay doctor` says more."
        ) from error
    for seen in linked:
        everything.setdefault(seen.advert.address.upper(), seen)
    found = [
        fit(seen.advert, extra=extra, connected=seen.connected) for seen in everything.values()
    ]
    return sorted(found, key=lambda f: (f.decoder is None, -(f.advert.rssi_dbm or -127)))


def fit(
    advert: Advert,
    *,
    services: Sequence[str] = (),
    extra: Sequence[Decoder] = (),
    connected: bool = False,
) -> Found:
    """The best decoder for what is known of a device. Services decide, a name alone never does."""
    choice = best(advert, services, extra)
    decoder, match = choice if choice is not None else (None, None)
    return Found(
        advert=advert,
        decoder=decoder,
        match=match,
        connected=connected,
        battery_pct=battery_of(advert),
    )


def _listed(device: BLEDevice) -> tuple[str, ...]:
    """Services of a connected device as far as the system lists them (BlueZ does)."""
    props = device.details.get("props", {}) if isinstance(device.details, dict) else {}
    return tuple(str(u).lower() for u in props.get("UUIDs", ()))


def battery_of(advert: Advert) -> int | None:
    """The battery, where a sensor advertises it (service data of 180F)."""
    level = advert.service_data.get("0000180f-0000-1000-8000-00805f9b34fb", b"")
    return level[0] if len(level) == 1 and level[0] <= 100 else None


def bars(rssi_dbm: int | None) -> int:
    """0 to 4 bars; -60 dBm is next to you, -90 dBm is the edge of a BLE link."""
    if rssi_dbm is None:
        return 0
    return sum(rssi_dbm >= edge for edge in (-90, -80, -70, -60))


def _not_available(error: BleakBluetoothNotAvailableError) -> str:
    reasons = {
        "NO_BLUETOOTH": "No Bluetooth adapter was found: plug one in",
        "NO_BLE_CENTRAL_ROLE": "The adapter cannot do Bluetooth Low Energy: use another",
        "POWERED_OFF": "Bluetooth is switched off: switch it on",
        "DENIED_BY_USER": "Bluetooth is not allowed for this program: allow it in the settings",
        "DENIED_BY_SYSTEM": "The system forbids Bluetooth: ask its administrator",
    }
    sentence = reasons.get(error.reason.name, f"Bluetooth is not available ({error.args[0]})")
    return f"{sentence}. Backstay goes on by itself when it is there."
