# SPDX-License-Identifier: Apache-2.0
"""Start with the machine: a systemd user unit on Linux, words for Windows and macOS.

The unit runs as the user who installs it, so it needs no root and sees that user's data folder.
Settings and tokens belong into an environment file of mode 0600, not into the unit.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import ServiceError

NAME = "backstay.service"
ENVIRONMENT_HEAD = """# Settings of the Backstay service, one BACKSTAY_...=value a line.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the unit and its settings lie, and which program it starts."""

    unit: Path
    environment: Path
    program: Sequence[str]

    @classmethod
    def of_this_user(cls) -> "Places":
        """Below XDG_CONFIG_HOME or ~/.config, started by this very Python."""
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        return cls(
            unit=config / "systemd" / "user" / NAME,
            environment=config / "backstay" / "environment",
            program=(sys.executable, "-m", "tracker"),
        )


def unit_text(places: Places, *, collector_only: bool = False, lan: bool = False) -> str:
    """The unit. `collector_only` leaves out the dashboard, `lan` opens it to the home network."""
    words = [*places.program, *(["collect"] if collector_only else ["up", "--no-demo"])]
    if lan and not collector_only:
        words.append("--lan")
    what = "collector" if collector_only else "collector and dashboard"
    return f"""# Made by `backstay service install`; made anew by the next one.
[Unit]
Description=Backstay {what}
After=bluetooth.target network-online.target

[Service]
Type=exec
ExecStart={" ".join(quoted(w) for w in words)}
EnvironmentFile=-{str(places.environment).replace("%", "%%")}
Restart=on-failure
RestartSec=5
# The program ends its children itself; what is left after that is killed.
KillMode=mixed
TimeoutStopSec=30
NoNewPrivileges=yes
UMask=0077

[Install]
WantedBy=default.target
"""


def quoted(word: str) -> str:
    """A word of a command line as systemd reads it (systemd.service(5), "Command lines")."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(c in word for c in " \t\"'\\;") else escaped


def advice(platform: str, program: Sequence[str]) -> str:
    """What a person does on a system without systemd; empty where `install` does it."""
    command = " ".join(f'"{w}"' if " " in w else w for w in program)
    if platform == "win32":
        task = command.replace('"', '\\"')
        return (
            "Windows starts programs by its task scheduler. Run once in a terminal:\n"
            f'  schtasks /create /tn Backstay /sc onlogon /tr "{task} up"\n'
            "and remove it with: schtasks /delete /tn Backstay"
        )
    if platform == "darwin":
        return (
            "macOS starts programs by its login items: save a file backstay.command that holds\n"
            f"  #!/bin/sh\n  exec {command} up\n"
            "make it executable (chmod +x backstay.command) and add it under System Settings, "
            "General, Login Items."
        )
    return ""


def install(places: Places, text: str) -> list[str]:
    """Write the unit, start it now and at every start; sentences about what was done."""
    places.unit.parent.mkdir(parents=True, exist_ok=True)
    places.environment.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not places.environment.exists():
        handle = os.open(places.environment, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(ENVIRONMENT_HEAD)
    beside = places.unit.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(places.unit)
    systemctl("daemon-reload")
    systemctl("enable", NAME)
    systemctl("restart", NAME)
    return [
        f"Wrote {places.unit} and started it.",
        f"Its settings: {places.environment}; after a change: systemctl --user restart backstay",
        "Its log: journalctl --user -u backstay",
        "To keep it running while nobody is signed in: loginctl enable-linger",
    ]


def uninstall(places: Places) -> list[str]:
    """Stop the unit and remove it; settings and data stay."""
    if not places.unit.exists():
        return [f"{places.unit} is not there; nothing to remove."]
    systemctl("disable", "--now", NAME)
    places.unit.unlink()
    systemctl("daemon-reload")
    return [f"Stopped and removed {places.unit}. Settings and data stay."]


def status() -> str:
    """One line: whether it is installed and runs."""
    enabled = systemctl("is-enabled", NAME, check=False)
    active = systemctl("is-active", NAME, check=False)
    return f"{enabled or 'not installed'}, {active or 'unknown'}"


def systemctl(*words: str, check: bool = True) -> str:
    """Run `systemctl --user`; what it printed. Raises ServiceError with what it said."""
    program = shutil.which("systemctl")
    if program is None:
        raise ServiceError(
            "this Linux has no systemd: start `backstay up` with the program that starts yours"
        )
    done = subprocess.run(  # noqa: S603 - fixed words
        [program, "--user", *words], capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ServiceError(
            f"systemctl --user {' '.join(words)} failed ({said}): sign in as this user on the "
            "machine itself or by ssh, not by su or sudo"
        )
    return done.stdout.strip()
