# SPDX-License-Identifier: Apache-2.0
"""scikit-digital-health: the steps that together answer most of what our chain answers."""

import warnings
from collections.abc import Callable

import numpy as np
from common import FS_HZ, Laps, Recording, main
from skdh.activity import ActivityLevelClassification
from skdh.context import PredictGaitLumbarLgbm
from skdh.preprocessing import DETACH, CalibrateAccelerometer
from skdh.sit2stand import Sit2Stand

SKIN_C = 32.0


def equivalent_set(r: Recording) -> Callable[[], Laps]:
    """Calibration, wear, activity level, walking, sit-to-stand, each on the calibrated signal.

    Default settings, but for two limits that would make it do nothing on a day or less: 72 h for
    the calibration (12 here, and under 12 h it is still passed over) and 10 h of wear for the
    activity level (none here). DETACH wants a temperature; a constant one stands in for it.
    """
    given = {"time": r.t_ns / 1e9, "accel": np.ascontiguousarray(r.acc_g, np.float64), "fs": FS_HZ}
    temperature = np.full(len(r.t_ns), SKIN_C)
    steps = (
        ("DETACH", DETACH(), {"temperature": temperature}),
        ("ActivityLevelClassification", ActivityLevelClassification(min_wear_time=0), {}),
        ("PredictGaitLumbarLgbm", PredictGaitLumbarLgbm(), {}),
        ("Sit2Stand", Sit2Stand(), {}),
    )

    def work() -> Laps:
        laps = Laps()
        data = dict(given)
        with warnings.catch_warnings():
            # A short span holds too few still moments to calibrate; the work is done all the same.
            warnings.simplefilter("ignore")
            data.update(CalibrateAccelerometer(min_hours=12).predict(**data))
            laps.lap("CalibrateAccelerometer")
            for name, step, more in steps:
                step.predict(**data, **more)
                laps.lap(name)
        return laps

    return work


if __name__ == "__main__":
    main("scikit-digital-health", {"equivalent set": equivalent_set})
