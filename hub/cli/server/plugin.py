"""`hub plugins new`: the files of a plugin that passes the contract kit."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.failure import Usage


def attach(group: typer.Typer) -> None:
    """Add the command to the group of plugins."""
    group.command("new", epilog="Example: hub plugins new zendesk --into plugins")(new)


def new(
    name: Annotated[str, typer.Argument(help="The vendor's name: letters, digits, underscores.")],
    *,
    into: Annotated[Path, typer.Option(help="Folder that the plugin's own folder is made in.")] = (
        Path()
    ),
) -> None:
    """Write a new plugin: a small one that works, with tests that pass."""
    from hub.scaffold.writing import ScaffoldRefused, write_plugin  # noqa: PLC0415 - lazy

    try:
        files = write_plugin(name, into)
    except ScaffoldRefused as refused:
        raise Usage(str(refused), "hub plugins new --help shows an example.") from refused
    for file in files:
        typer.echo(f"✓ {file}")
    root = into / f"hub-{name.replace('_', '-')}"
    typer.echo(f"Next: pip install -e '{root}[testing]' && python -m pytest {root}")
