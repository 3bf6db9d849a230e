# SPDX-License-Identifier: Apache-2.0
"""What commands leave for the dashboard while it owns `app.db`: audit lines and erasures.

They lie beside the database and are taken in when it is opened next; none is lost. An audit line is
doubled only where the machine stops between the two steps of taking in; an erasure may be repeated.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tracker.diary import AuditLine
from tracker.settings import Settings

_AUDIT = "audit-pending.jsonl"
_ERASURES = "erase-pending.jsonl"


def put(settings: Settings, line: AuditLine) -> None:
    """Leave one line of the audit."""
    _append(settings.data / _AUDIT, asdict(line))


def put_erasure(settings: Settings, wearer: str) -> None:
    """Leave the erasure of a wearer's records."""
    _append(settings.data / _ERASURES, wearer)


def _append(path: Path, thing: object) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(json.dumps(thing, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def take_in(
    settings: Settings, keep: Callable[[AuditLine], None], erase: Callable[[str], object]
) -> None:
    """Hand every pending line to `keep`, then every pending erasure to `erase`."""
    _take(settings.data / _AUDIT, lambda body: keep(AuditLine(**body)))
    _take(settings.data / _ERASURES, lambda body: erase(str(body)))


def _take(path: Path, each: Callable[[Any], object]) -> None:
    taking = path.with_suffix(".taking")
    if path.exists() and not taking.exists():
        path.replace(taking)
    if not taking.exists():
        return
    for text in taking.read_text(encoding="utf-8").splitlines():
        each(json.loads(text))
    taking.unlink()
