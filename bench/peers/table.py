# SPDX-License-Identifier: Apache-2.0
"""From measured runs to rows, and from rows to the page. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

HEAD = (
    "| package | version | work | span | CPU s a day | ours = 1 | sosfiltfilt = 1 | peak MB |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One fresh process. `reference_s` is the mean of the sosfiltfilt passes before and after."""

    cpu_s: float
    reference_s: float
    peak_mb: float
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: figures, or the sentence why there are none."""

    package: str
    version: str
    work: str
    hours: float
    runs: tuple[Run, ...] = ()
    missing: str = ""

    @property
    def cpu_s_day(self) -> float:
        """Median CPU seconds, scaled to 24 h."""
        return median(r.cpu_s for r in self.runs) * 24 / self.hours

    @property
    def references(self) -> float:
        """The same in sosfiltfilt passes over a day's six channels, each run by its neighbours.

        Shows drift of the machine between rows; the pass itself is short and noisy.
        """
        return median(r.cpu_s / r.reference_s for r in self.runs) * 24 / self.hours

    @property
    def peak_mb(self) -> float:
        """Median memory above the input, for the span that was run."""
        return median(r.peak_mb for r in self.runs)

    @property
    def parts(self) -> dict[str, float]:
        """CPU seconds a day of the parts, median of the runs."""
        names = self.runs[0].parts if self.runs else {}
        return {n: median(r.parts[n] for r in self.runs) * 24 / self.hours for n in names}


def ratio(row: Row, ours: Row) -> float:
    """How many times the CPU time of ours."""
    return row.cpu_s_day / ours.cpu_s_day


def table(rows: Sequence[Row], ours: Row) -> list[str]:
    """Markdown lines; a row without figures says why in place of them."""
    lines = list(HEAD)
    for row in rows:
        start = f"| {row.package} | {row.version} | {row.work} "
        if not row.runs:
            lines.append(f"{start}| - | - | - | - | {row.missing} |")
            continue
        span = "24 h" if row.hours >= 24 else f"{row.hours:g} h, scaled"
        lines.append(
            f"{start}| {span} | {row.cpu_s_day:.2f} | **{ratio(row, ours):.1f}** "
            f"| {row.references:.1f} | {row.peak_mb:.0f} |"
        )
    return lines


def parts_table(rows: Sequence[Row]) -> list[str]:
    """Where the time of compound work goes."""
    lines = ["| package | part | CPU s a day |", "|---|---|---|"]
    for row in rows:
        lines += [f"| {row.package} | {name} | {s:.2f} |" for name, s in row.parts.items()]
    return lines


def bars(rows: Sequence[Row], ours: Row) -> list[str]:
    """The limits this project set itself, the figure of this run, whether it holds."""
    lines = ["| bar | this run | holds |", "|---|---|---|"]

    def judged(bar: str, figure: str, holds: bool) -> None:
        lines.append(f"| {bar} | {figure} | {'yes' if holds else 'no'} |")

    judged("at most 1.0 CPU s a day", f"{ours.cpu_s_day:.2f} s", ours.cpu_s_day <= 1.0)
    judged("at most 64 MB above the input", f"{ours.peak_mb:.0f} MB", ours.peak_mb <= 64)
    bar = "50 times faster than scikit-digital-health's equivalent set"
    peers = [row for row in rows if row.package == "scikit-digital-health" and row.runs]
    if peers:
        judged(bar, f"{ratio(peers[0], ours):.1f} times", ratio(peers[0], ours) >= 50)
    else:
        lines.append(f"| {bar} | - | not measured |")
    return lines
