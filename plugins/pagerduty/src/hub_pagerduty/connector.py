"""The connector type `pagerduty`, put together."""

import hub
from hub_pagerduty.checks import CHECKS
from hub_pagerduty.choices import CHOICES
from hub_pagerduty.client import PagerDutyClient, quota_of
from hub_pagerduty.config import read_config
from hub_pagerduty.connect import HANDSHAKE
from hub_pagerduty.discovery import DISCOVERY
from hub_pagerduty.on_call import QUERIES
from hub_pagerduty.polling import POLLERS
from hub_pagerduty.settings import PagerDutySettings, seconds_of
from hub_pagerduty.subscription import SUBSCRIPTION
from hub_pagerduty.trying import send_test
from hub_pagerduty.webhooks import RECEIVER


def _simulator() -> hub.Simulator:
    from hub_pagerduty.testing import simulator  # noqa: PLC0415 - production never loads it

    return simulator()


PAGERDUTY = hub.ConnectorType(
    name="pagerduty",
    label="PagerDuty",
    settings=PagerDutySettings,
    connect=PagerDutyClient,
    checks=CHECKS,
    choices=CHOICES,
    pollers=POLLERS,
    queries=QUERIES,
    receiver=RECEIVER,
    subscription=SUBSCRIPTION,
    discovery=DISCOVERY,
    handshake=HANDSHAKE,
    read_config=read_config,
    simulator=_simulator,
    requests_per_minute=900,
    quota=quota_of,
    send_test=send_test,
    limited_by="api_key",
    poll_every=lambda settings: float(seconds_of(settings.sync_interval)),
)
