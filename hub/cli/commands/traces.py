"""Traces, as people read them: which rules were tried, and what decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.cli.commands.run import result
from hub.cli.session import Session
from hub.cli.show import shown


def delivery(session: Session, trace: Mapping[str, Any]) -> None:
    """Print the way of a delivery."""
    screen = session.screen
    screen.line(f"{trace['id']}  {session.moment(trace['received_at'])}  {trace['connector']}")
    if trace["state"] != "accepted":
        _not_worked(session, trace)
    for event in trace["events"]:
        screen.line()
        _event(session, event)


def _not_worked(session: Session, trace: Mapping[str, Any]) -> None:
    screen = session.screen
    screen.warn(f"{trace['state'].capitalize()}: {trace['detail'] or 'no reason was told'}")
    screen.line(f"  its body is kept: hub delivery show {trace['id']} --body")


def rules(session: Session, traces: Sequence[Mapping[str, Any]]) -> None:
    """Print why each rule fired or did not; those that wait for another trigger are left out."""
    for trace in traces:
        if not str(trace.get("skipped") or "").startswith("trigger is"):
            _rule(session, trace)


def planned(session: Session, actions: Sequence[Mapping[str, Any]]) -> None:
    """Print what would be done."""
    for action in actions:
        session.screen.line(f"→ {action['do']} at {action['connector']}: {action['outcome']}")
        for name, value in action["with"].items():
            session.screen.line(f"    {name}: {_parameter(value)}")


def conditions(session: Session, node: Mapping[str, Any] | None, depth: int) -> None:
    """Print a tree of conditions with the values that were seen."""
    if not node:
        return
    indent = "  " * depth
    sign = "✓" if node["met"] else "✗"
    if node["kind"] == "condition":
        seen = f", found {shown(node.get('actual'))}"
        reason = f" ({node['reason']})" if node.get("reason") else ""
        session.screen.line(f"{indent}{sign} {node['text']}{seen}{reason}")
        return
    session.screen.line(f"{indent}{sign} {node['text']}")
    for child in node.get("children") or ():
        conditions(session, child, depth + 1)


def _event(session: Session, event: Mapping[str, Any]) -> None:
    record = event["human_id"] or event["record"]
    session.screen.line(f"{event['id']}  {event['trigger']}  {record}  {_ended(event)}")
    if event["held"]:
        _held(session, event)
    rules(session, event.get("explained") or event["traces"])
    for run in event["runs"]:
        _run(session, run)
    for link in event["links"]:
        _link(session, link)


def _ended(event: Mapping[str, Any]) -> str:
    state, outcome = str(event["state"]), str(event["outcome"] or "")
    return outcome if outcome.startswith(state) else f"{state}: {outcome}".rstrip(": ")


def _held(session: Session, event: Mapping[str, Any]) -> None:
    held = event["held"]
    until = session.moment(held["not_before"]) if held["not_before"] else "a person lets it go"
    reason = f"{held['reason']} {held['detail'] or ''}".strip()
    session.screen.warn(f"Waits until {until}: {reason} (hub hold release {event['lane']})")


def _link(session: Session, link: Mapping[str, Any]) -> None:
    name = link["human_id"] or link["record"] or link["state"]
    session.screen.line(f"  linked: {link['object']} {name} {link['url'] or ''}".rstrip())


def _rule(session: Session, trace: Mapping[str, Any]) -> None:
    rule = trace.get("rule") or {}
    name = rule.get("name") if isinstance(rule, Mapping) else rule
    if trace["fired"]:
        session.screen.done(f"Rule {shown(name)} fired")
    else:
        reason = trace.get("skipped") or trace.get("because") or "its conditions do not hold"
        session.screen.skipped(f"Rule {shown(name)} did not fire: {_text(reason)}")
    conditions(session, trace.get("conditions"), 1)


def _run(session: Session, run: Mapping[str, Any]) -> None:
    said = result(run)
    line = f"{run['id']}  {run['action']} at {run['connector']}: {run['state']} {said}".rstrip()
    if run["state"] == "done":
        session.screen.done(line)
    elif run["state"] == "dead":
        session.screen.failed(line, f"hub run show {run['id']}")
    elif run["state"] == "skipped":
        session.screen.skipped(line)
    else:
        session.screen.warn(line)


def _parameter(value: object) -> str:
    if isinstance(value, Mapping) and "$late" in value:
        paths = [one["path"] for one in value["$late"] if isinstance(one, Mapping)]
        return f"(known when it runs: {', '.join(paths)})"
    return shown(value)


def _text(reason: object) -> str:
    return ", ".join(map(str, reason)) if isinstance(reason, list) else str(reason)
