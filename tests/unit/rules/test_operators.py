"""What each operator means: values, null, letter case, change, time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.rules import compile_plan
from tests.unit.rules.world import AT, facts, rule, ruleset, schema

SCHEMA = schema()
UNSET = object()


def met(field, op, value=UNSET, *, known=SCHEMA, values=None, before=None, **more):
    condition = {"field": f"desk.ticket.{field}", "op": op} | more.pop("condition", {})
    if value is not UNSET:
        condition["value"] = value
    plan = compile_plan([ruleset(rule({"all": [condition]}))], known, 1)
    assert not plan.invalid, plan.invalid
    event = facts(values or {}, before, known, **more)
    [trace] = plan.explain(event)
    assert trace.met is bool(plan.match(event))
    return trace.met


VALUES = [  # field, op, operand, value that meets it, value that does not
    ("subject", "is", "Fire", "fire", "fires"),
    ("subject", "is_not", "Fire", "fires", "FIRE"),
    ("subject", "is_any_of", ["a", "B"], "b", "c"),
    ("subject", "is_none_of", ["a", "B"], "c", "b"),
    ("subject", "contains", "Ire", "fire", "far"),
    ("subject", "not_contains", "Ire", "far", "FIRE"),
    ("subject", "starts_with", "Fi", "fire", "a fire"),
    ("subject", "not_starts_with", "Fi", "a fire", "fire"),
    ("subject", "ends_with", "RE", "fire", "fires"),
    ("subject", "not_ends_with", "RE", "fires", "fire"),
    ("subject", "matches", "^f.+e$", "FIRE", "a fire"),
    ("subject", "not_matches", "^f.+e$", "a fire", "fire"),
    ("status", "is", "New", "New", "Working"),
    ("status", "is_not", "New", "Working", "New"),
    ("status", "is_any_of", ["New", "Closed"], "Closed", "Working"),
    ("status", "is_none_of", ["New", "Closed"], "Working", "Closed"),
    ("priority", "at_least", "P2", "P1", "P3"),
    ("priority", "at_least", "P2", "P2", "P4"),
    ("priority", "at_most", "P2", "P4", "P1"),
    ("owner", "is", "U1", "U1", "u1"),
    ("number", "is_any_of", ["1", "2"], "2", "3"),
    ("amount", "is", 10, "10.00", "10.01"),
    ("amount", "gt", 10, "10.01", "10"),
    ("amount", "gte", 10, "10", "9.99"),
    ("amount", "lt", 10, "9.99", "10"),
    ("amount", "lte", "10", "10", "10.01"),
    ("amount", "between", [1, 2.5], "2.5", "2.51"),
    ("age", "is_any_of", [1, 2], 2, 3),
    ("age", "is_none_of", [1, 2], 3, 2),
    ("age", "gt", -1, 0, -1),
    ("waiting", "gt", "15m", "PT16M", "PT15M"),
    ("waiting", "is", "2h", 7200, 7201),
    ("waiting", "between", ["1m", "1h"], "PT30M", "P1D"),
    ("vip", "is", True, "true", False),
    ("vip", "is_not", True, False, True),
    ("due", "is", "2024-05-14", "2024-05-14", "2024-05-15"),
    ("due", "before", "2024-05-14", "2024-05-13", "2024-05-14"),
    ("due", "after", "2024-05-14", "2024-05-15", "2024-05-14"),
    ("due", "between", ["2024-05-01", "2024-05-31"], "2024-05-31", "2024-06-01"),
    ("due", "within_last", "3d", "2024-05-11", "2024-05-10"),
    ("due", "within_next", "3d", "2024-05-17", "2024-05-18"),
    ("due", "older_than", "3d", "2024-05-10", "2024-05-11"),
    ("opened", "before", "2024-05-14T10:00:00Z", "2024-05-14T09:59:59Z", "2024-05-14T10:00:00Z"),
    ("opened", "after", "2024-05-14T10:00:00Z", "2024-05-14T10:00:01Z", "2024-05-14T10:00:00Z"),
    ("opened", "on", "2024-05-14", "2024-05-14T23:59:59Z", "2024-05-15T00:00:00Z"),
    ("opened", "between", ["2024-05-13", "2024-05-14"], "2024-05-14T23:00:00Z", "2024-05-15"),
    ("opened", "within_last", "PT1H", "2024-05-14T11:00:00Z", "2024-05-14T12:00:01Z"),
    ("opened", "within_next", "PT1H", "2024-05-14T13:00:00Z", "2024-05-14T13:00:01Z"),
    ("opened", "older_than", "PT1H", "2024-05-14T10:59:59Z", "2024-05-14T11:00:00Z"),
    ("tags", "has", "Red", ["red", "blue"], ["reds"]),
    ("tags", "has_not", "Red", ["reds"], ["red"]),
    ("tags", "has_any_of", ["a", "b"], ["B"], ["c"]),
    ("tags", "has_none_of", ["a", "b"], ["c"], ["B"]),
    ("tags", "has_all_of", ["a", "b"], ["b", "c", "a"], ["a"]),
]
TRUE_OF_EMPTY = {
    "is_not", "is_none_of", "not_contains", "not_starts_with", "not_ends_with", "not_matches",
    "has_not", "has_none_of",
}  # fmt: skip


@pytest.mark.parametrize(("field", "op", "operand", "yes", "no"), VALUES)
def test_an_operator_compares_the_new_value(field, op, operand, yes, no):
    assert met(field, op, operand, values={field: yes})
    assert not met(field, op, operand, values={field: no})


@pytest.mark.parametrize("empty", [{}, None, "", "wrong"])
@pytest.mark.parametrize(("field", "op", "operand", "yes", "no"), VALUES)
def test_an_empty_value_meets_the_negative_operators_only(field, op, operand, yes, no, empty):
    readable = {"subject", "status", "priority", "owner", "number", "tags"}
    if empty == "wrong" and field in readable:
        empty = None
    values = {} if empty == {} else {field: empty}

    assert met(field, op, operand, values=values) is (op in TRUE_OF_EMPTY)


def test_every_comparing_operator_is_in_the_table():
    comparing = {
        name
        for name, one in SCHEMA.operators.items()
        if not (one.changes or one.needs_prior or one.operand == "none")
    }

    assert comparing == {op for _, op, *_ in VALUES}


def test_inverses_are_opposites_of_each_other():
    for name, one in SCHEMA.operators.items():
        if one.inverse:
            assert SCHEMA.operators[one.inverse].inverse == name


@pytest.mark.parametrize("field", ["subject", "status", "amount", "vip", "opened", "tags", "due"])
def test_empty_and_present_work_on_every_type(field):
    value = {"vip": True, "amount": 1, "tags": ["a"]}.get(field, "2024-05-14")

    assert met(field, "is_empty", values={})
    assert met(field, "is_present", values={field: value})
    assert not met(field, "is_empty", values={field: value})
    assert not met(field, "is_present", values={field: ""})


def test_white_space_is_not_empty():
    assert met("subject", "is_present", values={"subject": " "})


# --------------------------------------------------------------------------- letter case


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("straße", "STRASSE", True),
        ("ﬁre", "FIRE", True),
        ("cafe\u0301", "CAFÉ", True),
        ("İstanbul", "i̇stanbul", True),
        ("שלום", "שלום", True),
        ("resume", "résumé", False),
    ],
)
def test_letter_case_is_folded_as_unicode_says(one, other, alike):
    assert met("subject", "is", one, values={"subject": other}) is alike
    assert met("subject", "contains", one, values={"subject": f"x {other} y"}) is alike
    assert met("subject", "starts_with", one, values={"subject": other + "!"}) is alike
    assert met("subject", "ends_with", one, values={"subject": "!" + other}) is alike


def test_letter_case_can_be_told_apart():
    exactly = {"condition": {"ignore_case": False}}

    assert not met("subject", "is", "fire", values={"subject": "Fire"}, **exactly)
    assert not met("subject", "matches", "fire", values={"subject": "Fire"}, **exactly)
    assert met("subject", "matches", "(?i)fire", values={"subject": "Fire"}, **exactly)
    assert not met("tags", "has", "red", values={"tags": ["Red"]}, **exactly)


def test_ids_and_choices_are_exact_unless_told_otherwise():
    loosely = {"condition": {"ignore_case": True}}

    assert not met("owner", "is", "u1", values={"owner": "U1"})
    assert met("owner", "is", "u1", values={"owner": "U1"}, **loosely)


# --------------------------------------------------------------------------- change

CHANGES = [  # op, operand, unknown prior, created, changed from New, same as before, in set only
    ("changed", UNSET, (False, True, True, False, True)),
    ("changed_to", "Working", (False, True, True, False, True)),
    ("changed_to", "New", (False, False, False, False, False)),
    ("changed_from", "New", (False, False, True, False, False)),
    ("changed_from", None, (False, True, False, False, False)),
    ("changed_from_to", {"from": "New", "to": "Working"}, (False, False, True, False, False)),
    ("changed_from_to", {"from": None, "to": "Working"}, (False, True, False, False, False)),
    ("was", "New", (False, False, True, False, False)),
    ("was", None, (False, True, False, False, False)),
    ("was", "Working", (False, False, False, True, False)),
]


@pytest.mark.parametrize(("op", "operand", "expected"), CHANGES)
def test_change_operators_look_at_the_prior_value(op, operand, expected):
    unknown, created, moved, same, told = expected
    now = {"status": "Working"}

    assert met("status", op, operand, values=now) is unknown
    assert met("status", op, operand, values=now, before={}) is created
    assert met("status", op, operand, values=now, before={"status": "New"}) is moved
    assert met("status", op, operand, values=now, before={"status": "Working"}) is same
    assert met("status", op, operand, values=now, last_seen={"status": "New"}) is moved
    assert named_only(op, operand, now) is told


def named_only(op, operand, values):
    """The vendor named the field as changed; what it was before is not known."""
    condition = {"field": "desk.ticket.status", "op": op}
    if operand is not UNSET:
        condition["value"] = operand
    plan = compile_plan([ruleset(rule({"all": [condition]}))], SCHEMA, 1)
    event = replace(facts(values), changed=frozenset({"desk.ticket.status"}))
    return bool(plan.match(event))


def test_change_to_null_and_from_null():
    assert met("owner", "changed_to", None, values={"owner": None}, before={"owner": "U1"})
    assert met("owner", "changed_from", None, values={"owner": "U1"}, before={"owner": None})
    assert not met("owner", "changed", values={"owner": None}, before={})


def test_only_what_the_vendor_named_has_changed():
    values, seen = {"owner": "U2", "status": "New"}, {"owner": "U1", "status": "Closed"}

    assert met("status", "changed", values=values, before={"status": "Closed"}, last_seen=seen)
    assert not met("owner", "changed", values=values, before={"status": "Closed"}, last_seen=seen)


def test_a_change_of_letter_case_is_a_change():
    assert met("subject", "changed", values={"subject": "Fire"}, before={"subject": "fire"})


def test_equal_values_written_otherwise_are_no_change():
    assert not met("amount", "changed", values={"amount": "1.0"}, before={"amount": 1})
    assert not met("tags", "changed", values={"tags": ["b", "a"]}, before={"tags": ["a", "b"]})
    whole, fine = "2024-05-14T10:00:00Z", "2024-05-14T10:00:00.123Z"
    assert not met("opened", "changed", values={"opened": whole}, before={"opened": fine})


def test_a_field_that_always_changes_never_counts_as_changed():
    moved = {"touched": "2024-05-14T10:00:00Z"}, {"touched": "2024-05-13T10:00:00Z"}

    assert not met("touched", "changed", values=moved[0], before=moved[1])


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [("age", 1, 2), ("amount", "1.5", "2"), ("waiting", "1m", "1h"), ("due", "2024-01-01",
     "2024-01-02"), ("opened", "2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z")],
)  # fmt: skip
def test_increased_and_decreased_need_both_values(field, low, high):
    assert met(field, "increased", values={field: high}, before={field: low})
    assert met(field, "decreased", values={field: low}, before={field: high})
    assert not met(field, "increased", values={field: low}, before={field: high})
    assert not met(field, "increased", values={field: high}, before={field: None})
    assert not met(field, "decreased", values={field: None}, before={field: high})
    assert not met(field, "increased", values={field: high}, before={})


def test_a_list_changed_to_one_of_its_values():
    assert met("tags", "changed_to", "A", values={"tags": ["a", "b"]}, before={"tags": []})


# --------------------------------------------------------------------------- another field


def test_a_field_can_be_compared_with_another():
    same = {"$field": "desk.ticket.origin"}

    assert met("subject", "is", same, values={"subject": "Web", "origin": "web"})
    assert not met("subject", "is", same, values={"subject": "Web", "origin": "mail"})
    assert met("subject", "is_not", same, values={"subject": "Web", "origin": "mail"})
    assert met("amount", "gt", {"$field": "desk.ticket.age"}, values={"amount": 2, "age": 1})
    assert met("tags", "has", same, values={"tags": ["WEB"], "origin": "web"})


@pytest.mark.parametrize("values", [{}, {"subject": "x"}, {"origin": "x"}])
def test_if_either_field_is_empty_only_the_negative_operator_holds(values):
    same = {"$field": "desk.ticket.origin"}

    assert not met("subject", "is", same, values=values)
    assert met("subject", "is_not", same, values=values)
    assert met("subject", "not_contains", same, values=values)


def test_a_change_can_be_compared_with_another_field():
    same = {"$field": "desk.ticket.origin"}
    values, before = {"subject": "b", "origin": "B"}, {"subject": "a"}

    assert met("subject", "changed_to", same, values=values, before=before)
    assert not met("subject", "changed_to", same, values=values)
    assert not met("subject", "changed_to", same, values=values, before={"subject": "b"})
    assert not met("subject", "changed_to", same, values={"subject": "b"}, before=before)
    assert met("subject", "was", {"$field": "desk.ticket.origin"},
               values={"origin": "a"}, before=before)  # fmt: skip
    other = {"$field": "desk.ticket.closed"}
    times = {"opened": "2024-05-14T10:00:00Z", "closed": "2024-05-14T10:00:00Z"}
    assert met("opened", "changed_to", other, values=times, before={})
    assert not met("opened", "changed_to", other, values={"opened": "2024-05-14"}, before={})


def test_a_time_is_compared_with_a_day_in_the_tenants_zone():
    berlin = schema(zone="Europe/Berlin")
    values = {"opened": "2024-05-13T22:30:00Z", "due": "2024-05-14"}

    assert met("opened", "on", {"$field": "desk.ticket.due"}, known=berlin, values=values)
    assert met("due", "is", {"$field": "desk.ticket.opened"}, known=berlin, values=values)
    assert not met("opened", "on", {"$field": "desk.ticket.due"}, values=values)


# --------------------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/Berlin", "2024-03-31", "2024-03-30T23:00:00Z", 23),
        ("Europe/Berlin", "2024-10-27", "2024-10-26T22:00:00Z", 25),
        ("America/New_York", "2024-03-10", "2024-03-10T05:00:00Z", 23),
        ("America/New_York", "2024-11-03", "2024-11-03T04:00:00Z", 25),
        ("Australia/Lord_Howe", "2024-04-07", "2024-04-06T13:00:00Z", 24.5),
        ("Pacific/Kiritimati", "2024-02-29", "2024-02-28T10:00:00Z", 24),
        ("Etc/GMT+12", "2023-12-31", "2023-12-31T12:00:00Z", 24),
    ],
)
def test_a_day_is_that_of_the_tenants_zone(zone, day, begins, hours):
    known = schema(zone=zone)
    start = datetime.fromisoformat(begins)
    end = start + timedelta(hours=hours)

    def on(moment):
        return met("opened", "on", day, known=known, values={"opened": moment})

    assert [on(start), on(end - timedelta(seconds=1))] == [True, True]
    assert [on(start - timedelta(seconds=1)), on(end)] == [False, False]


def test_relative_times_use_the_time_of_the_event():
    week_later = AT + timedelta(days=7)
    values = {"opened": "2024-05-14T11:30:00Z"}

    assert met("opened", "within_last", "PT1H", values=values)
    assert not met("opened", "within_last", "PT1H", values=values, at=week_later)


def test_the_ends_of_the_calendar_hold():
    far = {"opened": "9999-12-31T23:59:59Z", "due": "0001-01-01"}
    early = datetime(1, 1, 2, tzinfo=UTC)

    assert met("opened", "within_next", "9999999d", values=far)
    assert met("due", "within_last", "9999999d", values=far, at=early)
    assert met("opened", "after", "9999-12-30", values=far)
    assert met("due", "before", "0001-01-02", values=far)
    assert met("opened", "on", "9999-12-31", values=far)
