"""What the hub counts of itself, as Prometheus reads it."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from hub.http.actor import Anyone

router = APIRouter(tags=["health"])


@router.get("/metrics", operation_id="get_metrics", response_class=PlainTextResponse)
async def get_metrics(_: Anyone, request: Request) -> PlainTextResponse:
    """Tell the process's counters; no tenant's data is among them."""
    text: str = request.app.state.engine.counters.text()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")
