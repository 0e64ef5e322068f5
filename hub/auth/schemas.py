"""Members, roles and tokens as the API takes and shows them."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, StringConstraints

from hub.auth.passwords import SHORTEST
from hub.http.bodies import Body

RoleName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", min_length=1, max_length=63)
]
Email = Annotated[
    str,
    StringConstraints(
        pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$", max_length=254
    ),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Password = Annotated[SecretStr, Field(min_length=SHORTEST, max_length=200)]


class TokenIn(Body):
    """A new token: of a role, or of single permissions."""

    name: Text = Field(description="What it is for.")
    role: RoleName | None = Field(default=None, description="Take this role's permissions.")
    permissions: list[str] | None = Field(default=None, max_length=50)
    expires_at: AwareDatetime | None = Field(default=None, description="Unset: never.")


class TokenOut(BaseModel):
    """A token, without the token itself."""

    id: uuid.UUID
    name: str
    prefix: str
    permissions: list[str]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class TokenMade(TokenOut):
    """A token that was just made; `token` is shown this once."""

    token: str


class OperatorTokenIn(Body):
    """A new token of the hub's operator; it sees no tenant's data."""

    name: Text
    expires_at: AwareDatetime | None = None


class MemberIn(Body):
    """A new member; the password is for somebody whom the hub does not know yet."""

    email: Email
    name: Text
    role: RoleName
    password: Password | None = None


class MemberPatch(Body):
    """A member's new role."""

    role: RoleName


class MemberOut(BaseModel):
    """A member."""

    id: uuid.UUID
    email: str
    name: str
    role: str
    updated_at: datetime
    updated_by: str
    etag: str


class RoleIn(Body):
    """What a custom role may do."""

    permissions: list[str] = Field(max_length=50)


class RoleOut(BaseModel):
    """A role; built-in ones can't be changed."""

    name: str
    built_in: bool
    permissions: list[str]
    description: str = ""
    etag: str | None = None


class RoleList(BaseModel):
    """The tenant's roles, and all words for permissions there are."""

    items: list[RoleOut]
    permissions: list[str]


class TenantRole(BaseModel):
    """A tenant that somebody is a member of."""

    tenant: str
    role: str


class MeOut(BaseModel):
    """Who asks."""

    name: str
    is_operator: bool
    tenant: str | None
    permissions: list[str]
    tenants: list[TenantRole] = []


class PermissionsOut(BaseModel):
    """What the actor may do in this tenant."""

    permissions: list[str]


class SignInIn(Body):
    """Who signs in."""

    email: Annotated[str, StringConstraints(max_length=254)]
    password: Annotated[SecretStr, Field(max_length=200)]


class PasswordIn(Body):
    """A new password of one's own."""

    current: Annotated[SecretStr, Field(max_length=200)]
    new: Password
