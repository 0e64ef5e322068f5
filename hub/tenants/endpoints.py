"""Tenants, as the API offers them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from hub.db.tenancy import Tenant
from hub.http.actor import Actor, Operator, SignedIn
from hub.http.deps import ReadSession, TheClock, WriteSession
from hub.http.etags import IfMatch, etag_of, set_etag
from hub.http.paging import Page, PageQuery
from hub.tenants.repository import Tenants
from hub.tenants.schemas import TenantIn, TenantOut, TenantPatch, TenantSettings
from hub.tenants.service import TenantsService

router = APIRouter(prefix="/api/v1/tenants", tags=["hub"])


def _writing(session: WriteSession, clock: TheClock) -> Callable[[Actor], TenantsService]:
    return lambda actor: TenantsService(session, actor, clock)


Writing = Annotated[Callable[[Actor], TenantsService], Depends(_writing)]


@router.get("", operation_id="list_tenants")
async def list_tenants(_: Operator, session: ReadSession, page: PageQuery) -> Page[TenantOut]:
    """List the tenants by their short names."""
    found, following = await Tenants(session).page(page.cursor, page.limit)
    return Page(items=[_shown(row) for row in found], next=following)


@router.post("", operation_id="create_tenant", status_code=201)
async def create_tenant(
    actor: Operator, writing: Writing, asked: TenantIn, response: Response
) -> TenantOut:
    """Add a tenant."""
    row = await writing(actor).create(asked)
    set_etag(response, row.row_version)
    return _shown(row)


@router.get("/{tenant}", operation_id="get_tenant")
async def get_tenant(
    _: SignedIn, session: ReadSession, tenant: str, response: Response
) -> TenantOut:
    """Show a tenant to its members and to the operator."""
    row = await Tenants(session).by_slug(tenant)
    set_etag(response, row.row_version)
    return _shown(row)


@router.patch("/{tenant}", operation_id="update_tenant")
async def update_tenant(
    actor: Operator,
    writing: Writing,
    tenant: str,
    asked: TenantPatch,
    response: Response,
    if_match: IfMatch = None,
) -> TenantOut:
    """Change a tenant; what is not named stays."""
    row = await writing(actor).update(tenant, asked, if_match)
    set_etag(response, row.row_version)
    return _shown(row)


@router.delete("/{tenant}", operation_id="deactivate_tenant")
async def deactivate_tenant(
    actor: Operator, writing: Writing, tenant: str, if_match: IfMatch = None
) -> TenantOut:
    """Deactivate a tenant: nothing of it is received or worked any more, nothing is deleted."""
    return _shown(await writing(actor).deactivate(tenant, if_match))


def _shown(row: Tenant) -> TenantOut:
    return TenantOut(
        slug=row.slug,
        name=row.name,
        time_zone=row.time_zone,
        is_default=row.is_default,
        settings=TenantSettings.model_validate(row.settings or {}),
        created_at=row.created_at,
        deactivated_at=row.deactivated_at,
        etag=etag_of(row.row_version),
    )
