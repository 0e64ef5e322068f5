"""What people do with rulesets: create, name, order, enable, copy, delete, look at."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.db.conflicts import taken
from hub.errors import Conflict, Fault, Invalid
from hub.ids import new_id
from hub.rules.check import MAX_RULES
from hub.rulesets.bodies import body_of, copied, rules_of
from hub.rulesets.models import Ruleset, RulesetDraft, RulesetVersion
from hub.rulesets.schemas import FromTemplateOut, Order, RulesetIn, RulesetOut, RulesetPatch
from hub.rulesets.work import Work, writes_to

MAX_RULESETS: Final = 500
_DONE: Final = {
    "disabled": "ruleset disabled",
    "shadow": "ruleset set to shadow",
    "enabled": "ruleset enabled",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A ruleset with what is shown beside it."""

    row: Ruleset
    active: RulesetVersion | None
    draft: RulesetDraft | None


async def listed(work: Work) -> list[RulesetOut]:
    """Return all rulesets in their order."""
    versions = await work.versions.active()
    drafts = await work.drafts.all()
    return [
        show(Shown(row, versions.get(row.id), drafts.get(row.id)), work)
        for row in await work.rulesets.in_order()
    ]


async def shown(work: Work, row: Ruleset) -> RulesetOut:
    """Return one ruleset."""
    return show(Shown(row, await work.active(row), await work.drafts.of(row.id)), work)


def show(seen: Shown, work: Work) -> RulesetOut:
    """Return a ruleset as the API shows it."""
    row, draft = seen.row, seen.draft
    active = seen.active.body if seen.active else {}
    edited = draft.body if draft else active
    return RulesetOut(
        id=row.id,
        name=row.name,
        description=row.description,
        state=row.state,
        position=row.position,
        active_version=row.active_version,
        rules=len(rules_of(active)),
        has_draft=draft is not None,
        draft_rules=len(rules_of(edited)),
        draft_revision=draft.revision if draft else row.draft_revision,
        draft_edited_by=draft.edited_by if draft else None,
        draft_edited_at=draft.edited_at if draft else None,
        writes_to=writes_to(active or edited),
        problems=list(row.problems),
        template=_template(row, work),
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        etag=f'"{row.row_version}"',
    )


def _template(row: Ruleset, work: Work) -> FromTemplateOut | None:
    if row.template is None or row.template_version is None:
        return None
    newest = work.catalog.templates.get(row.template)
    kept: Mapping[str, Any] = row.template_params or {}
    return FromTemplateOut(
        template=row.template,
        version=row.template_version,
        newest=newest.version if newest else None,
        params=kept.get("params", {}),
        roles=kept.get("roles", {}),
    )


async def create(work: Work, asked: RulesetIn, *, unchecked: bool = False) -> Ruleset:
    """Add a disabled ruleset whose rules are its draft; RulesetInvalid lists all faults."""
    if not unchecked:
        await work.refuse_wrong(asked.rules)
    row = await added(work, asked.name, asked.description)
    if asked.rules:
        await put_draft(work, row, asked.rules)
    await work.tell(row, "ruleset created", None, {"rules": len(asked.rules)})
    return row


async def added(
    work: Work, name: str, description: str, *, key: uuid.UUID | None = None
) -> Ruleset:
    """Add an empty, disabled ruleset at the end; Conflict when the name is taken."""
    if await work.rulesets.count() >= MAX_RULESETS:
        text = f"A tenant has at most {MAX_RULESETS} rulesets."
        raise Invalid(text, errors=[Fault("", text, "limit.rules")])
    if await work.rulesets.find_named(name) is not None:
        raise Conflict(f"There is a ruleset {name!r} already.")
    row = Ruleset(
        id=key or new_id(),
        name=name,
        description=description,
        state="disabled",
        position=await work.rulesets.next_position(),
        created_by=work.actor.name,
        updated_by=work.actor.name,
    )
    work.rulesets.add(row)
    with taken(f"There is a ruleset {name!r} already."):
        await work.session.flush()
    return row


async def put_draft(work: Work, row: Ruleset, rules: Sequence[Any]) -> RulesetDraft:
    """Write the working copy; the revision rises by one."""
    if len(rules) > MAX_RULES:
        text = f"At most {MAX_RULES:,} rules in a ruleset."
        raise Invalid(text, errors=[Fault("/rules", text, "limit.rules")])
    draft = await work.drafts.of(row.id)
    body = body_of(rules, new_id)
    row.draft_revision += 1
    if draft is None:
        draft = RulesetDraft(ruleset_id=row.id, based_on_version=row.active_version)
        work.drafts.add(draft)
    draft.body, draft.revision = body, row.draft_revision
    draft.edited_by, draft.edited_at = work.actor.name, work.clock()
    await work.session.flush()
    return draft


async def change(work: Work, row: Ruleset, asked: RulesetPatch) -> None:
    """Change name, description or state; enabling needs a published version."""
    before = _facts(row)
    if asked.name is not None and asked.name != row.name:
        if await work.rulesets.find_named(asked.name) is not None:
            raise Conflict(f"There is a ruleset {asked.name!r} already.")
        row.name = asked.name
    if asked.description is not None:
        row.description = asked.description
    done = "ruleset updated"
    if asked.state is not None and asked.state != row.state:
        _require_version(row, asked.state)
        row.state = asked.state
        done = _DONE[asked.state]
    after = _facts(row)
    if before == after:
        return
    with taken(f"There is a ruleset {row.name!r} already."):
        await work.changed(row, matters=row.active_version is not None)
    await work.tell(row, done, before, after)


def _facts(row: Ruleset) -> dict[str, Any]:
    return {"name": row.name, "description": row.description, "state": row.state}


def _require_version(row: Ruleset, state: str) -> None:
    if state != "disabled" and row.active_version is None:
        raise Conflict("Nothing is published yet: publish the draft first.")


async def order(work: Work, asked: Order) -> None:
    """Put the rulesets in this order; Conflict when the list is not exactly they."""
    rows = list(await work.rulesets.in_order())
    if sorted(row.id for row in rows) != sorted(asked.ids):
        raise Conflict("The list does not name each ruleset once; read it again.")
    place = {key: 10 * (at + 1) for at, key in enumerate(asked.ids)}
    moved = [row for row in rows if row.position != place[row.id]]
    if not moved:
        return
    version = await work.plans.bump(work.session, work.tenant)
    for row in moved:
        row.position = place[row.id]
        row.changed_version = version
    await work.session.flush()
    await work.tell(moved[0], "rulesets ordered", None, {"order": [str(one) for one in asked.ids]})


async def duplicate(work: Work, row: Ruleset, name: str) -> Ruleset:
    """Copy a ruleset: a new, disabled one, whose draft has the rules with ids of their own."""
    rules = rules_of(await work.body(row))
    copy = await added(work, name, row.description)
    await put_draft(work, copy, copied(rules, new_id))
    await work.tell(copy, "ruleset created", None, {"copy_of": row.name})
    return copy


async def delete(work: Work, row: Ruleset, confirm: str) -> None:
    """Delete a ruleset; its versions stay for the runs that name them."""
    if confirm != row.name:
        text = f"To delete the ruleset, confirm with its name: {row.name!r}."
        raise Invalid(text, errors=[Fault("/name", text, "confirm")])
    before = _facts(row)
    if row.active_version is not None:
        await work.plans.bump(work.session, work.tenant)
    await work.tell(row, "ruleset deleted", before, None)
    draft = await work.drafts.of(row.id)
    if draft is not None:
        await work.drafts.remove(draft)
        await work.session.flush()
    await work.rulesets.remove(row)
