# SPDX-License-Identifier: Apache-2.0
"""Fit the small posture models; weights and cards go into tracker/signal/weights.

    python -m bench.train_models            all models, all people given here
    python -m bench.train_models chest      one family

`chest` is fitted on `dsads_torso` (CC BY 4.0), `waist` on `hapt_waist` (research only; a file of
its own, left out with BACKSTAY_HAPT_MODEL=off). Seeds are fixed. Variants of every recording stand
in for what other sensors do: mounting a few degrees off, gain off by some percent, 20 Hz.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.fit import fit
from bench.recordings import Recording, people
from bench.recordings import load as load_recording
from tracker.model import Samples
from tracker.signal import context
from tracker.signal import features as f
from tracker.signal.blocks import BLOCK_NS
from tracker.signal.calibrate import Axes, calibrate
from tracker.signal.decode import EXER, LIE, SIT, STAND, WALK
from tracker.signal.grid import advance_grid, finish_grid, start_grid
from tracker.signal.models import CHEST, WAIST, Model
from tracker.signal.segment import append_rows

OUT = Path(__file__).resolve().parent.parent / "tracker" / "signal" / "weights"
CLASSES = {
    "dsads_torso": {
        1: SIT,
        2: STAND,
        7: STAND,
        8: STAND,
        3: LIE,
        4: LIE,
        **dict.fromkeys((5, 6, 9, 10, 11), WALK),
        **dict.fromkeys(range(12, 20), EXER),
    },
    "hapt_waist": {1: WALK, 2: WALK, 3: WALK, 4: SIT, 5: STAND, 6: LIE},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a family is fitted."""

    source: str
    tilts_deg: tuple[float, float, float]  # spread of extra rotations: roll, pitch, yaw
    l2: float
    hidden: int = 16
    variants: int = 3
    gyro_variants: int = 3
    shuffled: bool = False
    steps: int = 200
    terms: str = ""

    def wanted(self, name: str) -> bool:
        """Whether a number of context.NAMES may be used."""
        absolute = name in ("ux", "uy", "abs_uy", "ux2", "uy2") or (
            name[-3:] in ("_ux", "_uy", "_uz") and "sway" not in name
        )
        if self.source == "dsads_torso":
            # Held bouts without transitions: the angle of a bout is the person's own, and what
            # came before means nothing.
            return not absolute and not name.startswith("lift")
        return True


RECIPES = {
    CHEST: Recipe(
        source="dsads_torso",
        tilts_deg=(5.0, 9.0, 6.0),
        l2=6e-4,
        shuffled=True,
        variants=1,
        steps=150,
        terms="dsads_torso: CC BY 4.0 (UCI 256), Altun, Barshan, Tuncel 2010",
    ),
    WAIST: Recipe(
        source="hapt_waist",
        tilts_deg=(4.0, 4.0, 20.0),
        l2=3e-4,
        terms="hapt_waist: RESEARCH ONLY (UCI 341), Reyes-Ortiz et al. 2016; "
        "BACKSTAY_HAPT_MODEL=off leaves this model out",
    ),
}


def slower(samples: Samples, fs_hz: float, rng: np.random.Generator) -> Samples:
    """The same movement from a slower, noisier sensor."""
    keep = [0]
    step = 1e9 / fs_hz
    t = samples.t_ns
    while True:
        at = int(np.searchsorted(t, t[keep[-1]] + step * 0.98))
        if at >= len(t):
            break
        keep.append(at)
    rows = np.array(keep)
    acc = samples.acc_g[rows] + rng.normal(0, 0.004, (len(rows), 3)).astype(np.float32)
    gyr = None if samples.gyr_dps is None else samples.gyr_dps[rows]
    return Samples(t_ns=t[rows], acc_g=acc, gyr_dps=gyr)


def rotation(rng: np.random.Generator, spread_deg: Sequence[float]) -> NDArray[np.float64]:
    """A random rotation: roll, pitch, yaw with these standard deviations."""
    a, b, c = np.radians(rng.normal(0, 1, 3) * np.array(spread_deg))
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(rx @ ry @ rz)


def rows_of(
    samples: Samples, turn: NDArray[np.float64], gain: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Blocks and rows of samples in body axes."""
    state = start_grid()
    one = np.full(3, gain, np.float32)
    state, blocks = advance_grid(
        state, samples, turn.astype(np.float32), np.zeros(3, np.float32), one
    )
    _, rest = finish_grid(state)
    blocks = blocks.join(rest)
    _, rows = f.advance_features(f.start_features(), blocks)
    return blocks.index, rows


def table(
    recording: Recording, recipe: Recipe, seed: int, *, gyro: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Numbers and classes of all variants of a recording, for a model with or without gyro."""
    rng = np.random.default_rng([seed, int.from_bytes(recording.person.encode(), "little") % 2**31])
    axes = Axes.parse(recording.axes) if recording.axes else None
    cal = calibrate(recording.samples, recording.placement, axes)
    base = np.array(cal.rotation)
    xs, ys = [], []
    for v in range((recipe.gyro_variants if gyro else recipe.variants) + 1):
        samples = recording.samples if v != 1 else slower(recording.samples, 20.0, rng)
        turn = base if v == 0 else rotation(rng, recipe.tilts_deg) @ base
        gain = cal.gain[0] * (1.0 if v == 0 else 1.0 + rng.normal(0, 0.015))
        index, rows = rows_of(samples, turn, gain)
        y = block_truth(recording, CLASSES[recipe.source], index)
        x = np.empty((len(rows), len(context.NAMES)), np.float32)
        for at in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(index) > 13) + 1):
            full = append_rows(0, rows[:0], index[at], rows[at])[1]
            x[at] = context.describe(full)[index[at] - index[at[0]]]
        good = (y >= 0) & (rows[:, f.VALID] > 0.5)
        thin = good & (np.arange(len(y)) % (2 if recipe.shuffled else 1) == 0)
        xs.append(x[thin].astype(np.float64))
        ys.append(y[thin])
        if recipe.shuffled:
            # Held bouts of minutes teach that what is around a block is what it is. Real days
            # change faster: the same blocks again in short pieces in random order.
            order = pieces(y, rng)
            xs.append(context.describe(rows[order])[good[order]].astype(np.float64))
            ys.append(y[order][good[order]])
    return np.concatenate(xs), np.concatenate(ys)


def pieces(y: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Blocks in pieces of 1 to 20 (2.5 to 50 s) of one class, in random order."""
    cuts = [0]
    while cuts[-1] < len(y):
        cuts.append(cuts[-1] + int(np.exp(rng.uniform(0, np.log(20.0)))))
    edges = np.union1d(np.minimum(cuts, len(y)), np.flatnonzero(np.diff(y)) + 1)
    parts = np.split(np.arange(len(y)), edges[1:-1])
    return np.concatenate([parts[i] for i in rng.permutation(len(parts))])


def block_truth(
    recording: Recording, classes: dict[int, int], index: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Class of each block when 60 % of its samples agree, else -1."""
    lut = np.full(max(recording.names) + 2, -1)
    for code, own in classes.items():
        lut[code] = own
    own = lut[recording.label]
    at = np.searchsorted(index * BLOCK_NS, recording.samples.t_ns, side="right") - 1
    ok = at >= 0
    votes = np.bincount(at[ok] * 6 + own[ok] + 1, minlength=len(index) * 6).reshape(-1, 6)
    best = votes.argmax(axis=1)
    sure = votes.max(axis=1) > 0.6 * np.maximum(votes.sum(axis=1), 1)
    return np.where(sure, best - 1, -1)


def train(
    family: str,
    tables: dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]],
    *,
    gyro: bool,
    recipe: Recipe | None = None,
) -> Model:
    """The model of a family from tables of people."""
    recipe = recipe or RECIPES[family]
    names = [n for n in context.NAMES if recipe.wanted(n) and (gyro or "gyr" not in n)]
    columns = np.array([context.NAMES.index(n) for n in names])
    x = np.concatenate([tables[p][0] for p in sorted(tables)])[:, columns]
    y = np.concatenate([tables[p][1] for p in sorted(tables)])
    classes = np.unique(y)
    own = np.searchsorted(classes, y)
    weight = (1 / np.sqrt(np.bincount(own)))[own]
    net = fit(
        x, own, len(classes), l2=recipe.l2, hidden=recipe.hidden, weight=weight, steps=recipe.steps
    )
    (w1, b1), (w2, b2) = net.layers
    arrays = {
        "classes": classes.astype(np.int64),
        "mean": net.mean.astype(np.float32),
        "inverse_scale": (1 / net.scale).astype(np.float32),
        "w1": np.ascontiguousarray(w1.T, np.float32),
        "b1": b1.astype(np.float32),
        "w2": np.ascontiguousarray(w2.T, np.float32),
        "b2": b2.astype(np.float32),
    }
    digest = hashlib.sha256(b"".join(a.tobytes() for a in arrays.values())).hexdigest()[:12]
    return Model(
        name=f"{family}_{'gyro' if gyro else 'acc'}", columns=columns, digest=digest, **arrays
    )


def write(
    model: Model, family: str, tables: dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]
) -> None:
    """Weights and card."""
    OUT.mkdir(exist_ok=True)
    names = ",".join(context.NAMES[i] for i in model.columns.tolist())
    data = {
        k: getattr(model, k) for k in ("classes", "mean", "inverse_scale", "w1", "b1", "w2", "b2")
    }
    np.savez_compressed(
        OUT / f"{model.name}.npz",
        names=np.frombuffer(names.encode(), np.uint8),
        digest=np.frombuffer(model.digest.encode(), np.uint8),
        **data,
    )
    recipe = RECIPES[family]
    seen = hashlib.sha256()
    for person in sorted(tables):
        seen.update(tables[person][0].tobytes())
    card = {
        "model": model.name,
        "what": "posture of a 2.5 s block from its own numbers and those around it",
        "classes": [
            ("lying", "sitting", "standing", "walking", "exercise")[c] for c in model.classes
        ],
        "form": f"{len(model.columns)} numbers, {recipe.hidden} tanh units, softmax",
        "data": recipe.source,
        "terms": recipe.terms,
        "people": sorted(tables),
        "blocks": int(sum(len(t[1]) for t in tables.values())),
        "data_hash": seen.hexdigest()[:12],
        "weights_hash": model.digest,
        "l2": recipe.l2,
        "variants": "20 Hz with 4 mg noise; mounting "
        + " / ".join(f"{d:g}" for d in recipe.tilts_deg)
        + " deg (roll, pitch, yaw); gain 1.5 %",
        "split": "people; figures in docs/accuracy are of people not fitted on",
        "numbers": names.split(","),
        "script": "bench/train_models.py",
    }
    (OUT / f"{model.name}.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def tables_of(
    family: str, *, gyro: bool
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Tables of everyone given here."""
    recipe = RECIPES[family]
    return {
        p: table(load_recording(recipe.source, p), recipe, seed=1, gyro=gyro)
        for p in people(recipe.source)
    }


def main() -> None:
    """Write the models named on the command line, else all."""
    for family in sys.argv[1:] or list(RECIPES):
        for gyro in (True, False):
            tables = tables_of(family, gyro=gyro)
            model = train(family, tables, gyro=gyro)
            write(model, family, tables)
            print(model.name, model.digest, len(model.columns), "numbers")


if __name__ == "__main__":
    main()
