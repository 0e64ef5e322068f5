"""Plans that change while they live: rules, rulesets, states, order."""

import pytest

from hub.rules import PlanReplaced, Rule, Schema, check_rule, compile_plan
from hub.rules.entries import Entry, Home
from hub.rules.index import Index
from hub.rules.plan import Plan
from hub.rules.state import State
from hub.sdk.vocabulary import SourceObject
from tests.unit.rules.random_world import Chance
from tests.unit.rules.world import (
    ACTIONS,
    CONNECTORS,
    FIELDS,
    OPERATORS,
    facts,
    rule,
    ruleset,
    schema,
)

SCHEMA = schema()


def fired(plan, event=None):
    return [one.rule[-2:] for one in plan.match(event or facts({}))]


def test_a_changed_ruleset_takes_the_place_of_the_one_there():
    plan = compile_plan([ruleset(rule(number=1), rule(number=2))], SCHEMA, 1)

    plan = plan.with_rulesets([ruleset(rule(number=3), rule(number=2), version=2)], version=7)

    assert fired(plan) == ["03", "02"]
    assert plan.version == 7
    assert {one.ruleset_version for one in plan.match(facts({}))} == {2}


def test_rules_that_stay_the_same_are_not_touched():
    plan = compile_plan([ruleset(rule(number=1), rule(number=2))], SCHEMA, 1)
    before = dict(plan._state.entries)

    changed = rule(number=2, name="Other")
    plan = plan.with_rulesets([ruleset(rule(number=1), changed, version=2)])

    same, other = (before[rule(number=n)["id"]] for n in (1, 2))
    assert plan._state.entries[same.id] is same
    assert plan._state.entries[other.id] is not other


def test_rulesets_can_be_removed_and_put_in_another_order():
    sets = [ruleset(rule(number=n), id=name) for n, name in enumerate("abc")]
    plan = compile_plan(sets, SCHEMA, 1)

    plan = plan.with_rulesets(remove=["b", "gone"], order=["c", "a", "gone"])

    assert fired(plan) == ["02", "00"]
    assert len(plan) == 2


@pytest.mark.parametrize("state", ["disabled", "shadow"])
def test_the_state_of_a_ruleset_can_change(state):
    plan = compile_plan([ruleset(rule(), rule(number=2))], SCHEMA, 1)

    off = plan.with_rulesets([ruleset(rule(), rule(number=2), state=state)])
    shadows = [one.shadow for one in off.match(facts({}))]
    on = off.with_rulesets([ruleset(rule(), rule(number=2))])

    assert shadows == ([] if state == "disabled" else [True, True])
    assert fired(on) == ["01", "02"]


def test_a_rule_can_move_to_another_ruleset():
    plan = compile_plan([ruleset(rule(number=1), id="a"), ruleset(id="b")], SCHEMA, 1)

    plan = plan.with_rulesets([ruleset(rule(number=1), id="b")])
    plan = plan.with_rulesets([ruleset(rule(number=2), id="a")])

    assert [(one.ruleset, one.rule[-2:]) for one in plan.match(facts({}))] == [
        ("a", "02"),
        ("b", "01"),
    ]


def test_old_handles_remember_what_they_were():
    event = facts({})
    first = compile_plan([ruleset(rule(number=1))], SCHEMA, 1)
    second = first.with_rulesets([ruleset(rule(number=2), rule(number=3))])
    third = second.with_rulesets(remove=["set"])

    assert [one.rule[-2:] for one in first.explain(event)] == ["01"]
    assert [one.rule[-2:] for one in second.explain(event)] == ["02", "03"]
    assert third.explain(event) == []
    assert [len(one) for one in (first, second, third)] == [1, 2, 0]
    assert first.schema is SCHEMA
    for old in (first, second):
        with pytest.raises(PlanReplaced, match="has been changed"):
            old.with_changes()


def test_single_rules_go_where_they_were_or_to_the_first_ruleset():
    plan = compile_plan([ruleset(id="a"), ruleset(rule(number=1), id="b")], SCHEMA, 1)
    fresh, same = (Rule.model_validate(rule(number=n, name="New")) for n in (2, 1))

    plan = plan.with_changes([fresh, same])

    assert [(one.ruleset, one.rule[-2:]) for one in plan.match(facts({}))] == [
        ("a", "02"),
        ("b", "01"),
    ]


def test_single_rules_can_go_to_a_new_ruleset_but_not_change_the_state_of_one():
    plan = compile_plan([ruleset(id="a")], SCHEMA, 1)
    one = Rule.model_validate(rule())

    plan = plan.with_changes([one], ruleset=ruleset(id="b", version=4))
    plan = plan.with_changes([one], ruleset=ruleset(id="b", version=5))

    assert [m.ruleset_version for m in plan.match(facts({}))] == [5]
    with pytest.raises(ValueError, match="use with_rulesets"):
        plan.with_changes([one], ruleset=ruleset(id="b", state="shadow"))


def test_removing_what_is_not_there_changes_nothing():
    plan = compile_plan([ruleset(rule())], SCHEMA, 1)

    assert fired(plan.with_changes(remove=["nobody"])) == ["01"]


def test_positions_order_the_rules_where_they_say_something():
    first, second = rule(number=1, position=20), rule(number=2, position=30)
    plan = compile_plan([ruleset(first, second)], SCHEMA, 1)

    between = Rule.model_validate(rule(number=3, position=25))

    assert fired(plan.with_changes([between])) == ["01", "03", "02"]


def test_a_rule_without_an_id_can_not_be_planned():
    with pytest.raises(ValueError, match="rule 'Rule 1' has no id"):
        compile_plan([ruleset(rule(id=...))], SCHEMA, 1)


def test_a_plan_is_the_same_however_it_came_about():
    chance = Chance(5, SCHEMA)
    rules = [chance.rule(n) for n in range(120)]
    whole = compile_plan([ruleset(*rules[60:])], SCHEMA, 1)
    grown = compile_plan([ruleset(*rules[:90])], SCHEMA, 1)
    grown = grown.with_changes(remove=[one["id"] for one in rules[:60]])
    grown = grown.with_changes([Rule.model_validate(one) for one in rules[90:]])

    for number in range(60):
        event = chance.facts(number)
        assert set(fired(whole, event)) == set(fired(grown, event))


def test_an_emptied_plan_holds_nothing():
    chance = Chance(6, SCHEMA)
    rules = [chance.rule(n) for n in range(200)]
    plan = compile_plan([ruleset(*rules)], SCHEMA, 1)

    plan = plan.with_changes(remove=[one["id"] for one in rules])

    for one in plan._state._index._levels.values():
        assert len(one) == 0
        assert all(not table.buckets for table in one._tables.values())
        assert one._trie is None or not one._trie._order


def test_rules_of_many_triggers_are_filed_once():
    objects = [SourceObject(name=f"desk.thing{n}", label="Thing") for n in range(12)]
    triggers = [one.trigger(verb, "Changed") for one in objects for verb in ("created", "updated")]
    known = Schema(fields=FIELDS, triggers=triggers, operators=OPERATORS)
    home = Home("h", "H", 1, "enabled", 0)
    index = Index()
    entries = []
    for start in range(10):
        on = [one.name for one in triggers[start : start + 5]]
        made = Rule.model_validate(rule(number=start, on=on))
        entry = Entry(made, home, start)
        entry.triggers = frozenset(known.expand(on))
        entries.append(entry)
        index.add(entry)

    assert [len(one.filed) for one in entries] == [1] * 8 + [5] * 2
    assert index.objects(triggers[5].name)["desk.ticket"] == 5
    for entry in entries:
        index.remove(entry)
    assert not index.objects(triggers[5].name)


def test_after_many_changes_there_is_upkeep():
    texts = [
        rule(
            {"all": [{"field": "desk.ticket.subject", "op": "contains", "value": f"word{n:03}"}]},
            number=n,
        )
        for n in range(150)
    ]
    state = State(SCHEMA)
    plan = Plan(state, 1).with_changes(
        [Rule.model_validate(one) for one in texts], ruleset=ruleset()
    )

    jobs = plan.upkeep()
    for job in jobs:
        job.build()
        job.install()

    assert len(jobs) == 2, "one for each trigger"
    assert plan.upkeep() == []
    assert fired(plan, facts({"subject": "the word007 here"})) == ["07"]


# --------------------------------------------------------------------------- schema


def test_a_schema_knows_its_vocabulary():
    assert {"desk.ticket", "pager.page", "hub.event"} <= SCHEMA.objects
    assert SCHEMA.label_of("desk.ticket") == "Ticket"
    assert SCHEMA.label_of("desk.big_thing") == "big thing"
    assert SCHEMA.fields_of("nobody.x") == ()
    assert [one.name for one in SCHEMA.operators_for("desk.ticket.vip")][:2] == ["is", "is_not"]
    assert SCHEMA.expand(["pager.page.*", "desk.ticket.created", "x.y.*", "x.y.z"]) == [
        "pager.page.triggered",
        "pager.page.acknowledged",
        "desk.ticket.created",
    ]
    assert SCHEMA.nearest_field("nobody.x.y") is None
    urgency = SCHEMA.fields["pager.page.urgency"]
    assert SCHEMA.choice_label(urgency, "high") == "High"
    assert SCHEMA.choice_label(urgency, "none") is None


def test_a_schema_always_knows_where_an_event_came_from():
    bare = Schema(
        fields=FIELDS, triggers=SCHEMA.triggers.values(), operators=OPERATORS, actions=ACTIONS,
        connectors=CONNECTORS,
    )  # fmt: skip
    plan = compile_plan([ruleset(rule(**{"from": ["my-desk"]}))], bare, 1)

    assert check_rule(rule(**{"from": ["my-desk"]}), bare) == []
    assert fired(plan, facts({}, None, bare)) == ["01"]
    assert fired(plan, facts({}, None, bare, connector="other")) == []


def test_what_a_deleted_connector_or_trigger_or_action_leaves_behind():
    written = [
        rule(number=1, then=[{"do": "mail.send", "connector": "post", "with": {"content": "x"}}]),
        rule(number=2, on=["pager.page.*"]),
        rule(number=3),
        rule(number=4, then=[{"do": "mail.send", "connector": "my-pager", "with": {}}]),
    ]
    known = schema(
        connectors={"my-pager": "pager"},
        triggers=[one for name, one in SCHEMA.triggers.items() if name.startswith("desk")],
    )

    plan = compile_plan([ruleset(*written)], known, 1)

    assert {rule_id[-2:]: found[0].code for rule_id, found in plan.invalid.items()} == {
        "01": "connector.unknown",
        "02": "trigger.unknown",
        "04": "connector.type",
    }
    assert fired(plan) == ["03"]
