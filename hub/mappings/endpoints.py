"""The mappings' part of the API: service mappings and value maps."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response

from hub.connectors.calls import answered
from hub.errors import BadRequest, ConnectorBroken
from hub.http.actor import Actor, RulesCreate, RulesDelete, RulesEdit, RulesRead
from hub.http.deps import ReadSession, TheCatalog, WriteSession
from hub.http.etags import IfMatch, etag_of, require_match, require_unraced, set_etag
from hub.mappings.dependencies import Asked, AskedChange, Doubted
from hub.mappings.document import from_csv, from_json, to_csv
from hub.mappings.models import ValueMap
from hub.mappings.precedence import Resolution
from hub.mappings.rows import shown_of
from hub.mappings.schemas import (
    ImportPlan,
    MapName,
    MappingOrder,
    MappingsDocument,
    NamedValueMap,
    ServiceMappingOut,
    TriedMapping,
    TriedValueMap,
    TryMapping,
    TryValueMap,
    ValueMapIn,
    ValueMapOut,
    ValueMapsDocument,
    ValueMapsPlan,
)
from hub.mappings.service import Mappings
from hub.mappings.value_maps import RulesVersion, Tables

if TYPE_CHECKING:
    from hub.mappings.resolve import Resolver

router = APIRouter(prefix="/api/v1/tenants/{tenant}")
CSV = "text/csv"
RequiredConnector = Annotated[str, Query(max_length=63, pattern=r"^[^\x00]*$")]
Connector = Annotated[
    str | None, Query(max_length=63, pattern=r"^[^\x00]*$", description="Only of this connector.")
]
_LISTED = 10_000


def the_rules_version(request: Request) -> RulesVersion:
    """Return what tells the processes of changed rules."""
    plans: RulesVersion = request.app.state.plans
    return plans


TheRulesVersion = Annotated[RulesVersion, Depends(the_rules_version)]


Work: TypeAlias = Callable[[Actor], Mappings]


def _reading(session: ReadSession, catalog: TheCatalog) -> Work:
    return lambda actor: Mappings(session, actor, catalog)


def _writing(session: WriteSession, catalog: TheCatalog) -> Work:
    return lambda actor: Mappings(session, actor, catalog)


Reading = Annotated[Work, Depends(_reading)]
Writing = Annotated[Work, Depends(_writing)]


def _writing_tables(session: WriteSession) -> Callable[[Actor], Tables]:
    return lambda actor: Tables(session, actor)


WritingTables = Annotated[Callable[[Actor], Tables], Depends(_writing_tables)]


@router.get("/service-mappings", operation_id="list_service_mappings", tags=["mappings"])
async def list_service_mappings(
    actor: RulesRead,
    reading: Reading,
    connector: Connector = None,
    object: Annotated[str | None, Query(max_length=200)] = None,
    direction: Literal["outbound", "inbound"] | None = None,
) -> list[ServiceMappingOut]:
    """List rows in the order in which they are searched, each connector's default row last."""
    work = reading(actor)
    listed = await work.listed(connector, object, direction)
    return [shown_of(row, name, work.catalog, flags) for row, name, flags in listed]


@router.post(
    "/service-mappings",
    operation_id="create_service_mapping",
    status_code=201,
    tags=["mappings"],
)
async def create_service_mapping(
    actor: RulesCreate,
    asked: Asked,
    writing: Writing,
    response: Response,
) -> ServiceMappingOut:
    """Map a value (or a whole object, or everything else) to a service.

    The flags say what the vendors' lists don't have; the row is made all the same.
    """
    work = writing(actor)
    row, connector = await work.create(asked.row)
    set_etag(response, row.row_version)
    return shown_of(row, connector, work.catalog, asked.flags)


@router.put(
    "/service-mappings/order",
    operation_id="order_service_mappings",
    status_code=204,
    tags=["mappings"],
)
async def order_service_mappings(actor: RulesEdit, writing: Writing, asked: MappingOrder) -> None:
    """Set the order in which a connector's rows are searched."""
    await writing(actor).order(asked)


@router.post("/service-mappings/resolve", operation_id="resolve_service_mapping", tags=["mappings"])
async def resolve_service_mapping(
    actor: RulesRead, reading: Reading, request: Request, asked: TryMapping
) -> TriedMapping:
    """Try a value: which row wins, and why. Vendors are asked only with `ask_vendors`."""
    work = reading(actor)
    resolver: Resolver | None = getattr(request.app.state, "resolver", None)
    if asked.ask_vendors and resolver is not None:
        async with answered(asked.connector):
            return _tried(await work.resolved(asked, resolver), [])
    found = await work.tried(asked)
    return _tried(found, work.unasked(asked.object))


@router.post("/service-mappings:check", operation_id="check_service_mappings", tags=["mappings"])
async def check_service_mappings(
    actor: RulesRead, reading: Reading, request: Request, connector: RequiredConnector
) -> list[ServiceMappingOut]:
    """Ask the vendor for its services, and answer the rows whose service is not there any more."""
    clients = getattr(request.app.state, "clients", None)
    if clients is None:
        raise ConnectorBroken("This process opens no connectors.")
    work = reading(actor)
    found = await work.dead(connector, clients)
    return [shown_of(row, connector, work.catalog, ["dead"]) for row in found]


def _tried(found: Resolution, before: list[str]) -> TriedMapping:
    return TriedMapping(
        service=found.service_id,
        service_name=found.service_name,
        by=found.by,
        row=found.row_id,
        row_name=found.row_name,
        fields=dict(found.fields),
        nearest=found.nearest,
        steps=[*before, *found.steps],
    )


@router.get(
    "/service-mappings/export",
    operation_id="export_service_mappings",
    tags=["mappings"],
    response_model=None,
    responses={200: {"model": MappingsDocument, "content": {CSV: {}}}},
)
async def export_service_mappings(
    actor: RulesRead,
    reading: Reading,
    connector: Connector = None,
    format: Literal["json", "csv"] = "json",
) -> Response:
    """Write rows as an import takes them: JSON, or CSV for a spreadsheet."""
    rows = await reading(actor).exported(connector)
    if format == "csv":
        return Response(to_csv(rows), media_type=f"{CSV}; charset=utf-8")
    document = MappingsDocument.model_construct(service_mappings=rows)
    return Response(document.model_dump_json(indent=2), media_type="application/json")


@router.post(
    "/service-mappings/import",
    operation_id="import_service_mappings",
    tags=["mappings"],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": MappingsDocument.model_json_schema(
                        ref_template="#/components/schemas/{model}"
                    )
                },
                CSV: {"schema": {"type": "string"}},
            },
        }
    },
)
async def import_service_mappings(
    actor: RulesEdit,
    writing: Writing,
    request: Request,
    plan: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    mode: Annotated[
        Literal["merge", "replace"],
        Query(description="Of CSV: replace drops the rows that it does not have."),
    ] = "merge",
) -> ImportPlan:
    """Make the rows what the document says; with `plan` only tell the difference.

    Nothing is changed when any row is wrong. JSON, or CSV as `text/csv`.
    """
    document = await _document(request, mode)
    return await writing(actor).take_in(document, plan=plan)


async def _document(request: Request, mode: Literal["merge", "replace"]) -> MappingsDocument:
    raw = await request.body()
    if request.headers.get("content-type", "").startswith(CSV):
        try:
            rows = from_csv(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise BadRequest("The CSV is not UTF-8.") from error
        return MappingsDocument(service_mappings=rows, mode=mode)
    return from_json(raw)


@router.get("/service-mappings/{mapping}", operation_id="get_service_mapping", tags=["mappings"])
async def get_service_mapping(
    actor: RulesRead,
    doubted: Doubted,
    reading: Reading,
    mapping: uuid.UUID,
    response: Response,
) -> ServiceMappingOut:
    """Show a row and what is odd about it; the vendors are asked only with `ask_vendors`."""
    work = reading(actor)
    row, connector = await work.got(mapping)
    set_etag(response, row.row_version)
    return shown_of(row, connector, work.catalog, [*await work.flags(row), *doubted])


@router.patch(
    "/service-mappings/{mapping}", operation_id="update_service_mapping", tags=["mappings"]
)
async def update_service_mapping(
    actor: RulesEdit,
    asked: AskedChange,
    writing: Writing,
    mapping: uuid.UUID,
    if_match: IfMatch = None,
) -> ServiceMappingOut:
    """Change a row; the answer's `etag` is its new one.

    As with a new row a record may be named instead of its id, and the flags say what the
    vendors' lists don't have of a service, a field or a value that was sent.
    When somebody else saved it meanwhile, the 409 has both versions and what differs.
    """
    work = writing(actor)
    row, connector = await work.got(mapping, lock=True)
    theirs = shown_of(row, connector, work.catalog).model_dump(mode="json")
    yours = asked.patch.model_dump(mode="json", exclude_unset=True)
    require_unraced(if_match, row, theirs, yours)
    return shown_of(row, await work.change(row, asked.patch), work.catalog, asked.flags)


@router.delete(
    "/service-mappings/{mapping}",
    operation_id="delete_service_mapping",
    status_code=204,
    tags=["mappings"],
)
async def delete_service_mapping(
    actor: RulesDelete,
    writing: Writing,
    mapping: uuid.UUID,
    if_match: IfMatch = None,
) -> None:
    """Delete a row."""
    work = writing(actor)
    row, _ = await work.got(mapping)
    require_match(if_match, row)
    await work.remove(row)


def _table(kept: ValueMap, said: NamedValueMap) -> ValueMapOut:
    return ValueMapOut(
        **said.model_dump(),
        updated_at=kept.updated_at,
        updated_by=kept.updated_by,
        etag=etag_of(kept.row_version),
    )


@router.get("/value-maps", operation_id="list_value_maps", tags=["mappings"])
async def list_value_maps(actor: RulesRead, session: ReadSession) -> list[ValueMapOut]:
    """List all value maps with their rows."""
    return [_table(kept, said) for kept, said in await Tables(session, actor).listed()]


@router.get("/value-maps/export", operation_id="export_value_maps", tags=["mappings"])
async def export_value_maps(actor: RulesRead, session: ReadSession) -> ValueMapsDocument:
    """Write all value maps as an import takes them."""
    said = [one for _, one in await Tables(session, actor).listed()]
    return ValueMapsDocument(value_maps=said)


@router.post("/value-maps/import", operation_id="import_value_maps", tags=["mappings"])
async def import_value_maps(
    actor: RulesEdit,
    writing: WritingTables,
    versions: TheRulesVersion,
    asked: ValueMapsDocument,
    plan: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> ValueMapsPlan:
    """Make the named maps what the document says; with `plan` only tell the difference."""
    return await writing(actor).take_in(asked, versions, plan=plan)


@router.get("/value-maps/{name}", operation_id="get_value_map", tags=["mappings"])
async def get_value_map(
    actor: RulesRead, session: ReadSession, name: MapName, response: Response
) -> ValueMapOut:
    """Show a value map."""
    kept, said = await Tables(session, actor).got(name)
    set_etag(response, kept.row_version)
    return _table(kept, said)


@router.put("/value-maps/{name}", operation_id="put_value_map", tags=["mappings"])
async def put_value_map(
    actor: RulesEdit,
    writing: WritingTables,
    versions: TheRulesVersion,
    name: MapName,
    asked: ValueMapIn,
    if_match: IfMatch = None,
) -> ValueMapOut:
    """Create a value map, or replace it whole (then with If-Match).

    When somebody else saved it meanwhile, the 409 has both versions and what differs.
    """
    work = writing(actor)
    before = await work.to_replace(name)
    if before is not None:
        row, said = before
        require_unraced(if_match, row, said.model_dump(mode="json"), asked.model_dump(mode="json"))
    await work.put(name, asked, versions)
    return _table(*await work.got(name))


@router.delete(
    "/value-maps/{name}", operation_id="delete_value_map", status_code=204, tags=["mappings"]
)
async def delete_value_map(
    actor: RulesDelete,
    writing: WritingTables,
    versions: TheRulesVersion,
    name: MapName,
    if_match: IfMatch = None,
) -> None:
    """Delete a value map; rules that use it become invalid, and say so."""
    work = writing(actor)
    kept, _ = await work.got(name)
    require_match(if_match, kept)
    await work.remove(kept, versions)


@router.post("/value-maps/{name}:try", operation_id="try_value_map", tags=["mappings"])
async def try_value_map(
    actor: RulesRead, session: ReadSession, name: MapName, asked: TryValueMap
) -> TriedValueMap:
    """Take a value through a map, forth or back."""
    return await Tables(session, actor).tried(name, asked)
