"""Who asks, and what they may do; each endpoint names its permission in its signature."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from hub.errors import NotAllowed, NotFound


class Permission(StrEnum):
    """What somebody may do inside a tenant."""

    CONFIGURATION_READ = "configuration:read"
    CONFIGURATION_WRITE = "configuration:write"
    LINKS_READ = "links:read"
    LINKS_CREATE = "links:create"
    LINKS_EDIT = "links:edit"
    LINKS_DELETE = "links:delete"
    RULES_READ = "rules:read"
    RULES_CREATE = "rules:create"
    RULES_EDIT = "rules:edit"
    RULES_DELETE = "rules:delete"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_ACT = "operations:act"
    AUDIT_READ = "audit:read"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who sent a request, as seen in one tenant.

    `tenant` is the slug of the path's tenant, or of the credentials' own one where the path
    names none; None for an operator outside tenants. `session` is the hash of a browser's
    session (empty for tokens), to bind a set-up by redirect to it.
    """

    name: str
    tenant_id: uuid.UUID | None = None
    tenant: str | None = None
    permissions: frozenset[Permission] = frozenset()
    is_operator: bool = False
    user_id: uuid.UUID | None = None
    address: str = ""
    session: bytes = b""

    @property
    def home(self) -> uuid.UUID:
        """The tenant's id; NotFound when the actor acts outside tenants."""
        if self.tenant_id is None:
            raise NotFound("These credentials belong to no tenant; name one in the path.")
        return self.tenant_id

    @property
    def slug(self) -> str:
        """The tenant's slug; NotFound when the actor acts outside tenants."""
        if self.tenant is None:
            raise NotFound("These credentials belong to no tenant; name one in the path.")
        return self.tenant


Authenticate: TypeAlias = Callable[[Request], Awaitable[Actor]]
"""Says who sent a request (for the tenant that its path names), or raises NotAuthenticated."""


async def who_asks(request: Request) -> Actor:
    """Return the request's actor; found once, by `app.state.authenticate`."""
    known = getattr(request.state, "actor", None)
    if isinstance(known, Actor):
        return known
    authenticate: Authenticate = request.app.state.authenticate
    actor = await authenticate(request)
    request.state.actor = actor
    return actor


@dataclass(frozen=True, slots=True)
class Requires:
    """Lets only actors through who have the permission in the path's tenant."""

    permission: Permission

    async def __call__(self, request: Request) -> Actor:
        """Return the actor; NotAllowed names the permission that is missing."""
        actor = await who_asks(request)
        if self.permission not in actor.permissions:
            raise NotAllowed(f"This needs the permission {self.permission.value!r}.")
        return actor


@dataclass(frozen=True, slots=True)
class RequiresOperator:
    """Lets only the hub's operator through."""

    async def __call__(self, request: Request) -> Actor:
        """Return the actor; NotAllowed when it is no operator."""
        actor = await who_asks(request)
        if not actor.is_operator:
            raise NotAllowed("This is for the operator of the hub.")
        return actor


@dataclass(frozen=True, slots=True)
class RequiresSignIn:
    """Lets everybody through whose credentials are valid."""

    async def __call__(self, request: Request) -> Actor:
        """Return the actor."""
        return await who_asks(request)


@dataclass(frozen=True, slots=True)
class RequiresNothing:
    """Lets everybody through, without credentials; named so that no route is open by mistake."""

    async def __call__(self, request: Request) -> None:
        """Let the request pass."""


def requires(permission: Permission) -> Requires:
    """Return the dependency that lets only actors with this permission through."""
    return Requires(permission)


ConnectorsRead = Annotated[Actor, Depends(requires(Permission.CONFIGURATION_READ))]
ConnectorsWrite = Annotated[Actor, Depends(requires(Permission.CONFIGURATION_WRITE))]
LinksRead = Annotated[Actor, Depends(requires(Permission.LINKS_READ))]
LinksCreate = Annotated[Actor, Depends(requires(Permission.LINKS_CREATE))]
LinksEdit = Annotated[Actor, Depends(requires(Permission.LINKS_EDIT))]
LinksDelete = Annotated[Actor, Depends(requires(Permission.LINKS_DELETE))]
RulesRead = Annotated[Actor, Depends(requires(Permission.RULES_READ))]
RulesCreate = Annotated[Actor, Depends(requires(Permission.RULES_CREATE))]
RulesEdit = Annotated[Actor, Depends(requires(Permission.RULES_EDIT))]
RulesDelete = Annotated[Actor, Depends(requires(Permission.RULES_DELETE))]
OperationsRead = Annotated[Actor, Depends(requires(Permission.OPERATIONS_READ))]
OperationsAct = Annotated[Actor, Depends(requires(Permission.OPERATIONS_ACT))]
AuditRead = Annotated[Actor, Depends(requires(Permission.AUDIT_READ))]
MembersRead = Annotated[Actor, Depends(requires(Permission.MEMBERS_READ))]
MembersWrite = Annotated[Actor, Depends(requires(Permission.MEMBERS_WRITE))]
Operator = Annotated[Actor, Depends(RequiresOperator())]
SignedIn = Annotated[Actor, Depends(RequiresSignIn())]
Anyone = Annotated[None, Depends(RequiresNothing())]
