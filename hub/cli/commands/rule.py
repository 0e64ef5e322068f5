"""`hub rule`: single rules of a ruleset's working copy."""

from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.commands import ruleset_files, values
from hub.cli.commands.documents import as_yaml
from hub.cli.failure import Failed, Status
from hub.cli.session import Session, command

HELP = "Single rules of a ruleset's working copy: list, move, copy, switch on and off."
EXAMPLE = "hub rule list 'Cases page'"
Ruleset = Annotated[str, typer.Argument(help="The ruleset's name or id.")]
Rule = Annotated[str, typer.Argument(help="The rule's name, id or place (from 1).")]


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub rule list 'Cases page'")(list_)
    command(app, "show", example="hub rule show 'Cases page' 'P1 pages' > rule.yaml")(show)
    command(app, "add", example="hub rule add 'Cases page' rule.yaml --place 1")(add)
    command(app, "set", example="hub rule set 'Cases page' 'P1 pages' rule.yaml")(set_)
    command(app, "move", example="hub rule move 'Cases page' 'P1 pages' --place 1")(move)
    command(app, "copy", example="hub rule copy 'Cases page' 'P1 pages'")(copy)
    command(app, "enable", example="hub rule enable 'Cases page' 'P1 pages'")(enable)
    command(app, "disable", example="hub rule disable 'Cases page' 'P1 pages'")(disable)
    command(app, "delete", example="hub rule delete 'Cases page' 'P1 pages'")(delete)


def list_(session: Session, ruleset: Ruleset) -> None:
    """List the rules of the working copy in their order."""
    found = _rules(session, _draft(session, ruleset))
    rows = [
        (at, one["name"], "on" if one.get("enabled", True) else "off", _after(one), one["id"])
        for at, one in enumerate(found, 1)
    ]
    header = ("Place", "Name", "State", "Then", "Id")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def show(session: Session, ruleset: Ruleset, rule: Rule) -> None:
    """Print a rule as a file that `add` and `set` take."""
    found = _found(_rules(session, _draft(session, ruleset)), rule)
    session.show(found, lambda: session.screen.text(as_yaml(found)))


def add(
    session: Session,
    ruleset: Ruleset,
    file: Annotated[str, typer.Argument(help="A file with a rule, or - for input.")],
    *,
    place: Annotated[int, typer.Option(help="Where, from 1; left out = the end.")] = 0,
) -> None:
    """Add a rule to the working copy."""
    draft = _draft(session, ruleset)
    given = values.mapping(file if file == "-" else f"@{file}")
    query = {"place": place} if place else {}
    made = _change(session, "POST", f"{draft}/rules", body=given, query=query)
    _told(session, made, f"Rule {made['name']} added to the working copy of {ruleset}")


def set_(
    session: Session,
    ruleset: Ruleset,
    rule: Rule,
    file: Annotated[str, typer.Argument(help="A file with the rule, or - for input.")],
) -> None:
    """Replace a rule of the working copy; it keeps its id and its place."""
    draft = _draft(session, ruleset)
    found = _found(_rules(session, draft), rule)
    given = values.mapping(file if file == "-" else f"@{file}") | {"id": found["id"]}
    made = session.hub.change(f"{draft}/rules/{segment(found['id'])}", given, method="PUT")
    _told(session, made, f"Rule {made['name']} replaced in the working copy of {ruleset}")


def move(
    session: Session,
    ruleset: Ruleset,
    rule: Rule,
    *,
    place: Annotated[int, typer.Option(help="Where to, from 1; left out = the end.")] = 0,
    to: Annotated[str, typer.Option(help="Another ruleset, by name or id.")] = "",
) -> None:
    """Move a rule to another place, or into another ruleset's working copy."""
    draft = _draft(session, ruleset)
    found = _found(_rules(session, draft), rule)
    body: dict[str, Any] = {"place": place} if place else {}
    body |= {"ruleset": ruleset_files.find(session, to)["id"]} if to else {}
    made = _change(session, "POST", f"{draft}/rules/{segment(found['id'])}:move", body=body)
    where = f"to place {place}" if place else "to the end"
    _told(
        session, made, f"Rule {found['name']} moved {where} of the working copy of {to or ruleset}"
    )


def copy(session: Session, ruleset: Ruleset, rule: Rule) -> None:
    """Copy a rule behind itself."""
    draft = _draft(session, ruleset)
    found = _found(_rules(session, draft), rule)
    made = _change(session, "POST", f"{draft}/rules/{segment(found['id'])}:duplicate")
    _told(session, made, f"Rule {made['name']} is a copy of {found['name']}")


def enable(session: Session, ruleset: Ruleset, rule: Rule) -> None:
    """Switch a rule on in the working copy."""
    _switch(session, ruleset, rule, on=True)


def disable(session: Session, ruleset: Ruleset, rule: Rule) -> None:
    """Switch a rule off in the working copy; it is kept."""
    _switch(session, ruleset, rule, on=False)


def delete(session: Session, ruleset: Ruleset, rule: Rule) -> None:
    """Take a rule out of the working copy; published versions keep it."""
    draft = _draft(session, ruleset)
    found = _found(_rules(session, draft), rule)
    session.hub.delete(f"{draft}/rules/{segment(found['id'])}")
    gone = {"id": found["id"], "deleted": True}
    _told(session, gone, f"Rule {found['name']} taken out of the working copy of {ruleset}")


def _switch(session: Session, ruleset: str, rule: str, *, on: bool) -> None:
    draft = _draft(session, ruleset)
    found = _found(_rules(session, draft), rule)
    path = f"{draft}/rules/{segment(found['id'])}"
    made = session.hub.change(path, {**found, "enabled": on}, method="PUT")
    word = "on" if on else "off"
    _told(session, made, f"Rule {found['name']} is {word} in the working copy of {ruleset}")


def _told(session: Session, answer: object, text: str) -> None:
    def people() -> None:
        session.screen.done(text)
        session.screen.skipped("What is matched changes when it is published: hub ruleset publish")

    session.show(answer, people)


def _draft(session: Session, ruleset: str) -> str:
    return f"rulesets/{segment(ruleset_files.find(session, ruleset)['id'])}/draft"


def _rules(session: Session, draft: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = session.hub.get(draft)["rules"]
    return found


def _found(rules: list[dict[str, Any]], named: str) -> dict[str, Any]:
    """Return the rule of that id, name or place; Failed when it is none, or more than one."""
    by_id = [one for one in rules if one["id"] == named]
    alike = by_id or [one for one in rules if one.get("name") == named]
    if not alike and named.isdecimal() and 0 < int(named) <= len(rules):
        alike = [rules[int(named) - 1]]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise Failed(f"{len(alike)} rules are named {named!r}.", "Name one by its id or place.")
    known = ", ".join(repr(one.get("name", "")) for one in rules[:10]) or "none"
    raise Failed(
        f"There is no rule {named!r} in the working copy.",
        f"Its rules: {known}.",
        status=Status.NOT_FOUND,
    )


def _change(
    session: Session,
    method: str,
    path: str,
    *,
    body: object = None,
    query: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Change the working copy as it is now, whoever changed it last."""
    made: dict[str, Any] = session.hub.call(
        method, path, query=query, body=body, headers={"If-Match": "*"}
    ).body
    return made


def _after(rule: dict[str, Any]) -> str:
    return "stop" if rule.get("after") == "stop" else "continue"
