# SPDX-License-Identifier: Apache-2.0
"""Result tables to files, CSV or Parquet by suffix: written beside and renamed, all or none."""

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tracker.errors import InputError, UsageError
from tracker.model import (
    EPOCH_RESOLUTION,
    SECOND_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    State,
    Transition,
    Trunk,
)

Table = Mapping[str, Sequence[Any]]
_DECIMALS = {name: max(0, round(-np.log10(step))) for name, step in EPOCH_RESOLUTION.items()}


def seconds(t_ns: int) -> int | float:
    """Seconds in the time base of the recording: whole where they are."""
    whole, rest = divmod(t_ns, SECOND_NS)
    return whole if rest == 0 else t_ns / SECOND_NS


def epoch_table(epochs: Epochs) -> Table:
    """Columns as `backstay analyze --epochs` writes them; what is unknown is empty (None)."""
    states = [s.label for s in State]
    trunks = [t.label for t in Trunk]
    exercises = ["" if e is Exercise.NONE else e.label for e in Exercise]

    def numbers(name: str) -> list[Any]:
        digits = _DECIMALS[name]
        values = getattr(epochs, name).astype(np.float64).round(digits).tolist()
        if digits == 0:
            return [None if v != v else int(v) for v in values]  # noqa: PLR0124 - NaN
        return [None if v != v else v for v in values]  # noqa: PLR0124 - NaN

    return {
        "start_s": [seconds(t) for t in epochs.start_ns.tolist()],
        "state": [states[c] for c in epochs.state.tolist()],
        "confidence": numbers("confidence"),
        "trunk": [trunks[c] for c in epochs.trunk.tolist()],
        "slouch": epochs.slouch.tolist(),
        "tilt_deg": numbers("tilt_deg"),
        "side_deg": numbers("side_deg"),
        "slump_pct": numbers("slump_pct"),
        "move_mg": numbers("move_mg"),
        "exercise": [exercises[c] for c in epochs.exercise.tolist()],
        "worn": epochs.worn.tolist(),
        "valid": numbers("valid"),
    }


def set_table(sets: Sequence[ExerciseSet]) -> Table:
    """Columns as `backstay analyze --sets` writes them."""
    return {
        "start_s": [seconds(s.start_ns) for s in sets],
        "end_s": [seconds(s.end_ns) for s in sets],
        "exercise": [s.exercise.label for s in sets],
        "reps": [s.reps for s in sets],
        "hold_s": [round(s.hold_s, 1) for s in sets],
        "confidence": [s.confidence for s in sets],
    }


def transition_table(transitions: Sequence[Transition]) -> Table:
    """Columns as `backstay analyze --transitions` writes them."""
    return {
        "at_s": [seconds(t.at_ns) for t in transitions],
        "kind": [t.kind.value for t in transitions],
        "confidence": [round(t.confidence, 2) for t in transitions],
    }


def check_target(path: Path, suffixes: Sequence[str] = (".csv", ".parquet", ".pq")) -> None:
    """Refuse a result file that could not be written later, before any work is done."""
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path}: the name must end in {' or '.join(suffixes[:2])}")
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.resolve().parent} to write it into")


def write_all(files: Mapping[Path, Table | dict[str, Any] | bytes]) -> None:
    """Write every file beside its place, then rename them all; on failure none appears."""
    beside: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
            beside[path] = temporary
            writer: Callable[[Path, Any], None] = _writer(path)
            if isinstance(content, bytes):  # already what the file shall hold
                writer = _write_bytes
            temporary.touch(mode=0o600)  # health data: for the owner alone
            writer(temporary, content)
        for path, temporary in beside.items():
            temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        for temporary in beside.values():
            with suppress(FileNotFoundError):
                temporary.unlink()


def _writer(path: Path) -> Callable[[Path, Any], None]:
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        return _write_bytes
    if suffix == ".json":
        return _write_json
    return _write_parquet if suffix in (".parquet", ".pq") else _write_csv


def _write_csv(path: Path, table: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
        file.flush()
        os.fsync(file.fileno())


def _write_parquet(path: Path, table: Table) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            "writing Parquet needs pyarrow; install backstay[parquet] or name a .csv file"
        ) from error
    pq.write_table(pa.table({k: list(v) for k, v in table.items()}), path)


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
