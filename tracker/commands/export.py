# SPDX-License-Identifier: Apache-2.0
"""`backstay export`: everything about one wearer in one ZIP."""

from pathlib import Path

import click

from tracker.commands._ask import ask_wearer, password_option


@click.command("export", short_help="Everything about one wearer in one ZIP.")
@click.argument("wearer")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The ZIP (default: WEARER-DATE.zip here).",
)
@click.option("--raw/--no-raw", default=True, show_default=True, help="With raw samples.")
@click.option(
    "--research",
    type=click.Path(path_type=Path, file_okay=False),
    help="Instead of a ZIP: one Parquet file of epochs per day into this folder, new days only.",
)
@password_option
def command(
    wearer: str, out: Path | None, raw: bool, research: Path | None, password_file: Path | None
) -> None:
    """Write everything that is stored about WEARER: series, diary, grants, audit.

    Works while the service runs. The export is written to the audit. Where there are accounts the
    wearer's password is asked for.
    """
    from tracker.clock import clock_from_environment
    from tracker.rights.export import export_wearer
    from tracker.rights.open import audit, records_reader
    from tracker.rights.research import export_days
    from tracker.settings import read_settings
    from tracker.store.sqlite import open_reader
    from tracker.units import from_ns

    settings = read_settings()
    clock = clock_from_environment()
    now_ns = clock.now_ns()
    ask_wearer(settings, clock, wearer, "export", password_file)
    series = open_reader(settings)
    try:
        if research is not None:
            files = export_days(wearer, series=series, folder=research)
            audit(settings, clock, wearer, action="export research")
            click.echo(f"{len(files)} new or changed days in {research}")
            return
        target = out or Path(f"{wearer}-{from_ns(now_ns):%Y%m%d}.zip")
        with records_reader(settings, clock) as records:
            export_wearer(
                wearer, series=series, records=records, target=target, now_ns=now_ns, raw=raw
            )
    finally:
        series.close()
    audit(settings, clock, wearer, action="export")
    click.echo(f"{target} ({target.stat().st_size / 1e6:.1f} MB)")
