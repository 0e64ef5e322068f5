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
    """Print why each rule fired or did not."""
    for trace in traces:
        _rule(session, trace)


def of(answer: object) -> list[Mapping[str, Any]]:
    """Return the rules' traces of an answer of `rules:explain`."""
    if isinstance(answer, Mapping):
        answer = answer.get("traces") or answer.get("rules") or answer.get("items") or []
    return [one for one in answer if isinstance(one, Mapping)] if isinstance(answer, list) else []


def names(trace: Mapping[str, Any]) -> tuple[object, object]:
    """Return the name and the id of the rule that a trace is about."""
    rule = trace.get("rule")
    return (rule.get("name"), rule.get("id")) if isinstance(rule, Mapping) else (rule, rule)


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
    outcome = f": {event['outcome']}" if event.get("outcome") else ""
    session.screen.line(f"{event['id']}  {event['trigger']}  {event['state']}{outcome}")
    rules(session, event.get("explained") or event.get("traces") or ())
    for run in event.get("runs") or ():
        _run(session, run)


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
    said = run.get("error") or run.get("summary") or run.get("outcome") or ""
    line = f"{run['id']}  {run['action']} at {run.get('connector')}: {run['state']} {said}".rstrip()
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
