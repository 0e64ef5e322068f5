"""What the simulated org was asked, secrets masked."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from hub_salesforce.testing.saving import stamped
from hub_salesforce.testing.world import World

_SECRETS = re.compile(r"(assertion|client_secret|password|refresh_token|token|access_token)=[^&]*")
_XML_SECRETS = re.compile(r"(<(?:\w+:)?password>)[^<]*")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as the log keeps it."""

    n: int
    at: str
    method: str
    path: str
    status: int
    actor: str
    client: str
    body: Any


@dataclass(kw_only=True)
class RequestLog:
    """All requests of the vendor's API, numbered from 1."""

    rows: list[Asked] = field(default_factory=list)

    def add(self, request: Request, body: bytes, status: int, actor: str, world: World) -> None:
        """Add a request."""
        query = request.scope.get("query_string", b"").decode()
        self.rows.append(
            Asked(
                n=len(self.rows) + 1,
                at=stamped(world),
                method=request.method,
                path=request.scope["path"] + (f"?{query}" if query else ""),
                status=status,
                actor=actor,
                client=request.headers.get("sforce-call-options", ""),
                body=_shown(body),
            )
        )

    def since(self, n: int) -> list[Asked]:
        """Return the requests after number `n`."""
        return self.rows[n:]


def _shown(body: bytes) -> Any:  # noqa: ANN401 - any JSON body
    text = body.decode(errors="replace")
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        masked = _SECRETS.sub(r"\1=***", text)
        return _XML_SECRETS.sub(r"\1***", masked)
