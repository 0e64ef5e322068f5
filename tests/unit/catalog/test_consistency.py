"""Each way in which declarations do not fit together."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

import hub
from hub.catalog.consistency import judge
from hub.catalog.contributions import Contribution
from hub.sdk.vocabulary import FieldSchema
from tests.unit.catalog.plants import (
    ACME,
    TICKET,
    Comment,
    comment,
    connector_type,
    outbound,
)


class Unspeakable(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    thing: type(lambda: None)


async def fetch(client: Any, given: Any) -> Any:
    raise AssertionError


async def find(call: Any) -> None:
    return None


def nothing(*given: Any) -> Any:
    raise AssertionError


class Vault:
    def __init__(self, scheme: str) -> None:
        self.scheme = scheme

    async def read(self, reference: str) -> str:
        return reference


def contribution(plugin: str = "acme", **more: Any) -> Contribution:
    whole: dict[str, Any] = {"connector_types": (ACME,), "objects": (TICKET,)}
    return Contribution(plugin=plugin, **(whole | more))


def refused(**more: Any) -> list[str]:
    return [str(one) for one in judge([contribution(**more)]).refused.get("acme", ())]


def dropped(*contributions: Contribution) -> list[str]:
    found = judge(contributions)
    assert found.refused == {}
    return [str(one) for some in found.dropped.values() for one in some]


OPERATOR = hub.Operator(
    name="acme.is_vip",
    label="is a VIP",
    sentence="{field} is a VIP",
    types=frozenset({hub.FieldType.TEXT}),
    compile=nothing,
)
TEMPLATE = hub.RulesetTemplate(
    name="acme.two_way",
    version=1,
    label="Two ways",
    description="Both.",
    roles={"itsm": "acme"},
    params=Comment,
    build=nothing,
)
SUBSCRIPTION = hub.Subscription(
    ensure=fetch, inspect=fetch, ping=fetch, remove=fetch, secret_field="site"
)
QUERY = hub.Query(name="who", label="Who", params=Comment, run=fetch)


def test_good_declarations_are_kept_whole():
    whole = contribution(
        operators=(OPERATOR,),
        templates=(TEMPLATE,),
        filters=(hub.Filter(name="acme.short", label="Short", apply=nothing),),
        resolvers=(
            hub.ServiceResolver(name="acme.own", source_object=TICKET.name, outbound=outbound),
        ),
        secret_backends=(Vault("acme-vault"),),
    )

    verdict = judge([whole])

    assert ((whole,), {}, {}) == (verdict.kept, verdict.refused, verdict.dropped)


FAULTS = {
    "a name with capitals": (
        {"connector_types": (connector_type("Acme"),), "objects": ()},
        "connector type 'Acme': is no name",
    ),
    "a dotted connector type": (
        {"connector_types": (connector_type("acme.eu"),), "objects": ()},
        "must be one word",
    ),
    "the hub's own name": (
        {"connector_types": (connector_type("hub"),), "objects": ()},
        "is the hub's own name",
    ),
    "no label": ({"connector_types": (connector_type(label=""),)}, "has no label"),
    "settings that are no model": (
        {"connector_types": (connector_type(settings=dict),)},
        "settings must be a pydantic model",
    ),
    "settings without a schema": (
        {"connector_types": (connector_type(settings=Unspeakable),)},
        "settings give no JSON schema",
    ),
    "a limit counted by nothing": (
        {"connector_types": (connector_type(limited_by="site"),)},
        "limited_by names 'site', which is no secret",
    ),
    "a secret with no place": (
        {"connector_types": (connector_type(subscription=SUBSCRIPTION),)},
        "secret_field names 'site'",
    ),
    "a query twice": (
        {"connector_types": (connector_type(queries=(QUERY, QUERY)),)},
        "declares the query 'who' twice",
    ),
    "a query without a form": (
        {"connector_types": (connector_type(queries=(replace(QUERY, params=int),)),)},
        "parameters of the query 'who' must be a pydantic model",
    ),
    "a foreign object": (
        {"objects": (TICKET, hub.SourceObject(name="other.thing", label="Thing"))},
        "source object 'other.thing': must begin with a connector type of the plugin (acme)",
    ),
    "an object of nobody": (
        {"objects": (TICKET, hub.SourceObject(name="ticket", label="Thing"))},
        "must begin with its connector type",
    ),
    "a foreign trigger": (
        {"triggers": (hub.Trigger(source_object="other.thing", verb="made", label="Made"),)},
        "trigger 'other.thing.made': must begin with",
    ),
    "a trigger with a space": (
        {"triggers": (TICKET.trigger("was made", "Made"),)},
        "trigger 'acme.ticket.was made': is no name",
    ),
    "a field with the vendor's capitals": (
        {"fields": (TICKET.field("My_Field__c", "Mine"),)},
        "field 'acme.ticket.My_Field__c': is no name",
    ),
    "a choice field without choices": (
        {"fields": (TICKET.field("status", "Status", hub.FieldType.CHOICE),)},
        "is a choice field without choices",
    ),
    "a choice twice": (
        {"fields": (TICKET.field("status", "Status", choices=("new", "new")),)},
        "has the choice 'new' twice",
    ),
    "a field twice": (
        {"fields": (TICKET.field("status", "Status"), TICKET.field("status", "State"))},
        "field 'acme.ticket.status': is declared twice",
    ),
    "an action without a form": (
        {"actions": (ACME.action("comment", "Comment", dict, comment),)},
        "parameters must be a pydantic model",
    ),
    "FIND_FIRST without find": (
        {
            "actions": (
                ACME.action("comment", "Comment", Comment, comment, repeat=hub.Repeat.FIND_FIRST),
            )
        },
        "is repeated by FIND_FIRST but has no find",
    ),
    "an action for nothing": (
        {"actions": (ACME.action("comment", "Comment", Comment, comment, calls=0),)},
        "at least one vendor request",
    ),
    "an action of two words": (
        {"actions": (ACME.action("add comment", "Comment", Comment, comment),)},
        "the verb 'add comment' must be one word",
    ),
    "a bare operator": ({"operators": (replace(OPERATOR, name="is_vip"),)}, "must begin with"),
    "an operator for nothing": (
        {"operators": (replace(OPERATOR, types=frozenset()),)},
        "is for no field type",
    ),
    "a sentence about nothing": (
        {"operators": (replace(OPERATOR, sentence="is a VIP"),)},
        "does not mention {field}",
    ),
    "a bare filter": (
        {"filters": (hub.Filter(name="short", label="Short", apply=nothing),)},
        "filter 'short': must begin with",
    ),
    "a foreign template": (
        {"templates": (replace(TEMPLATE, name="other.two_way"),)},
        "ruleset template 'other.two_way': must begin with",
    ),
    "a template of version 0": ({"templates": (replace(TEMPLATE, version=0),)}, "at least 1"),
    "a template without a form": (
        {"templates": (replace(TEMPLATE, params=dict),)},
        "parameters must be a pydantic model",
    ),
    "a scheme with a colon": (
        {"secret_backends": (Vault("vault:"),)},
        "secret backend 'vault:': is no name",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault):
    planted, expected = FAULTS[fault]

    found = refused(**planted)

    assert any(expected in one for one in found), found


@pytest.mark.parametrize("order", [("acme", "aardvark"), ("aardvark", "acme")])
def test_of_a_clash_the_plugin_that_is_called_like_the_type_stays(order):
    made = {name: contribution(name) for name in order}

    verdict = judge(list(made.values()))

    assert (made["acme"],) == verdict.kept
    assert list(verdict.refused) == ["aardvark"]
    assert {"is declared by the plugin 'acme' already"} == {
        one.detail for one in verdict.refused["aardvark"]
    }


def test_a_built_in_keeps_its_names_whoever_comes_first():
    guest, builtin = contribution("acme"), replace(contribution("zz"), builtin=True)

    verdict = judge([guest, builtin])

    assert (builtin,) == verdict.kept
    assert list(verdict.refused) == ["acme"]


def test_where_nobody_has_a_right_to_a_name_all_are_refused():
    verdict = judge([contribution("one"), contribution("two"), contribution("three")])

    assert verdict.kept == ()
    assert set(verdict.refused) == {"one", "two", "three"}
    (problem,) = {one.detail for one in verdict.refused["two"]}
    assert problem.startswith("is declared by the plugins 'one' and 'three' and 'two', and none")


def test_a_loser_takes_nobody_with_it():
    both = replace(contribution("aardvark"), filters=(hub.Filter(
        name="acme.short", label="Short", apply=nothing),))  # fmt: skip
    other = Contribution(plugin="other", connector_types=(), filters=both.filters)

    verdict = judge([both, contribution("acme"), other])

    assert [one.plugin for one in verdict.kept] == ["acme"]
    assert "must begin with" in str(verdict.refused["other"][0])


def test_a_refused_plugin_takes_no_names():
    bad = contribution("bad", fields=(TICKET.field("status", "Status", hub.FieldType.CHOICE),))
    good = contribution("good")

    assert (good,) == judge([bad, good]).kept


def test_built_ins_may_have_bare_names_and_the_hubs_own_objects():
    builtin = Contribution(
        plugin="operators",
        builtin=True,
        objects=(hub.SourceObject(name="hub.event", label="Event"),),
        operators=(replace(OPERATOR, name="is"),),
    )

    assert (builtin,) == judge([builtin]).kept


def test_fields_and_actions_of_another_plugin_are_welcome():
    guest = Contribution(
        plugin="guest",
        fields=(TICKET.field("vip", "VIP"),),
        actions=(ACME.action("greet", "Greet", Comment, comment, target=TICKET),),
    )

    assert tuple(dropped(contribution(), guest)) == ()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {"fields": (FieldSchema(source_object="gone.thing", key="size", label="Size"),)},
            "field 'gone.thing.size': left out: it refers to the source object 'gone.thing'",
        ),
        (
            {"fields": (TICKET.field("service", "Service", choice_source="services"),)},
            "the choice source 'services' of 'acme'",
        ),
        (
            {"triggers": (ACME.source_object("gone", "Gone").trigger("made", "Made"),)},
            "trigger 'acme.gone.made'",
        ),
        (
            {"actions": (connector_type("gone").action("do", "Do", Comment, comment),)},
            "the connector type 'gone'",
        ),
        (
            {
                "actions": (
                    ACME.action(
                        "do", "Do", Comment, comment, target=ACME.source_object("gone", "Gone")
                    ),
                )
            },
            "the source object 'acme.gone'",
        ),
        (
            {
                "resolvers": (
                    hub.ServiceResolver(
                        name="acme.own", source_object="gone.thing", outbound=outbound
                    ),
                )
            },
            "service resolver 'acme.own'",
        ),
        ({"operators": (replace(OPERATOR, inverse="acme.gone"),)}, "the operator 'acme.gone'"),
        (
            {"templates": (replace(TEMPLATE, roles={"itsm": "acme", "paging": "gone"}),)},
            "the connector type 'gone'",
        ),
    ],
)
def test_what_refers_to_something_missing_is_left_out(more, expected):
    found = dropped(contribution(**more))

    assert len(found) == 1
    assert expected in found[0]


def test_a_poller_of_a_missing_object_is_left_out_of_its_connector_type():
    poller = hub.Poller(source_object="acme.gone", fetch=fetch)
    kept = hub.Poller(source_object="acme.ticket", fetch=fetch)
    polling = connector_type(pollers=(poller, kept))

    verdict = judge([contribution(connector_types=(polling,))])

    assert (kept,) == verdict.kept[0].connector_types[0].pollers
    assert [one.kind for one in verdict.dropped["acme"]] == ["poller"]


def test_what_refers_to_something_left_out_is_left_out_too():
    one = replace(OPERATOR, name="acme.a", inverse="acme.b")
    two = replace(OPERATOR, name="acme.b", inverse="acme.gone")

    assert len(dropped(contribution(operators=(one, two)))) == 2
