"""What people do with members, roles and tokens."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub import ids
from hub.activity import audit
from hub.auth import passwords, repository, roles, tokens
from hub.auth.authenticate import permissions_of
from hub.auth.models import CustomRole, Membership, Token, User
from hub.auth.repository import Member, Members, OperatorTokens, Roles, Tokens
from hub.auth.schemas import MemberIn, OperatorTokenIn, TokenIn
from hub.clock import Clock
from hub.db.conflicts import taken
from hub.errors import Conflict, Fault, Invalid, NotAllowed, NotAuthenticated, NotFound
from hub.http.actor import Actor, Permission
from hub.http.etags import require_match

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class AuthService:
    """One actor's work, in the request's transaction."""

    session: "AsyncSession"
    actor: Actor
    clock: Clock

    # Tokens -------------------------------------------------------------------------------

    async def create_token(self, asked: TokenIn) -> tuple[Token, str]:
        """Make a token of the tenant; return its row and its text, which nobody sees again."""
        granted = await self._asked_permissions(asked)
        roles.demand_no_more(granted, self.actor.permissions)
        self._demand_future(asked.expires_at)
        made = tokens.new_token()
        row = Token(
            id=ids.new_id(),
            name=asked.name,
            prefix=made.prefix,
            hash=made.hash,
            permissions=sorted(one.value for one in granted),
            expires_at=asked.expires_at,
            created_at=self.clock(),
            created_by=self.actor.name,
        )
        Tokens(self.session, self.actor.home).add(row)
        after = {"permissions": row.permissions, "expires_at": _text(asked.expires_at)}
        await self._record("access added", row.name, after=after)
        return row, made.text

    async def _asked_permissions(self, asked: TokenIn) -> frozenset[Permission]:
        if (asked.role is None) == (asked.permissions is None):
            fault = Fault("/role", "Give either a role or permissions.", "either")
            raise Invalid("A token needs a role or permissions.", errors=[fault])
        if asked.permissions is not None:
            return roles.named(asked.permissions)
        return await self._permissions_of(asked.role or "")

    async def revoke_token(self, token_id: uuid.UUID) -> None:
        """Refuse a token from now on."""
        row = await Tokens(self.session, self.actor.home).get(token_id)
        await self._revoke(row)

    async def create_operator_token(self, asked: OperatorTokenIn) -> tuple[Token, str]:
        """Make a token of the operator."""
        self._demand_future(asked.expires_at)
        made = tokens.new_token()
        row = operator_token(asked.name, made, self.actor.name, self.clock)
        row.expires_at = asked.expires_at
        OperatorTokens(self.session).add(row)
        await self._record("operator access added", row.name)
        return row, made.text

    async def revoke_operator_token(self, token_id: uuid.UUID) -> None:
        """Refuse a token of the operator from now on."""
        await self._revoke(await OperatorTokens(self.session).get(token_id))

    async def _revoke(self, row: Token) -> None:
        if row.revoked_at is None:
            row.revoked_at = self.clock()
            await self._record("access revoked", row.name)

    def _demand_future(self, moment: object) -> None:
        if moment is not None and moment <= self.clock():  # type: ignore[operator]  # a datetime
            fault = Fault("/expires_at", "This is in the past.", "past")
            raise Invalid("A token must expire in the future.", errors=[fault])

    # Members ------------------------------------------------------------------------------

    async def add_member(self, asked: MemberIn) -> Member:
        """Make somebody a member; known by their e-mail address, or new to the hub."""
        await self._demand_grantable(asked.role)
        user = await repository.user_by_email(self.session, asked.email)
        if user is not None and asked.password is not None:
            fault = Fault("/password", "The hub knows this person; leave it out.", "known")
            raise Invalid("Only a new person is given a password.", errors=[fault])
        if user is None:
            user = await self._new_user(asked)
        row = Membership(user_id=user.id, role=asked.role, updated_by=self.actor.name)
        Members(self.session, self.actor.home).add(row)
        with taken(f"{asked.email} is a member already."):
            await self.session.flush()
        await self._record("member added", asked.email, after={"role": asked.role})
        return Member(user, row)

    async def _new_user(self, asked: MemberIn) -> User:
        kept = None
        if asked.password is not None:
            text = asked.password.get_secret_value()
            kept = await asyncio.to_thread(passwords.hash_password, text)
        user = User(
            id=ids.new_id(),
            email_folded=asked.email.casefold(),
            name=asked.name,
            password_hash=kept,
            created_at=self.clock(),
        )
        repository.add_user(self.session, user)
        with taken(f"{asked.email} is known already."):
            await self.session.flush()
        return user

    async def change_member(self, user_id: uuid.UUID, role: str, if_match: str | None) -> Member:
        """Give a member another role."""
        member = await Members(self.session, self.actor.home).member(user_id)
        require_match(if_match, member.membership)
        await self._demand_grantable(role)
        before = member.membership.role
        member.membership.role = role
        member.membership.row_version += 1
        member.membership.updated_by = self.actor.name
        await self.session.flush()
        await self._record(
            "member changed", member.user.email_folded, {"role": before}, {"role": role}
        )
        return member

    async def remove_member(self, user_id: uuid.UUID, if_match: str | None) -> None:
        """End a membership; the person stays known to the hub."""
        members = Members(self.session, self.actor.home)
        member = await members.member(user_id)
        require_match(if_match, member.membership)
        await members.remove(member.membership)
        before = {"role": member.membership.role}
        await self._record("member removed", member.user.email_folded, before)

    # Roles --------------------------------------------------------------------------------

    async def put_role(self, name: str, words: list[str], if_match: str | None) -> CustomRole:
        """Make a custom role, or change one (then with If-Match)."""
        if name in roles.BUILT_IN:
            raise NotAllowed(f"{name!r} is built in and can't be changed.")
        granted = roles.named(words)
        roles.demand_no_more(granted, self.actor.permissions)
        kept = Roles(self.session, self.actor.home)
        row = await kept.by_name(name)
        before = {"may": row.permissions} if row is not None else None
        if row is None:
            row = kept.add(CustomRole(name=name, row_version=0))
        else:
            require_match(if_match, row)
        row.permissions = sorted(one.value for one in granted)
        row.row_version += 1
        row.updated_by = self.actor.name
        await self.session.flush()
        await self._record("role saved", name, before, {"may": row.permissions})
        return row

    async def delete_role(self, name: str, if_match: str | None) -> None:
        """Delete a custom role that nobody has."""
        if name in roles.BUILT_IN:
            raise NotAllowed(f"{name!r} is built in and can't be deleted.")
        kept = Roles(self.session, self.actor.home)
        row = await kept.by_name(name)
        if row is None:
            raise NotFound(f"There is no role {name!r}.")
        require_match(if_match, row)
        count = await kept.members_with(name)
        if count:
            raise Conflict(f"{count} members have this role; give them another first.")
        await kept.remove(row)
        await self._record("role deleted", name, {"may": row.permissions})

    # Oneself ------------------------------------------------------------------------------

    async def change_password(self, current: str, new: str) -> None:
        """Change one's own password; all one's sessions end."""
        if self.actor.user_id is None:
            raise NotAllowed("Only people have passwords.")
        user = await self.session.get(User, self.actor.user_id)
        kept = user.password_hash if user is not None else None
        if user is None or kept is None:
            raise NotAllowed("This person has no password.")
        if not await asyncio.to_thread(passwords.fits, current, kept):
            raise NotAuthenticated("The current password is wrong.")
        user.password_hash = await asyncio.to_thread(passwords.hash_password, new)
        await repository.end_sessions_of(self.session, user.id)
        await audit.record(self.session, self.actor, "own sign-in changed", user.email_folded)

    # Inside -------------------------------------------------------------------------------

    async def _permissions_of(self, role: str) -> frozenset[Permission]:
        custom = await Roles(self.session, self.actor.home).by_name(role)
        if role not in roles.BUILT_IN and custom is None:
            known = ", ".join(roles.BUILT_IN)
            fault = Fault("/role", f"There is no role {role!r}; built in: {known}.", "unknown")
            raise Invalid("The role does not exist.", errors=[fault])
        return await permissions_of(self.session, self.actor.home, role)

    async def _demand_grantable(self, role: str) -> None:
        roles.demand_no_more(await self._permissions_of(role), self.actor.permissions)

    async def _record(
        self,
        action: str,
        subject: str,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
    ) -> None:
        await audit.record(self.session, self.actor, action, subject, before, after)


def operator_token(name: str, made: tokens.NewToken, by: str, clock: Clock) -> Token:
    """Return the row of a token of the operator."""
    return Token(
        id=ids.new_id(),
        name=name,
        prefix=made.prefix,
        hash=made.hash,
        permissions=[],
        created_at=clock(),
        created_by=by,
    )


def _text(moment: object) -> str | None:
    return str(moment) if moment is not None else None
