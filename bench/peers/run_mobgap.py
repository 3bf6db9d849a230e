# SPDX-License-Identifier: Apache-2.0
"""mobgap: stretches of walking alone, and the whole pipeline for healthy gait."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from common import FS_HZ, STANDARD_GRAVITY, Recording, main
from mobgap.data import GaitDatasetFromData
from mobgap.gait_sequences import GsdIluz
from mobgap.pipeline import MobilisedPipelineHealthy
from mobgap.utils.conversions import to_body_frame


def sensor_frame(r: Recording) -> pd.DataFrame:
    """The lower back as mobgap wants it: x up, y right, z forward; m/s2 and deg/s."""
    turn = np.array([[0, 0, 1], [0, -1, 0], [1, 0, 0]], np.float64)
    values = np.hstack([r.acc_g @ turn.T * STANDARD_GRAVITY, r.gyr_dps @ turn.T])
    return pd.DataFrame(
        values, columns=[f"{kind}_{axis}" for kind in ("acc", "gyr") for axis in "xyz"]
    )


def walking(r: Recording) -> Callable[[], None]:
    """The walking detector of the pipeline for healthy gait."""
    frame = to_body_frame(sensor_frame(r))

    def work() -> None:
        GsdIluz().detect(frame, sampling_rate_hz=FS_HZ)

    return work


def pipeline(r: Recording) -> Callable[[], None]:
    """Everything from walking to walking speed, default settings, a body of made-up size."""
    dataset = GaitDatasetFromData(
        {"day": {"LowerBack": sensor_frame(r)}},
        FS_HZ,
        {"day": {"height_m": 1.75, "sensor_height_m": 1.0, "cohort": "HA"}},
        {"day": {"measurement_condition": "free_living"}},
    )

    def work() -> None:
        with warnings.catch_warnings():
            # Stretches too short for a parameter are warned about one by one.
            warnings.simplefilter("ignore")
            MobilisedPipelineHealthy().run(dataset[0])

    return work


if __name__ == "__main__":
    main("mobgap", {"GsdIluz": walking, "MobilisedPipelineHealthy": pipeline})
