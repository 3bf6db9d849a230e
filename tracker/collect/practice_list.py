# SPDX-License-Identifier: Apache-2.0
"""Which practice a wearer's hours go to: a small file of the collector, readable by its owner."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tracker.errors import InputError, StoreError

CONFIG = "practice.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """Where one wearer's hours go. `sha256`: the certificate's print; "": one that is trusted."""

    wearer: str
    url: str
    token: str
    sha256: str = ""


def practices(folder: Path) -> Sequence[Practice]:
    """Every practice that wearers of this house joined."""
    try:
        rows = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return [Practice(**row) for row in rows]
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{folder / CONFIG}: not readable ({error}); join again") from error


def join(folder: Path, practice: Practice) -> None:
    """Remember a practice; the file holds a token and belongs to the owner alone."""
    parts = urlsplit(practice.url)
    if parts.scheme != "https" or not parts.hostname:
        raise InputError("the practice's address begins with https:// (health data never go open)")
    rest = [p for p in practices(folder) if p.wearer != practice.wearer]
    _keep(folder, [*rest, practice])


def leave(folder: Path, wearer: str) -> bool:
    """Stop sending one wearer's hours; whether any were sent."""
    known = practices(folder)
    _keep(folder, [p for p in known if p.wearer != wearer])
    return any(p.wearer == wearer for p in known)


def _keep(folder: Path, rows: Sequence[Practice]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = folder / f"{CONFIG}.part"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump([asdict(p) for p in rows], file, indent=1)
    beside.replace(folder / CONFIG)
