"""The Apex that a customer installs for pushes: triggers, the class that sends, its test."""

from collections.abc import Mapping
from importlib import resources

NAMED_CREDENTIAL = "PagerDuty_API"
FILES = (
    "HubCase.trigger",
    "HubCaseComment.trigger",
    "HubSync.cls",
    "HubEngineLauncher.cls",
    "HubSyncTest.cls",
)
_TRIGGER = """// Tells the hub of new, changed, deleted and restored records of {label}.
trigger Hub{name} on {object} (after insert, after update, after delete, after undelete) {{
    HubSync.push('{object}', Trigger.oldMap, Trigger.newMap);
}}
"""


def sources(named_credential: str = NAMED_CREDENTIAL) -> Mapping[str, str]:
    """Return the files by name, calling the given named credential."""
    folder = resources.files(__name__)
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in FILES}
    calls, wanted = f"callout:{NAMED_CREDENTIAL}", f"callout:{named_credential}"
    return {name: text.replace(calls, wanted) for name, text in texts.items()}


def trigger_for(api_name: str, label: str) -> tuple[str, str]:
    """Return name and text of a trigger for any object."""
    name = "".join(part.capitalize() for part in api_name.removesuffix("__c").split("_") if part)
    return f"Hub{name}.trigger", _TRIGGER.format(label=label, name=name, object=api_name)
