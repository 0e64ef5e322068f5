"""Limits, exactly: what stands at a limit is fine, one more is told."""

import json
from decimal import Decimal

import pytest

from hub.rules import Linked, Rule, check_rule, check_ruleset, compile_plan
from hub.rules.text import MAX_PROGRAM, Pattern, PatternRefused
from hub.rules.values import MAX_TEXT, NotOfType, coerce, shown
from hub.sdk.events import RecordRef
from hub.sdk.vocabulary import FieldType
from tests.unit.rules.world import facts, note, rule, ruleset, schema

SCHEMA = schema()
SUBJECT = "desk.ticket.subject"


def codes(written):
    return {one.code for one in check_rule(written, SCHEMA) if one.severity == "error"}


def of(value, op="is", name=SUBJECT):
    return rule({"all": [{"field": name, "op": op, "value": value}]})


def nested(depth):
    tree = {"field": SUBJECT, "op": "is_present"}
    for _ in range(depth):
        tree = {"any": [tree]}
    return rule(tree)


def with_values(count):
    return with_this(body=[1] * (count - 3))


def with_this(**params):
    given = {"service": "S", "title": "t"} | params
    return rule(then=[{"do": "pager.create_page", "connector": "my-pager", "with": given}])


def with_body(depth):
    body = 1
    for _ in range(depth - 1):
        body = [body]
    return with_this(body=body)


def of_bytes(count):
    empty = rule(note="")
    return empty | {"note": "x" * (count - len(json.dumps(empty)))}


def conditions(count):
    """Conditions in groups of fifty at most."""
    kids = [{"field": "desk.ticket.age", "op": "gt", "value": at} for at in range(count)]
    return rule({"all": [{"any": kids[:25]}, {"any": kids[25:]}]})


def titled(text):
    return with_this(title=text)


EXACT = {
    "name": (lambda n: rule(name="x" * n), 120, "schema.value"),
    "note": (lambda n: rule(note="x" * n), 2_000, "schema.value"),
    "position": (lambda n: rule(position=n), 1_000_000, "schema.value"),
    "actions": (lambda n: rule(then=[note()] * n), 20, "limit.actions"),
    "conditions": (conditions, 50, "limit.conditions"),
    "conditions of a group": (
        lambda n: rule({"all": [{"field": SUBJECT, "op": "is", "value": str(at)}
                                for at in range(n)]}), 50, "schema.value"),
    "depth of groups": (nested, 5, "limit.depth"),
    "values of a list": (
        lambda n: of([str(at) for at in range(n)], "is_any_of"), 1_000, "limit.values"),
    "text of an operand": (lambda n: of("x" * n, "contains"), 2_000, "limit.text"),
    "characters of a pattern": (lambda n: of("x" * n, "matches"), 512, "regex.too_long"),
    "values of an action": (with_values, 100, "limit.nodes"),
    "depth of values": (with_body, 5, "limit.depth"),
    "size": (of_bytes, 64 * 1024, "limit.size"),
    "source of a template": (
        lambda n: titled("{{ hub.rule.name }}".ljust(n, "x")), 8 * 1024, "template.syntax"),
    "expressions of a template": (
        lambda n: titled("{{ hub.rule.name }}" * n), 50, "template.syntax"),
    "filters of an expression": (
        lambda n: titled("{{ hub.rule.name" + " | upper" * n + " }}"), 10, "template.syntax"),
}  # fmt: skip


@pytest.mark.parametrize("what", EXACT)
def test_what_stands_at_the_limit_is_fine_and_one_more_is_told(what):
    make, limit, code = EXACT[what]

    assert code not in codes(make(limit))
    assert code in codes(make(limit + 1))


def test_a_ruleset_takes_a_thousand_rules():
    def problems(count):
        rules = [rule(number=at) for at in range(count)]
        return {one.code for one in check_ruleset({"rules": rules}, SCHEMA)}

    assert "limit.rules" not in problems(1_000)
    assert "limit.rules" in problems(1_001)


def test_a_pattern_may_have_as_many_instructions_as_the_limit_says():
    def fits(count):
        try:
            Pattern(f"(?:[a-b]{{{count}}})", ignore_case=False)
        except PatternRefused:
            return False
        return True

    largest = max(count for count in range(1, 1001) if fits(count))
    assert largest == 1000
    many = [f"{'(?:x{1000})' * repeats}" for repeats in range(1, 20)]
    refused = []
    for one in many:
        try:
            Pattern(one, ignore_case=False)
        except PatternRefused as error:
            refused.append(error.code)
    assert set(refused) == {"regex.too_big"}
    assert len(many) - len(refused) == MAX_PROGRAM // 1000 - 1


@pytest.mark.parametrize(
    ("kind", "fine", "wrong"),
    [
        (FieldType.DECIMAL, "1" + "0" * 30, "1" + "0" * 31),
        (FieldType.DECIMAL, "0." + "1" * 62, "0." + "1" * 63),
        (FieldType.DECIMAL, "1e30", "1e31"),
        (FieldType.INTEGER, "1" + "0" * 30, "1" + "0" * 31),
    ],
)
def test_numbers_have_a_greatest_size(kind, fine, wrong):
    assert coerce(fine, kind) == Decimal(fine)
    with pytest.raises(NotOfType, match="not a number"):
        coerce(wrong, kind)


@pytest.mark.parametrize("number", [10**18 - 1, 10**18, -(10**18), 10**30])
def test_large_whole_numbers_are_read_exactly(number):
    assert coerce(number, FieldType.INTEGER) == number


def test_text_is_read_up_to_its_limit():
    exact, longer = ("ä" * MAX_TEXT, "ä" * (MAX_TEXT + 1))

    assert coerce(exact, FieldType.TEXT) == exact
    assert coerce(longer, FieldType.TEXT) == exact
    assert facts({"subject": exact}, {}, SCHEMA).notes == {}
    assert "cut" in facts({"subject": longer}, {}, SCHEMA).notes[SUBJECT]


# ------------------------------------------------------------------------ records of actions


def linked(count):
    return tuple(
        Linked(ref=RecordRef(source_object="pager.page", id=f"L{at}"), connector="my-pager")
        for at in range(count)
    )


def planned(line, happened):
    plan = compile_plan([ruleset(rule(then=[line]))], SCHEMA, 1)
    (match,) = plan.match(happened)
    return match.actions


def around(happened, **more):
    return type(happened)(
        **{one: getattr(happened, one) for one in happened.__dataclass_fields__} | more
    )


@pytest.mark.parametrize(("count", "wanted"), [(0, 1), (1, 1), (20, 20), (21, 20), (40, 20)])
def test_an_action_works_on_twenty_linked_records_at_most(count, wanted):
    happened = around(facts({}, {}, SCHEMA), linked={"pager.page": linked(count)})

    actions = planned(note(), happened)

    assert len(actions) == wanted
    if count:
        assert [one.record.id for one in actions] == [f"L{at}" for at in range(wanted)]
    else:
        assert (actions[0].record, actions[0].skipped) == (None, "no linked Page")


def test_the_event_s_own_record_counts_as_linked_to_itself_once():
    page = facts({}, {}, SCHEMA, object="pager.page", verb="triggered", connector="my-pager")
    made = rule(then=[note()], object="pager.page", on=["pager.page.triggered"])
    plan = compile_plan([ruleset(made)], SCHEMA, 1)
    own = Linked(ref=page.record, connector="my-pager")

    alone = plan.match(page)[0].actions
    both = plan.match(around(page, linked={"pager.page": (*linked(2), own)}))[0].actions
    others = plan.match(around(page, linked={"pager.page": linked(2)}))[0].actions

    assert [one.record.id for one in alone] == ["T1"]
    assert sorted(one.record.id for one in both) == ["L0", "L1", "T1"]
    assert [one.record.id for one in others] == ["T1", "L0", "L1"]


def test_records_of_another_connector_are_left_alone():
    other = Linked(ref=RecordRef(source_object="pager.page", id="O"), connector="other-pager")
    happened = around(facts({}, {}, SCHEMA), linked={"pager.page": (other, *linked(1))})

    assert [one.record.id for one in planned(note(), happened)] == ["L0"]


# ------------------------------------------------------------------------ parameters


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"service": {"$service": "outbound"}, "title": "x"}, set()),
        ({"service": "S", "title": {"$field": SUBJECT}}, set()),
        ({"service": "S", "title": "x", "body": [{"$field": SUBJECT}, "{{ hub.rule.name }}"]},
         set()),
        ({"service": "S", "title": "x", "level": "{{ desk.ticket.age }}"}, set()),
        ({"service": "S", "title": "x", "level": "{{ desk.ticket.tags }}"}, {"template.type"}),
        ({"service": "S", "title": "x", "level": '{{ desk.ticket.tags | join: "" }}'}, set()),
        ({"service": "S", "title": "x", "level": "a{{ desk.ticket.age }}"}, {"template.type"}),
        ({"service": "S", "title": "x", "level": "{{ desk.ticket.age }}{{ desk.ticket.age }}"},
         {"template.type"}),
        ({"service": "S", "title": "x", "level": "much"}, {"action.params"}),
        ({"service": ["S"], "title": "x"}, {"action.params"}),
        ({"service": "S", "title": "x", "foreign": {"$field": SUBJECT}},
         {"action.params"}),
        ({"service": {"$field": SUBJECT, "$other": 1}, "title": "x"}, {"value.unknown_special"}),
        ({"service": "S", "title": "x", "foreign": "{{ hub.rule.name }}"}, {"action.params"}),
        ({"service": {"$field": SUBJECT, "more": 1}, "title": "x"}, {"value.unknown_special"}),
    ],
)  # fmt: skip
def test_parameters_are_checked_as_far_as_they_are_known(params, wanted):
    line = {"do": "pager.create_page", "connector": "my-pager", "with": params}

    assert codes(rule(then=[line])) == wanted


def test_every_special_value_of_an_object_is_looked_at():
    body = {"$service": "outbound", "$first": 1, "$second": 2}
    line = {"do": "pager.create_page", "connector": "my-pager",
            "with": {"service": "S", "title": "x", "body": body}}  # fmt: skip

    told = [one.pointer for one in check_rule(rule(then=[line]), SCHEMA)]

    assert told == ["/then/0/with/body/$first", "/then/0/with/body/$second"]


def test_what_is_left_out_of_a_rule_has_its_default():
    written = Rule.model_validate(rule(then=[{"do": "mail.send", "connector": "post"}]))

    assert (written.position, written.enabled, written.run, written.after) == (
        0, True, "every_time", "continue",
    )  # fmt: skip
    (line,) = written.then
    assert (line.unless_linked, line.records, line.on_error) == (False, "all_linked", "stop")


# ------------------------------------------------------------------------ what is shown


@pytest.mark.parametrize(
    ("length", "wanted"), [(59, "x" * 59), (60, "x" * 60), (61, "x" * 59 + "…")]
)
def test_a_value_in_a_message_is_cut_to_sixty_characters(length, wanted):
    assert shown("x" * length) == f"'{wanted}'"


def test_what_a_secret_is_compared_with_is_masked_like_the_secret_itself():
    plan = compile_plan([ruleset(of("hush", "is", "desk.ticket.token"))], SCHEMA, 1)

    (trace,) = plan.explain(facts({"token": "hush"}, {"token": "before"}, SCHEMA))

    (condition,) = trace.conditions.children
    assert (condition.expected, condition.actual, condition.prior) == ("•••", "•••", "•••")
    assert trace.because == "Token is •••"
    assert "hush" not in str(trace.as_json())


@pytest.mark.parametrize(
    ("op", "value", "actual", "said"),
    [
        ("is", "b", "a", 'Subject "a" is not "b"'),
        ("is", "b", None, 'Subject is empty, not "b"'),
        ("is_any_of", ["b", "c"], "a", 'Subject "a" is not any of "b", "c"'),
        ("is_not", "a", "a", 'not so: Subject is not "a" (Subject is "a")'),
        ("is_none_of", ["a"], "a", 'not so: Subject is none of "a" (Subject is "a")'),
        ("contains", "b", "a", 'not so: Subject contains "b" (Subject is "a")'),
        ("contains", "b", None, 'not so: Subject contains "b" (Subject is empty)'),
    ],
)
def test_a_condition_is_denied_in_the_words_of_its_operator(op, value, actual, said):
    plan = compile_plan([ruleset(of(value, op))], SCHEMA, 1)

    (trace,) = plan.explain(facts({"subject": actual}, {}, SCHEMA))

    assert trace.because == said
