# SPDX-License-Identifier: Apache-2.0
"""`backstay practice`: a home collector that hands its hours to a practice's server."""

import click


@click.group("practice", short_help="Send a wearer's hours to a practice: token, join, leave.")
def command() -> None:
    """A practice server keeps the hours of people whose sensors are at home.

    On the server `token` makes a token for one wearer; at home `join` uses it.
    """


@command.command("token")
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Instead: end every token of this wearer now.")
def token(name: str, revoke: bool) -> None:
    """On the server: a token for the home collector of NAME (an account that wears a sensor)."""
    from tracker.clock import clock_from_environment
    from tracker.collect.certificate import ensure_certificate
    from tracker.collect.devices import Devices
    from tracker.collect.practice_desk import FILE
    from tracker.errors import InputError
    from tracker.model import Placement
    from tracker.rights.open import records_reader
    from tracker.settings import read_settings

    settings, clock = read_settings(), clock_from_environment()
    with records_reader(settings, clock) as records:
        people = records.people(active_only=True) if records is not None else ()
    wearer = next((p.wearer for p in people if p.name.casefold() == name.casefold()), None)
    if wearer is None:
        raise InputError(f"there is no account {name!r} that wears a sensor: `backstay user list`")
    homes = Devices(settings.data, FILE)
    if revoke:
        mine = [d for d in homes.all() if d.wearer == wearer and d.revoked_ns is None]
        for device in mine:
            homes.revoke(device.id, clock.now_ns())
        click.echo(f"{name}: {len(mine)} tokens ended")
        return
    _, secret = homes.add(
        name=f"home of {name}"[:60], wearer=wearer, placement=Placement.UNKNOWN,
        now_ns=clock.now_ns(),
    )  # fmt: skip
    certificate = ensure_certificate(settings.data / "certificate", clock.now_ns())
    click.echo(f"Token (shown once): {secret}")
    click.echo(f"Fingerprint: {certificate.fingerprint_sha256}")
    click.echo(f"At home: backstay practice join https://THIS-MACHINE:{settings.http_port}")


@command.command("join")
@click.argument("url")
@click.option("--wearer", default="me", show_default=True, help="Whose hours, as named at home.")
@click.option("--token", prompt=True, hide_input=True, help="Asked for when it is not given.")
@click.option("--fingerprint", default="", help="Of a self-made certificate, as the server says.")
def join(url: str, wearer: str, token: str, fingerprint: str) -> None:
    """At home: send the hours of one wearer to the practice at URL (https://...)."""
    from tracker.collect.push import Practice
    from tracker.collect.push import join as remember
    from tracker.settings import read_settings

    plain = fingerprint.replace(":", "").strip().lower()
    remember(
        read_settings().data,
        Practice(wearer=wearer, url=url.rstrip("/"), token=token.strip(), sha256=plain),
    )
    click.echo("Joined. The collector sends what it has and every new hour; the diary is there.")


@command.command("leave")
@click.option("--wearer", default="me", show_default=True, help="Whose hours, as named at home.")
def leave(wearer: str) -> None:
    """At home: stop sending. What the practice has stays there until it is erased there."""
    from tracker.collect.push import leave as forget
    from tracker.settings import read_settings

    joined = forget(read_settings().data, wearer)
    click.echo("No more hours are sent." if joined else "No hours were sent.")


@command.command("list")
def list_homes() -> None:
    """On the server: tokens and whose they are. At home: where hours go."""
    from tracker.collect.devices import Devices
    from tracker.collect.practice_desk import FILE
    from tracker.collect.push import practices
    from tracker.settings import read_settings
    from tracker.units import from_ns

    folder = read_settings().data
    for device in Devices(folder, FILE).all():
        state = "" if device.revoked_ns is None else "  (ended)"
        click.echo(f"{device.name}\t{device.wearer}\t{from_ns(device.made_ns):%Y-%m-%d}{state}")
    for practice in practices(folder):
        click.echo(f"{practice.wearer}\t-> {practice.url}")
