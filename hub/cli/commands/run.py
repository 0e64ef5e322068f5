"""`hub run`: what rules had done."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from hub.cli.client import segment
from hub.cli.session import Session, command

HELP = "Runs: what rules had done, attempt by attempt."
_SETTLED: Final = frozenset({"done", "skipped"})
Id = Annotated[str, typer.Argument(help="The run's id: run_….")]


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub run list --state dead")(list_)
    command(app, "show", example="hub run show run_7")(show)
    command(app, "retry", example="hub run retry run_7")(retry)
    command(app, "dismiss", example="hub run dismiss run_7 --reason 'done by hand'")(dismiss)


def list_(
    session: Session,
    *,
    state: Annotated[str, typer.Option(help="intent, sent, waiting, done, skipped or dead.")] = "",
    connector: Annotated[str, typer.Option(help="One connector's runs.")] = "",
    limit: Annotated[int, typer.Option(help="Most lines.")] = 50,
) -> None:
    """List the newest runs, the newest first; --state dead are those that were given up."""
    found = session.hub.pages("runs", limit=limit, state=state or None, connector=connector or None)
    rows = [
        (
            one["id"],
            one["state"],
            one["action"],
            one["connector"],
            one["attempts"],
            result(one),
        )
        for one in found
    ]
    header = ("Run", "State", "Action", "Connector", "Attempts", "Result")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def show(session: Session, id: Id) -> None:
    """Show a run: its parameters, its attempts and what the vendor answered."""
    found = session.hub.get(f"runs/{segment(id)}")
    session.show(found, lambda: _describe(session, found))


def retry(session: Session, id: Id) -> None:
    """Try a run again that was given up."""
    answer = session.hub.post(f"runs/{segment(id)}/retry")
    session.show(answer, lambda: session.screen.done(f"{id} is tried again"))


def dismiss(
    session: Session,
    id: Id,
    *,
    reason: Annotated[str, typer.Option(help="Why it need not be done any more.")],
) -> None:
    """Put a run aside that was given up, or give up one that waits; its lane goes on."""
    answer = session.hub.post(f"runs/{segment(id)}/dismiss", {"reason": reason})
    session.show(answer, lambda: session.screen.done(f"{id} dismissed"))


def _describe(session: Session, run: dict[str, Any]) -> None:
    session.screen.facts(
        {
            "Run": run["id"],
            "State": run["state"],
            "Action": run["action"],
            "Connector": run["connector"],
            "Event": run["event"],
            "Rule": run["rule"]["name"],
            "Result": result(run),
        }
    )
    _parameters(session, run.get("params") or {})
    _requests(session, run["attempts_made"])


def result(run: Mapping[str, Any]) -> str:
    """Return what became of a run: the error only while it is in the way."""
    said = run["summary"] or run["outcome"]
    if run["state"] in _SETTLED and said:
        return str(said)
    return str(run["error"] or said or "")


def _parameters(session: Session, params: Mapping[str, Any]) -> None:
    if params:
        session.screen.line("Parameters:")
    for name, value in params.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        first, *more = text.splitlines() or [""]
        session.screen.line(f"  {name}: {first}")
        for line in more:
            session.screen.line(f"    {line}")


def _requests(session: Session, made: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (
            number,
            session.moment(one["at"]),
            f"{one['method']} {one['url']}",
            one.get("status") or one.get("error"),
            f"{one['took_ms']} ms",
        )
        for number, one in enumerate(made, start=1)
    ]
    if rows:
        session.screen.table(rows, ("Attempt", "Time", "Request", "Answer", "Took"))
    for number, one in enumerate(made, start=1):
        if one.get("response"):
            session.screen.line(f"Answer {number}: {one['response']}")
