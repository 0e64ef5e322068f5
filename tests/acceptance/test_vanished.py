"""A plugin whose operator rules use goes away, and comes back: through real starts of the hub."""

import shutil
from pathlib import Path
from textwrap import dedent

import pytest

from tests.acceptance.world import CASE_CREATED, Json, World, act, all_, at_work, is_, page, rule

MODULE = "hub_shouts_for_a_test"
PLUGIN = """
    import hub
    from pydantic import BaseModel
    from hub.sdk.connector_types import ConnectorType
    from hub.sdk.operators import Operator
    from hub.sdk.vocabulary import FieldType


    class Settings(BaseModel):
        pass


    @hub.hookimpl
    def hub_register_connector_types():
        return [ConnectorType(
            name="shouts", label="Shouts", settings=Settings, connect=lambda settings, http: None
        )]


    def compiled(operand, field):
        return lambda actual, prior, at: len(actual or '') >= len(operand)


    @hub.hookimpl
    def hub_register_operators():
        return [Operator(
            name="shouts.is_loud",
            label="is as loud as",
            sentence="{field} is as loud as {value}",
            types=frozenset({FieldType.TEXT}),
            compile=compiled,
        )]
    """


def install(place: Path) -> None:
    place.mkdir(exist_ok=True)
    (place / f"{MODULE}.py").write_text(dedent(PLUGIN))
    info = place / f"{MODULE}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {MODULE}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[hub]\nshouts = {MODULE}\n")


async def reconnect(world: World) -> None:
    """Let the kept connectors use this world's vendors."""
    await world.api("PATCH", "connectors/pagerduty", {"settings": world.paging.settings})
    settings = world.crm.settings | {"webhook_secret": world.push_key, "poll_enabled": False}
    made = await world.api("PATCH", "connectors/salesforce", {"settings": settings})
    await world.salesforce.install_trigger(made["webhook_url"], world.push_key)


async def problems(world: World) -> list[Json]:
    """Return why rules are off, as the list says it, whether an event was matched or not."""
    (listed,) = await world.items("rulesets")
    found: list[Json] = listed["problems"]
    return found


async def all_well(world: World) -> bool:
    """Whether the plan, used now, has nothing to say against any rule."""
    connector = await world.app.state.clients.by_name(world.tenant, "salesforce")
    await world.app.state.plans.plan_for(connector.tenant_id)
    return await problems(world) == []


async def a_loud_case(world: World, word: str, start: int) -> str:
    """Make a Case whose subject is loud; the vendors of each start count from 1 again."""
    for _ in range(start):
        await world.salesforce.create_case(Subject="still", Priority="High")
    case = await world.salesforce.create_case(Subject=f"{word} LOUD", Priority="High")
    await world.event("salesforce.case.created", case)
    await world.quiet()
    return case


@pytest.mark.covers("RF-018")
async def test_a_rule_of_a_removed_plugin_is_kept_off_with_the_reason_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "site-packages"
    install(place)
    monkeypatch.syspath_prepend(place)
    loud = is_("salesforce.case.subject", "seven!!", "shouts.is_loud")
    by_loudness = rule("By loudness", CASE_CREATED, page(), when={"none": [{"none": [loud]}]})
    other = rule("Never", CASE_CREATED, page(), when=all_(is_("salesforce.case.priority", "Low")))
    async with at_work(tmp_path) as world:
        await world.connect()
        made = await world.rules(by_loudness, other)
        await a_loud_case(world, "FIRST", 0)
        await world.the_incident("FIRST")

    shutil.rmtree(place)
    async with at_work(tmp_path) as world:
        (problem,) = await problems(world)
        await reconnect(world)
        case = await a_loud_case(world, "SECOND", 1)

        assert await world.incidents("SECOND") == []
        assert (problem["name"], problem["code"]) == ("By loudness", "op.unknown")
        assert "No operator 'shouts.is_loud'" in problem["message"]
        shown = await world.get(f"rulesets/{made['id']}")
        assert (shown["state"], shown["rules"], shown["active_version"]) == ("enabled", 2, 1)
        record = {"object": "salesforce.case", "id": case}
        told = await world.post("rules:why-not", {"rule": "By loudness", "record": record})
        assert any("the rule is off: No operator" in one["text"] for one in told["steps"])

    install(place)
    async with at_work(tmp_path) as world:
        assert await problems(world) == []
        await reconnect(world)
        await a_loud_case(world, "THIRD", 2)
        await world.the_incident("THIRD")


@pytest.mark.covers("RF-018")
async def test_deleting_a_connector_keeps_the_rules_that_use_it(tmp_path: Path) -> None:
    other = act("salesforce.set_field", field="salesforce.case.status", value="Working")
    async with at_work(tmp_path) as world:
        await world.connect()
        made = await world.rules(
            rule("Pages", CASE_CREATED, page()), rule("Sets", CASE_CREATED, other)
        )

        await world.api("DELETE", "connectors/pagerduty")
        first = await world.salesforce.create_case(Subject="Nobody is paged", Priority="High")
        await world.case_with(first, Status="Working")

        (problem,) = await problems(world)
        assert problem["name"] == "Pages"
        assert problem["message"].startswith("No connector 'pagerduty'.")
        shown = await world.get(f"rulesets/{made['id']}")
        assert (shown["state"], shown["rules"]) == ("enabled", 2)

        await world.connect_pagerduty()
        await world.until(lambda: all_well(world))
        await world.salesforce.create_case(Subject="Paged again", Priority="High")
        await world.the_incident("Paged again")
