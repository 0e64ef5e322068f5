"""What every plugin of the hub promises."""

from typing import Any, ClassVar

import hub_pagerduty
import hub_remedyforce
import hub_salesforce
from hub.testing import PluginContract
from hub_remedyforce.names import INCIDENT_API
from hub_remedyforce.testing import install
from hub_salesforce.testing import FakeSalesforce

_ORG = FakeSalesforce(profile=install)
_INCIDENT = next(iter(_ORG.world.records[INCIDENT_API]))
_FIELDS = {"short_description": "Line 3 down", "category": "Hardware", "source": "Event"}


class TestRemedyforce(PluginContract):
    plugin = hub_remedyforce
    beside = (hub_pagerduty, hub_salesforce)
    settings: ClassVar[dict[str, Any]] = {
        "auth": "password",
        "username": "integration@acme.example",
        "password": "contract-password",
        "security_token": "contract-token",
        "webhook_secret": "payload-push-key",
        "organization_id": "00Dxx0000001gPL",
    }
    records: ClassVar[dict[str, str]] = {"remedyforce.incident": _INCIDENT}
    params: ClassVar[dict[str, Any]] = {
        "remedyforce.create_record": {"object": "remedyforce.incident", "fields": _FIELDS},
        "remedyforce.set_field": {"field": "remedyforce.incident.status", "value": "ASSIGNED"},
        "remedyforce.update_record": {
            "fields": {"urgency": "High", "resolution": "Replaced the belt"}
        },
        "remedyforce.link_back": {
            "incident_id": "PABC123",
            "incident_url": "https://acme.example/1",
        },
        "remedyforce.forward_event": {"path": "pagerdutyrf/pagerduty/webhook"},
        "remedyforce.assign_owner": {"owner": "Service Desk"},
        "remedyforce.upsert_record": {
            "object": "remedyforce.incident",
            "external_id_field": "event_id",
            "external_id": "PABC123",
            "fields": _FIELDS,
        },
        "remedyforce.close_incident": {"status": "CLOSED", "resolution": "Replaced the belt"},
        "remedyforce.reopen_incident": {"fields": {"short_description": "Again"}},
    }
