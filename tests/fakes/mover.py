# SPDX-License-Identifier: Apache-2.0
"""A phone on a simulated back: batches over HTTPS in real time, as our page sends them.

Stands until it is told what to do, does it once, stands again.
"""

import json
import ssl
import threading
import time
import urllib.request
from typing import Self

import numpy as np

from tracker.clock import SYSTEM_CLOCK
from tracker.model import Exercise, Placement, Samples
from tracker.signal.calibrate import Axes
from tracker.simulation.days import record
from tracker.simulation.drills import perform, to_standing
from tracker.simulation.motions import Script
from tracker.simulation.sensor import Sensor

AXES = "x=right,y=up,z=back"  # the phone upright on the back, its screen away from the wearer
RATE_HZ = 50.0
G_MS2 = 9.80665


class Mover:
    """The sending thread. Use as a context manager."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self._stop = threading.Event()
        self._wanted: list[Samples] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run)
        self._stand = self._made(None, {}, place=Placement.UPPER_BACK)

    def __enter__(self) -> Self:
        """Begin to stand."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sending."""
        self._stop.set()
        self._thread.join(20)

    def do(self, exercise: Exercise, **how: float) -> None:
        """One set, from standing and back to it; see `tracker.simulation.drills.perform`."""
        with self._lock:
            self._wanted.append(self._made(exercise, how, place=Placement.UPPER_BACK))

    def _made(self, exercise: Exercise | None, how: dict[str, float], place: Placement) -> Samples:
        script = Script(np.random.default_rng(5))
        script.stand(1.0 if exercise else 6.0)
        if exercise:
            perform(script, exercise, **how)  # type: ignore[arg-type]
            to_standing(script)
            script.stand(1.0)
        worn = Sensor(fs_hz=RATE_HZ, mounting=Axes.parse(AXES).rotation())
        return record(script, place, worn).samples

    def _run(self) -> None:
        begun, number, sent = time.monotonic(), 0, 0
        t0_ms = SYSTEM_CLOCK.now_ns() // 1_000_000
        source, at = self._stand, 0
        while not self._stop.wait(0.2):
            due = int((time.monotonic() - begun) * RATE_HZ) - sent
            rows = []
            for _ in range(due):
                if at >= len(source):
                    with self._lock:
                        source, at = (self._wanted.pop(0) if self._wanted else self._stand), 0
                assert source.gyr_dps is not None
                acc, gyr = source.acc_g[at] * G_MS2, source.gyr_dps[at]
                # Alpha turns about z, beta about x, gamma about y.
                turn = (gyr[2], gyr[0], gyr[1])
                rows.append(
                    [round(1000 * sent / RATE_HZ, 2), *(round(float(x), 4) for x in (*acc, *turn))]
                )
                at, sent = at + 1, sent + 1
            if rows:
                self._send(number, t0_ms, rows)
                number += 1

    def _send(self, number: int, t0_ms: int, rows: list[list[float]]) -> None:
        body = {
            "v": 1, "src": "devicemotion", "session": "mover", "batch": number, "t0": t0_ms,
            "at": rows[-1][0], "flip": False, "s": rows,
        }  # fmt: skip
        request = urllib.request.Request(  # noqa: S310 - our own door
            f"{self._url}/phone/batch",
            data=json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {self._token}",
                "content-type": "application/json",
            },
        )
        trust = ssl._create_unverified_context()  # noqa: S323 - a certificate of today
        with urllib.request.urlopen(request, timeout=20, context=trust) as answer:  # noqa: S310
            assert answer.status == 200
