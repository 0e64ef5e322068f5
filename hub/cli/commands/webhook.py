"""`hub connector webhook` and `send-test`: the ways from the vendor to this hub, and there."""

import time
from typing import Annotated, Any, Final

import typer

from hub.cli.client import segment
from hub.cli.failure import Failed, Usage
from hub.cli.session import Session, command

_WAIT_S: Final = 30
_LOOK_S: Final = 0.2


def attach(app: typer.Typer) -> None:
    """Add the command to the connectors' group."""
    command(app, "webhook", example="hub connector webhook prod-pagerduty --enable")(webhook)
    command(app, "send-test", example="hub connector send-test prod-pagerduty --yes")(send_test)


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
        _tested(session, name, path)
    elif remove:
        session.hub.call("DELETE", path)
        gone = {"name": name, "removed": True}
        session.show(gone, lambda: session.screen.done("Webhook removed"))
    else:
        _shown(session, session.hub.get(path))


def send_test(
    session: Session,
    name: Annotated[str, typer.Argument(help="The connector's name.")],
    *,
    service: Annotated[str, typer.Option(help="Empty: the default service.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Have the vendor show a test event, which may notify people there."""
    if not yes and not typer.confirm(f"Send a test event by {name}? It may notify people."):
        raise typer.Abort
    path = f"connectors/{segment(name)}/test-event"
    found = session.hub.post(path, {"service": service})
    session.show(found, lambda: session.screen.done(found["text"]))


def _made(session: Session, found: dict[str, Any]) -> None:
    def people() -> None:
        session.screen.done("Webhook enabled")
        session.screen.line(f"Webhook URL: {found.get('url')}")
        if found.get("detail"):
            session.screen.line(found["detail"])

    session.show(found, people)


def _tested(session: Session, name: str, path: str) -> None:
    before = _newest(session, name)
    found = session.hub.post(f"{path}/ping")
    session.screen.done(found["text"])
    started = time.monotonic()
    while (arrived := _newest(session, name)) == before:
        if time.monotonic() - started > _WAIT_S:
            raise Failed(
                f"The test event did not arrive within {_WAIT_S} s.",
                "hub activity list shows refused deliveries; check HUB_HTTP__PUBLIC_URL.",
            )
        time.sleep(_LOOK_S)
    took = time.monotonic() - started
    session.show(
        {**found, "delivery": arrived, "received_after_s": round(took, 1)},
        lambda: session.screen.done(f"Received after {took:.1f} s, signature valid ({arrived})"),
    )


def _newest(session: Session, name: str) -> str | None:
    found = session.hub.pages("deliveries", limit=1, connector=name)
    return found[0]["id"] if found else None


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
