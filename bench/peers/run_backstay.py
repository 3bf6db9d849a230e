# SPDX-License-Identifier: Apache-2.0
"""Ours: the same `analyze` as users have, with and without the calibration of the day."""

from collections.abc import Callable

from common import Laps, Recording, main

from tracker import chain
from tracker.model import Placement, Samples
from tracker.signal.calibrate import Axes, calibrate

PLACEMENT = Placement.UPPER_BACK
AXES = "x=forward,y=left,z=up"


def samples_of(r: Recording) -> Samples:
    """No copy."""
    return Samples(t_ns=r.t_ns, acc_g=r.acc_g, gyr_dps=r.gyr_dps)


def whole(r: Recording) -> Callable[[], Laps]:
    """Calibration from the day itself, then everything from samples to epochs."""
    samples = samples_of(r)

    def work() -> Laps:
        laps = Laps()
        calibration = calibrate(samples, PLACEMENT, Axes.parse(AXES))
        laps.lap("calibrate")
        chain.analyze(samples, chain.Setup(placement=PLACEMENT, calibration=calibration))
        laps.lap("analyze")
        return laps

    return work


def known(r: Recording) -> Callable[[], None]:
    """The wearer's calibration is known, as on every day but the first."""
    samples = samples_of(r)
    setup = chain.Setup(
        placement=PLACEMENT, calibration=calibrate(samples, PLACEMENT, Axes.parse(AXES))
    )

    def work() -> None:
        chain.analyze(samples, setup)

    return work


if __name__ == "__main__":
    main("backstay", {"analyze": known, "calibrate + analyze": whole})
