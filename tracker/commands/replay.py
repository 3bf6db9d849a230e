# SPDX-License-Identifier: Apache-2.0
"""`backstay replay`: a recording through the live path."""

from pathlib import Path

import click


@click.command("replay", short_help="Play a recording through the live path.")
@click.argument("recording", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 1000),
    help="How many times as fast as it was recorded.",
)
@click.option("--wearer", default="replay", show_default=True, metavar="ID")
@click.option("--placement", default="upper-back", show_default=True, metavar="PLACE")
@click.option("--axes", default="", metavar="x=up,y=left,z=back")
@click.option(
    "--decoder",
    default="",
    metavar="NAME",
    help="Encode it as this sensor would send it; default: its values unchanged.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    recording: Path, speed: float, wearer: str, placement: str, axes: str, decoder: str,
    quiet: bool,
) -> None:  # fmt: skip
    """Play RECORDING (as for `analyze`) through frames, chain and store into the data folder.

    Its times are kept where they are Unix time; otherwise it begins now. A dashboard on the same
    data folder shows it live.
    """
    import asyncio
    import sys

    from tracker.collect.hub import Sensor
    from tracker.collect.replay import decoder_of, replay, replay_clock
    from tracker.collect.service import Plan, serve
    from tracker.collect.setups import setups
    from tracker.errors import InputError, UsageError
    from tracker.log import set_up_logging
    from tracker.model import Placement
    from tracker.recording import read_recording
    from tracker.settings import read_settings
    from tracker.store.base import SensorConfig

    settings = read_settings()
    try:
        place = Placement(placement)
    except ValueError as error:
        known = ", ".join(p.value for p in Placement)
        raise UsageError(f"unknown placement {placement!r}; known are {known}") from error
    setups(place, (), {}, axes=axes)
    samples = read_recording(recording)
    if len(samples) < 2:
        raise InputError(f"{recording}: a recording needs more than one sample to be played")
    chosen = decoder_of(decoder, samples)
    samples, clock = replay_clock(samples, speed)
    config = SensorConfig(
        address=f"replay:{recording.name}",
        wearer=wearer,
        placement=place,
        decoder=chosen.name,
        added_ns=clock.now_ns(),
        options={"axes": axes} if axes else {},
    )
    set_up_logging("WARNING")
    finished = asyncio.Event()

    async def source(sensor: Sensor) -> None:
        with click.progressbar(length=1000, label="Replay", file=sys.stderr, hidden=quiet) as bar:
            await replay(
                sensor, samples, chosen, clock,
                progress=lambda share: bar.update(round(1000 * share) - bar.pos),
            )  # fmt: skip
        finished.set()

    plan = Plan(
        settings=settings, clock=clock, sensors=[(config, source)], keep=False, doors=False,
        finished=finished,
    )  # fmt: skip
    asyncio.run(serve(plan))
    click.echo(f"Played {len(samples)} samples into {settings.data}")
