"""Comments of several runs in one request, while the org's requests are to be spared."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

import hub
from hub_salesforce.case import CASE
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.kit import actions
from hub_salesforce.testing import AGENT, FakeSalesforce
from hub_salesforce.together import Together

ACTIONS = actions(SALESFORCE, CASE)


def posted(org: FakeSalesforce) -> list[str]:
    found = [one.path for one in org.log.rows if one.method == "POST"]
    return [one.partition("/v")[2].partition("/")[2] for one in found if "/data/" in one]


@pytest.fixture
def case(org: FakeSalesforce) -> str:
    return org.create(AGENT, "Case", Subject="Line 3 down", Priority="High")


@pytest.fixture
def together(client: SalesforceClient) -> SalesforceClient:
    client._together.wait_s = 0.05
    return client


@pytest.mark.covers("SF-033")
async def test_comments_that_come_together_are_one_request(
    together: SalesforceClient, org: FakeSalesforce, sparing: Any, case: str
) -> None:
    await together.get("/limits")

    first, other, posted_too = await asyncio.gather(
        sparing("add_comment", case, body="a"),
        sparing("add_comment", case, body="b"),
        sparing("post_to_feed", case, body="c"),
    )

    assert posted(org) == ["composite/sobjects"]
    assert org.record("CaseComment", str(first.note))["CommentBody"] == "a"
    assert org.record("CaseComment", str(other.note))["CommentBody"] == "b"
    assert org.record("FeedItem", str(posted_too.note))["Body"] == "c"


async def test_one_that_is_refused_does_not_take_the_others_with_it(
    together: SalesforceClient, org: FakeSalesforce, sparing: Any, case: str
) -> None:
    fine, refused = await asyncio.gather(
        sparing("add_comment", case, body="a"),
        sparing("add_comment", "500000000000404AAA", body="b"),
        return_exceptions=True,
    )

    assert isinstance(refused, hub.ConnectorError)
    assert not isinstance(refused, hub.OutcomeUnknown)
    assert org.record("CaseComment", str(fine.note))["CommentBody"] == "a"


async def test_alone_it_is_sent_as_ever(
    together: SalesforceClient, org: FakeSalesforce, sparing: Any, case: str
) -> None:
    await sparing("add_comment", case, body="a")

    assert posted(org) == ["sobjects/CaseComment"]


async def test_when_whoever_sends_is_gone_the_others_are_tried_again() -> None:
    async def nobody(_: Any) -> list[str]:
        raise AssertionError("nothing is sent")

    joined = Together(send=nobody, wait_s=5)
    leader = asyncio.ensure_future(joined.create("CaseComment", {}))
    await asyncio.sleep(0)
    other = asyncio.ensure_future(joined.create("CaseComment", {}))
    await asyncio.sleep(0)
    leader.cancel()

    with pytest.raises(hub.Unavailable, match="not sent together"):
        await other
    assert joined._waiting == []


async def test_when_the_request_breaks_off_nobody_knows_whether_it_arrived() -> None:
    async def cut(_: Any) -> list[str]:
        raise ConnectionResetError("cut")

    joined = Together(send=cut, wait_s=0)
    found = await asyncio.gather(
        *(joined.create("CaseComment", {}) for _ in range(3)), return_exceptions=True
    )

    assert [type(one) for one in found] == [
        ConnectionResetError, hub.OutcomeUnknown, hub.OutcomeUnknown,
    ]  # fmt: skip


@pytest.fixture
def sparing(call_of: Any, together: SalesforceClient) -> Any:
    """Run an action while requests are to be spared."""

    async def run(verb: str, record: str, **given: Any) -> hub.ActionResult:
        action = next(one for one in ACTIONS if one.verb == verb)
        return await action.perform(replace(call_of(verb, record, **given), sparing=True))

    return run
