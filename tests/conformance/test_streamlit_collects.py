# SPDX-License-Identifier: Apache-2.0
"""Why the dashboard sets its imports aside: Streamlit walks through all of them at each redraw."""

import inspect
import subprocess
import sys

from streamlit.runtime.scriptrunner import script_runner


def test_streamlit_still_collects_after_every_run() -> None:
    """Should it stop, `dashboard.warm.settle` can go."""
    assert "gc.collect(" in inspect.getsource(script_runner)


def test_what_was_imported_is_set_aside() -> None:
    """After settling, hardly anything is left to walk through: new objects alone."""
    program = (
        "import gc\n"
        "from dashboard import warm\n"
        "warm.settle()\n"
        "print(gc.get_freeze_count(), len(gc.get_objects()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    frozen, left = map(int, done.stdout.split())
    assert frozen > 100_000
    assert left < frozen / 50
