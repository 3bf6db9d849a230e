# SPDX-License-Identifier: Apache-2.0
"""`backstay report`: a person's report on paper, and its machine-readable twin."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.commands._ask import ask_wearer, password_option

if TYPE_CHECKING:
    from datetime import datetime


@click.command("report", short_help="Make a report as PDF (and JSON).")
@click.option("--wearer", help="Whose report (default: the only wearer there is).")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day (default today).")
@click.option("--lang", type=click.Choice(["de", "en"]), default="de", show_default=True)
@click.option("--alias", default="", help="Name on the paper (default: the pseudonym).")
@click.option(
    "--pdf",
    "pdf_out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the PDF goes (.pdf).",
)
@click.option(
    "--json",
    "json_out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the JSON twin goes (.json).",
)
@password_option
def command(
    wearer: str | None,
    first: "datetime | None",
    last: "datetime | None",
    lang: str,
    alias: str,
    pdf_out: Path | None,
    json_out: Path | None,
    password_file: Path | None,
) -> None:
    """Make the two-page report of a period (default: the last 14 days).

    Where there are accounts the wearer's password is asked for.
    """
    from tracker.clock import clock_from_environment
    from tracker.errors import UsageError
    from tracker.report.from_store import make
    from tracker.settings import read_settings

    if pdf_out is None and json_out is None:
        raise UsageError("name at least one output: --pdf FILE or --json FILE")
    settings, clock = read_settings(), clock_from_environment()
    make(
        settings,
        wearer=wearer,
        first=first,
        last=last,
        lang=lang,
        alias=alias,
        pdf_out=pdf_out,
        json_out=json_out,
        agreed=lambda who: ask_wearer(settings, clock, who, "report", password_file),
    )
