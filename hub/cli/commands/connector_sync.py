"""`hub connector sync`, `reconcile` and `import`: reading at the vendor what is there."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from hub.cli import times
from hub.cli.client import segment
from hub.cli.commands import values
from hub.cli.failure import Failed
from hub.cli.session import Session, command

_LOOK_S: Final = 0.3
_FEW: Final = 20
Name = Annotated[str, typer.Argument(help="The connector's name.")]
Matter = Annotated[str, typer.Option("--correlation", help="Only one matter, by its code (M-…).")]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait for the end and show how it went.")
]
Found = dict[str, Any]


def attach(app: typer.Typer) -> None:
    """Add the commands to the connectors' group."""
    command(app, "sync", example="hub connector sync prod-pagerduty")(sync)
    command(app, "reconcile", example="hub connector reconcile prod-pagerduty")(reconcile)
    command(
        app,
        "import",
        example="hub connector import prod-pagerduty pagerduty.incident --from 2025-01-01",
    )(import_)
    command(app, "imports", example="hub connector imports prod-pagerduty")(imports)


def sync(session: Session, name: Name, *, correlation: Matter = "", wait: Wait = True) -> None:
    """Poll now, compare linked records, and work what was missed."""
    began = time.monotonic()
    found = _compared(session, name, "sync", correlation, wait=wait)

    def people() -> None:
        if found["state"] == "running":
            session.screen.line(f"Sync of {name} begun ({found['id']}).")
            return
        took = time.monotonic() - began
        session.screen.done(
            f"Synced {name}: {found['came_in']} in, {found['went_out']} out, "
            f"{found['unchanged']} unchanged, {found['errors']} errors ({took:.1f} s)"
        )
        _drifts(session, found)

    session.show(found, people)
    _demand(found, "hub connector test shows whether the vendor can be asked.")


def reconcile(session: Session, name: Name, *, correlation: Matter = "", wait: Wait = True) -> None:
    """Compare linked records with what the hub knows; nothing is changed.

    Exit status 1 when something differs.
    """
    found = _compared(session, name, "reconciliations", correlation, wait=wait)
    drifts = found.get("drifts", [])

    def people() -> None:
        told = f"{found['compared']} linked records compared, {found['unchanged']} unchanged"
        if found["state"] == "running":
            session.screen.line(f"Comparison of {name} begun ({found['id']}).")
        elif drifts:
            session.screen.warn(f"{told}, {len(drifts)} differences")
        else:
            session.screen.done(told)
        _drifts(session, found)

    session.show(found, people)
    _demand(found, "hub connector test shows whether the vendor can be asked.")
    if drifts:
        raise Failed("Linked records differ.", f"hub connector sync {name}")


def import_(  # noqa: PLR0913 - the options of a command
    session: Session,
    name: Name,
    object: Annotated[str, typer.Argument(help="The object: salesforce.case.")],
    *,
    since: Annotated[
        str, typer.Option("--from", help="Only from this time on: 2025-01-01, 2025-01-01T09:00.")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="Only up to this time.")] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A filter that the connector type offers: key=value."),
    ] = None,
    wait: Wait = True,
) -> None:
    """Read existing records once, after what happens now."""
    body: Found = {"object": object, "filters": values.pairs(set_ or ())}
    body |= {"from": times.point(since, session.zone())} if since else {}
    body |= {"to": times.point(until, session.zone())} if until else {}
    path = f"connectors/{segment(name)}/imports"
    found = session.hub.post(path, body)
    while wait and found["state"] == "running":
        time.sleep(_LOOK_S)
        found = session.hub.get(f"{path}/{found['id']}")

    def people() -> None:
        if found["state"] == "running":
            session.screen.line(f"Import begun ({found['id']}): hub connector imports {name}")
            return
        told = f"{found['found']} records read, {found['filed']} of them worked"
        session.screen.done(f"Import {found['state']}: {told}")

    session.show(found, people)
    _demand(found, f"hub connector imports {name}")


def imports(
    session: Session,
    name: Name,
    *,
    stop: Annotated[str, typer.Option("--stop", help="Stop the import with this id.")] = "",
) -> None:
    """List a connector's imports and how far they are; or stop one."""
    path = f"connectors/{segment(name)}/imports"
    if stop:
        stopped = session.hub.post(f"{path}/{segment(stop)}/stop")
        session.show(stopped, lambda: session.screen.done("Import stopped"))
        return
    found = session.hub.pages(path, limit=100)
    rows = [
        (one["id"], one["object"], one["state"], one["found"], one["filed"],
         session.moment(one["created_at"]), one["error"])
        for one in found
    ]  # fmt: skip
    header = ("Id", "Object", "State", "Read", "Worked", "Begun", "Remarks")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def _compared(session: Session, name: str, path: str, correlation: str, *, wait: bool) -> Found:
    home = f"connectors/{segment(name)}"
    found: Found = session.hub.post(
        f"{home}/{path}", {"correlation": correlation} if correlation else {}
    )
    while wait and found["state"] == "running":
        time.sleep(_LOOK_S)
        found = session.hub.get(f"{home}/reconciliations/{found['id']}")
    return found


def _drifts(session: Session, found: Mapping[str, Any]) -> None:
    drifts = found.get("drifts", [])
    rows = [
        (one["correlation"], one["connector"], one["record"], one["kind"], one["text"])
        for one in drifts[:_FEW]
    ]
    if rows:
        session.screen.table(rows, ("Matter", "Connector", "Record", "Kind", "Difference"))
    if len(drifts) > _FEW:
        session.screen.line(f"… and {len(drifts) - _FEW} more; --json shows all.")


def _demand(found: Mapping[str, Any], fix: str) -> None:
    if found["state"] == "failed":
        raise Failed(f"It was given up: {found['error']}", fix)
