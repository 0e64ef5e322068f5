"""What is installed: plugins with what became of them, and all that they declare."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from hub.catalog.describe import describe, describe_connector_type, describe_report
from hub.catalog.plugins import PluginReport
from hub.errors import NotFound
from hub.http.actor import Actor, SignedIn
from hub.http.deps import TheCatalog

router = APIRouter(prefix="/api/v1", tags=["catalog"])


class PluginList(BaseModel):
    """The plugins that were found, built-in ones first."""

    items: list[dict[str, Any]]


def the_reports(request: Request) -> Sequence[PluginReport]:
    """Return what became of each plugin when the process started."""
    reports: Sequence[PluginReport] = request.app.state.plugins
    return reports


TheReports = Annotated[Sequence[PluginReport], Depends(the_reports)]


@router.get("/plugins", operation_id="list_plugins")
async def list_plugins(actor: SignedIn, reports: TheReports) -> PluginList:
    """List the installed plugins; a broken one is in quarantine, with the reason."""
    return PluginList(items=[_shown(one, actor) for one in reports])


@router.get("/plugins/{name}", operation_id="get_plugin")
async def get_plugin(name: str, actor: SignedIn, reports: TheReports) -> dict[str, Any]:
    """Show one plugin; the traceback of a broken one is for the hub's operator."""
    for report in reports:
        if report.name == name:
            return _shown(report, actor)
    raise NotFound(f"No plugin {name!r} is installed.")


@router.get("/catalog", operation_id="get_catalog")
async def get_catalog(_actor: SignedIn, catalog: TheCatalog) -> dict[str, Any]:
    """Return all that the plugins declare: connector types, objects, fields, actions."""
    return describe(catalog)


@router.get("/catalog/connector-types/{name}", operation_id="get_connector_type")
async def get_connector_type(name: str, _actor: SignedIn, catalog: TheCatalog) -> dict[str, Any]:
    """Return one connector type, with the JSON Schema of its settings."""
    declared = catalog.connector_types.get(name)
    if declared is None:
        known = ", ".join(sorted(catalog.connector_types)) or "none"
        raise NotFound(f"There is no connector type {name!r}. Installed: {known}.")
    return describe_connector_type(catalog, declared)


def _shown(report: PluginReport, actor: Actor) -> dict[str, Any]:
    found = dict(describe_report(report))
    return found if actor.is_operator else {**found, "traceback": ""}
