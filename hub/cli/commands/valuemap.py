"""`hub valuemap`: named tables from value to value."""

from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.commands import values
from hub.cli.session import Session, command

HELP = "Value maps: named tables that templates read."
Name = Annotated[str, typer.Argument(help="The table's name.")]


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub valuemap list")(list_)
    command(app, "show", example="hub valuemap show severity_to_urgency")(show)
    command(app, "set", example="hub valuemap set severity_to_urgency @severities.yaml")(put)


def list_(session: Session) -> None:
    """List the tables."""
    found = session.hub.pages("value-maps", limit=1000)
    rows = [(one["name"], one["label"], one["on_missing"]) for one in found]
    header = ("Name", "Label", "Without a row")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def show(session: Session, name: Name) -> None:
    """Show a table's rows."""
    found = session.hub.get(f"value-maps/{segment(name)}")
    rows = [(one["key"], one["value"], one["back"]) for one in found["rows"]]
    session.show(found, lambda: session.screen.table(rows, ("From", "To", "On the way back")))


def put(
    session: Session,
    name: Name,
    rows: Annotated[str, typer.Argument(help="JSON or YAML from value to value; @file; -.")],
) -> None:
    """Replace a table: a plain object from value to value, or the API's own form."""
    body = _body(values.mapping(rows))
    found = session.hub.call(
        "PUT", f"value-maps/{segment(name)}", body=body, headers={"If-Match": "*"}
    ).body
    session.show(found, lambda: session.screen.done(f"{name} has {len(body['rows'])} rows"))


def _body(given: dict[str, Any]) -> dict[str, Any]:
    if isinstance(given.get("rows"), list):
        return given
    return {"rows": [{"key": str(key), "value": str(one)} for key, one in given.items()]}
