"""`hub tenant`: the hub's customers."""

from typing import Annotated

import typer

from hub.cli.client import segment
from hub.cli.session import Session, command

HELP = "The hub's tenants."
Slug = Annotated[str, typer.Argument(help="The tenant's short name, as in addresses.")]


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub tenant list")(list_)
    command(app, "add", example="hub tenant add acme --label 'Acme Inc.'")(add)
    command(app, "show", example="hub tenant show acme")(show)
    command(app, "update", example="hub tenant update acme --time-zone Europe/Berlin")(update)
    command(app, "deactivate", example="hub tenant deactivate acme")(deactivate)


def list_(session: Session) -> None:
    """List the tenants."""
    found = session.hub.pages("/tenants", limit=1000)
    rows = [(one["slug"], one["name"], one["time_zone"], _state(one)) for one in found]
    session.show(
        {"items": found},
        lambda: session.screen.table(rows, ("Tenant", "Name", "Time zone", "State")),
    )


def add(
    session: Session,
    slug: Slug,
    *,
    label: Annotated[str, typer.Option(help="The name that people see.")] = "",
    time_zone: Annotated[str, typer.Option(help="IANA name of its time zone.")] = "UTC",
) -> None:
    """Add a tenant."""
    body = {"slug": slug, "name": label or slug, "time_zone": time_zone}
    made = session.hub.post("/tenants", body)
    session.show(made, lambda: session.screen.done(f"Tenant {slug} added"))


def show(session: Session, slug: Slug) -> None:
    """Show a tenant."""
    found = session.hub.get(f"/tenants/{segment(slug)}")
    facts = {
        "Tenant": found["slug"],
        "Name": found["name"],
        "Time zone": found["time_zone"],
        "State": _state(found),
    }
    session.show(found, lambda: session.screen.facts(facts))


def update(
    session: Session,
    slug: Slug,
    *,
    label: Annotated[str, typer.Option(help="The name that people see.")] = "",
    time_zone: Annotated[str, typer.Option(help="IANA name of its time zone.")] = "",
) -> None:
    """Change a tenant's name or time zone."""
    wanted = {"name": label, "time_zone": time_zone}
    body = {key: value for key, value in wanted.items() if value}
    found = session.hub.change(f"/tenants/{segment(slug)}", body)
    session.show(found, lambda: session.screen.done(f"Tenant {slug} changed"))


def deactivate(session: Session, slug: Slug) -> None:
    """Deactivate a tenant: nothing of it is received or worked any more, nothing is deleted."""
    found = session.hub.delete(f"/tenants/{segment(slug)}")
    session.show(found, lambda: session.screen.done(f"Tenant {slug} deactivated"))


def _state(tenant: dict[str, object]) -> str:
    return "deactivated" if tenant.get("deactivated_at") else "active"
