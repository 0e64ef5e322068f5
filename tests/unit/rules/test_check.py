"""Checking: everything that is wrong, at once, with pointers and exact messages."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator

from hub.rules import check_rule, check_ruleset
from tests.unit.rules.world import note, rule, schema

SCHEMA = schema()


def found(written, **more):
    return [(one.pointer, one.code, one.message) for one in check_rule(written, SCHEMA, **more)]


def of_condition(**condition):
    return found(rule({"all": [condition]}))


def of_action(**line):
    return found(rule(then=[line]))


def test_a_good_rule_has_no_problems():
    assert (
        found(rule({"all": [{"field": "desk.ticket.subject", "op": "contains", "value": "x"}]}))
        == []
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": ...}, ("/name", "schema.required", "is required")),
        ({"name": ""}, ("/name", "schema.value", "must not be empty")),
        ({"name": "x" * 121}, ("/name", "schema.value", "takes at most 120")),
        ({"then": {}}, ("/then", "schema.type", "must be a list")),
        ({"then": []}, ("/then", "schema.value", "must not be empty")),
        ({"foo": 1}, ("", "schema.unknown", "unknown member 'foo'")),
        ({"enabled": "yes"}, ("/enabled", "schema.type", "must be true or false")),
        ({"position": -1}, ("/position", "schema.value", "must be at least 0")),
        ({"run": "once"}, ("/run", "schema.value", "must be 'every_time' or 'becomes_true'")),
        ({"id": "x"}, ("/id", "schema.value", "is not written as such a name is")),
        ({"when": [1]}, ("/when", "schema.type", "must be an object")),
        ({"when": {"all": [3]}}, ("/when/all/0", "schema.type", "must be an object")),
        ({"when": {"all": [], "any": []}}, ("/when/all", "schema.value", "must not be empty")),
        (
            {"when": {"all": [{"op": "is"}]}},
            ("/when/all/0/field", "schema.required", "is required"),
        ),
        ({"then": [{"connector": "post"}]}, ("/then/0/do", "schema.required", "is required")),
        ({"format": 2}, ("/format", "schema.format", "written by a newer version")),
        ({"format": "1"}, ("/format", "schema.value", "must be 1")),
    ],
)  # fmt: skip
def test_the_shape_is_checked_in_plain_words(changes, expected):
    assert expected in found(rule(**changes))


@pytest.mark.covers("SF-037")
def test_a_rule_has_actions():
    assert ("/then", "schema.value", "must not be empty") in found(rule(then=[]))
    assert ("/then", "schema.required", "is required") in found(rule(then=...))


def test_a_group_is_of_one_kind():
    one = {"field": "desk.ticket.subject", "op": "is_empty"}

    assert ("/when", "schema.value", "takes one of 'all', 'any', 'none'") in found(
        rule({"all": [one], "any": [one]})
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"object": "desk.case"}, ("/object", "object.unknown", "No source object 'desk.case'.")),
        (
            {"on": ["desk.ticket.update"]},
            (
                "/on/0",
                "trigger.unknown",
                "No trigger 'desk.ticket.update'. Nearest: 'desk.ticket.updated'.",
            ),
        ),
        (
            {"on": ["hub.schedule.due"]},
            (
                "/on/0",
                "trigger.unrelated",
                "'hub.schedule.due' can not be linked to 'desk.ticket'.",
            ),
        ),
        (
            {"from": ["gone"]},
            (
                "/from/0",
                "connector.unknown",
                "No connector 'gone'. There are: my-desk, my-pager, other-pager, post.",
            ),
        ),
    ],
)
def test_names_are_checked(changes, expected):
    assert expected in found(rule(**changes))


CONDITIONS = [
    (
        {"field": "desk.ticket.subjects", "op": "is", "value": "x"},
        "field", "field.unknown", "No field 'subjects' on Ticket. Nearest: 'subject'.",
    ),
    (
        {"field": "pager.page.title", "op": "is", "value": "x"},
        "field", "field.foreign",
        ("'pager.page.title' is neither a field of 'desk.ticket' nor of an object named in "
        '"run rule on".'),
    ),
    (
        {"field": "desk.ticket.vip", "op": "foo"}, "op", "op.unknown",
        ("No operator 'foo'. Operators of VIP: is, is_not, is_empty, is_present, changed, "
        "changed_to, changed_from, changed_from_to, was"),
    ),
    (
        {"field": "desk.ticket.vip", "op": "is_emty"}, "op", "op.unknown",
        ("No operator 'is_emty'. Nearest: 'is_empty'. Operators of VIP: is, is_not, is_empty, "
        "is_present, changed, changed_to, changed_from, changed_from_to, was"),
    ),
    ({"field": "desk.ticket.status", "op": "is", "value": "new"}, "value", "value.choice",
        "Status has no choice 'new'. Did you mean 'New'? Choices: New, Working, Escalated, Closed",
    ),
    (
        {"field": "desk.ticket.vip", "op": "starts_with", "value": "x"},
        "op", "op.type",
        ("'starts with' does not work on VIP (boolean). Operators: is, is_not, is_empty, "
        "is_present, changed, changed_to, changed_from, changed_from_to, was"),
    ),
    ({"field": "desk.ticket.age", "op": "is"}, "value", "value.missing", "'is' needs a value."),
    (
        {"field": "desk.ticket.age", "op": "is", "value": None},
        "value", "value.missing", "'is' needs a value.",
    ),
    (
        {"field": "desk.ticket.age", "op": "is_empty", "value": 1},
        "value", "value.superfluous", "'is empty' takes no value.",
    ),
    (
        {"field": "desk.ticket.amount", "op": "gt", "value": "abc"},
        "value", "value.type", "Amount: 'abc' is not a number.",
    ),
    (
        {"field": "desk.ticket.age", "op": "gt", "value": 1.5},
        "value", "value.type", "Age: '1.5' is not a whole number.",
    ),
    (
        {"field": "desk.ticket.age", "op": "gt", "value": True},
        "value", "value.type", "Age: 'True' is not a integer.",
    ),
    (
        {"field": "desk.ticket.status", "op": "is", "value": "Foo"},
        "value", "value.choice",
        "Status has no choice 'Foo'. Choices: New, Working, Escalated, Closed",
    ),
    (
        {"field": "desk.ticket.status", "op": "is_any_of", "value": ["New", "Foo"]},
        "value/1", "value.choice",
        "Status has no choice 'Foo'. Choices: New, Working, Escalated, Closed",
    ),
    (
        {"field": "desk.ticket.age", "op": "between", "value": [10, 5]},
        "value", "value.range", "between: 10 is greater than 5.",
    ),
    (
        {"field": "desk.ticket.age", "op": "between", "value": [10]},
        "value", "value.type", "'between' needs two values.",
    ),
    (
        {"field": "desk.ticket.age", "op": "is_any_of", "value": 1},
        "value", "value.type", "'is any of' needs a list of values.",
    ),
    (
        {"field": "desk.ticket.age", "op": "is_any_of", "value": [1] * 1001},
        "value", "limit.values", "At most 1,000 values.",
    ),
    (
        {"field": "desk.ticket.status", "op": "changed_from_to", "value": "New"},
        "value", "value.type", "'changed from … to' needs 'from' and 'to'.",
    ),
    (
        {"field": "desk.ticket.subject", "op": "contains", "value": ""},
        "value", "value.empty", "contains: the text is empty.",
    ),
    (
        {"field": "desk.ticket.subject", "op": "contains", "value": "x" * 2001},
        "value", "limit.text", "At most 2,000 characters.",
    ),
    (
        {"field": "desk.ticket.opened", "op": "within_last", "value": "soon"},
        "value", "value.type", "Opened: 'soon' is not a duration.",
    ),
    (
        {"field": "desk.ticket.amount", "op": "gt", "value": {"$field": "desk.ticket.subject"}},
        "value/$field", "field.compare",
        "Amount (decimal) and Subject (text) can not be compared.",
    ),
    (
        {"field": "desk.ticket.amount", "op": "gt", "value": {"$field": "desk.ticket.gone"}},
        "value/$field", "field.unknown", "No field 'desk.ticket.gone'.",
    ),
    (
        {"field": "desk.ticket.subject", "op": "is", "value": {"$field": "pager.page.title"}},
        "value/$field", "field.foreign",
        ("'pager.page.title' is neither a field of 'desk.ticket' nor of an object named in "
        '"run rule on".'),
    ),
    (
        {"field": "desk.ticket.subject", "op": "matches", "value": "x" * 513},
        "value", "regex.too_long", "At most 512 characters.",
    ),
    (
        {"field": "desk.ticket.subject", "op": "matches", "value": "(?:x{1000}){9}(?:y{1000}){9}"},
        "value", "regex.invalid",
        ('RE2: invalid repetition size: {9} at "(?:x{1000}){9}(?:y{1000}){9}". Look-around, '
        "back-references and repeats over 1000 are not supported."),
    ),
    (
        {"field": "desk.ticket.subject", "op": "matches", "value": r"\pL{1000}"},
        "value", "regex.too_big", "The pattern needs more than 10,000 instructions.",
    ),
    (
        {"field": "desk.ticket.subject", "op": "matches", "value": "(?:abcdefghijk){1000}"},
        "value", "regex.too_big", "The pattern needs more than 10,000 instructions.",
    ),
    (
        {"field": "desk.ticket.subject", "op": "matches", "value": 3},
        "value", "value.type", "Subject: '3' is not a pattern.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "at", "code", "message"), CONDITIONS)
def test_conditions_are_checked(condition, at, code, message):
    assert (f"/when/all/0/{at}", code, message) in of_condition(**condition)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=x)", "invalid perl operator: (?="),
        ("(?<!x)", "invalid perl operator: (?<!"),
        (r"(x)\1", r"invalid escape sequence: \1"),
        ("a{1001}", "invalid repetition size: {1001}"),
        ("x*+", "bad repetition operator: *+"),
    ],
)
def test_what_re2_refuses_is_told_in_its_words(pattern, said):
    [(at, code, message)] = of_condition(field="desk.ticket.subject", op="matches", value=pattern)

    assert (at, code) == ("/when/all/0/value", "regex.invalid")
    assert message.startswith(f'RE2: {said} at "{pattern}".')


def test_an_operator_may_refuse_its_value():
    refusing = SCHEMA.operators["is"]

    def compile_refusing(operand, field):
        raise ValueError("Only on Sundays.")

    changed = type(refusing)(
        **{name: getattr(refusing, name) for name in refusing.__dataclass_fields__}
        | {"compile": compile_refusing}
    )
    known = schema(operators=[changed])
    written = rule({"all": [{"field": "desk.ticket.age", "op": "is", "value": 1}]})

    [problem] = check_rule(written, known)

    assert (problem.code, problem.message) == ("value.type", "Only on Sundays.")


def test_a_model_of_a_plugin_may_fail_altogether():
    class Picky(BaseModel):
        content: str

        @model_validator(mode="after")
        def _never(self):
            raise TypeError("not today")

    picky = replace(SCHEMA.actions["mail.send"], params=Picky)
    known = schema(actions=[picky])
    line = {"do": "mail.send", "connector": "post", "with": {"content": "x"}}
    open_line = line | {"with": {"content": "{{ desk.ticket.age }} x"}}

    [problem] = check_rule(rule(then=[line]), known)

    assert (problem.code, problem.message) == ("action.params", "parameters: not today.")
    assert check_rule(rule(then=[open_line]), known) == []


def test_what_is_not_json_is_no_rule():
    assert found(rule(note={1, 2})) == [("", "schema.type", "must be JSON")]


def nested(depth):
    tree = {"field": "desk.ticket.subject", "op": "is_empty"}
    for _ in range(depth):
        tree = {"all": [tree]}
    return tree


@pytest.mark.parametrize("depth", [6, 7, 40, 2000])
def test_groups_can_be_nested_five_deep(depth):
    assert found(rule(nested(5))) == []
    assert "limit.depth" in {code for _, code, _ in found(rule(nested(depth)))}


def test_a_rule_is_limited_in_size_conditions_and_actions():
    one = {"field": "desk.ticket.subject", "op": "is_empty"}
    groups = {"all": [{"any": [one] * 26}, {"none": [one] * 25}]}

    assert ("/when", "limit.conditions", "At most 50 conditions in a rule.") in found(rule(groups))
    assert "limit.actions" in {code for _, code, _ in found(rule(then=[note()] * 21))}
    assert found(rule(note="x" * 70_000)) == [("", "limit.size", "At most 64 KiB of JSON.")]


# --------------------------------------------------------------------------- actions


def page(**params):
    given_ = {"service": "S", "title": "T"} | params
    return {"do": "pager.create_page", "connector": "my-pager", "with": given_}


ACTIONS = [
    (note() | {"do": "pager.fly"}, "do", "action.unknown", "No action 'pager.fly'."),
    (
        note() | {"connector": "x"}, "connector", "connector.unknown",
        "No connector 'x'. There are: my-desk, my-pager, other-pager, post.",
    ),
    (
        note() | {"connector": "my-pagr"}, "connector", "connector.unknown",
        "No connector 'my-pagr'. Nearest: 'my-pager'.",
    ),
    (
        note() | {"do": "pager.add_notes"}, "do", "action.unknown",
        "No action 'pager.add_notes'. Nearest: 'pager.add_note'.",
    ),
    (
        note() | {"connector": "post"},
        "connector", "connector.type", "'post' is not a pager connector.",
    ),
    (
        note() | {"unless_linked": True},
        "unless_linked", "action.params",
        "'Add note' creates nothing, so it can not depend on links.",
    ),
    (page(foo=1), "with/foo", "action.params", "foo: extra inputs are not permitted."),
    (
        {"do": "pager.create_page", "connector": "my-pager"},
        "with/service", "action.params", "service: field required.",
    ),
    (
        page(level="high"), "with/level", "action.params",
        "level: input should be a valid integer, unable to parse string as an integer.",
    ),
    (
        page(level="{{ desk.ticket.age }}0 x"), "with/level", "template.type",
        "level: input should be a valid integer, unable to parse string as an integer.",
    ),
    (page(title="{{ "), "with/title", "template.syntax", "not a field path: ''"),
    (
        page(title="{{ 1 + 1 }}"), "with/title", "template.syntax", "not a field path: '1 + 1'",
    ),
    (
        page(title="{{ desk.ticket.subjects }}"),
        "with/title", "template.path", "No field 'desk.ticket.subjects'. Nearest: 'subject'.",
    ),
    (
        page(title="{{ desk.ticket.token }}"),
        "with/title", "template.secret", "Token is secret and can not be used.",
    ),
    (
        page(title="{{ desk.ticket.subject | shout }}"),
        "with/title", "template.filter", "No filter 'shout'.",
    ),
    (
        page(title="{{ desk.ticket.subject | truncates: 3 }}"),
        "with/title", "template.filter", "No filter 'truncates'. Nearest: 'truncate'.",
    ),
    (
        page(title='{{ desk.ticket.subject | map: "gone" }}'),
        "with/title", "template.map", "No value map 'gone'.",
    ),
    (
        page(title="{{ hub.action.0.id }}"),
        "with/title", "template.path", "'hub.action.0.id' is not a result of an earlier action",
    ),
    (
        page(body={"$foo": 1}),
        "with/body/$foo", "value.unknown_special", "'$foo' is not known here.",
    ),
    (
        page(body={"$field": "desk.ticket.gone"}),
        "with/body/$field", "field.unknown", "No field 'desk.ticket.gone'. Nearest: 'owner'.",
    ),
    (
        page(body={"$field": "desk.ticket.token"}),
        "with/body/$field", "template.secret", "Token is secret and can not be used.",
    ),
    (
        page(body={"$service": "sideways"}),
        "with/body/$service", "value.unknown_special", "'$service' is not known here.",
    ),
    (page(body=[[[[[1]]]]]), "with/body/0/0/0/0/0", "limit.depth", "Values can be nested 5 deep."),
    (page(body=list(range(100))), "with", "limit.nodes", "At most 100 values."),
    (
        {"do": "desk.create_ticket", "connector": "my-desk",
         "with": {"object": "desk.ticket", "fields": {"status": "New"}}},
        "with/fields", "action.required_fields",
        "Ticket needs Subject and Origin, and nothing sets them.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "at", "code", "message"), ACTIONS)
def test_actions_are_checked(line, at, code, message):
    assert (f"/then/0/{at}", code, message) in of_action(**line)


def test_good_actions_have_no_problems():
    ticket = {
        "do": "desk.create_ticket",
        "connector": "my-desk",
        "with": {
            "object": "desk.ticket",
            "fields": {"subject": "{{ desk.ticket.subject }}", "origin": "Web"},
        },
    }
    mapped = ticket | {"with": {"object": "desk.ticket", "fields": {"$service": "inbound"}}}
    created = page(
        service={"$service": "outbound"},
        level="{{ desk.ticket.age }}",
        body={"$field": "desk.ticket.tags"},
    )
    told = note("made {{ hub.action.0.url }}")

    assert found(rule(then=[created, told, ticket, mapped])) == []


def test_a_new_record_has_no_linked_one_to_act_on():
    [problem] = check_rule(rule(on=["desk.ticket.created"]), SCHEMA)

    assert problem.severity == "warning"
    assert problem.code == "action.no_target"
    assert problem.message == "'Add note' needs a Page, and a new Ticket never has one."


# --------------------------------------------------------------------------- together


def test_all_problems_are_told_at_once_below_the_given_pointer():
    wrong = rule(
        {"all": [{"field": "desk.ticket.age", "op": "gt", "value": "x"}, {"op": "is"}]},
        object="desk.x",
        on=["desk.ticket.fly"],
        then=[page(title="{{ x"), note() | {"connector": "x"}],
        zz=1,
    )

    pointers = {at for at, _, _ in found(wrong, at="/rules/0")}

    assert pointers == {
        "/rules/0",
        "/rules/0/object",
        "/rules/0/on/0",
        "/rules/0/when/all/0/value",
        "/rules/0/when/all/1/field",
        "/rules/0/then/0/with/title",
        "/rules/0/then/1/connector",
    }


def test_a_ruleset_is_checked_as_a_whole():
    body = {"rules": [rule(), rule(number=2, object="x.y"), rule(), 3]}

    pointers = [(one.pointer, one.code) for one in check_ruleset(body, SCHEMA)]

    assert pointers == [
        ("/rules/1/object", "object.unknown"),
        ("/rules/2/id", "schema.id"),
        ("/rules/3", "schema.type"),
    ]
    assert [one.code for one in check_ruleset({"rules": {}}, SCHEMA)] == ["schema.type"]
    many = check_ruleset({"rules": [rule(number=n) for n in range(3)]}, SCHEMA, max_rules=2)
    assert [one.code for one in many] == ["limit.rules"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda kids: (
        st.lists(kids, max_size=4) | st.dictionaries(st.text(max_size=8), kids, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.sampled_from([*list(rule()), "from", "run", "after"]))
def test_checking_never_raises(junk, member):
    problems = check_rule(rule() | {member: junk}, SCHEMA)

    assert all(one.pointer == "" or one.pointer.startswith("/") for one in problems)


@given(JSON, st.sampled_from(["field", "op", "value", "ignore_case"]))
def test_checking_a_condition_never_raises(junk, member):
    condition = {"field": "desk.ticket.amount", "op": "gt", "value": 1} | {member: junk}

    check_rule(rule({"any": [condition, junk]}), SCHEMA)


@given(JSON, st.sampled_from(["do", "connector", "with", "records"]))
def test_checking_an_action_never_raises(junk, member):
    check_rule(rule(then=[page() | {member: junk}, junk]), SCHEMA)


@given(JSON)
def test_checking_parameters_never_raises(junk):
    check_rule(rule(then=[page(body=junk, title=junk)]), SCHEMA)
