# SPDX-License-Identifier: Apache-2.0
"""The command line: finds commands by file name and turns typed errors into one sentence.

A command is one module in `tracker/commands/` named like the command (`_` for `-`) that defines
`command`, a click command. It is imported only when it is called, so `backstay --version` is fast.
"""

import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

import click

from tracker.errors import BackstayError


class _CommandFolder(click.Group):
    """A group whose commands are the modules of `tracker/commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, from the file names alone."""
        import tracker.commands as folder

        names = (m.name for m in pkgutil.iter_modules(folder.__path__))
        return sorted(n.replace("_", "-") for n in names if not n.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"tracker.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"backstay {version('backstay')}")
        ctx.exit()


@click.group(cls=_CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def backstay() -> None:
    """Backstay reads one motion sensor on your back and says what you need: loosening or training.

    Nothing is sent anywhere. Start with `backstay up`.
    """


def main(args: Sequence[str] | None = None, **extra: Any) -> None:
    """Run a command; exit 0, 1 (failed) or 2 (usage), on failure with one sentence on stderr."""
    try:
        result = backstay.main(args=args, prog_name="backstay", standalone_mode=False, **extra)
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except click.ClickException as error:
        click.echo(f"{error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except BackstayError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(result if isinstance(result, int) else 0)
