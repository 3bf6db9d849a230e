# SPDX-License-Identifier: Apache-2.0
"""`backstay share`: a person's data for a therapist elsewhere, as one encrypted file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.commands._ask import ask_wearer, password_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tracker.clock import Clock
    from tracker.settings import Settings
    from tracker.store.records import Records

_SCOPES = ("sitting", "posture", "training", "tension", "pain", "massage", "notes", "screening")
_DEFAULT = ("sitting", "training", "tension")  # `rules.toml` [privacy.grant]


@click.command("share", short_help="An encrypted file for a therapist; or take one in.")
@click.argument("wearer", required=False)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(_SCOPES),
    help="What is shared; may be given several times.  [default: sitting, training, tension]",
)
@click.option("--confirm-sensitive", is_flag=True, help="Needed for screening and notes.")
@click.option("--days", default=30, show_default=True, help="How long the other side may keep it.")
@click.option("--past", default=90, show_default=True, help="Days of the past that go along.")
@click.option("--alias", default="", help="Name in the therapist's list (default: your name).")
@click.option(
    "--import",
    "taking",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Take in a file that somebody shared.",
)
@click.option("--for", "therapist", default="", help="Whose list it goes to (with --import).")
@click.option("--code", default="", help="The one-time code; asked for when it is not given.")
@click.option("--list", "listing", is_flag=True, help="Files that were taken in here.")
@click.option("--delete", "deleting", default="", metavar="ID", help="Delete one of them now.")
@password_option
def command(
    wearer: str | None,
    out: Path | None,
    scopes: tuple[str, ...],
    confirm_sensitive: bool,
    days: int,
    past: int,
    alias: str,
    taking: Path | None,
    therapist: str,
    code: str,
    listing: bool,
    deleting: str,
    password_file: Path | None,
) -> None:
    """Share WEARER's data with a therapist whose Backstay runs elsewhere.

    Writes one encrypted file and prints a one-time code. Send the file as you like and tell the
    code by another way, for example by phone. The other side deletes it at its expiry.

    With --import, --list or --delete: the therapist's side.
    """
    from tracker.errors import UsageError

    modes = [bool(wearer), taking is not None, listing, bool(deleting)]
    if sum(modes) != 1:
        raise UsageError("say one of: WEARER, --import FILE, --list, --delete ID")
    if wearer:
        _give(wearer, out, scopes or _DEFAULT, confirm_sensitive, days, past, alias, password_file)
    elif taking is not None:
        secret = code or click.prompt("One-time code")
        _take(taking, secret, therapist)
    elif listing:
        _list()
    else:
        _delete(deleting)


def _give(
    wearer: str, out: Path | None, scopes: tuple[str, ...], confirmed: bool, days: int, past: int,
    alias: str, password_file: Path | None,
) -> None:  # fmt: skip
    from tracker.clock import clock_from_environment
    from tracker.rights.open import audit
    from tracker.settings import read_settings
    from tracker.share_make import make
    from tracker.tables_io import write_all
    from tracker.units import from_ns

    settings, clock = read_settings(), clock_from_environment()
    ask_wearer(settings, clock, wearer, "share", password_file)
    made = make(
        settings, clock, wearer, scopes, days=days, past=past, alias=alias, confirmed=confirmed
    )
    target = out or Path(f"backstay-{from_ns(clock.now_ns()):%Y%m%d}.share")
    write_all({target: made.data})
    audit(settings, clock, wearer, action=f"share {','.join(sorted(made.scopes))}")
    click.echo(
        f"{target} ({len(made.data) / 1e6:.1f} MB), until {from_ns(made.expires_ns):%Y-%m-%d}"
    )
    click.echo(f"One-time code: {made.code}")
    click.echo("Tell the code by another way than the file. It is not kept anywhere.")


def _take(file: Path, code: str, therapist: str) -> None:
    from tracker.share_desk import take_in, therapist_of
    from tracker.units import from_ns

    for settings, clock, records in _records():
        if records is None:
            said = _ask(settings, "share_import", file=str(file.resolve()), code=code,
                        therapist=therapist)  # fmt: skip
            name, expires_ns = said["therapist"], said["expires_ns"]
        else:
            person = therapist_of(records, therapist)
            made = take_in(settings, clock, records, person, file.read_bytes(), code)
            name, expires_ns = person.name, made.expires_ns
        click.echo(f"On the list of {name} until {from_ns(expires_ns):%Y-%m-%d}; then deleted.")


def _list() -> None:
    from tracker.share_desk import sweep, taken
    from tracker.units import from_ns

    for settings, clock, records in _records():
        if records is None:
            rows = [(r["id"], r["viewer"], r["expires_ns"]) for r in _ask(settings, "share_list")]
        else:
            sweep(settings, clock, records)
            rows = [(t.id, t.viewer, t.expires_ns) for t in taken(records) if t.gone_ns is None]
        for key, viewer, expires_ns in rows:
            click.echo(f"{key}\t{viewer}\tuntil {from_ns(expires_ns):%Y-%m-%d}")


def _delete(key: str) -> None:
    from tracker.share_desk import delete

    for settings, clock, records in _records():
        if records is None:
            _ask(settings, "share_delete", bundle=key)
        else:
            delete(settings, clock, records, key)
        click.echo(f"{key}: deleted")


def _records() -> "Iterator[tuple[Settings, Clock, Records | None]]":
    """The records, or None where the dashboard owns them; closed afterwards."""
    from tracker.clock import clock_from_environment
    from tracker.errors import StoreBusy
    from tracker.settings import read_settings
    from tracker.store.records import open_records

    settings, clock = read_settings(), clock_from_environment()
    try:
        records = open_records(settings, clock)
    except StoreBusy:
        yield settings, clock, None
        return
    try:
        yield settings, clock, records
    finally:
        records.close()


def _ask(settings: "Settings", method: str, **params: object) -> "Any":
    from tracker.dashboard_door import DashboardClient

    return DashboardClient(settings).call(method, **params)
