# SPDX-License-Identifier: Apache-2.0
"""`backstay collect`: the collector alone, for a small board or a gateway."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tracker.settings import Settings


@click.command("collect", short_help="Collect from sensors, without the dashboard.")
@click.option("--sensor", metavar="ADDRESS", help="Address as `backstay scan` shows it.")
@click.option("--wearer", metavar="ID", help="Pseudonymous id of the person who wears it.")
@click.option(
    "--placement",
    default="upper-back",
    show_default=True,
    metavar="PLACE",
    help="upper-back, lower-back, chest, waist.",
)
@click.option("--decoder", default="", metavar="NAME", help="Only where the automatic choice errs.")
@click.option(
    "--axes",
    default="",
    metavar="x=up,y=left,z=back",
    help="Body direction each sensor axis points to; else the calibration decides.",
)
@click.option("--no-phones", is_flag=True, help="Do not open the door for phones.")
def command(
    sensor: str | None, wearer: str | None, placement: str, decoder: str, axes: str,
    no_phones: bool,
) -> None:  # fmt: skip
    """Collect from one sensor, or without --sensor from all that are configured.

    Data go into the data folder (BACKSTAY_DATA). Ctrl+C ends it cleanly.
    """
    from tracker.clock import clock_from_environment
    from tracker.collect.service import Plan, run
    from tracker.collect.setups import setups
    from tracker.errors import UsageError
    from tracker.log import set_up_logging
    from tracker.model import Placement
    from tracker.settings import read_settings
    from tracker.store.base import SensorConfig

    settings = read_settings()
    clock = clock_from_environment()
    if (sensor is None) != (wearer is None):
        raise UsageError("--sensor and --wearer belong together: give both or neither")
    sensors = []
    if sensor is not None and wearer is not None:
        try:
            place = Placement(placement)
        except ValueError as error:
            known = ", ".join(p.value for p in Placement)
            raise UsageError(f"unknown placement {placement!r}; known are {known}") from error
        setups(place, (), {}, axes=axes)  # refuse wrong axes before anything starts
        _check_decoder(decoder, settings)
        config = SensorConfig(
            address=sensor,
            wearer=wearer,
            placement=place,
            decoder=decoder,
            added_ns=clock.now_ns(),
            options={"axes": axes} if axes else {},
        )
        sensors.append((config, None))
    set_up_logging(settings.log)
    run(Plan(settings=settings, clock=clock, sensors=sensors, doors=not no_phones))


def _check_decoder(name: str, settings: "Settings") -> None:
    from firmware_protocol.registry import decoders
    from tracker.collect.described import described
    from tracker.errors import UsageError

    known = [*decoders(), *(d.name for d in described(settings.data)[0])]
    if name and name not in known:
        raise UsageError(f"--decoder {name}: known are {', '.join(known)}")
