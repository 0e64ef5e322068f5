"""The contract that every plugin keeps."""

from typing import ClassVar

import hub_pagerduty
from hub.testing import PluginContract
from hub_pagerduty.testing import FakePagerDuty

TRIGGERED = "QDEMO000000123"
OTHER = "QDEMO000000122"
PLAY = next(iter(FakePagerDuty().world.plays))


class TestPagerDuty(PluginContract):
    plugin = hub_pagerduty
    settings: ClassVar = {
        "api_key": "y_NbAkKc+ryYTWUXYEu9",
        "service_id": "PXXXXXX",
        "from_email": "ops@company.com",
        "webhook_secret": "another/Secret+0f64Characters "
        "whsec/Lk3vPq9sT1mZ0xYb7Rn+4uWdEoAiJcGhQfSV2N6K8M5aDtXrBpC1lHeUgOyIjz",
    }
    records: ClassVar = {"pagerduty.incident": TRIGGERED}
    params: ClassVar = {
        "pagerduty.create_incident": {
            "title": "Database performance issue",
            "body": "Queries take seconds",
            "service": "PDAT001",
            "urgency": "high",
            "priority": "P1",
        },
        "pagerduty.resolve_incident": {"resolution": "Locks cleared"},
        "pagerduty.set_priority": {"priority": "P1"},
        "pagerduty.set_custom_fields": {"fields": {"environment": "staging"}},
        "pagerduty.set_incident_type": {"incident_type": "major_default"},
        "pagerduty.move_incident": {"service": "PAPI001"},
        "pagerduty.reassign_incident": {"users": ["jane.smith@company.com"]},
        "pagerduty.snooze_incident": {"duration": "1h"},
        "pagerduty.merge_incident": {"into": OTHER},
        "pagerduty.add_responders": {"users": ["jane.smith@company.com"]},
        "pagerduty.run_workflow": {"workflow": "PWORK01"},
        "pagerduty.run_response_play": {"play": PLAY},
        "pagerduty.send_event": {"summary": "Disk is full", "dedup_key": "disk"},
        "pagerduty.send_change_event": {"summary": "Deployed 1.2"},
        "pagerduty.set_conference": {"conference_url": "https://meet.example.com/db"},
    }
