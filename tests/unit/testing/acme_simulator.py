"""Acme in memory: tickets, notes, one token."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class Acme:
    """What Acme remembers."""

    def __init__(self) -> None:
        self.tickets: dict[str, dict[str, Any]] = {"1": {"id": "1", "status": "new", "size": 3}}
        self.by_key: dict[str, str] = {}
        self.notes: list[dict[str, Any]] = []

    async def me(self, request: Request) -> JSONResponse:
        if request.headers.get("authorization") != "Bearer simulated-token":
            return JSONResponse({"error": "who?"}, 401)
        return JSONResponse({"name": "hub"})

    async def statuses(self, _: Request) -> JSONResponse:
        return JSONResponse(["new", "open", "solved"])

    async def create(self, request: Request) -> JSONResponse:
        key, wanted = request.path_params["key"], await request.json()
        number = self.by_key.setdefault(key, str(len(self.tickets) + 1))
        row = {"id": number, "status": wanted["status"], "size": 0}
        return JSONResponse(self.tickets.setdefault(number, row))

    async def ticket(self, request: Request) -> JSONResponse:
        row = self.tickets[request.path_params["id"]]
        if request.method == "PATCH":
            row |= await request.json()
        return JSONResponse(row)

    async def listed(self, request: Request) -> JSONResponse:
        after = int(request.query_params["after"])
        return JSONResponse([row for row in self.tickets.values() if int(row["id"]) > after])

    async def noted(self, request: Request) -> JSONResponse:
        if request.method == "GET":
            return JSONResponse(self.notes)
        self.notes.append(await request.json() | {"id": f"n{len(self.notes) + 1}"})
        return JSONResponse(self.notes[-1], 201)


def app() -> Starlette:
    acme = Acme()
    return Starlette(
        routes=[
            Route("/me", acme.me),
            Route("/statuses", acme.statuses),
            Route("/tickets", acme.listed),
            Route("/tickets/by-key/{key}", acme.create, methods=["PUT"]),
            Route("/tickets/{id}", acme.ticket, methods=["GET", "PATCH"]),
            Route("/tickets/{id}/notes", acme.noted, methods=["GET", "POST"]),
        ]
    )
