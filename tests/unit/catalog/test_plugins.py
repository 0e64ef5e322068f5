"""Plugins are loaded one by one; a broken one never stops the others."""

from types import SimpleNamespace
from typing import Any

import pytest

from hub.catalog import Loaded, PluginState, load_plugins, notify
from hub.sdk.events import DeliverySettled
from hub.sdk.hookspecs import hookimpl
from tests.unit.catalog.plants import (
    ACME,
    TICKET,
    acme,
    connector_type,
    installed,
    plugin,
)


def load(**plugins: Any) -> Loaded:
    return load_plugins([], entry_points=installed(**plugins))


def quarantined(broken: Any) -> Any:
    loaded = load(acme=acme(), weird=broken)

    report = loaded.report("weird")

    assert report is not None
    assert report.state is PluginState.QUARANTINED
    assert loaded.report("acme").state is PluginState.LOADED
    assert list(loaded.catalog.connector_types) == ["acme"]
    assert [("acme", loaded.manager.get_plugin("acme"))] == loaded.manager.list_name_plugin()
    return report


def test_a_plugin_in_good_order_is_in_the_catalog():
    loaded = load(acme=acme())

    report = loaded.report("acme")

    assert report.state is PluginState.LOADED
    assert report.connector_types == ("acme",)
    assert report.problems == ()
    assert loaded.catalog.connector_types["acme"] == ACME
    assert loaded.catalog.owner("actions", "acme.comment") == "acme"


def test_built_ins_come_first_and_the_rest_by_name():
    loaded = load_plugins(
        [("zz", plugin()), ("yy", plugin())], entry_points=installed(bb=plugin(), aa=plugin())
    )

    assert [one.name for one in loaded.reports] == ["zz", "yy", "aa", "bb"]
    assert [one.builtin for one in loaded.reports] == [True, True, False, False]


def test_a_blocked_plugin_is_reported_and_not_imported():
    loaded = load_plugins(
        [], blocked={"bad"}, entry_points=installed(bad=RuntimeError("never reached"))
    )

    assert PluginState.BLOCKED is loaded.report("bad").state
    assert dict(loaded.catalog.connector_types) == {}


@pytest.mark.parametrize(
    "error",
    [
        ImportError("no module named acme_sdk"),
        SyntaxError("invalid syntax"),
        ZeroDivisionError("division by zero"),
        SystemExit("bye"),
    ],
)
def test_a_plugin_that_fails_to_import_is_in_quarantine_with_its_traceback(error):
    report = quarantined(error)

    assert f"It can't be imported: {type(error).__name__}: {error}" == report.reason
    assert str(error) in report.traceback


def test_a_keyboard_interrupt_is_no_fault_of_a_plugin():
    with pytest.raises(KeyboardInterrupt):
        load(bad=KeyboardInterrupt())


def test_a_misspelt_hook_is_named():
    report = quarantined(plugin(hub_register_action=list))

    assert report.reason == "There is no hook 'hub_register_action'."
    assert report.hook == "hub_register_action"


def test_a_hook_with_unknown_arguments_leaves_nothing_registered():
    def settled(run, tenant):
        raise AssertionError

    report = quarantined(acme(hub_run_settled=settled))

    assert "tenant" in report.traceback
    assert "can't be registered" in report.reason


def test_a_hook_that_raises_is_named_with_its_traceback():
    def broken():
        raise LookupError("no such file")

    report = quarantined(plugin(fields=broken))

    assert report.reason == "hub_register_fields raised LookupError: no such file"
    assert report.hook == "hub_register_fields"
    assert "in broken" in report.traceback


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (5, "must return a sequence, found int"),
        ("acme", "must return a sequence, found str"),
        (None, "must return a sequence, found NoneType"),
        (TICKET, "must return a sequence, found SourceObject"),
        ([ACME], "must return SourceObjects, found ConnectorType"),
        ([{"name": "acme.ticket"}], "must return SourceObjects, found {'name'"),
    ],
)
def test_a_hook_that_returns_something_else_is_named(answer, reason):
    report = quarantined(plugin(source_objects=answer))

    assert reason in report.reason
    assert report.hook == "hub_register_source_objects"


def test_an_async_hook_is_refused():
    async def later():
        return []

    report = quarantined(plugin(fields=later))

    assert "must return a sequence, found coroutine" in report.reason


def test_a_generator_is_no_sequence():
    def lazily():
        yield TICKET

    assert "found generator" in quarantined(plugin(source_objects=lazily)).reason


def test_a_clash_quarantines_the_plugin_without_a_right_to_the_name_and_names_both():
    report = quarantined(acme())

    assert "'acme' already" in report.reason
    assert "connector type 'acme'" in report.reason
    assert {"connector type", "source object", "field", "trigger", "action"} == {
        one.kind for one in report.problems
    }


def test_all_problems_are_reported_at_once():
    other = connector_type("other", label=" ")
    report = quarantined(
        plugin(
            connector_types=[other],
            source_objects=[TICKET, other.source_object("Bad Name", "Bad")],
            triggers=[other.source_object("x", "X").trigger("was made", "Made")],
        )
    )

    assert len(report.problems) == 5
    assert "(and 4 more)" in report.reason


def test_a_plugin_that_sorts_before_another_does_not_take_its_names():
    loaded = load(aardvark=acme(), acme=acme())

    assert loaded.report("acme").state is PluginState.LOADED
    assert loaded.report("aardvark").state is PluginState.QUARANTINED
    assert loaded.catalog.owner("actions", "acme.comment") == "acme"


def of_distribution(name: str, **plugins: Any) -> list[Any]:
    """Return entry points as of an installed distribution."""
    dist = SimpleNamespace(name=name, version="1.0")
    found = installed(**plugins)
    for one in found:
        vars(one)["dist"] = dist
    return found


def test_the_same_name_twice_is_that_of_the_distribution_called_like_it():
    twice = [*of_distribution("a-copy", acme=plugin()), *of_distribution("hub-acme", acme=acme())]

    loaded = load_plugins([], entry_points=twice)

    states = [(one.distribution, one.state) for one in loaded.reports]
    assert states == [("hub-acme", PluginState.LOADED), ("a-copy", PluginState.QUARANTINED)]
    assert "is taken by hub-acme" in loaded.reports[1].reason


def test_the_same_name_twice_quarantines_both_where_none_has_a_right_to_it():
    twice = [*of_distribution("a-copy", acme=plugin()), *of_distribution("b-copy", acme=acme())]

    loaded = load_plugins([], entry_points=twice)

    assert [one.state for one in loaded.reports] == [PluginState.QUARANTINED] * 2
    assert {one.reason for one in loaded.reports} == {
        "The name 'acme' is taken by a-copy and b-copy: uninstall all but one."
    }


def test_the_same_module_twice_quarantines_the_second():
    one = acme()

    loaded = load(first=one, second=one)

    assert loaded.report("second").reason == "The same module is the plugin 'first' already."


def test_an_installed_plugin_cannot_take_a_built_in_name():
    loaded = load_plugins([("chat", plugin())], entry_points=installed(chat=acme()))

    assert "integration-hub" in loaded.reports[1].reason
    assert dict(loaded.catalog.connector_types) == {}


def test_a_slow_hook_is_a_warning():
    ticks = iter(range(0, 10_000, 5))

    loaded = load_plugins([("slow", plugin())], entry_points=(), timer=lambda: float(next(ticks)))

    assert "hub_register_connector_types took 5.0 s" in loaded.reports[0].warnings[0]


def test_a_forgotten_marker_is_a_warning():
    forgetful = plugin()
    forgetful.hub_register_fields = list

    report = load(forgetful=forgetful).report("forgetful")

    assert (report.warnings) == (
        "hub_register_fields is not marked with @hookimpl and never called.",
    )


def test_a_dangling_declaration_is_left_out_alone():
    loaded = load(acme=acme(fields=[TICKET.field("subject", "Subject"), *_lost_field()]))

    report = loaded.report("acme")

    assert PluginState.LOADED is report.state
    assert [one.name for one in report.problems] == ["other.thing.size"]
    assert list(loaded.catalog.fields) == ["acme.ticket.subject"]


def _lost_field():
    other = connector_type("other").source_object("thing", "Thing")
    return [other.field("size", "Size")]


def test_installed_entry_points_are_found_by_themselves():
    loaded = load_plugins([])

    assert all(one.distribution for one in loaded.reports)


def test_one_failing_observer_does_not_silence_the_others():
    told = []

    def bad(delivery):
        raise ValueError("no")

    loaded = load(
        a=plugin(hub_delivery_settled=bad),
        b=plugin(hub_delivery_settled=lambda delivery: told.append(delivery.id)),
        c=plugin(hub_delivery_settled=lambda: told.append("no argument wanted")),
    )
    settled = DeliverySettled(id="dlv_1", connector_type="acme", events=1, outcome="done", took=0.1)

    failures = notify(loaded.manager, "hub_delivery_settled", delivery=settled)

    assert {"dlv_1", "no argument wanted"} == set(told)
    assert [(one.plugin, one.error) for one in failures] == [("a", "ValueError: no")]


def test_a_class_can_be_a_plugin():
    class Own:
        @hookimpl
        def hub_register_connector_types(self):
            return [ACME]

    loaded = load(own=Own())

    assert list(loaded.catalog.connector_types) == ["acme"]
