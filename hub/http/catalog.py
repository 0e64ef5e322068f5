"""What the installed plugins declare, and what became of each, as the API tells it."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request

from hub.catalog.describe import describe, describe_report
from hub.catalog.plugins import PluginReport
from hub.errors import NotFound
from hub.http.actor import SignedIn
from hub.http.deps import TheCatalog

router = APIRouter(prefix="/api/v1", tags=["hub"])


@router.get("/catalog", operation_id="get_catalog")
async def get_catalog(_: SignedIn, catalog: TheCatalog) -> dict[str, Any]:
    """Show connector types with their settings' JSON schemas, objects, fields, actions, …."""
    return describe(catalog)


@router.get("/plugins", operation_id="list_plugins")
async def list_plugins(actor: SignedIn, request: Request) -> list[dict[str, Any]]:
    """List the plugins and what became of them; tracebacks are for the operator."""
    return [_shown(one, whole=actor.is_operator) for one in _reports(request)]


@router.get("/plugins/{plugin}", operation_id="get_plugin")
async def get_plugin(actor: SignedIn, request: Request, plugin: str) -> dict[str, Any]:
    """Show one plugin."""
    found = next((one for one in _reports(request) if one.name == plugin), None)
    if found is None:
        raise NotFound(f"There is no plugin {plugin!r}.")
    return _shown(found, whole=actor.is_operator)


def _reports(request: Request) -> Sequence[PluginReport]:
    reports: Sequence[PluginReport] = request.app.state.plugins
    return reports


def _shown(report: PluginReport, *, whole: bool) -> dict[str, Any]:
    shown = describe_report(report)
    return shown if whole else shown | {"traceback": ""}
