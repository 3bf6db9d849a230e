# SPDX-License-Identifier: Apache-2.0
"""Writes the pages that are made from what is there: `python -m bench.command_page`.

`docs/commands.md` from the program's own help, `docs/decisions/README.md` from the decisions.
"""

from pathlib import Path

import click

from tracker.cli import backstay

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
DECISIONS = PAGE.parent / "decisions"
_DECISIONS_HEAD = """# Decisions

One page each: what was known, what was decided, what follows. A page is not edited when a decision
changes; a new one says which it replaces. This list is written by `python -m bench.command_page`.

"""
_HEAD = """# Commands

Made from the program's own help by `python -m bench.command_page`; a test compares the two. Exit
code 0 means done, 1 failed, 2 an option, placement or pose the program does not know. On failure
stderr holds one sentence and no output file exists.
"""


def page() -> str:
    """The page as the program's help is now."""
    parts = [_HEAD]
    root = click.Context(
        backstay, info_name="backstay", terminal_width=80, **backstay.context_settings
    )
    for name in backstay.list_commands(root):
        command = backstay.get_command(root, name)
        if command is not None and not command.hidden:
            parts += _section(
                command, click.Context(command, info_name=name, parent=root, terminal_width=80)
            )
    return "\n".join(parts)


def decisions() -> str:
    """The list of decisions, by number."""
    lines = []
    for path in sorted(DECISIONS.glob("[0-9]*.md")):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        number, _, title = first.lstrip("# ").partition(" ")
        lines.append(f"- [{number}]({path.name}) {title}\n")
    return _DECISIONS_HEAD + "".join(lines)


def _section(command: click.Command, context: click.Context) -> list[str]:
    title = context.command_path
    with context.scope():
        parts = [f"## `{title}`\n", f"```text\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        for name, sub in sorted(command.commands.items()):
            parts += _section(
                sub, click.Context(sub, info_name=name, parent=context, terminal_width=80)
            )
    return parts


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    (DECISIONS / "README.md").write_text(decisions(), encoding="utf-8")
    print(f"wrote {PAGE} and the list of decisions")
