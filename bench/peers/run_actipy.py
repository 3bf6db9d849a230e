# SPDX-License-Identifier: Apache-2.0
"""actipy: `process` as its documentation shows it."""

from collections.abc import Callable

import actipy
import pandas as pd
from common import FS_HZ, Recording, main


def process(r: Recording) -> Callable[[], None]:
    """Low pass, gravity calibration, non-wear, resampling: the default settings."""
    frame = pd.DataFrame(r.acc_g, columns=list("xyz"), index=pd.DatetimeIndex(r.t_ns, name="time"))

    def work() -> None:
        actipy.process(frame, FS_HZ, verbose=False)

    return work


if __name__ == "__main__":
    main("actipy", {"process": process})
