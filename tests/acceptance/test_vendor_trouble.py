"""A vendor that is away, slow or confused delays what it should do, in order and visibly."""

from pathlib import Path

import pytest

from tests.acceptance.world import (
    CASE_CREATED,
    Json,
    World,
    act,
    all_,
    at_work,
    is_,
    page,
    rule,
)

# ------------------------------------------------------------------- the vendor's troubles

TROUBLES = {
    "down": {"effect": "cut_before", "times": 2},
    "503": {"effect": "status", "status": 503, "times": 2},
    "500": {"effect": "status", "status": 500, "times": 2},
    "429": {"effect": "rate_limited_bare", "times": 1},
    "HTML": {"effect": "html", "times": 2},
    "answer lost": {"effect": "cut_after", "times": 1},
    "half an answer": {"effect": "truncated", "times": 1},
    "slow": {"effect": "timeout_before", "seconds": 3.0, "times": 1},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_a_vendor_in_trouble_is_tried_again_in_order_and_visibly(
    tmp_path: Path, trouble: Json
) -> None:
    quick = {"retry_cap_s": 0.3, "http_timeout_s": 1.0, "heartbeat_s": 2.0}
    async with at_work(tmp_path, dispatch=quick) as world:
        await world.connect()
        close = rule(
            "Closing resolves",
            ["salesforce.case.updated"],
            act("pagerduty.resolve_incident"),
            when=all_(is_("salesforce.case.is_closed", True, "changed_to")),
        )
        await world.rules(rule("All page", CASE_CREATED, page()), close)
        how = {**trouble, "path": "^/incidents$", "method": "POST"}
        await world.paging.fault(how.pop("effect"), **how)

        case = await world.salesforce.create_case(Subject="In trouble")
        await world.salesforce.change_case(case, Status="Closed")

        async def resolved() -> bool:
            found = await world.incidents("In trouble")
            return [one["status"] for one in found] == ["resolved"]

        await world.until(resolved)
        created = await world.event("salesforce.case.created", case, state="done")
        await world.event("salesforce.case.updated", case, state="done")
        [run] = created["runs"]
        assert run["state"] == "done"
        assert len(run["attempts_made"]) >= 2
        lines = [one["text"] for one in await world.items("activity")]
        assert any("attempt 1 failed, again at" in one for one in lines)


async def test_a_lane_that_waits_for_a_vendor_is_shown_and_the_others_go_on(world: World) -> None:
    await world.rules(
        rule("All page", CASE_CREATED, page()),
        rule(
            "Closing resolves",
            ["salesforce.case.updated"],
            act("pagerduty.resolve_incident"),
            when=all_(is_("salesforce.case.is_closed", True, "changed_to")),
        ),
    )
    await world.paging.fault(
        "rate_limited", path="^/incidents$", method="POST", times=1, headers={"retry-after": "60"}
    )

    first = await world.salesforce.create_case(Subject="Has to wait")
    hold = await world.held("retry")

    assert hold["waiting"] == 1
    assert hold["not_before"]
    assert "429" in hold["detail"] or "limit" in hold["detail"].lower()
    event = await world.event("salesforce.case.created", first, state="pending")
    assert event["held"]["reason"] == "retry"
    assert event["runs"][0]["state"] == "waiting"
