# SPDX-License-Identifier: Apache-2.0
"""`backstay influx`: prepare an InfluxDB, look at the queue, send everything again."""

from pathlib import Path

import click


@click.group("influx", short_help="InfluxDB: setup, status, refused, resend.")
def command() -> None:
    """Work on the InfluxDB that BACKSTAY_INFLUX_URL names.

    The embedded store stays the source of truth; InfluxDB gets a copy of everything but raw
    samples.
    """


@command.command("setup")
@click.option(
    "--admin-token",
    envvar="BACKSTAY_INFLUX_ADMIN_TOKEN",
    help="Operator token (2.x) or admin user:password (1.x).",
)
@click.option(
    "--admin-token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File that holds it.",
)
@click.option(
    "--keep-days", default=0, show_default=True, help="Retention in days; 0 keeps everything."
)
@click.option(
    "--tokens-into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that gets write/token and read/token; tokens that lie there are kept.",
)
def setup(
    admin_token: str | None, admin_token_file: Path | None, keep_days: int, tokens_into: Path | None
) -> None:
    """Make the bucket or database and, on 2.x, two tokens: write-only and read-only.

    May be repeated. Without --tokens-into the tokens are printed once: the first is for the
    collector, the second for the dashboard.
    """
    from tracker.errors import UsageError
    from tracker.settings import read_settings
    from tracker.store.influx_setup import keep_tokens, provision, tokens_lie_in

    if admin_token_file is not None:
        admin_token = admin_token_file.read_text(encoding="utf-8").strip()
    if not admin_token:
        raise UsageError("give --admin-token or --admin-token-file")
    kept = tokens_into is not None and tokens_lie_in(tokens_into)
    made = provision(read_settings(), admin_token, keep_days, tokens=not kept)
    for sentence in made.done:
        click.echo(sentence)
    if made.write_token and tokens_into is not None:
        keep_tokens(tokens_into, made)
    elif made.write_token:
        click.echo(f"collector: BACKSTAY_INFLUX_TOKEN={made.write_token}")
        click.echo(f"dashboard: BACKSTAY_INFLUX_TOKEN={made.read_token}")


@command.command("status")
def status() -> None:
    """Print what waits for InfluxDB, since when, and what is wrong."""
    import json
    from dataclasses import asdict

    from tracker.settings import read_settings
    from tracker.store.influx_sink import read_status
    from tracker.store.sqlite import open_reader

    reader = open_reader(read_settings())
    try:
        click.echo(json.dumps(asdict(read_status(reader)), indent=2))
    finally:
        reader.close()


@command.command("refused")
def refused() -> None:
    """Print the lines that InfluxDB refuses (dead letters), one JSON object each.

    Mostly a field has another type there. When that is mended, `resend` sends them again.
    """
    import json

    from tracker.settings import read_settings
    from tracker.store.sqlite import open_reader
    from tracker.units import from_ns

    reader = open_reader(read_settings())
    try:
        for at_ns, _, line, reason in reader.dead_letters():
            at = f"{from_ns(at_ns):%Y-%m-%dT%H:%M:%SZ}"
            click.echo(json.dumps({"at": at, "reason": reason, "line": line}))
    finally:
        reader.close()


@command.command("resend")
def resend() -> None:
    """Send every stored hour again; while the collector runs it does the sending."""
    from tracker.clock import clock_from_environment
    from tracker.errors import StoreBusy, StoreError
    from tracker.settings import read_settings
    from tracker.store.influx_sink import Sink, resend_mark
    from tracker.store.influx_target import InfluxFault, InfluxTarget
    from tracker.store.sqlite import open_store

    settings = read_settings()
    if not settings.influx_url:
        raise StoreError("no InfluxDB is configured: set BACKSTAY_INFLUX_URL")
    try:
        store = open_store(settings)
    except StoreBusy:
        resend_mark(settings.epochs_db).touch()
        click.echo("The collector sends everything again with its next round.")
        return
    target = InfluxTarget(settings)
    try:
        hours = store.mark_all_dirty()
        Sink(store, target, clock_from_environment()).drain()
    except InfluxFault as fault:
        raise StoreError(f"{fault}; the hours stay queued") from fault
    finally:
        target.close()
        store.close()
    click.echo(f"{hours} hours sent.")
