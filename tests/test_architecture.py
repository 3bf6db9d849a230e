# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check: import direction, purity, errors, licence lines."""

import ast
import functools
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import firmware_protocol
import firmware_protocol.errors
import tracker.errors

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("firmware_protocol", "tracker", "dashboard")
CORE = (
    "firmware_protocol", "tracker/model.py", "tracker/units.py", "tracker/errors.py",
    "tracker/diary.py", "tracker/chain.py", "tracker/signal", "tracker/exercises",
    "tracker/trends", "tracker/advice",
)  # fmt: skip
# Calls that read a clock, draw at random or touch the outside world, wherever they hide.
IMPURE = re.compile(
    r"\b(time\.time|time\.monotonic|time\.perf_counter|datetime\.now|datetime\.today|date\.today"
    r"|datetime\.utcnow|np\.random\.|default_rng|os\.environ|os\.getenv|input\(|print\()"
)


def _python_files(*tops: str) -> list[Path]:
    found: list[Path] = []
    for top in tops:
        path = ROOT / top
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [p for p in found if "peripheral_example" not in p.parts]


def test_imports_point_one_way() -> None:
    """import-linter keeps every contract of pyproject.toml."""
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


def _rooms() -> list[list[str]]:
    """Rows of the table of rooms in CONTRIBUTING.md, from the bottom of the house to its top."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("| room | what happens there |\n", 1)[1].split("\n\n", 1)[0]
    cells = [line.split("|")[1] for line in table.splitlines()[1:]]
    return [re.findall(r"`([\w/.]+)`", cell) for cell in cells]


@functools.cache
def _floors() -> dict[str, int]:
    """Floor of each named room; `tracker` stands for every file of it that has no row."""
    return {room: floor for floor, rooms in enumerate(_rooms()) for room in rooms}


def _floor_of(module: str) -> int:
    """The floor of a module, by the longest name in the table that holds it."""
    floors, path = _floors(), module.replace(".", "/")
    names = [path + ".py", *(path.rsplit("/", n)[0] for n in range(path.count("/") + 1))]
    return next(floors[name] for name in names if name in floors)


def _imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in PRODUCT:
            found |= {f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.split(".")[0] in PRODUCT}


def test_the_table_of_rooms_is_the_house() -> None:
    """Every room of the table exists, every folder has its row, and nobody imports upwards.

    Imports inside functions count too.
    """
    for room in _floors():
        assert (ROOT / room).exists(), f"CONTRIBUTING.md names {room}"
    for folder in (p for p in (ROOT / "tracker").iterdir() if (p / "__init__.py").exists()):
        assert f"tracker/{folder.name}" in _floors(), f"tracker/{folder.name} has no row"
    upwards = []
    for path in _python_files(*PRODUCT):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        names = sorted(_imported(ast.parse(path.read_text(encoding="utf-8"))))
        higher = (name for name in names if _floor_of(name) > _floor_of(module))
        upwards += [f"{module} imports {name}" for name in higher]
    assert not upwards


def test_the_core_of_the_table_is_the_core_of_the_contract() -> None:
    """The rows that CONTRIBUTING.md calls pure are the modules that import-linter keeps pure."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    pure = next(c for c in contracts if c["name"].startswith("The core is pure"))
    named = {room.removesuffix(".py").replace("/", ".") for row in _rooms()[:7] for room in row}
    assert set(pure["source_modules"]) == named


@pytest.mark.parametrize("path", _python_files(*CORE), ids=lambda p: str(p.relative_to(ROOT)))
def test_core_is_pure(path: Path) -> None:
    """No core module reads a clock, draws at random, prints or looks at the environment."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Call | ast.Attribute)]
    hits = sorted({c for c in calls if IMPURE.search(c)})
    assert not hits, f"{path.relative_to(ROOT)} is core and must not use {hits}"


@pytest.mark.parametrize(
    ("module", "base"),
    [
        (firmware_protocol.errors, firmware_protocol.errors.ProtocolError),
        (tracker.errors, tracker.errors.BackstayError),
    ],
)
def test_errors_form_one_tree(module: object, base: type) -> None:
    """Every error of a package derives from its base and stands in the module's docstring."""
    for name, thing in vars(module).items():
        if inspect.isclass(thing) and issubclass(thing, Exception):
            assert issubclass(thing, base), name
            assert name in (module.__doc__ or ""), name


def test_exceptions_elsewhere_derive_from_a_base() -> None:
    """No public exception stands outside the two trees (private ones never leave their module)."""
    bases = (firmware_protocol.errors.ProtocolError, tracker.errors.BackstayError)
    for package in (firmware_protocol, importlib.import_module("tracker")):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if info.name.endswith("__main__") or "peripheral_example" in info.name:
                continue
            module = importlib.import_module(info.name)
            for name, thing in vars(module).items():
                ours = inspect.isclass(thing) and thing.__module__ == info.name
                if ours and issubclass(thing, Exception) and not name.startswith("_"):
                    assert issubclass(thing, bases), f"{info.name}.{name}"


@pytest.mark.parametrize(
    "path", _python_files(*PRODUCT, "tests", "bench"), ids=lambda p: str(p.relative_to(ROOT))
)
def test_licence_line(path: Path) -> None:
    """Every file starts with its SPDX line."""
    first = path.read_text(encoding="utf-8").split("\n", 2)[:2]
    assert any("SPDX-License-Identifier: Apache-2.0" in line for line in first)


def test_no_path_of_a_workplace_and_no_registry_host() -> None:
    """Nothing in the repository names the machine it was built on."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    needles = re.compile(rb"(?<![\w.])/(?:work|root|home/[a-z]+)/(?:main|shared|\.library)")
    for name in filter(None, listed):
        path = ROOT / name
        if path.is_file() and path != Path(__file__):
            assert not needles.search(path.read_bytes()), name


def test_command_line_starts_lightly() -> None:
    """`backstay --version` imports neither numpy nor any framework."""
    code = (
        "import sys, tracker.cli\n"
        "try: tracker.cli.main(['--version'])\n"
        "except SystemExit as e: assert not e.code\n"
        "slow = {'numpy', 'scipy', 'streamlit', 'pandas', 'bleak', 'starlette'}\n"
        "heavy = slow & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("COV")},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_every_command_has_help() -> None:
    """Each module in tracker/commands is a command with a sentence of help."""
    import click

    from tracker.cli import backstay

    context = click.Context(backstay)
    names = backstay.list_commands(context)
    assert names
    for name in names:
        command = backstay.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(), name


# These raise when what they wait for has not come in time (our fakes, Playwright).
WAITS = ("until", "more", "wait_for_selector", "wait_for_url", "wait_for_function")


def _can_fail(test: ast.AST, helpers: set[str]) -> bool:
    """Whether a test asserts, expects an error, waits for what must come, or calls a helper."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert | ast.Try):
            return True
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        if name in {"raises", "fail", "warns", "suppress", *WAITS, *helpers}:
            return True
    return False


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_test_can_fail(path: Path) -> None:
    """No test only runs something: each asserts, itself or through a helper of its file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    helpers = {f.name for f in functions if not f.name.startswith("test_") and _can_fail(f, set())}
    tests = [f for f in functions if f.name.startswith("test_")]
    assert not [f.name for f in tests if not _can_fail(f, helpers)]
