# SPDX-License-Identifier: Apache-2.0
"""Makes a real environment for each extra alone and measures it: `python -m bench.packages`.

Needs the package index. Prints a table and writes `docs/operate/packages.json`:

* for every Python from 3.11 on that this machine has (also those of pyenv): whether each extra
  alone, and the sdist, installs, says its version and imports what the extra is for;
* with the Python that runs it: size of the environment, pip left out, and seconds of
  `backstay --version` beside a bare `python -c pass`;
* for the other Pythons: whether pip finds wheels for `backstay[all]`.
"""

import argparse
import email
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "operate" / "packages.json"
PAGE = OUT.with_suffix(".md")
EXTRAS = ("", "dashboard", "influx", "http", "mqtt", "parquet", "pdf", "oidc", "postgres",
          "cluster", "orientation", "all")  # fmt: skip
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# What each extra is for: modules of ours that must be importable with it alone.
SERVES = {
    "dashboard": ["dashboard.serve", "tracker.accounts", "tracker.report.charts.ribbon"],
    "influx": ["influxdb_client", "tracker.store.influx", "tracker.store.influx_sink"],
    "http": [
        "tracker.collect.http", "tracker.collect.certificate", "uvicorn", "httpx", "websockets",
        "segno",
    ],
    "mqtt": ["tracker.collect.mqtt"],
    "parquet": ["pyarrow.parquet", "tracker.recording", "tracker.tables_io"],
    "pdf": ["typst", "vl_convert", "tracker.report.pdf", "tracker.report.charts.ribbon"],
    "oidc": ["authlib.integrations.starlette_client", "joserfc", "httpx2"],
    "postgres": ["psycopg", "tracker.store.sql"],
    "cluster": ["distributed", "tracker.cluster"],
    "orientation": ["vqf"],
}  # fmt: skip


def interpreters() -> dict[str, str]:
    """Program of every Python from 3.11 on that this machine has, by `3.x`; ours first."""
    ours = ".".join(platform.python_version_tuple()[:2])
    found = {ours: sys.executable}
    for version in PYTHONS:
        kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        for program in (*kept, shutil.which(f"python{version}")):
            asked = [
                str(program),
                "-c",
                "import ensurepip, sys; print(*sys.version_info[:2], sep='.')",
            ]
            if program and version not in found:
                run = subprocess.run(asked, check=False, capture_output=True, text=True)
                if run.returncode == 0 and run.stdout.strip() == version:
                    found[version] = str(program)
    return found


def built(folder: Path) -> tuple[Path, Path]:
    """Wheel and sdist of the tree as it is."""
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def installs(program: str, package: Path, extra: str, folder: Path) -> str:
    """Makes an environment, installs, imports what the extra is for; "" or what went wrong."""
    subprocess.run([program, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    wanted = f"{package}[{extra}]" if extra else str(package)
    modules = ["tracker.chain", "tracker.collect.service"]
    modules += [m for e, ms in SERVES.items() if extra in (e, "all") for m in ms]
    code = "import importlib\n" + "\n".join(f"importlib.import_module({m!r})" for m in modules)
    for words in (
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted],
        [str(folder / "bin" / "backstay"), "--version"],
        [python, "-c", code],
    ):
        run = subprocess.run(words, check=False, capture_output=True, text=True)
        if run.returncode:
            return (run.stderr.strip().splitlines() or ["failed without a word"])[-1]
    return ""


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


def measure(extra: str, folder: Path) -> dict[str, object]:
    """One environment that `installs` made."""
    python = folder / "bin" / "python"
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


def resolves(wheel: Path, version: str) -> bool:
    """Whether pip finds wheels of everything for another Python.

    pip reads markers with its own Python, so they are read here with the other one's number.
    """
    wanted: list[str] = []
    with zipfile.ZipFile(wheel) as packed:
        name = next(n for n in packed.namelist() if n.endswith(".dist-info/METADATA"))
        told = email.message_from_bytes(packed.read(name)).get_all("Requires-Dist") or []
    for line in told:
        need = Requirement(line)
        where = {**default_environment(), "python_version": version, "python_full_version": version}
        extras = ["", *(e for e in EXTRAS if e not in ("", "all"))]
        if need.name != "backstay" and (
            need.marker is None or any(need.marker.evaluate({**where, "extra": e}) for e in extras)
        ):
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
    parser.add_argument(
        "--extras", nargs="*", default=EXTRAS, help="these anew, the others as kept"
    )
    chosen = parser.parse_args().extras
    rows = []
    programs = interpreters()
    seen: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as top:
        wheel, sdist = built(Path(top))
        folder = Path(top) / "env"
        for version, program in programs.items():
            for extra in chosen:
                said = installs(program, wheel, extra, folder)
                seen.setdefault(version, {})[extra or "(base)"] = said
                if program == sys.executable and not said:
                    rows.append(measure(extra, folder))
                shutil.rmtree(folder)
                print(version, extra or "(base)", said or "installs", flush=True)
            seen[version]["(sdist)"] = installs(program, sdist, "", folder)
            shutil.rmtree(folder)
            print(version, "(sdist)", seen[version]["(sdist)"] or "installs", flush=True)
        others = {v: resolves(wheel, v) for v in PYTHONS if v not in programs}
        print(others)
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "environments": rows,
        "installed": seen,
        "resolved": others,
    }
    if set(chosen) != set(EXTRAS):
        _with_the_rest(result)
    OUT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    begin, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- packages:begin -->")
    end = rest.partition("<!-- packages:end -->")[2]
    PAGE.write_text(
        f"{begin}<!-- packages:begin -->\n{table(result)}<!-- packages:end -->{end}",
        encoding="utf-8",
    )


def _with_the_rest(result: dict[str, Any]) -> None:
    """Adds what an earlier run measured of the extras that were not asked for this time."""
    kept = json.loads(OUT.read_text(encoding="utf-8"))
    fresh = {row["extra"]: row for row in result["environments"]}
    result["environments"] = [fresh.get(row["extra"], row) for row in kept["environments"]]
    for version, ones in kept.get("installed", {}).items():
        result["installed"][version] = ones | result["installed"].get(version, {})


def table(result: dict[str, Any]) -> str:
    """The figures as the page shows them."""
    rows = [
        f"| {r['extra']} | {r['size_mb']} | {r['distributions']} | {r['version_s']} "
        f"| {r['bare_python_s']} |"
        for r in result["environments"]
    ]
    failed = [
        f"{version} {extra}: {said}"
        for version, ones in result["installed"].items()
        for extra, said in ones.items()
        if said
    ]
    found = [f"{v}{'' if ok else ' (not all)'}" for v, ok in result["resolved"].items()]
    lines = [
        f"Measured with Python {result['python']} on Linux. Each row, and the base from the sdist, "
        f"was installed alone and imported on {', '.join(result['installed'])}"
        + (":" if failed else " without a failure."),
        *(f"- {line}" for line in failed),
    ]
    if found:
        lines.append(f"Wheels of everything are found for {', '.join(found)}.")
    return (
        "| extra | MB | distributions | `backstay --version`, s | bare Python, s |\n"
        "|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    main()
