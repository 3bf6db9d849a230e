# SPDX-License-Identifier: Apache-2.0
"""`backstay service`: the unit systemd accepts, what install does, and words for other systems."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import tool
from tracker import autostart
from tracker.commands.service import command
from tracker.errors import ServiceError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's configuration folder, and a `systemctl` that notes what it was asked."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    programs = tmp_path / "bin"
    programs.mkdir()
    fake = programs / "systemctl"
    fake.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\n'
        f'case "$*" in *is-enabled*) echo enabled;; *is-active*) echo active;; esac\n'
        f"exit $(cat {tmp_path}/code 2>/dev/null || echo 0)\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return tmp_path


def run(*words: str) -> Result:
    """Run the command as `backstay service ...`."""
    return CliRunner().invoke(command, words, standalone_mode=False)


@pytest.mark.parametrize("options", [[], ["--collector-only"], ["--lan"]])
def test_systemd_accepts_the_unit(home: Path, options: list[str]) -> None:
    """`systemd-analyze verify` finds nothing wrong with any unit that --dry-run prints."""
    program = tool("systemd-analyze", "Debian: apt-get install systemd")
    printed = run("install", "--dry-run", *options)
    assert printed.exit_code == 0
    unit = home / "backstay.service"
    unit.write_text(printed.output)
    done = subprocess.run(
        [program, "--user", "verify", str(unit)], capture_output=True, text=True, check=False,
        env={"XDG_RUNTIME_DIR": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "backstay" in line]
    assert not ours
    assert done.returncode == 0, done.stderr
    assert not (home / "asked").exists()  # a dry run asks systemd for nothing
    assert not (home / "config").exists()


def test_install_writes_the_unit_and_starts_it(home: Path) -> None:
    """The unit lies in the user's folder, settings in a private file, and systemd is told."""
    done = run("install")
    assert done.exit_code == 0, done.output
    unit = home / "config" / "systemd" / "user" / "backstay.service"
    environment = home / "config" / "backstay" / "environment"
    assert f"ExecStart={sys.executable} -m tracker up --no-demo\n" in unit.read_text()
    assert f"EnvironmentFile=-{environment}\n" in unit.read_text()
    assert stat.S_IMODE(environment.stat().st_mode) == 0o600
    asked = (home / "asked").read_text().splitlines()
    words = ("daemon-reload", "enable backstay.service", "restart backstay.service")
    assert asked == [f"--user {w}" for w in words]
    assert "enable-linger" in done.output


def test_install_twice_keeps_the_settings(home: Path) -> None:
    """A second install makes the unit anew and leaves the person's settings alone."""
    run("install")
    environment = home / "config" / "backstay" / "environment"
    environment.write_text("BACKSTAY_ZONE=Europe/Berlin\n")
    assert run("install", "--collector-only").exit_code == 0
    assert environment.read_text() == "BACKSTAY_ZONE=Europe/Berlin\n"
    unit = home / "config" / "systemd" / "user" / "backstay.service"
    assert "-m tracker collect\n" in unit.read_text()


def test_status_and_uninstall(home: Path) -> None:
    """Status is one line; uninstall stops it and removes the unit alone, and may be repeated."""
    run("install")
    assert run("status").output == "enabled, active\n"
    assert run("uninstall").exit_code == 0
    assert not (home / "config" / "systemd" / "user" / "backstay.service").exists()
    assert (home / "config" / "backstay" / "environment").exists()
    assert "disable --now backstay.service" in (home / "asked").read_text()
    assert "nothing to remove" in run("uninstall").output


def test_a_systemd_that_refuses_is_a_sentence(home: Path) -> None:
    """Without a user session systemctl fails; the sentence says how to sign in."""
    (home / "code").write_text("1")
    done = run("install")
    assert isinstance(done.exception, ServiceError)
    assert "not by su or sudo" in str(done.exception)


def test_without_systemd_it_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux without systemd gets a sentence."""
    monkeypatch.setenv("PATH", str(home / "nothing"))
    with pytest.raises(ServiceError, match="has no systemd"):
        autostart.systemctl("status")


@pytest.mark.parametrize(("platform", "word"), [("win32", "schtasks"), ("darwin", "Login Items")])
def test_other_systems_are_told_what_to_do(
    platform: str, word: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows and macOS get their own way in words; nothing is written."""
    monkeypatch.setattr(sys, "platform", platform)
    for action in ("install", "uninstall", "status"):
        done = run(action)
        assert isinstance(done.exception, ServiceError)
        assert word in str(done.exception)
    assert not (home / "config").exists()
    assert autostart.advice("linux", ["x"]) == ""


def test_words_of_a_command_line_are_quoted_for_systemd() -> None:
    """Spaces, quotes, per cent and dollar signs reach the program as they are."""
    assert autostart.quoted("/home/a/.venv/bin/python") == "/home/a/.venv/bin/python"
    assert autostart.quoted("/my files/python") == '"/my files/python"'
    assert autostart.quoted('a"b') == '"a\\"b"'
    assert autostart.quoted("100%$HOME") == "100%%$$HOME"


def test_a_collector_has_no_network_option() -> None:
    """--collector-only and --lan exclude each other."""
    assert "a collector alone has none" in str(
        run("install", "--collector-only", "--lan").exception
    )
