"""Rules as they lie in drafts and versions: JSON, with ids and places. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from hub.ids import NewId
from hub.rules.model import FORMAT, NewerFormat, Rule, content_digest, read_rule

RuleJson: TypeAlias = dict[str, Any]
Body: TypeAlias = dict[str, Any]
STEP: Final = 10


def id_of(rule: Mapping[str, Any]) -> str | None:
    """Return a rule's id; None where it has none, or none that can be one."""
    found = rule.get("id")
    return found if isinstance(found, str) else None


def name_of(rule: Mapping[str, Any]) -> str:
    """Return a rule's name as text, whatever was written there."""
    return str(rule.get("name", ""))


def empty_body() -> Body:
    """Return the body of a ruleset without rules."""
    return {"format": FORMAT, "rules": []}


def body_of(rules: Iterable[Mapping[str, Any]], new_id: NewId) -> Body:
    """Return a body: each rule with an id of its own, and its place as `position`."""
    taken: set[str] = set()
    made: list[RuleJson] = []
    for place, given in enumerate(rules):
        rule = deepcopy(dict(given))
        rule_id = id_of(rule)
        if rule_id is None or rule_id in taken:
            rule_id = rule["id"] = str(new_id())
        taken.add(rule_id)
        rule["position"] = (place + 1) * STEP
        made.append(rule)
    return {"format": FORMAT, "rules": made}


def rules_of(body: Mapping[str, Any]) -> list[RuleJson]:
    """Return a body's rules as JSON."""
    return list(body.get("rules", ()))


def checksum(body: Mapping[str, Any]) -> str:
    """Name a body's content; equal ones mean the same."""
    return content_digest({"format": body.get("format", FORMAT), "rules": rules_of(body)})


def readable(body: Mapping[str, Any]) -> tuple[list[Rule], dict[str, str]]:
    """Return a stored body's rules, and why others can't be read, by rule id."""
    rules: list[Rule] = []
    unreadable: dict[str, str] = {}
    for raw in rules_of(body):
        try:
            rules.append(read_rule(raw))
        except NewerFormat as error:
            unreadable[str(raw.get("id"))] = str(error)
        except ValidationError as error:
            first = error.errors()[0]
            place = "/".join(str(part) for part in first["loc"])
            unreadable[str(raw.get("id"))] = f"{place}: {first['msg']}"
    return rules, unreadable


def find_rule(rules: Sequence[RuleJson], rule_id: str) -> int | None:
    """Return the place of a rule, or None."""
    return next((at for at, one in enumerate(rules) if one.get("id") == rule_id), None)


def copied(rules: Iterable[Mapping[str, Any]], new_id: NewId) -> list[RuleJson]:
    """Return rules as copies: with new ids, no longer bound to a template."""
    copies = []
    for one in rules:
        copy = deepcopy(dict(one))
        copy["id"] = str(new_id())
        copy.pop("from_template", None)
        copies.append(copy)
    return copies


def marked_edited(before: Sequence[RuleJson], after: Sequence[RuleJson]) -> list[RuleJson]:
    """Return `after`, with rules of a template that differ from `before` marked as edited."""
    known = {str(one.get("id")): one for one in before}
    return [_marked(known.get(str(one.get("id"))), one) for one in after]


def _marked(before: RuleJson | None, after: RuleJson) -> RuleJson:
    origin = after.get("from_template")
    if before is None or not isinstance(origin, dict) or meaning(before) == meaning(after):
        return after
    return after | {"from_template": origin | {"edited": True}}


def meaning(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rule says, without its id, its place and where it came from."""
    apart = {"id", "position", "from_template"}
    return {name: value for name, value in rule.items() if name not in apart}


def named_alike(before: Sequence[RuleJson], given: Sequence[Mapping[str, Any]]) -> list[RuleJson]:
    """Return given rules, those without an id with that of the kept rule of the same name."""
    used = {id_of(one) for one in given}
    free: dict[str, list[str | None]] = {}
    for kept in before:
        if id_of(kept) not in used:
            free.setdefault(name_of(kept), []).append(id_of(kept))
    named = []
    for one in given:
        rule = deepcopy(dict(one))
        if not id_of(rule) and free.get(name_of(rule)):
            rule["id"] = free[name_of(rule)].pop(0)
        named.append(rule)
    return named
