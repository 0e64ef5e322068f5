"""Browser sessions: signing in and out."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from hub.auth import passwords, repository
from hub.auth.models import Session, User
from hub.clock import Clock
from hub.db.engine import Database
from hub.errors import NotAuthenticated, TooManyRequests

IDLE: Final = timedelta(hours=12)
_ATTEMPTS: Final = 5
_LOCKED: Final = timedelta(minutes=15)


def is_secure(public_url: str) -> bool:
    """Whether the hub is reached over HTTPS; plain http is for loopback only."""
    return urlsplit(public_url).scheme == "https"


def cookie_name(public_url: str) -> str:
    """Return the name of the session's cookie."""
    return "__Host-hub" if is_secure(public_url) else "hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A new session: the cookie's value, and whose it is."""

    cookie: str
    user: User


async def sign_in(
    database: Database, clock: Clock, email: str, password: str, address: str
) -> Opened:
    """Open a session; NotAuthenticated for a wrong pair, TooManyRequests after five of them."""
    async with database.reading() as session:
        user = await repository.user_by_email(session, email)
    if user is not None and user.locked_until is not None and user.locked_until > clock():
        wait = (user.locked_until - clock()).total_seconds()
        raise TooManyRequests("Too many wrong passwords; try again later.", retry_after=wait)
    kept = user.password_hash if user is not None else None
    right = await asyncio.to_thread(_fits, password, kept)
    usable = user is not None and kept is not None and user.deactivated_at is None
    async with database.writing() as session:
        user = await repository.user_by_email(session, email)
        if user is None or not (right and usable):
            _count(user, clock)
        else:
            user.failed_logins, user.locked_until = 0, None
            return Opened(cookie=_open(session, user, clock, address), user=user)
    raise NotAuthenticated("The e-mail address or the password is wrong.")


def _fits(password: str, kept: str | None) -> bool:
    """Whether this is the password; takes as long when there is none to compare with."""
    if kept is None:
        passwords.hash_password(password)
        return False
    return passwords.fits(password, kept)


def _count(user: User | None, clock: Clock) -> None:
    if user is None:
        return
    user.failed_logins += 1
    if user.failed_logins >= _ATTEMPTS:
        user.failed_logins, user.locked_until = 0, clock() + _LOCKED


def _open(session: AsyncSession, user: User, clock: Clock, address: str) -> str:
    cookie = secrets.token_urlsafe(32)
    now = clock()
    repository.add_session(
        session,
        Session(
            id_hash=hashlib.sha256(cookie.encode()).digest(),
            user_id=user.id,
            address=address,
            seen_at=now,
            expires_at=now + IDLE,
        ),
    )
    return cookie


async def forget_expired(database: Database, now: datetime) -> None:
    """Housekeeping: delete sessions that are over."""
    async with database.writing() as session:
        await repository.drop_expired_sessions(session, now)
