# SPDX-License-Identifier: Apache-2.0
"""Small trained models: a few kB of numbers, evaluated with numpy alone.

One file per placement and sensor kind in `weights/` (written by `bench/train_models.py`), a model
card beside each. Sums run along one contiguous axis, never through BLAS, so a row gives the same
bits alone and in a batch.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from tracker.model import Placement
from tracker.signal import context

_SLAB = 256
CHEST, WAIST = "chest", "waist"
# What a place borrows: no public recording of the upper back has standing or walking, so the
# dynamics of the chest (the same rigid thorax) stand in, as docs/recognition.md says.
FAMILY = {
    Placement.CHEST: CHEST,
    Placement.UPPER_BACK: CHEST,
    Placement.WAIST: WAIST,
    Placement.LOWER_BACK: CHEST,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """Standardise, one hidden layer (tanh), softmax over `classes` codes of decode.py.

    columns   (f,) int: places in context.NAMES
    mean, inverse_scale  (f,); hidden (f -> h), output (h -> c); float32
    """

    name: str
    columns: NDArray[np.int64]
    classes: NDArray[np.int64]
    mean: NDArray[np.float32]
    inverse_scale: NDArray[np.float32]
    w1: NDArray[np.float32]  # (h, f)
    b1: NDArray[np.float32]
    w2: NDArray[np.float32]  # (c, h)
    b2: NDArray[np.float32]
    digest: str

    def log_probabilities(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, len(classes)) of rows (n, len(context.NAMES)); NaN inputs count as average."""
        z = (x[:, self.columns] - self.mean) * self.inverse_scale
        z = np.ascontiguousarray(np.clip(np.nan_to_num(z, nan=0.0), -6.0, 6.0))
        out = np.empty((z.shape[0], self.w2.shape[0]), np.float64)
        for a in range(0, z.shape[0], _SLAB):
            part = z[a : a + _SLAB]
            hidden = np.tanh((part[:, None, :] * self.w1).sum(axis=2) + self.b1)
            score = (hidden[:, None, :] * self.w2).sum(axis=2) + self.b2
            out[a : a + _SLAB] = score
        out -= out.max(axis=1, keepdims=True)
        return np.asarray(out - np.log(np.exp(out).sum(axis=1, keepdims=True)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blend:
    """The mean of the probabilities of models of the same classes."""

    members: tuple[Model, ...]

    @property
    def classes(self) -> NDArray[np.int64]:
        """Codes of decode.py, as of every member."""
        return self.members[0].classes

    def log_probabilities(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, len(classes)), as :meth:`Model.log_probabilities`."""
        total = np.exp(self.members[0].log_probabilities(x))
        for other in self.members[1:]:
            total += np.exp(other.log_probabilities(x))
        return np.asarray(np.log(total / len(self.members)))


def model_for(placement: Placement, *, gyro: bool, research: bool) -> Model | Blend | None:
    """The model of a place; None where there is none or it is switched off: rules stand in."""
    family = FAMILY.get(placement)
    if family is None or (family == WAIST and not research):
        return None
    kind = "gyro" if gyro and placement in (Placement.CHEST, Placement.WAIST) else "acc"
    model = load_model(f"{family}_{kind}")
    if model is None or family == WAIST or kind == "acc":
        return model
    # Five people are few: a gyroscope alone made whole streams worse and single activities better.
    # The mean of both models is better at both than either.
    plain = load_model(f"{family}_acc")
    return model if plain is None else Blend(members=(plain, model))


@lru_cache(maxsize=8)
def load_model(name: str) -> Model | None:
    """A model by file name; None where the file is not shipped."""
    path = files("tracker.signal") / "weights" / f"{name}.npz"
    if not path.is_file():
        return None
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        names = data["names"].tobytes().decode().split(",")
        return Model(
            name=name,
            columns=np.array([context.NAMES.index(n) for n in names], np.int64),
            classes=data["classes"].astype(np.int64),
            mean=data["mean"],
            inverse_scale=data["inverse_scale"],
            w1=data["w1"],
            b1=data["b1"],
            w2=data["w2"],
            b2=data["b2"],
            digest=data["digest"].tobytes().decode(),
        )
