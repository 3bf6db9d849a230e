# SPDX-License-Identifier: Apache-2.0
"""Minds one series for a sensor that was put on anew, and keeps today's mounting in the store.

Runs in the analysis thread, every two minutes at most. What it found is kept as a wearer's setting
`worn:PLACEMENT`, so that the page can ask for the thirty-second version or say that all is well.
"""

import logging
from collections.abc import Mapping

from tracker.collect import donning
from tracker.collect.setups import calibration_of, record_of
from tracker.errors import InputError
from tracker.model import EPOCH_NS, SECOND_NS, Placement
from tracker.store.base import CalibrationRecord
from tracker.store.sqlite import SqliteStore
from tracker.store.sqlite_read import SqliteReader

log = logging.getLogger("backstay.analysis")

EVERY_NS = 120 * SECOND_NS
LOOK_BACK_NS = 14 * 3600 * SECOND_NS
TODAY = "today"  # kind of the records made here


def key_of(placement: Placement) -> str:
    """The wearer's setting that holds how the sensor sits today."""
    return f"worn:{placement}"


class Wearing:
    """One series. `look` returns whether the mounting changed."""

    def __init__(
        self,
        store: SqliteStore,
        wearer: str,
        placement: Placement,
        *,
        reads: SqliteReader | None = None,
    ) -> None:
        self.wearer, self.placement = wearer, placement
        self._store, self._reads = store, reads or store
        self._due_ns = 0

    def look(self, through_ns: int | None) -> bool:
        """Compare the newest walk with the calibration. Raises StoreError."""
        if through_ns is None or through_ns < self._due_ns:
            return False
        self._due_ns = through_ns + EVERY_NS
        base = self._base()
        if base is None:
            return False
        start_ns = max(base.from_ns, through_ns - LOOK_BACK_NS)
        epochs = self._reads.epochs(self.wearer, self.placement, start_ns, through_ns + EPOCH_NS)
        on_ns = donning.put_on_ns(epochs)
        if on_ns is None or self._told().get("from_ns") == on_ns:
            return False
        starts = donning.walked(epochs, on_ns)[-3 * donning.WALK_EPOCHS :]
        if len(starts) < donning.WALK_EPOCHS:
            return False
        raw = self._reads.raw(
            self.wearer, self.placement, int(starts[0]), int(starts[-1]) + EPOCH_NS
        )
        found = donning.fit(raw, starts, on_ns, calibration_of(base))
        if found is None:
            return False
        return self._keep(found)

    def _keep(self, found: donning.Fit) -> bool:
        told = {"from_ns": found.from_ns, "deg": round(found.deg, 1), "asks": found.asks}
        changed = found.deg >= donning.KEEP_DEG
        if changed:
            record = record_of(found.calibration, from_ns=found.from_ns, kind=TODAY)
            self._store.put_calibration(self.wearer, self.placement, record)
        self._store.put_wearer_setting(self.wearer, key_of(self.placement), told)
        log.info("the sensor was put on", extra={"wearer": self.wearer, **told})
        return changed

    def _base(self) -> CalibrationRecord | None:
        """The newest calibration that a person made; one of today follows from it."""
        made = [
            r
            for r in self._store.calibrations(self.wearer, self.placement)
            if r.kind == "poses" and r.body
        ]
        if not made:
            return None
        newest = max(made, key=lambda r: r.from_ns)
        try:
            calibration_of(newest)
        except InputError:
            return None
        return newest

    def _told(self) -> Mapping[str, object]:
        kept = self._store.wearer_settings(self.wearer).get(key_of(self.placement))
        return kept if isinstance(kept, dict) else {}
