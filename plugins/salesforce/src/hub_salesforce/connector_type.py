"""The connector type `salesforce`, made with the kit."""

from hub import ChoiceSource, ConnectorType, Simulator
from hub_salesforce import kit
from hub_salesforce.case import CASE
from hub_salesforce.choices import case_statuses
from hub_salesforce.client import SalesforceClient
from hub_salesforce.settings import SalesforceSettings


def _simulator() -> Simulator:
    from hub_salesforce.testing import simulator  # noqa: PLC0415 - production never loads it

    return simulator()


SALESFORCE: ConnectorType[SalesforceSettings, SalesforceClient] = ConnectorType(
    name="salesforce",
    label="Salesforce",
    settings=SalesforceSettings,
    connect=SalesforceClient,
    checks=kit.checks(CASE),
    pollers=kit.pollers(CASE),
    choices=(
        *kit.choices(CASE),
        ChoiceSource(name="case_status", fetch=case_statuses),
        kit.picklist("case_priority", "Case", "Priority"),
        kit.picklist("case_origin", "Case", "Origin"),
        kit.picklist("case_type", "Case", "Type"),
        kit.picklist("case_reason", "Case", "Reason"),
    ),
    queries=kit.queries(CASE),
    receiver=kit.receiver(CASE),
    discovery=kit.discovery(CASE),
    simulator=_simulator,
    quota=kit.quota,
    poll_every=lambda settings: settings.poll_interval_seconds,
    demanded=kit.demanded,
    handshake=kit.handshake(),
    vault=kit.vault,
)
