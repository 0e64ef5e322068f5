"""The rulesets' part of the API: rulesets, their drafts and single rules."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from hub.http.actor import RulesCreate, RulesDelete, RulesEdit, RulesRead
from hub.http.etags import IfMatch, require_match, require_unraced, set_etag
from hub.http.paging import Page
from hub.rulesets import service, versions
from hub.rulesets.dependencies import Live, Named, Reading, Rule, RuleId, TheLists, Writing
from hub.rulesets.endpoints_history import router as history
from hub.rulesets.endpoints_operators import router as operators
from hub.rulesets.endpoints_templates import router as templates
from hub.rulesets.endpoints_trial import router as trial
from hub.rulesets.schemas import (
    Checked,
    CheckIn,
    DraftIn,
    DraftOut,
    MoveIn,
    NewName,
    Order,
    RulesetIn,
    RulesetOut,
    RulesetPatch,
)

router = APIRouter(tags=["rulesets"])
_LIST = "/api/v1/tenants/{tenant}/rulesets"
_ONE = _LIST + "/{ruleset}"
_DRAFT = _ONE + "/draft"
_RULES = _DRAFT + "/rules"
_RULE = _RULES + "/{rule}"
Place = Annotated[int | None, Query(ge=1, le=1001, description="Where, from 1; else at the end.")]


@router.get(_LIST, operation_id="list_rulesets")
async def list_rulesets(actor: RulesRead, reading: Reading) -> Page[RulesetOut]:
    """List all rulesets in the order in which they are considered."""
    work = reading(actor)
    await work.look_anew()
    return Page[RulesetOut](items=await service.listed(work))


@router.post(_LIST, operation_id="create_ruleset", status_code=201)
async def create_ruleset(
    actor: RulesCreate,
    writing: Writing,
    asked: RulesetIn,
    response: Response,
    unchecked: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> RulesetOut:
    """Create a ruleset: disabled, its rules as a draft. Faulty rules are refused, all at once.

    With `unchecked` they are kept as they are, to be finished later.
    """
    work = writing(actor)
    row = await service.create(work, asked, unchecked=unchecked)
    set_etag(response, row.row_version)
    return await service.shown(work, row)


@router.put(f"{_LIST}/order", operation_id="order_rulesets", status_code=204)
async def order_rulesets(actor: RulesEdit, writing: Writing, asked: Order) -> None:
    """Set the order in which rulesets are considered."""
    await service.order(writing(actor), asked)


router.include_router(history)
router.include_router(templates)
router.include_router(trial)
router.include_router(operators)


@router.post(_ONE + ":duplicate", operation_id="duplicate_ruleset", status_code=201)
async def duplicate_ruleset(
    actor: RulesCreate, writing: Writing, ruleset: Named, asked: NewName
) -> RulesetOut:
    """Copy a ruleset: the copy is disabled, its rules are a draft with ids of their own."""
    work = writing(actor)
    copy = await service.duplicate(work, await work.found(ruleset), asked.name)
    return await service.shown(work, copy)


@router.get(_ONE, operation_id="get_ruleset")
async def get_ruleset(
    actor: RulesRead, reading: Reading, ruleset: Named, response: Response
) -> RulesetOut:
    """Show a ruleset; its id or its name finds it."""
    work = reading(actor)
    await work.look_anew()
    row = await work.found(ruleset)
    set_etag(response, row.row_version)
    return await service.shown(work, row)


@router.patch(_ONE, operation_id="update_ruleset")
async def update_ruleset(
    actor: RulesEdit,
    writing: Writing,
    ruleset: Named,
    asked: RulesetPatch,
    response: Response,
    if_match: IfMatch = None,
) -> RulesetOut:
    """Change name, description or state: disabled, shadow (planned, never sent), enabled."""
    work = writing(actor)
    row = await work.found(ruleset)
    shown = (await service.shown(work, row)).model_dump(mode="json")
    require_unraced(if_match, row, shown, asked.model_dump(mode="json", exclude_unset=True))
    await service.change(work, row, asked)
    set_etag(response, row.row_version)
    return await service.shown(work, row)


@router.delete(_ONE, operation_id="delete_ruleset", status_code=204)
async def delete_ruleset(
    actor: RulesDelete,
    writing: Writing,
    ruleset: Named,
    name: Annotated[str, Query(max_length=200, description="The ruleset's name.")] = "",
    if_match: IfMatch = None,
) -> None:
    """Delete a ruleset, confirmed with its name; what it did stays explained."""
    work = writing(actor)
    row = await work.found(ruleset)
    require_match(if_match, row)
    await service.delete(work, row, name)


# --------------------------------------------------------------------------- the draft


def _answer(response: Response, draft: DraftOut) -> DraftOut:
    set_etag(response, draft.revision)
    return draft


@router.get(_DRAFT, operation_id="get_draft")
async def get_draft(
    actor: RulesRead, reading: Reading, ruleset: Named, response: Response
) -> DraftOut:
    """Show the working copy: the draft, else the active version."""
    work = reading(actor)
    return _answer(response, await versions.draft_of(work, await work.found(ruleset)))


@router.put(_DRAFT, operation_id="put_draft")
async def put_draft(
    actor: RulesEdit,
    writing: Writing,
    ruleset: Named,
    asked: DraftIn,
    unchecked: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    if_match: IfMatch = None,
) -> DraftOut:
    """Replace the working copy whole.

    When somebody else saved it meanwhile, the 409 has both versions and what differs.
    """
    work = writing(actor)
    row = await work.found(ruleset)
    return await versions.save_draft(work, row, asked.rules, if_match, unchecked=unchecked)


@router.delete(_DRAFT, operation_id="delete_draft", status_code=204)
async def delete_draft(
    actor: RulesEdit, writing: Writing, ruleset: Named, if_match: IfMatch = None
) -> None:
    """Forget the working copy: back to the active version."""
    work = writing(actor)
    await versions.drop_draft(work, await work.found(ruleset), if_match)


@router.post(_ONE + "/draft:check", operation_id="check_draft")
async def check_draft(
    actor: RulesRead,
    reading: Reading,
    lists: TheLists,
    ruleset: Named,
    asked: CheckIn | None = None,
    live: Live = True,  # noqa: FBT002 - a query parameter
) -> Checked:
    """Say everything that is wrong or odd with the draft, or with other rules; saves nothing.

    With `live` the vendors are asked whether their lists have what the rules name; one that
    does not answer is noted.
    """
    work = reading(actor)
    row = await work.found(ruleset)
    rules = asked.rules if asked else None
    return await versions.checked(work, row, rules, lists(actor) if live else None)


@router.get(_RULES, operation_id="list_rules")
async def list_rules(actor: RulesRead, reading: Reading, ruleset: Named) -> Page[dict[str, Any]]:
    """List the rules of the working copy in their order."""
    work = reading(actor)
    draft = await versions.draft_of(work, await work.found(ruleset))
    return Page[dict[str, Any]](items=draft.rules)


@router.post(_RULES, operation_id="add_rule", status_code=201)
async def add_rule(
    actor: RulesCreate,
    writing: Writing,
    ruleset: Named,
    rule: Rule,
    place: Place = None,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Add a rule to the working copy; answers the rule with its id."""
    work = writing(actor)
    row = await work.found(ruleset)
    _, rule_id = await versions.add_rule(work, row, rule, if_match, place)
    return await versions.rule_of(work, row, rule_id)


@router.post(_RULE + ":duplicate", operation_id="duplicate_rule", status_code=201)
async def duplicate_rule(
    actor: RulesCreate, writing: Writing, ruleset: Named, rule: RuleId, if_match: IfMatch = None
) -> dict[str, Any]:
    """Copy a rule behind itself; answers the copy."""
    work = writing(actor)
    row = await work.found(ruleset)
    _, copy = await versions.duplicate_rule(work, row, rule, if_match)
    return await versions.rule_of(work, row, copy)


@router.post(_RULE + ":move", operation_id="move_rule")
async def move_rule(
    actor: RulesEdit,
    writing: Writing,
    ruleset: Named,
    rule: RuleId,
    asked: MoveIn,
    if_match: IfMatch = None,
) -> DraftOut:
    """Move a rule to another place, or into another ruleset's draft; answers this draft."""
    work = writing(actor)
    row = await work.found(ruleset)
    target = row if asked.ruleset is None else await work.found(asked.ruleset)
    return await versions.move_rule(work, row, rule, if_match, (target, asked.place))


@router.get(_RULE, operation_id="get_rule")
async def get_rule(
    actor: RulesRead, reading: Reading, ruleset: Named, rule: RuleId, response: Response
) -> dict[str, Any]:
    """Show a rule of the working copy; the ETag is the draft's."""
    work = reading(actor)
    row = await work.found(ruleset)
    found = await versions.rule_of(work, row, rule)
    set_etag(response, (await versions.draft_of(work, row)).revision)
    return found


@router.put(_RULE, operation_id="put_rule")
async def put_rule(
    actor: RulesEdit,
    writing: Writing,
    ruleset: Named,
    rule: RuleId,
    asked: Rule,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Replace a rule of the working copy."""
    work = writing(actor)
    row = await work.found(ruleset)
    await versions.change_rule(work, row, rule, asked, if_match)
    return await versions.rule_of(work, row, rule)


@router.delete(_RULE, operation_id="delete_rule", status_code=204)
async def delete_rule(
    actor: RulesDelete, writing: Writing, ruleset: Named, rule: RuleId, if_match: IfMatch = None
) -> None:
    """Remove a rule from the working copy."""
    work = writing(actor)
    await versions.remove_rule(work, await work.found(ruleset), rule, if_match)
