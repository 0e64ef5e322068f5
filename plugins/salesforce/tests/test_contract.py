"""What every plugin of the hub promises."""

from typing import Any, ClassVar

import hub_pagerduty
import hub_salesforce
from hub.testing import PluginContract
from hub_salesforce.testing import FakeSalesforce

_ORG = FakeSalesforce()
_CASE = next(iter(_ORG.world.records["Case"]))


class TestSalesforce(PluginContract):
    plugin = hub_salesforce
    beside = (hub_pagerduty,)
    settings: ClassVar[dict[str, Any]] = {
        "auth": "password",
        "username": "integration@acme.example",
        "password": "contract-password",
        "security_token": "contract-token",
        "webhook_secret": "payload-push-key",
        "organization_id": "00Dxx0000001gPL",
    }
    records: ClassVar[dict[str, str]] = {"salesforce.case": _CASE}
    params: ClassVar[dict[str, Any]] = {
        "salesforce.create_record": {
            "object": "salesforce.case",
            "fields": {"salesforce.case.subject": "Line 3 down", "Priority": "High"},
        },
        "salesforce.set_field": {"field": "salesforce.case.status", "value": "Working"},
        "salesforce.update_record": {"fields": {"priority": "Low", "Subject": "Line 3 works"}},
        "salesforce.link_back": {
            "incident_id": "PABC123",
            "incident_url": "https://acme.example/1",
        },
        "salesforce.forward_event": {"path": "pagerdutyrf/pagerduty/webhook"},
        "salesforce.assign_owner": {"owner": "Support Queue"},
        "salesforce.upsert_record": {
            "object": "salesforce.case",
            "external_id_field": "PagerDuty_Hub_Key__c",
            "external_id": "PABC123",
            "fields": {"subject": "Line 3 down"},
        },
    }
