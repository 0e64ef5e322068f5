"""What the kit asks of actions, checks and lists; each check returns the faults it found."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx

from hub.sdk.actions import Action, ActionResult, Repeat
from hub.sdk.connector_types import ConnectorType
from hub.sdk.errors import (
    AuthenticationFailed,
    ConnectorError,
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
)
from hub.testing.network import refused_network
from hub.testing.subject import BASE_URL, Subject
from hub.testing.transports import (
    RETRY_AFTER_S,
    Failing,
    Fault,
    Recorded,
    asks_for_token,
    mapped,
    reads,
)

Work = Callable[[Any], Awaitable[Any]]
_AGAIN = (Unavailable, OutcomeUnknown)
_ALLOWED: dict[str, tuple[type[ConnectorError], ...]] = {
    "401": (AuthenticationFailed,),
    "403": (Rejected, AuthenticationFailed),
    "404": (Gone, Rejected),
    "429": (RateLimited,),
    "429-retry-after": (RateLimited,),
    "500": _AGAIN,
    "503": _AGAIN,
    "html-200": (*_AGAIN, Rejected),
    "html-502": _AGAIN,
    "empty-200": (*_AGAIN, Rejected),
    "no-connection": (Unavailable,),
    "timeout-before": (Unavailable,),
    "timeout-after": _AGAIN,
    "cut-after": _AGAIN,
}
_MAY_SUCCEED = {"empty-200"}
_LEAVES_OPEN = {"500", "timeout-after", "cut-after"}


def waited(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what the work returns
    """Run asynchronous work to its end, with no connection but the ones handed over."""
    with refused_network():
        return asyncio.run(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One piece of a plugin's work, on a fresh simulator where there is one."""

    subject: Subject
    declared: ConnectorType[Any, Any]
    work: Work
    writes_once: bool = False

    async def play(self, fault: Fault | None = None, *, nth: int = 1) -> tuple[Any, Recorded]:
        """Do the work, the `nth` request and all later ones failing; return what came of it."""
        simulator = self.subject.simulator_of(self.declared)
        inner = httpx.ASGITransport(app=simulator.app) if simulator else None
        transport = Failing(inner, fault, nth=nth) if fault else Recorded(inner)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
            client = self.subject.connected(self.declared, http, simulator)
            try:
                return await mapped(self.work(client)), transport
            except Exception as error:  # noqa: BLE001 - judged by the caller
                return error, transport

    async def requests(self) -> int:
        """Return how many requests the work takes when all is well."""
        if self.declared.simulator is None:
            return 1
        _, transport = await self.play()
        return len(transport.requests)


def action_scene(subject: Subject, action: Action[Any, Any]) -> Scene:
    """Return the scene in which an action is performed."""
    return Scene(
        subject=subject,
        declared=subject.connector_type_of(action.name),
        work=lambda client: action.perform(subject.call(action, client)),
        writes_once=action.repeat is Repeat.FIND_FIRST,
    )


def check_scene(subject: Subject, name: str) -> Scene:
    """Return the scene in which a check ("type.check") is run."""
    type_name, _, check_name = name.partition(".")
    declared = subject.connector_types[type_name]
    check = next(one for one in declared.checks if one.name == check_name)
    return Scene(subject=subject, declared=declared, work=check.run)


async def fault_faults(scene: Scene, fault: Fault) -> list[str]:
    """Find outcomes that don't fit a fault, planted into each request of the work in turn."""
    found = []
    total = await scene.requests()
    for nth in range(1, total + 1):
        outcome, transport = await scene.play(fault, nth=nth)
        if isinstance(transport, Failing) and transport.failed is not None:
            problem = _misfit(scene, fault, outcome, transport, last=nth == total)
            found += [f"{_shown(transport.failed)} failing with {fault.name}: {problem}"] * (
                problem is not None
            )
    return found


def _misfit(
    scene: Scene,
    fault: Fault,
    outcome: Any,  # noqa: ANN401 - a result or an error
    transport: Failing,
    *,
    last: bool,
) -> str | None:
    request = transport.failed
    if request is None or asks_for_token(request):
        return _no_connector_error(outcome)
    if not isinstance(outcome, Exception):
        return (
            None
            if _may_pass(fault, request, transport)
            else f"it ended as if all were well: {outcome!r:.200}"
        )
    if isinstance(outcome, ConnectorError) and any(
        secret in str(outcome) for secret in scene.subject.secrets()
    ):
        return "the error's message shows a secret"
    allowed = _ALLOWED[fault.name]
    if scene.writes_once and last and fault.name in _LEAVES_OPEN and not reads(request):
        allowed = (OutcomeUnknown,)
    if not isinstance(outcome, allowed):
        wanted = " or ".join(one.__name__ for one in allowed)
        return f"expected {wanted}, found {type(outcome).__name__}: {outcome}"
    if fault.name == "429-retry-after" and isinstance(outcome, RateLimited):
        return _pace(outcome)
    return None


def _may_pass(fault: Fault, request: httpx.Request, transport: Failing) -> bool:
    """Whether work may succeed in spite of a fault.

    What is refused or missing when read may not matter; nor may it after the main write is
    done: an incident that was made stays made when its last detail is refused.
    """
    if fault.name in _MAY_SUCCEED:
        return True
    before = transport.requests[: transport.nth - 1]
    written = any(not reads(one) and not asks_for_token(one) for one in before)
    return fault.name in {"403", "404"} and (reads(request) or written)


def _pace(outcome: RateLimited) -> str | None:
    if outcome.retry_after is not None and outcome.retry_after >= RETRY_AFTER_S:
        return None
    return f"Retry-After was {RETRY_AFTER_S}, retry_after is {outcome.retry_after}"


def _no_connector_error(outcome: Any) -> str | None:  # noqa: ANN401 - a result or an error
    if isinstance(outcome, Exception) and not isinstance(outcome, ConnectorError):
        return f"expected a ConnectorError, found {type(outcome).__name__}: {outcome}"
    return None


def _shown(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path}"


async def works_faults(scene: Scene) -> list[str]:
    """Find what keeps a piece of work from succeeding on the simulator."""
    outcome, _ = await scene.play()
    if isinstance(outcome, Exception):
        return [f"{type(outcome).__name__}: {outcome}"]
    return []


async def result_faults(subject: Subject, action: Action[Any, Any]) -> list[str]:
    """Find what is wrong with an action's result on the simulator."""
    outcome, _ = await action_scene(subject, action).play()
    if isinstance(outcome, Exception):
        hint = "" if action.name in subject.params else f"; give `params[{action.name!r}]`"
        return [f"{type(outcome).__name__}: {outcome}{hint}"]
    if not isinstance(outcome, ActionResult):
        return [f"expected an ActionResult, found {outcome!r:.200}"]
    found = [] if outcome.summary.strip() else ["the result's summary is empty"]
    record = outcome.record
    if action.creates and record is None:
        found.append("it creates a record and returns none")
    if record and action.target and record.source_object != action.target:
        found.append(f"its target is {action.target!r}, the result's {record.source_object!r}")
    return found


async def repeat_faults(subject: Subject, action: Action[Any, Any]) -> list[str]:
    """Find second effects when an action is sent again with the same key."""
    if action.repeat is Repeat.FIND_FIRST:
        return await _find_faults(subject, action)

    async def twice(client: Any) -> list[ActionResult]:  # noqa: ANN401 - the plugin's
        return [await action.perform(subject.call(action, client)) for _ in range(2)]

    outcome = await _played(subject, action, twice)
    if isinstance(outcome, Exception):
        return [f"sent twice: {type(outcome).__name__}: {outcome}"]
    first, second = (_made(one) for one in outcome)
    several = any(one != other for one, other in zip(first, second, strict=True) if one and other)
    return [f"sent twice, it made {first!r} and {second!r}"] if several else []


async def _find_faults(subject: Subject, action: Action[Any, Any]) -> list[str]:
    find = action.find
    if find is None:
        return ["is repeated by FIND_FIRST but has no find"]

    async def around(client: Any) -> list[Any]:  # noqa: ANN401 - the plugin's
        call = subject.call(action, client)
        return [await find(call), await action.perform(call), await find(call)]

    outcome = await _played(subject, action, around)
    if isinstance(outcome, Exception):
        return [f"find, perform, find: {type(outcome).__name__}: {outcome}"]
    before, made, after = outcome
    found = ["find finds what was never made"] if before is not None else []
    if after is None:
        return [*found, "find does not find what was made"]
    if _made(after) != _made(made):
        found.append(f"find finds {_made(after)!r}, made was {_made(made)!r}")
    return found


def _made(result: ActionResult) -> tuple[str | None, str | None]:
    return (result.record.id if result.record else None, result.note)


async def _played(subject: Subject, action: Action[Any, Any], work: Work) -> Any:  # noqa: ANN401 - what the work returns
    declared = subject.connector_type_of(action.name)
    outcome, _ = await Scene(subject=subject, declared=declared, work=work).play()
    return outcome


async def writes_faults(subject: Subject, action: Action[Any, Any]) -> list[str]:
    """Find values that `writes` promises and the record does not have afterwards."""
    if action.writes is None:
        return []

    async def work(client: Any) -> dict[str, Any]:  # noqa: ANN401 - the plugin's
        call = subject.call(action, client)
        result = await action.perform(call)
        found = dict(result.record.values) if result.record else {}
        record_id = result.record.id if result.record else call.record and call.record.id
        for poller in subject.connector_type_of(action.name).pollers:
            if poller.source_object == action.target and poller.fetch_one and record_id:
                found |= (await poller.fetch_one(client, record_id)).record.values
        return found

    found = await _played(subject, action, work)
    if isinstance(found, Exception):
        return [f"{type(found).__name__}: {found}"]
    promised = action.writes(subject.call(action, None).params)
    return [
        f"`writes` says {key} = {value!r}, the record has {found[key]!r}"
        for key, value in promised.items()
        if key in found and found[key] != value
    ]


async def choice_faults(subject: Subject, name: str) -> list[str]:
    """Find what is wrong with a live list ("type.source") on the simulator."""
    type_name, _, source_name = name.partition(".")
    declared = subject.connector_types[type_name]
    source = next(one for one in declared.choices if one.name == source_name)
    scene = Scene(subject=subject, declared=declared, work=lambda client: source.fetch(client, ""))
    outcome, _ = await scene.play()
    if isinstance(outcome, Exception):
        return [f"{type(outcome).__name__}: {outcome}"]
    values = [one.value for one in outcome]
    twice = sorted({one for one in values if values.count(one) > 1})
    return [f"{one!r} is listed twice" for one in twice] + [
        f"{one.value!r} has no label" for one in outcome if not one.label.strip()
    ]


async def poller_faults(subject: Subject, source_object: str) -> list[str]:
    """Find what is wrong with a poller's first pages on the simulator."""
    declared = subject.connector_type_of(source_object)
    poller = next(one for one in declared.pollers if one.source_object == source_object)

    async def work(client: Any) -> list[str]:  # noqa: ANN401 - the plugin's
        first = await poller.fetch(client, None)
        again = await poller.fetch(client, first.cursor)
        repeated = {one.key for one in first.events} & {one.key for one in again.events}
        return [f"the event {key!r} comes again after its cursor" for key in sorted(repeated)]

    outcome, _ = await Scene(subject=subject, declared=declared, work=work).play()
    return [f"{type(outcome).__name__}: {outcome}"] if isinstance(outcome, Exception) else outcome
