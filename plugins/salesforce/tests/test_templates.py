"""Rules offered ready-made."""

from typing import Any

import pytest

from hub_salesforce.templates import (
    CaseAndPagerDuty,
    CaseForService,
    case_and_pagerduty,
    case_for_service,
    templates,
)

CONNECTORS = {"cases": "prod-salesforce", "paging": "prod-pagerduty"}


def rules(**given: Any) -> dict[str, dict[str, Any]]:
    made = case_and_pagerduty(CaseAndPagerDuty.model_validate(given), CONNECTORS)
    return {rule["key"]: rule for rule in made}


def test_the_plain_choice_pages_and_follows_the_incident() -> None:
    assert list(rules()) == ["page", "close", "acknowledged", "resolved", "notes"]


@pytest.mark.covers("SF-032")
def test_comments_are_synchronised_only_where_asked_for() -> None:
    assert "comments" not in rules()
    assert rules(sync_comments=True)["comments"]["on"] == ["salesforce.case.commented"]


@pytest.mark.covers("SF-029", "SF-030")
def test_title_and_description_come_from_the_chosen_fields() -> None:
    create = rules(title_field="Short__c", description_field="Long__c")["page"]["then"][0]["with"]

    assert create["title"] == "{{ salesforce.case.Short__c | truncate: 1024 }}"
    assert create["body"].startswith("{{ salesforce.case.Long__c")


def test_an_empty_status_makes_no_rule() -> None:
    assert "acknowledged" not in rules(acknowledged_status="")


@pytest.mark.parametrize(
    ("where", "verbs"),
    [
        ("comment", ["salesforce.add_comment"]),
        ("feed", ["salesforce.post_to_feed"]),
        ("both", ["salesforce.add_comment", "salesforce.post_to_feed"]),
    ],
)
def test_notes_go_where_they_are_wanted(where: str, verbs: list[str]) -> None:
    assert verbs == [act["do"] for act in rules(notes_to=where)["notes"]["then"]]
    assert "notes" not in rules(notes_to="none")


@pytest.mark.covers("SF-054", "SF-055")
def test_a_services_incidents_make_cases_with_all_required_fields() -> None:
    params = CaseForService(service_name="XYZ", fields={"Region__c": "EU"})

    (rule,) = case_for_service(params, CONNECTORS)

    create = rule["then"][0]
    assert rule["on"] == ["pagerduty.incident.triggered"]
    assert rule["when"]["all"][0]["value"] == "XYZ"
    assert create["unless_linked"]
    assert create["with"]["fields"]["Region__c"] == "EU"
    assert create["with"]["fields"]["subject"] == "{{ pagerduty.incident.title | truncate: 255 }}"


def test_each_template_names_its_roles_and_tables() -> None:
    for template in templates():
        assert template.roles == {"cases": "salesforce", "paging": "pagerduty"}
        assert template.value_maps
