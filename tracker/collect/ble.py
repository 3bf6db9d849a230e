# SPDX-License-Identifier: Apache-2.0
"""One supervisor per sensor: connect, configure, subscribe, watch, let go, again. Eight hours long.

Unmodified Bleak (>= 3.1) does the radio; there is no backend switch. What Bleak does not do is
here, each rule for a failure that was seen on real BlueZ:

* the old client is *always* disconnected, whatever it says of itself: otherwise every value comes
  twice, then three times, and a bus connection leaks per reconnect;
* data that stop arriving end a connection, because a killed bluetoothd tells nobody;
* one connect at a time, from a fresh scan result, with a jittered growing pause after a failure;
* a link that outlived a crash of the collector is asked for first: nobody advertises on it;
* characteristics are looked up by UUID, and the data characteristic is never read.
"""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bleak import BleakClient
from bleak.exc import BleakCharacteristicNotFoundError

from firmware_protocol.frame import Frame
from firmware_protocol.registry import Advert, Decoder, Session, Step, Wish, best
from tracker.clock import Clock
from tracker.collect.inbox import Arrival, Inbox, LinkNews
from tracker.collect.scan import RADIO_ERRORS, AdapterError, Air, Seen
from tracker.collect.steps import LinkEnded, Steps, characteristic
from tracker.errors import BackstayError, SensorError
from tracker.model import GapReason

log = logging.getLogger("backstay.radio")

BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
STARTED = 2  # frames after which a stream is taken to run
WEAK_DBM = -85  # below this the wearer stood at the edge of the link


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkParams:
    """Times of the supervisor, in seconds of the clock. Sources: `docs/operate/collector.md`."""

    scan_s: float = 5.0
    connect_s: float = 15.0  # BlueZ itself blocks > 30 s on a device that just left
    disconnect_s: float = 5.0  # a real Disconnect takes 2.0-2.7 s, Bleak would wait 10 s
    stale_s: float = 2.5  # no frame for so long while "connected": reconnect
    first_frame_s: float = 10.0  # the same, right after the start sequence
    pause_s: float = 0.3  # after the first failure; doubles
    pause_max_s: float = 20.0
    battery_s: float = 300.0
    away_after: int = 3  # scans without a sign before "out of reach"/"off" is said


class _Misfit(BackstayError):
    """The services of a device are not those of its decoder."""


class Link:
    """The supervisor of one sensor. `run` goes on until it is cancelled, then lets go cleanly."""

    def __init__(
        self,
        *,
        address: str,
        inbox: Inbox,
        air: Air,
        clock: Clock,
        decoder: Decoder | None = None,
        wish: Wish | None = None,
        extra: Sequence[Decoder] = (),
        params: LinkParams | None = None,
        open_session: Callable[[Decoder, Advert], Session] | None = None,
        moving: Callable[[], bool] = lambda: False,
        seed: int = 0,
    ) -> None:
        self.address = address
        self.decoder = decoder
        self.connects = 0
        self._inbox, self._air, self._clock = inbox, air, clock
        self._wish = wish or Wish()
        self._extra = extra
        self._p = params or LinkParams()
        self._open = open_session or (lambda d, advert: d.open(self._wish, advert))
        self._moving = moving
        self._random = random.Random(f"{address}{seed}")  # noqa: S311 - jitter, no secret
        self._session: Session | None = None
        self._wanted: deque[tuple[Session, Sequence[Step]]] = deque()
        self._steps: Steps | None = None
        self._wake = asyncio.Event()
        self._over = False
        self._last_frame_s = 0.0
        self._longest_wait_s = 0.0  # this sensor's own rhythm; some batch more than a second
        self._last_rssi: int | None = None
        self._link = "connecting"
        self._unseen = 0  # scans without a sign, one after the other
        self._misfits = 0
        self._trust_links = True
        self._ran = False  # this connection streamed

    # -- what the hub calls -------------------------------------------------------------------

    def todo(self, session: Session, steps: Sequence[Step]) -> None:
        """Queue steps that became necessary by what was fed; old sessions' steps are void."""
        if steps:
            self._wanted.append((session, steps))
            self._wake.set()

    async def run(self) -> None:
        """Keep this sensor streaming until cancelled; every decision is logged with its address."""
        failures = 0
        while True:
            self._ran = False
            try:
                await self._once()
            except SensorError as error:
                failures += 1
                adapter = isinstance(error, AdapterError)
                self._tell("lost", GapReason.ADAPTER_OFF if adapter else None, str(error))
            except (LinkEnded, *RADIO_ERRORS) as error:  # TimeoutError is an OSError
                failures = 1 if self._ran else failures + 1  # it worked: try again at once
                text = str(error)
                self._say_lost(text if isinstance(error, LinkEnded) else repr(error))
            pause = min(self._p.pause_max_s, self._p.pause_s * 2 ** min(failures - 1, 10))
            pause *= 0.7 + 0.6 * self._random.random()
            self._log("pause before the next try", pause_s=round(pause, 2), failures=failures)
            await self._clock.sleep(pause)

    # -- one connection -----------------------------------------------------------------------

    async def _once(self) -> None:
        seen = await self._air.find(
            self.address,
            services=self.decoder.services if self.decoder else (),
            scan_s=self._p.scan_s,
            trust_links=self._trust_links,
        )
        if seen is None:
            self._unseen += 1
            raise LinkEnded("not seen in the air")
        self._unseen = 0
        # Bleak's picture of the links is stale after bluetoothd was killed: a link that is taken
        # over must prove itself by a frame, or the next try goes through the air.
        self._trust_links = not seen.connected
        self._last_rssi = seen.advert.rssi_dbm or self._last_rssi
        beacon = self.decoder or self._beacon(seen)
        if beacon is not None and not beacon.connects:
            await self._listen(beacon, seen)
            return
        self._over = False
        self._wake.clear()
        self._wanted.clear()
        client = BleakClient(
            seen.device,
            self._disconnected,
            timeout=self._clock.real_s(self._p.connect_s),
        )
        try:
            await self._connect(client, seen)
            await self._stream(client, seen)
        except (BleakCharacteristicNotFoundError, _Misfit) as error:
            # After an update of its firmware the system may remember services it no longer has.
            self._misfits += 1
            if self._misfits >= 2:
                await self._forget(client)
            if isinstance(error, _Misfit):
                raise SensorError(str(error)) from error
            raise LinkEnded(f"the remembered services do not fit ({error})") from error
        finally:
            self._session = None
            self._steps = None
            await asyncio.shield(self._let_go(client))

    async def _connect(self, client: BleakClient, seen: Seen) -> None:
        self._log("connecting", rssi_dbm=seen.advert.rssi_dbm, taken_over=seen.connected)
        if self._link == "connecting":
            self._tell("connecting", None, "")
        async with self._air.turn:
            async with asyncio.timeout(self._clock.real_s(self._p.connect_s)):
                await client.connect()
        self.connects += 1

    async def _stream(self, client: BleakClient, seen: Seen) -> None:
        decoder = self._fitting(client, seen)
        session = self._session = self._open(decoder, seen.advert)
        battery = await self._battery(client)
        self._last_frame_s = self._clock.monotonic_s()
        self._longest_wait_s = 0.0
        self._tell(
            "streaming",
            None,
            f"connected, {decoder.title}",
            battery=battery,
            session=session,
        )
        steps = self._steps = Steps(client, session, self._clock, self._deliver(session))
        try:
            await steps.carry_out(session.start())
            self.todo(session, session.pending())
            await self._watch(client, session, steps)
        except asyncio.CancelledError:
            await self._say_goodbye(session, steps)
            raise

    async def _watch(self, client: BleakClient, session: Session, steps: Steps) -> None:
        """Until the link ends: carry out steps, read the battery, mind the age of the data."""
        battery_due = self._clock.monotonic_s() + self._p.battery_s
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._clock.real_s(self._p.stale_s / 5)):
                    await self._wake.wait()
            self._wake.clear()
            self._ran = self._ran or steps.streamed >= STARTED
            if self._over:
                raise LinkEnded("the link ended")
            while self._wanted:
                owner, wanted = self._wanted.popleft()
                if owner is session:
                    await steps.carry_out(wanted)
            self._mind_the_age(started=steps.streamed >= STARTED)
            if self._clock.monotonic_s() >= battery_due:
                battery_due = self._clock.monotonic_s() + self._p.battery_s
                if (level := await self._battery(client)) is not None:
                    self._tell("streaming", None, "battery read", battery=level)

    def _mind_the_age(self, *, started: bool) -> None:
        limit = max(self._p.stale_s, 2 * self._longest_wait_s)
        if started:
            self._misfits, self._trust_links, self._ran = 0, True, True
        else:
            limit = self._p.first_frame_s
        age = self._clock.monotonic_s() - self._last_frame_s
        if age > limit:
            raise LinkEnded(f"connected, but silent for {age:.1f} s")

    def _beacon(self, seen: Seen) -> Decoder | None:
        """A decoder that needs no connection; all others are chosen by the services found."""
        choice = best(seen.advert, (), self._extra)
        return choice[0] if choice is not None and not choice[0].connects else None

    def _fitting(self, client: BleakClient, seen: Seen) -> Decoder:
        services = [s.uuid.lower() for s in client.services]
        if self.decoder is not None:
            if self.decoder.match(seen.advert, services).score > 0:
                return self.decoder
            raise _Misfit(
                f"{self.address} is no {self.decoder.title}: its services do not fit. "
                "Choose another decoder or none (`backstay scan` lists them)."
            )
        choice = best(seen.advert, services, self._extra)
        if choice is None:
            raise SensorError(
                f"no decoder fits {self.address}: `backstay scan` says what it offers; "
                "a user-described decoder can be added."
            )
        self.decoder = choice[0]
        self._log("decoder chosen", decoder=choice[0].name, why=choice[1].why)
        return self.decoder

    # -- what arrives, and the end of a connection ---------------------------------------------

    def _disconnected(self, _: BleakClient) -> None:
        self._over = True
        self._wake.set()
        if self._steps is not None:
            self._steps.ended()

    def _deliver(self, session: Session) -> Callable[[str, bytes], None]:
        def arrived(channel: str, payload: bytes) -> None:
            self._arrived(session, channel, payload)

        return arrived

    def _arrived(self, session: Session, channel: str, payload: bytes) -> None:
        """The callback: stamp and append, nothing else; the event loop is the radio's."""
        frame = Frame(
            sensor=self.address,
            channel=channel,
            payload=payload,
            received_ns=self._clock.now_ns(),
        )
        self._inbox.put(Arrival(session=session, frame=frame))
        now = self._clock.monotonic_s()
        wait = now - self._last_frame_s
        if self._longest_wait_s < wait < self._p.first_frame_s:
            self._longest_wait_s = min(wait, 2 * self._p.stale_s)
        self._last_frame_s = now

    async def _say_goodbye(self, session: Session, steps: Steps) -> None:
        """Tell the sensor to stop, as far as its protocol knows how; never for long."""
        with contextlib.suppress(TimeoutError, LinkEnded, *RADIO_ERRORS):
            async with asyncio.timeout(self._clock.real_s(self._p.disconnect_s)):
                await steps.carry_out(session.stop())

    async def _let_go(self, client: BleakClient) -> None:
        """Disconnect the client whatever it says of itself: its bus connection must go too."""
        try:
            async with asyncio.timeout(self._clock.real_s(self._p.disconnect_s)):
                await client.disconnect()
        except (TimeoutError, *RADIO_ERRORS) as error:
            self._log("the old client was let go by force", error=repr(error))

    async def _forget(self, client: BleakClient) -> None:
        """Last resort against remembered handles: let the system forget the device."""
        try:
            async with asyncio.timeout(self._clock.real_s(self._p.disconnect_s)):
                await client.unpair()
        except (TimeoutError, NotImplementedError, *RADIO_ERRORS) as error:
            self._log("the device could not be forgotten", error=repr(error))

    async def _battery(self, client: BleakClient) -> int | None:
        try:
            where = characteristic(client, BATTERY)
        except BleakCharacteristicNotFoundError:
            return None
        try:
            async with asyncio.timeout(self._clock.real_s(3.0) + 0.5):
                value = await client.read_gatt_char(where)
        except (TimeoutError, *RADIO_ERRORS) as error:
            self._log("battery not readable", error=repr(error))
            return None
        return int(value[0]) if value and value[0] <= 100 else None

    # -- sensors that only advertise ----------------------------------------------------------

    async def _listen(self, decoder: Decoder, seen: Seen) -> None:
        """A beacon has no link: every advertisement is a frame, silence ends the "connection"."""
        session = self._session = self._open(decoder, seen.advert)
        self.connects += 1
        self._last_frame_s = self._clock.monotonic_s()

        def heard(news: Seen) -> None:
            for company, data in news.advert.manufacturer.items():
                self._arrived(session, f"advert:{company:04x}", data)
            self._last_rssi = news.advert.rssi_dbm

        self._ran = True
        self._tell("streaming", None, f"heard, {decoder.title}", session=session)
        heard(seen)
        self._air.listen(self.address, heard)
        try:
            while self._clock.monotonic_s() - self._last_frame_s < 3 * self._p.first_frame_s:
                async with self._air.turn:
                    await self._air.sweep(self._p.scan_s)
                await self._clock.sleep(0.05)  # others want the air too
        finally:
            self._air.unlisten(self.address)
        raise LinkEnded("no advertisement any more")

    # -- news ---------------------------------------------------------------------------------

    def _say_lost(self, why: str) -> None:
        """Name the reason as well as it can be known; it gets better while the sensor is away."""
        weak = self._last_rssi is not None and self._last_rssi <= WEAK_DBM
        if self._unseen < self._p.away_after:
            self._tell("lost", GapReason.LINK_LOST, why)
        elif weak or self._moving() or self._link == "out_of_reach":
            self._tell("out_of_reach", GapReason.OUT_OF_REACH, why)
        else:
            self._tell("sensor_off", GapReason.SENSOR_OFF, why)

    def _tell(
        self,
        link: str,
        reason: GapReason | None,
        why: str,
        *,
        battery: int | None = None,
        session: Session | None = None,
    ) -> None:
        self._link = link
        self._log(why or link, link=link, reason=reason)
        self._inbox.tell(
            LinkNews(
                at_ns=self._clock.now_ns(),
                link=link,
                reason=reason,
                why=why,
                rssi_dbm=self._last_rssi,
                battery_pct=battery,
                session=session,
            )
        )

    def _log(self, what: str, **values: object) -> None:
        log.info(what, extra={"sensor": self.address, **values})
