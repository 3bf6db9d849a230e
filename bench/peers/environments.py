# SPDX-License-Identifier: Apache-2.0
"""One virtual environment per peer under .cache/peers, made when it is first needed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class NotInstalledError(Exception):
    """Says in one sentence why a peer has no environment."""


def environment(folder: Path, requirement: str) -> Path:
    """The interpreter of an environment that holds `requirement`; makes it where it is missing.

    A stamp is written last, so an installation that broke off is begun again. Raises
    NotInstalledError.
    """
    python = folder / "bin" / "python"
    stamp = folder / ".installed"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == requirement:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _call([sys.executable, "-m", "venv", str(folder)], requirement)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*pip, requirement], requirement)
    stamp.write_text(requirement, encoding="utf-8")
    return python


def _call(command: list[str], requirement: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=single_threaded()
    )
    if done.returncode:
        raise NotInstalledError(
            f"{requirement} could not be installed on Python {sys.version_info.major}."
            f"{sys.version_info.minor}: {last_line(done.stderr)}"
        )


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def single_threaded() -> dict[str, str]:
    """The environment variables that keep every numerical library on one thread."""
    numeric = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    return (
        os.environ
        | {f"{name}_NUM_THREADS": "1" for name in numeric}
        | {"POLARS_MAX_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1", "MPLBACKEND": "Agg"}
    )
