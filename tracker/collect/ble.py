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

from bleak import BleakClient
from bleak.exc import BleakCharacteristicNotFoundError

from firmware_protocol.frame import Frame
from firmware_protocol.registry import Advert, Decoder, Session, Step, Wish
from tracker.clock import Clock
from tracker.collect.inbox import Arrival, Inbox
from tracker.collect.link_care import LinkParams, battery_of, forget, let_go
from tracker.collect.link_choice import Misfit, beacon_of, fitting
from tracker.collect.link_news import News
from tracker.collect.scan import RADIO_ERRORS, AdapterError, Air, Seen
from tracker.collect.steps import LinkEnded, Steps
from tracker.errors import SensorError
from tracker.model import GapReason

log = logging.getLogger("backstay.radio")

STARTED = 2  # frames after which a stream is taken to run


__all__ = ["Link", "LinkParams"]


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
        self._random = random.Random(f"{address}{seed}")  # noqa: S311 - jitter, no secret
        self._session: Session | None = None
        self._wanted: deque[tuple[Session, Sequence[Step]]] = deque()
        self._steps: Steps | None = None
        self._wake = asyncio.Event()
        self._over = False
        self._last_frame_s = 0.0
        self._longest_wait_s = 0.0  # this sensor's own rhythm; some batch more than a second
        self._news = News(address, inbox, clock, self._p.away_after, moving)
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
                self._news.tell("lost", GapReason.ADAPTER_OFF if adapter else None, str(error))
            except (LinkEnded, *RADIO_ERRORS) as error:  # TimeoutError is an OSError
                failures = 1 if self._ran else failures + 1  # it worked: try again at once
                text = str(error)
                self._news.lost(text if isinstance(error, LinkEnded) else repr(error))
            pause = min(self._p.pause_max_s, self._p.pause_s * 2 ** min(failures - 1, 10))
            pause *= 0.7 + 0.6 * self._random.random()
            self._news.log("pause before the next try", pause_s=round(pause, 2), failures=failures)
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
            self._news.unseen += 1
            raise LinkEnded(self._air.trouble or "not seen in the air")
        self._news.unseen = 0
        # Bleak's picture of the links is stale after bluetoothd was killed: a link that is taken
        # over must prove itself by a frame, or the next try goes through the air.
        self._trust_links = not seen.connected
        self._news.rssi_dbm = seen.advert.rssi_dbm or self._news.rssi_dbm
        beacon = self.decoder or beacon_of(seen, self._extra)
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
        except (BleakCharacteristicNotFoundError, Misfit) as error:
            # After an update of its firmware the system may remember services it no longer has.
            self._misfits += 1
            if self._misfits >= 2:
                await forget(client, self._clock, self._p, self._news.log)
            if isinstance(error, Misfit):
                raise SensorError(str(error)) from error
            raise LinkEnded(f"the remembered services do not fit ({error})") from error
        finally:
            self._session = None
            self._steps = None
            await asyncio.shield(let_go(client, self._clock, self._p, self._news.log))

    async def _connect(self, client: BleakClient, seen: Seen) -> None:
        self._news.log("connecting", rssi_dbm=seen.advert.rssi_dbm, taken_over=seen.connected)
        if self._news.link == "connecting":
            self._news.tell("connecting", None, "")
        async with self._air.turn:
            async with asyncio.timeout(self._clock.real_s(self._p.connect_s)):
                await client.connect()
        self.connects += 1

    async def _stream(self, client: BleakClient, seen: Seen) -> None:
        decoder = self._fitting(client, seen)
        session = self._session = self._open(decoder, seen.advert)
        battery = await battery_of(client, self._clock, self._news.log)
        self._last_frame_s = self._clock.monotonic_s()
        self._longest_wait_s = 0.0
        self._news.tell(
            "streaming",
            None,
            f"connected, {decoder.title}",
            battery=battery,
            session=session,
        )
        steps = self._steps = Steps(
            client,
            session,
            self._clock,
            self._deliver(session),
            acquire_notify=self._p.acquire_notify,
        )
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
                if (level := await battery_of(client, self._clock, self._news.log)) is not None:
                    self._news.tell("streaming", None, "battery read", battery=level)

    def _mind_the_age(self, *, started: bool) -> None:
        limit = max(self._p.stale_s, 2 * self._longest_wait_s)
        if started:
            self._misfits, self._trust_links, self._ran = 0, True, True
        else:
            limit = self._p.first_frame_s
        age = self._clock.monotonic_s() - self._last_frame_s
        if age > limit:
            raise LinkEnded(f"connected, but silent for {age:.1f} s")

    def _fitting(self, client: BleakClient, seen: Seen) -> Decoder:
        services = [s.uuid.lower() for s in client.services]
        known = self.decoder
        self.decoder = fitting(self.address, seen, services, known, self._extra)
        if known is None:
            self._news.log("decoder chosen", decoder=self.decoder.name)
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

    # -- sensors that only advertise ----------------------------------------------------------

    async def _listen(self, decoder: Decoder, seen: Seen) -> None:
        """A beacon has no link: every advertisement is a frame, silence ends the "connection"."""
        session = self._session = self._open(decoder, seen.advert)
        self.connects += 1
        self._last_frame_s = self._clock.monotonic_s()

        def heard(news: Seen) -> None:
            for company, data in news.advert.manufacturer.items():
                self._arrived(session, f"advert:{company:04x}", data)
            self._news.rssi_dbm = news.advert.rssi_dbm

        self._ran = True
        self._news.tell("streaming", None, f"heard, {decoder.title}", session=session)
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
