# SPDX-License-Identifier: Apache-2.0
"""`backstay demo`: a simulated wearer, live now and with weeks of history, in its own folder."""

import click


@click.command("demo", short_help="Show a simulated wearer: live, and weeks of history.")
@click.option("--port", type=int, help="Port of the dashboard (default 8501, or a free one).")
@click.option("--feed", is_flag=True, hidden=True, help="Only feed the live row (used by `up`).")
def command(port: int | None, feed: bool) -> None:
    """Show a wearer who does not exist, marked as demo. Your own data are not touched.

    The data lie in the folder `demo` inside the data folder and are made anew at every start.
    """
    from tracker.settings import read_settings

    settings = read_settings(port=port)
    if feed:
        from tracker.collect.demo_feed import run_feed

        run_feed(settings)
        return
    from tracker.launch import Plan, launch

    launch(Plan(settings=settings, own=False, demo=True))
