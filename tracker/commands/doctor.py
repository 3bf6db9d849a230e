# SPDX-License-Identifier: Apache-2.0
"""`backstay doctor`: finds the likeliest faults and says what to do about each."""

import click

_MARKS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


@click.command("doctor", short_help="Find faults and say what to do about each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list for programs.")
def command(as_json: bool) -> int:
    """Look at Bluetooth, rights, sensors, clock, disk, stores, InfluxDB, ports and calibration.

    Changes nothing. Exit code 0 when nothing needs a remedy, else 1.
    """
    import json
    from dataclasses import asdict

    from tracker.clock import clock_from_environment
    from tracker.doctor import examine, healthy, surroundings
    from tracker.settings import read_settings

    findings = []
    for finding in examine(surroundings(read_settings(), clock_from_environment())):
        findings.append(finding)
        if not as_json:
            click.echo(f"{_MARKS[finding.level]} {finding.check}: {finding.sentence}")
            if finding.remedy:
                click.echo(f"      -> {finding.remedy}")
    if as_json:
        click.echo(json.dumps([asdict(f) for f in findings], ensure_ascii=False, indent=1))
    return 0 if healthy(findings) else 1
