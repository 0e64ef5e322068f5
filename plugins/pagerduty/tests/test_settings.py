"""Keys, hosts, durations."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub_pagerduty import settings as own
from hub_pagerduty.settings import PagerDutySettings, events_keys, seconds_of, webhook_secrets


def with_key(**more):
    return PagerDutySettings.model_validate({"api_key": "y_NbAkKc+ryYTWUXYEu9", **more})


@pytest.mark.parametrize("given", [{}, {"api_key": ""}, {"client_id": "c", "subdomain": "acme"}])
def test_a_connector_needs_a_way_in(given):
    with pytest.raises(ValidationError):
        PagerDutySettings.model_validate(given)


@pytest.mark.parametrize(
    "given",
    [
        {"api_key": "u+xxxxxxxxxxxxxxxxxxxxxx"},
        {"client_id": "c", "client_secret": "s", "subdomain": "acme"},
        {"integration_key": "a" * 32},
        {"vendor_key": "v"},
        {"app_id": "PAPP001"},
    ],
)
def test_any_one_way_in_is_enough(given):
    PagerDutySettings.model_validate(given)


@pytest.mark.covers("IM-032")
def test_a_key_may_look_like_anything_but_have_no_white_space():
    with pytest.raises(ValidationError, match="white space"):
        with_key(api_key="two words")

    assert with_key(api_key=" padded\n").api_key.get_secret_value() == "padded"


@pytest.mark.covers("IM-035")
def test_an_eu_account_has_eu_hosts_everywhere():
    eu = with_key(base_url="https://api.eu.pagerduty.com/")

    assert eu.base_url == "https://api.eu.pagerduty.com"
    assert own.events_host(eu) == "https://events.eu.pagerduty.com"
    assert own.app_host(eu) == "https://app.eu.pagerduty.com"
    assert own.is_eu(eu)


def test_a_base_url_that_is_not_pagerdutys_serves_everything():
    local = with_key(base_url="http://127.0.0.1:8099")

    assert own.events_host(local) == "http://127.0.0.1:8099"
    assert own.identity_host(local) == "http://127.0.0.1:8099"
    assert own.connect_address(local) == "http://127.0.0.1:8099/connect"


def test_us_hosts_are_the_default():
    us = with_key()

    assert own.events_host(us) == "https://events.pagerduty.com"
    assert own.identity_host(us) == "https://identity.pagerduty.com"
    assert own.connect_address(us) == "https://connect.pagerduty.com/connect"


@pytest.mark.covers("IM-036")
@pytest.mark.covers("IM-038")
def test_defaults_are_the_guides():
    settings = with_key()

    assert settings.sync_direction == "outbound"
    assert settings.sync_interval == "5m"
    assert settings.enable_webhook is True


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1h", 3600), ("1d", 86400), ("1h30m", 5400)]
)
def test_durations_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "1m1h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        seconds_of(text)


def test_an_interval_is_at_least_half_a_minute():
    with pytest.raises(ValidationError, match="30s"):
        with_key(sync_interval="29s")


@given(st.integers(1, 10**6))
def test_any_number_of_seconds_is_a_duration(seconds):
    assert seconds_of(f"{seconds}s") == seconds


def test_several_webhook_secrets_are_told_apart():
    settings = with_key(webhook_secret="one/Two+3= \n four,five")

    assert webhook_secrets(settings) == [b"one/Two+3=", b"four", b"five"]


def test_integration_keys_are_read_by_service():
    settings = with_key(
        integration_key="d" * 32,
        integration_keys={"PA": "a" * 32, "PB": {"key": "b" * 32, "version": "v1"}},
    )

    keys = events_keys(settings)

    found = {service: (one.key.get_secret_value()[0], one.version) for service, one in keys.items()}
    assert found == {"PA": ("a", "v2"), "PB": ("b", "v1"), "": ("d", "v2")}


@pytest.mark.parametrize("text", ["[]", "nonsense", '{"PA": {"key": "a", "version": "v9"}}'])
def test_integration_keys_that_cannot_be_read_are_refused(text):
    with pytest.raises(ValidationError):
        with_key(integration_keys=text)


def test_no_secret_is_shown():
    settings = with_key(
        webhook_secret="hidden-1",
        integration_keys={"PA": "hidden-2"},
        client_secret="hidden-3",
        webhook_token="hidden-4",
    )

    assert "hidden" not in repr(settings)
    assert "hidden" not in json.dumps(settings.model_dump(mode="json"))


def test_unknown_settings_are_refused_by_name():
    with pytest.raises(ValidationError, match="servic_id"):
        with_key(servic_id="PXXXXXX")
