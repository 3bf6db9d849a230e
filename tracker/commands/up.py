# SPDX-License-Identifier: Apache-2.0
"""`backstay up`: the whole service on this machine, with one address to open."""

import click


@click.command("up", short_help="Start the service and print its address.")
@click.option("--port", type=int, help="Port of the dashboard (default 8501, or a free one).")
@click.option(
    "--lan",
    is_flag=True,
    help="Open it to the home network: HTTPS, an account is required, QR code.",
)
@click.option("--no-demo", is_flag=True, help="Show no demo wearer while no sensor is configured.")
def command(port: int | None, lan: bool, no_demo: bool) -> None:
    """Start collector and dashboard on the embedded store and keep them running.

    Without a sensor a demo wearer is shown, marked as demo, and the way to add a sensor.
    Ctrl+C ends everything cleanly.
    """
    from tracker.collect.broker import broker_of
    from tracker.launch import Plan, launch
    from tracker.settings import read_settings

    settings = read_settings(port=port, lan="on" if lan else None)
    if settings.mqtt_url:
        broker_of(settings.mqtt_url)  # one sentence now, not one a minute from a collector
    launch(Plan(settings=settings, own=True, demo=not no_demo))
