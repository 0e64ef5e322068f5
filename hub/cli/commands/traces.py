"""Traces, as people read them: which rules were tried, and what decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.cli.session import Session
from hub.cli.show import shown


def delivery(session: Session, trace: Mapping[str, Any]) -> None:
    """Print the way of a delivery."""
    screen = session.screen
    screen.line(f"{trace['id']}  {session.moment(trace['received_at'])}  {trace['connector']}")
    for event in trace["events"]:
        screen.line()
        _event(session, event)


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
            session.screen.line(f"    {name}: {shown(value)}")


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
    outcome = f": {event['outcome']}" if event["outcome"] else ""
    record = event["record"].get("human_id") or event["record"].get("id") or ""
    session.screen.line(f"{event['id']}  {event['trigger']}  {record}  {event['state']}{outcome}")
    if event["hold"]:
        _hold(session, event["hold"])
    rules(session, event.get("explained") or event["traces"])
    for run in event["runs"]:
        _run(session, run)
    for link in event["links"]:
        _link(session, link)


def _hold(session: Session, hold: Mapping[str, Any]) -> None:
    until = session.moment(hold["not_before"]) if hold["not_before"] else "a person lets it go"
    reason = f"{hold['reason']} {hold['detail']}".strip()
    session.screen.warn(f"Waits until {until}: {reason} (hub hold release {hold['lane']})")


def _link(session: Session, link: Mapping[str, Any]) -> None:
    shown_as = link["human_id"] or link["record"] or link["state"]
    session.screen.line(f"  linked: {link['object']} {shown_as} {link['url'] or ''}".rstrip())


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
    said = run["error"] or run["summary"] or run["outcome"] or ""
    line = f"{run['id']}  {run['action']} at {run['connector']}: {run['state']} {said}".rstrip()
    if run["state"] == "done":
        session.screen.done(line)
    elif run["state"] == "dead":
        session.screen.failed(line, f"hub run show {run['id']}")
    elif run["state"] == "skipped":
        session.screen.skipped(line)
    else:
        session.screen.warn(line)


def _text(reason: object) -> str:
    return ", ".join(map(str, reason)) if isinstance(reason, list) else str(reason)
