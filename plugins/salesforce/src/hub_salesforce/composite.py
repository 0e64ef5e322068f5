"""Several requests in one call: what they send, and each one's answer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hub_salesforce.errors import Answer, faults_of, raise_for

if TYPE_CHECKING:
    from hub_salesforce.client import Row, SalesforceClient

MARK_HEADER = {"Sforce-Call-Options": "client=integration-hub"}
"""Parts inherit no header of ours from the call, so each carries the mark itself."""


def part(
    reference: str,
    method: str,
    url: str,
    body: "Row | None" = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return one request of a composite call; `url` begins with /services/data."""
    request: dict[str, Any] = {"method": method, "url": url, "referenceId": reference}
    if body is not None:
        request["body"] = body
    return {**request, "httpHeaders": {**MARK_HEADER, **(headers or {})}}


def query_part(client: "SalesforceClient", reference: str, soql: str) -> dict[str, Any]:
    """Return a query as one request of a composite call."""
    return part(reference, "GET", f"{client.root}/query?q={quote(soql)}")


async def send(
    client: "SalesforceClient", parts: "Sequence[Row]", *, all_or_none: bool = False
) -> list[Answer]:
    """Send the parts in one call and return their answers in order, refused ones too."""
    answers = await client.composite(parts, all_or_none=all_or_none)
    return [_answer(sent, got) for sent, got in zip(parts, answers, strict=True)]


def accepted(client: "SalesforceClient", answer: Answer) -> Answer:
    """Return the answer of a part; raises the ConnectorError that it stands for."""
    raise_for(answer, client.now())
    return answer


def all_accepted(client: "SalesforceClient", answers: Sequence[Answer]) -> Sequence[Answer]:
    """Return the answers of a call that is saved whole; raises the refusal that undid it."""
    for one in answers:
        halted = any(fault.code == "PROCESSING_HALTED" for fault in faults_of(one.data))
        if one.status >= 400 and not halted:
            accepted(client, one)
    return [accepted(client, one) for one in answers]


def _answer(sent: "Row", got: "Row") -> Answer:
    body = got.get("body")
    headers = got.get("httpHeaders") or {}
    return Answer(
        method=str(sent["method"]),
        path=str(sent["url"]),
        status=int(got["httpStatusCode"]),
        headers={str(name).lower(): str(value) for name, value in headers.items()},
        data=body,
        text="" if body is None else str(body),
    )
