"""What the installed plugins declare, and what became of each, as the API tells it."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.encoders import jsonable_encoder

from hub.catalog.catalog import Catalog
from hub.catalog.describe import describe, describe_report
from hub.catalog.plugins import PluginReport
from hub.errors import NotFound
from hub.http.actor import SignedIn
from hub.http.deps import TheCatalog

router = APIRouter(prefix="/api/v1", tags=["hub"])


@router.get("/catalog", operation_id="get_catalog", response_model=dict[str, Any])
async def get_catalog(_: SignedIn, catalog: TheCatalog, request: Request) -> Response:
    """Show connector types with their settings' JSON schemas, objects, fields, actions, …."""
    told: bytes | None = getattr(request.app.state, "catalog_described", None)
    if told is None:  # it never changes, and takes a while with many plugins
        told = await asyncio.to_thread(_described, catalog)
        request.app.state.catalog_described = told
    return Response(told, media_type="application/json")


def _described(catalog: Catalog) -> bytes:
    return json.dumps(jsonable_encoder(describe(catalog)), ensure_ascii=False).encode()


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
