"""What the package refuses, and what to do about it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub import Action, ActionCall, ActionResult
from hub_salesforce.kit import SalesforceRejected

CLOSED = "This incident is closed. Reopen the incident to modify it."
_STALE = frozenset({"INVALID_CROSS_REFERENCE_KEY", "FIELD_FILTER_VALIDATION_EXCEPTION"})
REMEDIES: Mapping[str, str] = {
    CLOSED: "set an open status in the same action, or use 'Reopen the incident'; what was not "
    "written can be retried after that",
    "To save the incident, select a value in any one of the following fields: Category, Template, "
    "or Request Definition.": "give the category or the template, by the service mapping or in the "
    "action, or at least an incident source",
    "To save the incident, select a value in any one of the following fields: Client ID, Contact "
    "or Lead.": "give exactly one of client and contact: this org has the package's optional rule "
    "switched on",
    "Select an active status that applies to incidents.": "the status was deactivated, or is one "
    "of changes or tasks: choose it anew from the list",
    "Outage Start Date is required.": "set the outage start together with its end",
    "Outage End Date must be later than Outage Start Date": "compare both times of the action",
    "Please enter the Follow Up Date.": "set 'Follow up at' where follow up is ticked",
    "The Follow Up Date must be later than the Close Date. Select a new Follow Up Date.": "set a "
    "later follow up",
    "The Due Date must be later than the Opened Date": "set a later due date, or set 'Opened at' "
    "in the same action",
    "You can not edit Request Definition.": "it can be given when the incident is made only",
    "Please enter Action.": "check the action of notes at the connector: it must exist, be active "
    "and apply to incidents",
    "Please enter duration in the format hh:mm": "as 00:05",
}
"""By the package's own words, as an org in English has them."""


def remedy_for(error: SalesforceRejected) -> str | None:
    """Return what to do about a refusal, None where nothing better is known than its words."""
    return next((fix for words, fix in REMEDIES.items() if says(error, words)), None)


def says(error: SalesforceRejected, words: str) -> bool:
    """Tell whether one of the package's rules said this."""
    return any(words in fault.message for fault in error.faults)


def explained(action: Action[Any, Any]) -> Action[Any, Any]:
    """Return the action with refusals explained, and names looked up anew when one is outdated."""

    async def perform(call: ActionCall[Any, Any]) -> ActionResult:
        try:
            return await _perform(action, call)
        except SalesforceRejected as error:
            fix = remedy_for(error)
            if fix is None:
                raise
            raise type(error)(f"{error} - {fix}", error.faults) from error

    return replace(action, perform=perform)


async def _perform(action: Action[Any, Any], call: ActionCall[Any, Any]) -> ActionResult:
    try:
        return await action.perform(call)
    except SalesforceRejected as error:
        outdated = any(fault.code in _STALE for fault in error.faults)
        if not outdated or not call.client.forget_remembered():
            raise
    return await action.perform(call)
