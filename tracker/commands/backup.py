# SPDX-License-Identifier: Apache-2.0
"""`backstay backup`: copies of everything, also while the service runs."""

from pathlib import Path

import click


@click.command("backup", short_help="Copy all data, also while the service runs.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that gets the backup (default: backups in the data folder).",
)
@click.option("--list", "only_list", is_flag=True, help="List the backups that are there.")
@click.option(
    "--verify",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Check this backup and make none.",
)
def command(into: Path | None, only_list: bool, verify: Path | None) -> None:
    """Copy both databases, consistent at one moment each, and check the copies.

    A backup lies on another disk than the data, and somebody tries `backstay restore` once.
    """
    from tracker.clock import clock_from_environment
    from tracker.rights import backup
    from tracker.settings import read_settings
    from tracker.units import from_ns

    settings = read_settings()
    if verify is not None:
        found = backup.verify(verify)
        click.echo(f"{found.folder}: complete and undamaged ({', '.join(sorted(found.files))})")
        return
    if only_list:
        for one in backup.list_backups(into or backup.backups_folder(settings)):
            names = ", ".join(sorted(one.files))
            click.echo(f"{one.folder}\t{from_ns(one.made_ns):%Y-%m-%d %H:%M} UTC\t{names}")
        return
    made = backup.make_backup(settings, clock_from_environment().now_ns(), into)
    size = sum((made.folder / name).stat().st_size for name in made.files)
    click.echo(f"{made.folder} ({size / 1e6:.1f} MB, checked)")
    if settings.records_url:
        click.echo("People and diary lie in PostgreSQL: back them up with pg_dump.")
