"""Each action declares what its credentials need: with just that it works, without it does not."""

import pytest

import hub
from hub_pagerduty.actions import ACTIONS
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.settings import SCOPES, PagerDutySettings
from hub_pagerduty.testing import settings_for
from hub_pagerduty.testing.seed import APP

WORKED_ON, NEW = "QDEMO000000122", "QDEMO000000123"
GIVEN = {
    "create_incident": {"title": "T", "priority": "P1", "custom_fields": {"environment": "x"}},
    "acknowledge_incident": {},
    "resolve_incident": {"resolution": "Done"},
    "reopen_incident": {},
    "set_priority": {"priority": "P2"},
    "set_urgency": {"urgency": "low"},
    "set_title": {"title": "New"},
    "set_description": {"description": "More"},
    "set_conference": {"conference_url": "https://meet.example.com"},
    "set_custom_fields": {"fields": {"environment": "production"}},
    "set_incident_type": {"incident_type": "major_default"},
    "move_incident": {"service": "PWEB001"},
    "add_note": {"content": "Hello"},
    "publish_status_update": {"message": "We are on it"},
    "reassign_incident": {"users": ["jane.smith@company.com"]},
    "escalate_incident": {},
    "snooze_incident": {"duration": "1h"},
    "merge_incident": {"into": WORKED_ON},
    "add_responders": {"users": ["jane.smith@company.com"]},
    "run_workflow": {"workflow": "PWORK01"},
    "run_response_play": {"play": "PWORK01"},
}
REST = [one for one in ACTIONS if one.scopes]


@pytest.fixture
def by_app(http):
    """Make a client whose app token has these scopes."""

    def make(scopes):
        given = {
            **settings_for("https://pagerduty.test"),
            "api_key": None,
            "client_id": APP[0],
            "client_secret": APP[1],
            "subdomain": "demo",
            "scopes": " ".join(scopes),
        }
        return PagerDutyClient(PagerDutySettings.model_validate(given), http)

    return make


def test_every_action_says_what_it_needs():
    assert {one.verb for one in ACTIONS if not one.scopes} == {"send_event", "send_change_event"}
    assert {one.verb for one in REST} == set(GIVEN)


@pytest.mark.parametrize("action", REST, ids=lambda one: one.verb)
def test_what_an_action_needs_is_asked_for(action):
    assert set(action.scopes) <= set(SCOPES.split())


@pytest.mark.parametrize("action", REST, ids=lambda one: one.verb)
async def test_with_these_scopes_it_works(by_app, do_with, action):
    person = {} if action.verb == "set_custom_fields" else {"actor": "john.doe@company.com"}
    record = None if action.creates else NEW

    result = await do_with(by_app(action.scopes))(
        action.verb, record, **person, **GIVEN[action.verb]
    )

    assert result.summary


@pytest.mark.parametrize("action", REST, ids=lambda one: one.verb)
async def test_without_them_it_is_refused_and_says_so(by_app, do_with, action):
    record = None if action.creates else NEW

    with pytest.raises(hub.Rejected, match="lacks a scope"):
        await do_with(by_app(("abilities.read",)))(action.verb, record, **GIVEN[action.verb])


async def test_a_plan_without_the_ability_is_named(by_app, do_with, sim):
    (action,) = [one for one in REST if one.verb == "add_responders"]
    assert action.abilities == ("coordinated_responding",)
    sim.world.abilities.remove("coordinated_responding")

    with pytest.raises(hub.Rejected, match="plan lacks"):
        await do_with(by_app(action.scopes))(action.verb, NEW, **GIVEN[action.verb])
