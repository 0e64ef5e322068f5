"""What accept is measured against, as servers: `python -m bench.servers KIND URL`.

bare: FastAPI that answers 202 · parsed: with verify and parse, nothing stored · store: the raw
body as one row by group commit · single: the same, one commit a request · hub: the hub's own
app, which accepts and does not work. Prints its port when it is ready.
"""

import asyncio
import socket
import sys
import tempfile
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response
from sqlalchemy import select

from bench.places import SECRET
from hub import clock
from hub.app import create_app
from hub.cli.server.starting import sweep_seldom
from hub.connectors.models import Connector
from hub.db.bulk import Kind, insert_rows
from hub.db.commits import GroupCommit, open_store
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.sdk.connector_types import WebhookRequest
from hub.settings import HubSettings
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.webhooks import parse, verify

PATH = "/t/bench/connectors/pd/webhook"
ROW = {
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "source": Kind.TEXT,
    "key": Kind.TEXT,
    "received_at": Kind.TIME,
    "headers": Kind.JSON,
    "body": Kind.BYTES,
    "size": Kind.INT,
    "state": Kind.TEXT,
}


def bare(_: str) -> FastAPI:
    app = FastAPI()

    @app.post(PATH, status_code=202)
    async def accept(request: Request) -> dict[str, str]:
        await request.body()
        return {"delivery": "dlv_1"}

    return app


def parsed(_: str) -> FastAPI:
    app = FastAPI()
    settings = PagerDutySettings(
        api_key="u+key", from_email="ops@company.com", webhook_secret=SECRET
    )

    @app.post(PATH, status_code=202)
    async def accept(request: Request) -> dict[str, str]:
        asked = WebhookRequest(headers=dict(request.headers), body=await request.body())
        verify(settings, asked)
        parse(asked)
        return {"delivery": "dlv_1"}

    return app


def store(url: str, *, maximum: int = 256) -> FastAPI:
    database = Database(url)
    kept = open_store(database)
    writers = 1 if database.is_sqlite else 2
    commits = GroupCommit(kept.write_many, maximum=maximum, writers=writers)

    @asynccontextmanager
    async def lifespan(_: FastAPI):
        async with database.writing() as session:
            await ensure_tenant(session)
        commits.start()
        yield
        await commits.stop()
        await kept.close()
        await database.close()

    app = FastAPI(lifespan=lifespan)

    def write(connection, bodies):
        now, tenant = clock.now(), uuid.UUID(int=1)
        rows = [
            (tenant, tenant, "webhook", "", now, "{}", body, len(body), "accepted")
            for body in bodies
        ]
        return [
            row[0]
            for row in insert_rows(connection, "deliveries", ROW, rows, suffix="RETURNING id")
        ]

    @app.post(PATH, status_code=202)
    async def accept(request: Request) -> Response:
        number = await commits.submit(write, await request.body())
        return Response(b'{"delivery": "dlv_%d"}' % number, 202, media_type="application/json")

    return app


def single(url: str) -> FastAPI:
    return store(url, maximum=1)


def hub(url: str) -> FastAPI:
    settings = HubSettings(
        data_dir=Path(tempfile.mkdtemp(prefix="hub-bench-data-")),
        database={"url": url},
        dispatch={"max_pending": 10_000_000},
        logging={"level": "error"},
    )
    return create_app(settings, works=False)


async def prepare_hub(app: FastAPI) -> None:
    """Add the tenant and its PagerDuty connector."""
    database, clients = app.state.database, app.state.clients
    async with database.writing() as session:
        tenant = await ensure_tenant(session)
        row = Connector(
            tenant_id=tenant.id,
            name="pd",
            type="pagerduty",
            settings={"from_email": "ops@company.com"},
            ingress_rate=10_000_000,
        )
        session.add(row)
        await session.flush()
        kept = clients.store(session, tenant.id)
        for name, value in (("api_key", "u+bench"), ("webhook_secret", SECRET)):
            await kept.put(row.id, name, value, by="bench", backends={})


async def ensure_tenant(session) -> Tenant:
    found = (await session.scalars(select(Tenant).where(Tenant.slug == "bench"))).first()
    if found is None:
        found = Tenant(id=uuid.UUID(int=1), slug="bench", name="Bench")
        session.add(found)
        await session.flush()
    return found


KINDS = {"bare": bare, "parsed": parsed, "store": store, "single": single, "hub": hub}


async def main(kind: str, url: str) -> None:
    """Serve until terminated."""
    app = KINDS[kind](url)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="on")
    running = uvicorn.Server(config)
    serving = asyncio.create_task(running.serve(sockets=[listening]))
    while not running.started:
        if serving.done():
            await serving
        await asyncio.sleep(0.01)
    if kind == "hub":
        await prepare_hub(app)
    sweep_seldom()  # as `hub serve` does
    print(listening.getsockname()[1], flush=True)
    await serving


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
