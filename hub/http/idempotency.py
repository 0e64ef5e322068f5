"""Idempotency-Key on creates: a repeated POST is carried out once and answered alike.

The key is written in the transaction of the create, so that neither a lost answer nor a
crash lets it happen twice; the answer follows, sealed with what only the caller knows.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import clock
from hub.crypto import CannotOpen, Key, seal, unseal
from hub.db import dialects
from hub.db.engine import Database
from hub.errors import BadRequest, Conflict, HubError
from hub.http.models import RequestKey
from hub.http.problems import problem_answer

KEPT: Final = timedelta(hours=24)
HEADER: Final = "Idempotency-Key"
_LONGEST: Final = 255
_LARGEST_ANSWER: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What is kept of a request under a key."""

    key_hash: bytes
    request_hash: bytes
    secret: Key


async def write_mark(session: AsyncSession, mark: Mark) -> None:
    """Write down, in the request's own transaction, that it is carried out.

    Conflict when another process carries out the same one.
    """
    row = RequestKey(key_hash=mark.key_hash, request_hash=mark.request_hash, created_at=clock.now())
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict("The same request is being carried out already.") from error


class IdempotencyKeys:
    """The middleware; does nothing to requests without the header."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self._app = app
        self._database = database
        self._under_way: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        key = Headers(scope=scope).get(HEADER) if scope["type"] == "http" else None
        if key is None or scope["method"] != "POST" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        if not (0 < len(key) <= _LONGEST and key.isascii() and key.isprintable()):
            await self._refuse(BadRequest(f"{HEADER} is 1 to 255 characters."), scope, send)
            return
        body = await _read(receive)
        await self._once(_mark(scope, key, body), scope, _again(body, receive), send)

    async def _once(self, mark: Mark, scope: Scope, receive: Receive, send: Send) -> None:
        if mark.key_hash in self._under_way:
            await self._refuse(Conflict("The same request is being worked."), scope, send)
            return
        self._under_way.add(mark.key_hash)
        try:
            known = await self._known(mark)
            if known is None:
                await self._carry_out(mark, scope, receive, send)
            else:
                await self._repeat(mark, known, scope, send)
        finally:
            self._under_way.discard(mark.key_hash)

    async def _known(self, mark: Mark) -> RequestKey | None:
        async with self._database.reading() as session:
            found = await session.get(RequestKey, mark.key_hash)
        if found is not None and found.created_at < clock.now() - KEPT:
            async with self._database.writing() as session:
                await session.execute(
                    delete(RequestKey).where(RequestKey.key_hash == mark.key_hash)
                )
            return None
        return found

    async def _repeat(self, mark: Mark, known: RequestKey, scope: Scope, send: Send) -> None:
        if known.request_hash != mark.request_hash:
            await self._refuse(Conflict(f"This {HEADER} was used for another body."), scope, send)
            return
        answer = _opened(mark, known)
        if answer is None:
            text = "This request was carried out, but its answer was lost. Look at what is there."
            await self._refuse(Conflict(text), scope, send)
            return
        headers = [(name.encode(), value.encode()) for name, value in answer["headers"]]
        headers.append((b"idempotent-replayed", b"true"))
        await send({"type": "http.response.start", "status": answer["status"], "headers": headers})
        await send({"type": "http.response.body", "body": answer["body"].encode()})

    async def _carry_out(self, mark: Mark, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["idempotency"] = mark
        seen = _Seen(send)
        await self._app(scope, receive, seen.send)
        async with self._database.writing() as session:
            if 200 <= seen.status < 300:
                await self._keep(session, mark, seen.packed())
            else:
                await session.execute(
                    delete(RequestKey).where(
                        RequestKey.key_hash == mark.key_hash, RequestKey.answer.is_(None)
                    )
                )

    async def _keep(self, session: AsyncSession, mark: Mark, answer: bytes | None) -> None:
        sealed = seal(mark.secret, answer, mark.key_hash) if answer is not None else None
        statement = dialects.insert(self._database.dialect, RequestKey).values(
            key_hash=mark.key_hash,
            request_hash=mark.request_hash,
            answer=sealed,
            created_at=clock.now(),
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["key_hash"], set_={"answer": statement.excluded.answer}
            )
        )

    async def _refuse(self, error: HubError, scope: Scope, send: Send) -> None:
        request = scope.get("state", {}).get("request_id", "")
        await problem_answer(error, request)(scope, _nothing, send)


class _Seen:
    """Passes an answer on and keeps a copy, if it is a small JSON one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._whole = True

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept = (b"content-type", b"etag", b"location")
            self._headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message["headers"]
                if name.lower() in kept
            ]
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if len(self._body) > _LARGEST_ANSWER:
                self._whole, self._body = False, bytearray()
        await self._send(message)

    def packed(self) -> bytes | None:
        """Return the answer for keeping, or None."""
        is_json = any(name == "content-type" and "/json" in value for name, value in self._headers)
        if not (self._whole and (is_json or not self._body)):
            return None
        answer = {"status": self.status, "headers": self._headers, "body": self._body.decode()}
        return json.dumps(answer).encode()


def _mark(scope: Scope, key: str, body: bytes) -> Mark:
    headers = Headers(scope=scope)
    who = f"{headers.get('authorization', '')}\n{headers.get('cookie', '')}"
    where = f"{scope['method']} {scope['path']}?{scope.get('query_string', b'').decode('latin-1')}"
    told = f"{who}\n{where}\n{key}".encode()
    return Mark(
        key_hash=hashlib.sha256(b"key\n" + told).digest(),
        request_hash=hashlib.sha256(body).digest(),
        secret=Key(hashlib.sha256(b"answer\n" + told).digest()),
    )


def _opened(mark: Mark, known: RequestKey) -> dict[str, Any] | None:
    if known.answer is None:
        return None
    try:
        answer: dict[str, Any] = json.loads(unseal(mark.secret, known.answer, mark.key_hash))
    except CannotOpen:
        return None
    return answer


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    told = False

    async def read() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def forget_old(database: Database, now: datetime) -> int:
    """Housekeeping: delete keys whose time is over; return how many."""
    async with database.writing() as session:
        old = select(RequestKey.key_hash).where(RequestKey.created_at < now - KEPT)
        gone = (await session.scalars(old.limit(1000))).all()
        await session.execute(delete(RequestKey).where(RequestKey.key_hash.in_(gone)))
    return len(gone)
