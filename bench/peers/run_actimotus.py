# SPDX-License-Identifier: Apache-2.0
"""acti-motus: features, then activities by its rules for the thigh."""

from collections.abc import Callable

import pandas as pd
from actimotus import Activities, Features
from common import FS_HZ, Laps, Recording, main


def both(r: Recording) -> Callable[[], Laps]:
    """Default settings."""
    index = pd.DatetimeIndex(r.t_ns, name="datetime", tz="UTC")
    frame = pd.DataFrame(r.acc_g, columns=["acc_x", "acc_y", "acc_z"], index=index)

    def work() -> Laps:
        laps = Laps()
        features = Features().compute(frame, sampling_frequency=FS_HZ)
        laps.lap("Features")
        Activities().compute(features)
        laps.lap("Activities")
        return laps

    return work


if __name__ == "__main__":
    main("acti-motus", {"Features + Activities": both})
