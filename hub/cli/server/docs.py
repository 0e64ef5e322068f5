"""`hub docs`: the reference pages that are made from the code."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.failure import Failed


def attach(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(rich_markup_mode=None, help="The reference pages made from the code.")
    group.command("write", epilog="Example: hub docs write docs")(write)
    group.command("check", epilog="Example: hub docs check docs")(check)
    app.add_typer(group, name="docs", epilog="Example: hub docs write")


Folder = Annotated[Path, typer.Argument(help="The documentation's folder.")]


def write(folder: Folder = Path("docs")) -> None:
    """Write the reference pages that are made from the code."""
    for file, text in _pages(folder).items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        typer.echo(f"✓ {file}")


def check(folder: Folder = Path("docs")) -> None:
    """Fail when a reference page differs from the code."""
    stale = [
        str(file)
        for file, text in _pages(folder).items()
        if not file.is_file() or file.read_text() != text
    ]
    if stale:
        raise Failed(f"Not as the code says: {', '.join(stale)}.", "hub docs write")
    typer.echo("✓ The reference pages are as the code says.")


def _pages(folder: Path) -> dict[Path, str]:
    from hub.cli.server.reference import pages  # noqa: PLC0415 - so that --help is quick

    return {folder / "reference" / name: text for name, text in pages().items()}
