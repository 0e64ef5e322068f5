"""A cause is repaired, and what was given up is tried again."""

from tests.acceptance.world import CASE_CREATED, HIGH, Json, World, act, all_, is_, page, rule


async def the_run(world: World, state: str) -> Json:
    async def look() -> Json | None:
        found = await world.items("runs", state=state)
        return found[0] if found else None

    found: Json = await world.until(look)
    return found


async def test_a_dead_letter_tried_again_asks_the_service_mapping_again(world: World) -> None:
    mapping = await world.mapped("NOPE")
    await world.rules(rule("Page", CASE_CREATED, page({"$service": "outbound"}), when=HIGH))
    await world.salesforce.create_case(Subject="Repaired", Priority="High")
    dead = await the_run(world, "dead")
    assert "NOPE" in dead["error"]

    await world.api("PATCH", f"service-mappings/{mapping['id']}", {"service": "PAPI001"})
    again = await world.post(f"runs/{dead['id']}/retry")
    assert (again["error"], again["error_class"]) == (None, None)
    done = await the_run(world, "done")

    assert done["id"] == dead["id"]
    assert (await world.the_incident("Repaired"))["service"]["id"] == "PAPI001"


async def test_typos_in_what_only_the_org_knows_are_told_before_publishing(world: World) -> None:
    typos = rule(
        "Typos",
        ("salesforce.case.updated",),
        act("salesforce.set_field", field="salesforce.case.status", value="Workings"),
        act("salesforce.update_record", fields={"priority": "Hihg"}),
        when=all_(is_("salesforce.case.status", "Newest")),
    )
    made = await world.ask("POST", "rulesets", {"format": 1, "name": "T", "rules": [typos]})
    assert made.status_code == 201, made.text

    refused = await world.ask("POST", "rulesets/T/draft:publish", {})
    silent = await world.ask("POST", "rulesets/T/draft:publish", {}, live="false")

    told = " ".join(one["detail"] for one in refused.json()["errors"])
    assert refused.status_code == 409
    assert all(
        f"'{word}'" in told for word in ("Workings", "Hihg", "Newest", "Working", "High", "New")
    )
    assert "fields of" not in told
    assert not any("is not among" in one["detail"] for one in silent.json().get("errors", ()))
