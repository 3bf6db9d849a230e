# SPDX-License-Identifier: Apache-2.0
"""What one wearer gives to one therapist as a file: packed here, unpacked there, gone at expiry.

The content is cut to the shared scopes *before* it is packed, by the same functions that cut a
therapist's page, so a bundle never holds more than its scopes. There it becomes an ordinary series
under a pseudonym of its own with an ordinary grant, so the normal list and every rule apply.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tracker.access import ASK_FOR, MAX_GRANT_DAYS, SHARED_SCOPES
from tracker.diary import Kind
from tracker.errors import InputError
from tracker.model import (
    EPOCH_COLUMNS,
    EPOCH_DTYPES,
    SECOND_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    Gap,
    GapReason,
    Placement,
    Transition,
    TransitionKind,
)
from tracker.scoped import KIND_SCOPE, SERIES_SCOPES, entry_for, epochs_for
from tracker.store.base import CalibrationRecord, SeriesReads
from tracker.store.records import Records

DAY_NS = 86_400 * SECOND_NS
FORMAT = "backstay-bundle-1"
PREFIX = "s-"  # pseudonyms of people whose data came as a file
_MOST_UNPACKED = 2_000_000_000
# An evening entry may be shared for its pain alone; the plan and visits are the therapist's own.
_KINDS = (Kind.EVENING, Kind.MASSAGE, Kind.TRAINING, Kind.SCREENING, Kind.DISCUSSED, Kind.NOTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What is asked for: whose data, which scopes, how many past days, until when."""

    wearer: str
    alias: str
    scopes: frozenset[str]
    first_ns: int
    made_ns: int
    expires_ns: int
    zone: str
    language: str = "de"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Series of one placement."""

    placement: Placement
    epochs: Epochs
    transitions: tuple[Transition, ...]
    sets: tuple[ExerciseSet, ...]
    gaps: tuple[Gap, ...]
    calibrated_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """An unpacked bundle. `local` is the pseudonym that the wearer has in the other house."""

    id: str
    local: str
    alias: str
    scopes: frozenset[str]
    made_ns: int
    expires_ns: int
    zone: str
    language: str
    places: tuple[Place, ...]
    entries: tuple[Mapping[str, Any], ...]


def check(scopes: Iterable[str], days: int, *, confirmed: bool) -> frozenset[str]:
    """The scopes, or InputError: the rules of a grant hold for a bundle, too."""
    chosen = frozenset(scopes)
    if not chosen or not chosen <= SHARED_SCOPES:
        known = ", ".join(sorted(SHARED_SCOPES))
        raise InputError(f"choose at least one of: {known}")
    if chosen & ASK_FOR and not confirmed:
        raise InputError(
            "answers about illness (screening) and notes are shared only when that is confirmed: "
            "add --confirm-sensitive"
        )
    if not 0 < days <= MAX_GRANT_DAYS:
        raise InputError(f"sharing lasts 1 to {MAX_GRANT_DAYS} days")
    return chosen


def pack(share: Share, series: SeriesReads, records: Records | None, origin: str) -> bytes:
    """The content of a bundle, cut to its scopes. InputError where there is nothing to share.

    `origin` tells installations apart, so that a newer bundle of the same wearer replaces the old.
    """
    places = [p for w, p in series.wearers() if w == share.wearer]
    told = _entries(share, records)
    out = io.BytesIO()
    n = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for place in places if share.scopes & SERIES_SCOPES else ():
            n += _pack_place(file, share, series, place)
        if not n and not told:
            raise InputError("there is nothing to share yet: wear a sensor or keep the diary first")
        subject = hashlib.sha256(f"{origin}|{share.wearer}".encode()).hexdigest()
        head = {
            "format": FORMAT,
            "id": hashlib.sha256(f"{subject}|{share.made_ns}".encode()).hexdigest()[:16],
            "local": f"{PREFIX}{subject[:12]}",
            "alias": share.alias,
            "scopes": sorted(share.scopes),
            "made_ns": share.made_ns,
            "expires_ns": share.expires_ns,
            "zone": share.zone,
            "language": share.language,
            "entries": told,
        }
        file.writestr("bundle.json", json.dumps(head, ensure_ascii=False))
    return out.getvalue()


def _entries(share: Share, records: Records | None) -> list[dict[str, Any]]:
    if records is None:
        return []
    found = []
    for entry in records.entries(share.wearer, _KINDS):
        cut = entry_for(entry, share.scopes)
        if cut is not None and (entry.at_ns >= share.first_ns or _lasting(entry.kind)):
            found.append(
                {"kind": str(cut.kind), "at_ns": cut.at_ns, "day": cut.day, "body": cut.body}
            )
    return found


def _lasting(kind: Kind) -> bool:
    return KIND_SCOPE[kind] == "screening"


def _pack_place(file: zipfile.ZipFile, share: Share, series: SeriesReads, place: Placement) -> int:
    span = (share.wearer, place, share.first_ns, share.made_ns)
    epochs = epochs_for(series.epochs(*span), share.scopes)
    sitting, training = "sitting" in share.scopes, "training" in share.scopes
    calibrations = getattr(series, "calibrations", None)
    times = (
        [c.from_ns for c in calibrations(share.wearer, place) if c.kind != "today"]
        if calibrations
        else []
    )
    rows = {
        "algo": epochs.algo,
        "transitions": [asdict(t) for t in series.transitions(*span)] if sitting else [],
        "sets": [_set(s) for s in series.sets(*span)] if training else [],
        "gaps": [asdict(g) for g in series.gaps(*span)],
        "calibrated_ns": max(times, default=None),
    }
    table = io.BytesIO()
    columns: dict[str, Any] = {c: getattr(epochs, c) for c in EPOCH_COLUMNS}
    np.savez(table, allow_pickle=False, **columns)
    file.writestr(f"{place}/epochs.npz", table.getvalue())
    file.writestr(f"{place}/events.json", json.dumps(rows))
    return len(epochs)


def _set(one: ExerciseSet) -> dict[str, Any]:
    return {**asdict(one), "exercise": one.exercise.label}


def unpack(content: bytes) -> Bundle:
    """A bundle from its content; every value is checked, nothing of it is run."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            if sum(i.file_size for i in file.infolist()) > _MOST_UNPACKED:
                raise InputError("this bundle is too large: ask for fewer days")
            head = json.loads(file.read("bundle.json"))
            if head.get("format") != FORMAT:
                raise InputError("this bundle was made by another version: update Backstay")
            names = set(file.namelist())
            places = [_unpack_place(file, p) for p in Placement if f"{p}/epochs.npz" in names]
        scopes = frozenset(map(str, head["scopes"])) & SHARED_SCOPES
        local = str(head["local"])
        if not local.startswith(PREFIX) or not local[len(PREFIX) :].isalnum():
            raise InputError("this bundle names its wearer in an unknown way")
        return Bundle(
            id=str(head["id"]),
            local=local,
            alias=str(head["alias"])[:80],
            scopes=scopes,
            made_ns=int(head["made_ns"]),
            expires_ns=int(head["expires_ns"]),
            zone=str(head["zone"]),
            language=str(head["language"]),
            places=tuple(places),
            entries=tuple(
                {
                    "kind": Kind(e["kind"]),
                    "at_ns": int(e["at_ns"]),
                    "day": str(e["day"]),
                    "body": dict(e["body"]),
                }
                for e in head["entries"]
            ),
        )
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, OSError) as error:
        raise InputError(f"this bundle cannot be read ({error}): ask for it again") from error


def _unpack_place(file: zipfile.ZipFile, place: Placement) -> Place:
    with np.load(io.BytesIO(file.read(f"{place}/epochs.npz")), allow_pickle=False) as table:
        columns: dict[str, Any] = {
            c: np.asarray(table[c]).astype(EPOCH_DTYPES[c]) for c in EPOCH_COLUMNS
        }
    if len({len(c) for c in columns.values()}) != 1:
        raise InputError("this bundle's table of epochs is not whole")
    rows = json.loads(file.read(f"{place}/events.json"))
    return Place(
        placement=place,
        epochs=Epochs(**columns, algo=str(rows["algo"])),
        transitions=tuple(_transition(t) for t in rows["transitions"]),
        sets=tuple(_read_set(s) for s in rows["sets"]),
        gaps=tuple(
            Gap(start_ns=int(g["start_ns"]), end_ns=int(g["end_ns"]), reason=GapReason(g["reason"]))
            for g in rows["gaps"]
        ),
        calibrated_ns=None if rows["calibrated_ns"] is None else int(rows["calibrated_ns"]),
    )


def _transition(row: Mapping[str, Any]) -> Transition:
    return Transition(
        at_ns=int(row["at_ns"]),
        kind=TransitionKind(row["kind"]),
        confidence=float(row["confidence"]),
    )


def _read_set(row: Mapping[str, Any]) -> ExerciseSet:
    return ExerciseSet(
        start_ns=int(row["start_ns"]),
        end_ns=int(row["end_ns"]),
        exercise=Exercise[str(row["exercise"]).upper()],
        reps=int(row["reps"]),
        hold_s=float(row["hold_s"]),
        confidence=str(row["confidence"]),
        source=str(row["source"]),
    )


def calibration_of(place: Place) -> Sequence[CalibrationRecord]:
    """The date of the last calibration, so that the list can say how old it is."""
    if place.calibrated_ns is None:
        return ()
    return (CalibrationRecord(from_ns=place.calibrated_ns, kind="shared", body={}),)
