"""`hub ruleset export` and `import`: whole rulesets with their ids and states, between hubs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.commands import values
from hub.cli.commands.documents import as_json, as_yaml
from hub.cli.failure import Failed, Usage
from hub.cli.session import Session, command


def attach(app: typer.Typer) -> None:
    """Add the commands to the rulesets' group."""
    command(app, "export", example="hub ruleset export --output rulesets.yaml")(export)
    command(app, "import", example="hub ruleset import rulesets.yaml --plan")(import_)


def export(
    session: Session,
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or ids; left out = all rulesets.")
    ] = None,
    *,
    draft: Annotated[bool, typer.Option("--draft", help="The working copies.")] = False,
    output: Annotated[str, typer.Option(help="A file; .json is written as JSON.")] = "",
) -> None:
    """Write rulesets with their ids and states, as `hub ruleset import` takes them."""
    query: dict[str, Any] = {"draft": draft, "ruleset": names or None}
    found = session.hub.call("GET", "rulesets/export", query=query).body
    if not output:
        session.show(found, lambda: session.screen.text(as_yaml(found)))
        return
    text = as_json(found) if output.endswith(".json") else as_yaml(found)
    try:
        Path(output).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Failed(f"{output} can't be written: {error.strerror}.", "Name another.") from error
    count = len(found["rulesets"])
    session.show(found, lambda: session.screen.done(f"{output}: rulesets: {count}"))


def import_(
    session: Session,
    file: Annotated[str, typer.Argument(help="A file with rulesets, or - for input.")],
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would change.")] = False,
    draft: Annotated[
        bool, typer.Option("--draft", help="Into the working copies; nothing is published.")
    ] = False,
    states: Annotated[
        bool, typer.Option("--states", help="Take the states too: enabled, shadow, disabled.")
    ] = False,
    note: Annotated[str, typer.Option(help="Why, for the history.")] = "",
) -> None:
    """Make rulesets what a file says; all or nothing, and the same file twice changes nothing.

    What changes is shown. Rulesets that the file does not name stay as they are.
    """
    given = values.document(file if file == "-" else f"@{file}")
    if not isinstance(given, dict):
        raise Usage(f"{file} holds no rulesets: expected an object with rulesets.")
    query = {"plan": plan, "publish": not draft, "states": states, "note": note}
    found = session.hub.call("POST", "rulesets/import", query=query, body=given).body
    session.show(found, lambda: _told(session, found))


def _told(session: Session, found: dict[str, Any]) -> None:
    for one in found["rulesets"]:
        say = session.screen.skipped if one["action"] == "unchanged" else session.screen.done
        say(f"{one['name']}: {one['action']}")
        for words in one["words"]:
            for line in words.splitlines():
                session.screen.line(f"  {line}")
        if one["state"]:
            session.screen.line(f"  state: {one['state'][0]} → {one['state'][1]}")
        for finding in one["lint"]:
            if finding["severity"] != "info":
                session.screen.warn(f"{finding['rule_name']}: {finding['detail']}")
    if not found["applied"]:
        session.screen.skipped("Nothing was changed: this is the plan")
