"""Commands of the hub as processes, to be killed, paused and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

START_S = 40.0
STOP_S = 30.0
_LOOK_S = 0.02


class NotInTime(AssertionError):
    """What a scenario waits for did not come."""


@dataclass(slots=True, kw_only=True)
class Process:
    """A command of the program `hub`; its output goes to `log`. `prefix`: what runs it."""

    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    ready: str = ""
    prefix: Sequence[str] = ()
    _running: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, *, wait: bool = True) -> None:
        """Start it and wait for the line that says it is ready; the log begins anew."""
        with self.log.open("wb") as log:
            self._running = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "hub", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                start_new_session=True,
            )
        if wait:
            self.said(self.ready)

    def said(self, words: str, timeout_s: float = START_S) -> None:
        """Wait until it wrote these words."""
        deadline = time.monotonic() + timeout_s
        while words not in self.text():
            if self.ended is not None:
                raise NotInTime(f"{self.arguments} ended with {self.ended}:\n{self.text()}")
            if time.monotonic() > deadline:
                raise NotInTime(f"{self.arguments} did not say {words!r}:\n{self.text()}")
            time.sleep(_LOOK_S)

    def text(self) -> str:
        """Return what it wrote since its start."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._running is not None:
            self._signal(signal.SIGKILL)
            self._running.wait()

    def pause(self) -> None:
        """Stop it where it is, as a suspended host does."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a paused one go on."""
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to stop, as an orchestrator does."""
        self._signal(signal.SIGTERM)

    def wait(self, timeout_s: float = STOP_S) -> int:
        """Wait until it ended; return its exit status."""
        assert self._running is not None
        return self._running.wait(timeout_s)

    def stop(self) -> None:
        """Ask it to stop and wait; kill it when it does not."""
        if self._running is None or self.ended is not None:
            return
        self._signal(signal.SIGCONT)
        self.terminate()
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def ended(self) -> int | None:
        """Its exit status, once it has ended."""
        return self._running.poll() if self._running is not None else -1

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._running is not None
        return self._running.pid

    def _signal(self, number: int) -> None:
        if self._running is not None and self._running.poll() is None:
            os.kill(self._running.pid, number)


def run(
    arguments: Sequence[str], environment: Mapping[str, str], timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command of the program `hub` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        capture_output=True,
        text=True,
        env=dict(environment),
        timeout=timeout_s,
        check=False,
    )


def answered(url: str, timeout_s: float = START_S) -> None:
    """Wait until something answers there with 2xx."""
    deadline = time.monotonic() + timeout_s
    while not _well(url):
        if time.monotonic() > deadline:
            raise NotInTime(f"{url} does not answer 2xx")
        time.sleep(_LOOK_S)


def _well(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
