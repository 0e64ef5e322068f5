"""Rulesets as files, and the way of a file into the hub and back."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

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
            "hub ruleset show NAME prints one as an example.",
        )
    return listed


def find(session: Session, name: str) -> dict[str, Any]:
    """Return the ruleset of that name or id; Failed (3) when there is none."""
    found = _named(session, name)
    if found is None:
        raise Failed(
            f"There is no ruleset {name!r}.",
            "hub ruleset list shows their names.",
            status=Status.NOT_FOUND,
        )
    return found


def put(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """Make the ruleset, or put it into the working copy of the one of that name."""
    there = _named(session, str(given["name"]))
    if there is None:
        made: dict[str, Any] = session.hub.post("rulesets", given)
        return made
    path = f"rulesets/{segment(there['id'])}/draft"
    session.hub.call("PUT", path, body=_draft(given), headers={"If-Match": "*"})
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


def diff(session: Session, given: dict[str, Any]) -> Iterator[str]:
    """Yield how a file differs from the active version, as lines with + and -."""
    there = _named(session, str(given["name"]))
    before = body(session, there, draft=False) if there else {}
    yield from difflib.unified_diff(
        _lines(before), _lines(_like(given, before)), "active", "file", lineterm="", n=2
    )


def count(given: Mapping[str, Any]) -> str:
    """Return how many rules there are, in words."""
    rules = len(given["rules"])
    return "1 rule" if rules == 1 else f"{rules} rules"


def _named(session: Session, name: str) -> dict[str, Any] | None:
    listed = session.hub.pages("rulesets", limit=10_000)
    return next((one for one in listed if name in (one["name"], one["id"])), None)


def _draft(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in ("id", "state")}


def _like(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    ids = {one["name"]: one for one in before.get("rules", ())}
    rules = [_same_made(rule, ids.get(rule.get("name"), {})) for rule in given["rules"]]
    return {
        "format": 1,
        "name": given["name"],
        "description": given.get("description", ""),
        "rules": rules,
    }


def _same_made(rule: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule with what the hub has added to the one that is there."""
    added = {key: there[key] for key in ("id", "position") if key in there and key not in rule}
    defaults = {key: there[key] for key in there if key not in rule and there[key] in _DEFAULTS}
    return {**rule, **added, **defaults}


_DEFAULTS: tuple[object, ...] = (None, "", [], {}, True, False, "every_time", "continue")


def _lines(found: Mapping[str, Any]) -> list[str]:
    return yaml.safe_dump(found, sort_keys=True, allow_unicode=True, width=100).splitlines()


def _is_ruleset(one: object) -> bool:
    return isinstance(one, Mapping) and "name" in one and isinstance(one.get("rules"), list)
