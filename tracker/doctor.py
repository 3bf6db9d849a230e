# SPDX-License-Identifier: Apache-2.0
"""Runs every check of `tracker/checks` and collects what they found."""

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module

import tracker.checks as folder
from tracker.checks import Finding, Level, Surroundings, fault
from tracker.clock import Clock
from tracker.collect.control import ControlClient
from tracker.errors import BackstayError, ServiceError
from tracker.settings import Settings


def surroundings(settings: Settings, clock: Clock) -> Surroundings:
    """This machine; a running collector is asked what it knows."""
    try:
        collector = dict(ControlClient(settings.data, timeout_s=5).call("status"))
    except ServiceError:
        collector = None
    return Surroundings(settings=settings, clock=clock, collector=collector)


def names() -> list[str]:
    """Names of all checks, in the order they run."""
    return sorted(m.name for m in pkgutil.iter_modules(folder.__path__))


def examine(here: Surroundings, only: Iterable[str] = ()) -> Iterator[Finding]:
    """Findings of all checks, or of those named; a check that cannot look is itself a fault."""
    wanted = set(only)
    for name in names():
        if wanted and name not in wanted:
            continue
        try:
            yield from import_module(f"tracker.checks.{name}").check(here)
        except BackstayError as error:
            yield fault(name, f"This could not be looked at: {error}", "Follow what it says.")


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing needs a remedy."""
    return all(f.level is not Level.FAULT for f in findings)
