"""The hub and the sandbox as real processes of their own."""

import asyncio
import contextlib
import ctypes
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

START_S = 30.0
STOP_S = 15.0
_LOOK_S = 0.05
_PR_SET_PDEATHSIG = 1


class ProcessFailed(Exception):
    """A process of the demo did not start, or ended; the message says where to look."""


def _ends_with_its_parent() -> None:
    """Have the kernel stop this process when the one that started it is killed (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True, kw_only=True)
class Process:
    """A command of the program `hub`, run as a process that writes its output to `log`."""

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    _running: asyncio.subprocess.Process | None = field(default=None, repr=False)

    async def start(self) -> None:
        """Start it; its output so far is kept."""
        with self.log.open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "hub",
                *self.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment),
                start_new_session=True,
                preexec_fn=_ends_with_its_parent if sys.platform == "linux" else None,
            )

    async def stop(self) -> int:
        """Ask it to stop; return its exit status."""
        running = self._process()
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(running.wait(), STOP_S)
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """Kill it, as `kill -9` does; return its exit status."""
        running = self._process()
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        return await running.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process().pid

    @property
    def ended(self) -> int | None:
        """Its exit status, once it has ended."""
        return self._running.returncode if self._running else None

    async def answers(self, url: str) -> None:
        """Wait until it answers there; ProcessFailed when it ends or takes too long."""
        deadline = asyncio.get_running_loop().time() + START_S
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            while not await _ok(http, url):
                self._still_well(deadline)
                await asyncio.sleep(_LOOK_S)

    async def said(self, prefix: str) -> str:
        """Wait for a line of its output that begins so; return the rest of it."""
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            for line in self.log.read_text(errors="replace").splitlines():
                if line.startswith(prefix):
                    return line.removeprefix(prefix)
            self._still_well(deadline)
            await asyncio.sleep(_LOOK_S)

    def _still_well(self, deadline: float) -> None:
        if self.ended is not None:
            raise ProcessFailed(
                f"{self.name} ended with status {self.ended}: {self._last_words()} "
                f"Look at {self.log}."
            )
        if asyncio.get_running_loop().time() > deadline:
            raise ProcessFailed(
                f"{self.name} was not ready in {START_S:.0f} s. Look at {self.log}."
            )

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " ".join(lines[-2:])

    def _process(self) -> asyncio.subprocess.Process:
        if self._running is None:
            raise ProcessFailed(f"{self.name} was not started.")
        return self._running


@dataclass(slots=True, kw_only=True)
class Running:
    """A hub and a sandbox at work; `hub_url` stays the same when the hub is started again."""

    folder: Path
    hub: Process
    sandbox: Process
    hub_url: str = ""
    sandbox_url: str = ""

    @property
    def operator_token(self) -> str:
        """The token that the hub left in its data folder."""
        return (self.folder / "data" / "operator.token").read_text().strip()

    async def start(self) -> None:
        """Start both, on free ports, and wait until they answer."""
        await self.sandbox.start()
        await self.hub.start()
        self.sandbox_url = await self.sandbox.said("The sandbox is ready at ")
        ready = await self.hub.said("Integration Hub ")
        self.hub_url = next(word for word in ready.split() if word.startswith("http"))
        await self.hub.answers(f"{self.hub_url}/readyz")

    async def kill_hub(self) -> None:
        """Kill the hub at once, as `kill -9` does, and start it again at the same address."""
        await self.hub.kill()
        self.hub.arguments = [*_serve(self.folder), "--port", self.hub_url.rpartition(":")[2]]
        await self.hub.start()
        await self.hub.answers(f"{self.hub_url}/readyz")

    async def stop(self) -> None:
        """Stop both."""
        for process in (self.hub, self.sandbox):
            with contextlib.suppress(ProcessFailed):
                await process.stop()


@contextlib.asynccontextmanager
async def running(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Running]:
    """Run a hub (data in `folder`/data) and a sandbox until the end of the block."""
    hub = Process(
        name="hub serve",
        arguments=[*_serve(folder), "--port", "0"],
        log=folder / "hub.log",
        environment=environment,
    )
    sandbox = Process(
        name="hub sandbox",
        arguments=["sandbox", "--port", "0"],
        log=folder / "sandbox.log",
        environment=environment,
    )
    for process in (hub, sandbox):
        process.log.touch()
    both = Running(folder=folder, hub=hub, sandbox=sandbox)
    try:
        await both.start()
        yield both
    finally:
        await both.stop()


def _serve(folder: Path) -> list[str]:
    return ["serve", "--data", str(folder / "data"), "--host", "127.0.0.1"]


async def _ok(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.HTTPError:
        return False
