"""The commands against a real hub, after the demo's story."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.cli.main import run
from hub.settings import bare_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
HIGH = "High-priority cases page"
RULESET = "Case to PagerDuty"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    log = folder / "demo.out"
    with log.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, "-m", "hub", "demo", "--folder", str(folder)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=bare_environment(),
        )
    until = time.monotonic() + 120
    while "Ctrl-C ends it." not in log.read_text():
        assert started.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.2)
    yield folder
    started.send_signal(signal.SIGTERM)
    assert started.wait(30) == 0


@pytest.fixture
def call(
    demo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    for name in [one for one in os.environ if one.startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUB_DATA_DIR", str(demo / "data"))
    monkeypatch.setenv("HUB_TENANT", "demo")

    def hub(*arguments: str, status: int = 0, err: bool = False) -> str:
        ended = run(arguments)
        printed = capsys.readouterr()
        assert ended == status, printed
        return printed.err if err else printed.out

    return hub


def traced(call, *texts: str) -> str:
    """Return the trace with these texts: the numbers of deliveries vary with who was first."""
    for one in json.loads(call("delivery", "list", "--json"))["items"]:
        printed = call("delivery", "trace", one["id"], "--all")
        if all(text in printed for text in texts):
            return printed
    raise AssertionError(f"no delivery with {texts}")


def test_connectors_are_listed_in_plain_columns(call) -> None:
    assert call("connector", "list").splitlines() == [
        "Name        Type        Status  Remarks",
        "pagerduty   pagerduty   active  -",
        "salesforce  salesforce  active  -",
    ]


def test_a_test_prints_each_check(call) -> None:
    printed = call("connector", "test", "pagerduty")

    assert "✓ Connected to PagerDuty API (" in printed
    assert "✗" not in printed


def test_a_failing_check_names_cause_and_remedy_and_is_exit_status_1(call, demo) -> None:
    url = json.loads(call("connector", "show", "pagerduty", "--json"))["settings"]["base_url"]
    wrong = ("--set", f"base_url={url}", "--set", "api_key=x")
    added = call("connector", "add", "pagerduty", "wrong", *wrong, status=1)
    assert "Next: hub connector update wrong --set api_key=-" in added

    printed = call("connector", "test", "wrong", status=1)

    assert "✗ PagerDuty API: 401" in printed
    assert "  Fix: " in printed
    assert "auth failed" in call("connector", "list")
    call("connector", "delete", "wrong", "--yes")


def test_wrong_settings_are_told_all_at_once(call) -> None:
    config = '{"api_key": "x", "bogus": 1, "sync_interval": "1s"}'

    told = call("connector", "add", "pagerduty", "wrong", "--config", config, status=1, err=True)

    assert "/settings/bogus" in told
    assert "/settings/sync_interval" in told


def test_a_connector_type_that_is_not_installed_is_exit_status_3(call) -> None:
    told = call("connector", "add", "nope", "x", "--set", "a=b", status=3, err=True)

    assert "Installed: pagerduty, " in told


def test_secrets_are_shown_by_their_ending_only(call) -> None:
    printed = call("connector", "show", "pagerduty")

    assert "set, ends in" in printed
    assert "your-api-key" not in printed


def test_a_connector_is_paused_and_enabled(call) -> None:
    call("connector", "disable", "pagerduty")
    assert "paused" in call("connector", "list")

    call("connector", "enable", "pagerduty")
    assert "paused" not in call("connector", "list")


@pytest.mark.covers("IM-030", "IM-071")
def test_the_vendors_test_event_is_received(call) -> None:
    printed = call("connector", "webhook", "pagerduty", "--test")

    assert "✓ Received after" in printed
    assert "Webhook enabled" in call("connector", "webhook", "pagerduty", "--enable")
    assert "Active: yes" in " ".join(call("connector", "webhook", "pagerduty").split())


def test_live_lists_fields_and_questions(call) -> None:
    assert "PAPI001             API Service" in call(
        "connector", "choices", "pagerduty", "services"
    )
    fields = call("connector", "fields", "salesforce", "salesforce.case")
    assert "salesforce.case.PagerDuty_Incident_Id__c" in fields
    asked = call("connector", "query", "pagerduty", "on_call", "--set", "service=PAPI001")
    assert "Service: API Service\nCurrent On-Call: " in asked
    assert "  After 15 minutes → " in asked


def test_a_mapping_is_added_with_the_services_name_resolved_and_removed(call) -> None:
    added = call("mapping", "add", "pagerduty", "PWEB001", "salesforce.case.type=Other")
    assert added == "✓ salesforce.case.type = Other → PWEB001 (Web Service)\n"

    found = call("mapping", "resolve", "pagerduty", "salesforce.case", "--value", "type=Other")
    assert "Service: PWEB001 Web Service" in found

    rows = json.loads(call("mapping", "list", "--json"))["items"]
    call("mapping", "remove", next(one["id"] for one in rows if one["value"] == "Other"))
    assert "PWEB001" not in call("mapping", "list")


def test_a_trace_tells_the_whole_way(call) -> None:
    printed = call("delivery", "trace", "dlv_1")

    assert f'✓ Rule "{HIGH}" fired' in printed
    assert 'Priority is High, found "High"' in printed
    assert "pagerduty.create_incident at pagerduty: done Created incident" in printed
    assert "linked: pagerduty.incident #" in printed


def test_a_trace_tells_why_a_rule_did_not_fire(call) -> None:
    printed = traced(call, "salesforce.case.created", "Medium")

    assert f'- Rule "{HIGH}" did not fire' in printed
    assert '✗ Priority is High, found "Medium"' in printed
    assert "✓ Closed is false, found false" in printed


def test_an_echo_is_told_as_such(call) -> None:
    assert traced(call, "pagerduty.incident.resolved", "echo: the hub wrote status")


def test_why_not_gives_the_reason(call) -> None:
    created = traced(call, "salesforce.case.created", "Medium")
    event = re.search(r"evt_\d+(?=  salesforce.case.created)", created).group()

    printed = call("ruleset", "why-not", HIGH, event)

    assert "Answer: the rule does not match: Priority Medium is not High" in printed


def test_explain_says_what_would_be_done(call) -> None:
    printed = call("ruleset", "explain", "evt_1")

    assert "→ pagerduty.create_incident at pagerduty: planned" in printed
    assert 'service: "PAPI001"' in printed
    assert "incident_id: (known when it runs: hub.action.0.id)" in printed


def test_a_ruleset_is_shown_changed_published_and_rolled_back(call, tmp_path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(call("ruleset", "show", RULESET))
    assert call("ruleset", "diff", str(file)) == "No differences\n"

    file.write_text(file.read_text().replace("value: High", "value: Low"))
    assert '/value: "High" → "Low"' in call("ruleset", "diff", str(file), status=1)
    call("ruleset", "diff", str(file), status=1)  # asking changes nothing

    applied = call("ruleset", "apply", str(file), "--publish", "--note", "low too")
    assert applied.index('/value: "High" → "Low"') < applied.index("in the draft")
    assert "low too" in call("ruleset", "versions", RULESET)
    again = call("ruleset", "apply", str(file), "--publish")
    assert "the active version says the same" in again

    call("ruleset", "rollback", RULESET, "1")
    assert "value: High" in call("ruleset", "show", RULESET)

    file.write_text(call("ruleset", "show", RULESET))
    call("ruleset", "apply", str(file))  # the working copy goes back as well


def test_a_wrong_ruleset_is_told_with_the_place(call, tmp_path) -> None:
    file = tmp_path / "case.yaml"
    text = call("ruleset", "show", RULESET)
    file.write_text(text.replace("salesforce.case.priority", "salesforce.case.prioritie"))

    told = call("ruleset", "apply", str(file), status=1, err=True)

    assert "/rules/0/when/all/0/field: No field 'prioritie' on Case. Nearest: 'priority'." in told


def test_of_a_file_with_a_wrong_ruleset_nothing_is_applied(call, tmp_path) -> None:
    fine = call("ruleset", "show", RULESET).splitlines()
    wrong = [line.replace("case.priority", "case.prioritie") for line in fine]
    listed = ["rulesets:"]
    for name, lines in (("Fine", fine), ("Wrong", wrong)):
        renamed = [f"name: {name}" if line.startswith("name:") else line for line in lines]
        kept = [line for line in renamed if not line.strip(" -").startswith("id:")]
        listed += [f"{'- ' if at == 0 else '  '}{line}" for at, line in enumerate(kept)]
    file = tmp_path / "both.yaml"
    file.write_text("\n".join(listed))

    told = call("ruleset", "apply", str(file), status=1, err=True)

    assert "/rulesets/1/rules/0/when/all/0/field" in told
    assert "Fine" not in call("ruleset", "list")


def test_a_working_copy_is_tried_on_what_came_before(call, tmp_path) -> None:
    file = tmp_path / "case.yaml"
    active = call("ruleset", "show", RULESET)
    file.write_text(active.replace("value: High", "value: Low"))
    call("ruleset", "apply", str(file))

    told = call("ruleset", "what-if", RULESET, "--days", "1")

    file.write_text(active)
    call("ruleset", "apply", str(file))
    assert re.search(r"pagerduty.create_incident +1 +0 +-1", told)
    assert "differs: evt_1 salesforce.case.created" in told
    call("ruleset", "what-if", RULESET, "--days", "0", status=2, err=True)


def test_single_rules_are_moved_copied_and_switched(call, tmp_path) -> None:
    before = call("ruleset", "show", RULESET)
    rules = json.loads(call("rule", "list", RULESET, "--json"))["items"]
    first, second = (one["name"] for one in rules[:2])
    file = tmp_path / "rule.yaml"
    file.write_text(call("rule", "show", RULESET, first).replace(first, "Renamed"))

    assert "working copy" in call("rule", "move", RULESET, first, "--place", "2")
    call("rule", "copy", RULESET, second)
    call("rule", "disable", RULESET, second)
    call("rule", "set", RULESET, first, str(file))
    listed = call("rule", "list", RULESET)
    copied = call("rule", "show", RULESET, f"{second} (copy)")
    (tmp_path / "more.yaml").write_text(copied.replace(f"{second} (copy)", "Added"))
    call("rule", "add", RULESET, str(tmp_path / "more.yaml"), "--place", "1")
    call("rule", "delete", RULESET, f"{second} (copy)")
    ended = json.loads(call("rule", "list", RULESET, "--json"))["items"]
    call("rule", "enable", RULESET, second)
    missing = call("rule", "show", RULESET, "Nobody", status=3, err=True)
    call("ruleset", "copy", RULESET, "Elsewhere")
    call("rule", "move", RULESET, "Added", "--to", "Elsewhere")

    assert re.search(rf"1 +{re.escape(second)} +off", listed)
    assert re.search(rf"2 +{re.escape(second)} \(copy\) +on", listed)
    assert re.search(r"3 +Renamed +on", listed)
    assert [one["name"] for one in ended][:3] == ["Added", second, "Renamed"]
    assert "There is no rule 'Nobody'" in missing
    assert "Added" in call("rule", "list", "Elsewhere")
    assert "Added" not in call("rule", "list", RULESET)
    assert call("ruleset", "show", RULESET) == before, "nothing was published"
    call("ruleset", "delete", "Elsewhere", "--yes")
    (tmp_path / "before.yaml").write_text(before)
    call("ruleset", "apply", str(tmp_path / "before.yaml"))


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_rulesets_are_exported_and_imported_as_they_are(call, tmp_path, kind) -> None:
    file = tmp_path / f"all.{kind}"
    one = call("ruleset", "export", RULESET)
    call("ruleset", "export", "--output", str(file))
    again = call("ruleset", "import", str(file), "--states")
    text = file.read_text()
    file.write_text(text.replace(HIGH, "Renamed rule").replace("enabled: true\n", ""))
    plan = call("ruleset", "import", str(file), "--plan")
    drafted = call("ruleset", "import", str(file), "--draft")
    file.write_text(text)
    call("ruleset", "import", str(file), "--draft")

    assert one.count("state:") == 1
    assert "state: enabled" in one
    assert {line.rpartition(": ")[2] for line in again.splitlines()} == {"unchanged"}
    assert "Nothing was changed: this is the plan" in plan
    assert f"{RULESET}: change" in plan
    assert "Renamed rule" in drafted
    call("ruleset", "import", str(tmp_path / "none.yaml"), status=1, err=True)


def test_a_working_copy_and_a_file_are_tried_on_one_event(call, tmp_path) -> None:
    file, sample = tmp_path / "case.yaml", tmp_path / "sample.yaml"
    file.write_text(call("ruleset", "show", RULESET))
    sample.write_text(
        "trigger: salesforce.case.created\nconnector: salesforce\n"
        "record: {id: '5001', values: {priority: High, subject: Fire, is_closed: false}}\n"
        "before: {}\n"
    )

    on_event = call("ruleset", "dry-run", RULESET, "evt_1")
    of_file = call("ruleset", "dry-run", f"@{file}", f"@{sample}")

    assert f'Rule "{HIGH}" fired' in on_event
    assert f'Rule "{HIGH}" fired' in of_file
    assert re.search(r"Requests to vendors that this would be: [1-9]\d*\. Nothing", of_file)


def test_rulesets_are_copied_and_ordered(call) -> None:
    call("ruleset", "copy", RULESET, "Tried out")
    listed = call("ruleset", "order", "Tried out", RULESET).splitlines()

    assert [line.split("  ")[0] for line in listed[1:3]] == ["Tried out", RULESET]
    call("ruleset", "delete", "Tried out", "--yes")


def test_a_template_is_used_and_compared_and_its_rules_are_ordinary(call) -> None:
    name = "salesforce.case_and_pagerduty"
    assert name in call("template", "list")
    assert "cases=salesforce" in call("template", "show", name)
    call("template", "show", "no.such", status=3, err=True)

    roles = ("--role", "cases=salesforce", "--role", "paging=pagerduty")
    made = call("template", "use", name, *roles, "--name", "From template")

    assert "it is disabled" in made
    assert "from_template" in call("ruleset", "show", "From template")
    assert "No differences" in call("template", "diff", "From template")
    assert "No differences" in call("template", "upgrade", "From template")
    call("ruleset", "delete", "From template", "--yes")


def test_rules_that_fired_too_often_are_listed_and_reset(call) -> None:
    assert "Firings" in call("ruleset", "breakers")
    rule = json.loads(call("ruleset", "show", RULESET, "--json"))["rules"][0]["id"]
    assert "acts again" in call("ruleset", "reset", rule)


def test_a_ruleset_is_switched_off_and_on(call) -> None:
    call("ruleset", "disable", RULESET)
    assert "disabled" in call("ruleset", "list")
    call("ruleset", "shadow", RULESET)
    assert "shadow" in call("ruleset", "list")
    call("ruleset", "enable", RULESET)
    assert "disabled" not in call("ruleset", "list")


def test_a_replay_does_not_repeat_what_was_done(call) -> None:
    made = call("delivery", "replay", "dlv_1").split()[-1]

    until = time.monotonic() + 20
    while "pending" in (printed := call("delivery", "trace", made)):
        assert time.monotonic() < until, printed
        time.sleep(0.1)

    assert "pagerduty.create_incident at pagerduty: done" not in printed


def test_runs_and_their_requests(call) -> None:
    assert "pagerduty.create_incident" in call("run", "list")
    assert "POST http://127.0.0.1:" in call("run", "show", "run_1")
    told = call("run", "retry", "run_1", status=1, err=True)
    assert "run_1 is done" in told


def test_a_token_is_shown_once_and_works_until_it_is_revoked(call) -> None:
    token = call("token", "create", "ci", "--role", "auditor").splitlines()[-1]

    assert "pagerduty" in call("connector", "list", "--token", token)
    call("connector", "disable", "pagerduty", "--token", token, status=4, err=True)
    assert token not in call("token", "list")

    listed = json.loads(call("token", "list", "--json"))["items"]
    call("token", "revoke", next(one["id"] for one in listed if one["name"] == "ci"))
    call("connector", "list", "--token", token, status=4, err=True)


def test_a_value_map_is_set_and_shown(call) -> None:
    call("valuemap", "set", "severities", '{"SEV-1": "high", "SEV-2": "low"}')

    assert "SEV-1  high" in call("valuemap", "show", "severities")
    assert "severities" in call("valuemap", "list")


def test_tenants_are_added_changed_and_deactivated(call) -> None:
    call("tenant", "add", "acme", "--label", "Acme Inc.")
    call("tenant", "update", "acme", "--time-zone", "Europe/Berlin")
    assert "Time zone: Europe/Berlin" in call("tenant", "show", "acme")
    call("tenant", "deactivate", "acme")
    assert "deactivated" in call("tenant", "list")


def test_plugins_activity_audit_holds_and_the_inbox(call) -> None:
    assert "pagerduty" in call("plugins", "list")
    assert "State: loaded" in call("plugins", "show", "pagerduty")
    assert call("plugins", "operators-off").startswith("Operator")
    assert "is not off" in call("plugins", "switch-on", "x.y", status=3, err=True)
    assert "Created incident #" in call("activity", "list")
    assert "ruleset enabled" in call("audit", "list")
    assert call("hold", "list").startswith("Lane")
    assert "Pending events: " in call("inbox")


@pytest.mark.parametrize(
    "arguments",
    [["connector", "show"], ["delivery", "show"], ["delivery", "trace"], ["ruleset", "show"]],
)
def test_what_is_not_there_is_exit_status_3(call, arguments: list[str]) -> None:
    name = "dlv_999999" if arguments[0] == "delivery" else "nope"

    told = call(*arguments, name, status=3, err=True)

    assert told.splitlines()[-1].startswith("Fix: ")


def test_the_newest_deliveries_come_first(call) -> None:
    ids = [
        int(one["id"].removeprefix("dlv_"))
        for one in json.loads(call("delivery", "list", "--limit", "5", "--json"))["items"]
    ]

    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 5


def test_a_delivery_is_shown_as_it_came(call) -> None:
    printed = call("delivery", "show", "dlv_1", "--body")

    assert "hub.salesforce.trigger.v1" in printed
    assert "Connector: salesforce" in printed
