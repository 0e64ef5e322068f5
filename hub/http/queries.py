"""Query parameters that nobody reads: refused, as their sender meant something by them."""

from collections.abc import Iterator
from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from hub.errors import Fault, Invalid
from hub.http.faults import no_such

_OF_PAGES: Final = frozenset({"limit", "cursor"})


async def refuse_unknown_queries(request: Request) -> None:
    """Refuse a request of the API with query parameters that its endpoint does not have.

    Invalid names the nearest of those that it has. Of a list that comes whole, a page may be
    asked for as of the others. Where vendors send people and webhooks, outside the API,
    anything may come.
    """
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None or not request.query_params or not request.url.path.startswith("/api/"):
        return
    known = set(_names(dependant))
    faults = [
        Fault(f"/{name}", no_such(name, known, "query parameter"), "extra_forbidden")
        for name in dict.fromkeys(request.query_params)
        if name not in known and not (request.method == "GET" and name in _OF_PAGES)
    ]
    if faults:
        raise Invalid(" ".join(one.detail for one in faults), errors=faults)


def _names(dependant: Dependant) -> Iterator[str]:
    for one in dependant.query_params:
        kind = one.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from (info.alias or name for name, info in kind.model_fields.items())
        else:
            yield one.alias
    for inner in dependant.dependencies:
        yield from _names(inner)
