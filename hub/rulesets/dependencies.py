"""What the rulesets' endpoints are handed."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeAlias

from fastapi import Body, Depends, Path, Query, Request
from pydantic import AfterValidator

from hub.http.actor import Actor
from hub.http.bodies import unstorable
from hub.http.deps import ReadSession, TheCatalog, TheClock, TheSettings, WriteSession
from hub.rulesets.bodies import RuleJson, readable
from hub.rulesets.live import PATIENCE_S, LiveLists
from hub.rulesets.plans import Plans
from hub.rulesets.work import Work

MakeWork: TypeAlias = Callable[[Actor], Work]


def the_plans(request: Request) -> Plans:
    """Return the process's compiled rules."""
    plans: Plans = request.app.state.plans
    return plans


ThePlans = Annotated[Plans, Depends(the_plans)]


def _reading(
    session: ReadSession, catalog: TheCatalog, plans: ThePlans, clock: TheClock
) -> MakeWork:
    return lambda actor: Work(session, actor, catalog, plans, clock)


def _writing(
    session: WriteSession,
    catalog: TheCatalog,
    plans: ThePlans,
    clock: TheClock,
    settings: TheSettings,
) -> MakeWork:
    most = settings.rules.max_in_tenant
    return lambda actor: Work(
        session, actor, catalog, plans, clock, locks=True, most_published=most
    )


Reading = Annotated[MakeWork, Depends(_reading)]
"""Makes the work of a request that only looks."""
Writing = Annotated[MakeWork, Depends(_writing)]
"""Makes the work of a request that changes; committed before the answer is sent."""


def _lists(request: Request) -> Callable[[Actor], LiveLists | None]:
    clients = getattr(request.app.state, "clients", None)
    return lambda actor: LiveLists(clients, actor.slug, PATIENCE_S) if clients is not None else None


Live = Annotated[
    bool,
    Query(description="Ask the vendors whether their lists have what the rules name."),
]


async def asked_lists(
    request: Request, actor: Actor, wanted: Callable[[Work], Awaitable[Sequence[RuleJson]]]
) -> LiveLists | None:
    """Return the vendors' lists, asked for what some rules name; None: there is nobody to ask.

    For use before a request's own session is opened: meanwhile nothing is locked.
    """
    lists, state = _lists(request)(actor), request.app.state
    if lists is None:
        return None
    async with state.database.reading() as session:
        work = Work(session, actor, state.catalog, state.plans)
        rules = readable({"rules": list(await wanted(work))})[0]
        schema = await work.schema()
    await lists.ask(rules, schema)
    return lists


TheLists = Annotated[Callable[[Actor], LiveLists | None], Depends(_lists)]
"""Makes what asks the vendors' live lists."""

STORABLE = r"^[^\x00]*$"
Named = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        pattern=STORABLE,
        description="A ruleset's id, or its name.",
    ),
]
RuleId = Annotated[
    str, Path(min_length=1, max_length=64, pattern=STORABLE, description="A rule's id.")
]


def _storable(rule: dict[str, Any]) -> dict[str, Any]:
    fault = unstorable(rule)
    if fault is not None:
        raise ValueError(fault)
    return rule


Rule = Annotated[dict[str, Any], Body(description="A rule of format 1."), AfterValidator(_storable)]
