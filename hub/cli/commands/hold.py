"""`hub hold`: lanes that wait."""

from typing import Annotated

import typer

from hub.cli.client import segment
from hub.cli.session import Session, command

HELP = "Lanes that wait until a time, or until a person lets them go."


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub hold list")(list_)
    command(app, "release", example="hub hold release 3f6a1c2d4e5f7081")(release)


def list_(
    session: Session,
    *,
    limit: Annotated[int, typer.Option(help="Most lines.")] = 50,
) -> None:
    """List the lanes that wait, with the reason."""
    found = session.hub.pages("holds", limit=limit)
    rows = [
        (
            one["lane"],
            " ".join(filter(None, (one["object"], one["human_id"] or one["record"]))),
            f"{one['reason']} {one['detail'] or ''}".strip(),
            session.moment(one["not_before"]) if one["not_before"] else "a person lets go",
            session.ago(one["since"]),
            one["waiting"],
            one["run"],
        )
        for one in found
    ]
    header = ("Lane", "Record", "Reason", "Until", "Since", "Waiting", "Run")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def release(
    session: Session, lane: Annotated[str, typer.Argument(help="The lane, of the list.")]
) -> None:
    """Let a lane go on now."""
    answer = session.hub.post(f"holds/{segment(lane)}/release")
    session.show(answer, lambda: session.screen.done(f"Lane {lane} goes on"))
