"""A small HTTP server that stands where the hub's API would be, and a way to run commands."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hub.cli.main import run


@dataclass
class Api:
    """What was asked of the server, and what it answers by method and path."""

    url: str = ""
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[int, Any, dict[str, str]]] = field(default_factory=dict)

    def answer(
        self, method: str, path: str, body: Any = None, status: int = 200, **headers: str
    ) -> None:
        self.answers[(method, path)] = (status, body, headers)


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that http.server calls

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            headers = {key.lower(): value for key, value in self.headers.items()}
            found.asked.append(
                (self.command, self.path, headers, json.loads(body) if body else None)
            )
            nothing = (404, {"title": "There is no such thing here."}, {})
            status, answer, more = found.answers.get((self.command, self.path), nothing)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for key, value in more.items():
                self.send_header(key.replace("_", "-"), value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Ended:
    """How a command line ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def hub(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    for name in ("HUB_TENANT", "HUB_TOKEN", "HUB_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUB_URL", api.url)

    def call(*arguments: str) -> Ended:
        status = run(arguments)
        out, err = capsys.readouterr()
        return Ended(int(status), out, err)

    return call
