"""The Apex that ships."""

import re

from hub_salesforce import apex


def test_every_file_is_shipped_and_says_what_it_is() -> None:
    found = apex.sources()

    assert set(apex.FILES) == set(found)
    assert all(text.startswith("// ") for text in found.values())


def test_the_envelope_has_what_the_receiver_reads() -> None:
    text = apex.sources()["HubSync.cls"]

    for member in ("schema", "orgId", "instanceUrl", "userId", "userName", "userEmail", "sentAt"):
        assert f"message.put('{member}'" in text


def test_the_launcher_has_the_signatures_of_the_packages() -> None:
    text = apex.sources()["HubEngineLauncher.cls"]

    assert "launchByTrigger(String oldStr, String newStr, Boolean isInsert)" in text
    assert (
        "launchByTrigger(String oldStr, String newStr, Boolean isInsert, String userEmail)" in text
    )
    assert "launchByCaseCommentTrigger(Set<Id> ids, String userEmail)" in text


def test_a_trigger_for_any_object_has_a_valid_name() -> None:
    name, text = apex.trigger_for("BMCServiceDesk__Incident__c", "Incident")

    assert re.fullmatch(r"Hub[A-Za-z0-9]+\.trigger", name)
    assert "on BMCServiceDesk__Incident__c (after insert, after update" in text
