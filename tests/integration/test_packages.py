# SPDX-License-Identifier: Apache-2.0
"""What is released: wheel and sdist hold everything, and each extra brings what its code imports.

An environment of one extra is not made by installing: the wheel is unpacked, and an import hook
hides every distribution that the extra does not require. `python -m bench.packages` makes the real
environments; its figures are in `docs/operate/packages.md`.
"""

import functools
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
    requires,
)
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench.packages import SERVES

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("firmware_protocol", "tracker", "dashboard")
# Runs first in each child: the unpacked wheel before everything, and what is not allowed, hidden.
_PRELUDE = """
import sys
site, hidden = sys.argv[1], set(sys.argv[2].split(","))
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"hidden: {name}", name=name)
        return None
sys.meta_path.insert(0, Hide())
sys.path.insert(0, site)
import tracker
assert tracker.__file__.startswith(site), tracker.__file__
sys.argv[1:] = sys.argv[3:]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    run = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return zipfile.Path(path)


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, as pip does it for a pure package."""
    folder = tmp_path_factory.mktemp("site")
    (path,) = built.glob("*.whl")
    shutil.unpack_archive(path, folder, "zip")
    return folder


def tracked(*tops: str) -> set[str]:
    """Files of the repository below these folders."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *tops], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


def closure(*extras: str) -> set[str]:
    """Canonical names of every distribution that `backstay[extras]` needs, itself included."""
    found: set[str] = set()
    waiting = [("backstay", frozenset(extras))]
    seen = set()
    while waiting:
        name, chosen = waiting.pop()
        if (name, chosen) in seen:
            continue
        seen.add((name, chosen))
        found.add(canonicalize_name(name))
        try:
            wanted = requires(name) or []
        except PackageNotFoundError:
            continue
        for line in wanted:
            need = Requirement(line)
            environments = [{**default_environment(), "extra": e} for e in (chosen or {""})]
            if need.marker is None or any(need.marker.evaluate(e) for e in environments):
                waiting.append((need.name, frozenset(need.extras)))
    return found


@functools.cache
def owners_of_modules() -> dict[str, set[str]]:
    """Top-level module -> canonical names of the installed distributions that bring it."""
    return {
        module: {canonicalize_name(owner) for owner in owners}
        for module, owners in packages_distributions().items()
    }


def run_with(
    site: Path, extras: tuple[str, ...], code: str, *words: str, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run Python with the unpacked wheel and what these extras require, nothing else."""
    allowed = closure(*extras)
    hidden = ",".join(m for m, owners in owners_of_modules().items() if not owners & allowed)
    return subprocess.run(
        [sys.executable, "-I", "-c", _PRELUDE + code, str(site), hidden, *words],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.Path) -> None:
    """Code, texts, rules, weights, drawings, the phone page and the report's template are in."""
    inside = {name for name in wheel.root.namelist() if not name.endswith("/")}
    missing = tracked(*PACKAGES) - inside
    assert not missing
    kinds = {Path(name).suffix for name in inside}
    assert {".py", ".toml", ".typ", ".html", ".js", ".css", ".svg", ".npz", ".typed"} <= kinds


def test_the_wheel_holds_nothing_else(wheel: zipfile.Path) -> None:
    """No tests, no caches, no data: only the three packages and their metadata."""
    tops = {name.split("/")[0] for name in wheel.root.namelist()}
    assert {t for t in tops if not t.endswith(".dist-info")} == set(PACKAGES)
    litter = ("__pycache__", ".db", ".csv", ".log")
    assert not [n for n in wheel.root.namelist() if any(word in n for word in litter)]


def test_the_sdist_can_be_worked_with(built: Path) -> None:
    """Tests, benches, documents and what a packager needs are in the source archive."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    for name in (
        "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile",
        "mkdocs.yml", "Dockerfile", "docker-compose.yml", "pyproject.toml", "tests/conftest.py",
        "docs/index.md",
    ):  # fmt: skip
        assert name in inside, name


def test_the_metadata_are_what_people_see(wheel: zipfile.Path) -> None:
    """One command, the licence, the Pythons from 3.11 on, and `all` = every run-time extra."""
    (info,) = {n.split("/")[0] for n in wheel.root.namelist() if ".dist-info/" in n}
    metadata = wheel.joinpath(info, "METADATA").read_text(encoding="utf-8")
    assert "backstay = tracker.cli:main" in wheel.joinpath(info, "entry_points.txt").read_text()
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    extras = set(re.findall(r"^Provides-Extra: (\S+)$", metadata, re.MULTILINE))
    assert extras == {*SERVES, "all", "dev"}
    everything = closure("all")
    for extra in SERVES:
        assert closure(extra) <= everything, extra


def test_base_alone_knows_its_version_and_analyses_a_recording(site: Path, tmp_path: Path) -> None:
    """Without pandas, Streamlit or pyarrow: `--version`, and `analyze` from CSV to CSV and JSON."""
    for heavy in ("pandas", "streamlit", "pyarrow", "starlette", "altair"):
        assert heavy not in closure()
    main = "from tracker.cli import main\nmain()"
    version = run_with(site, (), main, "--version", cwd=tmp_path)
    assert version.stdout.startswith("backstay "), version.stderr
    rows = [f"{i / 25:.2f},0.02,0.01,{0.99 + 0.002 * (i % 3):.3f}" for i in range(25 * 60)]
    (tmp_path / "r.csv").write_text("t_s,acc_x_g,acc_y_g,acc_z_g\n" + "\n".join(rows) + "\n")
    done = run_with(
        site, (), main, "analyze", "r.csv", "--placement", "upper-back", "--axes",
        "x=forward,y=left,z=up", "--epochs", "e.csv", "--summary", "s.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "e.csv").read_text().splitlines()) == 13
    assert json.loads((tmp_path / "s.json").read_text())
    wish = run_with(
        site, (), main, "analyze", "r.csv", "--placement", "upper-back", "--epochs", "e.parquet",
        cwd=tmp_path,
    )  # fmt: skip
    assert wish.returncode != 0
    assert "backstay[parquet]" in wish.stderr
    assert "Traceback" not in wish.stderr


def test_base_alone_starts_a_collector(site: Path, tmp_path: Path) -> None:
    """A small board needs no extra: store, Bluetooth and local door import with the base."""
    code = "import tracker.collect.service, tracker.collect.ble, tracker.doctor"
    done = run_with(site, (), code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("extra", sorted(SERVES))
def test_each_extra_alone_brings_what_its_code_imports(
    extra: str, site: Path, tmp_path: Path
) -> None:
    """With one extra and nothing else, the modules it serves import."""
    lines = [
        f"import importlib\nimportlib.import_module({module!r})"
        for module in SERVES[extra]
    ]  # fmt: skip
    done = run_with(site, (extra,), "\n".join(lines), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_everything_hidden_is_really_hidden(site: Path, tmp_path: Path) -> None:
    """The hook hides: Streamlit cannot be imported with the base alone."""
    done = run_with(site, (), "import streamlit", cwd=tmp_path)
    assert "hidden: streamlit" in done.stderr


def test_the_installed_version_is_the_one_of_the_project() -> None:
    """`pyproject.toml`, the installed metadata and the CHANGELOG name the same version."""
    version = distribution("backstay").version
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
