"""The token that lets commands work on the machine of `hub serve` without any set-up."""

import os
import socket
from pathlib import Path
from typing import Final

from hub.auth import repository, roles, tokens
from hub.auth.repository import OperatorTokens
from hub.auth.service import operator_token
from hub.clock import Clock
from hub.clock import now as present
from hub.db.engine import Database
from hub.errors import StartRefused

FILE: Final = "operator.token"
LOCAL_NAME: Final = "operator"


async def ensure_local_token(database: Database, data_dir: Path, clock: Clock = present) -> str:
    """Return the token in the data folder; made (0600) when there is none that works.

    Whoever can read it can read the database beside it, so it may do everything, in every
    tenant; an operator's token made by the API sees no tenant's data.
    """
    file = data_dir / FILE
    known = _read(file)
    if known is not None and await _works(database, known):
        return known
    made, maker = tokens.new_token(), _maker(data_dir)
    async with database.writing() as session:
        row = operator_token(LOCAL_NAME, made, maker, clock)
        row.permissions = sorted(one.value for one in roles.ALL)
        for older in await OperatorTokens(session).all():
            if older.created_by == maker and older.revoked_at is None:
                older.revoked_at = clock()
        OperatorTokens(session).add(row)
    _write(file, made.text)
    return made.text


async def _works(database: Database, text: str) -> bool:
    prefix = tokens.prefix_of(text)
    async with database.reading() as session:
        shown = await repository.token_shown(session, prefix) if prefix else None
    return (
        shown is not None
        and shown.token.revoked_at is None
        and shown.tenant is None
        and tokens.fits(text, shown.token.hash)
    )


def _read(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StartRefused(f"{file} can't be read ({error}). Delete it and start again.") from error


def _maker(data_dir: Path) -> str:
    """Name the data folder: hubs on other hosts, or in other folders, keep their tokens."""
    return f"hub serve, {socket.gethostname()}:{data_dir.resolve()}"[:200]


def _write(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{text}\n")
        part.replace(file)
    except OSError as error:
        raise StartRefused(f"{file} can't be written ({error.strerror}).") from error
