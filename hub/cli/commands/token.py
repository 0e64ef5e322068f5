"""`hub token`: API tokens."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from hub import clock
from hub.cli.client import segment
from hub.cli.failure import Usage
from hub.cli.session import Session, command

HELP = "API tokens of the tenant."


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub token list")(list_)
    command(app, "create", example="hub token create grafana --role auditor --days 90")(create)
    command(app, "revoke", example="hub token revoke 0198b0c4-1111-7abc-8def-000000000001")(revoke)


def list_(session: Session) -> None:
    """List the tokens: never the tokens themselves."""
    found = session.hub.pages("tokens", limit=1000)
    rows = [
        (
            one["id"],
            one["name"],
            one["prefix"],
            _state(one),
            session.ago(one.get("last_used_at")),
            session.moment(one.get("expires_at")),
        )
        for one in found
    ]
    header = ("Id", "Name", "Begins with", "State", "Last used", "Expires")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    role: Annotated[
        str, typer.Option(help="Role: administrator, manager, user, auditor, or a custom one.")
    ] = "",
    permission: Annotated[
        list[str] | None, typer.Option(help="A single permission; may be repeated.")
    ] = None,
    days: Annotated[int, typer.Option(help="Days until it expires; 0 = never.")] = 365,
) -> None:
    """Make a token and print it: it can't be shown again."""
    if bool(role) == bool(permission):
        raise Usage("Give either --role or --permission.")
    body: dict[str, Any] = {"name": name}
    body |= {"role": role} if role else {"permissions": permission}
    if days:
        body["expires_at"] = (clock.now() + timedelta(days=days)).isoformat()
    made = session.hub.post("tokens", body)

    def people() -> None:
        session.screen.done(f"Token {name} made. It is shown this once:")
        session.screen.text(made["token"])

    session.show(made, people)


def revoke(
    session: Session, id: Annotated[str, typer.Argument(help="The token's id, of the list.")]
) -> None:
    """Revoke a token: it is refused from now on."""
    session.hub.call("DELETE", f"tokens/{segment(id)}", headers={"If-Match": "*"})
    session.show({"id": id, "revoked": True}, lambda: session.screen.done("Token revoked"))


def _state(token: dict[str, Any]) -> str:
    return "revoked" if token.get("revoked_at") else "active"
