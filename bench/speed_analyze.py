# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of `backstay analyze` on a file, beside sosfiltfilt over the same channels.

    python -m bench.speed_analyze [--days 2] [--repeat 3] [--folder DIR] [--json FILE]

A simulated wearer's Parquet file, 50 Hz, acceleration and gyroscope. The command is a process of
its own: start, reading and writing included. The reference is one order-4 sosfiltfilt pass over
the six channels, in double and in single precision, in the same run; of each the best of the
repeats counts, since the machine may be shared. `peak_mb` is the process's own high mark; with
more than one number of days it shows whether memory grows with the recording.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from tracker.model import Samples
from tracker.recording import write_recording
from tracker.simulation.days import workday

FS_HZ = 50
DAY_NS = 24 * 3600 * 10**9
ROOT = Path(__file__).resolve().parent.parent
RUN = """
import os, sys
from pathlib import Path
from tracker.cli import main
try:
    main()
except SystemExit as end:
    if end.code:
        raise
times = os.times()
status = Path("/proc/self/status")
text = status.read_text() if status.exists() else "VmHWM: 0"
peak = next(line for line in text.splitlines() if line.startswith("VmHWM:")).split()[1]
sys.stderr.write(f"{times.user + times.system} {int(peak) / 1024}")
"""


def recording(folder: Path, days: int) -> Path:
    """A file of so many days; one simulated day, repeated."""
    path = folder / f"days-{days}.parquet"
    if not path.exists():
        one = workday(np.random.default_rng(1), hours=24).samples
        n = 24 * 3600 * FS_HZ
        parts = [
            Samples(
                t_ns=one.t_ns[:n] + k * DAY_NS,
                acc_g=one.acc_g[:n],
                gyr_dps=None if one.gyr_dps is None else one.gyr_dps[:n],
            )
            for k in range(days)
        ]
        write_recording(path, Samples.concat(parts))
    return path


def command(path: Path) -> tuple[float, float]:
    """CPU seconds and peak MB of one run."""
    out = path.with_suffix(".epochs.csv")
    outputs = [f"--epochs={out}", f"--summary={path.with_suffix('.json')}"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, "analyze", str(path), "--placement=upper-back", *outputs],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    cpu_s, peak_mb = done.stderr.splitlines()[-1].split()
    return float(cpu_s), float(peak_mb)


def reference(days: int, kind: str) -> float:
    """CPU seconds of the filter over six channels, one after another."""
    n = days * 24 * 3600 * FS_HZ
    sos = butter(4, 5, fs=FS_HZ, output="sos")
    rng = np.random.default_rng(0)
    channels = [rng.standard_normal(n, dtype=np.float32).astype(kind) for _ in range(6)]
    begin = time.process_time()
    for channel in channels:
        sosfiltfilt(sos, channel)
    return time.process_time() - begin


def measure(folder: Path, days: int, repeat: int) -> dict[str, float]:
    """Figures of one length."""
    path = recording(folder, days)
    runs = [command(path) for _ in range(repeat)]
    cpu_s = min(cpu for cpu, _ in runs)
    found = {
        "days": float(days),
        "analyze_cpu_s": round(cpu_s, 3),
        "cpu_s_per_day": round(cpu_s / days, 3),
        "peak_mb": round(max(peak for _, peak in runs), 1),
        "samples_mb": round(days * 24 * 3600 * FS_HZ * 32 / 2**20, 1),
    }
    for kind in ("float64", "float32"):
        found[f"sosfiltfilt_{kind}_cpu_s"] = min(reference(days, kind) for _ in range(repeat))
        found[f"over_sosfiltfilt_{kind}"] = round(cpu_s / found[f"sosfiltfilt_{kind}_cpu_s"], 2)
    return found


def main() -> None:
    """Print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", default=[2])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the recordings here")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        found = [measure(folder, days, options.repeat) for days in options.days]
    for figures in found:
        for name, value in figures.items():
            print(f"{name:32} {value:.3f}")
        print()
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
