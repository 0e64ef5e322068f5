"""Ruleset templates: what plugins offer, instances, upgrades."""

from typing import Annotated

from fastapi import APIRouter, Path

from hub.catalog.catalog import Catalog
from hub.http.actor import RulesCreate, RulesEdit, RulesRead
from hub.http.deps import TheCatalog
from hub.http.etags import IfMatch, require_match
from hub.http.paging import Page
from hub.rulesets import instantiate, service
from hub.rulesets.dependencies import Named, Reading, Writing
from hub.rulesets.schemas import RulesetOut
from hub.rulesets.schemas_template import InstanceIn, TemplateOut, Upgrade, UpgradeIn

router = APIRouter(tags=["rulesets"])
_HOME = "/api/v1/tenants/{tenant}"
Template = Annotated[str, Path(max_length=120, description="The template's name.")]


def _shown(name: str, catalog: Catalog) -> TemplateOut:
    template = catalog.templates[name]
    return TemplateOut(
        name=template.name,
        version=template.version,
        label=template.label,
        description=template.description,
        roles=dict(template.roles),
        params=template.params.model_json_schema(),
        value_maps={table: dict(rows) for table, rows in template.value_maps.items()},
        plugin=catalog.owner("templates", name),
    )


@router.get(f"{_HOME}/ruleset-templates", operation_id="list_ruleset_templates")
async def list_ruleset_templates(
    actor: RulesRead,  # noqa: ARG001 - names the permission
    catalog: TheCatalog,
) -> Page[TemplateOut]:
    """List the rulesets that plugins offer ready-made."""
    return Page[TemplateOut](items=[_shown(name, catalog) for name in catalog.templates])


@router.post(
    f"{_HOME}/ruleset-templates/{{template}}/instances",
    operation_id="create_ruleset_from_template",
    status_code=201,
)
async def create_ruleset_from_template(
    actor: RulesCreate, writing: Writing, template: Template, asked: InstanceIn
) -> RulesetOut:
    """Make an ordinary, editable ruleset of a template; its rules remember where they are from."""
    work = writing(actor)
    row = await instantiate.instantiate(work, template, asked)
    return await service.shown(work, row)


@router.get(
    f"{_HOME}/rulesets/{{ruleset}}/template-diff",
    operation_id="diff_template",
    responses={409: {"description": "The ruleset is not made from a template."}},
)
async def diff_template(actor: RulesRead, reading: Reading, ruleset: Named) -> Upgrade:
    """Say what the template's newest version would change, and which rules were edited."""
    work = reading(actor)
    return await instantiate.upgrade(work, await work.found(ruleset), UpgradeIn(), plan=True)


@router.post(f"{_HOME}/rulesets/{{ruleset}}:upgrade", operation_id="upgrade_ruleset")
async def upgrade_ruleset(
    actor: RulesEdit,
    writing: Writing,
    ruleset: Named,
    asked: UpgradeIn,
    plan: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    if_match: IfMatch = None,
) -> Upgrade:
    """Bring unedited rules up to the template, or to other parameters; the result is a draft.

    Edited rules are kept and shown beside what the template would have, unless their keys are
    given to be overwritten. With `plan` only the difference is told.
    """
    work = writing(actor)
    row = await work.found(ruleset)
    if not plan:
        require_match(if_match, row)
    return await instantiate.upgrade(work, row, asked, plan=plan)
