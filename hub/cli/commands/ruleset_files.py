"""Rulesets as files, and the way of a file into the hub and back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.cli.client import segment
from hub.cli.commands import values
from hub.cli.failure import Failed, Status
from hub.cli.session import Session


def read(file: str) -> list[dict[str, Any]]:
    """Read a file with one ruleset, or with several under `rulesets`."""
    found = values.document(file if file == "-" else f"@{file}")
    listed = found.get("rulesets", [found]) if isinstance(found, Mapping) else found
    if not isinstance(listed, list) or not all(_is_ruleset(one) for one in listed):
        raise Failed(
            f"{file} holds no ruleset (an object with name and rules).",
            "hub ruleset list names what is there; hub ruleset show prints one as an example.",
        )
    if not listed:
        raise Failed(
            f"Nothing is in {file}: it lists no rulesets.",
            "hub ruleset list names what is there; hub ruleset show prints one as an example.",
        )
    return listed


def find(session: Session, name: str) -> dict[str, Any]:
    """Return the ruleset of that name or id; Failed (3) when there is none."""
    found: dict[str, Any] = session.hub.get(f"rulesets/{segment(name)}")
    return found


def put(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """Make the ruleset, or put it into the working copy of the one of that name."""
    there = _named(session, str(given["name"]))
    if there is None:
        made: dict[str, Any] = session.hub.post("rulesets", _whole(given))
        return made
    path = f"rulesets/{segment(there['id'])}"
    draft = {"format": given.get("format", 1), "rules": given["rules"]}
    session.hub.change(f"{path}/draft", draft, method="PUT")
    description = given.get("description", there["description"])
    if description != there["description"]:
        session.hub.change(path, {"description": description})
    return there


def body(session: Session, ruleset: Mapping[str, Any], *, draft: bool) -> dict[str, Any]:
    """Return a ruleset as it is written to a file."""
    path = f"rulesets/{segment(ruleset['id'])}"
    version = ruleset["active_version"]
    found = session.hub.get(
        f"{path}/draft" if draft or version is None else f"{path}/versions/{version}"
    )
    inner = found.get("body", found)
    return {
        "format": 1,
        "name": ruleset["name"],
        "description": ruleset["description"],
        "rules": inner["rules"],
    }


def plan(session: Session, listed: list[dict[str, Any]], *, publish: bool) -> list[str]:
    """Return in words what applying a file changes, of all its rulesets at once.

    Failed lists every fault of every ruleset, with its place in the file.
    """
    document = {"format": 1, "rulesets": [_stating(session, given) for given in listed]}
    query = {"plan": True, "publish": publish}
    try:
        plan = session.hub.call("POST", "rulesets/import", query=query, body=document).body
    except Failed as failed:
        if len(listed) > 1:
            raise
        details = [line.replace("/rulesets/0/", "/", 1) for line in failed.details]
        raise Failed(failed.cause, failed.fix, status=failed.status, details=details) from failed
    return [
        line
        for one in plan["rulesets"]
        if one["action"] != "unchanged"
        for line in (f"{one['name']}: {one['action']}", *_indented(one["words"]))
    ]


def _indented(words: Sequence[str]) -> Iterator[str]:
    for text in words:
        yield from (f"  {line}" for line in text.splitlines())


def _stating(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    there = _named(session, str(given["name"]))
    return {**_whole(given), "state": there["state"] if there else "disabled"}


def count(given: Mapping[str, Any]) -> str:
    """Return how many rules there are, in words."""
    rules = len(given["rules"])
    return "1 rule" if rules == 1 else f"{rules} rules"


def _named(session: Session, name: str) -> dict[str, Any] | None:
    try:
        return find(session, name)
    except Failed as failed:
        if failed.status is Status.NOT_FOUND:
            return None
        raise


def _whole(given: Mapping[str, Any]) -> dict[str, Any]:
    known = ("format", "name", "description", "rules")
    return {"format": 1} | {key: given[key] for key in known if key in given}


def _is_ruleset(one: object) -> bool:
    return isinstance(one, Mapping) and "name" in one and isinstance(one.get("rules"), list)
