"""`hub audit`: who changed what."""

from typing import Annotated

import typer

from hub.cli.session import Session, command

HELP = "Who changed what."


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub audit list --limit 20")(list_)


def list_(
    session: Session,
    *,
    limit: Annotated[int, typer.Option(help="Most lines.")] = 50,
) -> None:
    """List the newest changes, the newest first."""
    found = session.hub.pages("audit", limit=limit)
    rows = [
        (session.moment(one["at"]), one["actor"], one["action"], one["subject"]) for one in found
    ]
    header = ("Time", "Who", "Did", "To")
    session.show({"items": found}, lambda: session.screen.table(rows, header))
