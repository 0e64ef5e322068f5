"""`hub connector webhook`: the vendor's subscription that sends to this hub."""

from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.failure import Failed, Usage
from hub.cli.session import Session, command


def attach(app: typer.Typer) -> None:
    """Add the command to the connectors' group."""
    command(app, "webhook", example="hub connector webhook prod-pagerduty --enable")(webhook)


def webhook(
    session: Session,
    name: Annotated[str, typer.Argument(help="The connector's name.")],
    *,
    enable: Annotated[
        bool, typer.Option("--enable", help="Make the subscription, or keep the existing one.")
    ] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Have the vendor send a test event.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the subscription.")] = False,
) -> None:
    """Show, make, test or remove the subscription by which the vendor sends webhooks."""
    if enable + test + remove > 1:
        raise Usage("Give one of --enable, --test and --remove.")
    path = f"connectors/{segment(name)}/subscription"
    if enable:
        _made(session, session.hub.call("PUT", path).body)
    elif test:
        _tested(session, session.hub.post(f"{path}/ping"))
    elif remove:
        session.hub.call("DELETE", path)
        gone = {"name": name, "removed": True}
        session.show(gone, lambda: session.screen.done("Webhook removed"))
    else:
        _shown(session, session.hub.get(path))


def _made(session: Session, found: dict[str, Any]) -> None:
    def people() -> None:
        session.screen.done("Webhook enabled")
        session.screen.line(f"Webhook URL: {found.get('url')}")
        if found.get("detail"):
            session.screen.line(found["detail"])

    session.show(found, people)


def _tested(session: Session, found: dict[str, Any]) -> None:
    def people() -> None:
        session.screen.done(found.get("text") or "Test event sent")

    session.show(found, people)
    if found.get("received") is False:
        raise Failed(
            "The test event was sent, but did not arrive.",
            "hub activity list shows refused deliveries; check HUB_HTTP__PUBLIC_URL.",
        )


def _shown(session: Session, found: dict[str, Any]) -> None:
    session.show(
        found,
        lambda: session.screen.facts(
            {
                "Subscription": found.get("id"),
                "Active": found.get("active"),
                "Webhook URL": found.get("url"),
                "Remarks": found.get("detail"),
            }
        ),
    )
