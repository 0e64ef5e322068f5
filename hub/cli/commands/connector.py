"""`hub connector`: a tenant's connections to vendors."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.commands import checks, connector_document, forms, values
from hub.cli.commands.connector_options import AllowIp, Guard, PollEvery, ReconcileEvery, options
from hub.cli.commands.connector_set_up import rows_of
from hub.cli.commands.documents import as_yaml
from hub.cli.failure import Failed, Status, Usage
from hub.cli.session import Session, command

HELP = "Connectors: the tenant's connections to vendors."
Name = Annotated[str, typer.Argument(help="The connector's name.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="A setting: key=value, key=- (asked for), key=@file; may be repeated."
    ),
]
Config = Annotated[
    str, typer.Option("--config", help="All settings as JSON or YAML; @file; - for input.")
]
_STATES = {"needs_credentials": "auth failed"}


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub connector list")(list_)
    command(
        app,
        "add",
        example="hub connector add pagerduty prod-pagerduty --set api_key=-",
    )(add)
    command(app, "show", example="hub connector show prod-pagerduty")(show)
    command(app, "test", example="hub connector test prod-pagerduty")(test)
    command(app, "status", example="hub connector status prod-pagerduty")(status)
    command(app, "health", example="hub connector health prod-pagerduty")(health)
    command(
        app,
        "update",
        example="hub connector update prod-pagerduty --set service_id=PDAT001",
    )(update)
    command(app, "enable", example="hub connector enable prod-pagerduty")(enable)
    command(app, "disable", example="hub connector disable prod-pagerduty")(disable)
    command(app, "delete", example="hub connector delete prod-pagerduty --yes")(delete)
    command(app, "choices", example="hub connector choices prod-pagerduty services")(choices)
    command(app, "fields", example="hub connector fields prod-salesforce salesforce.case")(fields)
    command(
        app,
        "query",
        example="hub connector query prod-pagerduty on_call --set service=PDAT001",
    )(query)


def list_(session: Session) -> None:
    """List the tenant's connectors."""
    found = session.hub.pages("connectors", limit=1000)
    rows = [(one["name"], one["type"], _state(one), one.get("state_detail")) for one in found]
    header = ("Name", "Type", "Status", "Remarks")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def add(  # noqa: PLR0913 - the options of a command
    session: Session,
    type: Annotated[str, typer.Argument(help="Connector type: pagerduty, salesforce, ….")],
    name: Name,
    *,
    set_: Set = None,
    config: Config = "",
    poll_every: PollEvery = "",
    allow_ip: AllowIp = None,
    reconcile_every: ReconcileEvery = "",
    guard: Guard = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Run the checks afterwards.")
    ] = True,
) -> None:
    """Add a connector and test it; without --set and --config its settings are asked for.

    Exit status 1 when a check fails; the connector is there then.
    """
    declared = forms.connector_type(session, type)
    schema = declared["settings"]
    document = values.mapping(config) if config else {}
    given = values.pairs(set_ or (), secret=forms.secrets(schema), screen=session.screen)
    settings = given or ({} if config else forms.ask(schema))
    body = {"type": type, "name": name, "settings": settings}
    if document and declared["reads_config"]:
        body |= {"document": document}
    else:
        body |= {"settings": {**document, **settings}}
    body |= options(poll_every, allow_ip, reconcile_every, guard)
    made = session.hub.post("connectors", body)
    session.screen.done(f"Connector {name} ({type}) added")
    session.screen.line(f"Webhook URL: {made.get('webhook_url', '')}")
    if made.get("from_document"):
        connector_document.apply(session, name, made["from_document"])
    if not check:
        session.show(made, lambda: session.screen.line(f"Next: hub connector test {name}"))
        return
    results = checks.run(session, name)
    session.show({**made, "checks": results}, lambda: _next(session, name, declared))
    _demand(name, results)


def show(session: Session, name: Name) -> None:
    """Show a connector: secrets only by their last characters."""
    found = session.hub.get(f"connectors/{segment(name)}")

    def people() -> None:
        session.screen.facts(
            {
                "Connector": f"{found['name']} ({found['type']})",
                "Status": _state(found),
                "Remarks": found.get("state_detail"),
                "Webhook URL": found.get("webhook_url"),
                "Polled every": forms.every(found.get("poll_every_s")),
            }
        )
        rows = sorted(
            (key, forms.shown(value, session)) for key, value in found["settings"].items()
        )
        session.screen.table(rows, ("Setting", "Value"))

    session.show(found, people)


def test(session: Session, name: Name) -> None:
    """Run every check of a connector; exit status 1 when one fails."""
    results = checks.run(session, name)
    session.show({"checks": results}, lambda: None)
    checks.demand(results)


def status(session: Session, name: Name) -> None:
    """Show how a connector is doing, without asking the vendor."""
    found = session.hub.get(f"connectors/{segment(name)}")
    doing = session.hub.get(f"connectors/{segment(name)}/health")

    def people() -> None:
        session.screen.facts(
            {
                "Connector": f"{found['name']} ({found['type']})",
                "Status": _state(found).capitalize(),
                "Remarks": found.get("state_detail"),
                **forms.lines_of(doing, session),
            }
        )

    session.show({**found, "health": doing}, people)


def health(session: Session, name: Name) -> None:
    """Ask the vendor and show how healthy a connector is; exit status 1 unless it is."""
    results = checks.run(session, name)
    doing = session.hub.get(f"connectors/{segment(name)}/health")
    session.show(
        {"checks": results, "health": doing},
        lambda: session.screen.facts(forms.lines_of(doing, session)),
    )
    checks.demand(results)


def update(  # noqa: PLR0913 - the options of a command
    session: Session,
    name: Name,
    *,
    set_: Set = None,
    config: Config = "",
    label: Annotated[str, typer.Option(help="The name that people see.")] = "",
    poll_every: PollEvery = "",
    allow_ip: AllowIp = None,
    reconcile_every: ReconcileEvery = "",
    guard: Guard = None,
) -> None:
    """Change settings of a connector; what is not named stays."""
    settings = values.mapping(config) if config else {}
    settings |= values.pairs(set_ or ())
    body: dict[str, Any] = {"settings": settings} if settings else {}
    body |= {"label": label} if label else {}
    body |= options(poll_every, allow_ip, reconcile_every, guard)
    if not body:
        raise Usage("Nothing to change: give --set, --config or another option.")
    found = session.hub.change(f"connectors/{segment(name)}", body)
    session.show(found, lambda: session.screen.done(f"Connector {name} changed"))


def enable(session: Session, name: Name) -> None:
    """Enable a connector: what was held goes on."""
    found = session.hub.change(f"connectors/{segment(name)}", {"state": "active"})
    session.show(found, lambda: session.screen.done(f"Connector {name} enabled"))


def disable(session: Session, name: Name) -> None:
    """Pause a connector: deliveries are still accepted, nothing is done with them."""
    found = session.hub.change(f"connectors/{segment(name)}", {"state": "paused"})
    session.show(found, lambda: session.screen.done(f"Connector {name} paused"))


def delete(
    session: Session,
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a connector with its secrets, mappings and links."""
    if not yes and not typer.confirm(f"Delete connector {name} and everything that hangs on it?"):
        raise Failed("Nothing was deleted.", "Answer y, or give --yes.", status=Status.FAILED)
    session.hub.delete(f"connectors/{segment(name)}")
    gone = {"name": name, "deleted": True}
    session.show(gone, lambda: session.screen.done(f"Connector {name} deleted"))


def choices(
    session: Session,
    name: Name,
    source: Annotated[str, typer.Argument(help="The list: services, users, priorities, ….")],
    *,
    search: Annotated[str, typer.Option(help="Only what contains this.")] = "",
) -> None:
    """List what the vendor offers: services, users, priorities, …."""
    path = f"connectors/{segment(name)}/choices/{segment(source)}"
    found = session.hub.get(path, search=search or None)
    rows = [(one["value"], one["label"]) for one in found["items"]]

    def people() -> None:
        session.screen.table(rows, ("Value", "Name"))
        if found.get("age_s"):
            session.screen.line(f"As of {found['age_s']} s ago.")

    session.show(found, people)


def fields(
    session: Session,
    name: Name,
    object: Annotated[str, typer.Argument(help="The object: salesforce.case.")],
) -> None:
    """List the fields that this account's records have, for conditions and actions."""
    found = session.hub.get(f"connectors/{segment(name)}/fields", object=object)
    rows = [
        (one["name"], one["label"], one["type"], one["writable"], one["required"])
        for one in found["items"]
    ]
    header = ("Field", "Label", "Type", "Writable", "Required")
    session.show(found, lambda: session.screen.table(rows, header))


def query(
    session: Session,
    name: Name,
    query: Annotated[
        str, typer.Argument(help="The question's name: on_call, …; or a statement: SELECT ….")
    ],
    *,
    set_: Set = None,
) -> None:
    """Ask the vendor a question that its plugin offers, such as who is on call."""
    asked = values.pairs(set_ or ())
    if " " in query.strip():  # no question is called so: it is a statement
        query, asked = "soql", {"statement": query, **asked}
    found = session.hub.post(f"connectors/{segment(name)}/queries/{segment(query)}", asked)
    session.show(found, lambda: _answer(session, found))


def _answer(session: Session, found: dict[str, Any]) -> None:
    table, text = rows_of(found), found.get("text")
    if table is None:
        session.screen.text(text if isinstance(text, str) else as_yaml(found))
        return
    session.screen.table(*table)
    if found.get("note"):
        session.screen.warn(str(found["note"]))


_WEBHOOK = "webhook"
"""The vendor can't know of a connector that was just added; what to do is the next line."""


def _demand(name: str, results: list[dict[str, Any]]) -> None:
    failed = checks.failed([one for one in results if one["name"] != _WEBHOOK])
    if failed:
        raise Failed(
            f"Connector {name} was added, but {failed} of {len(results)} checks failed.",
            f"Do what is named above, then: hub connector test {name}",
        )


def _next(session: Session, name: str, declared: Mapping[str, Any]) -> None:
    found = session.hub.get(f"connectors/{segment(name)}")
    if found["state"] == "needs_credentials":
        key = _credential(found["settings"], declared["settings"])
        session.screen.line(f"Next: hub connector update {name} --set {key}=-")
    if declared["subscribes"]:
        session.screen.line(f"Next: hub connector webhook {name} --enable")
    session.screen.line(f"Next: hub connector test {name}")


def _credential(settings: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return the first secret that is set: what the vendor has most likely refused."""
    secret = forms.secrets(schema)
    named = [one for one in schema.get("properties", ()) if one in secret]
    given = [one for one in named if (settings.get(one) or {}).get("set")]
    return next(iter([*given, *named]), "key")


def _state(connector: dict[str, Any]) -> str:
    state = str(connector["state"])
    return _STATES.get(state, state)
