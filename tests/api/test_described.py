"""The description is true: what is made from it is answered as it says, over real HTTP."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.auth.bootstrap import ensure_local_token
from hub.clock import now
from hub.db.engine import Database
from tests.api.conftest import build_app
from tests.conftest import add_tenant
from tests.toy import ToyVendor

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
VENDORS = {502, 504}


class Served:
    """The app on a port, in a thread with a loop of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.base_url = ""
        self.token = ""
        self.description: dict = {}
        self.succeeded: set[str] = set()
        self._url, self._folder = url, folder
        self._ready = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_) -> None:
        self._server.should_exit = True
        self._thread.join(20)

    async def _serve(self) -> None:
        database = Database(self._url, pool_size=5)
        await add_tenant(database, "acme")
        self.token = await ensure_local_token(database, self._folder)
        app = build_app(database, self._folder, now, {})
        self.description = app.openapi()
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
        self._server = uvicorn.Server(config)
        async with ToyVendor().serving() as vendor:
            task = asyncio.create_task(self._server.serve())
            while not self._server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            port = self._server.servers[0].sockets[0].getsockname()[1]
            self.base_url = f"http://127.0.0.1:{port}"
            await self._fill(vendor)
            self._ready.set()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await app.state.clients.close()
        await database.close()

    async def _fill(self, vendor: ToyVendor) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.base_url, headers=headers) as api:
            body = {
                "type": "toy",
                "name": "my-toy",
                "settings": {"base_url": vendor.url, "api_key": "good-key-0000a1f3"},
            }
            (await api.post("/api/v1/tenants/acme/connectors", json=body)).raise_for_status()


@pytest.fixture(scope="module")
def served(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "hub.db").write_bytes(sqlite_template.read_bytes())
    with Served(f"sqlite+aiosqlite:///{folder / 'hub.db'}", folder) as served:
        yield served


KNOWN = {"tenant": "acme", "name": "my-toy", "source": "services", "query": "on_call"}


@pytest.mark.slow
def test_every_operation_answers_as_described(served: Served) -> None:
    schema = schemathesis.openapi.from_dict(served.description)
    wrong = []
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in schemathesis.GenerationMode:
            try:
                _exercise(operation, operation.as_strategy(generation_mode=mode), served)
            except Unsatisfiable:  # an operation without parameters can't be asked wrongly
                assert mode is schemathesis.GenerationMode.NEGATIVE
            except (BaseExceptionGroup, Failure) as error:
                wrong.append((operation.label, error))

    assert [f"{label}: {_told(error)}" for label, error in wrong] == []
    assert len(served.succeeded) > 20, "most requests must get past the checks of their input"


def _told(error: BaseException) -> str:
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
    return "\n".join(str(one)[:1500] for one in parts)


def _exercise(operation, strategy, served: Served) -> None:
    @given(case=strategy, known=st.booleans())
    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def exercised(case, known) -> None:
        if known:
            for name, value in KNOWN.items():
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = value
        if case.operation.definition.raw["operationId"] == "revoke_operator_token":
            return
        answer = case.call(
            base_url=served.base_url, headers={"Authorization": f"Bearer {served.token}"}
        )
        if answer.status_code < 300:
            served.succeeded.add(case.operation.label)
        if answer.status_code not in VENDORS:
            case.validate_response(answer, checks=CHECKS)

    exercised()
