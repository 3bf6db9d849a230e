# SPDX-License-Identifier: Apache-2.0
"""What the long day left behind: samples, holes, memory, and the figures for the page."""

import json
import os
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from bench.soak_page import write as write_page
from tests.soak.world import HOURS, PLACES, SPEED, World
from tracker.model import SECOND_NS, Samples
from tracker.store.sqlite import open_reader

OUT = os.environ.get("BACKSTAY_SOAK_OUT", "")
WEARER = "w-soak"
EVER = (0, 2**62)


def raw(world: World, name: str) -> Samples:
    """Stored samples of a series."""
    reader = open_reader(world.settings)
    try:
        return reader.raw(WEARER, PLACES[name], *EVER)
    finally:
        reader.close()


def holes_of(world: World, name: str) -> list[tuple[int, int]]:
    """Silences of more than half a second within the day, as (start, end) in ns."""
    t_ns = raw(world, name).t_ns
    t_ns = t_ns[t_ns <= world.end_ns]
    at = np.flatnonzero(np.diff(t_ns) > 0.5 * SECOND_NS)
    return [(int(t_ns[i]), int(t_ns[i + 1])) for i in at]


def late_and_early(world: World, name: str) -> tuple[float, float]:
    """Median memory of the last collector or of the dashboard: second quarter, last quarter."""
    last_pid = [pid for _, n, pid, _ in world.memory if n == name][-1]
    seen = [mb for _, n, pid, mb in world.memory if (n, pid) == (name, last_pid)]
    early, late = seen[len(seen) // 4 : len(seen) // 2 + 1], seen[len(seen) * 3 // 4 :]
    return statistics.median(early), statistics.median(late)


def write_figures(world: World) -> None:
    """Print them; keep them beside the page where `make soak` runs."""
    figures: dict[str, Any] = {
        "hours": HOURS, "speed": SPEED, "processors": os.cpu_count(),
        "load": round(os.getloadavg()[2], 1), "faults": dict(world.faults),
        "looks": dict(world.looks),
    }  # fmt: skip
    reader = open_reader(world.settings)
    for name, place in PLACES.items():
        t_ns = raw(world, name).t_ns
        holes = holes_of(world, name)
        gaps = reader.gaps(WEARER, place, *EVER)
        figures[str(place)] = {
            "samples": len(t_ns),
            "epochs": len(reader.epochs(WEARER, place, *EVER)),
            "holes": len(holes),
            "missing_s": round(sum(b - a for a, b in holes) / SECOND_NS, 1),
            "gap_reasons": dict(Counter(str(g.reason) for g in gaps)),
        }
    reader.close()
    for name in ("collector", "dashboard"):
        early, late = late_and_early(world, name)
        figures[f"{name}_mb"] = {"early": round(early, 1), "late": round(late, 1)}
    print(json.dumps(figures, indent=1))
    if OUT:
        Path(OUT).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        write_page()
