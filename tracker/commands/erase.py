# SPDX-License-Identifier: Apache-2.0
"""`backstay erase`: delete everything about one wearer in every store."""

from pathlib import Path

import click

from tracker.commands._ask import ask_wearer, password_option


@click.command("erase", short_help="Delete everything about one wearer.")
@click.argument("wearer")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--in-backups", is_flag=True, help="Also inside the backups in the data folder.")
@password_option
def command(wearer: str, yes: bool, in_backups: bool, password_file: Path | None) -> None:
    """Delete everything about WEARER: series, diary, account, InfluxDB.

    Prints a receipt without personal data. May be repeated: what is gone is gone, what was
    interrupted goes on. Backups that still hold the wearer are listed. Where there are accounts the
    wearer's password is asked for; for a wearer without an account, the operator's.
    """
    import json
    from dataclasses import asdict

    from tracker.clock import clock_from_environment
    from tracker.rights.backup import backups_folder
    from tracker.rights.erase import erase_wearer
    from tracker.rights.open import forget_in_influx, records_eraser, series_writer
    from tracker.settings import read_settings

    settings = read_settings()
    clock = clock_from_environment()
    ask_wearer(settings, clock, wearer, "erase", password_file)
    if not yes:
        click.confirm(f"Delete everything about {wearer}? This cannot be undone.", abort=True)

    with records_eraser(settings, clock) as records, series_writer(settings, clock) as series:
        receipt = erase_wearer(
            wearer,
            series=series,
            records=records,
            influx=settings.influx_url != "",
            backups=backups_folder(settings),
            in_backups=in_backups,
            now_ns=clock.now_ns(),
            receipts=settings.data / "receipts",
            forget=lambda: forget_in_influx(settings, series),
        )
    click.echo(json.dumps(asdict(receipt), indent=2))
    if receipt.backups_left:
        click.echo(
            "These copies still hold the wearer, or cannot be read: repeat with --in-backups, or "
            "delete what is named.",
            err=True,
        )
    if receipt.records == "queued":
        click.echo(
            "The dashboard owns the diary and does not answer: it erases it at its next start.",
            err=True,
        )
    if receipt.influx == "queued":
        click.echo("InfluxDB forgets as soon as it answers and the collector runs.", err=True)
