"""Deliveries, holds and the inbox, as the API offers them; and where webhooks come in."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from hub.deliveries import ingress
from hub.deliveries.history import Deliveries, Holds, Inbox
from hub.deliveries.replay import Replays
from hub.deliveries.schemas import (
    BulkReplayIn,
    BulkReplayOut,
    DeliveryDetail,
    DeliveryOut,
    DeliveryTrace,
    HoldOut,
    InboxCheckOut,
    InboxOut,
    ReleasedOut,
    ReplayIn,
)
from hub.deliveries.service import DeliveriesService, HoldsService, Releases, check_out, inbox_out
from hub.http.actor import OperationsAct, OperationsRead, Operator
from hub.http.deps import ReadSession, WriteSession
from hub.http.paging import Page, PageQuery

router = APIRouter(tags=["operations"])
router.routes.extend(ingress.routes())
_HOME = "/api/v1/tenants/{tenant}"


def _replays(request: Request) -> Replays:
    state = request.app.state
    return Replays(state.clients, state.engine.intake)


def _releases(request: Request) -> Releases:
    releases: Releases = request.app.state.engine.reopening
    return releases


def _engine(request: Request) -> Any:  # noqa: ANN401 - the engine is in a layer above
    return request.app.state.engine


TheReplays = Annotated[Replays, Depends(_replays)]
TheReleases = Annotated[Releases, Depends(_releases)]
TheEngine = Annotated[Any, Depends(_engine)]


@router.get(f"{_HOME}/deliveries", operation_id="list_deliveries")
async def list_deliveries(  # noqa: PLR0913, PLR0917 - what may be filtered by
    actor: OperationsRead,
    session: ReadSession,
    page: PageQuery,
    connector: Annotated[str | None, Query(max_length=63)] = None,
    state: Literal["accepted", "unreadable", "ignored"] | None = None,
    source: Literal["webhook", "poll", "import", "replay", "timer", "desk", "manual"] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[DeliveryOut]:
    """List what came in, the newest first."""
    service = DeliveriesService(Deliveries(session, actor.home), actor)
    items, following = await service.page(
        connector=connector,
        state=state,
        source=source,
        since=_aware(since),
        until=_aware(until),
        after=page.cursor,
        limit=page.limit,
    )
    return Page(items=items, next=following)


@router.post(f"{_HOME}/deliveries/replay", operation_id="replay_deliveries")
async def replay_deliveries(
    actor: OperationsAct, session: ReadSession, replays: TheReplays, asked: BulkReplayIn
) -> BulkReplayOut:
    """Count deliveries; with the count as `confirm`, work them again, the oldest first."""
    service = DeliveriesService(Deliveries(session, actor.home), actor)
    wanted = asked.model_copy(update={"since": _aware(asked.since), "until": _aware(asked.until)})
    return await service.replay_all(wanted, replays)


@router.get(f"{_HOME}/deliveries/{{delivery}}", operation_id="get_delivery")
async def get_delivery(
    actor: OperationsRead, session: ReadSession, delivery: str
) -> DeliveryDetail:
    """Show a delivery exactly as it came."""
    return await DeliveriesService(Deliveries(session, actor.home), actor).get(delivery)


@router.get(f"{_HOME}/deliveries/{{delivery}}/trace", operation_id="trace_delivery")
async def trace_delivery(
    actor: OperationsRead, session: ReadSession, delivery: str
) -> DeliveryTrace:
    """Show why a delivery did, or did not, do something: rules, runs, requests, links."""
    return await DeliveriesService(Deliveries(session, actor.home), actor).trace(delivery)


@router.post(
    f"{_HOME}/deliveries/{{delivery}}/replay", operation_id="replay_delivery", status_code=202
)
async def replay_delivery(
    actor: OperationsAct,
    session: ReadSession,
    replays: TheReplays,
    delivery: str,
    asked: ReplayIn,
) -> DeliveryOut:
    """Work a stored delivery again, at the end of its lanes."""
    service = DeliveriesService(Deliveries(session, actor.home), actor)
    return await service.replay(delivery, asked.mode, replays)


@router.get(f"{_HOME}/holds", operation_id="list_holds")
async def list_holds(actor: OperationsRead, session: ReadSession, page: PageQuery) -> Page[HoldOut]:
    """List lanes that wait, and for what."""
    service = HoldsService(Holds(session, actor.home), actor)
    items, following = await service.page(page.cursor, page.limit)
    return Page(items=items, next=following)


@router.post(f"{_HOME}/holds/{{lane}}/release", operation_id="release_hold")
async def release_hold(
    actor: OperationsAct, session: WriteSession, releases: TheReleases, lane: str
) -> ReleasedOut:
    """Let a lane go on now."""
    return await HoldsService(Holds(session, actor.home), actor, releases).release(lane)


@router.get("/api/v1/inbox", operation_id="get_inbox")
async def get_inbox(_: Operator, session: ReadSession, engine: TheEngine) -> InboxOut:
    """Show shards with their backlog, what waits and why, and the processes that work."""
    health = await engine.driver.health()
    return await inbox_out(Inbox(session), health, engine.driver_name)


@router.get("/api/v1/inbox/check", operation_id="check_inbox")
async def check_inbox(_: Operator, session: ReadSession, engine: TheEngine) -> InboxCheckOut:
    """Check what must hold of inbox and ledger at any moment, in all tenants."""
    return await check_out(session, engine.driver, engine.clock())


def _aware(moment: datetime | None) -> datetime | None:
    """Read a time without a zone as UTC."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)
