"""Publishing, versions, differences; export and import."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from hub.http.actor import RulesEdit, RulesRead
from hub.http.etags import IfMatch
from hub.http.paging import Page, PageQuery
from hub.ids import no_cursor
from hub.rulesets import comparing, exchange, versions
from hub.rulesets.bodies import RuleJson, rules_of
from hub.rulesets.dependencies import STORABLE, Live, Named, Reading, Writing, asked_lists
from hub.rulesets.documents import read_document, to_json, to_yaml
from hub.rulesets.live import LiveLists
from hub.rulesets.schemas import (
    DiffOut,
    ImportPlan,
    NoteIn,
    Published,
    PublishIn,
    RulesetsDocument,
    VersionOut,
    VersionWhole,
)
from hub.rulesets.work import Work

router = APIRouter(tags=["rulesets"])
_LIST = "/api/v1/tenants/{tenant}/rulesets"
_ONE = _LIST + "/{ruleset}"
_VERSION = _ONE + "/versions/{version}"
YAML = "application/yaml"
Storable = Annotated[str, StringConstraints(max_length=200, pattern=STORABLE)]
Version = Annotated[int, Path(ge=1, le=1_000_000_000)]
_DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            YAML: {"schema": {"type": "object"}},
        },
    }
}
_WRITTEN = {"$ref": "#/components/schemas/RulesetsDocument"}


class ImportQuery(BaseModel):
    """How an import is meant."""

    plan: bool = Field(default=False, description="Only tell what would change.")
    publish: bool = Field(default=True, description="Publish what changed, not only draft it.")
    states: bool = Field(default=False, description="Take the document's states too.")
    accept_warnings: bool = Field(default=True, description="Publish despite lint warnings.")
    note: str = Field(default="", max_length=2000)
    live: bool = Field(default=True, description="Ask the vendors' lists, if it publishes.")

    def chosen(self, lists: LiveLists | None) -> exchange.Options:
        """Return the options of the import."""
        return exchange.Options(**self.model_dump(exclude={"live"}), lists=lists)


async def _document(request: Request) -> RulesetsDocument:
    return read_document(await request.body(), request.headers.get("content-type", ""))


async def _before_import(
    request: Request,
    actor: RulesEdit,
    options: Annotated[ImportQuery, Query()],
) -> LiveLists | None:
    if not (options.live and options.publish):
        return None

    async def rules(_: Work) -> list[RuleJson]:
        document = await _document(request)
        return [dict(rule) for one in document.rulesets for rule in one.rules]

    return await asked_lists(request, actor, rules)


async def _before_publishing(
    request: Request,
    actor: RulesEdit,
    ruleset: Named,
    live: Live = True,  # noqa: FBT002 - a query parameter
) -> LiveLists | None:
    async def rules(work: Work) -> list[RuleJson]:
        return rules_of(await work.body(await work.found(ruleset)))

    return await asked_lists(request, actor, rules) if live else None


@router.get(
    f"{_LIST}/export",
    operation_id="export_rulesets",
    response_model=None,
    responses={200: {"model": RulesetsDocument, "content": {YAML: {"schema": _WRITTEN}}}},
)
async def export_rulesets(
    actor: RulesRead,
    reading: Reading,
    ruleset: Annotated[
        list[Storable] | None, Query(description="Ids or names; none = all.")
    ] = None,
    format: Literal["json", "yaml"] = "json",
    draft: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> Response:
    """Write rulesets as an import takes them: the active versions, or with `draft` the drafts."""
    document = await exchange.exported(reading(actor), ruleset or [], draft=draft)
    if format == "yaml":
        return Response(to_yaml(document), media_type=YAML)
    return Response(to_json(document), media_type="application/json")


@router.post(f"{_LIST}/import", operation_id="import_rulesets", openapi_extra=_DOCUMENT)
async def import_rulesets(
    actor: RulesEdit,
    lists: Annotated[LiveLists | None, Depends(_before_import)],
    writing: Writing,
    request: Request,
    options: Annotated[ImportQuery, Query()],
) -> ImportPlan:
    """Make the rulesets what the document says; with `plan` only tell the difference.

    Nothing is applied when any rule is wrong: all faults are listed. New rulesets are disabled
    unless `states` says to take the document's states. The same document twice changes nothing.
    """
    document = await _document(request)
    return await exchange.take_in(writing(actor), document, options.chosen(lists))


@router.post(_ONE + "/draft:publish", operation_id="publish_draft")
async def publish_draft(
    actor: RulesEdit,
    lists: Annotated[LiveLists | None, Depends(_before_publishing)],
    writing: Writing,
    ruleset: Named,
    asked: PublishIn | None = None,
    if_match: IfMatch = None,
) -> Published:
    """Make the draft a new, immutable version and the active one.

    422 lists what is wrong; 409 what the linter blocks, or warns of and was not accepted. With
    `live` the vendors are asked whether their lists have what the rules name.
    """
    work = writing(actor)
    row = await work.found(ruleset)
    version, number = await versions.publish(work, row, asked or PublishIn(), if_match, lists)
    return Published(**versions.show_version(row, version), rules_version=number)


@router.get(_ONE + "/versions", operation_id="list_versions")
async def list_versions(
    actor: RulesRead, reading: Reading, ruleset: Named, page: PageQuery
) -> Page[VersionOut]:
    """List published versions, the newest first."""
    work = reading(actor)
    row = await work.found(ruleset)
    if page.cursor and not (page.cursor.isascii() and page.cursor.isdigit()):
        raise no_cursor(page.cursor)
    before = int(page.cursor[:18]) if page.cursor else None
    found = await work.versions.history(row.id, before, page.limit + 1)
    shown = [VersionOut(**versions.show_version(row, one)) for one in found[: page.limit]]
    more = str(shown[-1].version) if len(found) > page.limit else None
    return Page[VersionOut](items=shown, next=more)


@router.get(_VERSION, operation_id="get_version")
async def get_version(
    actor: RulesRead, reading: Reading, ruleset: Named, version: Version
) -> VersionWhole:
    """Show a version with its rules, in JSON and in words."""
    work = reading(actor)
    row = await work.found(ruleset)
    found = await versions.version_of(work, row, version)
    return VersionWhole(
        **versions.show_version(row, found),
        body=found.body,
        words=await versions.said(work, rules_of(found.body)),
    )


@router.get(_VERSION + "/diff", operation_id="diff_versions")
async def diff_versions(
    actor: RulesRead,
    reading: Reading,
    ruleset: Named,
    version: Version,
    against: Annotated[
        str, Query(alias="with", max_length=20, description="A version, `draft` or `active`.")
    ] = "draft",
) -> DiffOut:
    """Say what turns a version into another one, or into the draft: in words and in JSON."""
    work = reading(actor)
    return await comparing.compared(work, await work.found(ruleset), str(version), against)


@router.get(_ONE + "/draft/diff", operation_id="diff_draft")
async def diff_draft(actor: RulesRead, reading: Reading, ruleset: Named) -> DiffOut:
    """Say what publishing the draft would change."""
    work = reading(actor)
    return await comparing.compared(work, await work.found(ruleset), "active", "draft")


@router.post(_VERSION + ":activate", operation_id="activate_version")
async def activate_version(
    actor: RulesEdit,
    writing: Writing,
    ruleset: Named,
    version: Version,
    asked: NoteIn | None = None,
) -> Published:
    """Roll back, or forward: make a published version the active one."""
    work = writing(actor)
    row = await work.found(ruleset)
    note = asked.note if asked else ""
    found, number = await versions.activate(work, row, version, note)
    return Published(**versions.show_version(row, found), rules_version=number)
