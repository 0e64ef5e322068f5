"""Each plugin of the house keeps the contract and answers the usual questions."""

import tomllib

import pytest

from hub.testing.distribution import page_faults
from tests.architecture.tree import PLUGINS, parsed

NAMES = [plugin.name for plugin in PLUGINS]


@pytest.mark.parametrize("plugin", PLUGINS, ids=NAMES)
def test_a_plugin_has_its_contract_tests(plugin):
    file = plugin / "tests" / "test_contract.py"

    assert file.is_file()
    bases = [
        getattr(base, "id", getattr(base, "attr", ""))
        for node in parsed(file).body
        for base in getattr(node, "bases", ())
    ]
    assert "PluginContract" in bases


@pytest.mark.parametrize("plugin", PLUGINS, ids=NAMES)
def test_a_plugin_answers_the_usual_questions(plugin):
    assert page_faults(plugin) == []


@pytest.mark.parametrize("plugin", PLUGINS, ids=NAMES)
def test_a_plugins_entry_point_is_its_name(plugin):
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]

    assert project["entry-points"]["hub"] == {plugin.name: f"hub_{plugin.name}"}
    assert project["name"] == f"hub-{plugin.name}"


@pytest.mark.parametrize("plugin", PLUGINS, ids=NAMES)
def test_a_plugins_front_is_the_hooks_and_nothing_else(plugin):
    front = parsed(plugin / "src" / f"hub_{plugin.name}" / "__init__.py")
    functions = [node.name for node in front.body if hasattr(node, "decorator_list")]

    assert [name for name in functions if not name.startswith("hub_")] == []
