# SPDX-License-Identifier: Apache-2.0
"""The contract of a series store: what every store writes and answers, with equal numbers.

One contract test suite (`tests/contract/test_stores.py`) runs on every file in this folder that
defines `open_store(settings)`. The embedded SQLite store is the source of truth; others are sinks
with the same reads. People, diary, grants and audit are `records.py`, not here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tracker.model import Epochs, ExerciseSet, Gap, Live, Placement, Samples, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one collector tick writes for one wearer and placement, in one transaction.

    `chain_state` is the chain's serialised state *after* the sample of `chain_through_ns` (None:
    after all of `raw`); after a crash the collector loads it and replays the raw samples that came
    later: live equals after-crash by construction.
    `replace_from_ns`/`replace_to_ns` make a re-analysis replace what was there (epochs,
    transitions, sets) in that half-open span.
    """

    wearer: str
    placement: Placement
    raw: Samples | None = None
    epochs: Epochs | None = None
    transitions: Sequence[Transition] = ()
    sets: Sequence[ExerciseSet] = ()
    gaps: Sequence[Gap] = ()
    chain_state: bytes | None = None
    chain_through_ns: int | None = None
    live: Live | None = None
    replace_from_ns: int | None = None
    replace_to_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """Rollup of one wearer's local day at one placement; seconds unless said otherwise."""

    wearer: str
    placement: Placement
    day: str
    start_ns: int
    tz_offset_s: int
    seconds: dict[str, int] = field(default_factory=dict)  # state label -> seconds
    values: dict[str, float] = field(default_factory=dict)  # longest_sit_min, w50_min, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRow:
    """Rollup of one UTC hour; seconds by state label."""

    start_ns: int
    seconds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorConfig:
    """One sensor that the collector serves: which address, on whom and where.

    `options` is free for the collector (axes, rate, token of a phone, ...), JSON values only.
    """

    address: str
    wearer: str
    placement: Placement
    name: str = ""
    decoder: str = ""
    enabled: bool = True
    added_ns: int = 0
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRecord:
    """One calibration of one wearer and placement, valid from `from_ns` until the next one.

    `kind` is "poses" (a person stood, walked and sat), "auto" (seen in the first seconds), "today"
    (the mounting as the day's first walk shows it) or "shared" (only its day is known here). `body`
    holds what `tracker.signal` needs (mounting, poses), JSON values only.
    """

    from_ns: int
    kind: str
    body: dict[str, object]

    @property
    def by_person(self) -> bool:
        """Whether a person took part in it, so that its day is "the day of calibration"."""
        return self.kind not in ("auto", "today")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirtyHour:
    """One hour whose rows still have to reach InfluxDB; `version` changes with every write.

    Epochs before `from_ns` have reached it and did not change.
    """

    wearer: str
    placement: Placement
    hour_ns: int
    version: int
    from_ns: int = 0


class SeriesReads(Protocol):
    """Reads of the series of all wearers. Times are UTC ns, spans half-open."""

    def wearers(self) -> Sequence[tuple[str, Placement]]:
        """Every (wearer, placement) with data."""

    def epochs(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Epochs:
        """Epochs that start in the span."""

    def transitions(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[Transition]:
        """Transitions in the span."""

    def sets(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[ExerciseSet]:
        """Exercise sets that start in the span."""

    def gaps(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Sequence[Gap]:
        """Gaps that touch the span."""

    def days(self, wearer: str, placement: Placement, first: str, last: str) -> Sequence[DayRow]:
        """Day rollups, both days included (ISO dates)."""

    def days_of(
        self,
        series: Sequence[tuple[str, Placement]],
        first: str,
        last: str,
        *,
        detail: bool = True,
    ) -> dict[tuple[str, Placement], Sequence[DayRow]]:
        """Day rollups of many series at once (a practice's week); a series without any is empty.

        Without `detail` the values per half hour and per class are left out: a quarter of the time.
        """

    def hours(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[HourRow]:
        """Hour rollups that start in the span (UTC hours)."""

    def live(self, wearer: str, placement: Placement) -> Live | None:
        """The newest live row; always read from the embedded store."""

    def close(self) -> None:
        """Release files and connections."""


class SeriesStore(SeriesReads, Protocol):
    """Reads and writes of the series of all wearers."""

    def write(self, batch: Batch) -> None:
        """Store all of a batch or nothing. Writing the same again changes nothing."""

    def erase(self, wearer: str) -> int:
        """Delete everything of one wearer; the number of rows deleted. Idempotent."""
