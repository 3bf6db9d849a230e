# SPDX-License-Identifier: Apache-2.0
"""Guided calibration: spans become poses, too little data is said, thresholds have bounds."""

import numpy as np
import pytest

from tracker.collect.guide import Guide
from tracker.collect.setups import at, calibration_of, check_setting, setups, slouch_params
from tracker.errors import InputError, UsageError
from tracker.model import SECOND_NS, Placement, Samples
from tracker.store.base import CalibrationRecord

PLACE = Placement.UPPER_BACK


def leaning(seconds: float, tilt_deg: float, start_s: float) -> Samples:
    """A sensor whose axes are the body's, leaning forward."""
    n = int(seconds * 50)
    angle = np.radians(tilt_deg)
    acc = np.tile([-np.sin(angle), 0.0, np.cos(angle)], (n, 1)).astype(np.float32)
    t = (start_s * SECOND_NS + np.arange(n) * SECOND_NS / 50).astype(np.int64)
    return Samples(t_ns=t, acc_g=acc)


def test_poses_become_angles() -> None:
    """Standing 0, tall 4, slumped 28 degrees: the calibration holds the wearer's own span."""
    guide = Guide(wearer="w1", placement=PLACE, axes="x=forward,y=left,z=up")
    raw = Samples.concat([leaning(10, 0, 0), leaning(10, 4, 10), leaning(10, 28, 20)])
    for i, pose in enumerate(("stand", "sit_tall", "sit_slumped")):
        guide.pose(pose, i * 10 * SECOND_NS, 10)
    assert guide.look(raw)["standing"] == {"seconds": 10.0, "move_mg": 0.0, "still": True}
    made, record = guide.finish(raw)
    assert made.tall_deg == pytest.approx(4, abs=0.2)
    assert made.slumped_deg == pytest.approx(28, abs=0.2)
    assert (record.kind, record.from_ns) == ("poses", 0)
    assert calibration_of(record) == made


def test_a_pose_without_samples_is_not_taken() -> None:
    """Half of a pose did not arrive: the sentence names the pose and what to do."""
    guide = Guide(wearer="w1", placement=PLACE)
    guide.pose("stand", 0, 10)
    with pytest.raises(InputError, match=r"standing: only 4 of 10 seconds"):
        guide.finish(leaning(4, 0, 0))
    with pytest.raises(InputError, match="no pose"):
        Guide(wearer="w1", placement=PLACE).finish(leaning(4, 0, 0))
    with pytest.raises(UsageError, match="known are"):
        guide.pose("headstand", 0, 10)
    with pytest.raises(UsageError, match="3 to 60"):
        guide.pose("stand", 0, 1000)


def test_thresholds_of_the_wearer() -> None:
    """Own values replace defaults; a value out of bounds is refused with the bounds."""
    assert slouch_params({"slouch_over_pct": 70}).over_pct == 70
    assert slouch_params({}).over_pct == 60
    check_setting("slouch_over_pct", 70)
    check_setting("slouch_over_pct", None)
    check_setting("anything", [1, 2])
    for bad in (500, "70", True, float("nan")):
        with pytest.raises(UsageError, match="20 to 100"):
            check_setting("slouch_over_pct", bad)


def test_which_setup_holds_when() -> None:
    """Axes hold before the first calibration; each calibration from its own time."""
    body = {"tall_deg": 3.0}
    records = [
        CalibrationRecord(from_ns=200, kind="poses", body=body),
        CalibrationRecord(from_ns=100, kind="auto", body={}),
    ]
    known = setups(PLACE, records, {}, axes="x=up,y=left,z=back")
    assert [at(known, t) for t in (0, 99, 100, 199, 200, 10**6)] == [0, 0, 1, 1, 2, 2]
    assert known[2].setup.calibration.tall_deg == 3.0
    assert at([], 5) is None
    with pytest.raises(InputError, match="calibrate again"):
        setups(PLACE, [CalibrationRecord(from_ns=0, kind="x", body={"nonsense": 1})], {})
    with pytest.raises(UsageError, match="--axes"):
        setups(PLACE, (), {}, axes="x=up")
