"""The API's description: what FastAPI says of it, made true.

Problems are `application/problem+json` on every route, path parameters of a router's
prefix are declared, each operation names the permission it needs.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol, cast

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from hub._version import __version__
from hub.http.actor import Requires, RequiresNothing, RequiresOperator, RequiresSignIn
from hub.http.idempotency import HEADER
from hub.http.problems import MEDIA_TYPE, Problem

Json = dict[str, Any]
_REF: Final = "#/components/schemas/{model}"
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
_ALWAYS: Final = {
    400: "The request can't be read.",
    500: "The hub has a fault; its log knows the instance.",
    503: "The hub, or the connector, can't do this at the moment.",
}
_NEEDS_WHO: Final = {
    401: "No valid credentials came with the request.",
    403: "These credentials may not do this.",
}
_WRITING: Final = {
    409: "What is there stands in the way.",
    413: "The body is larger than the hub accepts.",
}
_MATCHING: Final = {
    412: "Somebody else changed it meanwhile.",
    428: "The request must say which state it changes (If-Match).",
}
_VENDOR: Final = {
    502: "The vendor did not do what was asked, or the plugin has a fault.",
    504: "The vendor did not answer.",
}
_PARAMETERS: Final[dict[str, str]] = {
    "tenant": "The tenant's short name.",
    "name": "The name.",
}


def install(app: FastAPI) -> None:
    """Make the app describe itself truthfully; the description is made once, when asked for."""

    def described() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way


def describe(app: FastAPI) -> Json:
    """Return the OpenAPI description of an app."""
    described = get_openapi(
        title="Integration Hub",
        version=__version__,
        summary="Keeps PagerDuty and the systems where tickets live in step.",
        routes=app.routes,
        separate_input_output_schemas=True,
    )
    schemas: Json = described.setdefault("components", {}).setdefault("schemas", {})
    for gone in ("HTTPValidationError", "ValidationError"):
        schemas.pop(gone, None)
    schemas |= _problem_schemas()
    described["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of the hub."}
    }
    for route in routes_of(app):
        for method in route.methods or ():
            operation = described["paths"].get(route.path_format, {}).get(method.lower())
            if operation is not None:
                _complete(operation, route, method)
    return described


class Described(Protocol):
    """A route with everything that its routers add."""

    @property
    def path_format(self) -> str: ...  # noqa: D102 - FastAPI's
    @property
    def methods(self) -> Iterable[str] | None: ...  # noqa: D102 - FastAPI's
    @property
    def dependant(self) -> Dependant: ...  # noqa: D102 - FastAPI's


def routes_of(app: FastAPI) -> Iterator[Described]:
    """Yield the app's routes that are described."""
    for one in iter_route_contexts(app.routes):
        if getattr(one, "include_in_schema", False) and hasattr(one, "dependant"):
            yield cast("Described", one)


def permission_of(route: Described) -> str | None:
    """Return what a route demands: a permission, operator, signed-in, anyone; None if nothing."""
    for guard in _guards(route.dependant):
        match guard:
            case Requires():
                return guard.permission.value
            case RequiresOperator():
                return "operator"
            case RequiresSignIn():
                return "signed-in"
            case RequiresNothing():
                return "anyone"
    return None


def _guards(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _guards(one)


def _complete(operation: Json, route: Described, method: str) -> None:
    needed = permission_of(route)
    parameters = operation.setdefault("parameters", [])
    _declare_path(parameters, route.path_format)
    if method == "POST" and route.path_format.startswith("/api/"):
        parameters.append(_idempotency_key())
    if needed not in {None, "anyone"}:
        operation["security"] = [{"token": []}]
        operation["x-permission"] = needed
    responses: Json = operation.setdefault("responses", {})
    responses.pop("422", None)
    for status, text in _problems(operation, needed, method).items():
        responses.setdefault(str(status), _problem(text))
    if not parameters:
        del operation["parameters"]


def _problems(operation: Json, needed: str | None, method: str) -> dict[int, str]:
    told = dict(_ALWAYS)
    guarded = needed not in {None, "anyone"}
    if guarded or operation["parameters"]:
        told |= _NEEDS_WHO
    if operation["parameters"]:
        told[404] = "There is no such thing here."
    if guarded or operation["parameters"] or "requestBody" in operation:
        told[422] = "The request says things that are not possible."
    if method != "GET":
        told |= _WRITING
    if any(one["name"] == "If-Match" for one in operation["parameters"]):
        told |= _MATCHING
    if not guarded and method == "POST":
        told |= {429: "Requests come too fast.", 401: _NEEDS_WHO[401]}
    if "connectors" in operation.get("tags", ()):
        told |= _VENDOR
    return told


def _declare_path(parameters: list[Json], path: str) -> None:
    declared = {one["name"] for one in parameters if one["in"] == "path"}
    for name in reversed(_PATH_PARAMETER.findall(path)):
        if name not in declared:
            parameters.insert(
                0,
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "description": _PARAMETERS.get(name, ""),
                    "schema": {"type": "string"},
                },
            )


def _idempotency_key() -> Json:
    return {
        "name": HEADER,
        "in": "header",
        "required": False,
        "description": "The same key within a day: carried out once, answered alike.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    }


def _problem(text: str) -> Json:
    schema = {"$ref": _REF.format(model="Problem")}
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}


def _problem_schemas() -> Json:
    schema = Problem.model_json_schema(ref_template=_REF)
    return {**schema.pop("$defs"), "Problem": schema}
