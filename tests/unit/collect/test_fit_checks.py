# SPDX-License-Identifier: Apache-2.0
"""A wrong place, a clip upside down, a dead axis: each is told by name; a good fit is silent."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tracker.collect.donning import again
from tracker.collect.fit_checks import look_over, mean_of
from tracker.collect.guide import Guide
from tracker.errors import InputError
from tracker.model import SECOND_NS, Placement, Pose, Samples
from tracker.signal.calibrate import calibrate

BACK = Placement.UPPER_BACK
LEANS = {  # forward lean of the trunk in each pose, degrees
    Pose.STANDING: 0.0,
    Pose.WALKING: 2.0,
    Pose.SITTING_TALL: 3.0,
    Pose.SITTING_SLUMPED: 25.0,
    Pose.BEND: 60.0,
}
Rotation = NDArray[np.float64]
ON_BACK: Rotation = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]], float)  # body = R @ sensor


def worn(
    leans: dict[Pose, float] | None = None, rotation: Rotation = ON_BACK
) -> tuple[Samples, dict[Pose, list[tuple[int, int]]]]:
    """Ten seconds of each pose at 50 Hz as a sensor with this mounting sees them."""
    rng = np.random.default_rng(1)
    spans: dict[Pose, list[tuple[int, int]]] = {}
    parts = []
    for i, (pose, deg) in enumerate((leans or LEANS).items()):
        start = (100 + 12 * i) * SECOND_NS
        spans[pose] = [(start, start + 10 * SECOND_NS)]
        t = start + np.arange(500, dtype=np.int64) * 20_000_000
        a = math.radians(deg)
        body = np.array([-math.sin(a), 0.0, math.cos(a)]) + rng.normal(0, 0.004, (500, 3))
        if pose is Pose.WALKING:
            body[:, 2] += 0.25 * np.sin(2 * np.pi * 1.9 * t / 1e9)
        parts.append(Samples(t_ns=t, acc_g=(body @ rotation).astype(np.float32)))
    return Samples.concat(parts), spans


def codes(raw: Samples, spans: dict[Pose, list[tuple[int, int]]], **known: object) -> list[str]:
    """What is found."""
    return [c.code for c in look_over(raw, spans, BACK, **known)]  # type: ignore[arg-type]


def test_a_good_fit_is_silent() -> None:
    """On the back, the right way round, all axes alive, the same as last time."""
    raw, spans = worn()
    before = calibrate(raw, BACK, None, spans)
    assert codes(raw, spans) == []
    assert codes(raw, spans, before=before) == []


def test_a_dead_axis_is_named() -> None:
    """One axis that never moves while the others do."""
    raw, spans = worn()
    acc = raw.acc_g.copy()
    acc[:, 1] = 0.013
    (found,) = look_over(replace(raw, acc_g=acc), {Pose.STANDING: spans[Pose.STANDING]}, BACK)
    assert (found.code, found.values) == ("dead_axis", {"axis": "y"})


def test_upside_down_is_told_by_the_last_calibration_or_the_axes() -> None:
    """A clip turned head over heels; without anything to compare with nothing is claimed."""
    raw, spans = worn()
    before = calibrate(raw, BACK, None, spans)
    over = np.diag([1.0, -1.0, -1.0]) @ ON_BACK
    turned, _ = worn(rotation=over)
    assert "upside_down" in codes(turned, spans, before=before)
    assert "upside_down" in codes(turned, spans, axes="x=up,y=left,z=back")
    assert codes(raw, spans, axes="x=up,y=left,z=back") == []
    assert "upside_down" not in codes(turned, spans)


def test_a_thigh_is_no_trunk() -> None:
    """Sitting down tips it by 80 degrees: in a pocket or on the leg."""
    raw, spans = worn({**LEANS, Pose.SITTING_TALL: -80.0, Pose.SITTING_SLUMPED: -78.0})
    assert "wrong_place" in codes(raw, spans)


def test_a_bend_tells_the_side_and_whether_it_moves_along() -> None:
    """The face looks up while bending on the back; a sensor that hardly moves hangs loose."""
    raw, spans = worn()
    front = np.diag([-1.0, -1.0, 1.0]) @ ON_BACK
    on_chest, _ = worn(rotation=front)
    assert codes(on_chest, spans) == ["other_side"]
    found = look_over(raw, spans, Placement.CHEST)
    assert [c.code for c in found] == ["other_side_front"]
    assert look_over(on_chest, spans, Placement.CHEST) == ()
    loose, _ = worn({**LEANS, Pose.BEND: 6.0})
    assert codes(loose, spans) == ["no_bend"]


def test_sitting_poses_that_are_alike() -> None:
    """Tall and relaxed within three degrees: slump cannot be told from them."""
    raw, spans = worn({**LEANS, Pose.SITTING_SLUMPED: 4.0})
    assert codes(raw, spans) == ["poses_alike"]


def test_a_sensor_in_metres_per_second_squared() -> None:
    """At rest it must measure one g."""
    raw, spans = worn()
    wrong = replace(raw, acc_g=raw.acc_g * np.float32(1.3))
    (found,) = look_over(wrong, spans, BACK)
    assert (found.code, found.values) == ("wrong_scale", {"size": 1.3})


def test_nothing_recorded_says_nothing() -> None:
    """No samples, no claim."""
    assert look_over(Samples.empty(), {Pose.BEND: [(0, SECOND_NS)]}, BACK) == ()


@pytest.mark.parametrize("deg", [6.0, 20.0])
def test_the_thirty_second_version_keeps_forward_and_takes_todays_angles(deg: float) -> None:
    """Worn turned by some degrees: standing levels it, and the sitting poses measure as before."""
    raw, spans = worn()
    known = calibrate(raw, BACK, None, spans)
    a = math.radians(deg)
    turn = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
    today, _ = worn(rotation=turn @ ON_BACK)
    short = {p: spans[p] for p in (Pose.STANDING, Pose.SITTING_TALL, Pose.SITTING_SLUMPED)}
    means = {p: m for p, s in short.items() if (m := mean_of(today, s)) is not None}
    made = again(known, means)
    assert made.tall_deg == pytest.approx(known.tall_deg, abs=0.3)
    assert made.slumped_deg == pytest.approx(known.slumped_deg, abs=0.3)
    assert made.walking_deg == known.walking_deg
    bend = mean_of(today, spans[Pose.BEND])
    assert bend is not None
    body = made.matrix().astype(float) @ bend
    assert math.degrees(math.atan2(-body[0], body[2])) == pytest.approx(60, abs=0.5)
    guide = Guide(wearer="w1", placement=BACK, base=known)
    guide.spans = {p: list(s) for p, s in short.items()}
    assert guide.finish(today)[0].tall_deg == pytest.approx(made.tall_deg)
    guide.spans.pop(Pose.STANDING)
    with pytest.raises(InputError, match="standing is missing"):
        guide.finish(today)
