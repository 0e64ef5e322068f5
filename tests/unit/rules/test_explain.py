"""Explaining: what decided, in plain words, for every rule and every condition."""

import json

import pytest

from hub.rules import Linked, compile_plan
from hub.sdk.events import RecordRef
from tests.unit.rules.world import facts, note, rule, ruleset, schema

SCHEMA = schema()


def explained(when, values, before=None, **more):
    around = {
        one: more.pop(one) for one in ("linked", "connector", "object", "verb") if one in more
    }
    plan = compile_plan([ruleset(rule(when, **more))], SCHEMA, 4)
    return plan.explain(facts(values, before, **around))[0]


def because(field, op, value=..., values=None, before=None):
    condition = {"field": f"desk.ticket.{field}", "op": op}
    if value is not ...:
        condition["value"] = value
    return explained({"all": [condition]}, values or {}, before).because


BECAUSE = [
    ("amount", "gt", 10000, {"amount": 900}, "Amount 900 is not > 10000"),
    ("amount", "gte", 10000, {"amount": 900}, "Amount 900 is not ≥ 10000"),
    ("amount", "lt", 1, {"amount": 900}, "Amount 900 is not < 1"),
    ("amount", "lte", 1, {"amount": 900}, "Amount 900 is not ≤ 1"),
    ("amount", "gt", 1, {}, "not so: Amount > 1 (Amount is empty)"),
    ("amount", "between", [1, 2], {"amount": 3}, "Amount 3 is not between 1 and 2"),
    ("subject", "is", "x", {"subject": "y"}, 'Subject "y" is not "x"'),
    ("subject", "is", "x", {}, 'Subject is empty, not "x"'),
    ("subject", "is_not", "x", {"subject": "X"}, 'not so: Subject is not "x" (Subject is "X")'),
    ("status", "is_any_of", ["New", "Closed"], {"status": "Working"},
     "Status Working is not any of New, Closed"),
    ("status", "is_none_of", ["New"], {"status": "New"},
     "not so: Status is none of New (Status is New)"),
    ("subject", "contains", "x", {"subject": "y"}, 'not so: Subject contains "x" (Subject is "y")'),
    ("subject", "matches", "^x", {"subject": "y"},
     'not so: Subject matches pattern /^x/ (Subject is "y")'),
    ("subject", "is_empty", ..., {"subject": "y"}, 'Subject "y" is not empty'),
    ("subject", "is_present", ..., {}, "Subject is empty, not present"),
    ("priority", "at_least", "P2", {"priority": "P3"}, "Priority P3 is not at least P2"),
    ("due", "before", "2024-01-01", {"due": "2024-01-02"},
     "Due 2024-01-02 is not before 2024-01-01"),
    ("opened", "within_last", "3d", {"opened": "2024-01-02T00:00:00Z"},
     "Opened 2024-01-02T00:00:00Z is not within the last P3D"),
    ("tags", "has_all_of", ["a", "b"], {"tags": ["a"]},
     "not so: Tags has all of a, b (Tags is a)"),
    ("subject", "is", {"$field": "desk.ticket.origin"}, {"subject": "x", "origin": "y"},
     'Subject "x" is not Origin'),
    ("amount", "gt", 1, {"amount": "many"}, "Amount > 1: not a number: 'many'"),
    ("status", "changed", ..., {"status": "New"}, "Status changed: no prior value"),
    ("status", "was", "New", {"status": "New"}, "Status was New: no prior value"),
    ("token", "is", "s3cret", {"token": "other"}, "Token ••• is not •••"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "op", "value", "values", "expected"), BECAUSE)
def test_what_decided_is_said_in_plain_words(field, op, value, values, expected):
    assert because(field, op, value, values) == expected


def test_a_change_that_did_not_happen_is_told():
    told = because("status", "changed_to", "New", {"status": "New"}, {"status": "New"})
    pair = {"from": None, "to": "New"}

    assert told == "not so: Status changed to New (Status is New)"
    assert (
        because("status", "changed_from_to", pair, {"status": "New"}, {"status": "Closed"})
        == "not so: Status changed from empty to New (Status is New)"
    )


def test_groups_say_which_condition_decided():
    old = {"field": "desk.ticket.age", "op": "gt", "value": 5}
    new = {"field": "desk.ticket.status", "op": "is", "value": "New"}
    values = {"age": 9, "status": "New"}

    assert explained({"all": [old, new]}, values).because == "Age > 5 and Status is New"
    assert explained({"any": [new, old]}, values).because == "Status is New"
    assert explained({"none": [old]}, values).because == "Age > 5, which rules it out"
    assert explained({"none": [{"all": [old, new]}]}, values).because == (
        "Age > 5 and Status is New, which rules it out"
    )
    assert explained({"none": [{"none": [old]}]}, {"age": 1}).because == (
        "none of 1 holds, which rules it out"
    )
    assert explained({"none": [old]}, {"age": 1}).because == "none of its conditions rules it out"
    assert explained({"any": [old, new]}, {"age": 1}).because == "Age 1 is not > 5"
    assert explained({}, {}).because == "it has no conditions"


def test_a_near_miss_failed_by_one_condition():
    old = {"field": "desk.ticket.age", "op": "gt", "value": 5}
    new = {"field": "desk.ticket.status", "op": "is", "value": "New"}
    vip = {"field": "desk.ticket.vip", "op": "is", "value": True}

    assert explained({"all": [old, new]}, {"age": 9}).near
    assert not explained({"all": [old, new]}, {}).near
    assert explained({"any": [{"all": [old, new]}, vip]}, {}).near
    assert explained({"none": [old, new]}, {"age": 9}).near
    assert not explained({"none": [old, new]}, {"age": 9, "status": "New"}).near
    assert explained({"none": [{"all": [old, new]}]}, {"age": 9, "status": "New"}).near
    assert explained({"none": [{"any": [old, new]}]}, {"age": 9}).near
    assert not explained({"all": [old]}, {"age": 9}).near


def test_reasons_of_conditions():
    page = {"field": "pager.page.urgency", "op": "changed"}
    linked = [Linked(ref=RecordRef(source_object="pager.page", id="1"), connector="my-pager")]
    on = ["desk.ticket.updated", "pager.page.triggered"]
    told = explained({"all": [page]}, {}, {"status": "New"}, on=on, linked=linked)
    cut = explained(
        {"all": [{"field": "desk.ticket.subject", "op": "contains", "value": "x"}]},
        {"subject": "x" * 70_000},
    )
    empty = explained({"all": [{"field": "desk.ticket.age", "op": "gt", "value": 1}]}, {})
    known = explained(
        {"all": [{"field": "desk.ticket.age", "op": "was", "value": 1}]},
        {"age": 1},
        {"status": "x"},
    )

    assert told.conditions.children[0].reason == "not the record that changed"
    assert cut.conditions.children[0].reason == "text cut at 64 KiB"
    assert len(cut.conditions.children[0].actual) == 500
    assert empty.conditions.children[0].reason == "empty"
    assert known.conditions.children[0].reason == "no prior value"


def test_secrets_are_masked_everywhere():
    trace = explained(
        {"all": [{"field": "desk.ticket.token", "op": "is", "value": "s3cret"}]},
        {"token": "s3cret"},
        {"token": "older"},
    )

    assert "s3cret" not in json.dumps(trace.as_json())
    assert "older" not in json.dumps(trace.as_json())
    assert trace.fired


@pytest.mark.parametrize(
    ("changes", "state", "expected"),
    [
        ({}, "disabled", "ruleset disabled"),
        ({"enabled": False}, "enabled", "rule off"),
        ({"on": ["desk.ticket.created"]}, "enabled", "trigger is updated"),
        ({"from": ["other-desk"]}, "enabled", 'connector is not in "from"'),
        ({"run": "becomes_true"}, "enabled", "still true (becomes_true)"),
        ({}, "shadow", "shadow"),
        ({}, "enabled", None),
    ],
)
def test_every_suppression_names_its_switch(changes, state, expected):
    written = rule(**changes)
    plan = compile_plan([ruleset(written, state=state)], SCHEMA, 1)
    event = facts({}, {"status": "New"})

    [trace] = plan.explain(event, written["id"])

    assert trace.skipped == expected
    assert trace.fired is (expected is None)
    assert bool(plan.match(event)) is (expected in {None, "shadow"})
    assert bool(trace.actions) is (expected in {None, "shadow"})


def test_a_rule_whose_past_is_unknown_says_so():
    trace = explained({}, {}, run="becomes_true")

    assert trace.fired
    assert trace.because == "it has no conditions (whether it held before is not known)"


def test_one_rule_is_explained_with_what_stopped_it():
    first, second, third = (
        rule(number=n, after="stop" if n == 1 else "continue") for n in (1, 2, 3)
    )
    plan = compile_plan([ruleset(first, second), ruleset(third, id="b")], SCHEMA, 1)

    [stopped] = plan.explain(facts({}), second["id"])
    [free] = plan.explain(facts({}), third["id"])

    assert stopped.skipped == 'stopped by rule "Rule 1"'
    assert free.fired
    assert plan.explain(facts({}), "nobody") == []


def test_only_the_rules_of_the_trigger_are_explained_unless_asked_for():
    other = rule(number=2, on=["pager.page.triggered"])
    plan = compile_plan([ruleset(rule(), other)], SCHEMA, 1)

    assert len(plan.explain(facts({}))) == 1
    assert plan.explain(facts({}), other["id"])[0].skipped == "trigger is updated"


def test_a_trace_as_json():
    when = {"all": [{"field": "desk.ticket.amount", "op": "gt", "value": 10000}]}
    linked = [Linked(ref=RecordRef(source_object="pager.page", id="I1"), connector="my-pager")]
    fired = explained(
        when, {"amount": 20000}, linked=linked, then=[note("{{ desk.ticket.amount }}")]
    )

    assert fired.as_json() == {
        "event": "evt_1",
        "plan": 4,
        "rule": {
            "id": "00000000-0000-7000-8000-000000000001",
            "name": "Rule 1",
            "ruleset": "set",
            "version": 0,
        },
        "about": None,
        "met": True,
        "fired": True,
        "because": "Amount > 10000",
        "skipped": None,
        "near": False,
        "conditions": {
            "kind": "all",
            "met": True,
            "text": "all of 1",
            "children": [
                {
                    "kind": "condition",
                    "field": "desk.ticket.amount",
                    "op": "gt",
                    "text": "Amount > 10000",
                    "expected": 10000,
                    "actual": 20000,
                    "prior": None,
                    "met": True,
                    "reason": None,
                }
            ],
        },
        "actions": [
            {
                "index": 0,
                "do": "pager.add_note",
                "connector": "my-pager",
                "record": "pager.page:I1",
                "with": {"content": 20000},
                "late": [],
                "unless_linked": False,
                "calls": 1,
                "notes": [],
                "outcome": "planned",
            }
        ],
    }


def test_a_rule_about_linked_records_has_a_trace_for_each():
    when = {"all": [{"field": "pager.page.level", "op": "gt", "value": 1}]}
    linked = [
        Linked(
            ref=RecordRef(source_object="pager.page", id=f"I{n}"), connector="my-pager",
            values={"level": n},
        )
        for n in range(3)
    ]  # fmt: skip
    plan = compile_plan([ruleset(rule(when, object="pager.page"))], SCHEMA, 1)

    traces = plan.explain(facts({}, linked=linked))

    assert [(one.about.id, one.fired) for one in traces] == [
        ("I0", False),
        ("I1", False),
        ("I2", True),
    ]
    assert traces[2].as_json()["about"] == "pager.page:I2"


def test_expected_values_are_shown_as_json():
    def expected(field, op, value):
        when = {"all": [{"field": f"desk.ticket.{field}", "op": op, "value": value}]}
        return explained(when, {}).conditions.children[0].expected

    assert expected("subject", "matches", "^x") == "^x"
    assert expected("subject", "is", {"$field": "desk.ticket.origin"}) == {
        "$field": "desk.ticket.origin"
    }
    assert expected("amount", "between", [1, 2.5]) == [1, 2.5]
    assert expected("waiting", "gt", "15m") == "PT15M"


class Unscanned(dict):
    """Entries by id that may be looked up and not walked through."""

    def values(self):
        raise AssertionError("all rules of the tenant were walked through")

    __iter__ = items = keys = values


def test_what_fired_is_explained_without_a_look_at_the_other_rules_or_a_second_plan():
    rules = [
        rule({"all": [{"field": "desk.ticket.age", "op": "gt", "value": n}]}, number=n)
        for n in range(9)
    ]
    plan = compile_plan([ruleset(*rules)], SCHEMA, 4)
    event = facts({"age": 3})
    matches = plan.match(event)
    expected = [trace for one in matches for trace in plan.explain(event, one.rule)]
    plan._state.entries = Unscanned(plan._state.entries)

    traces = plan.explain_matches(event, matches)

    assert [one.rule for one in traces] == [one.rule for one in matches]
    assert len(traces) == 3
    assert traces == expected
    assert all(told.actions is one.actions for told, one in zip(traces, matches, strict=True))
