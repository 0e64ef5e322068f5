"""A real PgBouncer in transaction mode before a PostgreSQL, as many deployments have it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

from bench.faults.postgres import free_port
from bench.faults.processes import NotInTime

MISSING: Final = "PgBouncer is not installed (on Debian: apt-get install pgbouncer)"
_PLACES: Final = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin"
_START_S: Final = 10.0
# Statements of one session go to as many servers as there are: what leans on a session breaks.
_SETTINGS: Final = {
    "pool_mode": "transaction",
    "auth_type": "any",
    "listen_addr": "127.0.0.1",
    "unix_socket_dir": "",
    "server_round_robin": "1",
    "default_pool_size": "12",
    "min_pool_size": "4",
    "max_client_conn": "400",
    "query_wait_timeout": "20",
    "log_connections": "0",
    "log_disconnections": "0",
}


def program() -> str:
    """Return where PgBouncer is; "": not installed."""
    return shutil.which("pgbouncer", path=_PLACES) or ""


class Pooler:
    """A running PgBouncer. `url` is what a hub is given instead of the server's own URL."""

    def __init__(self, folder: Path, server: str, **settings: str) -> None:
        self._server = make_url(server)
        self.port = free_port()
        self.log = folder / "pgbouncer.log"
        self._file = folder / "pgbouncer.ini"
        self._file.write_text(_written(self._server, {"listen_port": str(self.port), **settings}))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it can be reached."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [program(), str(self._file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=_runs_as(self._server),
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_S
        while not self._listens():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise NotInTime(f"PgBouncer does not listen:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; connections through it end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def url(self, database: str) -> str:
        """Return the URL of a database behind it."""
        made = URL.create(
            "postgresql+asyncpg",
            username=self._server.username,
            host="127.0.0.1",
            port=self.port,
            database=database,
        )
        return made.render_as_string(hide_password=False)

    def _listens(self) -> bool:
        with socket.socket() as trying:
            return trying.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def a_pooler(server: str, **settings: str) -> Iterator[Pooler]:
    """Run one before the server of this URL, with further settings of PgBouncer's."""
    with tempfile.TemporaryDirectory(prefix="hub-pgbouncer-") as folder:
        Path(folder).chmod(0o755)
        made = Pooler(Path(folder), server, **settings)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _written(server: URL, settings: Mapping[str, str]) -> str:
    lines = [f"{name} = {value}" for name, value in {**_SETTINGS, **settings}.items()]
    return "\n".join(["[databases]", f"* = {_reached(server)}", "[pgbouncer]", *lines, ""])


def _reached(server: URL) -> str:
    """Return how PgBouncer reaches the server: a URL's query may name a folder of sockets."""
    known = {
        "host": server.host or server.query.get("host"),
        "port": server.port,
        "user": server.username,
        "password": server.password,
    }
    return " ".join(f"{name}={value}" for name, value in known.items() if value)


def _runs_as(server: URL) -> int | None:
    """Return the user to run as: PgBouncer refuses to be root, and has to reach the socket."""
    if os.geteuid() != 0:
        return None
    sockets = str(server.query.get("host", ""))
    return Path(sockets).stat().st_uid if sockets else pwd.getpwnam("nobody").pw_uid
