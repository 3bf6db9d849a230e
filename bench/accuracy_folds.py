# SPDX-License-Identifier: Apache-2.0
"""Models of people left out: fitted once per fold, kept beside the bench for the session."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from bench.recordings import load, people
from bench.train_models import RECIPES, table, train
from tracker.model import Placement
from tracker.signal import posture
from tracker.signal.models import FAMILY, WAIST, Model


class Folds:
    """Leave-one-person-out models of a family; tables are made once."""

    def __init__(self, family: str) -> None:
        """Read everyone."""
        self.family = family
        recipe = RECIPES[family]
        self.people = people(recipe.source)
        self._tables = {p: table(load(recipe.source, p), recipe, seed=1) for p in self.people}
        self._models: dict[tuple[str, bool], Model] = {}

    def without(self, person: str, *, gyro: bool) -> Model:
        """The model fitted on all others."""
        gyro = gyro and self.family == WAIST
        key = (person, gyro)
        if key not in self._models:
            others = {p: t for p, t in self._tables.items() if p != person}
            self._models[key] = train(self.family, others, gyro=gyro)
        return self._models[key]


@contextmanager
def using(model: Model) -> Iterator[None]:
    """Within the block the chain uses this model for every place of its family."""
    shipped = posture.model_for

    def chosen(placement: Placement, *, gyro: bool, research: bool) -> Model | None:
        if FAMILY.get(placement) == model.name.split("_", maxsplit=1)[0]:
            return model
        return shipped(placement, gyro=gyro, research=research)

    with mock.patch.object(posture, "model_for", chosen):
        yield
