"""Bringing an embedded database up to date while the hub is being loaded."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hub.cli.failure import Failed

if TYPE_CHECKING:
    from hub.settings import HubSettings


@contextlib.contextmanager
def migrating(settings: "HubSettings") -> Iterator[None]:
    """Bring an embedded database up to date in a process of its own, beside what is done within.

    Alembic stays out of this process, and a first start takes the time of the longer of the two.
    """
    if not settings.embedded or asyncio.run(_is_current(settings)):
        yield
        return
    command = [sys.executable, "-m", "hub", "migrate", "--data", str(settings.data_dir)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:  # noqa: S603 - ourselves
        try:
            yield
        except BaseException:
            child.kill()
            raise
        _, told = child.communicate()
    if child.returncode:
        words = told.decode(errors="replace").strip().removeprefix("✗").strip()
        raise Failed(words or "The database could not be brought up to date.", "hub migrate")


async def _is_current(settings: "HubSettings") -> bool:
    from hub.db.engine import Database  # noqa: PLC0415 - so that --help is quick
    from hub.migrations.version import is_current  # noqa: PLC0415 - so that --help is quick

    database = Database(settings.database_url)
    try:
        return await is_current(database)
    finally:
        await database.close()
