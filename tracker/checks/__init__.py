# SPDX-License-Identifier: Apache-2.0
"""What `backstay doctor` looks at: one file per check, found by its name.

A check is a module here that defines `check(here) -> Iterable[Finding]`. It looks at the machine
through `Surroundings` and leaves the judging to small pure functions beside it, so that each fault
can be tested with given facts as well as by causing it.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from tracker.clock import Clock
from tracker.settings import Settings


class Level(StrEnum):
    """How much a finding matters: a fault makes `backstay doctor` exit with 1."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `remedy` says in one sentence what to do."""

    check: str
    level: Level
    sentence: str
    remedy: str = ""


def good(check: str, sentence: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, level=Level.OK, sentence=sentence)


def note(check: str, sentence: str, remedy: str = "") -> Finding:
    """Worth knowing, works nevertheless."""
    return Finding(check=check, level=Level.NOTE, sentence=sentence, remedy=remedy)


def fault(check: str, sentence: str, remedy: str) -> Finding:
    """Does not work until the remedy is done."""
    return Finding(check=check, level=Level.FAULT, sentence=sentence, remedy=remedy)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What checks look through.

    `collector` is what a running collector says of itself, None where none runs. `scan_s` is how
    long to look for sensors in the air, in seconds of `clock`.
    """

    settings: Settings
    clock: Clock
    collector: Mapping[str, Any] | None = None
    scan_s: float = 6.0
    free_bytes: Callable[[Path], int] = field(default=_free_bytes)
