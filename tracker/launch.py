# SPDX-License-Identifier: Apache-2.0
"""What `up` and `demo` start, in which order, and what they print.

The first address printed is the dashboard's, on a line of its own and flushed, so that scripts and
people find it. The dashboard is started first and seen to answer; the collector needs no address.
"""

import logging
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import click

from tracker.checks.ports import Port, dashboard_state
from tracker.clock import clock_from_environment
from tracker.demo import demo_settings, prepare
from tracker.errors import BackstayError, ServiceError
from tracker.log import set_up_logging
from tracker.settings import Settings
from tracker.store.lock import is_locked
from tracker.store.sqlite import open_reader
from tracker.supervise import Child, Supervisor, free_port, python_module, wait_until_answers

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to start: the person's own service, the demo, or both side by side."""

    settings: Settings
    own: bool
    demo: bool
    collector: bool = True  # False: one runs already and is used


def launch(plan: Plan) -> None:
    """Start everything, print the address, watch until asked to stop."""
    set_up_logging(plan.settings.log)
    plan = _beside_others(plan)
    settings = _with_folder(plan.settings)
    demo = demo_settings(settings)
    show_demo = plan.demo and not (plan.own and has_own_data(settings))
    if show_demo:
        click.echo("Preparing the demo ...", err=True)
        prepare(demo, clock_from_environment())
    supervisor = Supervisor(children=_children(plan, settings, demo, show_demo=show_demo))
    dashboard = supervisor.children[0]
    dashboard.start()
    try:
        wait_until_answers(_health(settings, dashboard), dashboard)
        for child in supervisor.children[1:]:
            child.start()
        _say(settings, dashboard, own=plan.own, show_demo=show_demo)
        supervisor.watch()
    finally:
        supervisor.stop()


def _beside_others(plan: Plan) -> Plan:
    """The plan beside what runs on these folders already. Raises ServiceError where it runs whole.

    A second collector would be refused, and a second demo would take the first one's files away.
    """
    settings, url = plan.settings, _url(plan.settings, "127.0.0.1")
    if plan.own and is_locked(settings.epochs_db):
        if dashboard_state(settings.port) is Port.OURS:
            raise ServiceError(f"Backstay already runs: open {url}, or stop it first")
        click.echo("A collector already runs on this folder and is used.", err=True)
        return replace(plan, collector=False, demo=False)
    if plan.demo and is_locked(demo_settings(settings).epochs_db):
        raise ServiceError("the demo already runs: open its page, or stop it first")
    return plan


def has_own_data(settings: Settings) -> bool:
    """Whether a sensor is configured or a series exists in the person's own folder."""
    if not settings.epochs_db.exists():
        return False
    reader = open_reader(settings)
    try:
        return bool(reader.sensors()) or bool(reader.wearers())
    finally:
        reader.close()


def _with_folder(settings: Settings) -> Settings:
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ServiceError(
            f"{settings.data}: the data folder cannot be made ({error.strerror}); set "
            "BACKSTAY_DATA to a folder you may write to"
        ) from error
    host = "0.0.0.0" if settings.lan == "on" else settings.host  # noqa: S104 - asked for by --lan
    probe = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    return replace(
        settings,
        host=host,
        port=free_port(probe, settings.port),
        http_port=free_port(probe, settings.http_port),
    )


def _children(plan: Plan, settings: Settings, demo: Settings, *, show_demo: bool) -> list[Child]:
    shown = settings if plan.own else replace(settings, data=demo.data)
    environment = shown.environment()
    if plan.own and show_demo:
        environment |= {"BACKSTAY_DEMO": str(demo.data)}
    if settings.open_to_network:
        environment |= {"BACKSTAY_SETUP_CODE": settings.setup_code or setup_code()}
    children = [
        Child(name="dashboard", command=python_module("dashboard.serve"), environment=environment)
    ]
    if plan.own and plan.collector:
        children.append(
            Child(
                name="collector",
                command=python_module("tracker", "collect"),
                environment=settings.environment(),
            )
        )
    if show_demo:
        children.append(
            Child(
                name="demo",
                command=python_module("tracker", "demo", "--feed"),
                environment=demo.environment(),
            )
        )
    return children


def setup_code() -> str:
    """What the operator types to make the first account: 8 hex digits in two groups."""
    return "-".join(secrets.token_hex(2).upper() for _ in range(2))


def _url(settings: Settings, host: str) -> str:
    scheme = "https" if settings.lan == "on" else "http"
    return f"{scheme}://{host}:{settings.port}"


def _health(settings: Settings, child: Child) -> str:
    return f"{_url(settings, '127.0.0.1')}/_stcore/health"


def _say(settings: Settings, dashboard: Child, *, own: bool, show_demo: bool) -> None:
    def line(text: str = "") -> None:
        click.echo(text)

    line(_url(settings, "127.0.0.1"))
    if show_demo and own:
        line("No sensor yet, so a demo wearer is shown. To add yours: open the page Sensor,")
        line("or run `backstay scan` and then `backstay collect --sensor ADDRESS --wearer me`.")
    elif show_demo:
        line("This is a demo: the wearer is simulated, your own data are not touched.")
    if settings.public_url:
        line(settings.public_url)
    if settings.open_to_network:
        code = dashboard.environment["BACKSTAY_SETUP_CODE"]
        line(f"Setup code for the first account: {code}")
    if settings.lan == "on":
        _say_lan(settings, line)
    line(f"Data: {settings.data}")
    line("Ctrl+C ends it.")
    sys.stdout.flush()


def _say_lan(settings: Settings, line: Callable[[str], None]) -> None:
    try:
        import segno

        from tracker.collect.certificate import ensure_certificate
        from tracker.collect.names import own_names
    except ImportError as error:
        raise BackstayError("--lan needs more packages: install backstay[http]") from error
    certificate = ensure_certificate(
        settings.data / "certificate", clock_from_environment().now_ns()
    )
    names = [n for n in own_names() if n not in ("localhost", "127.0.0.1")]
    for name in names:
        line(_url(settings, name))
    line(f"Fingerprint of the certificate: {certificate.fingerprint_sha256}")
    if names:
        segno.make(_url(settings, names[0]), error="m").terminal(compact=True)
