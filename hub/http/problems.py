"""Errors as RFC 9457 `application/problem+json`."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from hub import ids
from hub.db.away import is_away
from hub.errors import (
    BadRequest,
    Fault,
    HubError,
    Invalid,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    Overloaded,
    TooLarge,
)
from hub.http.faults import fault_of, pointer_of, text_of

MEDIA_TYPE: Final = "application/problem+json"
logger = logging.getLogger(__name__)
_AWAY_S: Final = 5.0

_BY_STATUS: Final[dict[int, type[HubError]]] = {
    400: BadRequest,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
}


class ProblemFault(BaseModel):
    """One thing that is wrong in the request."""

    pointer: str = Field(description="Where, as a JSON pointer (RFC 6901).")
    detail: str
    code: str = "invalid"


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="Which kind of problem; stable.", examples=["/problems/invalid"])
    title: str
    status: int
    detail: str | None = None
    instance: str = Field(description="This occurrence; the log knows it under the same id.")
    errors: list[ProblemFault] | None = None
    theirs: Any = Field(None, description="What somebody else saved first (edited-meanwhile).")
    yours: Any = Field(None, description="What this request wanted to save instead.")
    changes: list[str] | None = Field(None, description="What turns theirs into yours, in words.")
    etag: str | None = Field(None, description="The present state, for If-Match.")


def problem_answer(error: HubError, instance: str) -> JSONResponse:
    """Return the answer that tells a client of an error."""
    body: dict[str, Any] = {
        "type": f"/problems/{error.slug()}",
        "title": error.title(),
        "status": error.status,
        "instance": f"urn:uuid:{instance}",
    }
    if error.detail and error.status != 500:
        body["detail"] = error.detail
    if error.errors:
        body["errors"] = [_shown(fault) for fault in error.errors]
    body |= {name: value for name, value in error.extra.items() if name not in body}
    return JSONResponse(
        jsonable_encoder(body), error.status, headers=_headers(error), media_type=MEDIA_TYPE
    )


def _shown(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "detail": fault.detail, "code": fault.code}


def _headers(error: HubError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def request_id(request: Request) -> str:
    """Return the request's id; the middleware gave it one."""
    return getattr(request.state, "request_id", None) or str(ids.new_id())


async def _on_hub_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HubError)  # noqa: S101 - registered for it
    instance = request_id(request)
    if error.status == 500:
        logger.error("request failed", exc_info=error, extra={"request": instance})
    return problem_answer(error, instance)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        place = next(one for one in found if one["type"] == "json_invalid")
        reason = place.get("ctx", {}).get("error", "not JSON")
        return problem_answer(
            BadRequest(f"The body is not JSON: {reason} at character {place['loc'][-1]}."),
            request_id(request),
        )
    faults = [_fault_of(one, _body_of(request)) for one in found]
    count = "One thing" if len(faults) == 1 else f"{len(faults)} things"
    return problem_answer(
        Invalid(f"{count} in the request can't be used.", errors=faults), request_id(request)
    )


def _fault_of(error: Mapping[str, Any], model: object) -> Fault:
    where, *path = error["loc"]
    if where == "body":
        return fault_of(error, path=path, model=model)
    named = "/".join(str(part) for part in path)
    text = text_of(error, path)
    return Fault(pointer_of(path), f"{where} parameter {named!r}: {text}", error["type"])


def _body_of(request: Request) -> object:
    field = getattr(request.scope.get("route"), "body_field", None)
    return field.field_info.annotation if field is not None else None


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    kind = _BY_STATUS.get(error.status_code, HubError)
    allowed = (error.headers or {}).get("Allow", "")
    told = {
        400: "The body can't be read.",
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.method} is not answered here. Answered are: {allowed}.",
    }
    detail = told.get(error.status_code, str(error.detail or ""))
    answer = problem_answer(kind(detail), request_id(request))
    answer.headers.update(error.headers or {})
    return answer


async def _on_database_away(request: Request, error: Exception) -> JSONResponse:
    if not is_away(error):
        raise error
    instance = request_id(request)
    logger.error("database does not answer: %s", error, extra={"request": instance})
    away = Overloaded("The database does not answer.", retry_after=_AWAY_S)
    return problem_answer(away, instance)


def add_problem_handlers(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""
    app.add_exception_handler(HubError, _on_hub_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for away in (DBAPIError, PoolTimeout, ConnectionError, TimeoutError):
        app.add_exception_handler(away, _on_database_away)
