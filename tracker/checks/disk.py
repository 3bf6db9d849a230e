# SPDX-License-Identifier: Apache-2.0
"""The data folder: whether it can be written and has space."""

import os
from collections.abc import Iterable
from pathlib import Path

from tracker.checks import Finding, Surroundings, fault, good, note

NAME = "disk"
# Raw samples of one wearer take about 40 MB a day (50 Hz, six axes, before packing); below a few
# days of space a person has to act, below two weeks they should know.
FAULT_BYTES = 200 << 20
NOTE_BYTES = 1 << 30


def check(here: Surroundings) -> Iterable[Finding]:
    """Rights, then free space."""
    folder = here.settings.data
    existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield fault(
            NAME,
            f"The data folder {folder} cannot be written.",
            "Give it to the user who runs Backstay, or set BACKSTAY_DATA to another folder.",
        )
        return
    yield judge(here.free_bytes(existing), folder)


def judge(free_bytes: int, folder: Path) -> Finding:
    """Free space of the disk that holds the folder."""
    free = f"{free_bytes / (1 << 30):.1f} GB" if free_bytes > NOTE_BYTES else (
        f"{free_bytes / (1 << 20):.0f} MB"
    )  # fmt: skip
    remedy = (
        "Free some space, or keep raw samples for fewer days (BACKSTAY_RAW_DAYS); what is stored "
        "stays."
    )
    if free_bytes < FAULT_BYTES:
        return fault(NAME, f"The disk of {folder} is nearly full: {free} are left.", remedy)
    if free_bytes < NOTE_BYTES:
        return note(NAME, f"{free} are left on the disk of {folder}.", remedy)
    return good(NAME, f"{folder} can be written; {free} are free.")
