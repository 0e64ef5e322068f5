"""What rules can do in Remedyforce."""

from typing import Any

from hub import Action
from hub_remedyforce.connector_type import REMEDYFORCE
from hub_remedyforce.notes import add_note
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.status import status_actions
from hub_remedyforce.validation import explained
from hub_salesforce import kit


def actions() -> list[Action[Any, Any]]:
    """Return the kit's actions and the package's own, all with its refusals explained."""
    plain = [one for one in kit.actions(REMEDYFORCE, INCIDENT) if one.verb != "add_comment"]
    return [explained(one) for one in (*plain, add_note(REMEDYFORCE), *status_actions(REMEDYFORCE))]
