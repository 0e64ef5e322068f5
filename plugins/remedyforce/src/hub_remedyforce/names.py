"""The API names of the managed package that more than one module needs."""

PREFIX = "BMCServiceDesk__"


def api(name: str) -> str:
    """Return the API name of an object, field or relationship of the package: `Incident__c`."""
    return PREFIX + name


INCIDENT_API = api("Incident__c")
HISTORY_API = api("IncidentHistory__c")
CATEGORY_API = api("Category__c")
STATUS_API = api("Status__c")
ACTION_API = api("Action__c")
USER = "User"
