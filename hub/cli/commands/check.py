"""`hub check`: whether what must hold of this hub's data does."""

import typer

from hub.cli.failure import Failed
from hub.cli.session import Session, command

HELP = "Check what must always hold."
EXAMPLE = "hub check inbox"


def attach(app: typer.Typer) -> None:
    """Add the commands to the group."""
    command(app, "inbox", example="hub check inbox")(inbox)


def inbox(session: Session) -> None:
    """Check the invariants of inbox and ledger in all tenants; status 1 when one is broken."""
    found = session.hub.get("/inbox/check")

    def people() -> None:
        for one in found["invariants"]:
            if one["holds"]:
                session.screen.done(one["name"])
            else:
                session.screen.failed(f"{one['name']}: broken by {', '.join(one['broken'])}")

    session.show(found, people)
    broken = sum(not one["holds"] for one in found["invariants"])
    if broken:
        raise Failed(
            f"{broken} of {len(found['invariants'])} invariants do not hold.",
            "Keep the database as it is and report it: nothing that a process, host or vendor "
            "does may break one.",
        )
