"""Ruleset templates made into ordinary rules, and brought up to date without losing edits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from hub.errors import Conflict, Fault, Invalid, NotFound
from hub.http.faults import pointer_of
from hub.rules import Problem
from hub.rulesets import comparing, service, versions
from hub.rulesets.bodies import RuleJson, meaning, rules_of
from hub.rulesets.diff import Diff, diff
from hub.rulesets.models import Ruleset
from hub.rulesets.repository import ensure_value_map
from hub.rulesets.schemas import PublishIn, RulesetPatch
from hub.rulesets.schemas_template import EditedRule, InstanceIn, Upgrade, UpgradeIn
from hub.rulesets.words import rule_in_words
from hub.rulesets.work import Work, refuse
from hub.sdk.templates import RulesetTemplate


def template_named(work: Work, name: str) -> RulesetTemplate[Any]:
    """Return a template; NotFound when no plugin offers it."""
    template = work.catalog.templates.get(name)
    if template is None:
        raise NotFound(f"No plugin offers a ruleset template {name!r}.")
    return template


async def instantiate(work: Work, name: str, asked: InstanceIn) -> Ruleset:
    """Make a ruleset of a template: published, disabled unless `enable` asks for more.

    Tables that the template brings are made where they do not exist yet.
    """
    template = template_named(work, name)
    await _refuse_roles(work, template, asked.roles)
    params = _params(template, asked.params, "/params")
    await _ensure_tables(work, template)
    rules = built(template, params, asked.roles)
    refuse([_in_template(one) for one in await work.problems(rules)])
    row = await service.added(work, asked.name or template.label, template.description)
    _remember(row, template, params, asked.roles)
    draft = await service.put_draft(work, row, rules)
    about = {"template": template.name, "version": template.version, "enabled": asked.enable}
    await work.tell(row, "ruleset created from template", None, about)
    if asked.publish or asked.enable:
        note = PublishIn(note=f"From template {template.label}", accept_warnings=True)
        await versions.publish_body(work, row, draft, note)
    if asked.enable:
        await service.change(work, row, RulesetPatch(state="enabled"))
    return row


async def _ensure_tables(work: Work, template: RulesetTemplate[Any]) -> None:
    """Make the tables that the template brings, where there are none of their names."""
    made = [
        await ensure_value_map(work.session, work.tenant, table, work.actor.name)
        for table in template.value_maps.items()
    ]
    if any(made):
        await work.plans.bump(work.session, work.tenant)
        work.forget_schema()


def _in_template(problem: Problem) -> Problem:
    """Say that a fault is the template's, or that of what it was given."""
    return Problem(
        pointer="/params",
        code=problem.code,
        message=f"The template's rule {problem.pointer}: {problem.message}",
        severity=problem.severity,
    )


async def _refuse_roles(
    work: Work, template: RulesetTemplate[Any], roles: Mapping[str, str]
) -> None:
    known = (await work.schema()).connectors
    faults = [
        Fault(pointer_of(["roles", role]), f"needs a {kind} connector", "role.missing")
        for role, kind in template.roles.items()
        if role not in roles
    ]
    for role, connector in roles.items():
        wanted = template.roles.get(role)
        at = pointer_of(["roles", role])
        if wanted is None:
            shown = ", ".join(template.roles)
            faults.append(Fault(at, f"No role {role!r}. Roles: {shown}.", "role.unknown"))
        elif connector not in known:
            faults.append(Fault(at, f"No connector {connector!r}.", "connector.unknown"))
        elif known[connector] != wanted:
            text = f"{connector!r} is not a {wanted} connector."
            faults.append(Fault(at, text, "connector.type"))
    if faults:
        raise Invalid("The template's roles can't be filled like this.", errors=faults)


def _params(template: RulesetTemplate[Any], given: Mapping[str, Any], at: str) -> BaseModel:
    try:
        params: BaseModel = template.params.model_validate(dict(given))
    except ValidationError as error:
        faults = [
            Fault(
                at + pointer_of(one["loc"]), one["msg"].removeprefix("Value error, "), one["type"]
            )
            for one in error.errors(include_url=False)
        ]
        raise Invalid("The template's parameters can't be used.", errors=faults) from error
    strangers = [name for name in given if name not in template.params.model_fields]
    if strangers:
        faults = [Fault(at + pointer_of([one]), "unknown parameter") for one in strangers]
        raise Invalid("The template's parameters can't be used.", errors=faults)
    return params


def built(
    template: RulesetTemplate[Any], params: BaseModel, roles: Mapping[str, str]
) -> list[RuleJson]:
    """Return the template's rules; each remembers where it is from."""
    made = []
    for one in template.build(params, roles):
        rule = {name: value for name, value in one.items() if name != "key"}
        origin = {"template": template.name, "version": template.version, "key": one["key"]}
        made.append(rule | {"from_template": origin})
    return made


def _remember(
    row: Ruleset, template: RulesetTemplate[Any], params: BaseModel, roles: Mapping[str, str]
) -> None:
    row.template, row.template_version = template.name, template.version
    row.template_params = {"params": params.model_dump(mode="json"), "roles": dict(roles)}


@dataclass(slots=True)
class Renewal:
    """What bringing rules up to their template does; edited ones stay unless it is asked for."""

    rules: list[RuleJson] = field(default_factory=list)
    kept: list[tuple[RuleJson, RuleJson | None]] = field(default_factory=list)
    """(rule as it is edited, what the template would have)"""


def renewed(
    before: Sequence[RuleJson], wanted: Sequence[RuleJson], overwrite: frozenset[str]
) -> Renewal:
    """Bring rules up to a template by their keys; rules by hand stay as they are. Pure."""
    by_key = {one["from_template"]["key"]: one for one in wanted}
    found = Renewal()
    there: set[str] = set()
    for rule in before:
        origin = rule.get("from_template")
        key = origin.get("key") if isinstance(origin, Mapping) else None
        if key is None:
            found.rules.append(rule)
            continue
        there.add(key)
        _renew(found, rule, by_key.get(key), key in overwrite)
    found.rules += [one for key, one in by_key.items() if key not in there]
    return found


def _renew(found: Renewal, rule: RuleJson, new: RuleJson | None, overwrite: bool) -> None:  # noqa: FBT001 - of one rule
    edited = bool(rule["from_template"].get("edited")) and not overwrite
    if edited and (new is None or meaning(new) != meaning(rule)):
        found.kept.append((rule, new))
        found.rules.append(rule)
    elif new is not None:
        found.rules.append({**new, "id": rule.get("id")})


async def upgrade(work: Work, row: Ruleset, asked: UpgradeIn, *, plan: bool) -> Upgrade:
    """Bring a ruleset up to its template's newest version, or to other parameters.

    With `plan` only the difference is told. Edited rules are kept, and shown with what the
    template would have, unless `overwrite` names their keys. The result is a draft.
    """
    if row.template is None:
        raise Conflict("The ruleset was not made of a template.")
    template = template_named(work, row.template)
    kept: Mapping[str, Any] = row.template_params or {}
    roles = asked.roles if asked.roles is not None else kept.get("roles", {})
    await _refuse_roles(work, template, roles)
    params = _params(template, {**kept.get("params", {}), **(asked.params or {})}, "/params")
    before = rules_of(await work.body(row))
    if not plan:
        await _ensure_tables(work, template)
    found = renewed(before, built(template, params, roles), frozenset(asked.overwrite))
    refuse([_in_template(one) for one in await work.problems(found.rules)])
    schema = await work.schema()
    difference = diff(before, found.rules, lambda rule: rule_in_words(rule, schema))
    if not plan:
        await _apply(work, row, (template, params, roles), (found, difference))
    return Upgrade(
        applied=not plan,
        template=template.name,
        before_version=row.template_version or 0,
        version=template.version,
        words=[one.line for one in difference.rules if _matters(one.changes)],
        edited=[_edited(rule, new, schema) for rule, new in found.kept],
        difference=comparing.diff_out(difference, "now", "template"),
    )


def _matters(changes: Sequence[Any]) -> bool:
    """Whether more differs than the template's version that a rule remembers."""
    return not changes or any(not one.pointer.startswith("/from_template") for one in changes)


async def _apply(
    work: Work,
    row: Ruleset,
    made_of: tuple[RulesetTemplate[Any], BaseModel, Mapping[str, str]],
    result: tuple[Renewal, Diff],
) -> None:
    template, params, roles = made_of
    found, difference = result
    before = {"template_version": row.template_version, "params": row.template_params}
    _remember(row, template, params, roles)
    if not difference.is_empty:
        await service.put_draft(work, row, found.rules)
    await work.changed(row, matters=False)
    after = {"template_version": template.version, "params": row.template_params}
    await work.tell(row, "ruleset brought up to its template", before, after)


def _edited(rule: RuleJson, new: RuleJson | None, schema: Any) -> EditedRule:  # noqa: ANN401 - a Schema
    return EditedRule(
        rule=str(rule.get("id")),
        name=str(rule.get("name")),
        key=str(rule["from_template"]["key"]),
        words=rule_in_words(rule, schema),
        template_words=rule_in_words(new, schema) if new is not None else None,
    )
