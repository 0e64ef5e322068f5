"""What makes a FastAPI app one of the hub's: problems, middleware, a true description."""

from fastapi import FastAPI

from hub.db.engine import Database
from hub.http import catalog, docs_page, health, openapi
from hub.http.idempotency import IdempotencyKeys
from hub.http.middleware import Front
from hub.http.problems import add_problem_handlers
from hub.settings import HubSettings


def equip(app: FastAPI, settings: HubSettings, database: Database) -> None:
    """Add what all endpoints share; call it once, with all routers included.

    `app.state` must have `database, settings, catalog, plugins, authenticate` and what the
    domains' endpoints name.
    """
    app.state.settings = settings
    app.state.database = database
    app.include_router(health.router)
    app.include_router(catalog.router)
    docs_page.install(app)
    add_problem_handlers(app)
    openapi.install(app)
    app.add_middleware(IdempotencyKeys, database=database)
    app.add_middleware(Front, settings=settings)
