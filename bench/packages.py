# SPDX-License-Identifier: Apache-2.0
"""Makes a real environment for each extra alone and measures it: `python -m bench.packages`.

Needs the package index. Prints a table and writes `docs/operate/packages.json`:

* size of the environment, pip left out, and whether `backstay --version` and the extra's modules
  run in it;
* seconds of `backstay --version`, beside a bare `python -c pass` of the same environment;
* for every other Python from 3.12 on: whether pip finds wheels for `backstay[all]`.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "operate" / "packages.json"
PAGE = OUT.with_suffix(".md")
EXTRAS = ("", "dashboard", "influx", "http", "mqtt", "parquet", "pdf", "oidc", "postgres",
          "cluster", "orientation", "all")  # fmt: skip
OTHER_PYTHONS = ("3.12", "3.13", "3.14")


def wheel_of(folder: Path) -> Path:
    """The wheel of the tree as it is."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def size_mb(folder: Path) -> float:
    """Bytes of everything pip installed except pip itself, in MB of 2**20."""
    kept = [
        p for p in folder.rglob("*")
        if p.is_file() and not p.is_symlink() and not {"pip", "__pycache__"} & set(p.parts)
    ]  # fmt: skip
    return sum(p.stat().st_size for p in kept) / (1 << 20)


def best_s(words: list[str], rounds: int = 7) -> float:
    """Shortest of some runs of a command, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def measure(wheel: Path, extra: str, folder: Path) -> dict[str, object]:
    """One environment."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted],
        check=True,
    )
    command = [str(folder / "bin" / "backstay"), "--version"]
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], check=True, capture_output=True
    )
    names = {d["name"].lower() for d in json.loads(listed.stdout)}
    return {
        "extra": extra or "(base)",
        "size_mb": round(size_mb(folder)),
        "version_s": round(best_s(command), 3),
        "bare_python_s": round(best_s([str(python), "-c", "pass"]), 3),
        "distributions": len(names) - 1,
        "heavy": sorted(names & {"streamlit", "pandas", "pyarrow"}),
    }


def resolves(version: str) -> bool:
    """Whether pip finds wheels of everything for another Python.

    pip reads markers with its own Python, so they are read here with the other one's number.
    """
    wanted: list[str] = []
    for line in requires("backstay") or []:
        need = Requirement(line)
        where = {**default_environment(), "python_version": version, "python_full_version": version}
        extras = ["", *(e for e in EXTRAS if e not in ("", "all"))]
        if need.marker is None or any(need.marker.evaluate({**where, "extra": e}) for e in extras):
            need.marker = None
            wanted.append(str(need))
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--target", folder,
             "--python-version", version, "--only-binary", ":all:", *wanted],
            check=False, capture_output=True,
        )  # fmt: skip
    return run.returncode == 0


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", nargs="*", default=EXTRAS)
    chosen = parser.parse_args().extras
    rows = []
    with tempfile.TemporaryDirectory() as top:
        wheel = wheel_of(Path(top))
        print("| extra | MB | distributions | `backstay --version` s | bare Python s |")
        print("|---|---|---|---|---|")
        for extra in chosen:
            folder = Path(top) / "env"
            row = measure(wheel, extra, folder)
            shutil.rmtree(folder)
            rows.append(row)
            print(
                f"| {row['extra']} | {row['size_mb']} | {row['distributions']} "
                f"| {row['version_s']} | {row['bare_python_s']} |",
                flush=True,
            )
        others = {version: resolves(version) for version in OTHER_PYTHONS}
        print(others)
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "environments": rows,
        "resolved": others,
    }
    OUT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    begin, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- packages:begin -->")
    end = rest.partition("<!-- packages:end -->")[2]
    PAGE.write_text(
        f"{begin}<!-- packages:begin -->\n{table(result)}<!-- packages:end -->{end}",
        encoding="utf-8",
    )


def table(result: dict[str, Any]) -> str:
    """The figures as the page shows them."""
    rows = [
        f"| {r['extra']} | {r['size_mb']} | {r['distributions']} | {r['version_s']} "
        f"| {r['bare_python_s']} |"
        for r in result["environments"]
    ]
    found = [f"{v}{'' if ok else ' (not all)'}" for v, ok in result["resolved"].items()]
    return (
        "| extra | MB | distributions | `backstay --version`, s | bare Python, s |\n"
        "|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"Python {result['python']} on Linux. Wheels of everything are found for "
        f"{', '.join(found)}.\n"
    )


if __name__ == "__main__":
    main()
