"""What rules can do in PagerDuty."""

from typing import Any, Final

import hub
from hub_pagerduty.actions.alerts import ALERT_ACTIONS
from hub_pagerduty.actions.create import CREATE
from hub_pagerduty.actions.incident import INCIDENT_ACTIONS
from hub_pagerduty.actions.notes import NOTE_ACTIONS
from hub_pagerduty.actions.people import PEOPLE_ACTIONS
from hub_pagerduty.actions.plays import PLAY_ACTIONS

ACTIONS: Final[list[hub.Action[Any, Any]]] = [
    CREATE,
    *INCIDENT_ACTIONS,
    *NOTE_ACTIONS,
    *PEOPLE_ACTIONS,
    *PLAY_ACTIONS,
    *ALERT_ACTIONS,
]
