# SPDX-License-Identifier: Apache-2.0
"""`backstay user`: accounts from the command line, for the operator of this machine."""

from typing import Any

import click


@click.group("user", short_help="Accounts: add, passwd, link, close, list.")
def command() -> None:
    """Accounts of the people who use this service.

    Whoever can start this command owns the data folder. While the dashboard runs it is asked to
    make the change, so nothing has to be stopped.
    """


@command.command("add")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=("wearer",),
    show_default=True,
    type=click.Choice(["wearer", "therapist", "operator"]),
    help="May be given twice.",
)
@click.option("--lang", type=click.Choice(["de", "en"]), default="de", show_default=True)
@click.option("--zone", default="Europe/Berlin", show_default=True, help="Time zone of the days.")
@click.option("--password", help="Asked for when it is not given.")
@click.option("--no-password", is_flag=True, help="Signs in through the identity provider alone.")
@click.option("--subject", default="", help="The person's identifier at the identity provider.")
@click.option("--email", default="", help="Or their verified address there.")
def add(
    name: str, roles: tuple[str, ...], lang: str, zone: str, password: str | None,
    no_password: bool, subject: str, email: str,
) -> None:  # fmt: skip
    """Make an account for NAME.

    The first one belongs to whoever wears the sensor here: it keeps their data and operates.
    """
    made = _ask(
        "add", name=name, password=None if no_password else password or _new(), roles=list(roles),
        language=lang, zone=zone, subject=subject, email=email,
    )  # fmt: skip
    series = f", series {made['wearer']}" if made["wearer"] else ""
    click.echo(f"{made['name']}: account {made['id']}{series}")


@command.command("passwd")
@click.argument("name")
@click.option("--password", help="Asked for when it is not given.")
@click.option("--new", "make", is_flag=True, help="Make one and show it once.")
def passwd(name: str, password: str | None, make: bool) -> None:
    """Give NAME a new password; all sign-ins of the account end.

    This is also the way back in for somebody who lost theirs, the operator included.
    """
    made = _ask("passwd", name=name, password=None if make else password or _new())
    click.echo(f"{made['name']}: the password is changed; all sign-ins have ended")
    if made["password"]:
        click.echo(f"New password, shown once: {made['password']}")


@command.command("link")
@click.argument("name")
@click.option("--subject", default="", help="The person's identifier at the provider.")
@click.option("--email", default="", help="Or their verified address there; it counts once.")
def link(name: str, subject: str, email: str) -> None:
    """Let NAME sign in through the identity provider (BACKSTAY_OIDC_ISSUER)."""
    made = _ask("link", name=name, subject=subject, email=email)
    click.echo(f"{made['name']}: linked")


@command.command("unlink")
@click.argument("name")
def unlink(name: str) -> None:
    """End that; all sign-ins of the account end."""
    click.echo(f"{_ask('unlink', name=name)['name']}: not linked any more")


@command.command("close")
@click.argument("name")
def close(name: str) -> None:
    """Close the account of NAME; the data stay until they are erased."""
    click.echo(f"{_ask('close', name=name)['name']}: the account is closed")


@command.command("reopen")
@click.argument("name")
def reopen(name: str) -> None:
    """Open the closed account of NAME again."""
    click.echo(f"{_ask('reopen', name=name)['name']}: the account is open")


@command.command("list")
def list_accounts() -> None:
    """List the accounts: name, roles, series, language."""
    for one in _ask("list"):
        notes = ["linked"] * one["linked"] + ["closed"] * (not one["active"])
        state = f"  ({', '.join(notes)})" if notes else ""
        roles = ", ".join(one["roles"])
        click.echo(f"{one['name']}\t{roles}\t{one['wearer'] or '-'}\t{one['language']}{state}")


def _new() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _ask(method: str, **params: object) -> Any:
    from tracker.clock import clock_from_environment
    from tracker.settings import read_settings
    from tracker.user_desk import ask

    return ask(read_settings(), clock_from_environment(), method, **params)
