"""Plans: what matches, in which order, and what is planned."""

import pytest

from hub.rules import Linked, PlanReplaced, Rule, compile_plan
from hub.sdk.events import RecordRef
from tests.unit.rules.world import facts, note, rule, ruleset, schema

SCHEMA = schema()
P1 = {"all": [{"field": "desk.ticket.priority", "op": "is", "value": "P1"}]}


def page(number, connector="my-pager", **more):
    ref = RecordRef(source_object="pager.page", id=f"I{number}")
    return Linked(ref=ref, connector=connector, **more)


def fired(plan, event):
    return [one.rule[-2:] for one in plan.match(event)]


def test_a_rule_without_conditions_always_fires_on_its_triggers():
    plan = compile_plan([ruleset(rule())], SCHEMA, 1)

    assert fired(plan, facts({})) == ["01"]
    assert fired(plan, facts({}, object="pager.page", verb="triggered")) == []


def test_rules_fire_in_the_order_of_rulesets_and_of_rules():
    first = ruleset(rule(number=3), rule(number=1), id="a")
    second = ruleset(rule(number=2), id="b")

    plan = compile_plan([first, second], SCHEMA, 1)

    assert fired(plan, facts({})) == ["03", "01", "02"]


def test_stop_ends_its_own_ruleset_only():
    stopping = ruleset(rule(number=1, after="stop"), rule(number=2), id="a")
    other = ruleset(rule(number=3), id="b")

    plan = compile_plan([stopping, other], SCHEMA, 1)
    traces = {one.rule[-2:]: one for one in plan.explain(facts({}))}

    assert fired(plan, facts({})) == ["01", "03"]
    assert traces["02"].skipped == 'stopped by rule "Rule 1"'


@pytest.mark.parametrize(
    ("state", "expected"), [("disabled", []), ("shadow", [True]), ("enabled", [False])]
)
def test_the_state_of_a_ruleset_decides_whether_it_is_matched(state, expected):
    plan = compile_plan([ruleset(rule(), state=state)], SCHEMA, 1)

    assert expected == [one.shadow for one in plan.match(facts({}))]


def test_an_action_on_records_is_planned_once_a_linked_record_of_its_connector():
    plan = compile_plan([ruleset(rule())], SCHEMA, 1)
    linked = [page(1), page(2), page(3, "other-pager")]

    [match] = plan.match(facts({}, linked=linked))

    assert [one.record.id for one in match.actions] == ["I1", "I2"]
    assert len({one.key for one in match.actions}) == 2
    assert all(len(one.key) == 33 for one in match.actions)


def test_an_action_without_linked_record_is_planned_as_skipped():
    [match] = compile_plan([ruleset(rule())], SCHEMA, 1).match(facts({}))

    assert [one.skipped for one in match.actions] == ["no linked Page"]


def test_an_action_on_what_an_earlier_action_makes_is_not_skipped():
    make = {
        "do": "pager.create_page",
        "connector": "my-pager",
        "with": {"service": "S1", "title": "Down"},
    }
    elsewhere = {**make, "connector": "other-pager"}

    for then, expected in (
        ([make, note()], [None, None]),
        ([elsewhere, note()], [None, "no linked Page"]),
        ([note(), make], ["no linked Page", None]),
    ):
        [match] = compile_plan([ruleset(rule(then=then))], SCHEMA, 1).match(facts({}))
        assert expected == [one.skipped for one in match.actions]


def test_made_by_ruleset_leaves_out_other_records():
    plan = compile_plan([ruleset(rule(then=[note(records="made_by_ruleset")]))], SCHEMA, 1)
    linked = [page(1), page(2, made_by_ruleset="set")]

    [match] = plan.match(facts({}, linked=linked))

    assert [one.record.id for one in match.actions] == ["I2"]


def test_a_rule_about_another_object_is_tested_for_each_linked_record():
    about_pages = rule(
        {"all": [{"field": "pager.page.level", "op": "gt", "value": 1}]}, object="pager.page"
    )
    plan = compile_plan([ruleset(about_pages)], SCHEMA, 1)
    linked = [page(n, values={"level": n}) for n in range(4)]

    matches = plan.match(facts({}, linked=linked))

    assert [one.about.id for one in matches] == ["I2", "I3"]
    assert [[a.record.id for a in one.actions] for one in matches] == [["I2"], ["I3"]]


def test_becomes_true_fires_only_when_it_was_not_true_before():
    plan = compile_plan([ruleset(rule(P1, run="becomes_true"))], SCHEMA, 1)

    assert fired(plan, facts({"priority": "P1"}, {"priority": "P2"})) == ["01"]
    assert fired(plan, facts({"priority": "P1"}, {"subject": "x"})) == []
    assert fired(plan, facts({"priority": "P1"}, {})) == ["01"]
    assert fired(plan, facts({"priority": "P1"}, None)) == ["01"]


def test_a_rule_that_names_what_is_gone_is_kept_off_and_says_why():
    gone = rule({"all": [{"field": "desk.ticket.gone", "op": "is", "value": "x"}]})

    plan = compile_plan([ruleset(gone, rule(number=2))], SCHEMA, 1)
    traces = plan.explain(facts({}))

    assert [one.code for one in plan.invalid[gone["id"]]] == ["field.unknown"]
    assert traces[0].skipped == "rule invalid: No field 'gone' on Ticket. Nearest: 'owner'."
    assert fired(plan, facts({})) == ["02"]


def test_from_keeps_a_rule_to_its_connectors():
    plan = compile_plan([ruleset(rule(**{"from": ["other-desk"]}))], SCHEMA, 1)

    [trace] = plan.explain(facts({}))

    assert fired(plan, facts({})) == []
    assert fired(plan, facts({}, connector="other-desk")) == ["01"]
    assert trace.skipped == 'connector is not in "from"'


def test_changes_make_a_new_handle_and_the_old_one_only_explains():
    before = compile_plan([ruleset(rule(P1))], SCHEMA, 1)
    event = facts({"priority": "P2"})
    changed = Rule.model_validate(rule())

    after = before.with_changes(add=[changed, Rule.model_validate(rule(number=2))])
    last = after.with_changes(remove=[changed.id])

    assert fired(last, event) == ["02"]
    assert last.version == 3
    assert [one.fired for one in before.explain(event)] == [False]
    assert [one.fired for one in after.explain(event)] == [True, True]
    with pytest.raises(PlanReplaced):
        before.match(event)
