# SPDX-License-Identifier: Apache-2.0
"""What the supervisor of a link says: a word for the page, a reason for gaps, a line of log."""

import logging
from collections.abc import Callable

from firmware_protocol.registry import Session
from tracker.clock import Clock
from tracker.collect.inbox import Inbox, LinkNews
from tracker.model import GapReason

log = logging.getLogger("backstay.radio")

WEAK_DBM = -85  # below this the wearer stood at the edge of the link


class News:
    """The news of one link. `rssi_dbm` and `unseen` (scans without a sign) are kept up to date."""

    def __init__(
        self,
        address: str,
        inbox: Inbox,
        clock: Clock,
        away_after: int,
        moving: Callable[[], bool],
    ) -> None:
        self.link = "connecting"
        self.rssi_dbm: int | None = None
        self.unseen = 0
        self._address, self._inbox, self._clock = address, inbox, clock
        self._away_after, self._moving = away_after, moving

    def lost(self, why: str) -> None:
        """Name the reason as well as it can be known; it gets better while the sensor is away."""
        weak = self.rssi_dbm is not None and self.rssi_dbm <= WEAK_DBM
        if self.unseen < self._away_after:
            self.tell("lost", GapReason.LINK_LOST, why)
        elif weak or self._moving() or self.link == "out_of_reach":
            self.tell("out_of_reach", GapReason.OUT_OF_REACH, why)
        else:
            self.tell("sensor_off", GapReason.SENSOR_OFF, why)

    def tell(
        self,
        link: str,
        reason: GapReason | None,
        why: str,
        *,
        battery: int | None = None,
        session: Session | None = None,
    ) -> None:
        """A word for the page, a reason for a gap (None while data flow), a sentence for people."""
        self.link = link
        self.log(why or link, link=link, reason=reason)
        self._inbox.tell(
            LinkNews(
                at_ns=self._clock.now_ns(),
                link=link,
                reason=reason,
                why=why,
                rssi_dbm=self.rssi_dbm,
                battery_pct=battery,
                session=session,
            )
        )

    def log(self, what: str, **values: object) -> None:
        """One line with the sensor's address."""
        log.info(what, extra={"sensor": self._address, **values})
