"""What a process answers while its database can't be reached: nothing is lost by refusing."""

from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hub import ids
from hub.errors import Overloaded
from hub.http.problems import problem_answer

_RETRY_AFTER_S: Final = 5.0


class Gate:
    """An app that is shut at first: it lives, and refuses everything with 503 and Retry-After."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.is_open = True
        self.why = ""

    def shut(self, why: str) -> None:
        """Refuse from now on."""
        self.is_open, self.why = False, why

    def open(self) -> None:
        """Let requests in."""
        self.is_open, self.why = True, ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if self.is_open or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == "/healthz":
            await JSONResponse({"status": "waiting for the database"})(scope, receive, send)
            return
        waits = Overloaded(f"The hub waits for {self.why}.", retry_after=_RETRY_AFTER_S)
        await problem_answer(waits, str(ids.new_id()))(scope, receive, send)
