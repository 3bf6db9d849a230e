# SPDX-License-Identifier: Apache-2.0
"""CPU time of the whole chain beside one order-4 sosfiltfilt pass over the same channels.

    python -m bench.speed_chain [--hours 24] [--json FILE]

The day is simulated: sitting, slouching, walking, lying, noise of a commodity sensor.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from tracker import chain
from tracker.model import Placement, Samples
from tracker.signal.calibrate import Axes, calibrate

FS = 50


def day(hours: float, fs: int = FS) -> Samples:
    """A plain day: half an hour each of sitting, slouching, walking, standing, lying."""
    n = int(hours * 3600 * fs)
    rng = np.random.default_rng(7)
    t = np.arange(n) / fs
    part = (t // 1800).astype(int) % 5
    tilt = np.radians(np.array([0.0, 24.0, 3.0, 2.0, 85.0]))[part]
    tilt += np.radians(0.3) * np.sin(2 * np.pi * 0.25 * t)
    acc = np.stack([-np.sin(tilt), np.zeros(n), np.cos(tilt)], axis=1)
    walk = part == 2
    acc[walk, 2] += 0.2 * np.sin(2 * np.pi * 1.8 * t[walk]) + 0.06 * np.sin(
        2 * np.pi * 3.6 * t[walk]
    )
    acc[walk, 1] += 0.1 * np.sin(2 * np.pi * 0.9 * t[walk])
    gyr = np.zeros((n, 3))
    gyr[walk, 2] = 25 * np.sin(2 * np.pi * 0.9 * t[walk])
    return Samples(
        t_ns=(np.arange(n) * (1_000_000_000 // fs)).astype(np.int64),
        acc_g=(acc + rng.normal(0, 0.003, (n, 3))).astype(np.float32),
        gyr_dps=(gyr + rng.normal(0, 0.3, (n, 3))).astype(np.float32),
    )


def main() -> None:
    """Print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    samples = day(options.hours)
    axes = Axes.parse("x=forward,y=left,z=up")
    placement = Placement.UPPER_BACK
    chain.analyze(samples[: 600 * FS], chain.Setup(placement=placement))
    sos = butter(4, 0.5, fs=FS, output="sos")
    found: dict[str, float] = {"hours": options.hours}

    def cpu(name: str, count: int = 3) -> float:
        times = []
        for _ in range(count):
            begin = time.process_time()
            if name == "reference":
                sosfiltfilt(sos, samples.acc_g, axis=0)
                sosfiltfilt(sos, samples.gyr_dps, axis=0)
            elif name == "calibrate":
                calibrate(samples, placement, axes)
            else:
                chain.analyze(samples, setup)
            times.append(time.process_time() - begin)
        found[f"{name}_cpu_s"] = round(min(times), 4)
        return min(times)

    setup = chain.Setup(placement=placement, calibration=calibrate(samples, placement, axes))
    reference = cpu("reference")
    whole = cpu("chain")
    first = cpu("calibrate", 1)
    found["chain_over_sosfiltfilt"] = round(whole / reference, 2)
    found["with_calibration_over_sosfiltfilt"] = round((whole + first) / reference, 2)
    found["chain_cpu_s_per_day"] = round(whole * 24 / options.hours, 3)
    state = chain.start(setup)
    hop = 125
    for i in range(0, 40 * hop, hop):
        state, _ = chain.advance(state, samples[i : i + hop])
    each = []
    for i in range(40 * hop, 440 * hop, hop):
        begin = time.process_time()
        state, _ = chain.advance(state, samples[i : i + hop])
        each.append(time.process_time() - begin)
    found["live_ms_per_hop"] = round(1000 * float(np.mean(each)), 3)
    found["live_ms_p99"] = round(1000 * float(np.percentile(each, 99)), 3)
    found["peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    for name, value in found.items():
        print(f"{name:36} {value}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
