"""HTTP answers read as connector errors."""

from typing import TYPE_CHECKING, Any

from hub.sdk.errors import (
    AuthenticationFailed,
    ConnectorError,
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
)

if TYPE_CHECKING:
    import httpx

_SHOWN = 500


def raise_for_answer(answer: "httpx.Response") -> None:
    """Raise the ConnectorError that an answer other than 2xx stands for.

    401 -> AuthenticationFailed, 404 and 410 -> Gone, 429 -> RateLimited, 408, 502, 503 ->
    Unavailable (both with Retry-After in seconds, where given), other 5xx -> Unavailable for
    a GET or HEAD and OutcomeUnknown for what may have been written, the rest -> Rejected.
    """
    if not answer.is_success:
        raise _error_of(answer)


def json_of(answer: "httpx.Response") -> Any:  # noqa: ANN401 - whatever the vendor sent
    """Return the JSON of a 2xx answer.

    Raises what raise_for_answer raises. A success that is no JSON (empty, a proxy's page) is
    Unavailable for a GET or HEAD and OutcomeUnknown for what may have been written.
    """
    raise_for_answer(answer)
    try:
        return answer.json()
    except ValueError as error:
        reading = answer.request.method in {"GET", "HEAD"}
        said = f"Expected JSON, found {_said(answer)}"
        raise (Unavailable if reading else OutcomeUnknown)(said) from error


def _error_of(answer: "httpx.Response") -> ConnectorError:
    status, said = answer.status_code, _said(answer)
    if status == 401:
        return AuthenticationFailed(said)
    if status in {404, 410}:
        return Gone(said)
    if status == 429:
        return RateLimited(said, retry_after=_seconds(answer.headers.get("retry-after")))
    if status in {408, 502, 503}:
        return Unavailable(said, retry_after=_seconds(answer.headers.get("retry-after")))
    if status >= 500:
        reading = answer.request.method in {"GET", "HEAD"}
        return Unavailable(said) if reading else OutcomeUnknown(said)
    return Rejected(said)


def _said(answer: "httpx.Response") -> str:
    body = " ".join(answer.text.split())
    shown = body[:_SHOWN] + ("…" if len(body) > _SHOWN else "")
    return f"{answer.status_code} {answer.reason_phrase}: {shown or 'empty body'}"


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
