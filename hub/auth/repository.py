"""Reading and writing users, memberships, roles, tokens and sessions."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Select, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.auth.models import CustomRole, Membership, Session, Token, User
from hub.db.repository import Repository, Rows
from hub.db.tenancy import Tenant
from hub.errors import NotFound

_SEEN_EVERY: Final = timedelta(minutes=1)


class Member(NamedTuple):
    """A user in their role."""

    user: User
    membership: Membership


class Members(Repository[Membership]):
    """One tenant's members."""

    model = Membership
    word = "member"

    async def listed(self, after: str | None, limit: int) -> tuple[Sequence[Member], str | None]:
        """Return members by e-mail address, and the cursor of the next page."""
        query = self._joined().order_by(User.email_folded).limit(limit + 1)
        if after is not None:
            query = query.where(User.email_folded > after)
        rows = [Member(*row) for row in (await self.session.execute(query)).all()]
        more = len(rows) > limit
        return rows[:limit], rows[limit - 1].user.email_folded if more else None

    async def member(self, user_id: uuid.UUID) -> Member:
        """Return a member; NotFound when the user is none of this tenant."""
        row = (await self.session.execute(self._joined().where(User.id == user_id))).one_or_none()
        if row is None:
            raise NotFound(f"There is no member {user_id}.")
        return Member(*row)

    async def role_of(self, user_id: uuid.UUID) -> str | None:
        """Return a user's role in this tenant, or None."""
        row = await self._first(Membership.user_id == user_id)
        return row.role if row is not None else None

    def _joined(self) -> Select[User, Membership]:
        return (
            select(User, Membership)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.tenant_id == self.tenant)
        )


class Roles(Repository[CustomRole]):
    """One tenant's own roles."""

    model = CustomRole
    word = "role"

    async def all(self) -> Sequence[CustomRole]:
        """Return the tenant's own roles by name."""
        return (await self.session.scalars(self._mine().order_by(CustomRole.name))).all()

    async def by_name(self, name: str) -> CustomRole | None:
        """Return a role, or None."""
        return await self._first(CustomRole.name == name)

    async def members_with(self, name: str) -> int:
        """Return how many members have this role."""
        return await Members(self.session, self.tenant).count(Membership.role == name)


class Tokens(Repository[Token]):
    """One tenant's tokens."""

    model = Token
    word = "token"

    async def listed(self, after: str | None, limit: int) -> Rows[Token]:
        """Return a page of tokens, the newest first."""
        return await self.page(after=after, limit=limit, newest=True)


class OperatorTokens:
    """The tokens of the hub's operator, which belong to no tenant."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def all(self) -> Sequence[Token]:
        """Return them, the newest first."""
        query = select(Token).where(Token.tenant_id.is_(None)).order_by(Token.id.desc())
        return (await self._session.scalars(query)).all()

    async def get(self, token_id: uuid.UUID) -> Token:
        """Return one; NotFound when there is none."""
        query = select(Token).where(Token.tenant_id.is_(None), Token.id == token_id)
        row = (await self._session.scalars(query)).one_or_none()
        if row is None:
            raise NotFound(f"There is no token {token_id}.")
        return row

    def add(self, row: Token) -> Token:
        """Add one."""
        self._session.add(row)
        return row


class Shown(NamedTuple):
    """A token that somebody showed, and the tenant it belongs to."""

    token: Token
    tenant: Tenant | None


async def token_shown(session: AsyncSession, prefix: str) -> Shown | None:
    """Return the token that begins like this, or None."""
    query = (
        select(Token, Tenant)
        .outerjoin(Tenant, Tenant.id == Token.tenant_id)
        .where(Token.prefix == prefix)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Shown(row[0], row[1])


async def note_use(session: AsyncSession, token_id: uuid.UUID, now: datetime) -> None:
    """Write down that a token was used, at most once a minute."""
    unseen: ColumnElement[bool] = or_(
        Token.last_used_at.is_(None), Token.last_used_at < now - _SEEN_EVERY
    )
    await session.execute(
        update(Token).where(Token.id == token_id, unseen).values(last_used_at=now)
    )


def is_due(seen: datetime | None, now: datetime) -> bool:
    """Whether it is time to write down another use."""
    return seen is None or seen < now - _SEEN_EVERY


async def tenant_by_slug(session: AsyncSession, slug: str) -> Tenant | None:
    """Return a tenant, or None."""
    return (await session.scalars(select(Tenant).where(Tenant.slug == slug))).one_or_none()


async def user_by_email(session: AsyncSession, email: str) -> User | None:
    """Return a user, whatever their tenants, or None."""
    query = select(User).where(User.email_folded == email.casefold())
    return (await session.scalars(query)).one_or_none()


class SignedInUser(NamedTuple):
    """A session and its user."""

    session: Session
    user: User


async def session_of(session: AsyncSession, id_hash: bytes, now: datetime) -> SignedInUser | None:
    """Return a live session of a live user, or None."""
    query = (
        select(Session, User)
        .join(User, User.id == Session.user_id)
        .where(Session.id_hash == id_hash, Session.expires_at > now, User.deactivated_at.is_(None))
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else SignedInUser(row[0], row[1])


async def tenants_of(session: AsyncSession, user_id: uuid.UUID) -> Sequence[tuple[str, str]]:
    """Return (slug, role) of each tenant that a user is a member of."""
    query = (
        select(Tenant.slug, Membership.role)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(Membership.user_id == user_id, Tenant.deactivated_at.is_(None))
        .order_by(Tenant.slug)
    )
    return [(slug, role) for slug, role in (await session.execute(query)).all()]


def add_user(session: AsyncSession, user: User) -> User:
    """Add a user."""
    session.add(user)
    return user


def add_session(session: AsyncSession, row: Session) -> None:
    """Add a session."""
    session.add(row)


async def end_session(session: AsyncSession, id_hash: bytes) -> None:
    """Delete a session."""
    await session.execute(delete(Session).where(Session.id_hash == id_hash))


async def end_sessions_of(session: AsyncSession, user_id: uuid.UUID) -> None:
    """Delete all sessions of a user."""
    await session.execute(delete(Session).where(Session.user_id == user_id))


async def drop_expired_sessions(session: AsyncSession, now: datetime) -> None:
    """Delete sessions that are over; housekeeping."""
    await session.execute(delete(Session).where(Session.expires_at <= now))
