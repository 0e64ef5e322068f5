"""What was missed is found by asking: from the command line, with real vendors' answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from hub.cli.main import run
from tests.acceptance.world import CASE_CREATED, World, act, page, rule

Cli = Callable[..., Awaitable[str]]
RETITLE = rule(
    "Subject is the title",
    ["salesforce.case.updated"],
    act("pagerduty.set_title", title="{{ salesforce.case.subject }}"),
)


@pytest.fixture
def cli(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.setenv("HUB_URL", world.url)
    monkeypatch.setenv("HUB_TOKEN", world.token)
    monkeypatch.setenv("HUB_TENANT", world.tenant)

    async def hub(*arguments: str, status: int = 0) -> str:
        capsys.readouterr()
        ended = await asyncio.to_thread(run, arguments)
        printed = capsys.readouterr()
        assert ended == status, printed
        return printed.out

    return hub


@pytest.mark.covers("IM-059")
async def test_a_lost_change_is_told_by_a_comparison_and_worked_by_a_sync(
    world: World, cli: Cli
) -> None:
    await world.rules(rule("All page", CASE_CREATED, page()), RETITLE)
    case = await world.salesforce.create_case(Subject="First words", Priority="High")
    incident = await world.the_incident("First words")
    await world.quiet()
    await world.crm.fault("lose_push", times=1)
    await world.salesforce.change_case(case, Subject="Better words")
    await world.quiet()

    told = await cli("connector", "reconcile", "salesforce", status=1)
    synced = await cli("connector", "sync", "salesforce")
    await world.quiet()
    again = await cli("connector", "reconcile", "salesforce")

    assert "Better words" in told
    assert "changed" in told
    assert synced.startswith("✓ Synced salesforce: 1 in, 0 out, 1 unchanged, 0 errors (")
    assert "2 linked records compared, 2 unchanged" in again
    assert (await world.pagerduty.incident(incident["id"]))["title"] == "Better words"


async def test_existing_incidents_are_imported_and_make_cases(world: World, cli: Cli) -> None:
    adopt = act(
        "salesforce.create_record",
        unless_linked=True,
        object="salesforce.case",
        fields={"subject": "{{ pagerduty.incident.title }}", "origin": "Web"},
    )
    on = ["pagerduty.incident.updated"]
    await world.rules(rule("Make a case", on, adopt, object="pagerduty.incident"))
    before = {one["title"] for one in await world.pagerduty.incidents()}
    assert before

    told = await cli(
        "connector", "import", "pagerduty", "pagerduty.incident",
        "--set", 'statuses=["triggered", "acknowledged", "resolved"]',
    )  # fmt: skip
    await world.quiet()
    await cli("connector", "import", "pagerduty", "pagerduty.incident")
    await world.quiet()
    listed = await cli("connector", "imports", "pagerduty")

    assert told.startswith(f"✓ Import done: {len(before)} records read")
    subjects = [one["Subject"] for one in await world.cases()]
    assert [subjects.count(title) for title in before] == [1] * len(before)
    assert listed.count("done") == 2


@pytest.mark.covers("IM-037")
async def test_the_sync_interval_drives_polling(world: World) -> None:
    async def every() -> float:
        found: float = (await world.get("connectors/pagerduty/health"))["polls_every_s"]
        return found

    assert await every() == 300
    changed = {"settings": {"sync_interval": "1h30m"}}
    await world.api("PATCH", "connectors/pagerduty", changed)
    assert await every() == 5400
    await world.api("PATCH", "connectors/pagerduty", {"poll_every_s": 120})
    assert await every() == 120


async def test_what_can_not_be_meant_is_said(cli: Cli) -> None:
    await cli("connector", "sync", "nothing", status=3)
    await cli("connector", "import", "pagerduty", "pagerduty.incident", "--from", "soon", status=2)
    await cli("connector", "import", "pagerduty", "salesforce.case", status=1)
    await cli("connector", "update", "pagerduty", "--poll-every", "often", status=2)
    await cli("connector", "update", "pagerduty", "--poll-every", "90s", "--guard", "polling=80")
    shown = await cli("connector", "status", "pagerduty")
    (line,) = [one for one in shown.splitlines() if one.startswith("Polled every")]
    assert "90" in line


GUIDE = {
    "sync_direction": "bidirectional",
    "sync_interval": "2m",
    "custom": {
        "service_id": "PAPI001",
        "from_email": "ops@acme.example",
        "urgency_mapping": {"SEV-1": "high", "SEV-3": "low"},
        "service_mappings": {"api": "PAPI001", "default": "PGEN001"},
        "sync_notes": True,
    },
}


async def test_the_guides_document_is_taken_as_written(world: World, cli: Cli) -> None:
    document = {**GUIDE, "base_url": world.paging.url, "api_key": "demo-key"}

    told = await cli(
        "connector", "add", "pagerduty", "by-guide", "--no-check", "--config", json.dumps(document)
    )

    made = await world.get("connectors/by-guide")
    assert made["settings"]["service_id"] == "PAPI001"
    assert made["settings"]["sync_interval"] == "2m"
    assert made["settings"]["api_key"]["set"]
    assert "✓ Value map severity_to_urgency" in told
    rows = (await world.get("value-maps/severity_to_urgency"))["rows"]
    assert {(row["key"], row["value"]) for row in rows} == {("SEV-1", "high"), ("SEV-3", "low")}
    assert "✓ Service mapping default → PGEN001" in told
    mapped = await world.get("service-mappings")
    assert [(one["service"], one["default"]) for one in mapped] == [("PGEN001", True)]
    assert "demo-key" not in told


async def test_what_is_no_document_is_said_with_its_place(world: World) -> None:
    body = {"type": "pagerduty", "name": "odd", "document": {**GUIDE, "colour": "red"}}
    odd = await world.ask("POST", "connectors", body)
    crm = {"type": "salesforce", "name": "crm", "document": {"a": 1}}
    none = await world.ask("POST", "connectors", crm)

    assert (odd.status_code, none.status_code) == (422, 422)
    assert "/settings/colour" in {one["pointer"] for one in odd.json()["errors"]}
    assert [one["pointer"] for one in none.json()["errors"]] == ["/document"]
