# SPDX-License-Identifier: Apache-2.0
"""Models of people left out: fitted once per fold, kept beside the bench for the session."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from bench.recordings import people
from bench.train_models import RECIPES, tables_of, train
from tracker.model import Placement
from tracker.signal import posture
from tracker.signal.models import FAMILY, WAIST, Blend, Model

Table = tuple[NDArray[np.float64], NDArray[np.int64]]


class Folds:
    """Leave-one-person-out models of a family; tables are made once."""

    def __init__(self, family: str) -> None:
        """Who there is; tables are made when they are needed."""
        self.family = family
        self.people = people(RECIPES[family].source)
        self._tables: dict[bool, dict[str, Table]] = {}
        self._models: dict[tuple[str, bool], Model] = {}

    def without(self, person: str, *, gyro: bool) -> Model | Blend:
        """The model fitted on all others, put together as `model_for` does."""
        own = self._fitted(person, gyro=gyro)
        if self.family == WAIST or not gyro:
            return own
        return Blend(members=(self._fitted(person, gyro=False), own))

    def _fitted(self, person: str, *, gyro: bool) -> Model:
        key = (person, gyro)
        if key not in self._models:
            if gyro not in self._tables:
                self._tables[gyro] = tables_of(self.family, gyro=gyro)
            others = {p: t for p, t in self._tables[gyro].items() if p != person}
            self._models[key] = train(self.family, others, gyro=gyro)
        return self._models[key]


@contextmanager
def using(model: Model | Blend) -> Iterator[None]:
    """Within the block the chain uses this model for every place of its family."""
    shipped = posture.model_for
    own = model.members[0] if isinstance(model, Blend) else model
    family = own.name.split("_", maxsplit=1)[0]

    def chosen(placement: Placement, *, gyro: bool, research: bool) -> Model | Blend | None:
        if FAMILY.get(placement) == family:
            return model
        return shipped(placement, gyro=gyro, research=research)

    with mock.patch.object(posture, "model_for", chosen):
        yield
