"""A cause is repaired, and what was given up is tried again."""

from tests.acceptance.world import CASE_CREATED, HIGH, Json, World, page, rule


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
