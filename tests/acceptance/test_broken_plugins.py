"""Plugins that are broken in every way, installed beside the good ones."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.acceptance.world import CASE_CREATED, World, at_work, page, rule

BROKEN = {
    "fails": """
        raise RuntimeError("no library for this")
        """,
    "missing": """
        import a_module_that_nobody_has
        """,
    "raises": """
        import hub

        @hub.hookimpl
        def hub_register_connector_types():
            raise ValueError("not today")
        """,
    "vies": """
        import hub
        from hub_pagerduty.connector import PAGERDUTY

        @hub.hookimpl
        def hub_register_connector_types():
            return [PAGERDUTY]
        """,
    "wrong": """
        import hub

        @hub.hookimpl
        def hub_register_actions():
            return ["no action at all"]
        """,
    "misspelt": """
        import hub

        @hub.hookimpl
        def hub_register_acctions():
            return []
        """,
    "nervous": """
        import hub

        @hub.hookimpl
        def hub_run_settled(run):
            raise RuntimeError("an observer that fails")

        @hub.hookimpl
        def hub_delivery_settled(delivery):
            raise RuntimeError("an observer that fails")
        """,
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the broken plugins as distributions of their own."""
    place = tmp_path / "site-packages"
    for name, source in BROKEN.items():
        module = f"hub_{name}_for_a_test"
        place.mkdir(exist_ok=True)
        (place / f"{module}.py").write_text(dedent(source))
        info = place / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[hub]\n{name} = {module}\n")
    monkeypatch.syspath_prepend(place)
    return place


@pytest.fixture
async def world(installed: Path, tmp_path: Path):
    async with at_work(tmp_path) as world:
        await world.connect()
        yield world


async def test_broken_plugins_are_put_aside_with_their_reasons_and_the_hub_works(
    world: World,
) -> None:
    reports = {one["name"]: one for one in await world.api("GET", "/api/v1/plugins")}

    for name in ("fails", "missing", "raises", "vies", "wrong", "misspelt"):
        assert (name, reports[name]["state"]) == (name, "quarantined")
        assert reports[name]["reason"]
    assert "no library for this" in reports["fails"]["reason"]
    assert "no library for this" in reports["fails"]["traceback"]
    assert "a_module_that_nobody_has" in reports["missing"]["reason"]
    assert "not today" in reports["raises"]["reason"]
    assert reports["raises"]["hook"] == "hub_register_connector_types"
    assert "pagerduty" in str(reports["vies"])
    assert reports["pagerduty"]["state"] == reports["salesforce"]["state"] == "loaded"
    assert (await world.ask("GET", "/readyz")).is_success

    await world.rules(rule("All page", CASE_CREATED, page()))
    await world.salesforce.create_case(Subject="All the same")
    await world.the_incident("All the same")
    await world.quiet()
    metrics = (await world.ask("GET", "/metrics")).text
    assert 'hub_plugin_errors_total{hook="hub_run_settled",plugin="nervous"} 1' in metrics
