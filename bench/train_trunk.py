# SPDX-License-Identifier: Apache-2.0
"""Fit the trunk poses (upright, slumped, forward, back, left, right) from two angles at T4.

    python -m bench.train_trunk

Data: `sit_postures` (CC BY 4.0). Angles are relative to one upright pose of the same person; every
block counts twice, once mirrored, so left and right are alike. Softmax of six numbers.
"""

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from bench.fit import fit
from bench.recordings import Recording, recordings, reference
from bench.train_models import OUT, rows_of
from tracker.model import Trunk
from tracker.signal import features as f
from tracker.signal.blocks import BLOCK_NS
from tracker.signal.calibrate import Axes, calibrate
from tracker.signal.trunk import TrunkModel, angles, numbers

POSE_OF = {
    1: Trunk.BACK,
    2: Trunk.UPRIGHT,
    3: Trunk.SLUMPED,
    4: Trunk.FORWARD,
    5: Trunk.RIGHT,
    6: Trunk.LEFT,
}
L2 = 3e-4


def table(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Forward and side angle (n, 2) and pose of each block."""
    assert recording.axes is not None
    poses = reference(recording)
    cal = calibrate(recording.samples, recording.placement, Axes.parse(recording.axes), poses)
    index, rows = rows_of(recording.samples, np.array(cal.rotation), cal.gain[0])
    tilt, side = angles(rows[:, f.MEAN].astype(np.float64))
    at = np.searchsorted(recording.samples.t_ns, index * BLOCK_NS + BLOCK_NS // 2)
    code = recording.label[np.minimum(at, len(recording.label) - 1)]
    good = (rows[:, f.VALID] > 0.5) & np.isin(code, list(POSE_OF))
    y = np.array([POSE_OF[int(c)] for c in code[good]])
    x = np.stack([tilt - cal.tall_deg, side - cal.tall_side_deg], axis=1)[good]
    return x, y


def train(tables: dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]) -> TrunkModel:
    """Softmax over the poses."""
    x = np.concatenate([tables[p][0] for p in sorted(tables)])
    y = np.concatenate([tables[p][1] for p in sorted(tables)])
    swap = np.arange(7)
    swap[[Trunk.LEFT, Trunk.RIGHT]] = [Trunk.RIGHT, Trunk.LEFT]
    x = np.concatenate([x, x * [1.0, -1.0]])
    y = np.concatenate([y, swap[y]])
    classes = np.unique(y)
    own = np.searchsorted(classes, y)
    net = fit(numbers(x[:, 0], x[:, 1]), own, len(classes), l2=L2, steps=300)
    w, b = net.layers[0]
    return TrunkModel(
        classes=classes.astype(np.int64),
        mean=net.mean,
        scale=net.scale,
        weight=w,
        bias=b,
    )


def tables() -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Everyone given here."""
    return {r.person: table(r) for r in recordings("sit_postures")}


def main() -> None:
    """Write tracker/signal/weights/trunk.json: numbers and card in one."""
    data = tables()
    model = train(data)
    right = {}
    for person in sorted(data):
        others = train({p: t for p, t in data.items() if p != person})
        x, y = data[person]
        right[person] = float((others.poses(x[:, 0], x[:, 1])[0] == y).mean())
    arrays = {
        k: np.round(getattr(model, k), 6).tolist()
        for k in ("classes", "mean", "scale", "weight", "bias")
    }
    digest = hashlib.sha256(json.dumps(arrays).encode()).hexdigest()[:12]
    card = {
        "model": "trunk",
        "what": "pose of the trunk from forward and side angle relative to one upright pose, T4",
        "data": "sit_postures",
        "terms": "CC BY 4.0, Ali et al. 2026, IMU Sitting Postures Dataset, Cairo University",
        "people": sorted(data),
        "blocks": int(sum(len(t[1]) for t in data.values())),
        "form": "six numbers, softmax; left and right mirrored",
        "l2": L2,
        "left_out_accuracy": round(float(np.mean(list(right.values()))), 4),
        "weights_hash": digest,
        "script": "bench/train_trunk.py",
        **arrays,
    }
    (OUT / "trunk.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print("accuracy of people left out", card["left_out_accuracy"], "worst", min(right.values()))


if __name__ == "__main__":
    main()
