# SPDX-License-Identifier: Apache-2.0
"""The live row: what the page shows of one wearer, made once a second."""

import math
from collections import deque

import numpy as np

from tracker.chain import Results
from tracker.collect.intake import Work
from tracker.model import SECOND_NS, Live, Samples, State
from tracker.signal.calibrate import Calibration

TRACE_S = 60
FORGET_NS = 30 * SECOND_NS  # without samples for so long nothing is claimed any more


class LiveView:
    """Keeps the state shown, since when, and the tilt of the last minute."""

    def __init__(self, sensor: str) -> None:
        self.sensor = sensor
        self.state = State.UNKNOWN
        self._since_ns = 0
        self._confidence = 0.0
        self._provisional = True
        self._slump_pct = math.nan
        self._last_ns = 0
        self._trace: deque[tuple[int, float, float]] = deque(maxlen=TRACE_S)  # second, tilt, side

    def hear(self, results: Results) -> None:
        """Take the newest epoch's state over."""
        if results.provisional_ns >= 0:
            if results.provisional is not self.state:
                self.state, self._since_ns = results.provisional, results.provisional_ns
            self._confidence = results.provisional_confidence
            self._provisional = results.settled_ns <= results.provisional_ns
            self._slump_pct = results.slump_pct

    def trace(self, raw: Samples, calibration: Calibration | None) -> None:
        """Mean tilt of each whole second; NaN while the mounting is not known."""
        self._last_ns = int(raw.t_ns[-1])
        seconds = raw.t_ns // SECOND_NS
        for second in np.unique(seconds)[-TRACE_S:].tolist():
            tilt = side = math.nan
            if calibration is not None:
                mean = raw.acc_g[seconds == second].mean(axis=0, dtype=np.float64)
                scaled = (mean - np.array(calibration.offset_g)) * np.array(calibration.gain)
                b = calibration.matrix().astype(np.float64) @ scaled
                tilt = math.degrees(math.atan2(-b[0], b[2]))
                side = math.degrees(math.atan2(b[1], math.hypot(b[0], b[2])))
            if self._trace and self._trace[-1][0] == second:
                self._trace.pop()
            self._trace.append((second, round(tilt, 1), round(side, 1)))

    def row(self, work: Work, now_ns: int) -> Live:
        """The row of now. What is old is not shown as if it were new."""
        known = bool(self._last_ns) and now_ns - self._last_ns <= FORGET_NS
        state = self.state if known else State.UNKNOWN
        newest = self._trace[-1] if self._trace and known else (0, math.nan, math.nan)
        now_s = now_ns // SECOND_NS
        seen = {second: tilt for second, tilt, _ in self._trace}
        trace = tuple(seen.get(s, math.nan) for s in range(now_s - TRACE_S + 1, now_s + 1))
        return Live(
            at_ns=now_ns,
            state=state,
            since_ns=self._since_ns if known else self._last_ns,
            confidence=self._confidence if known else 0.0,
            provisional=self._provisional,
            tilt_deg=newest[1],
            side_deg=newest[2],
            slump_pct=self._slump_pct if known else math.nan,
            link=work.link,
            battery_pct=work.battery_pct,
            rssi_dbm=work.rssi_dbm,
            loss_pct=round(work.loss_pct, 2),
            reconnects=work.reconnects,
            drift_ppm=round(work.drift_ppm, 1),
            sensor=self.sensor,
            trace=trace,
        )
