# SPDX-License-Identifier: Apache-2.0
"""Holds: a pose entered with a movement, kept, and left with a movement.

A plateau is a stretch in which the direction of gravity turns slowly. Its edges are where the turn
into it and out of it is half done; half a second on each side belongs to the movement, which is the
second that evidence 6.3 takes off. Planks are told from lying face down by a head end that is
higher than in the lying before or after, and by tremor.
"""

from dataclasses import dataclass

import numpy as np

from tracker.exercises.episode import FS_HZ, Episode
from tracker.exercises.filters import moving_mean
from tracker.exercises.spec import Floats, Spec

MOVES_DPS = 6.0  # gravity turns faster than this: a movement
SETTLES_S = 1.0  # shorter rests are part of the movement
MOVE_OFF_S = 1.0  # evidence 6.3: duration from entering to leaving, minus 1 s
MORE_TREMOR = 1.4
ALONE_S = (8.0, 120.0)
SWAY_S = 2.5
SAME_POSE = 0.07  # 4 deg between unit vectors
SWAY = 0.12  # 7 deg
SIDE_LIFT_DEG = 8.0
SIDE_UP_G = 0.2  # evidence 6.2: the upward part separates from lying on the side
LIFT_DEG = 4.0  # how much higher the head end is than in lying


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundHold:
    """A hold from row `start` to row `end`, with its tremor in mg."""

    spec: Spec
    start: int
    end: int
    hold_s: float
    score: float
    sure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plateau:
    first: int
    last: int
    theta_deg: float
    psi_deg: float
    up_g: float  # how far the head end is up: 0 lying flat
    tremor_mg: float


def find_holds(episode: Episode, plank: Spec | None, side_plank: Spec | None) -> list[FoundHold]:
    """Planks and side planks of an episode."""
    if len(episode) < 30 or not _raised(episode):
        return []
    flats = _plateaus(episode)
    found: list[FoundHold] = []
    for i, flat in enumerate(flats):
        before = flats[i - 1] if i else None
        after = flats[i + 1] if i + 1 < len(flats) else None
        if before is None or after is None:
            continue  # a hold is entered and left inside the episode
        seconds = (flat.last - flat.first) / FS_HZ - MOVE_OFF_S
        for spec, test in ((plank, _is_plank), (side_plank, _is_side_plank)):
            if spec is None or not spec.hold_s[0] <= seconds <= spec.hold_s[1]:
                continue
            score, sure = test(flat, before, after, spec)
            if score > 0:
                found.append(
                    FoundHold(
                        spec=spec,
                        start=flat.first,
                        end=flat.last,
                        hold_s=seconds,
                        score=score,
                        sure=sure,
                    )
                )
    return found


def live_holds(episode: Episode, spec: Spec) -> list[tuple[int, int]]:
    """First and last row of each stretch in the pose of a hold; the last one may still go on."""
    low, high = spec.base_deg
    if len(episode) < 15:
        return []
    before: _Plateau | None = None
    found: list[tuple[int, int]] = []
    at_start = False
    for flat in _plateaus(episode):
        if spec.signal == "psi":
            there = low <= abs(flat.psi_deg) <= high and flat.up_g >= SIDE_UP_G
        else:
            prone = before is not None and before.theta_deg > 50 and abs(before.psi_deg) < 30
            lifted = not prone or before is None or before.theta_deg - flat.theta_deg >= LIFT_DEG
            there = low <= flat.theta_deg <= high and abs(flat.psi_deg) <= 20 and lifted
        if there:
            found.append((flat.first, flat.last))
            at_start |= before is None
        before = flat
    # The first stretch is the start pose, unless nothing else follows: lying face down looks alike.
    return found[1:] if at_start and len(found) > 1 and spec.signal != "psi" else found


def _raised(episode: Episode) -> bool:
    """Whether the trunk is ever face down or on a side with the head end up."""
    x, y, z = episode.acc_body_g[::5].T
    return bool(((z > 0.0) & ((x < -0.6) | (np.abs(y) > 0.55))).any())


def _plateaus(episode: Episode) -> list[_Plateau]:
    acc = episode.smooth(1.0)
    unit = acc / np.maximum(np.linalg.norm(acc, axis=1, keepdims=True), 1e-3)
    turn = np.zeros(len(episode))
    # Angle between 0.3 s before and 0.3 s after.
    dot = np.clip((unit[6:] * unit[:-6]).sum(axis=1), -1, 1)
    turn[3:-3] = np.rad2deg(np.arccos(dot)) / 0.6
    moving = turn > MOVES_DPS
    edges = np.flatnonzero(np.diff(np.concatenate([[True], moving, [True]]).astype(np.int8)))
    flats = [
        (a, b - 1)
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        if b - a >= SETTLES_S * FS_HZ
    ]
    flats = _join(flats, unit)
    theta = episode.signal("theta", 0.6)
    psi = episode.signal("psi", 0.6)
    assert theta is not None  # noqa: S101 - theta and psi need no gyro
    assert psi is not None  # noqa: S101
    rough = np.abs(episode.acc_body_g - moving_mean(episode.acc_body_g, 5)).sum(axis=1)
    made = []
    for a, b in flats:
        made.append(
            _Plateau(
                first=a,
                last=b,
                theta_deg=float(np.median(theta[a : b + 1])),
                psi_deg=float(np.median(psi[a : b + 1])),
                up_g=float(np.median(unit[a : b + 1, 2])),
                tremor_mg=1000 * float(np.median(rough[a : b + 1])),
            )
        )
    return _with_edges(made, unit)


def _join(flats: list[tuple[int, int]], unit: Floats) -> list[tuple[int, int]]:
    """Neighbours that point the same way with a short sway between them are one plateau."""
    joined: list[tuple[int, int]] = []
    for a, b in flats:
        if joined and a - joined[-1][1] <= SWAY_S * FS_HZ:
            c, d = joined[-1]
            one, two = unit[c : d + 1].mean(axis=0), unit[a : b + 1].mean(axis=0)
            away = np.linalg.norm(unit[d : a + 1] - one, axis=1).max()
            if np.linalg.norm(one - two) < SAME_POSE and away < SWAY:
                joined[-1] = (c, b)
                continue
        joined.append((a, b))
    return joined


def _with_edges(flats: list[_Plateau], unit: Floats) -> list[_Plateau]:
    """Move the edges between two plateaus to where the turn is half done, seen from each."""
    out = []
    for i, flat in enumerate(flats):
        first, last = flat.first, flat.last
        own = unit[first : last + 1].mean(axis=0)
        if i:
            other = unit[flats[i - 1].last]
            first = _half(unit, own, other, flats[i - 1].last, first, -1)
        if i + 1 < len(flats):
            other = unit[flats[i + 1].first]
            last = _half(unit, own, other, last, flats[i + 1].first, 1)
        out.append(
            _Plateau(
                first=first,
                last=last,
                theta_deg=flat.theta_deg,
                psi_deg=flat.psi_deg,
                up_g=flat.up_g,
                tremor_mg=flat.tremor_mg,
            )
        )
    return out


def _half(unit: Floats, own: Floats, other: Floats, low: int, high: int, side: int) -> int:
    """Row between `low` and `high` that is nearest to the plateau and beyond half of the turn."""
    part = unit[low : high + 1]
    nearer = np.linalg.norm(part - own, axis=1) <= np.linalg.norm(part - other, axis=1)
    rows = np.flatnonzero(~nearer)
    if side < 0:
        return low + (int(rows[-1]) + 1 if rows.size else 0)
    return low + (int(rows[0]) - 1 if rows.size else high - low)


def _is_plank(flat: _Plateau, before: _Plateau, after: _Plateau, spec: Spec) -> tuple[float, str]:
    low, high = spec.base_deg
    if not low <= flat.theta_deg <= high or abs(flat.psi_deg) > 20:
        return 0.0, "low"
    near = [p for p in (before, after) if p.theta_deg > 50 and abs(p.psi_deg) < 30]
    lifted = [p.theta_deg - flat.theta_deg >= LIFT_DEG for p in near]
    seconds = (flat.last - flat.first) / FS_HZ
    trembles = flat.tremor_mg > MORE_TREMOR * max(p.tremor_mg for p in near or (before, after))
    if any(lifted):
        return 1.0, "medium" if trembles else "low"
    # Entered from standing or kneeling and left to it: no lying to compare with.
    if not near and trembles and flat.theta_deg <= 85 and ALONE_S[0] <= seconds <= ALONE_S[1]:
        return 0.8, "low"
    return 0.0, "low"


def _is_side_plank(
    flat: _Plateau, before: _Plateau, after: _Plateau, spec: Spec
) -> tuple[float, str]:
    low, high = spec.base_deg
    # Rolling in bed changes the side lean, too; only a lifted head end is a side plank.
    if not low <= abs(flat.psi_deg) <= high or flat.up_g < SIDE_UP_G:
        return 0.0, "low"
    side = np.sign(flat.psi_deg)
    near = [p for p in (before, after) if p.psi_deg * side > 35]
    if any((p.psi_deg - flat.psi_deg) * side >= SIDE_LIFT_DEG for p in near):
        return 1.0, "high"
    return 0.0, "low"
