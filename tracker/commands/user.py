# SPDX-License-Identifier: Apache-2.0
"""`backstay user`: accounts from the command line, for the operator of this machine."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tracker.accounts import Accounts
    from tracker.diary import Person


@click.group("user", short_help="Accounts: add, passwd, list, close.")
def command() -> None:
    """Accounts of the people who use this service.

    Whoever can start this command owns the data folder. While the dashboard runs it alone writes
    the accounts: stop it first, or use the page Settings.
    """


def _accounts() -> "Accounts":
    from tracker.accounts import Accounts
    from tracker.clock import clock_from_environment
    from tracker.settings import read_settings
    from tracker.store.records import open_records

    clock = clock_from_environment()
    records = open_records(read_settings(), clock)
    click.get_current_context().call_on_close(records.close)
    return Accounts(records, clock)


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
@click.password_option(help="Asked for when it is not given.")
def add(name: str, roles: tuple[str, ...], lang: str, zone: str, password: str) -> None:
    """Make an account for NAME.

    The first one belongs to whoever wears the sensor here: it keeps their data and operates.
    """
    from tracker.diary import Role
    from tracker.errors import InputError

    accounts = _accounts()
    own = _series_before_accounts()
    if accounts.needed() or own is None:
        person = accounts.add(name, password, [Role(r) for r in roles], language=lang, zone=zone)
    elif "wearer" in roles:
        person = accounts.add_owner(name, password, language=lang, zone=zone, wearer=own)
    else:
        raise InputError(
            "somebody's data are here without an account, and with the first account everybody has "
            "to sign in: make theirs first (`backstay user add NAME`)"
        )
    click.echo(
        f"{person.name}: account {person.id}"
        + (f", series {person.wearer}" if person.wearer else "")
    )


def _series_before_accounts() -> "str | None":
    """The pseudonym of a single user's series; None where nothing was measured here."""
    from tracker.settings import read_settings
    from tracker.share import PREFIX
    from tracker.store.sqlite import open_reader

    reader = open_reader(read_settings())
    try:
        return next((w for w, _ in reader.wearers() if not w.startswith(PREFIX)), None)
    finally:
        reader.close()


@command.command("passwd")
@click.argument("name")
@click.password_option(help="Asked for when it is not given.")
def passwd(name: str, password: str) -> None:
    """Give NAME a new password; all sign-ins of the account end."""
    accounts = _accounts()
    accounts.set_password(_named(accounts, name), password)
    click.echo(f"{name}: the password is changed; all sign-ins have ended")


@command.command("close")
@click.argument("name")
def close(name: str) -> None:
    """Close the account of NAME; the data stay until they are erased."""
    from dataclasses import replace

    accounts = _accounts()
    person = _named(accounts, name)
    accounts.records.put_person(replace(person, active=False))
    accounts.records.end_sessions(person.id)
    click.echo(f"{name}: the account is closed")


@command.command("list")
def list_accounts() -> None:
    """List the accounts: name, roles, series, language."""
    for person in _accounts().records.people():
        roles = ", ".join(sorted(person.roles))
        state = "" if person.active else "  (closed)"
        click.echo(f"{person.name}\t{roles}\t{person.wearer or '-'}\t{person.language}{state}")


def _named(accounts: "Accounts", name: str) -> "Person":
    from tracker.errors import InputError

    for person in accounts.records.people():
        if person.name.casefold() == name.casefold():
            return person
    raise InputError(f"there is no account {name!r}: look at `backstay user list`")
