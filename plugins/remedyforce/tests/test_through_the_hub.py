"""A whole hub between the simulated Remedyforce org and PagerDuty's simulator."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hub.cli.main import run
from hub_remedyforce.names import (
    ACTION_API,
    CATEGORY_API,
    HISTORY_API,
    INCIDENT_API,
    STATUS_API,
    api,
)
from hub_remedyforce.testing import id_of, simulator
from hub_salesforce.testing import AGENT, FakeSalesforce
from tests.acceptance.world import JOHN, Vendor, World, act, all_, at_work, listen, serving

RULE_OBJECT = "remedyforce.incident"
BOTH = "remedyforce.incident_and_pagerduty"
FOR_SERVICE = "remedyforce.incident_for_service"
ROLES = {"itsm": "remedyforce", "paging": "pagerduty"}
Json = dict[str, Any]
pytestmark = pytest.mark.slow


@dataclass(slots=True, kw_only=True)
class Desk:
    """A hub with a PagerDuty and a Remedyforce connector; `org` is the simulated org."""

    world: World
    org: FakeSalesforce
    seeded: frozenset[str] = frozenset()
    """Titles of the pages that were there before: the hub may read them when it begins to poll."""

    def make(self, object: str = INCIDENT_API, **values: Any) -> str:
        """Create a record as an agent; it is pushed to the hub."""
        return str(self.org.create(AGENT, object, **_named(values)))

    def used(self, share: float) -> None:
        """Let this share of the org's requests of the day be used."""
        self.org.world.daily_limit = 1_000
        self.org.world.calls = [self.org.world.now()] * int(1_000 * share)

    def change(self, id: str, **values: Any) -> None:
        """Change an incident as an agent."""
        self.org.update(AGENT, INCIDENT_API, id, **_named(values))

    def line_down(self, category: str | None = "Hardware", priority: str = "High") -> str:
        """Create an incident of priority 1 (or 5)."""
        own = self.id(CATEGORY_API, category) if category else None
        return self.make(
            shortDescription__c="Line 3 down",
            incidentDescription__c="The conveyor stands still.",
            contactType__c="Phone",
            FKCategory__c=own,
            FKImpact__c=self.id(api("Impact__c"), priority),
            FKUrgency__c=self.id(api("Urgency__c"), priority),
        )

    def note(self, incident: str, text: str, action: str = "Notes") -> str:
        """Add a row to an incident's history as an agent."""
        own = self.id(ACTION_API, action)
        return self.make(HISTORY_API, FKIncident__c=incident, FKAction__c=own, note__c=text)

    def id(self, object: str, name: str) -> str:
        return id_of(self.org, object, name)

    def row(self, id: str) -> Json:
        return self.org.record(INCIDENT_API, id)

    def said(self, incident: str, action: str = "Notes") -> list[str]:
        """Return the texts of an incident's history rows of an action."""
        rows = self.org.world.rows(HISTORY_API)
        own = [one for one in rows if one[api("FKIncident__c")] == incident]
        return [one[api("note__c")] for one in own if one[api("actionId__c")] == action]

    async def has(self, id: str, **values: Any) -> Json:
        """Wait until an incident has the values; return it."""

        async def look() -> Json:
            found = self.row(id)
            assert {name: found[name] for name in _named(values)} == _named(values)
            return found

        found: Json = await self.world.until(look)
        return found

    async def new_incident(self, known: set[str]) -> Json:
        """Wait for an incident that was not known before."""

        async def look() -> Json | None:
            rows = [self.row(one) for one in self.known - known]
            assert len(rows) < 2, rows
            return rows[0] if rows else None

        found: Json = await self.world.until(look)
        return found

    @property
    def known(self) -> set[str]:
        """The incidents that are there now, without those of pages from before."""
        rows = self.org.world.rows(INCIDENT_API)
        return {one["Id"] for one in rows if one[api("shortDescription__c")] not in self.seeded}

    async def paged(self, words: str = "Line 3 down") -> Json:
        return await self.world.the_incident(words)

    async def page(self, service: str, title: str) -> str:
        """Open an incident in PagerDuty, as a monitoring tool would."""
        paging = self.world.pagerduty
        body = {
            "type": "incident",
            "title": title,
            "service": {"id": service, "type": "service_reference"},
            "urgency": "high",
        }
        answer = await self.world.http.post(
            f"{paging.url}/incidents",
            json={"incident": body},
            headers={
                "Authorization": f"Token token={await paging.key_of(JOHN)}",
                "Accept": "application/vnd.pagerduty+json;version=2",
                "From": "john@acme.example",
            },
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["incident"]["id"])

    async def notes(self, incident: str) -> list[str]:
        return [one["content"] for one in await self.world.pagerduty.notes(incident)]


def _named(values: Json) -> Json:
    own = {name for name in values if name.endswith("__c") and not name.startswith("PagerDuty")}
    return {(api(name) if name in own else name): value for name, value in values.items()}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = simulator()
    org: Any = made.app
    async with at_work(tmp_path) as world, serving(made.app, listen()) as url:
        world.crm = Vendor(url=url, settings=dict(made.settings(url)), http=world.http)
        await world.connect_pagerduty()
        body = {"type": "remedyforce", "name": "remedyforce", "settings": world.crm.settings}
        added = await world.post("connectors", body)
        secret = world.crm.settings["webhook_secret"]
        for name in (INCIDENT_API, HISTORY_API):
            trigger = {"object": name, "url": added["webhook_url"], "secret": secret}
            await world.crm.sim("POST", "apex-triggers", trigger)
        seeded = frozenset(one["title"] for one in await world.pagerduty.incidents())
        yield Desk(world=world, org=org, seeded=seeded)


@pytest.mark.covers("RF-001", "RF-002", "RF-003", "RF-010", "RF-011", "RF-106")
async def test_an_incident_and_its_page_stay_in_step(desk: Desk) -> None:
    world = desk.world
    own = desk.id(CATEGORY_API, "Database")
    await world.mapped("PAPI001", object=RULE_OBJECT, field="category", value=own)
    await world.template(BOTH, ROLES, {"acknowledged_status": "ASSIGNED"})

    desk.line_down("Database", priority="Low")
    incident = desk.line_down("Database")
    page = await desk.paged()
    linked = await desk.has(incident, PagerDuty_Incident_Id__c=page["id"])
    await world.pagerduty.acknowledge(page["id"], by=JOHN)
    await desk.has(incident, Status_ID__c="ASSIGNED")
    await world.pagerduty.resolve(page["id"], by=JOHN)
    closed = await desk.has(incident, Status_ID__c="CLOSED")
    await world.quiet()

    assert page["service"]["id"] == "PDAT001"
    assert page["urgency"] == "high"
    assert linked["PagerDuty_Incident_URL__c"] == page["html_url"]
    assert closed[api("incidentResolution__c")] == "Resolved in PagerDuty"
    assert len(await world.incidents("Line 3 down")) == 1
    assert desk.row(incident)[api("Status_ID__c")] == "CLOSED"


async def test_closing_an_incident_resolves_its_page(desk: Desk) -> None:
    await desk.world.mapped("PGEN001")
    await desk.world.template(BOTH, ROLES)
    incident = desk.line_down()
    page = await desk.paged()
    await desk.has(incident, PagerDuty_Incident_Id__c=page["id"])

    desk.change(incident, FKStatus__c=desk.id(STATUS_API, "COMPLETED"))

    async def resolved() -> bool:
        return (await desk.world.pagerduty.incident(page["id"]))["status"] == "resolved"

    assert await desk.world.until(resolved)
    await desk.world.quiet()
    assert desk.row(incident)[api("Status_ID__c")] == "COMPLETED"


@pytest.mark.parametrize("status", ["name", "looked up", "id"])
async def test_closing_by_our_own_write_is_an_echo_however_the_status_was_named(
    desk: Desk, status: str
) -> None:
    world = desk.world
    given = {"name": {"status": "CLOSED"}, "looked up": {}}
    own = given.get(status, {"status": desk.id(STATUS_API, "CLOSED")})
    close = {"do": "remedyforce.close_incident", "connector": "remedyforce",
             "with": {**own, "resolution": "Done"}}  # fmt: skip
    noted = {"do": "pagerduty.add_note", "connector": "pagerduty", "with": {"content": "Closed"}}
    page = {"do": "pagerduty.create_incident", "connector": "pagerduty", "unless_linked": True,
            "with": {"service": "PGEN001", "title": "Line 3 down"}}  # fmt: skip
    rules: list[Json] = [
        {"name": "Page", "on": [f"{RULE_OBJECT}.created"], "then": [page]},
        {"name": "Close", "on": ["pagerduty.incident.resolved"], "then": [close]},
        {"name": "Told", "on": [f"{RULE_OBJECT}.updated"], "then": [noted],
         "when": {"any": [{"field": f"{RULE_OBJECT}.{one}", "op": "changed"}
                          for one in ("status", "status_name", "is_open", "closed_at")]}},
    ]  # fmt: skip
    await world.rules(*({"format": 1, "object": RULE_OBJECT, **one} for one in rules))
    incident = desk.line_down()
    made = (await desk.paged())["id"]
    await world.quiet()

    await world.pagerduty.resolve(made, by=JOHN)
    await desk.has(incident, Status_ID__c="CLOSED")
    await world.quiet()
    newest = (await world.items("deliveries", connector="remedyforce"))[0]
    events = (await world.get(f"deliveries/{newest['id']}/trace"))["events"]

    assert [one["state"] for one in events] == ["echo"]
    assert await desk.notes(made) == []


@pytest.mark.covers("RF-004")
async def test_notes_go_both_ways_and_only_notes(desk: Desk) -> None:
    world = desk.world
    await world.mapped("PGEN001")
    await world.template(BOTH, ROLES)
    incident = desk.line_down()
    page = (await desk.paged())["id"]
    await desk.has(incident, PagerDuty_Incident_Id__c=page)

    desk.note(incident, "Plant has been told")
    desk.note(incident, "Is it fixed?", "Email Received")
    desk.change(incident, FKStatus__c=desk.id(STATUS_API, "WAITING"))
    await world.pagerduty.add_note(page, "Rolled back", by=JOHN)

    async def both() -> bool:
        return bool(await desk.notes(page)) and len(desk.said(incident)) == 2

    await world.until(both)
    await world.quiet()
    assert sorted(await desk.notes(page)) == ["Agent One: Plant has been told", "Rolled back"]
    assert desk.said(incident) == ["Plant has been told", "John Doe: Rolled back"]


@pytest.mark.covers("RF-062")
async def test_notes_are_put_off_when_requests_run_out_and_status_passes_them(desk: Desk) -> None:
    world = desk.world
    await world.mapped("PGEN001")
    await world.template(BOTH, ROLES, {"acknowledged_status": "ASSIGNED"})
    incident = desk.line_down()
    page = (await desk.paged())["id"]
    await desk.has(incident, PagerDuty_Incident_Id__c=page)
    await world.quiet()
    desk.used(0.96)
    await world.post("connectors/remedyforce/checks")

    await world.pagerduty.add_note(page, "Rolled back", by=JOHN)
    await world.pagerduty.acknowledge(page, by=JOHN)
    await desk.has(incident, Status_ID__c="ASSIGNED")
    await world.pagerduty.resolve(page, by=JOHN)
    await desk.has(incident, Status_ID__c="CLOSED")

    [put_off] = [one for one in await world.items("runs") if one["outcome"] == "put_off"]
    assert put_off["action"] == "remedyforce.add_note"
    assert desk.said(incident) == []
    assert await world.items("runs", state="dead") == []


async def test_a_note_after_closing_is_kept_and_written_after_reopening(desk: Desk) -> None:
    world = desk.world
    await world.mapped("PGEN001")
    await world.template(BOTH, ROLES, {"direction": "to_remedyforce"})
    incident = desk.line_down()
    page = (await desk.paged())["id"]
    await desk.has(incident, PagerDuty_Incident_Id__c=page)
    desk.change(incident, FKStatus__c=desk.id(STATUS_API, "CLOSED"))
    await world.pagerduty.add_note(page, "Post mortem", by=JOHN)

    async def dead() -> Json | None:
        runs = await world.items("runs", state="dead")
        return runs[0] if runs else None

    run = await world.until(dead)
    before = desk.said(incident)
    desk.change(incident, FKStatus__c=desk.id(STATUS_API, "OPENED"))
    await world.post(f"runs/{run['id']}/retry")

    async def written() -> list[str]:
        return desk.said(incident)

    assert await world.until(written) == ["John Doe: Post mortem"]
    assert before == []
    assert run["action"] == "remedyforce.add_note"
    assert "This incident is closed" in str(run)


@pytest.mark.covers("RF-106", "RF-127")
async def test_a_page_makes_an_incident_of_the_category_that_names_its_service(desk: Desk) -> None:
    world = desk.world
    hardware = desk.id(CATEGORY_API, "Hardware")
    inbound: Json = {"object": RULE_OBJECT, "outbound": False, "inbound": True}
    await world.mapped("PWEB001", **inbound, field="category", value=hardware)
    await world.template(FOR_SERVICE, ROLES, {"service_name": "Web Service"})
    known = desk.known

    await desk.page("PAPI001", "Not ours")
    page = await desk.page("PWEB001", "Checkout answers 500")
    made = await desk.new_incident(known)
    await world.quiet()

    assert made[api("shortDescription__c")] == "Checkout answers 500"
    assert made[api("Category_ID__c")] == "Web shop"
    assert (made[api("Impact_Id__c")], made[api("Priority_ID__c")]) == ("High", "1")
    assert made[api("contactType__c")] == "Event"
    assert page in made[api("incidentDescription__c")]
    assert len(desk.known - known) == 1


@pytest.mark.covers("RF-098", "RF-104")
@pytest.mark.parametrize(
    ("field", "value"),
    [(api("FKTemplate__c"), "Line down"), (api("Client_Name__c"), "Plant 3")],
)
async def test_the_table_sets_lookups_by_id_and_texts_as_they_are(
    desk: Desk, field: str, value: str
) -> None:
    world = desk.world
    wanted = desk.id(api("SYSTemplate__c"), value) if "FK" in field else value
    inbound: Json = {"object": RULE_OBJECT, "outbound": False, "inbound": True}
    await world.mapped("PGEN001", **inbound, field=field, value=wanted)
    await world.template(FOR_SERVICE, ROLES, {"service_name": "General Service"})
    known = desk.known

    await desk.page("PGEN001", "Line 3 down")
    made = await desk.new_incident(known)

    assert made[field] == wanted


@pytest.mark.covers("RF-098", "RF-105")
@pytest.mark.parametrize(
    ("field", "value"), [(api("FKCategory__c"), "Hardware"), ("source", " phone "), ("*", "")]
)
async def test_the_table_maps_what_no_category_names(desk: Desk, field: str, value: str) -> None:
    world = desk.world
    if field != "*":
        wanted = desk.id(CATEGORY_API, value) if "Category" in field else value
        await world.mapped("PPAY001", object=RULE_OBJECT, field=field, value=wanted)
        await world.mapped("PGEN001")
    else:
        await world.mapped("PPAY001")
    await world.template(BOTH, ROLES)

    desk.line_down()

    assert (await desk.paged())["service"]["id"] == "PPAY001"


@pytest.mark.covers("RF-096", "RF-097", "RF-099", "RF-103", "RF-107")
async def test_a_row_is_written_as_the_packages_form_has_it_and_a_category_wins_over_it(
    desk: Desk,
) -> None:
    world = desk.world
    database, hardware = (desk.id(CATEGORY_API, one) for one in ("Database", "Hardware"))
    form = {"object": INCIDENT_API, "inbound": True}
    by_name = await world.mapped(
        "PGEN001", **form, field=api("FKCategory__c"), value="hardware", name="Hardware desk"
    )
    by_short_id = await world.mapped(
        "PAPI001", **form, field=api("FKCategory__c"), value=database[:15]
    )
    template = await world.mapped(
        "PAPI001",
        **form,
        field=api("FKTemplate__c"),
        value=desk.id(api("SYSTemplate__c"), "Line down"),
    )

    async def tried(category: str) -> Json:
        asked = {"connector": "pagerduty", "object": RULE_OBJECT, "values": {"category": category}}
        found: Json = await world.post("service-mappings/resolve", {**asked, "ask_vendors": True})
        return found

    won = await tried(database)
    row = await tried(hardware)
    back = await world.post(
        "service-mappings/resolve",
        {"connector": "pagerduty", "direction": "inbound", "object": RULE_OBJECT,
         "service": "PAPI001", "ask_vendors": True},
    )  # fmt: skip

    assert (by_name["object"], by_name["class_api_name"]) == (RULE_OBJECT, INCIDENT_API)
    assert (by_name["field"], by_name["field_api_name"]) == ("category", api("FKCategory__c"))
    assert (by_name["value"], by_name["name"]) == (hardware, "Hardware desk")
    assert by_short_id["value"] == database
    assert (won["service"], won["by"]) == ("PDAT001", "resolver")
    assert won["steps"] == ["resolver remedyforce.category → PDAT001"]
    assert (row["service"], row["by"], row["row_name"]) == ("PGEN001", "row", "Hardware desk")
    assert row["steps"][0] == "resolver remedyforce.category: no answer"
    assert back["fields"] == {"category": database, "template": template["value"]}


@pytest.mark.covers("RF-033", "RF-056", "RF-100", "RF-101", "RF-102")
async def test_the_command_line_gives_what_is_pasted_into_the_set_up(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = desk.world
    at = ["--url", world.url, "--token", world.token, "--tenant", world.tenant]

    async def hub(*arguments: str) -> str:
        capsys.readouterr()
        ended = await asyncio.to_thread(run, ["connector", *arguments, *at])
        printed = capsys.readouterr()
        assert ended == 0, printed.err
        return printed.out + printed.err

    key, certificate, apex = (tmp_path / one for one in ("key.pem", "cert.pem", "apex"))
    await hub("keypair", "remedyforce", "--key", str(key), "--certificate", str(certificate))
    listed = await hub("apex", "remedyforce", "--folder", str(apex))
    categories = await hub(
        "query", "remedyforce", "SELECT Name, Id from BMCServiceDesk__Category__c;"
    )
    templates = await hub(
        "query", "remedyforce", "SELECT Name, Id from BMCServiceDesk__SYSTemplate__c"
    )

    pair = load_pem_private_key(key.read_bytes(), None)
    signed = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert pair.public_key() == signed.public_key()
    assert key.stat().st_mode & 0o077 == 0
    names = {one.name for one in apex.iterdir()}
    assert {"PagerDutyIncidentTrigger.trigger", "PagerDutyIncidentHistoryTrigger.trigger"} <= names
    assert all(one in listed for one in names)
    assert desk.id(CATEGORY_API, "Hardware") in categories
    assert "SOQL wants no ;" in categories
    assert desk.id(api("SYSTemplate__c"), "Line down") in templates


@pytest.mark.covers("RF-049", "RF-058")
async def test_what_the_triggers_leave_out_is_found_by_polling(desk: Desk) -> None:
    world = desk.world
    quickly = {"settings": {"poll_safety_lag_seconds": 0}}
    await world.api("PATCH", "connectors/remedyforce", quickly)
    for trigger in desk.org.outgoing.triggers:
        trigger.skip_contexts = ("batch", "future")
    await world.post("connectors/remedyforce/sync", {})
    await world.rules(_page_for(RULE_OBJECT, "short_description"))
    guard = "if (!System.isFuture() && !System.isBatch())"
    sources = await world.post("connectors/remedyforce/queries/apex", {})
    values = _named({"shortDescription__c": "Made by a batch", "contactType__c": "Event"})

    before = len(desk.org.outgoing.deliveries)
    desk.org.create(AGENT, INCIDENT_API, context="batch", **values)
    await asyncio.sleep(1.1)  # the newest second is left for the next poll
    await world.post("connectors/remedyforce/sync", {})

    assert await world.the_incident("Made by a batch")
    pushed = [one for one in desk.org.outgoing.deliveries[before:] if "Made by" in str(one.body)]
    assert pushed == []
    for name in ("PagerDutyIncidentTrigger", "PagerDutyIncidentHistoryTrigger"):
        assert guard in sources["files"][f"{name}.trigger"]
        assert "Test.isRunningTest()" in sources["files"][f"{name}.trigger"]


async def test_a_lost_answer_makes_no_second_incident(desk: Desk) -> None:
    world = desk.world
    await world.template(
        FOR_SERVICE, ROLES, {"service_name": "Web Service", "fields": {"note": "first"}}
    )
    known = desk.known
    await world.crm.fault("reset_after", path=".*/composite$", method="POST", times=1)

    await desk.page("PWEB001", "Checkout answers 500")
    made = await desk.new_incident(known)
    await world.quiet()

    assert made[api("Event_ID__c")].startswith(("h", "k"))
    assert len(desk.known - known) == 1


@pytest.mark.covers("RF-009", "RF-055")
async def test_one_account_serves_incidents_cases_and_accounts(desk: Desk) -> None:
    world = desk.world
    settings = {"objects": [INCIDENT_API, "Case", "Account"]}
    await world.api("PATCH", "connectors/remedyforce", {"settings": settings})
    secret = world.crm.settings["webhook_secret"]
    url = (await world.get("connectors/remedyforce"))["webhook_url"]
    rules = [_page_for(RULE_OBJECT, "short_description")]
    for name, title in (("Case", "Subject"), ("Account", "Name")):
        of = f"remedyforce.{name.lower()}"
        await world.api("PUT", f"connectors/remedyforce/objects/{of}", {})
        trigger = {"object": name, "url": url, "secret": secret}
        await world.crm.sim("POST", "apex-triggers", trigger)
        rules.append(_page_for(of, title))
    await world.rules(*rules)

    desk.line_down()
    desk.make("Case", Subject="Case for all", Origin="Web")
    desk.make("Account", Name="Account for all")

    for words in ("Line 3 down", "Case for all", "Account for all"):
        assert await world.the_incident(words)


def _page_for(source_object: str, title: str) -> Json:
    create = act(
        "pagerduty.create_incident",
        service="PGEN001",
        title=f"{{{{ {source_object}.{title} }}}}",
    )
    return {
        "format": 1,
        "name": source_object,
        "object": source_object,
        "on": [f"{source_object}.created"],
        "then": [create],
    }


@pytest.mark.covers("RF-054")
async def test_an_event_is_forwarded_to_the_rest_resource(desk: Desk) -> None:
    world = desk.world
    path = "pagerdutyrf/pagerduty/webhook"
    await world.api("PATCH", "connectors/remedyforce", {"settings": {"rest_resource_url": path}})
    forward = act("remedyforce.forward_event")
    rule = {
        "format": 1, "name": "Forward", "object": "pagerduty.incident",
        "on": ["pagerduty.incident.triggered"], "then": [forward],
    }  # fmt: skip
    await world.rules(rule)

    page = await desk.page("PWEB001", "Checkout answers 500")

    async def arrived() -> list[Json]:
        return list(desk.org.world.apex_rest[path])

    (message,) = (await world.until(arrived))[0]["messages"]
    assert (message["event"], message["incident"]["id"]) == ("incident.trigger", page)


async def test_a_priority_that_changes_in_remedyforce_is_set_in_pagerduty(desk: Desk) -> None:
    world = desk.world
    await world.mapped("PGEN001")
    await world.template(BOTH, ROLES)
    change = {
        "format": 1,
        "name": "Priority",
        "object": RULE_OBJECT,
        "on": [f"{RULE_OBJECT}.updated"],
        "when": all_({"field": f"{RULE_OBJECT}.priority_name", "op": "changed"}),
        "then": [
            act("pagerduty.set_priority", priority="P{{ remedyforce.incident.priority_name }}")
        ],
    }
    await world.rules(change)
    incident = desk.line_down()
    page = (await desk.paged())["id"]
    await desk.has(incident, PagerDuty_Incident_Id__c=page)

    desk.change(incident, FKUrgency__c=desk.id(api("Urgency__c"), "Medium"))

    async def prioritised() -> bool:
        found = await world.pagerduty.incident(page)
        return bool(found["priority"]) and found["priority"]["summary"] == "P2"

    assert await world.until(prioritised)


async def test_a_session_that_ends_in_between_is_renewed(desk: Desk) -> None:
    world = desk.world
    await world.mapped("PGEN001")
    await world.template(BOTH, ROLES)
    incident = desk.line_down()
    page = (await desk.paged())["id"]
    await desk.has(incident, PagerDuty_Incident_Id__c=page)
    await world.crm.sim("POST", "expire-sessions", {})

    await world.pagerduty.resolve(page, by=JOHN)

    assert await desk.has(incident, Status_ID__c="CLOSED")
