# SPDX-License-Identifier: Apache-2.0
"""`backstay erase`: delete everything about one wearer in every store."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tracker.diary import AuditLine


@click.command("erase", short_help="Delete everything about one wearer.")
@click.argument("wearer")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--in-backups", is_flag=True, help="Also inside the backups in the data folder.")
def command(wearer: str, yes: bool, in_backups: bool) -> None:
    """Delete everything about WEARER: series, diary, account, InfluxDB.

    Prints a receipt without personal data. May be repeated: what is gone is gone, what was
    interrupted goes on. Backups that still hold the wearer are listed.
    """
    import json
    from dataclasses import asdict

    from tracker.clock import clock_from_environment
    from tracker.rights.backup import backups_folder
    from tracker.rights.erase import erase_wearer
    from tracker.rights.open import forget_in_influx, records_writer, series_writer
    from tracker.settings import read_settings
    from tracker.store import audit_spool

    settings = read_settings()
    clock = clock_from_environment()
    if not yes:
        click.confirm(f"Delete everything about {wearer}? This cannot be undone.", abort=True)

    def later(line: "AuditLine") -> None:
        audit_spool.put(settings, line)
        audit_spool.put_erasure(settings, wearer)

    with records_writer(settings, clock) as records, series_writer(settings, clock) as series:
        receipt = erase_wearer(
            wearer,
            series=series,
            records=records,
            later=later,
            influx=settings.influx_url != "",
            backups=backups_folder(settings),
            in_backups=in_backups,
            now_ns=clock.now_ns(),
            receipts=settings.data / "receipts",
            forget=lambda: forget_in_influx(settings, series),
        )
    click.echo(json.dumps(asdict(receipt), indent=2))
    if receipt.backups_left:
        click.echo("These backups still hold the wearer: repeat with --in-backups.", err=True)
    if receipt.records == "queued":
        click.echo(
            "The dashboard runs and owns the diary: it erases it at its next start (or at once "
            "on its page Settings).",
            err=True,
        )
    if receipt.influx == "queued":
        click.echo("InfluxDB forgets as soon as it answers and the collector runs.", err=True)
