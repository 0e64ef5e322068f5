"""An operator that raises: the rule does not match, and the trace says so."""

import pytest

from hub.rules import compile_plan
from hub.rules.conditions import Conditions
from hub.sdk.operators import AccessKey, KeyKind, Operand, Operator
from hub.sdk.vocabulary import FieldType
from tests.unit.rules.world import facts, rule, ruleset, schema


def _raising(operand, field):
    def met(actual, prior, at):
        raise RuntimeError("out of order")

    return met


def _refusing(operand, field):
    raise TypeError("can not be compiled")


RAISING = Operator(
    name="toy.raises", label="raises", sentence="{field} raises", operand=Operand.NONE,
    types=frozenset({FieldType.TEXT}), compile=_raising,
)  # fmt: skip
KEYED = Operator(
    name="toy.keyed", label="is keyed", sentence="{field} is keyed",
    types=frozenset({FieldType.TEXT}),
    compile=_raising, keys=lambda operand, name: [AccessKey(KeyKind.EQUAL, name, operand)],
)  # fmt: skip
REFUSING = Operator(
    name="toy.refuses", label="refuses", sentence="{field} refuses", operand=Operand.NONE,
    types=frozenset({FieldType.TEXT}), compile=_refusing,
)  # fmt: skip
PAST = Operator(
    name="toy.past", label="past", sentence="{field} past", operand=Operand.VALUE,
    types=frozenset({FieldType.TEXT}), compile=_raising, needs_prior=True,
)  # fmt: skip
SCHEMA = schema(operators=[*schema().operators.values(), RAISING, KEYED, REFUSING, PAST])
FAILS = {"field": "desk.ticket.subject", "op": "toy.raises"}
YES = {"field": "desk.ticket.age", "op": "is", "value": 1}
NO = {"field": "desk.ticket.age", "op": "is", "value": 2}
FAILED = "operator failed: RuntimeError: out of order"


def outcome(when):
    plan = compile_plan([ruleset(rule(when))], SCHEMA, 1)
    event = facts({"age": 1, "subject": "x"}, {"subject": "y"}, SCHEMA)
    [trace] = plan.explain(event)
    assert trace.met is bool(plan.match(event))
    return trace


@pytest.mark.parametrize(
    "when",
    [
        {"all": [FAILS]},
        {"any": [FAILS]},
        {"none": [FAILS]},
        {"all": [YES, FAILS]},
        {"all": [FAILS, YES]},
        {"any": [NO, FAILS]},
        {"none": [FAILS, NO]},
        {"all": [{"none": [FAILS]}, YES]},
        {"none": [{"all": [FAILS, YES]}]},
    ],
)
def test_a_failing_operator_keeps_the_rule_from_matching(when):
    trace = outcome(when)

    assert not trace.met
    assert FAILED in trace.because


@pytest.mark.parametrize(
    ("when", "met"),
    [
        ({"any": [FAILS, YES]}, True),
        ({"any": [YES, FAILS]}, True),
        ({"any": [FAILS, FAILS, YES]}, True),
        ({"all": [YES, {"any": [FAILS, YES]}]}, True),
        ({"none": [FAILS, YES]}, False),
        ({"none": [{"all": [FAILS, NO]}]}, True),
        ({"none": [{"all": [NO, FAILS]}]}, True),
    ],
)
def test_what_does_not_depend_on_the_failure_is_decided_without_it(when, met):
    assert outcome(when).met is met


def test_operators_found_by_key_or_by_past_fail_alike():
    keyed = {"field": "desk.ticket.subject", "op": "toy.keyed", "value": "x"}
    past = {"field": "desk.ticket.subject", "op": "toy.past", "value": "x"}
    other = keyed | {"value": {"$field": "desk.ticket.subject"}}
    plain = keyed | {"ignore_case": False}

    for condition in (keyed, past, other, plain):
        assert FAILED in outcome({"all": [condition]}).because


def test_many_rules_that_fail_do_not_disturb_the_others():
    rules = [rule({"all": [FAILS]}, number=n) for n in range(40)]
    fine = rule({"none": [NO]}, number=99)

    plan = compile_plan([ruleset(*rules, fine)], SCHEMA, 1)

    assert [one.rule for one in plan.match(facts({"age": 1}, None, SCHEMA))] == [fine["id"]]


def test_a_rule_whose_operator_can_not_be_compiled_is_off_and_says_why():
    refused = rule({"all": [{"field": "desk.ticket.subject", "op": "toy.refuses"}]})

    plan = compile_plan([ruleset(refused, rule(number=2))], SCHEMA, 1)

    [problem] = plan.invalid[refused["id"]]
    assert problem.code == "op.failed"
    assert problem.message == "'refuses' can not be used: TypeError: can not be compiled"
    assert len(plan.match(facts({}))) == 1


def test_failures_are_told_once_to_who_asks():
    shared = [rule({"all": [FAILS]}, number=n) for n in range(3)]
    plan = compile_plan([ruleset(*shared)], SCHEMA, 1)
    for _ in range(5):
        plan.match(facts({"subject": "x"}, None, SCHEMA))

    told = plan.take_failures()

    assert {(one.operator, one.field, one.message) for one in told} == {
        ("toy.raises", "desk.ticket.subject", FAILED)
    }
    assert {one.rule for one in told} == {one["id"] for one in shared}
    assert plan.take_failures() == []


def test_failing_rules_do_not_match_directly_either():
    plan = compile_plan([ruleset(rule({"none": [FAILS]}))], SCHEMA, 1)

    assert plan.disagreements(facts({"subject": "x"}, None, SCHEMA)) == []


def _choosy(operand, field):
    def met(actual, prior, at):
        if actual == "broken":
            raise RuntimeError("out of order")
        return actual == operand

    return met


def test_a_failure_on_the_past_counts_as_not_true_before():
    choosy = Operator(
        name="toy.choosy", label="is", sentence="{field} is {value}", compile=_choosy,
        types=frozenset({FieldType.TEXT}),
    )  # fmt: skip
    known = schema(operators=[*SCHEMA.operators.values(), choosy])
    fine = {"field": "desk.ticket.subject", "op": "toy.choosy", "value": "fine"}
    plan = compile_plan([ruleset(rule({"all": [fine]}, run="becomes_true"))], known, 1)

    assert plan.match(facts({"subject": "fine"}, {"subject": "broken"}, known))
    assert not plan.match(facts({"subject": "fine"}, {"status": "x"}, known))


def _sound(operand, field):
    return lambda actual, *_: actual is not None and actual.startswith(operand)


def test_an_operator_with_wrong_keys_is_noticed_and_distrusted():
    lying = Operator(
        name="toy.begins", label="begins", sentence="{field} begins {value}",
        types=frozenset({FieldType.TEXT}), compile=_sound,
        keys=lambda operand, name: [AccessKey(KeyKind.EQUAL, name, operand)],
    )  # fmt: skip
    known = schema(operators=[*SCHEMA.operators.values(), lying])
    begins = {"field": "desk.ticket.subject", "op": "toy.begins", "value": "fire"}
    one = rule({"all": [{"any": [begins, NO]}]})
    plan = compile_plan([ruleset(one, rule(number=2))], known, 1)
    event = facts({"subject": "Fire in the hall"}, None, known)

    [found] = plan.disagreements(event)

    assert found.rule == one["id"]
    assert not found.found
    assert found.operators == {"toy.begins", "is"}
    plan.distrust({"toy.begins"})
    assert plan.disagreements(event) == []
    assert [match.rule for match in plan.match(event)] == [one["id"], rule(number=2)["id"]]


def test_attributes_that_are_not_there_are_not_made_up():
    conditions = Conditions(SCHEMA)
    one = conditions.leaf("desk.ticket.age", "is", 1)

    for part in (one, conditions.group("any", [one])):
        with pytest.raises(AttributeError):
            _ = part.nothing


def test_an_operator_that_does_not_fit_the_field_is_refused():
    with pytest.raises(ValueError, match="'contains' does not work on Age"):
        Conditions(SCHEMA).leaf("desk.ticket.age", "contains", "x")
