"""`hub activity`: what happened and why, in plain words."""

from typing import Annotated, Any

import typer

from hub.cli.session import Session, command

HELP = "What happened and why, in plain words."


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub activity list --limit 20")(list_)


def list_(
    session: Session,
    *,
    limit: Annotated[int, typer.Option(help="Most lines.")] = 50,
    level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "",
    kind: Annotated[str, typer.Option(help="One kind of line.")] = "",
) -> None:
    """List the newest lines, the newest first."""
    found = session.hub.pages("activity", limit=limit, level=level or None, kind=kind or None)
    session.show({"items": found}, lambda: _lines(session, found))


def _lines(session: Session, found: list[dict[str, Any]]) -> None:
    rows = [(session.moment(one["at"]), one["level"], one["kind"], one["text"]) for one in found]
    session.screen.table(rows, ("Time", "Level", "Kind", "Text"))
