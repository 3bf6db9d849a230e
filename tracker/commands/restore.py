# SPDX-License-Identifier: Apache-2.0
"""`backstay restore`: a verified backup in place of the present data."""

from pathlib import Path

import click


@click.command("restore", short_help="Put a backup in place of the present data.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(folder: Path, yes: bool) -> None:
    """Check the backup in FOLDER, then put it in place of the present data.

    Refused while the service runs. The present files are kept beside the data in a folder
    `before-restore-...`.
    """
    from tracker.clock import clock_from_environment
    from tracker.rights.backup import verify
    from tracker.rights.restore import erased_since, restore
    from tracker.settings import read_settings
    from tracker.units import from_ns

    settings = read_settings()
    found = verify(folder)
    made = f"{from_ns(found.made_ns):%Y-%m-%d %H:%M} UTC"
    if not yes:
        click.confirm(f"Replace the data in {settings.data} by the backup of {made}?", abort=True)
    kept = restore(settings, folder, clock_from_environment().now_ns())
    click.echo(f"Restored the backup of {made} into {settings.data}.")
    if again := erased_since(settings, found):
        click.echo(
            "Erased after this backup was made, and back with it: the wearers of the receipts "
            f"{', '.join(again)}. Erase them again with `backstay erase`.",
            err=True,
        )
    for path in kept:
        click.echo(f"The former file is {path}; delete it when you no longer need it.")
    if settings.influx_url:
        click.echo("InfluxDB still has the newer rows: `backstay influx resend` sends all again.")
