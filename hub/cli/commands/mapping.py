"""`hub mapping`: which record goes to which service."""

from typing import Annotated, Any, Final

import typer

from hub.cli.client import segment
from hub.cli.commands import values
from hub.cli.failure import Failed, Usage
from hub.cli.session import Session, command

HELP = "Service mappings: vendor services and the records that belong to them."


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub mapping list --connector prod-pagerduty")(list_)
    command(
        app,
        "add",
        example="hub mapping add prod-pagerduty PDAT001 salesforce.case.type=Database",
    )(add)
    command(app, "remove", example="hub mapping remove 0198b0c4-1111-7abc-8def-000000000001")(
        remove
    )
    command(
        app,
        "resolve",
        example="hub mapping resolve prod-pagerduty salesforce.case --value type=Database",
    )(resolve)


def list_(
    session: Session,
    *,
    connector: Annotated[str, typer.Option(help="Only services of this connector.")] = "",
) -> None:
    """List the rows in the order in which they are searched."""
    found = session.hub.pages("service-mappings", limit=1000, connector=connector or None)
    rows = [
        (
            one["id"],
            one["connector"],
            _condition(one),
            one["service"],
            one["service_name"],
            _directions(one),
        )
        for one in found
    ]
    header = ("Id", "Connector", "Record", "Service", "Service name", "Direction")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def add(
    session: Session,
    connector: Annotated[str, typer.Argument(help="The connector whose service it is.")],
    service: Annotated[str, typer.Argument(help="The service's id at the vendor.")],
    records: Annotated[
        str, typer.Argument(help="object.field=value, an object, or default (all others).")
    ],
    *,
    name: Annotated[str, typer.Option(help="What people call the row.")] = "",
    direction: Annotated[
        str, typer.Option(help="outbound (record to service), inbound, or both.")
    ] = "outbound",
) -> None:
    """Map records to a service."""
    if direction not in ("outbound", "inbound", "both"):
        raise Usage(f"--direction is outbound, inbound or both, not {direction!r}.")
    body = {
        "connector": connector,
        "service": service,
        "service_name": _name_of(session, connector, service),
        "name": name,
        "outbound": direction != "inbound",
        "inbound": direction != "outbound",
        **_records(records),
    }
    made = session.hub.post("service-mappings", body)
    label = made["service_name"] or "name unknown"
    line = f"{_condition(made)} → {made['service']} ({label})"
    session.show(made, lambda: session.screen.done(line))
    for flag, text in _DOUBTS.items():
        if flag in made["flags"]:
            session.screen.warn(text.format(**made))


def remove(
    session: Session, id: Annotated[str, typer.Argument(help="The row's id, of the list.")]
) -> None:
    """Remove a row."""
    session.hub.delete(f"service-mappings/{segment(id)}")
    session.show({"id": id, "removed": True}, lambda: session.screen.done("Row removed"))


def resolve(
    session: Session,
    connector: Annotated[str, typer.Argument(help="The connector whose service is looked for.")],
    object: Annotated[str, typer.Argument(help="The record's object: salesforce.case.")],
    *,
    value: Annotated[
        list[str] | None, typer.Option(help="A field of the record: key=value; may be repeated.")
    ] = None,
) -> None:
    """Say which service a record would go to, step by step."""
    body = {
        "connector": connector,
        "object": object,
        "values": values.pairs(value or ()),
    }
    found = session.hub.post("service-mappings/resolve", body)

    def people() -> None:
        for step in found["steps"]:
            session.screen.line(f"  {step}")
        session.screen.line(f"Service: {found['service'] or 'none'} {found['service_name']}")

    session.show(found, people)


_DOUBTS: Final = {
    "service_unknown": "{connector} has no service {service}: runs will fail until it has.",
    "value_unknown": "{value} is not among the choices of {object}.{field}: nothing will match.",
}


def _name_of(session: Session, connector: str, service: str) -> str:
    """Return what the vendor calls the service; "" where it does not tell."""
    path = f"connectors/{segment(connector)}/choices/services"
    try:
        offered = session.hub.get(path)["items"]
    except Failed:  # the row is made all the same; what is wrong with it, the hub says then
        return ""
    return next((str(one["label"]) for one in offered if one["value"] == service), "")


def _records(given: str) -> dict[str, Any]:
    if given == "default":
        return {"default": True}
    name, equals, value = given.partition("=")
    if not equals:
        return {"object": name}
    object_, _, field = name.rpartition(".")
    return {"object": object_, "field": field, "value": value}


def _condition(row: dict[str, Any]) -> str:
    if row["default"]:
        return "default"
    if not row["field"]:
        return str(row["object"])
    return f"{row['object']}.{row['field']} = {row['value']}"


def _directions(row: dict[str, Any]) -> str:
    ways = [way for way in ("outbound", "inbound") if row.get(way)]
    return ", ".join(ways) or "off"
