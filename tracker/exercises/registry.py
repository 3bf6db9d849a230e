# SPDX-License-Identifier: Apache-2.0
"""Every exercise file of this folder: a module that defines `SPEC` is an exercise."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

import tracker.exercises as folder
from tracker.exercises.spec import Spec
from tracker.model import Exercise


@cache
def exercises() -> Mapping[Exercise, Spec]:
    """All exercises by id; two files for the same one are refused."""
    found: dict[Exercise, Spec] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(folder.__path__)):
        spec = getattr(import_module(f"{folder.__name__}.{module}"), "SPEC", None)
        if spec is None:
            continue
        if spec.exercise in found:
            raise ValueError(f"{module}.py: {spec.exercise.label} has a file already")
        found[spec.exercise] = spec
    return MappingProxyType(found)
