"""The Apex that a customer installs for pushes, filled in for the connector."""

from importlib import resources
from typing import Any

from pydantic import Field

from hub import Query
from hub_remedyforce.names import INCIDENT_API
from hub_salesforce import kit
from hub_salesforce.kit import Form, SalesforceClient

FILES = (
    "PagerDutyIncidentTrigger.trigger",
    "PagerDutyIncidentHistoryTrigger.trigger",
    "HubRemedyforceTest.cls",
)
_SHARED = ("HubSync.cls", "HubEngineLauncher.cls")


class ApexParams(Form):
    """For which objects, beside incidents and their history."""

    objects: list[str] = Field(
        default=[],
        title="Objects",
        description="API names; empty for the connector's objects.",
        json_schema_extra={"x-hub": {"source": "objects"}},
    )


async def apex(client: SalesforceClient, params: ApexParams) -> dict[str, Any]:
    """Return the files by name, calling the connector's named credential."""
    credential = client.settings.named_credential
    files = sources(credential)
    for name in params.objects or client.settings.objects:
        if name != INCIDENT_API:
            describe = await client.describe(name)
            files.update([kit.apex_trigger(describe.name, describe.label)])
    return {"named_credential": credential, "files": files}


def sources(named_credential: str) -> dict[str, str]:
    """Return triggers, the classes that they call, and their test class."""
    shared = kit.apex_sources(named_credential)
    folder = resources.files(__package__) / "apex"
    own = {name: (folder / name).read_text(encoding="utf-8") for name in FILES}
    return {**{name: shared[name] for name in _SHARED}, **own}


APEX = Query(name="apex", label="Apex to install", params=ApexParams, run=apex)
