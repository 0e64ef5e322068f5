"""`hub ruleset what-if`: what a working copy would have done; rules that guards switched off."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.failure import Failed, Usage
from hub.cli.session import Session, command
from hub.clock import now

_MOST_SHOWN = 20


def attach(app: typer.Typer) -> None:
    """Add the commands to the rulesets' group."""
    command(app, "what-if", example="hub ruleset what-if 'Cases page' --days 30")(whatif)
    command(app, "breakers", example="hub ruleset breakers")(breakers)
    command(app, "reset", example="hub ruleset reset 0192f0c4-7c1e-7d3a-9b52-3f6a1c2d4e5f")(reset)


def whatif(
    session: Session,
    name: Annotated[str, typer.Argument(help="The ruleset's name or id.")],
    *,
    days: Annotated[float, typer.Option(help="How far to look back.")] = 7.0,
    version: Annotated[
        int, typer.Option(help="A published version; left out = the working copy.")
    ] = 0,
    limit: Annotated[int, typer.Option(help="At most so many events.")] = 10_000,
) -> None:
    """Tell what a working copy would have done with past events, beside what was done.

    Nothing is sent. Ctrl-C cancels it.
    """
    if days <= 0:
        raise Usage("--days must be more than 0.")
    since = now() - timedelta(days=days)
    body: dict[str, Any] = {"ruleset": name, "since": since.isoformat(), "limit": limit}
    body |= {"version": version} if version else {}
    asked = session.hub.post("whatif", body)
    try:
        found = _followed(session, f"whatif/{segment(asked['id'])}")
    except KeyboardInterrupt:
        session.hub.call("DELETE", f"whatif/{segment(asked['id'])}")
        raise
    if found["state"] != "done":
        raise Failed(f"The question is {found['state']}. {found['detail']}".strip())
    session.show(found, lambda: _report(session, found["report"]))


def _followed(session: Session, path: str) -> dict[str, Any]:
    """Read lines until the end, and tell how far it has come."""
    found: dict[str, Any] = {}
    told = None
    for found in session.hub.lines(path, method="GET"):
        progress = found["progress"]
        if progress.get("events") and progress != told:
            session.screen.skipped(f"{progress['events']} of {progress['of']} events")
            told = progress
    return found or session.hub.get(path)


def _report(session: Session, report: dict[str, Any]) -> None:
    screen = session.screen
    matches = report["matches"]
    screen.facts(
        {
            "Events": report["events"],
            "Matches then": matches["then"],
            "Matches now": matches["now"],
            "Events without what was seen then": report["without_facts"],
        }
    )
    effects = [
        (one["action"], one["then"], one["now"], f"{one['difference']:+d}")
        for one in report["effects"]
    ]
    if effects:
        screen.table(effects, ("Action", "Then", "Now", "Difference"))
    calls = [(one["connector"], one["total"], one["quota_a_day"]) for one in report["calls"]]
    if calls:
        screen.table(calls, ("Connector", "Requests", "Allowed a day"))
    for one in report["different"][:_MOST_SHOWN]:
        screen.line(f"differs: {one['event']} {one['trigger']} {one['record']}")
    for name in report["never_matched"]:
        screen.skipped(f'rule "{name}" never matched')
    for text in report["warnings"]:
        screen.warn(text)
    for text in report["notes"]:
        screen.skipped(text)


def breakers(session: Session) -> None:
    """List rules that are off for a record, since they fired too often on it."""
    found = session.hub.pages("rule-breakers", limit=1000)
    rows = [
        (one["rule"], one["connector"], one["record"], one["firings"], one["open_until"])
        for one in found
    ]
    header = ("Rule", "Connector", "Record", "Firings", "Until")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def reset(
    session: Session,
    rule: Annotated[str, typer.Argument(help="The rule's id, as `breakers` lists it.")],
    *,
    record: Annotated[str, typer.Option(help="Only for this record.")] = "",
) -> None:
    """Let a rule act again on a record, or on all."""
    query = {"record": record} if record else {}
    session.hub.call("DELETE", f"rule-breakers/{segment(rule)}", query=query)
    text = f"Rule {rule} acts again" + (f" on {record}" if record else "")
    session.show({"rule": rule, "reset": True}, lambda: session.screen.done(text))
