# SPDX-License-Identifier: Apache-2.0
"""Our chain and its peers side by side on one simulated day: CPU time, memory, ratios.

    python -m bench.speed_peers [--repeat 3 | --quick] [--only NAME ...] [--no-write]

Every figure is the CPU time of a process of its own, imports and loading left out. A sosfiltfilt
pass over the same six channels runs between every two of them and shows how the machine drifts.
The peers live in .cache/peers, each in an environment of its own, made from the package index when
it is first needed. Writes docs/accuracy/speed.json and speed.md.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from scipy.signal import butter, sosfiltfilt

from bench.peers.environments import NotInstalledError, environment, last_line, single_threaded
from bench.peers.page import page
from bench.peers.plan import OURS, PEERS, Peer, Step
from bench.peers.table import Row, Run, ratio, table
from tracker.simulation.days import workday
from tracker.simulation.sensor import Sensor

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "peers"
RUNNERS = ROOT / "bench" / "peers"
OUT = ROOT / "docs" / "accuracy" / "speed.json"
HOURS, FS_HZ, SEED = 24, 50, 7
START_NS = 1_772_409_600_000_000_000  # 2 March 2026, 00:00 UTC
LIMIT_S = 3600

Job = tuple[Peer, Step]


def saved_day() -> Path:
    """The folder with the day's arrays; another simulator makes another day."""
    made = hashlib.sha256()
    for source in sorted((ROOT / "tracker" / "simulation").glob("*.py")):
        made.update(source.read_bytes())
    folder = CACHE / f"day-{made.hexdigest()[:12]}"
    if (folder / "gyr_dps.npy").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    sensor = Sensor(
        fs_hz=FS_HZ,
        gain=np.array([1.010, 0.990, 1.005]),
        bias_g=np.array([0.020, -0.015, 0.010]),
        bias_dps=np.array([0.5, -0.3, 0.2]),
    )
    rng = np.random.default_rng(SEED)
    samples = workday(rng, hours=HOURS, sensor=sensor, start_ns=START_NS).samples
    n = HOURS * 3600 * FS_HZ
    np.save(folder / "t_ns.npy", samples.t_ns[:n])
    np.save(folder / "acc_g.npy", samples.acc_g[:n])
    np.save(folder / "gyr_dps.npy", samples.gyr_dps[:n])
    return folder


@dataclass(slots=True)
class Reference:
    """One order-4 sosfiltfilt pass over the day's six channels, and what it cost each time."""

    day: Path
    seconds: list[float]

    def __call__(self) -> float:
        """CPU seconds of one more pass; never below the clock's step."""
        acc, gyr = np.load(self.day / "acc_g.npy"), np.load(self.day / "gyr_dps.npy")
        sos = butter(4, 0.5, fs=FS_HZ, output="sos")
        begin = time.process_time()
        sosfiltfilt(sos, acc, axis=0)
        sosfiltfilt(sos, gyr, axis=0)
        self.seconds.append(max(time.process_time() - begin, 1e-3))
        return self.seconds[-1]


def interpreter(peer: Peer) -> Path:
    """Ours runs here, a peer in its own environment."""
    if not peer.requirement:
        return Path(sys.executable)
    return environment(CACHE / peer.name, peer.requirement)


def quickened(peer: Peer) -> Peer:
    """The same with the short spans."""
    return replace(peer, steps=tuple(replace(s, hours=s.quick_hours) for s in peer.steps))


def run_once(python: Path, peer: Peer, step: Step, day: Path) -> tuple[dict[str, Any], str]:
    """What the runner wrote, or nothing and the sentence why."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "found.json"
        command = [str(python), str(RUNNERS / peer.runner), str(day), step.name]
        try:
            done = subprocess.run(
                [*command, str(step.hours), str(out)],
                capture_output=True,
                text=True,
                check=False,
                timeout=LIMIT_S,
                cwd=scratch,
                env=single_threaded() | ({} if peer.requirement else {"PYTHONPATH": str(ROOT)}),
            )
        except subprocess.TimeoutExpired:
            return {}, f"did not finish within {LIMIT_S} s"
        if done.returncode or not out.exists():
            return {}, f"stopped: {last_line(done.stderr)}"
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return found, ""


def measure(jobs: list[tuple[Peer, Step, Path]], day: Path, repeat: int) -> tuple[list[Row], Any]:
    """All jobs in turn, the whole round repeated, a reference pass between any two."""
    reference = Reference(day, [])
    reference()
    rows = {
        (p.name, s.name): Row(package=p.name, version="", work=s.name, hours=s.hours)
        for p, s, _ in jobs
    }
    for turn in range(repeat):
        for peer, step, python in jobs:
            row = rows[peer.name, step.name]
            if row.missing:
                continue
            before = reference.seconds[-1]
            found, why = run_once(python, peer, step, day)
            between = (before + reference()) / 2
            if why:
                row = replace(row, missing=why, runs=())
            else:
                run = Run(
                    cpu_s=found["cpu_s"],
                    reference_s=between,
                    peak_mb=found["peak_mb"],
                    parts=found["parts"],
                )
                row = replace(row, version=found["version"], runs=(*row.runs, run))
            rows[peer.name, step.name] = row
            figure = why or f"{found['cpu_s']:.2f} s, {found['peak_mb']:.0f} MB"
            print(f"{turn + 1}/{repeat} {peer.name:22} {step.name:26} {figure}", flush=True)
    return list(rows.values()), reference.seconds


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def load_average() -> float | None:
    """Processes that wanted a core in the last minute; None where the system does not say."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--quick", action="store_true", help="each once, slow work on a part of the day"
    )
    parser.add_argument("--only", nargs="*", help="these peers alone")
    parser.add_argument("--no-write", action="store_true", help="print, leave docs/ as it is")
    options = parser.parse_args()
    repeat = 1 if options.quick else options.repeat
    loads = [load_average()]
    day = saved_day()
    jobs: list[tuple[Peer, Step, Path]] = []
    absent: list[Row] = []
    steps: list[Job] = []
    for full in (OURS, *PEERS):
        peer = quickened(full) if options.quick else full
        if options.only and full is not OURS and peer.name not in options.only:
            continue
        steps += [(peer, s) for s in peer.steps]
        try:
            python = interpreter(peer)
        except NotInstalledError as error:
            print(error)
            absent.append(
                Row(package=peer.name, version="", work="-", hours=24, missing=str(error))
            )
            continue
        jobs += [(peer, s, python) for s in peer.steps]
    rows, seconds = measure(jobs, day, repeat)
    ours = rows[0]
    if not ours.runs:
        sys.exit(f"ours {ours.missing}: nothing to compare with")
    loads.append(load_average())
    rows += absent
    found = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "load_average": loads,
        "repeat": repeat,
        "seed": SEED,
        "reference_s": [round(s, 4) for s in seconds],
        "ours": ours.work,
        "rows": [
            {"package": r.package, "work": r.work, "hours": r.hours, "missing": r.missing}
            if not r.runs
            else asdict(r)
            | {
                "cpu_s_day": round(r.cpu_s_day, 3),
                "ratio": round(ratio(r, ours), 2),
                "sosfiltfilt": round(r.references, 2),
            }
            for r in rows
        ],
    }
    print("\n" + "\n".join(table(rows, ours)))
    if not options.no_write:
        OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        OUT.with_suffix(".md").write_text(page(found, rows, steps), encoding="utf-8")


if __name__ == "__main__":
    main()
