"""What a connector's settings take and refuse."""

from typing import Any

import pytest
from pydantic import ValidationError

from hub_salesforce.settings import SalesforceSettings

PASSWORD = {"auth": "password", "username": "a@acme.example", "password": "secret"}


def read(**more: Any) -> SalesforceSettings:
    return SalesforceSettings.model_validate({**PASSWORD, **more})


@pytest.mark.covers("SF-049")
@pytest.mark.parametrize(
    ("sandbox", "host"),
    [(False, "https://login.salesforce.com"), (True, "https://test.salesforce.com")],
)
def test_the_kind_of_org_chooses_host_and_audience(*, sandbox: bool, host: str) -> None:
    settings = read(sandbox=sandbox)

    assert host == settings.sign_in_url
    assert host == settings.jwt_audience


def test_the_audience_does_not_follow_my_domain() -> None:
    settings = read(login_url="acme.my.salesforce.com/")

    assert settings.sign_in_url == "https://acme.my.salesforce.com"
    assert settings.jwt_audience == "https://login.salesforce.com"


def test_what_the_sign_in_needs_is_named_by_its_labels() -> None:
    with pytest.raises(ValidationError, match="Consumer key, Salesforce shared key"):
        SalesforceSettings.model_validate({"auth": "jwt", "username": "a@acme.example"})


def test_the_security_token_follows_the_password() -> None:
    assert read(security_token="TOKEN").whole_password == "secretTOKEN"


def test_soap_login_stays_at_the_last_version_that_has_it() -> None:
    assert read(api_version="67.0").soap_version == "64.0"
    assert read(api_version="59.0").soap_version == "59.0"


@pytest.mark.parametrize(
    "given",
    [
        "pagerdutyrf/pagerduty/webhook",
        "/pagerdutyrf/pagerduty/webhook",
        "services/apexrest/pagerdutyrf/pagerduty/webhook",
    ],
)
def test_the_rest_resource_is_a_path(given: str) -> None:
    assert read(rest_resource_url=given).rest_resource_url == "pagerdutyrf/pagerduty/webhook"


def test_the_rest_resource_of_another_host_is_refused() -> None:
    with pytest.raises(ValidationError, match="path only"):
        read(rest_resource_url="https://elsewhere.example/x")


def test_secrets_are_not_shown() -> None:
    shown = repr(read(security_token="TOKEN", webhook_secret="hush"))

    assert not {"secret'", "TOKEN", "hush"} & set(shown.split("="))
    assert "hush" not in shown


def test_both_push_keys_are_in_force() -> None:
    assert read(webhook_secret="new", previous_webhook_secret="old").push_secrets == ("new", "old")
