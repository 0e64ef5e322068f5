"""The composition root: settings -> catalog -> database -> engine -> routes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI
from starlette.types import Receive, Scope, Send

from hub import builtins, logs
from hub._version import __version__
from hub.activity import endpoints as activity
from hub.auth import endpoints as auth
from hub.auth.authenticate import Authenticator
from hub.auth.bootstrap import ensure_local_token
from hub.builtins.secrets import SecretPlaces
from hub.catalog import Loaded, load_plugins, notify
from hub.connectors import endpoints as connectors
from hub.connectors.clients import Clients
from hub.connectors.leases import SharedBuckets
from hub.connectors.limits import Limits
from hub.connectors.secrets import check_master_key, refuse_lost_key
from hub.connectors.states import mark_broken
from hub.correlations import endpoints as correlations
from hub.db.engine import Database
from hub.deliveries import endpoints as deliveries
from hub.deliveries.ingress import Door
from hub.http.application import equip
from hub.http.queries import refuse_unknown_queries
from hub.imports import endpoints as imports
from hub.mappings import endpoints as mappings
from hub.mappings.attaching import Attaching
from hub.mappings.resolve import Resolver
from hub.metrics import endpoints as metrics
from hub.metrics.counters import Counters
from hub.migrations.version import check_version, is_current
from hub.reconciliations import endpoints as reconciliations
from hub.rulesets import endpoints as rulesets
from hub.rulesets.plans import Plans
from hub.rulesets.whatif import Whatifs
from hub.runs import endpoints as runs
from hub.settings import HubSettings, environment_variable
from hub.spans import open_spans
from hub.tenants import endpoints as tenants
from hub.tenants.service import ensure_default
from hub.worker.engine import Engine

DESCRIPTION: Final = (
    "Keeps PagerDuty and the systems where tickets live in step. Errors are RFC 9457 problems "
    "with a pointer for each fault; lists are pages with a cursor; writes take `If-Match`."
)
ROUTERS: Final[tuple[APIRouter, ...]] = (
    deliveries.router,
    runs.router,
    correlations.router,
    rulesets.router,
    mappings.router,
    imports.router,
    reconciliations.router,
    connectors.router,
    activity.router,
    tenants.router,
    auth.router,
    metrics.router,
)
_log = logs.get_logger(__name__)


def load(settings: HubSettings) -> Loaded:
    """Load the built-in and the installed plugins; a broken one ends up in quarantine."""
    places = SecretPlaces(
        variable=environment_variable,
        variables=settings.secrets.variables,
        data_dir=settings.data_dir,
        folder=settings.secrets.folder,
    )
    return load_plugins([*builtins.modules(), ("secrets", places)], settings.plugins.blocked)


def create_app(settings: HubSettings, *, works: bool | None = None, serves: bool = True) -> FastAPI:
    """Compose a hub: its API, and with `works` its worker and scheduler.

    `works` is what the settings say unless given. A process that `serves` makes what is missing
    at the first start: the default tenant, the local operator's token. Nothing is opened before
    the app's lifespan begins. StartRefused there says what to do.
    """
    does_work = settings.dispatch.works if works is None else works
    loaded = load(settings)
    database = Database(settings.database_url, pool_size=settings.database.pool_size)
    counters = Counters()
    app = HubApp(
        title="Integration Hub",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # its own page is without other hosts: hub.http.docs_page
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(refuse_unknown_queries)])
    state = app.state
    state.serves = serves
    state.catalog, state.plugins, state.counters = loaded.catalog, loaded.reports, counters
    state.authenticate = Authenticator(database, settings)
    state.plans = Plans(database, loaded.catalog, memory=settings.rules.memory_mib * 1024 * 1024)
    state.whatifs = Whatifs(database, loaded.catalog)
    limits = Limits(pool=None if settings.embedded else SharedBuckets(database))
    state.clients = Clients(database, loaded.catalog, settings, limits=limits)
    state.attach_services = Attaching(database, loaded.catalog)
    state.resolver = Resolver(database, loaded.catalog, state.clients)
    state.spans = open_spans(wanted=settings.logging.traces)
    state.engine = Engine(
        database,
        settings,
        loaded.catalog,
        state.clients,
        limits,
        state.plans,
        state.resolver,
        works=does_work,
        role="" if serves else "worker",
        counters=counters,
        observe=_observer(loaded, counters),
        spans=state.spans,
    )
    state.intake = state.engine.intake
    equip(app, settings, database)
    app.door = Door(app, settings)
    return app


class HubApp(FastAPI):
    """The hub's app; deliveries take the short way past what only the API's requests need."""

    door: Door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self.door.takes(scope):
            await self.door(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    engine: Engine = app.state.engine
    database: Database = app.state.database
    whatifs: Whatifs = app.state.whatifs
    clients: Clients = app.state.clients
    logs.configure(app.state.settings.logging)
    engine.take()
    try:
        await _check_and_fill(app)
    except BaseException:
        engine.give_back()
        await database.close()
        raise
    await engine.start()
    await whatifs.resume()
    try:
        yield
    finally:
        await whatifs.close()
        await engine.stop()
        app.state.spans.close()
        await clients.limits.close()
        await clients.close()
        await database.close()


async def _check_and_fill(app: FastAPI) -> None:
    """Refuse what this hub can't work with; make what the first start needs."""
    settings: HubSettings = app.state.settings
    database: Database = app.state.database
    await _bring_up_to_date(settings, database)
    if app.state.serves:
        await ensure_default(database)
        await ensure_local_token(database, settings.data_dir)
    clients: Clients = app.state.clients
    await refuse_lost_key(database, settings)
    await check_master_key(database, clients.keys)
    await mark_broken(database, clients.states, app.state.catalog.connector_types)


async def _bring_up_to_date(settings: HubSettings, database: Database) -> None:
    if settings.embedded and not await is_current(database):
        from hub.migrations.run import migrate  # noqa: PLC0415 - Alembic, rarely needed

        await migrate(database)
    await check_version(database)


def _observer(loaded: Loaded, counters: Counters) -> Any:  # noqa: ANN401 - a callable of the engine
    def observe(hook: str, told: Mapping[str, Any]) -> None:
        for failure in notify(loaded.manager, hook, **told):
            counters.add("hub_plugin_errors_total", plugin=failure.plugin, hook=failure.hook)
            _log.error(
                "observer failed",
                plugin=failure.plugin,
                hook=failure.hook,
                error=failure.error,
                traceback=failure.traceback,
            )

    return observe
