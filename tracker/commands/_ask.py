# SPDX-License-Identifier: Apache-2.0
"""The question of `export`, `erase`, `report` and `share`: the wearer's own password."""

from pathlib import Path

import click

from tracker.clock import Clock
from tracker.settings import Settings

password_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True),
    help="The wearer's password, where there are accounts; - reads it, else it is asked for.",
)


def ask_wearer(
    settings: Settings, clock: Clock, wearer: str, action: str, password_file: Path | None
) -> None:
    """Go on only where the wearer agreed (`tracker.rights.ask`)."""
    from tracker.rights.ask import ask_person

    def password(name: str) -> str:
        if password_file is None:
            return str(click.prompt(f"Password of {name}", hide_input=True, err=True))
        with click.open_file(str(password_file), encoding="utf-8") as file:
            return str(file.readline().rstrip("\r\n"))

    ask_person(settings, clock, wearer, action, password)
