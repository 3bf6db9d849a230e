# SPDX-License-Identifier: Apache-2.0
"""The collector process of the long day: the real one, with patience for a machine in a hurry.

When time runs 60 times as fast, 20 ms on the way from one process to the next look like 1.2 s: the
collector would take them for a clock that jumped or a sensor that fell silent. So the limits on
delays, and those alone, are stretched by the speed; everything else is as it ships.
"""

from dataclasses import replace

from firmware_protocol import clockfit
from tracker.clock import clock_from_environment

CLOCK = clock_from_environment()
_DEVICE = clockfit.DEVICE_CLOCK
STRETCH = round(max(1.0, CLOCK.speed))
# Before anything else imports it.
clockfit.DEVICE_CLOCK = replace(
    _DEVICE,
    jump_ns=_DEVICE.jump_ns * STRETCH,
    persist_ns=_DEVICE.persist_ns * STRETCH,
    early_ns=_DEVICE.early_ns * STRETCH,
    reset_ns=_DEVICE.reset_ns * STRETCH,
)


def main() -> None:
    """Serve all configured sensors until SIGTERM."""
    from tracker.collect.ble import LinkParams
    from tracker.collect.service import Plan, run
    from tracker.log import set_up_logging
    from tracker.settings import read_settings

    shipped = LinkParams()
    slow = max(1.0, CLOCK.speed / 5)
    params = replace(
        shipped,
        scan_s=shipped.scan_s * slow,
        connect_s=shipped.connect_s * slow,
        disconnect_s=shipped.disconnect_s * slow,
        stale_s=shipped.stale_s * slow,
        first_frame_s=shipped.first_frame_s * slow,
    )
    settings = read_settings()
    set_up_logging(settings.log)
    run(Plan(settings=settings, clock=CLOCK, link_params=params))


if __name__ == "__main__":
    main()
