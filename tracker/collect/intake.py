# SPDX-License-Identifier: Apache-2.0
"""One sensor's way from frames to samples with gaps; runs in the event loop, does no I/O.

A frame that cannot be decoded is counted and its payload kept for the support bundle. Every hole
in the samples becomes a gap with a reason; a hole that the sensor is still replaying is held back
until it is known what remains of it.
"""

import logging
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from firmware_protocol.errors import ProtocolError
from firmware_protocol.phones._common import PhoneSession
from firmware_protocol.registry import Advert, Decoder, Resume, Session, Step, Wish
from tracker.clock import Clock
from tracker.collect.assemble import Assembler, Piece
from tracker.collect.inbox import Arrival, Inbox, LinkNews
from tracker.model import SECOND_NS, Gap, GapReason, Samples
from tracker.store.base import SensorConfig

log = logging.getLogger("backstay.hub")

GAP_NS = SECOND_NS // 2  # the chain's own border: max(0.5 s, 8 periods)
CALM = 3  # replayed samples may wait for their rotation a cut longer
HOLD_NS = 900 * SECOND_NS  # a replay that takes longer will not come any more


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """What one tick hands to the analysis of one series."""

    pieces: tuple[Piece, ...] = ()
    late: tuple[Samples, ...] = ()
    gaps: tuple[Gap, ...] = ()
    check: tuple[Gap, ...] = ()  # gaps that replayed samples may have filled in part
    waiting: Samples | None = None  # live samples that wait for their rotation
    link: str = "connecting"
    battery_pct: int | None = None
    rssi_dbm: int | None = None
    loss_pct: float = 0.0
    reconnects: int = 0
    drift_ppm: float = 0.0


@dataclass(slots=True)
class _Loss:
    """Samples received and lost in the last minutes, for the loss rate a person sees."""

    window: list[tuple[int, int, int]] = field(default_factory=list)  # at, samples, lost

    def percent(self, now_ns: int, samples: int, lost: int) -> float:
        """Loss of the last five minutes in percent, from running totals."""
        self.window.append((now_ns, samples, lost))
        while len(self.window) > 2 and now_ns - self.window[0][0] > 300 * SECOND_NS:
            self.window.pop(0)
        _, samples0, lost0 = self.window[0]
        missing, got = lost - lost0, samples - samples0
        return 100.0 * missing / (missing + got) if missing + got > 0 else 0.0


class Intake:
    """Decodes what one sensor sends. `take` what came, `cut` once a second."""

    def __init__(self, config: SensorConfig, clock: Clock, *, wish: Wish | None = None) -> None:
        self.config = config
        self.inbox = Inbox()
        self.link = "connecting"
        self.why = ""
        self.battery_pct: int | None = None
        self.rssi_dbm: int | None = None
        self.connects = 0
        self.loss_pct = 0.0  # of the last five minutes, as of the last cut
        self.errors: Counter[str] = Counter()
        self.first_bad: tuple[str, str, str] | None = None  # error, channel, payload in hex
        self.last_frame_ns = 0
        self.assembler = Assembler()
        self.decoder = config.decoder
        self._clock = clock
        self._wish = wish or Wish()
        self._session: Session | None = None
        self._resume: Resume | None = None
        self._pieces: list[Piece] = []
        self._late: list[Samples] = []
        self._gaps: list[Gap] = []
        self._held: list[Gap] = []
        self._down: GapReason | None = None
        self._last_t_ns: int | None = None
        self._floor_ns = 0  # what an earlier process stored; a replay may reach back behind it
        self._period_ns = 0
        self._errors_before = 0
        self._loss = _Loss()
        self._calm = 0  # cuts since nothing is replayed any more

    # -- sessions -----------------------------------------------------------------------------

    def resume_from(self, resume: Resume | None, last_t_ns: int | None) -> None:
        """Take up where an earlier process ended: what the sensor still has, what is stored."""
        self._resume = resume
        if last_t_ns is not None:
            self._last_t_ns, self._down = last_t_ns, GapReason.COLLECTOR_DOWN
            self._floor_ns = last_t_ns

    def open(self, decoder: Decoder, advert: Advert) -> Session:
        """A session for a new connection, which asks for what the last one missed."""
        self.take(self.inbox.get_nowait())
        self.decoder = decoder.name
        self._session = decoder.open(self._wish, advert, resume=self.resume)
        self.connects += 1
        return self._session

    @property
    def session(self) -> Session | None:
        """The newest connection's session."""
        return self._session

    @property
    def resume(self) -> Resume | None:
        """What the next connection of this sensor needs; may be stored."""
        if self._session is not None:
            self._resume = self._session.resume() or self._resume
        return self._resume

    # -- frames -------------------------------------------------------------------------------

    def take(self, items: list[Arrival | LinkNews]) -> list[tuple[Session, list[Step]]]:
        """Decode what arrived; the steps that became necessary on the device by it."""
        wanted: list[tuple[Session, list[Step]]] = []
        for item in items:
            if isinstance(item, LinkNews):
                self._hear(item)
                continue
            self.last_frame_ns = item.frame.received_ns
            try:
                packets = item.session.feed(item.frame)
            except ProtocolError as error:
                self._count(error, item)
                continue
            self.assembler.expect(item.session.streams)
            self.assembler.add(packets)
            if steps := list(item.session.pending()):
                wanted.append((item.session, steps))
        return wanted

    def _hear(self, news: LinkNews) -> None:
        self._collect(all_there_is=news.reason is not None)
        self.link, self.why = news.link, news.why
        self.battery_pct = news.battery_pct if news.battery_pct is not None else self.battery_pct
        self.rssi_dbm = news.rssi_dbm if news.rssi_dbm is not None else self.rssi_dbm
        if news.reason is not None and self._last_t_ns is not None:
            self._down = news.reason
        if news.session is not None:
            if self._session is not news.session:
                self._session = news.session
            self.assembler.expect(news.session.streams)

    def _count(self, error: ProtocolError, item: Arrival) -> None:
        self._collect(all_there_is=False)  # what came before is not this frame's fault
        name = type(error).__name__
        self.errors[name] += 1
        if self.first_bad is None:
            self.first_bad = (f"{name}: {error}", item.frame.channel, item.frame.payload.hex())
        if self.errors[name] in (1, 10, 100, 1000):
            log.warning(
                "a frame cannot be decoded",
                extra={"sensor": self.config.address, "error": str(error), "n": self.errors[name]},
            )

    # -- once a second ------------------------------------------------------------------------

    def cut(self) -> Work:
        """Everything since the last cut."""
        now_ns = self._clock.now_ns()
        self._collect(all_there_is=False)
        if (span := self.inbox.take_drops()) is not None:
            self._gaps.append(
                Gap(start_ns=span[0], end_ns=span[1] + 1, reason=GapReason.QUEUE_FULL)
            )
        check: list[Gap] = []
        self._calm = 0 if self._replaying() else self._calm + 1
        if self._held and (self._calm >= CALM or now_ns - self._held[0].end_ns > HOLD_NS):
            check, self._held = self._held, []
        counters = self.assembler.counters
        battery = self.assembler.battery_pct
        self.battery_pct = battery if battery is not None else self.battery_pct
        self.loss_pct = self._loss.percent(
            now_ns, counters.samples, counters.lost - counters.recovered
        )
        work = Work(
            pieces=tuple(self._pieces),
            late=tuple(self._late),
            gaps=tuple(self._gaps),
            check=tuple(check),
            waiting=self.assembler.waiting,
            link=self.link,
            battery_pct=self.battery_pct,
            rssi_dbm=self.rssi_dbm,
            loss_pct=self.loss_pct,
            reconnects=max(0, self.connects - 1),
            drift_ppm=self.assembler.drift_ppm,
        )
        self._pieces, self._late, self._gaps = [], [], []
        return work

    def end(self) -> Work:
        """The last cut: nothing is waited for any more; an open outage becomes a gap up to now."""
        self.take(self.inbox.get_nowait())
        self._collect(all_there_is=True)
        if self._down is not None and self._last_t_ns is not None:
            now_ns = self._clock.now_ns()
            if now_ns - self._last_t_ns > GAP_NS:
                self._gaps.append(Gap(start_ns=self._last_t_ns, end_ns=now_ns, reason=self._down))
        work = self.cut()
        held, self._held = self._held, []
        return replace(work, check=(*work.check, *held))

    def _collect(self, *, all_there_is: bool) -> None:
        live, late = self.assembler.take(all_there_is=all_there_is)
        floor_ns = self._floor_ns + (self._period_ns or GAP_NS // 5) // 2
        self._late += [s for x in late if len(s := x[int(np.searchsorted(x.t_ns, floor_ns)) :])]
        for piece in live:
            if len(piece.samples):
                self._mark_gaps(piece)
                self._pieces.append(piece)

    def _mark_gaps(self, piece: Piece) -> None:
        t = piece.samples.t_ns
        edges = t if self._last_t_ns is None else np.concatenate([[self._last_t_ns], t])
        steps = np.diff(edges)
        # A gap is a step above eight periods of the sensor; slow ones send every few seconds.
        if len(t) > 2:
            self._period_ns = int(np.median(np.diff(t)))
        limit = max(GAP_NS, 8 * self._period_ns)
        for i in np.flatnonzero(steps > limit).tolist():
            self._gap(int(edges[i]), int(edges[i + 1]), piece if i == 0 else None)
        first_is_gap = len(steps) and steps[0] > limit
        if piece.lost and self._last_t_ns is not None and not first_is_gap:
            self._gap(self._last_t_ns, int(t[0]), piece)
        self._last_t_ns, self._down = int(t[-1]), None
        self._errors_before = self.errors.total()

    def _gap(self, start_ns: int, end_ns: int, piece: Piece | None) -> None:
        gap = Gap(start_ns=start_ns, end_ns=end_ns, reason=self._reason(piece))
        # A sensor that buffers and a phone whose bodies overtake each other may fill it yet.
        may_come = isinstance(self._session, PhoneSession) or (
            self._session is not None and self._session.resume() is not None
        )
        (self._held if may_come else self._gaps).append(gap)

    def _reason(self, piece: Piece | None) -> GapReason:
        if self._down is not None:
            return self._down
        if piece is not None and piece.reset == "host_clock":
            return GapReason.CLOCK_JUMP
        if piece is not None and piece.reset:
            return GapReason.SENSOR_OFF
        if self.errors.total() > self._errors_before:
            return GapReason.BAD_DATA
        return GapReason.PACKET_LOSS

    def _replaying(self) -> bool:
        resume = self._session.resume() if self._session is not None else None
        return resume is not None and bool(resume.missing)
