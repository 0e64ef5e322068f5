"""`hub ruleset explain` and `hub ruleset why-not`: dry runs and their reasons."""

from typing import Annotated, Any

import typer

from hub.cli.commands import ruleset_files, traces, values
from hub.cli.failure import Usage
from hub.cli.session import Session, command


def attach(app: typer.Typer) -> None:
    """Add the commands to the rulesets' group."""
    command(app, "explain", example="hub ruleset explain evt_42")(explain)
    command(app, "dry-run", example="hub ruleset dry-run 'Cases page' evt_42")(dry_run)
    command(
        app,
        "why-not",
        example="hub ruleset why-not 'High-priority cases page' evt_42",
    )(why_not)


def explain(
    session: Session,
    given: Annotated[str, typer.Argument(help="An event (evt_…) or a delivery (dlv_…).")],
    *,
    ruleset: Annotated[str, typer.Option(help="Only this ruleset, by name or id.")] = "",
    draft: Annotated[
        bool, typer.Option("--draft", help="The ruleset's working copy, as if it were enabled.")
    ] = False,
) -> None:
    """Show for each rule why it fires on an event, or why not, with the values that are seen.

    Nothing is sent: this is a dry run with the rules as they are now.
    """
    if draft and not ruleset:
        raise Usage("--draft needs --ruleset.")
    kind = "delivery" if given.startswith("dlv_") else "event"
    body: dict[str, Any] = {kind: given, "draft": draft}
    body |= {"ruleset": ruleset} if ruleset else {}
    answer = session.hub.post("rules:explain", body)

    def people() -> None:
        traces.rules(session, answer["traces"])
        traces.planned(session, answer["actions"])

    session.show(answer, people)


def dry_run(
    session: Session,
    ruleset: Annotated[str, typer.Argument(help="A ruleset's name or id, or @file with one.")],
    given: Annotated[
        str, typer.Argument(help="An event (evt_…), a delivery (dlv_…), or @file with a sample.")
    ],
    *,
    active: Annotated[
        bool, typer.Option("--active", help="The active version in place of the working copy.")
    ] = False,
) -> None:
    """Show what a working copy, or a file, would do on one event; nothing is saved or sent.

    A sample names trigger, connector and record: {trigger: …, connector: …, record: {values: …}}.
    """
    answer = session.hub.post("rules:explain", _tried(ruleset, active=active) | _event_of(given))

    def people() -> None:
        traces.rules(session, answer["traces"])
        traces.planned(session, answer["actions"])
        calls = sum(action["calls"] for action in answer["actions"])
        session.screen.line(f"Requests to vendors that this would be: {calls}. Nothing was sent.")

    session.show(answer, people)


def _tried(ruleset: str, *, active: bool) -> dict[str, Any]:
    if not ruleset.startswith("@"):
        return {"ruleset": ruleset, "draft": not active}
    listed = ruleset_files.read(ruleset[1:])
    if len(listed) != 1:
        raise Usage(f"{ruleset} holds {len(listed)} rulesets; one can be tried at once.")
    return {"rules": listed[0]["rules"]}


def _event_of(given: str) -> dict[str, Any]:
    if given.startswith(("dlv_", "evt_")):
        return {"delivery" if given.startswith("dlv_") else "event": given}
    return {"sample": values.mapping(given)}


def why_not(
    session: Session,
    rule: Annotated[str, typer.Argument(help="The rule's name or id.")],
    given: Annotated[
        str, typer.Argument(help="An event (evt_…), or a record: salesforce.case:500….")
    ],
) -> None:
    """Say step by step why a rule did not act on an event or a record."""
    answer = session.hub.post("rules:why-not", {"rule": rule, **_subject(given)})

    def people() -> None:
        for step in answer["steps"]:
            if step["ok"]:
                session.screen.done(step["text"])
            else:
                session.screen.failed(step["text"])
        traces.rules(session, answer["traces"])
        session.screen.line(f"Answer: {answer['answer']}")

    session.show(answer, people)


def _subject(given: str) -> dict[str, Any]:
    if given.startswith("evt_"):
        return {"event": given}
    object_, colon, record = given.partition(":")
    if not colon:
        raise Usage(f"{given!r} is neither an event (evt_…) nor a record (object:id).")
    return {"record": {"object": object_, "id": record}}
