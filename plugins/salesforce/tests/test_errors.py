"""Answers read as connector errors."""

from datetime import UTC, datetime
from typing import Any

import pytest

import hub
from hub_salesforce.errors import Ambiguous, Answer, Conflict, Duplicate, demanded, raise_for

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def answer(status: int, body: Any = None, *, method: str = "PATCH", text: str = "") -> Answer:
    return Answer(
        method=method, path="/x", status=status, headers={}, data=body, text=text or str(body)
    )


def fault(code: str, message: str = "words", **more: Any) -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message, **more}]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, fault("UNABLE_TO_LOCK_ROW"), hub.Unavailable),
        (
            403,
            fault("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."),
            hub.RateLimited,
        ),
        (403, fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), hub.QuotaExhausted),
        (403, fault("INSUFFICIENT_ACCESS_OR_READONLY"), hub.Rejected),
        (403, fault("INVALID_OPERATION_WITH_EXPIRED_PASSWORD"), hub.AuthenticationFailed),
        (400, fault("REQUIRED_FIELD_MISSING", fields=["Subject"]), hub.Rejected),
        (400, fault("DUPLICATE_VALUE"), Duplicate),
        (404, fault("NOT_FOUND"), hub.Gone),
        (410, fault("GONE"), hub.Gone),
        (412, None, Conflict),
        (300, ["/services/data/v60.0/sobjects/Case/1"], Ambiguous),
        (401, fault("INVALID_SESSION_ID"), hub.AuthenticationFailed),
        (429, None, hub.RateLimited),
        (500, fault("UNKNOWN_EXCEPTION"), hub.OutcomeUnknown),
        (503, fault("SERVER_UNAVAILABLE"), hub.Unavailable),
        (414, None, hub.Rejected),
    ],
)
def test_an_answer_is_the_right_error(status: int, body: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        raise_for(answer(status, body), NOW)


def test_a_failed_reading_is_simply_tried_again() -> None:
    with pytest.raises(hub.Unavailable):
        raise_for(answer(500, fault("UNKNOWN_EXCEPTION"), method="GET"), NOW)


def test_the_fields_are_named() -> None:
    with pytest.raises(hub.Rejected, match=r"Required fields are missing: \[A\] \[A__c\]"):
        raise_for(
            answer(
                400,
                fault(
                    "REQUIRED_FIELD_MISSING", "Required fields are missing: [A]", fields=["A__c"]
                ),
            ),
            NOW,
        )


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("REQUIRED_FIELD_MISSING: Required fields are missing: [A__c] [A__c]", ("A__c",)),
        ("REQUIRED_FIELD_MISSING: Required fields are missing: [A, B]", ("A", "B")),
        ("DUPLICATE_VALUE: is there [C]; REQUIRED_FIELD_MISSING: words [D]", ("D",)),
        ("INVALID_FIELD: No such column [E]", ()),
        ("", ()),
    ],
)
def test_the_fields_that_a_record_lacked_are_read_from_the_words(
    words: str, fields: tuple[str, ...]
) -> None:
    assert fields == demanded(words)


def test_errors_of_collections_are_read_too() -> None:
    body = [
        {
            "statusCode": "DUPLICATE_VALUE",
            "message": "on record with id: 500xx000000bqjZ",
            "fields": [],
        }
    ]

    with pytest.raises(Duplicate) as refused:
        raise_for(answer(400, body), NOW)

    assert refused.value.existing == "500xx000000bqjZAAQ"


@pytest.mark.parametrize("status", [200, 201, 204, 304])
def test_success_passes(status: int) -> None:
    raise_for(answer(status, {"id": "1"}), NOW)
