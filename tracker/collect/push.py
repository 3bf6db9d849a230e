# SPDX-License-Identifier: Apache-2.0
"""The home's side: finished hours go to the practice's server and none is lost.

What the practice has is remembered by a digest per hour (`practice.db`, the collector's own), so
an hour leaves only when it changed: new epochs, a re-analysis, a correction. Looks at the newest
hours every round, at two days every hour, at everything at the start and once a day. An outage is
waited out; nothing has to be flushed at the end, because what was not acknowledged is sent again.
"""

import gzip
import hashlib
import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tracker.clock import Clock
from tracker.collect.practice_list import Practice, join, leave, practices
from tracker.collect.practice_post import TIMEOUT_S, post_https
from tracker.collect.wire import epochs_json
from tracker.errors import AccessDenied, ServiceError, StoreError
from tracker.model import EPOCH_COLUMNS, SECOND_NS, Placement
from tracker.store.base import Batch
from tracker.store.codec import live_json
from tracker.store.sqlite_read import SqliteReader

__all__ = [
    "FORMAT",
    "Practice",
    "Pusher",
    "Sent",
    "join",
    "leave",
    "post_https",
    "practices",
    "start_push",
]

log = logging.getLogger("backstay.push")

FORMAT = "backstay-hours-1"
HOUR_NS = 3600 * SECOND_NS
ROUND_S = 20.0
LONGEST_WAIT_S = 300.0
HOURS_AT_ONCE = 12
_FRESH_NS = 60 * SECOND_NS


class Sent:
    """Digests of the hours that a practice has acknowledged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as db, db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS sent (target TEXT, placement TEXT, hour_s INTEGER, "
                "digest TEXT, PRIMARY KEY (target, placement, hour_s))"
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)

    def known(self, target: str) -> dict[tuple[str, int], str]:
        """(placement, hour in s) -> digest."""
        with closing(self._open()) as db:
            rows = db.execute(
                "SELECT placement, hour_s, digest FROM sent WHERE target = ?", (target,)
            ).fetchall()
        return {(p, h): d for p, h, d in rows}

    def note(self, target: str, rows: Mapping[tuple[str, int], str]) -> None:
        """Acknowledged."""
        with closing(self._open()) as db, db:
            db.executemany(
                "INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?)",
                [(target, p, h, d) for (p, h), d in rows.items()],
            )


class Pusher:
    """Sends what one practice has not got. `step` looks once; `run` goes on until told to stop."""

    def __init__(
        self, practice: Practice, reader: SqliteReader, sent: Sent, clock: Clock,
        post: "Callable[[Practice, bytes], None] | None" = None,
    ) -> None:  # fmt: skip
        self._practice, self._reader, self._sent, self._clock = practice, reader, sent, clock
        self._post = post or post_https
        self._target = hashlib.sha256(
            f"{practice.url}|{practice.wearer}|{practice.token}".encode()
        ).hexdigest()[:16]
        self._looked: dict[str, int] = {}

    def step(self, *, everything: bool = False) -> int:
        """Send every changed hour of what is due to be looked at; how many were acknowledged.

        Raises ServiceError while the practice is away, AccessDenied when it refuses the token.
        """
        now_ns = self._clock.now_ns()
        span_ns = self._due(now_ns, everything=everything)
        known = self._sent.known(self._target)
        count = 0
        waiting: list[_Hour] = []
        for key, digest, hour in self._hours(now_ns - span_ns, now_ns, known):
            if known.get(key) == digest:
                continue
            waiting.append((key, digest, hour))
            if len(waiting) == HOURS_AT_ONCE:
                count += self._send(waiting)
                waiting = []
        if waiting or self._live():
            count += self._send(waiting)
        self._looked_at(span_ns, now_ns)
        return count

    def _due(self, now_ns: int, *, everything: bool) -> int:
        """How far back to look now."""
        for name, every_s, span_ns in _LOOKS:
            last = self._looked.get(name)
            if everything or last is None or now_ns - last >= every_s * SECOND_NS:
                return span_ns
        return _LOOKS[-1][2]

    def _looked_at(self, span_ns: int, now_ns: int) -> None:
        for name, _, span in _LOOKS:
            if span <= span_ns:
                self._looked[name] = now_ns

    def _hours(
        self, first_ns: int, now_ns: int, known: Mapping[tuple[str, int], str]
    ) -> "Iterator[_Hour]":
        who = self._practice.wearer
        low = max(0, first_ns) // HOUR_NS * HOUR_NS
        for place in [p for w, p in self._reader.wearers() if w == who]:
            there = {row.start_ns for row in self._reader.hours(who, place, low, now_ns)}
            for gap in self._reader.gaps(who, place, low, now_ns):
                if gap.start_ns >= low:
                    there.add(gap.start_ns // HOUR_NS * HOUR_NS)
            # An hour that is empty now, after an erasure or a re-analysis, is sent as empty.
            there |= {h * SECOND_NS for p, h in known if p == str(place) and h * SECOND_NS >= low}
            for hour_ns in sorted(there):
                hour = self._read(place, hour_ns)
                yield (str(place), hour_ns // SECOND_NS), _digest(hour), hour

    def _read(self, place: Placement, hour_ns: int) -> Batch:
        span = (self._practice.wearer, place, hour_ns, hour_ns + HOUR_NS)
        return Batch(
            wearer=self._practice.wearer,
            placement=place,
            epochs=self._reader.epochs(*span),
            transitions=self._reader.transitions(*span),
            sets=self._reader.sets(*span),
            gaps=[g for g in self._reader.gaps(*span) if g.start_ns >= hour_ns],
        )

    def _live(self) -> dict[str, Any]:
        who, now_ns = self._practice.wearer, self._clock.now_ns()
        rows = {p: self._reader.live(who, p) for w, p in self._reader.wearers() if w == who}
        return {
            str(place): json.loads(live_json(row))
            for place, row in rows.items()
            if row is not None and now_ns - row.at_ns < _FRESH_NS
        }

    def _send(self, hours: "Sequence[_Hour]") -> int:
        who = self._practice.wearer
        places = [p for w, p in self._reader.wearers() if w == who]
        calibrated = {
            str(p): max(c.from_ns for c in found)
            for p in places
            if (found := [c for c in self._reader.calibrations(who, p) if c.kind != "today"])
        }
        body = {
            "format": FORMAT,
            "zone": str(self._reader.zone_of(who)),
            "hours": [_content(hour, key[1] * SECOND_NS) for key, _, hour in hours],
            "live": self._live(),
            "calibrated_ns": calibrated,
        }
        self._post(self._practice, gzip.compress(json.dumps(body).encode(), 5))
        self._sent.note(self._target, {key: digest for key, digest, _ in hours})
        return len(hours)


_Hour = tuple[tuple[str, int], str, Batch]


def _content(hour: Batch, hour_ns: int) -> dict[str, Any]:
    assert hour.epochs is not None  # noqa: S101 - read above
    return {
        "placement": str(hour.placement),
        "hour_ns": hour_ns,
        "epochs": epochs_json(hour.epochs),
        "transitions": [asdict(t) for t in hour.transitions],
        "sets": [{**asdict(s), "exercise": s.exercise.label} for s in hour.sets],
        "gaps": [asdict(g) for g in hour.gaps],
    }


def _digest(hour: Batch) -> str:
    assert hour.epochs is not None  # noqa: S101 - read above
    made = hashlib.sha256(hour.epochs.algo.encode())
    for column in EPOCH_COLUMNS:
        made.update(getattr(hour.epochs, column).tobytes())
    made.update(repr((hour.transitions, hour.sets, hour.gaps)).encode())
    return made.hexdigest()


# (name, every so many seconds, how far back): the widest that is due wins.
_LOOKS = (
    ("all", 86_400, 1 << 62),
    ("days", 3600, 48 * HOUR_NS),
    ("now", 0, 2 * HOUR_NS),
)


def start_push(reader: SqliteReader, folder: Path, clock: Clock) -> Callable[[], None]:
    """Push for every joined wearer in a thread of the collector; the result ends it.

    `backstay practice join` and `leave` act at the next round.
    """
    stop = threading.Event()

    def run() -> None:
        pushers: dict[Practice, Pusher] = {}
        fails = 0
        while not stop.is_set():
            wait_s = ROUND_S
            try:
                wanted = practices(folder)
                for practice in wanted:
                    if practice not in pushers:
                        sent = Sent(folder / "practice.db")
                        pushers[practice] = Pusher(practice, reader, sent, clock)
                    pushers[practice].step()
                fails = 0
            except (ServiceError, AccessDenied, StoreError, sqlite3.Error) as error:
                fails += 1
                wait_s = min(LONGEST_WAIT_S, ROUND_S * 2 ** min(fails - 1, 5))
                log.warning("hours wait for the practice: %s", error)
            stop.wait(clock.real_s(wait_s))

    thread = threading.Thread(target=run, name="practice-push", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(timeout=TIMEOUT_S + 5)

    return end
