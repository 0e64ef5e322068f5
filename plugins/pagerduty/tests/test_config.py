"""The guide's documents are taken as written."""

import pytest

from hub_pagerduty.config import read_config
from hub_pagerduty.settings import PagerDutySettings

QUICK = {
    "base_url": "https://api.pagerduty.com",
    "api_key": "your-api-key-here",
    "sync_direction": "bidirectional",
    "sync_interval": "5m",
    "enable_webhook": True,
    "custom": {
        "service_id": "PXXXXXX",
        "from_email": "ops@company.com",
        "escalation_policy_id": "PXXXXXX",
    },
}
ADVANCED = {
    **QUICK,
    "sync_interval": "2m",
    "custom": {
        **QUICK["custom"],
        "urgency_mapping": {"SEV-1": "high", "SEV-2": "high", "SEV-3": "low", "SEV-4": "low"},
        "service_mappings": {"api": "PAPI001", "db": "PDAT001", "web": "PWEB001"},
        "auto_resolve": True,
        "sync_notes": True,
    },
}


@pytest.mark.parametrize("document", [QUICK, ADVANCED])
def test_the_settings_are_accepted(document):
    read = read_config(document)

    settings = PagerDutySettings.model_validate(dict(read.settings))
    assert (settings.service_id, settings.from_email) == ("PXXXXXX", "ops@company.com")
    assert settings.escalation_policy_id == "PXXXXXX"


@pytest.mark.covers("IM-033")
@pytest.mark.covers("IM-034")
@pytest.mark.covers("IM-039")
def test_the_custom_block_is_flattened():
    assert set(read_config(QUICK).settings) == {
        "base_url",
        "api_key",
        "sync_direction",
        "sync_interval",
        "enable_webhook",
        "service_id",
        "from_email",
        "escalation_policy_id",
    }


def test_the_direction_chooses_the_rules():
    both = read_config(ADVANCED).templates
    out = read_config({**QUICK, "sync_direction": "outbound"}).templates
    back = read_config({**QUICK, "sync_direction": "inbound"}).templates

    assert both == {
        "pagerduty.outbound": {"auto_resolve": True, "sync_notes": True},
        "pagerduty.inbound": {"sync_notes": True},
    }
    assert set(out) == {"pagerduty.outbound"}
    assert set(back) == {"pagerduty.inbound"}


@pytest.mark.covers("IM-040")
def test_severities_become_a_value_map():
    assert read_config(ADVANCED).value_maps["severity_to_urgency"]["SEV-2"] == "high"


def test_services_become_mapping_rows():
    rows = read_config({"service_mappings": {"api": "PAPI001", "default": "PGEN001"}})

    api, default = rows.service_mappings
    assert (api["object"], api["field"], api["value"], api["service"]) == (
        "im.incident",
        "service",
        "api",
        "PAPI001",
    )
    assert (default["default"], default["service"]) == (True, "PGEN001")
    assert rows.settings == {}
    assert rows.templates == {}


def test_a_block_of_custom_fields_is_read():
    read = read_config(
        {
            "custom_field_mappings": {
                "im_field": "pd_custom_field",
                "environment": "custom_details.environment",
            }
        }
    )

    assert read.value_maps == {"custom_fields": {"environment": "custom_details.environment"}}


def test_a_block_of_sla_times_is_read():
    read = read_config({"SEV-1": {"ack": "15m", "resolve": "1h"}, "SEV-2": {"ack": "30m"}})

    assert read.value_maps == {
        "sla_ack": {"SEV-1": "15m", "SEV-2": "30m"},
        "sla_resolve": {"SEV-1": "1h"},
    }
    assert read.settings == {}


def test_what_nobody_knows_is_left_to_be_refused_by_name():
    assert read_config({**QUICK, "servic_id": "x"}).settings["servic_id"] == "x"
