"""`hub delivery`: what came in, and what became of it."""

from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.commands import traces
from hub.cli.failure import Usage
from hub.cli.session import Session, command

HELP = "Deliveries: what came in, and what became of it."
Id = Annotated[str, typer.Argument(help="The delivery's id: dlv_….")]


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub delivery list --connector prod-salesforce")(list_)
    command(app, "show", example="hub delivery show dlv_42")(show)
    command(app, "trace", example="hub delivery trace dlv_42 --all")(trace)
    command(app, "replay", example="hub delivery replay dlv_42")(replay)


def list_(
    session: Session,
    *,
    connector: Annotated[str, typer.Option(help="One connector's deliveries.")] = "",
    state: Annotated[str, typer.Option(help="accepted, unreadable or ignored.")] = "",
    limit: Annotated[int, typer.Option(help="Most lines.")] = 50,
) -> None:
    """List the newest deliveries, the newest first."""
    found = session.hub.pages(
        "deliveries", limit=limit, connector=connector or None, state=state or None
    )
    rows = [
        (
            one["id"],
            session.moment(one["received_at"]),
            one["connector"],
            one["source"],
            one["state"],
            one["events"],
            one["detail"],
        )
        for one in found
    ]
    header = ("Delivery", "Received", "Connector", "Source", "State", "Events", "Remarks")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def show(
    session: Session,
    id: Id,
    *,
    body: Annotated[bool, typer.Option("--body", help="Print the body as it came.")] = False,
) -> None:
    """Show a delivery as it came."""
    found = session.hub.get(f"deliveries/{segment(id)}")
    session.show(found, lambda: _describe(session, found, body=body))


def trace(
    session: Session,
    id: Id,
    *,
    all_: Annotated[
        bool, typer.Option("--all", help="Explain also the rules that did not fire.")
    ] = False,
) -> None:
    """Show the whole way of a delivery: events, rules with their conditions, runs."""
    found = session.hub.get(f"deliveries/{segment(id)}/trace")
    if all_:
        for event in found["events"]:
            event["explained"] = session.hub.get(f"events/{segment(event['id'])}/explain")
    session.show(found, lambda: traces.delivery(session, found))


def replay(
    session: Session,
    id: Id,
    *,
    mode: Annotated[
        str, typer.Option(help="missing: only what was not done; all: everything again.")
    ] = "missing",
) -> None:
    """Work a stored delivery again, at the end of its lanes."""
    if mode not in ("missing", "all"):
        raise Usage(f"--mode is missing or all, not {mode!r}.")
    made = session.hub.post(f"deliveries/{segment(id)}/replay", {"mode": mode})
    session.show(
        made,
        lambda: session.screen.done(
            f"{id} is worked again as {made['id']}; see: hub delivery trace {made['id']}"
        ),
    )


def _describe(session: Session, delivery: dict[str, Any], *, body: bool) -> None:
    session.screen.facts(
        {
            "Delivery": delivery["id"],
            "Received": session.moment(delivery["received_at"]),
            "Connector": delivery["connector"],
            "Source": delivery["source"],
            "State": delivery["state"],
            "Size": f"{delivery['size']} bytes",
            "Remarks": delivery["detail"],
            "Replay of": delivery["replay_of"],
        }
    )
    session.screen.table(sorted(delivery["headers"].items()), ("Header", "Value"))
    if body:
        session.screen.text(str(delivery["body"] or ""))
