"""`hub inbox`: what is to be done, in all tenants."""

from collections.abc import Mapping

import typer

from hub.cli.session import Session, command


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "inbox", example="hub inbox")(inbox)


def inbox(session: Session) -> None:
    """Show what waits to be worked, in all tenants (for the operator)."""
    found = session.hub.get("/inbox")

    def people() -> None:
        session.screen.facts(
            {
                "Driver": found["driver"] + ("" if found["connected"] else " (not connected)"),
                "Pending events": found["pending"],
                "Oldest": session.ago(found["oldest"]) if found["oldest"] else "none",
                "Lanes held": _held(found["held"]),
                "Dead letters": found["dead"],
            }
        )
        rows = [
            (one["id"], one["pending"], session.ago(one["oldest"]), one["owner"])
            for one in found["shards"]
            if one["pending"]
        ]
        if rows:
            session.screen.table(rows, ("Shard", "Pending", "Oldest", "Worked by"))

    session.show(found, people)


def _held(held: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in held.items()) or "none"
