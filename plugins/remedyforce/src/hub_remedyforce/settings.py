"""What an administrator sets for a Remedyforce connector."""

from pydantic import Field

from hub_remedyforce.history import NOTES
from hub_remedyforce.names import INCIDENT_API, api
from hub_salesforce.kit import SalesforceSettings

CATEGORY_SERVICE = "PagerDuty_Service_ID__c"


class RemedyforceSettings(SalesforceSettings):
    """Settings of a connector to one Salesforce org with Remedyforce in it."""

    objects: list[str] = Field(
        default=[INCIDENT_API],
        title="Objects",
        description="API names of the objects whose changes are read: the incident, and any "
        "other object of the org.",
        min_length=1,
        json_schema_extra={"x-hub": {"group": "records", "source": "objects"}},
    )
    hub_key_field: str = Field(
        default=api("Event_ID__c"),
        title="Key field",
        description="An External ID, unique: incidents that the hub makes are then made once, "
        "also when an answer was lost. Change it where event management uses Event ID.",
        json_schema_extra={"x-hub": {"group": "records", "advanced": True}},
    )
    note_action: str = Field(
        default=NOTES,
        title="Action of notes",
        description="The action of the incident history that PagerDuty's notes are written with.",
        min_length=1,
        json_schema_extra={"x-hub": {"group": "records", "source": "note_actions"}},
    )
    category_service_field: str = Field(
        default=CATEGORY_SERVICE,
        title="Service field of categories",
        description="API name of the field of Category that holds a PagerDuty service ID; "
        "categories with it go before the service mapping table.",
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        json_schema_extra={"x-hub": {"group": "records", "advanced": True}},
    )
