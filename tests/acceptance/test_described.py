"""The whole hub's description is true: what is made from it is answered as it says.

Every operation is asked over real HTTP, rightly and wrongly, about things that are there
(connectors of all vendors, a ruleset, a delivery with its run and links) and about others.
"""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.acceptance.world import CASE_CREATED, HIGH, TENANT, World, at_work, page, rule

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
VENDORS = {502, 504}
"""What the hub answers when a vendor does not; the description gives it to every operation."""
LEFT_ALONE = {"revoke_operator_token", "deactivate_tenant"}
"""They would end the test's own access."""
EXAMPLES = 3
TRIES = 3


@dataclass(slots=True)
class Served:
    """A hub with both vendors and some work done, in a thread with a loop of its own."""

    folder: Path
    url: str = ""
    token: str = ""
    known: dict[str, str] = field(default_factory=dict)
    description: dict = field(default_factory=dict)
    succeeded: set[str] = field(default_factory=set)
    _ready: threading.Event = field(default_factory=threading.Event)
    _done: asyncio.Event | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(60)
        assert self.known, "the hub could not be set up"
        return self

    def __exit__(self, *_) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(30)

    async def _serve(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with at_work(self.folder) as world:
                self.url, self.token = world.url, world.token
                self.description = world.app.openapi()
                self.known = await _fill(world)
                self._ready.set()
                await self._done.wait()
        finally:
            self._ready.set()


async def _fill(world: World) -> dict[str, str]:
    """Let a Case page somebody; return what the paths' parameters may be."""
    await world.connect()
    ruleset = await world.rules(rule("Page", CASE_CREATED, page(), when=HIGH), name="Mine")
    mapping = await world.mapped("PAPI001")
    case = await world.salesforce.create_case(Subject="It burns", Priority="High")
    await world.the_incident("It burns")
    event = await world.event("salesforce.case.created", case, state="done")
    await world.quiet()
    run = (await world.items("runs"))[0]
    correlation = (await world.items("correlations"))[0]
    return {
        "tenant": TENANT,
        "delivery": event["delivery"],
        "event": event["id"],
        "run": run["id"],
        "correlation": correlation["id"],
        "ruleset": ruleset["id"],
        "rule": "page",
        "version": "1",
        "mapping": mapping["id"],
        "name": "pagerduty",
        "plugin": "pagerduty",
        "source": "services",
        "query": "on_call",
        "object": "salesforce.case",
        "template": "salesforce.case_and_pagerduty",
    }


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.mark.slow
def test_every_operation_answers_as_described(served: Served) -> None:
    schema = schemathesis.openapi.from_dict(served.description)
    wrong, asked, unsteady = [], 0, 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.definition.raw["operationId"] in LEFT_ALONE:
            continue
        asked += 1
        for mode in schemathesis.GenerationMode:
            told: dict[str, None] = {}
            unsteady += not _exercised(operation, mode, served, told)
            wrong += [f"{operation.label}: {one}" for one in told]

    assert wrong == []
    assert unsteady < asked // 10
    assert asked > 120
    assert len(served.succeeded) > asked // 2, "most operations must get past their input's checks"


def _exercised(
    operation, mode: schemathesis.GenerationMode, served: Served, wrong: dict[str, None]
) -> bool:
    """Add what was answered otherwise than described; False: nothing steady could be generated."""
    for _ in range(TRIES):
        try:
            _ask(operation.as_strategy(generation_mode=mode), served, wrong)
        except (
            Flaky
        ):  # asking raises nothing: what is generated depends on what the tool has cached
            continue
        except Unsatisfiable:  # an operation without parameters can't be asked wrongly
            assert mode is schemathesis.GenerationMode.NEGATIVE
        return True
    return False


def _ask(strategy, served: Served, wrong: dict[str, None]) -> None:
    @given(case=strategy, known=st.sampled_from([True, True, False]))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case, known) -> None:
        parameters = dict(case.path_parameters or {})
        for name in served.known.keys() & parameters.keys() if known else ():
            if name == "tenant" or case.operation.method.upper() != "DELETE":
                parameters[name] = served.known[name]
        case.path_parameters = parameters
        try:
            answer = case.call(
                base_url=served.url, headers={"Authorization": f"Bearer {served.token}"}, timeout=60
            )
        except OSError as error:  # requests' own errors are OSErrors
            wrong[f"{type(error).__name__}: {error}"] = None
            return
        if answer.status_code < 300:
            served.succeeded.add(case.operation.label)
        if answer.status_code in VENDORS:
            return
        try:
            case.validate_response(answer, checks=CHECKS)
        except (BaseExceptionGroup, Failure) as error:
            wrong[_told(error)] = None

    ask()


def _told(error: BaseException) -> str:
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
    return "\n".join(str(one)[:1500] for one in parts)
