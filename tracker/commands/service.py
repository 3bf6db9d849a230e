# SPDX-License-Identifier: Apache-2.0
"""`backstay service`: start with the machine."""

import click


@click.group("service", short_help="Start with the machine: install, uninstall, status.")
def command() -> None:
    """Make Backstay start with the machine, as a systemd unit of this user (no root needed).

    On Windows and macOS these commands say what to do instead.
    """


@command.command("install")
@click.option("--collector-only", is_flag=True, help="For a small board: no dashboard.")
@click.option("--lan", is_flag=True, help="Open the dashboard to the home network.")
@click.option("--dry-run", is_flag=True, help="Print the unit and change nothing.")
def install(collector_only: bool, lan: bool, dry_run: bool) -> None:
    """Write the unit, start it now and at every start of the machine."""
    from tracker import autostart
    from tracker.errors import UsageError

    if collector_only and lan:
        raise UsageError("--lan opens the dashboard; a collector alone has none")
    places = autostart.Places.of_this_user()
    text = autostart.unit_text(places, collector_only=collector_only, lan=lan)
    if dry_run:
        click.echo(text, nl=False)
        return
    _only_with_systemd()
    for sentence in autostart.install(places, text):
        click.echo(sentence)


@command.command("uninstall")
def uninstall() -> None:
    """Stop it and remove the unit. Settings and data stay."""
    from tracker import autostart

    _only_with_systemd()
    for sentence in autostart.uninstall(autostart.Places.of_this_user()):
        click.echo(sentence)


@command.command("status")
def status() -> None:
    """Say whether it is installed and runs."""
    from tracker import autostart

    _only_with_systemd()
    click.echo(autostart.status())


def _only_with_systemd() -> None:
    import sys

    from tracker import autostart
    from tracker.errors import ServiceError

    words = autostart.advice(sys.platform, autostart.Places.of_this_user().program)
    if words:
        raise ServiceError(words)
