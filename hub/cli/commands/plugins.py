"""`hub plugins`: what is installed, and what became of it; `hub plugin` is the same group."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.commands import plugin_declares
from hub.cli.session import Session, command

HELP = "The installed plugins, and writing new ones."


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub plugins list")(list_)
    command(app, "show", example="hub plugins show pagerduty")(show)
    command(app, "operators-off", example="hub plugins operators-off")(operators_off)
    command(app, "switch-on", example="hub plugins switch-on acme.near")(switch_on)


def list_(session: Session) -> None:
    """List the plugins; one that could not be used is in quarantine, with the reason."""
    found = _plugins(session)
    rows = [
        (
            one["name"],
            one["version"],
            one["state"],
            one["connector_types"],
            one["reason"] or f"{len(one.get('problems') or ())} problems",
        )
        for one in found
    ]
    rows = [(*row[:4], "" if row[4] == "0 problems" else row[4]) for row in rows]
    header = ("Plugin", "Version", "State", "Connector types", "Remarks")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def show(session: Session, name: Annotated[str, typer.Argument(help="The plugin's name.")]) -> None:
    """Show a plugin: what it declares, its problems, and the traceback if it broke."""
    found = session.hub.get(f"/plugins/{segment(name)}")
    found["declares"] = plugin_declares.of(session.hub.get("/catalog"), name)
    session.show(found, lambda: _describe(session, found))


def operators_off(session: Session) -> None:
    """List the operators of plugins that the hub switched off since they kept failing."""
    found = session.hub.get("/operators-off")
    rows = [
        (one["operator"], f"{one['plugin']} {one['version']}", session.ago(one["since"]),
         one["failures"], one["error"])
        for one in found["items"]
    ]  # fmt: skip
    header = ("Operator", "Plugin", "Since", "Failures", "Error")
    session.show(found, lambda: session.screen.table(rows, header))


def switch_on(
    session: Session, operator: Annotated[str, typer.Argument(help="The operator, of the list.")]
) -> None:
    """Switch an operator on again; the rules that use it are valid again within seconds."""
    session.hub.post(f"/operators-off/{segment(operator)}/switch-on")
    session.show(
        {"operator": operator}, lambda: session.screen.done(f"Operator {operator} is on again")
    )


def _plugins(session: Session) -> Sequence[dict[str, Any]]:
    found = session.hub.get("/plugins")
    listed: Sequence[dict[str, Any]] = found["items"] if isinstance(found, dict) else found
    return listed


def _describe(session: Session, plugin: dict[str, Any]) -> None:
    screen = session.screen
    screen.facts(
        {
            "Plugin": plugin["name"],
            "Distribution": f"{plugin['distribution']} {plugin['version']}".strip(),
            "State": plugin["state"],
            "Connector types": plugin["connector_types"],
        }
    )
    if plugin["reason"]:
        screen.failed(plugin["reason"])
    for problem in plugin.get("problems") or ():
        screen.warn(_problem(problem))
    for warning in plugin.get("warnings") or ():
        screen.warn(warning)
    if plugin.get("traceback"):
        screen.line(plugin["traceback"])
    plugin_declares.show(screen, plugin["declares"])


def _problem(problem: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(problem, dict):
        return " ".join(str(value) for value in problem.values() if value)
    return str(problem)
