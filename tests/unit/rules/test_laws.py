"""Laws that hold for any rules and events."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules import Rule, compile_plan, run_key
from hub.rules.level import Shape
from hub.rules.plan import Plan
from hub.rules.state import State
from hub.sdk.events import RecordRef
from tests.unit.rules.random_world import Chance
from tests.unit.rules.world import rule, ruleset, schema

SCHEMA = schema()
SEEDS = st.integers(0, 10**6)


def met(when, event):
    event = replace(event, linked={})
    return bool(compile_plan([ruleset(rule(when, on=[event.trigger]))], SCHEMA, 1).match(event))


@settings(max_examples=60)
@given(SEEDS)
def test_the_order_of_conditions_does_not_matter(seed):
    chance = Chance(seed, SCHEMA)
    when, event = chance.group(1), chance.facts()

    assert met(when, event) is met(shuffled(when, chance.random), event)


def shuffled(tree, dice):
    if "field" in tree:
        return tree
    [(kind, kids)] = tree.items()
    return {kind: [shuffled(one, dice) for one in dice.sample(kids, len(kids))]}


@settings(max_examples=60)
@given(SEEDS)
def test_groups_are_dual(seed):
    chance = Chance(seed, SCHEMA)
    kids, event = [chance.kid(1) for _ in range(3)], chance.facts()

    assert met({"none": kids}, event) is not met({"any": kids}, event)
    turned = {"none": [{"none": [one]} for one in kids]}
    assert met(turned, event) is met({"all": kids}, event)
    assert met({"all": [{"any": [one]} for one in kids]}, event) is met({"all": kids}, event)


@settings(max_examples=60)
@given(SEEDS)
def test_an_inverse_is_the_exact_opposite(seed):
    chance = Chance(seed, SCHEMA)
    condition, event = chance.condition(), chance.facts()
    inverse = SCHEMA.operators[condition["op"]].inverse

    if inverse:
        assert met({"all": [condition | {"op": inverse}]}, event) is met(
            {"none": [condition]}, event
        )


@settings(max_examples=40)
@given(SEEDS)
def test_the_same_facts_and_plan_give_the_same_answer(seed):
    chance = Chance(seed, SCHEMA)
    rules, event = [chance.rule(n) for n in range(20)], chance.facts()
    one = compile_plan([ruleset(*rules)], SCHEMA, 1)
    other = Plan(State(SCHEMA, Shape(split=2, depth=6)), 1).with_changes(
        [Rule.model_validate(written) for written in random.Random(seed).sample(rules, 20)],
        ruleset=ruleset(),
    )

    found = one.match(event)

    assert found == one.match(event)
    assert {match.rule: match.actions for match in found} == {
        match.rule: match.actions for match in other.match(event)
    }


@given(st.text(), st.text(), st.integers(0, 19), st.text())
def test_a_key_is_33_small_letters_and_digits(event, written, index, record):
    ref = RecordRef(source_object="a.b", id=record)
    key = run_key(event, written, index, None, ref)

    assert len(key) == 33
    assert key.isalnum()
    assert key == key.lower()
    assert key == run_key(event, written, index, None, ref)
    assert key != run_key(event, written, index, ref, None)


def test_a_key_stays_what_it_was():
    ref = RecordRef(source_object="a.b", id="1")

    assert run_key("evt_1", "rule", 0, ref, None) == "htfbsd5niuwigxevb7u5kam55njmlknnr"
