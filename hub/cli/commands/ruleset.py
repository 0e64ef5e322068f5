"""`hub ruleset`: what happens when."""

import shlex
from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.commands import reasons, ruleset_exchange, ruleset_files, trials
from hub.cli.commands.documents import as_yaml
from hub.cli.failure import Failed, Status
from hub.cli.session import Session, command

HELP = "Rulesets: what happens when."
Name = Annotated[str, typer.Argument(help="The ruleset's name or id.")]


def attach(app: typer.Typer) -> None:
    """Add the commands to their group."""
    command(app, "list", example="hub ruleset list")(list_)
    command(app, "show", example="hub ruleset show 'Cases page' > cases.yaml")(show)
    command(app, "apply", example="hub ruleset apply cases.yaml --publish")(apply)
    command(app, "diff", example="hub ruleset diff cases.yaml")(diff)
    command(app, "lint", example="hub ruleset lint 'Cases page'")(lint)
    command(app, "publish", example="hub ruleset publish 'Cases page' --note 'page P2 too'")(
        publish
    )
    command(app, "rollback", example="hub ruleset rollback 'Cases page' 3")(rollback)
    command(app, "versions", example="hub ruleset versions 'Cases page'")(versions)
    command(app, "enable", example="hub ruleset enable 'Cases page'")(enable)
    command(app, "disable", example="hub ruleset disable 'Cases page'")(disable)
    command(app, "shadow", example="hub ruleset shadow 'Cases page'")(shadow)
    command(app, "delete", example="hub ruleset delete 'Cases page' --yes")(delete)
    command(app, "copy", example="hub ruleset copy 'Cases page' 'Cases page, tried'")(copy)
    command(app, "order", example="hub ruleset order 'First' 'Second'")(order)
    ruleset_exchange.attach(app)
    reasons.attach(app)
    trials.attach(app)


def list_(session: Session) -> None:
    """List the rulesets in their order."""
    found = session.hub.pages("rulesets", limit=1000)
    rows = [(one["name"], one["state"], _version(one), _remarks(one), one["id"]) for one in found]
    header = ("Name", "State", "Version", "Remarks", "Id")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def show(
    session: Session,
    name: Name,
    *,
    draft: Annotated[bool, typer.Option("--draft", help="The working copy.")] = False,
) -> None:
    """Print a ruleset as a file that `hub ruleset apply` takes."""
    ruleset = ruleset_files.find(session, name)
    found = ruleset_files.body(session, ruleset, draft=draft)
    session.show(found, lambda: session.screen.text(as_yaml(found)))


def apply(
    session: Session,
    file: Annotated[str, typer.Argument(help="A file with a ruleset, or - for input.")],
    *,
    publish: Annotated[bool, typer.Option("--publish", help="Publish it at once.")] = False,
    enable: Annotated[bool, typer.Option("--enable", help="Publish and enable it.")] = False,
    accept_warnings: Annotated[
        bool, typer.Option("--accept-warnings", help="Publish in spite of warnings.")
    ] = False,
    note: Annotated[str, typer.Option(help="Why, for the history.")] = "",
) -> None:
    """Make a ruleset of a file, or put the file into the working copy of the one of that name.

    What will change is shown first; when anything is wrong, nothing is applied. A new ruleset
    is disabled, and nothing is matched before it is published and enabled.
    """
    listed = ruleset_files.read(file)
    planned = ruleset_files.plan(session, listed, publish=publish or enable)
    for line in planned:
        session.screen.line(line)
    for given in listed:
        ruleset = ruleset_files.put(session, given)
        _put(session, given, changed=f"{given['name']}: " in "\n".join(planned))
        if (publish or enable) and _differs(session, ruleset):
            _publish(session, ruleset, note=note, accept_warnings=accept_warnings)
        elif not (publish or enable):
            _warn(session, _checked(session, ruleset)["lint"])
        if enable:
            _set_state(session, ruleset, "enabled")
        session.show(ruleset_files.find(session, ruleset["id"]), lambda: None)


def diff(
    session: Session,
    file: Annotated[str, typer.Argument(help="A file with a ruleset, or - for input.")],
) -> None:
    """Show how a file differs from the active version; exit status 1 when it does."""
    changes = ruleset_files.plan(session, ruleset_files.read(file), publish=True)
    session.show({"changes": changes}, lambda: _lines(session, changes))
    if changes:
        raise Failed("The file differs from the active version.", f"hub ruleset apply {file}")


def lint(session: Session, name: Name) -> None:
    """Check the working copy: problems block publishing, warnings ask for acceptance."""
    ruleset = ruleset_files.find(session, name)
    found = _checked(session, ruleset)
    session.show(found, lambda: _findings(session, found))
    if not found["publishable"]:
        raise Failed("The working copy can't be published.", "Correct what is named above.")


def publish(
    session: Session,
    name: Name,
    *,
    note: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    accept_warnings: Annotated[
        bool, typer.Option("--accept-warnings", help="Publish in spite of warnings.")
    ] = False,
) -> None:
    """Make the working copy the active version."""
    ruleset = ruleset_files.find(session, name)
    made = _publish(session, ruleset, note=note, accept_warnings=accept_warnings)
    session.show(made, lambda: None)


def rollback(
    session: Session,
    name: Name,
    version: Annotated[int, typer.Argument(help="The version to go back to.")],
    *,
    note: Annotated[str, typer.Option(help="Why, for the history.")] = "",
) -> None:
    """Make an older version the active one again."""
    ruleset = ruleset_files.find(session, name)
    path = f"rulesets/{segment(ruleset['id'])}/versions/{version}:activate"
    answer = session.hub.call("POST", path, body={"note": note}, headers={"If-Match": "*"}).body
    session.show(
        answer, lambda: session.screen.done(f"{ruleset['name']}: version {version} is active")
    )


def versions(session: Session, name: Name) -> None:
    """List the versions, the newest first."""
    ruleset = ruleset_files.find(session, name)
    found = session.hub.pages(f"rulesets/{segment(ruleset['id'])}/versions", limit=1000)
    active = ruleset["active_version"]
    rows = [
        (
            one["version"],
            "active" if one["version"] == active else "",
            session.moment(one["published_at"]),
            one["published_by"],
            one["note"],
        )
        for one in found
    ]
    header = ("Version", "State", "Published", "By", "Note")
    session.show({"items": found}, lambda: session.screen.table(rows, header))


def enable(session: Session, name: Name) -> None:
    """Enable a ruleset: its rules are matched from now on."""
    _set_state(session, ruleset_files.find(session, name), "enabled")


def disable(session: Session, name: Name) -> None:
    """Disable a ruleset."""
    _set_state(session, ruleset_files.find(session, name), "disabled")


def shadow(session: Session, name: Name) -> None:
    """Let a ruleset be matched and traced, without anything being sent."""
    _set_state(session, ruleset_files.find(session, name), "shadow")


def copy(
    session: Session, name: Name, new: Annotated[str, typer.Argument(help="The copy's name.")]
) -> None:
    """Copy a ruleset; the copy is disabled, and what it holds is a draft."""
    ruleset = ruleset_files.find(session, name)
    made = session.hub.post(f"rulesets/{segment(ruleset['id'])}:duplicate", {"name": new})
    session.show(made, lambda: session.screen.done(f"Ruleset {new} is a copy of {name}"))


def order(
    session: Session,
    names: Annotated[list[str], typer.Argument(help="Names or ids; the others follow them.")],
) -> None:
    """Set the order in which rulesets are considered."""
    first = [ruleset_files.find(session, name)["id"] for name in names]
    every = [one["id"] for one in session.hub.pages("rulesets", limit=10_000)]
    ids = list(dict.fromkeys([*first, *every]))
    session.hub.call("PUT", "rulesets/order", body={"ids": ids})
    list_(session)


def delete(
    session: Session,
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a ruleset; its published versions are kept for the runs that name them."""
    ruleset = ruleset_files.find(session, name)
    if not yes and not typer.confirm(f"Delete ruleset {ruleset['name']}?"):
        raise Failed("Nothing was deleted.", "Answer y, or give --yes.", status=Status.FAILED)
    session.hub.delete(f"rulesets/{segment(ruleset['id'])}", name=ruleset["name"])
    gone = {"id": ruleset["id"], "deleted": True}
    session.show(gone, lambda: session.screen.done(f"Ruleset {ruleset['name']} deleted"))


def _differs(session: Session, ruleset: dict[str, Any]) -> bool:
    differs = not session.hub.get(f"rulesets/{segment(ruleset['id'])}/draft/diff")["is_empty"]
    if not differs:
        session.screen.skipped(f"Ruleset {ruleset['name']}: the active version says the same")
    return differs


def _publish(
    session: Session, ruleset: dict[str, Any], *, note: str, accept_warnings: bool
) -> dict[str, Any]:
    path = f"rulesets/{segment(ruleset['id'])}/draft:publish"
    body = {"note": note, "accept_warnings": accept_warnings}
    try:
        answer = session.hub.call("POST", path, body=body, headers={"If-Match": "*"})
    except Failed as failed:
        raise _told_how_to_accept(failed, ruleset["name"]) from failed
    made: dict[str, Any] = answer.body
    _warn(session, made["lint"])
    session.screen.done(f"Ruleset {ruleset['name']}: version {made['version']} is active")
    return made


def _checked(session: Session, ruleset: dict[str, Any]) -> dict[str, Any]:
    path = f"rulesets/{segment(ruleset['id'])}/draft:check"
    found: dict[str, Any] = session.hub.post(path)
    return found


def _warn(session: Session, findings: list[dict[str, Any]]) -> None:
    """Tell what the linter warns of, and which vendor could not be asked."""
    for one in findings:
        if one["severity"] == "warning" or one["code"] == "L102":
            session.screen.warn(f"{one['rule_name']}: {one['detail']}")


def _told_how_to_accept(failed: Failed, name: str) -> Failed:
    """Return a refusal for warnings with the option that accepts them; others as they are."""
    if "accept_warnings" not in failed.cause:
        return failed
    return Failed(
        failed.cause.replace("accept_warnings", "--accept-warnings"),
        f"Correct what is named above, or: hub ruleset publish {shlex.quote(name)} "
        "--accept-warnings",
        status=failed.status,
        details=failed.details,
    )


def _put(session: Session, given: dict[str, Any], *, changed: bool) -> None:
    if changed:
        session.screen.done(f"Ruleset {given['name']}: {ruleset_files.count(given)} in the draft")
    else:
        session.screen.done(f"Ruleset {given['name']}: nothing changes")


def _set_state(session: Session, ruleset: dict[str, Any], state: str) -> None:
    found = session.hub.change(f"rulesets/{segment(ruleset['id'])}", {"state": state})
    words = "in shadow" if state == "shadow" else state
    session.show(found, lambda: session.screen.done(f"Ruleset {ruleset['name']} is {words}"))


def _findings(session: Session, found: dict[str, Any]) -> None:
    for one in (*found["problems"], *found["lint"]):
        text = f"{one['pointer'] or '/'}: {one['detail']}"
        tell = {"warning": session.screen.warn, "info": session.screen.skipped}
        tell.get(one["severity"], session.screen.failed)(text)
    if found["publishable"]:
        session.screen.done("The working copy can be published")


def _lines(session: Session, lines: list[str]) -> None:
    for line in lines or ["No differences"]:
        session.screen.line(line)


def _version(ruleset: dict[str, Any]) -> str:
    return str(ruleset["active_version"] or "not published")


def _remarks(ruleset: dict[str, Any]) -> str:
    problems = len(ruleset["problems"])
    return f"{problems} problems: hub ruleset lint" if problems else ""
