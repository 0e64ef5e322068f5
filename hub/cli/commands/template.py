"""`hub template`: rulesets that plugins offer ready-made."""

from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.commands import values
from hub.cli.failure import Failed, Status
from hub.cli.session import Session, command

HELP = "Ruleset templates: rules that plugins offer ready-made."
Template = Annotated[str, typer.Argument(help="The template's name.")]
Ruleset = Annotated[str, typer.Argument(help="The ruleset's name or id.")]
Pairs = Annotated[list[str] | None, typer.Option("--set", help="A parameter: name=value.")]


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub template list")(list_)
    command(app, "show", example="hub template show pagerduty.two_way")(show)
    command(
        app,
        "use",
        example="hub template use salesforce.case_and_pagerduty "
        "--role cases=prod-salesforce --role paging=prod-pagerduty",
    )(use)
    command(app, "diff", example="hub template diff 'Case and PagerDuty'")(diff)
    command(app, "upgrade", example="hub template upgrade 'Case and PagerDuty'")(upgrade)


def list_(session: Session) -> None:
    """List the templates."""
    found = session.hub.pages("ruleset-templates", limit=1000)
    rows = [(one["name"], one["version"], one["label"], _roles(one["roles"])) for one in found]
    header = ("Name", "Version", "Label", "Roles")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def show(session: Session, name: Template) -> None:
    """Show a template: its roles, its parameters, its tables."""
    listed = session.hub.pages("ruleset-templates", limit=1000)
    found = next((one for one in listed if one["name"] == name), None)
    if found is None:
        known = ", ".join(one["name"] for one in listed) or "none"
        raise Failed(
            f"There is no ruleset template {name!r}.",
            f"Templates: {known}.",
            status=Status.NOT_FOUND,
        )
    session.show(found, lambda: _shown(session, found))


def _shown(session: Session, found: dict[str, Any]) -> None:
    session.screen.facts(
        {
            "Template": f"{found['name']} (version {found['version']})",
            "Label": found["label"],
            "Description": found["description"],
            "Roles": _roles(found["roles"]),
            "Value maps": ", ".join(found["value_maps"]) or "none",
        }
    )
    rows = [
        (name, one.get("type", ""), one.get("default"), one.get("title") or name)
        for name, one in found["params"].get("properties", {}).items()
    ]
    session.screen.table(rows, ("Parameter", "Type", "Default", "Label"))


def use(
    session: Session,
    name: Template,
    *,
    role: Annotated[list[str] | None, typer.Option(help="A role: role=connector.")] = None,
    set_: Pairs = None,
    label: Annotated[str, typer.Option("--name", help="The new ruleset's name.")] = "",
    enable: Annotated[bool, typer.Option("--enable", help="Enable it at once.")] = False,
) -> None:
    """Make an ordinary ruleset of a template: published, and disabled unless --enable."""
    body: dict[str, Any] = {
        "roles": values.pairs(role or []),
        "params": values.pairs(set_ or []),
        "enable": enable,
    }
    body |= {"name": label} if label else {}
    made = session.hub.post(f"ruleset-templates/{segment(name)}/instances", body)
    session.show(
        made, lambda: session.screen.done(f"Ruleset {made['name']} made; it is {made['state']}")
    )


def diff(session: Session, name: Ruleset) -> None:
    """Show what the template changed since, and which rules were edited here."""
    found = session.hub.get(f"rulesets/{segment(name)}/template-diff")
    session.show(found, lambda: _difference(session, found))


def upgrade(
    session: Session,
    name: Ruleset,
    *,
    set_: Pairs = None,
    overwrite: Annotated[
        list[str] | None, typer.Option(help="The key of an edited rule to replace.")
    ] = None,
) -> None:
    """Bring unedited rules up to the template, or to other parameters; the result is a draft."""
    body: dict[str, Any] = {"overwrite": overwrite or []}
    body |= {"params": values.pairs(set_)} if set_ else {}
    path = f"rulesets/{segment(name)}"
    found = session.hub.call("POST", f"{path}:upgrade", body=body, headers={"If-Match": "*"}).body
    session.show(found, lambda: _upgraded(session, name, found))


def _upgraded(session: Session, name: str, found: dict[str, Any]) -> None:
    _difference(session, found)
    if found["words"]:
        session.screen.done(f"In the working copy: hub ruleset publish '{name}'")


def _difference(session: Session, found: dict[str, Any]) -> None:
    screen = session.screen
    screen.line(f"{found['template']}: version {found['before_version']} → {found['version']}")
    for line in found["words"] or ["No differences"]:
        screen.line(line)
    for one in found["edited"]:
        screen.warn(f"edited here, kept: {one['name']} (key {one['key']})")
        screen.line(f"  here:     {one['words']}")
        screen.line(f"  template: {one['template_words'] or 'has it no more'}")


def _roles(roles: dict[str, str]) -> str:
    return ", ".join(f"{role}={kind}" for role, kind in roles.items())
