"""Members, roles, tokens and signing in, as the API offers them."""

import hashlib
import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from hub.auth import repository, roles, sessions
from hub.auth.authenticate import address_of
from hub.auth.models import CustomRole, Token
from hub.auth.repository import Member, Members, OperatorTokens, Roles, Tokens
from hub.auth.schemas import (
    MemberIn,
    MemberOut,
    MemberPatch,
    MeOut,
    OperatorTokenIn,
    PasswordIn,
    PermissionsOut,
    RoleIn,
    RoleList,
    RoleName,
    RoleOut,
    SignInIn,
    TenantRole,
    TokenIn,
    TokenMade,
    TokenOut,
)
from hub.auth.service import AuthService
from hub.http.actor import (
    Actor,
    Anyone,
    MembersRead,
    MembersWrite,
    Operator,
    Permission,
    SignedIn,
)
from hub.http.deps import ReadSession, TheClock, TheDatabase, TheSettings, WriteSession
from hub.http.etags import IfMatch, etag_of, set_etag
from hub.http.paging import Page, PageQuery

router = APIRouter()
_TENANT = "/api/v1/tenants/{tenant}"
Id = Annotated[uuid.UUID, Path()]


def _writing(session: WriteSession, clock: TheClock) -> Callable[[Actor], AuthService]:
    return lambda actor: AuthService(session, actor, clock)


Writing = Annotated[Callable[[Actor], AuthService], Depends(_writing)]


# Tokens -----------------------------------------------------------------------------------


@router.get(f"{_TENANT}/tokens", operation_id="list_tokens", tags=["access"])
async def list_tokens(actor: MembersRead, session: ReadSession, page: PageQuery) -> Page[TokenOut]:
    """List the tenant's tokens, the newest first: never the tokens themselves."""
    found = await Tokens(session, actor.home).listed(page.cursor, page.limit)
    return Page(items=[_token(row) for row in found.items], next=found.next)


@router.post(f"{_TENANT}/tokens", operation_id="create_token", status_code=201, tags=["access"])
async def create_token(actor: MembersWrite, writing: Writing, asked: TokenIn) -> TokenMade:
    """Make a token. It is shown this once."""
    row, text = await writing(actor).create_token(asked)
    return TokenMade(**_token(row).model_dump(), token=text)


@router.get(f"{_TENANT}/tokens/{{id}}", operation_id="get_token", tags=["access"])
async def get_token(actor: MembersRead, session: ReadSession, id: Id) -> TokenOut:
    """Show a token, without the token itself."""
    return _token(await Tokens(session, actor.home).get(id))


@router.delete(
    f"{_TENANT}/tokens/{{id}}", operation_id="revoke_token", status_code=204, tags=["access"]
)
async def revoke_token(actor: MembersWrite, writing: Writing, id: Id) -> None:
    """Revoke a token: it is refused from now on, and still listed."""
    await writing(actor).revoke_token(id)


@router.get("/api/v1/tokens", operation_id="list_operator_tokens", tags=["hub"])
async def list_operator_tokens(_: Operator, session: ReadSession) -> list[TokenOut]:
    """List the tokens of the hub's operator."""
    return [_token(row) for row in await OperatorTokens(session).all()]


@router.post("/api/v1/tokens", operation_id="create_operator_token", status_code=201, tags=["hub"])
async def create_operator_token(
    actor: Operator, writing: Writing, asked: OperatorTokenIn
) -> TokenMade:
    """Make a token of the operator: it manages tenants and sees nothing of theirs."""
    row, text = await writing(actor).create_operator_token(asked)
    return TokenMade(**_token(row).model_dump(), token=text)


@router.delete(
    "/api/v1/tokens/{id}", operation_id="revoke_operator_token", status_code=204, tags=["hub"]
)
async def revoke_operator_token(actor: Operator, writing: Writing, id: Id) -> None:
    """Revoke a token of the operator."""
    await writing(actor).revoke_operator_token(id)


# Members ----------------------------------------------------------------------------------


@router.get(f"{_TENANT}/members", operation_id="list_members", tags=["access"])
async def list_members(
    actor: MembersRead, session: ReadSession, page: PageQuery
) -> Page[MemberOut]:
    """List the tenant's members by e-mail address."""
    found, following = await Members(session, actor.home).listed(page.cursor, page.limit)
    return Page(items=[_member(one) for one in found], next=following)


@router.post(f"{_TENANT}/members", operation_id="add_member", status_code=201, tags=["access"])
async def add_member(
    actor: MembersWrite,
    writing: Writing,
    asked: MemberIn,
    response: Response,
) -> MemberOut:
    """Make somebody a member."""
    member = await writing(actor).add_member(asked)
    set_etag(response, member.membership.row_version)
    return _member(member)


@router.get(f"{_TENANT}/members/{{id}}", operation_id="get_member", tags=["access"])
async def get_member(
    actor: MembersRead, session: ReadSession, id: Id, response: Response
) -> MemberOut:
    """Show a member."""
    member = await Members(session, actor.home).member(id)
    set_etag(response, member.membership.row_version)
    return _member(member)


@router.patch(f"{_TENANT}/members/{{id}}", operation_id="update_member", tags=["access"])
async def update_member(
    actor: MembersWrite,
    writing: Writing,
    id: Id,
    asked: MemberPatch,
    response: Response,
    if_match: IfMatch = None,
) -> MemberOut:
    """Give a member another role."""
    service = writing(actor)
    member = await service.change_member(id, asked.role, if_match)
    set_etag(response, member.membership.row_version)
    return _member(member)


@router.delete(
    f"{_TENANT}/members/{{id}}", operation_id="remove_member", status_code=204, tags=["access"]
)
async def remove_member(
    actor: MembersWrite, writing: Writing, id: Id, if_match: IfMatch = None
) -> None:
    """End a membership."""
    await writing(actor).remove_member(id, if_match)


# Roles ------------------------------------------------------------------------------------


@router.get(f"{_TENANT}/roles", operation_id="list_roles", tags=["access"])
async def list_roles(actor: MembersRead, session: ReadSession) -> RoleList:
    """List the built-in roles and the tenant's own, with what they may do."""
    built_in = [
        RoleOut(
            name=name,
            built_in=True,
            permissions=sorted(granted),
            description=roles.DESCRIPTIONS[name],
        )
        for name, granted in roles.BUILT_IN.items()
    ]
    own = [_role(row) for row in await Roles(session, actor.home).all()]
    return RoleList(items=[*built_in, *own], permissions=[one.value for one in Permission])


@router.put(f"{_TENANT}/roles/{{name}}", operation_id="put_role", tags=["access"])
async def put_role(
    actor: MembersWrite,
    writing: Writing,
    name: RoleName,
    asked: RoleIn,
    response: Response,
    if_match: IfMatch = None,
) -> RoleOut:
    """Make a custom role, or change one."""
    service = writing(actor)
    row = await service.put_role(name, asked.permissions, if_match)
    set_etag(response, row.row_version)
    return _role(row)


@router.delete(
    f"{_TENANT}/roles/{{name}}", operation_id="delete_role", status_code=204, tags=["access"]
)
async def delete_role(
    actor: MembersWrite,
    writing: Writing,
    name: str,
    if_match: IfMatch = None,
) -> None:
    """Delete a custom role that nobody has."""
    await writing(actor).delete_role(name, if_match)


# Oneself ----------------------------------------------------------------------------------


@router.get("/api/v1/me", operation_id="get_me", tags=["access"])
async def get_me(actor: SignedIn, session: ReadSession) -> MeOut:
    """Show who asks."""
    found = await repository.tenants_of(session, actor.user_id) if actor.user_id else []
    return MeOut(
        name=actor.name,
        is_operator=actor.is_operator,
        tenant=actor.tenant,
        permissions=sorted(actor.permissions),
        tenants=[TenantRole(tenant=slug, role=role) for slug, role in found],
    )


@router.get(f"{_TENANT}/me/permissions", operation_id="list_my_permissions", tags=["access"])
async def list_my_permissions(actor: SignedIn) -> PermissionsOut:
    """Show what one may do in this tenant."""
    return PermissionsOut(permissions=sorted(actor.permissions))


@router.put(
    "/api/v1/me/password", operation_id="change_my_password", status_code=204, tags=["access"]
)
async def change_my_password(actor: SignedIn, writing: Writing, asked: PasswordIn) -> None:
    """Change one's own password; all one's sessions end."""
    service = writing(actor)
    await service.change_password(asked.current.get_secret_value(), asked.new.get_secret_value())


@router.post("/api/v1/session", operation_id="sign_in", tags=["access"])
async def sign_in(
    _: Anyone,
    request: Request,
    response: Response,
    database: TheDatabase,
    settings: TheSettings,
    clock: TheClock,
    asked: SignInIn,
) -> MeOut:
    """Sign in with e-mail address and password; the answer sets the session's cookie."""
    password = asked.password.get_secret_value()
    opened = await sessions.sign_in(database, clock, asked.email, password, address_of(request))
    response.set_cookie(
        sessions.cookie_name(settings.public_url),
        opened.cookie,
        max_age=int(sessions.IDLE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=sessions.is_secure(settings.public_url),
    )
    async with database.reading() as session:
        found = await repository.tenants_of(session, opened.user.id)
    return MeOut(
        name=opened.user.name,
        is_operator=opened.user.is_operator,
        tenant=None,
        permissions=[],
        tenants=[TenantRole(tenant=slug, role=role) for slug, role in found],
    )


@router.delete("/api/v1/session", operation_id="sign_out", status_code=204, tags=["access"])
async def sign_out(
    actor: SignedIn,
    request: Request,
    response: Response,
    session: WriteSession,
    settings: TheSettings,
) -> None:
    """End the session."""
    name = sessions.cookie_name(settings.public_url)
    cookie = request.cookies.get(name)
    if actor.session and cookie:
        await repository.end_session(session, hashlib.sha256(cookie.encode()).digest())
    response.delete_cookie(name, secure=sessions.is_secure(settings.public_url), httponly=True)


# Shapes -----------------------------------------------------------------------------------


def _token(row: Token) -> TokenOut:
    return TokenOut(**{name: getattr(row, name) for name in TokenOut.model_fields})


def _member(member: Member) -> MemberOut:
    return MemberOut(
        id=member.user.id,
        email=member.user.email_folded,
        name=member.user.name,
        role=member.membership.role,
        updated_at=member.membership.updated_at,
        updated_by=member.membership.updated_by,
        etag=etag_of(member.membership.row_version),
    )


def _role(row: CustomRole) -> RoleOut:
    return RoleOut(
        name=row.name,
        built_in=False,
        permissions=list(row.permissions),
        etag=etag_of(row.row_version),
    )
