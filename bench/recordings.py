# SPDX-License-Identifier: Apache-2.0
"""The recordings of other people as samples and labels: one stream per person and sensor place.

Pieces (`seg`) of a person are put one after another with a pause of a minute in between, as a
sensor that was switched off. Where they are kept: BACKSTAY_RECORDINGS, default ../shared/data.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, SECOND_NS, Placement, Pose, Samples

PAUSE_NS = 60 * SECOND_NS


def folder() -> Path:
    """Where the recordings are."""
    here = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    return Path(os.environ.get("BACKSTAY_RECORDINGS") or here)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """One person's stream.

    label    (n,) int16, code per sample (-1: none)
    seg      (n,) int: piece of the source
    names    code -> (name, canonical)
    axes     text for `--axes`, or None where no axis points along the body
    extra    other arrays of the file, row by row
    """

    source: str
    person: str
    placement: Placement
    samples: Samples
    label: NDArray[np.int16]
    seg: NDArray[np.int64]
    names: dict[int, tuple[str, str | None]]
    axes: str | None
    extra: dict[str, NDArray[Any]]

    def span_of(self, code: int, which: int = 0) -> tuple[int, int]:
        """Start and end (ns) of the `which`-th piece labelled `code`."""
        own = [
            s for s in dict.fromkeys(self.seg.tolist()) if (self.label[self.seg == s] == code).any()
        ]
        rows = np.flatnonzero((self.seg == own[which]) & (self.label == code))
        return int(self.samples.t_ns[rows[0]]), int(self.samples.t_ns[rows[-1]]) + 1


PLACES = {
    "sit_postures": Placement.UPPER_BACK,
    "sit_postures_l5": Placement.LOWER_BACK,
    "gait_l5": Placement.LOWER_BACK,
    "dsads_torso": Placement.CHEST,
    "hapt_waist": Placement.WAIST,
    "sisfall_waist": Placement.WAIST,
    "exermote": Placement.CHEST,
}
_DIRECTIONS = np.array(
    [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float64
)
_NAMES = ("forward", "back", "left", "right", "up", "down")


def axes_text(r_body: NDArray[Any]) -> str | None:
    """The `--axes` text of a rotation, None where an axis lies in between."""
    parts = []
    for name, column in zip("xyz", np.asarray(r_body, np.float64).T, strict=True):
        near = _DIRECTIONS @ column
        if near.max() < 0.99:
            return None
        parts.append(f"{name}={_NAMES[int(near.argmax())]}")
    return ",".join(parts)


def people(source: str) -> list[str]:
    """People of a set that are given here."""
    splits = json.loads((folder() / "splits.json").read_text())
    return list(
        splits[source.removesuffix("_l5") if source == "sit_postures_l5" else source]["dev"]
    )


def recordings(source: str) -> Iterator[Recording]:
    """All people of a set. `sit_postures_l5` is the lower sensor of `sit_postures`."""
    for person in people(source):
        yield load(source, person)


def load(source: str, person: str) -> Recording:
    """One person's stream, suspect pieces left out as `splits.json` says."""
    base = "sit_postures" if source == "sit_postures_l5" else source
    root = folder() / base
    with np.load(root / f"{person}.npz") as file:
        data = {name: file[name] for name in file.files}
    known = json.loads((root / "labels.json").read_text())["labels"]
    split = json.loads((folder() / "splits.json").read_text())[base]
    drop = split.get("drop_trials", split.get("drop_segs", {})).get(person, [])
    seg = data["seg"].astype(np.int64)
    if source == "dsads_torso":
        # Pieces of one activity follow each other; `t` goes on.
        keep = ~np.isin(seg, drop)
        group = seg // 100
    else:
        keep = ~np.isin(seg, drop)
        group = seg
    suffix = "_L5" if source == "sit_postures_l5" else ""
    n = seg.shape[0]
    extra = {
        k: v[keep]
        for k, v in data.items()
        if v.shape[:1] == (n,) and k not in ("t", "label", "seg")
    }
    group = group[keep]
    gyr = data.get("gyro" + suffix)
    return Recording(
        source=source,
        person=person,
        placement=PLACES[source],
        samples=Samples(
            t_ns=_stream_ns(data["t"][keep], group),
            acc_g=np.ascontiguousarray(data["acc" + suffix][keep], np.float32),
            gyr_dps=None if gyr is None else np.degrees(gyr[keep]).astype(np.float32),
        ),
        label=data["label"][keep],
        seg=group,
        names={int(k): (v["name"], v["canonical"]) for k, v in known.items()},
        axes=axes_text(data["R_body"]),
        extra=extra,
    )


def _stream_ns(t_s: NDArray[np.float32], group: NDArray[np.int64]) -> NDArray[np.int64]:
    t_us = np.rint(t_s.astype(np.float64) * 1e6).astype(np.int64)
    out = np.empty_like(t_us)
    begin = 0
    for g in dict.fromkeys(group.tolist()):
        rows = np.flatnonzero(group == g)
        own = t_us[rows] - t_us[rows[0]]
        out[rows] = own + begin
        begin = int(out[rows[-1]]) + PAUSE_NS // 1000
        begin += -begin % (EPOCH_NS // 1000)
    return out * 1000


def epoch_truth(
    recording: Recording, classes: dict[int, int], starts_ns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Class of each epoch: that of most of its samples; -1 where most are not in `classes`."""
    table = np.full(max(recording.names) + 2, -1)
    for code, own in classes.items():
        table[code] = own
    own = table[recording.label]
    k = max(classes.values()) + 2
    at = np.searchsorted(starts_ns, recording.samples.t_ns, side="right") - 1
    ok = (at >= 0) & (recording.samples.t_ns < starts_ns[np.maximum(at, 0)] + EPOCH_NS)
    votes = np.bincount(at[ok] * k + own[ok] + 1, minlength=len(starts_ns) * k)
    return votes.reshape(-1, k).argmax(axis=1) - 1


def reference(recording: Recording) -> dict[Pose, list[tuple[int, int]]]:
    """One known upright pose: the first upright piece of `sit_postures`."""
    return {Pose.SITTING_TALL: [recording.span_of(2)]}
