"""Who sent a request: a bearer token, or a browser's session."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from hub.auth import repository, roles, tokens
from hub.auth.models import Session, Token, User
from hub.auth.repository import Members, Roles, Shown
from hub.auth.sessions import IDLE, cookie_name
from hub.clock import Clock
from hub.clock import now as present
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.errors import NotAllowed, NotAuthenticated, NotFound
from hub.http.actor import Actor, Permission
from hub.settings import HubSettings

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Authenticator:
    """Finds a request's actor; `app.state.authenticate` is one."""

    def __init__(self, database: Database, settings: HubSettings, clock: Clock = present) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def __call__(self, request: Request) -> Actor:
        """Return who asks, as seen in the path's tenant; NotAuthenticated without credentials.

        NotFound when the path's tenant is none of theirs: nobody learns which there are.
        """
        header = request.headers.get("authorization", "")
        scheme, _, text = header.partition(" ")
        if scheme.lower() == "bearer" and text:
            return await self._by_token(request, text.strip())
        if header:
            raise NotAuthenticated("Send `Authorization: Bearer <token>`.")
        cookie = request.cookies.get(cookie_name(self._settings.public_url))
        if cookie:
            return await self._by_session(request, cookie)
        raise NotAuthenticated("Send a token: `Authorization: Bearer <token>`.")

    async def _by_token(self, request: Request, text: str) -> Actor:
        now = self._clock()
        prefix = tokens.prefix_of(text)
        async with self._database.reading() as session:
            shown = await repository.token_shown(session, prefix) if prefix else None
            if shown is None or not tokens.fits(text, shown.token.hash):
                raise NotAuthenticated("The hub does not know this token.")
            if shown.token.revoked_at is not None:
                raise NotAuthenticated("This token was revoked.")
            if shown.token.expires_at is not None and shown.token.expires_at <= now:
                raise NotAuthenticated("This token has expired.")
            actor = await _actor_of(session, request, shown)
        if repository.is_due(shown.token.last_used_at, now):
            async with self._database.writing() as session:
                await repository.note_use(session, shown.token.id, now)
        return actor

    async def _by_session(self, request: Request, cookie: str) -> Actor:
        if request.method not in _SAFE:
            self._demand_same_origin(request)
        now = self._clock()
        id_hash = hashlib.sha256(cookie.encode()).digest()
        async with self._database.reading() as session:
            found = await repository.session_of(session, id_hash, now)
            if found is None:
                raise NotAuthenticated("The session is over. Sign in again.")
            actor = await _actor_of_user(session, request, found.user, id_hash)
        if repository.is_due(found.session.seen_at, now):
            await self._prolong(id_hash)
        return actor

    async def _prolong(self, id_hash: bytes) -> None:
        now = self._clock()
        async with self._database.writing() as session:
            found = await repository.session_of(session, id_hash, now)
            if found is not None:
                row: Session = found.session
                row.seen_at, row.expires_at = now, now + IDLE

    def _demand_same_origin(self, request: Request) -> None:
        """Refuse what another site makes a browser send with its cookie."""
        site = request.headers.get("sec-fetch-site")
        public = urlsplit(self._settings.public_url)
        origin = request.headers.get("origin", "")
        same = site == "same-origin" if site else origin == f"{public.scheme}://{public.netloc}"
        if not same or request.headers.get("x-hub") != "1":
            raise NotAllowed("With a session, changes must come from the hub's own pages.")


async def _actor_of(session: AsyncSession, request: Request, shown: Shown) -> Actor:
    token, wanted = shown.token, request.path_params.get("tenant")
    granted = _granted(token)
    address = address_of(request)
    if shown.tenant is not None:
        if wanted is not None and wanted != shown.tenant.slug:
            raise NotFound(f"There is no tenant {wanted!r}.")
        if shown.tenant.deactivated_at is not None:
            raise NotAllowed("The tenant is deactivated.")
        return Actor(
            name=token.name,
            tenant_id=shown.tenant.id,
            tenant=shown.tenant.slug,
            permissions=granted,
            user_id=token.user_id,
            address=address,
        )
    tenant = await _wanted(session, wanted)
    return _operator(token.name, tenant, granted, address)


def _operator(
    name: str, tenant: Tenant | None, granted: frozenset[Permission], address: str
) -> Actor:
    usable = tenant is not None and tenant.deactivated_at is None
    return Actor(
        name=name,
        tenant_id=tenant.id if tenant is not None else None,
        tenant=tenant.slug if tenant is not None else None,
        permissions=granted if usable or tenant is None else frozenset(),
        is_operator=True,
        address=address,
    )


async def _wanted(session: AsyncSession, slug: str | None) -> Tenant | None:
    if slug is None:
        return None
    tenant = await repository.tenant_by_slug(session, slug)
    if tenant is None:
        raise NotFound(f"There is no tenant {slug!r}.")
    return tenant


async def _actor_of_user(
    session: AsyncSession, request: Request, user: User, id_hash: bytes
) -> Actor:
    tenant = await _wanted(session, request.path_params.get("tenant"))
    role = await _role_in(session, tenant, user.id)
    if tenant is not None and role is None and not user.is_operator:
        raise NotFound(f"There is no tenant {tenant.slug!r}.")
    granted: frozenset[Permission] = frozenset()
    if tenant is not None and role is not None and tenant.deactivated_at is None:
        granted = await permissions_of(session, tenant.id, role)
    return Actor(
        name=user.name,
        tenant_id=tenant.id if tenant is not None else None,
        tenant=tenant.slug if tenant is not None else None,
        permissions=granted,
        is_operator=user.is_operator,
        user_id=user.id,
        address=address_of(request),
        session=id_hash,
    )


async def _role_in(session: AsyncSession, tenant: Tenant | None, user_id: uuid.UUID) -> str | None:
    if tenant is None:
        return None
    return await Members(session, tenant.id).role_of(user_id)


async def permissions_of(
    session: AsyncSession, tenant_id: uuid.UUID, role: str
) -> frozenset[Permission]:
    """Return what a role may do in a tenant; nothing when the role is gone."""
    if role in roles.BUILT_IN:
        return roles.BUILT_IN[role]
    custom = await Roles(session, tenant_id).by_name(role)
    return _known(custom.permissions) if custom is not None else frozenset()


def _granted(token: Token) -> frozenset[Permission]:
    return _known(token.permissions)


def _known(words: Sequence[str]) -> frozenset[Permission]:
    """Return the permissions among the words; those of a later version are left out."""
    return frozenset(one for one in Permission if one.value in words)


def address_of(request: Request) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client is not None else ""
