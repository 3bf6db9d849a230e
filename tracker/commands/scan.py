# SPDX-License-Identifier: Apache-2.0
"""`backstay scan`: sensors in reach, which decoder fits, and why."""

import click


@click.command("scan", short_help="List the sensors in reach.")
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(1, 30))
@click.option("--all", "everything", is_flag=True, help="Also devices that no decoder fits.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list for programs.")
def command(seconds: float, everything: bool, as_json: bool) -> None:
    """List sensors: address, signal, name, which decoder fits and why, battery where known.

    A running collector is asked, so that its connected sensors appear too.
    """
    import asyncio
    import json

    from tracker.collect.control import ControlClient
    from tracker.collect.service import Plan, scan_here
    from tracker.settings import read_settings

    settings = read_settings()
    client = ControlClient(settings.data, timeout_s=seconds + 15)
    if client.running():
        found = client.call("scan", seconds=seconds)
    else:
        found = asyncio.run(scan_here(Plan(settings=settings), seconds))
    shown = [f for f in found if everything or f["decoder"]]
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
        return
    for line in shown:
        click.echo(_line(line))
    hidden = len(found) - len(shown)
    if not shown:
        click.echo("No sensor in reach. Is it switched on, near, and not connected to a phone?")
    if hidden:
        click.echo(f"{hidden} other devices: --all lists them.")


def _line(found: dict[str, object]) -> str:
    bars = int(str(found["bars"]))
    signal = "▂▄▆█"[:bars].ljust(4, "·")
    dbm = "" if found["rssi_dbm"] is None else f"{found['rssi_dbm']} dBm"
    battery = "" if found["battery_pct"] is None else f"  battery {found['battery_pct']} %"
    name = str(found["name"] or "(no name)")
    fits = found["decoder"] or "-"
    return f"{found['address']}  {signal} {dbm:>8}  {name:<24} {fits}: {found['why']}{battery}"
