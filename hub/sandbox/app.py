"""Every installed plugin's simulator, each at its own address, and a page that lists them."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route

from hub.sdk.connector_types import ConnectorType, Simulator


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A simulator at its address; `settings` make a connector that uses it."""

    type: str
    label: str
    url: str
    settings: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return what programs read of it."""
        return {
            "type": self.type,
            "label": self.label,
            "url": self.url,
            "page": f"{self.url}/_sim/",
            "settings": dict(self.settings),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A connector type that brings a simulator, and that simulator."""

    type: str
    label: str
    simulator: Simulator

    def at(self, url: str) -> Stand:
        """Return what it is at that address."""
        return Stand(
            type=self.type, label=self.label, url=url, settings=self.simulator.settings(url)
        )


def simulated(types: Iterable[ConnectorType[Any, Any]]) -> list[Simulated]:
    """Return the simulators of the connector types that bring one, by name."""
    return [
        Simulated(type=one.name, label=one.label, simulator=one.simulator())
        for one in sorted(types, key=lambda one: one.name)
        if one.simulator is not None
    ]


def index(stands: Sequence[Stand]) -> Starlette:
    """Return the app that lists the simulators: a page for people, JSON for programs."""

    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse(_page(stands))

    async def listing(_: Request) -> JSONResponse:
        return JSONResponse({"simulators": [one.as_json() for one in stands]})

    async def settings(request: Request) -> JSONResponse:
        found = next((one for one in stands if one.type == request.path_params["type"]), None)
        if found is None:
            known = ", ".join(one.type for one in stands)
            return JSONResponse({"error": f"no such simulator; there are {known}"}, 404)
        return JSONResponse(dict(found.settings))

    async def alive(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    return Starlette(
        routes=[
            Route("/", page),
            Route("/simulators.json", listing),
            Route("/settings/{type}.json", settings),
            Route("/healthz", alive),
        ]
    )


def _page(stands: Sequence[Stand]) -> str:
    rows = "".join(
        f"<li><a href='{html.escape(one.url)}/_sim/'>{html.escape(one.label)}</a>"
        f" <small>{html.escape(one.type)} at {html.escape(one.url)},"
        f" <a href='/settings/{html.escape(one.type)}.json'>settings</a></small></li>"
        for one in stands
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Sandbox</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem}"
        "small{color:#555}</style><h1>Sandbox</h1>"
        "<p>Stand-ins for the vendors. They keep what they are told in memory, send webhooks"
        " and forget everything when they stop; keys are new at each start.</p>"
        f"<ul>{rows}</ul><p><a href=/simulators.json>For programs</a></p></html>"
    )
