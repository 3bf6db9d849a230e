# SPDX-License-Identifier: Apache-2.0
"""What every runner shares: load the day, warm up, measure one piece of work, write one JSON file.

    python bench/peers/run_NAME.py DAY STEP HOURS OUT

Runs in the peer's own environment, so it needs numpy and the standard library alone. One process
measures one step. Loading, conversion into the peer's own shape and imports come before the clock
starts; a first pass over ten minutes takes lazy imports and compilers out of the figure for
everyone alike.
"""

import json
import platform
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

FS_HZ = 50.0
STANDARD_GRAVITY = 9.80665
WARM_S = 600

Parts = dict[str, float]


@dataclass(frozen=True)
class Recording:
    """Time (n,) int64 ns since 1970, acceleration (n, 3) g and rate (n, 3) deg/s, float32.

    Axes: x forward, y to the wearer's left, z up.
    """

    t_ns: Any
    acc_g: Any
    gyr_dps: Any

    def part(self, seconds: float) -> "Recording":
        """The first seconds."""
        n = int(seconds * FS_HZ)
        return Recording(self.t_ns[:n], self.acc_g[:n], self.gyr_dps[:n])


class Laps:
    """CPU seconds of the parts of one piece of work."""

    def __init__(self) -> None:
        self.parts: Parts = {}
        self._last = time.process_time()

    def lap(self, name: str) -> None:
        """Book the time since the last lap."""
        now = time.process_time()
        self.parts[name] = round(now - self._last, 4)
        self._last = now


# From the recording to the work; the work may return the laps of its parts.
Prepare = Callable[[Recording], Callable[[], "Laps | None"]]


def load(day: Path, hours: float) -> Recording:
    """The first hours of the saved day."""
    n = int(hours * 3600 * FS_HZ)
    return Recording(
        *(np.load(day / f"{name}.npy")[:n].copy() for name in ("t_ns", "acc_g", "gyr_dps"))
    )


def memory_mb(field: str) -> float:
    """VmRSS or VmHWM of this process in MB; the high mark of getrusage where there is no /proc."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reset_peak() -> None:
    """Let VmHWM begin anew; without the right to do so the peak of loading stays in it."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        try:
            clear.write_text("5", encoding="ascii")
        except PermissionError:
            print("the peak cannot be reset here: it includes loading", file=sys.stderr)


def main(distribution: str, steps: Mapping[str, Prepare]) -> None:
    """Measure one step as the command line says."""
    day, step, hours, out = sys.argv[1:5]
    recording = load(Path(day), float(hours))
    steps[step](recording.part(WARM_S))()
    work = steps[step](recording)
    reset_peak()
    held_mb = memory_mb("VmRSS")
    begin = time.process_time()
    laps = work()
    cpu_s = time.process_time() - begin
    found = {
        "cpu_s": cpu_s,
        "peak_mb": max(0.0, memory_mb("VmHWM") - held_mb),
        "parts": laps.parts if isinstance(laps, Laps) else {},
        "version": version(distribution),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    Path(out).write_text(json.dumps(found), encoding="utf-8")
