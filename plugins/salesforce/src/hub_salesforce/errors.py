"""Salesforce's answers read as connector errors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import hub
from hub_salesforce.ids import SfId, to_18

QUOTA_PAUSE = timedelta(minutes=15)
"""The daily quota is a rolling window: it is worth asking again after this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry of an error list: Salesforce's code, its words and the fields it names."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = f" [{', '.join(self.fields)}]" if self.fields else ""
        return f"{self.code}: {' '.join(self.message.split())}{named}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer, its body read as JSON where it is JSON (`data` is None otherwise)."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    data: Any
    text: str

    @property
    def reads(self) -> bool:
        """Whether the request could not have written anything."""
        return self.method in {"GET", "HEAD"}


class SalesforceRejected(hub.Rejected):
    """Salesforce refused the request; `faults` are its reasons."""

    def __init__(self, message: str = "", faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


class Duplicate(SalesforceRejected):
    """A record with the same unique value exists already; `existing` is its id, where told."""

    @property
    def existing(self) -> SfId | None:
        """The id that the message ends with."""
        for fault in self.faults:
            found = re.search(r"record with id: ([A-Za-z0-9]{15,18})", fault.message)
            if found:
                return to_18(found.group(1))
        return None


class Ambiguous(SalesforceRejected):
    """Several records have the same external id."""


class Conflict(SalesforceRejected):
    """The record was changed since it was read: it is left as it is now."""


def raise_for(answer: Answer, now: datetime) -> None:
    """Raise the ConnectorError that an answer stands for; 2xx and 304 pass."""
    if 200 <= answer.status < 300 or answer.status == 304:
        _refuse_foreign_body(answer)
        return
    raise error_of(answer, faults_of(answer.data), now)


def faults_of(data: Any) -> tuple[Fault, ...]:  # noqa: ANN401 - any JSON body
    """Return the faults of an error body: a list of REST errors, of collection errors, or one."""
    rows = data if isinstance(data, list) else [data]
    return tuple(_fault(row) for row in rows if isinstance(row, dict))


def error_of(answer: Answer, faults: tuple[Fault, ...], now: datetime) -> hub.ConnectorError:
    """Return the error for an answer; codes count first, the status only where there is none."""
    said = "; ".join(map(str, faults)) or _shown(answer)
    for fault in faults:
        make = _BY_CODE.get(fault.code)
        if make:
            return make(fault, said, now)
    return _by_status(answer, said, faults)


def demanded(words: str) -> tuple[str, ...]:
    """Return the API names of the fields that a refusal says were missing."""
    named = (
        name.strip()
        for said in re.findall(r"REQUIRED_FIELD_MISSING: ([^;]*)", words)
        for listed in re.findall(r"\[([^\]]*)\]", said)
        for name in listed.split(",")
    )
    return tuple(dict.fromkeys(name for name in named if name))


def _fault(row: Mapping[str, Any]) -> Fault:
    code = row.get("errorCode") or row.get("statusCode") or row.get("error") or ""
    words = row.get("message") or row.get("error_description") or ""
    fields = row.get("fields") or ()
    return Fault(code=str(code), message=str(words), fields=tuple(map(str, fields)))


def _by_status(answer: Answer, said: str, faults: tuple[Fault, ...]) -> hub.ConnectorError:
    status = answer.status
    if status in _BY_STATUS:
        return _BY_STATUS[status](said)
    if status == 412:
        return Conflict(said, faults)
    if status == 300:
        return Ambiguous(f"more than one record has this external id: {said}", faults)
    if status == 429:
        return hub.RateLimited(said, retry_after=_seconds(answer.headers.get("retry-after")))
    if status >= 500:
        return hub.Unavailable(said) if answer.reads else hub.OutcomeUnknown(said)
    return SalesforceRejected(said, faults)


def _refuse_foreign_body(answer: Answer) -> None:
    """Refuse a page of HTML, or half an answer, that comes with a 200."""
    if answer.status in {204, 304} or answer.data is not None:
        return
    if answer.status in {200, 201} and answer.text.strip() != "null":
        words = f"the answer is no JSON, something else answered for Salesforce: {_shown(answer)}"
        raise hub.Unavailable(words) if answer.reads else hub.OutcomeUnknown(words)


def _limit(fault: Fault, said: str, now: datetime) -> hub.ConnectorError:
    if "concurrent" in fault.message.lower():
        return hub.RateLimited(said, retry_after=1.0)
    words = f"the org's API requests of the last 24 hours are used up ({said})"
    return hub.QuotaExhausted(words, until=now + QUOTA_PAUSE)


def _cause(
    kind: type[hub.ConnectorError], hint: str = ""
) -> Callable[[Fault, str, datetime], hub.ConnectorError]:
    def make(_fault: Fault, said: str, _now: datetime) -> hub.ConnectorError:
        return kind(f"{said} - {hint}" if hint else said)

    return make


def _rejected(
    kind: type[SalesforceRejected], hint: str = ""
) -> Callable[[Fault, str, datetime], hub.ConnectorError]:
    def make(fault: Fault, said: str, _now: datetime) -> hub.ConnectorError:
        return kind(f"{said} - {hint}" if hint else said, (fault,))

    return make


_BY_STATUS: Mapping[int, type[hub.ConnectorError]] = {
    401: hub.AuthenticationFailed,
    404: hub.Gone,
    408: hub.Unavailable,
    410: hub.Gone,
    502: hub.Unavailable,
    503: hub.Unavailable,
}
_HIDDEN = (
    "the field does not exist or the integration user cannot see it: check the API name "
    "(custom fields end in __c, fields of a package begin with its prefix) and grant Read on it"
)
_ACCESS = (
    "give the integration user Edit on the object (profile or permission set: guide, step 2) and "
    "access to the record (sharing)"
)
_BY_CODE: Mapping[str, Callable[[Fault, str, datetime], hub.ConnectorError]] = {
    "REQUEST_LIMIT_EXCEEDED": _limit,
    "API_DISABLED_FOR_ORG": _cause(
        hub.AuthenticationFailed,
        "this edition or trial has no API access: Enterprise, Unlimited and Developer have it, "
        "Professional needs the add-on, trials normally have it off (guide, Prerequisites)",
    ),
    "API_CURRENTLY_DISABLED": _cause(
        hub.AuthenticationFailed,
        "the org has API access, but this user has not: tick 'API Enabled' in the profile or "
        "permission set of the integration user (guide, step 2)",
    ),
    "TRIAL_EXPIRED": _cause(hub.AuthenticationFailed, "the trial of this org is over"),
    "ORG_LOCKED": _cause(hub.AuthenticationFailed, "the org is locked"),
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": _cause(
        hub.AuthenticationFailed, "the password of the integration user has expired: set a new one"
    ),
    "UNABLE_TO_LOCK_ROW": _cause(hub.Unavailable),
    "SERVER_UNAVAILABLE": _cause(hub.Unavailable),
    "ENTITY_IS_DELETED": _cause(hub.Gone),
    "DUPLICATE_VALUE": _rejected(Duplicate),
    "PRECONDITION_FAILED": _rejected(Conflict),
    "INVALID_FIELD": _rejected(SalesforceRejected, _HIDDEN),
    "INVALID_FIELD_FOR_INSERT_UPDATE": _rejected(
        SalesforceRejected, "grant Edit on the field to the integration user, or leave it out"
    ),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": _rejected(
        SalesforceRejected, "a trigger or flow in the org failed; it is not the hub's"
    ),
    "INSUFFICIENT_ACCESS_OR_READONLY": _rejected(SalesforceRejected, _ACCESS),
    "INSUFFICIENT_ACCESS": _rejected(SalesforceRejected, _ACCESS),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": _rejected(
        SalesforceRejected,
        "give the integration user access to the record that the new one points at: sharing of "
        "its object, or View All",
    ),
    "INVALID_TYPE": _rejected(
        SalesforceRejected,
        "the object is not in this org (is its package installed?), or the integration user has no "
        "Read on it (guide, step 2)",
    ),
}


def _shown(answer: Answer) -> str:
    body = " ".join(answer.text.split())[:300]
    return f"{answer.status} {body or 'empty body'}"


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
