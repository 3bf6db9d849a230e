# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check: import direction, purity, errors, licence lines."""

import ast
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
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


def _can_fail(test: ast.AST, helpers: set[str]) -> bool:
    """Whether a test asserts, expects an error, allows only some errors, or calls a helper."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert | ast.Try):
            return True
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        if name in {"raises", "fail", "warns", "suppress", *helpers}:
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
