"""The `ocrkit` command with all its verbs in memory: sphinx-click overlooks those that are imported when called."""

import click

from ocrkit.cli import main

_context = click.Context(main, info_name="ocrkit")
ocrkit = click.Group(
    "ocrkit",
    commands={name: main.get_command(_context, name) for name in main.list_commands(_context)},  # type: ignore[misc]
    params=main.params,
    help=main.help,
)
