"""The delivery engine's part of the API, on a rig."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request

from hub.correlations import endpoints as correlations
from hub.deliveries import endpoints as deliveries
from hub.http.actor import Actor, Permission
from hub.http.problems import add_problem_handlers
from hub.metrics import endpoints as metrics
from hub.runs import endpoints as runs
from hub.settings import HubSettings
from hub.testing.rig import Rig


def app_of(rig: Rig, *, operator: bool = True) -> FastAPI:
    async def authenticate(_: Request) -> Actor:
        return Actor(
            name="Ana",
            tenant_id=rig.tenant_id,
            tenant=rig.slug,
            permissions=frozenset(Permission),
            is_operator=operator,
        )

    app = FastAPI()
    app.state.authenticate = authenticate
    app.state.database = rig.database
    app.state.clients = rig.clients
    app.state.engine = rig.engine
    app.state.intake = rig.engine.intake
    app.state.settings = HubSettings()
    for module in (deliveries, runs, correlations, metrics):
        app.include_router(module.router)
    add_problem_handlers(app)
    return app


@asynccontextmanager
async def api_of(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app_of(rig))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        client.headers["content-type"] = "application/json"
        yield client
