# SPDX-License-Identifier: Apache-2.0
"""docs/accuracy/speed.md from what was found. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.peers.plan import Peer, Step
from bench.peers.table import Row, bars, parts_table, table

NOTES = """
- CPU seconds of a fresh process on one thread; imports, loading, conversion into the package's own
  shape and a warm-up on ten minutes left out for everyone.
- *ours = 1*: times the CPU seconds of our `{work}` in the same run. *sosfiltfilt = 1*: in reference
  passes run just before and after; a pass is short and bound by memory, so on a busy machine it
  moves more than longer work does, and this column with it.
- *scaled*: only the first hours of the day were run and the time multiplied. Work whose cost grows
  faster than the recording is flattered by that, and the gravity calibration of
  scikit-digital-health passes spans under 12 h over. *peak MB* is memory above the input for the
  span that was run.
- The day: 24 h at 50 Hz, acceleration and gyroscope, `workday` of the simulator, seed {seed}: desk
  work round the clock with breaks, walks and bends, no night. Every package gets the same numbers,
  axes already along the body. It says nothing about accuracy.
"""


def page(found: Mapping[str, Any], rows: Sequence[Row], steps: Sequence[tuple[Peer, Step]]) -> str:
    """The whole page; the first row is ours."""
    ours = rows[0]
    m, seconds = found["machine"], found["reference_s"]
    first, last = found["load_average"]
    busy = "" if first is None else f"Load average {first} at the start and {last} at the end. "
    lines = [
        "# Speed beside the peers",
        "",
        "Written by `make bench-speed`; do not edit.",
        "",
        (
            f"{found['date']}; {m['processor']}, {m['cores']} cores, {m['system']}, Python "
            f"{m['python']}, numpy {m['numpy']}, scipy {m['scipy']}; median of {found['repeat']} "
            f"run(s) of each. {busy}The reference, one order-4 `sosfiltfilt` over the day's six "
            f"channels, took {min(seconds):.2f} to {max(seconds):.2f} CPU s in the same run: its "
            "spread shows how busy the machine was."
        ),
        "",
        *table(rows, ours),
        NOTES.format(work=ours.work, seed=found["seed"]),
        "## Our own bars",
        "",
        *bars(rows, ours),
    ]
    compound = [row for row in rows if row.parts]
    if compound:
        lines += ["", "## Where compound work spends its time", "", *parts_table(compound)]
    lines += ["", "## What each does and does not do", ""]
    lines += ["| package | work | does | does not |", "|---|---|---|---|"]
    lines += [f"| {p.name} | {s.name} | {s.does} | {s.does_not} |" for p, s in steps]
    return "\n".join(lines) + "\n"
