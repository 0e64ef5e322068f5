"""Whatever a tenant writes within the limits: one event costs a bounded, counted amount of work."""

import tracemalloc
from decimal import Decimal

import pytest

from hub.rules import Linked, check_rule, compile_plan
from hub.rules.conditions import Leaf
from hub.rules.facts import MAX_VIEWS
from hub.rules.values import MAX_TEXT
from hub.sdk.events import RecordRef
from hub.sdk.operators import Operand, Operator
from hub.sdk.vocabulary import FieldType
from tests.unit.rules.world import facts, rule, ruleset, schema

T = "desk.ticket."
MOST_CONDITIONS = 50
DEPTH = 5
RULES = 60


def _raising(operand, field):
    def met(actual, prior, at):
        raise RuntimeError("out of order")

    return met


RAISES = Operator(
    name="toy.raises", label="raises", sentence="{field} raises {value}", operand=Operand.VALUE,
    types=frozenset({FieldType.TEXT}), compile=_raising,
)  # fmt: skip
SCHEMA = schema(operators=[*schema().operators.values(), RAISES])
HUGE = "a" * (MAX_TEXT - 1) + "b"


def condition(name, op, value):
    return {"field": T + name, "op": op, "value": value}


def flat(at, make):
    return {"all": [make(at, number) for number in range(MOST_CONDITIONS)]}


def nested(at, make):
    """Fifty conditions as deep as they may lie, ten at each depth, kinds in turns."""
    kinds = ("any", "none", "any", "none", "any")
    tree = None
    for depth in range(DEPTH - 1, -1, -1):
        inner = [] if tree is None else [tree]
        tree = {kinds[depth]: [*(make(at, depth * 10 + n) for n in range(10)), *inner]}
    return tree


def negative(at, number):
    return condition("subject", "not_contains", f"{at}-{number}" + "z" * 1_200)


def pattern(at, number):
    return condition("subject", "matches", f"(a|aa)+(a?){{{number % 9 + 1}}}[x-z]{at}{number}$")


def unlisted(at, number):
    return condition(
        "origin", "is_none_of", [f"{at}-{number}-{one}" for one in range(20 if number else 1_000)]
    )


def raising(at, number):
    return condition("subject", "toy.raises", f"{at}-{number}")


WORST = {
    "negations of long texts": (flat, negative),
    "negations at every depth": (nested, negative),
    "patterns without literals": (flat, pattern),
    "patterns at every depth": (nested, pattern),
    "the longest lists": (flat, unlisted),
    "operators that fail": (flat, raising),
    "operators that fail at every depth": (nested, raising),
}


@pytest.fixture
def tested(monkeypatch):
    """How often each condition is tested."""
    counts = {}

    def observe(leaf, check):
        def counted(view):
            counts[leaf.id] = counts.get(leaf.id, 0) + 1
            return check(view)

        return counted

    monkeypatch.setattr(Leaf, "observe", staticmethod(observe))
    return counts


def worst(name, count=RULES):
    shape, make = WORST[name]
    rules = []
    for at in range(count):
        made = rule(shape(at, make))
        rules.append(made | {"id": f"00000000-0000-7000-8000-{at:012d}"})
    return rules


@pytest.mark.parametrize("name", WORST)
def test_each_condition_is_tested_a_bounded_number_of_times(name, tested):
    rules = worst(name)
    assert [one for one in check_rule(rules[0], SCHEMA) if one.severity == "error"] == []
    plan = compile_plan([ruleset(*rules)], SCHEMA, 1)
    assert not plan.invalid

    plan.match(facts({"subject": HUGE, "origin": "x"}, {}, SCHEMA))

    again = 2 ** (DEPTH - 1) if "fail" in name else 1
    assert sum(tested.values()) <= RULES * MOST_CONDITIONS * again
    assert max(tested.values(), default=0) <= again


def test_linked_records_multiply_the_work_by_twenty_at_most(tested):
    rules = [one | {"object": "pager.page"} for one in worst("negations of long texts")]
    plan = compile_plan([ruleset(*rules)], SCHEMA, 1)
    happened = facts({"subject": "x"}, {}, SCHEMA)
    many = tuple(
        Linked(
            ref=RecordRef(source_object="pager.page", id=str(number)),
            connector="my-pager",
            values={"pager.page.title": f"T{number}"},
        )
        for number in range(3 * MAX_VIEWS)
    )
    linked = type(happened)(
        **{one: getattr(happened, one) for one in happened.__dataclass_fields__}
        | {"linked": {"pager.page": many}}
    )

    found = plan.match(linked)

    assert MAX_VIEWS == 20
    assert sum(tested.values()) <= RULES * MOST_CONDITIONS * MAX_VIEWS
    assert len(found) == RULES * MAX_VIEWS


@pytest.mark.parametrize("name", ["negations of long texts", "patterns at every depth"])
def test_one_event_takes_bounded_memory(name):
    plan = compile_plan([ruleset(*worst(name))], SCHEMA, 1)
    happened = facts({"subject": HUGE}, {}, SCHEMA)
    plan.match(happened)
    tracemalloc.start()
    try:
        plan.match(happened)
        plan.explain(happened)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 * 1024 * 1024


def test_a_longer_event_is_cut_to_what_is_read():
    longer = facts({"subject": "a" * (40 * MAX_TEXT) + "needle"}, {}, SCHEMA)

    assert len(longer.new[T + "subject"]) == MAX_TEXT
    assert longer.new[T + "subject"].isascii()


def test_a_hundred_thousand_digits_are_no_number():
    many = facts({"amount": "9" * 100_000, "age": "1e999999"}, {}, SCHEMA)

    assert many.new.get(T + "amount") is None
    assert many.new.get(T + "age") is None
    assert facts({"amount": "9" * 30}, {}, SCHEMA).new[T + "amount"] == Decimal("9" * 30)
