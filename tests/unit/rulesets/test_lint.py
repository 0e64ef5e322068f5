"""What the linter finds, and that it never claims what is not so."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules.conditions import Conditions, View
from hub.rules.facts import Surroundings, build_facts
from hub.rules.model import Rule, Ruleset, read_rule
from hub.rulesets.lint import NAMES, SEVERITIES, Around, lint
from hub.rulesets.regions import implies, overlap, region_of
from hub.rulesets.repository import Vocabulary
from hub.rulesets.schema_of import schema_of
from hub.sdk.events import Event, Record
from tests.api.rules_world import catalog_of
from tests.api.rules_world import rule as plain

CATALOG = catalog_of()
KNOWN = Vocabulary(
    zone="Europe/Berlin",
    connectors=[
        (None, "prod-pagerduty", "pagerduty", "active"),
        (None, "prod-salesforce", "salesforce", "active"),
    ],
    fields=[],
    objects=[],
    maps=[],
    map_rows=[],
)
SCHEMA = schema_of(KNOWN, CATALOG)
MAPPED = Around(defaults=frozenset({"prod-pagerduty"}))
CASE = "salesforce.case"


def ids():
    number = 0
    while True:
        number += 1
        yield f"00000000-0000-7000-8000-{number:012d}"


_ids = ids()


def rule(name: str = "rule", when=None, **more) -> Rule:
    given_ = plain(name, when=when or {}, **more)
    return read_rule({"id": next(_ids), **given_})


def condition(field: str, op: str, *value, source_object: str = CASE) -> dict:
    given_ = {"field": f"{source_object}.{field}", "op": op}
    return given_ | ({"value": value[0]} if value else {})


def everything(*conditions) -> dict:
    return {"all": list(conditions)}


def ruleset(*rules: Rule, name: str = "asked", state: str = "enabled") -> Ruleset:
    return Ruleset(id=name, name=name, state=state, rules=list(rules))


def set_status(value: str) -> list[dict]:
    return [
        {
            "do": "salesforce.set_field",
            "connector": "prod-salesforce",
            "with": {"field": "salesforce.case.status", "value": value},
        }
    ]


def found(*rules: Rule, others=(), around=MAPPED, without=("L402", "L404")) -> list[str]:
    findings = lint(ruleset(*rules), others, SCHEMA, around)
    return [f"{one.code} {one.pointer}" for one in findings if one.code not in without]


def codes(*rules: Rule, **more) -> set[str]:
    return {one.split()[0] for one in found(*rules, **more)}


P1 = condition("priority", "is", "P1")
HIGH = condition("priority", "is_any_of", ["P1", "P2"])


def test_a_plain_rule_is_fine():
    assert found(rule(when=everything(P1))) == []


@pytest.mark.parametrize(
    "when",
    [
        everything(P1, condition("priority", "is", "P2")),
        everything(condition("amount", "gt", 5), condition("amount", "lt", 3)),
        everything(condition("amount", "gt", 5), condition("amount", "lte", 5)),
        everything(condition("subject", "is_empty"), condition("subject", "contains", "x")),
        everything(condition("subject", "starts_with", "ab"), condition("subject", "is", "xy")),
        everything(
            condition("subject", "starts_with", "ab"), condition("subject", "starts_with", "b")
        ),
        everything(P1, {"none": [P1]}),
        everything(condition("priority", "at_least", "P2"), condition("priority", "is", "P3")),
        everything(condition("status", "changed_to", "New"), condition("status", "is", "Closed")),
    ],
)
def test_contradictions_are_errors(when):
    (finding,) = [one for one in lint(ruleset(rule(when=when)), [], SCHEMA) if one.code == "L103"]

    assert (finding.severity, finding.pointer) == ("error", "/rules/0/when")


def test_a_rule_behind_a_wider_one_that_stops_is_never_reached():
    first = rule("first", everything(HIGH), after="stop")
    second = rule("second", everything(P1, condition("category", "is", "db")))

    assert "L201 /rules/1" in found(first, second)


def test_a_rule_that_stops_others_sometimes_is_told():
    first = rule("first", everything(HIGH), after="stop")
    second = rule("second", everything(condition("category", "is", "db")))

    assert found(first, second) == ["L203 /rules/1"]


def test_a_duplicate_in_another_ruleset_is_found_whatever_the_order_of_its_conditions():
    one = rule("one", everything(P1, condition("category", "is", "db")))
    other = rule("other", everything(condition("category", "is", "db"), P1))

    assert "L202" in codes(one, others=[ruleset(other, name="there")])
    assert "L202" not in codes(one, others=[ruleset(other, name="there", state="disabled")])


def test_two_rules_that_set_one_field_differently_fight():
    one = rule("one", everything(P1), then=set_status("Working"))
    other = rule("other", everything(HIGH), then=set_status("Escalated"))
    apart = rule("apart", everything(condition("priority", "is", "P3")), then=set_status("New"))

    assert "L301 /rules/0/then/0" in found(one, other)
    assert "L301" not in codes(one, apart)


def test_a_rule_that_sets_what_it_waits_for_is_a_loop():
    updated = ["salesforce.case.updated"]
    looping = rule(
        when=everything(condition("status", "changed")), on=updated, then=set_status("Working")
    )
    harmless = rule(
        when=everything(condition("status", "changed_to", "Closed")),
        on=updated,
        then=set_status("Working"),
    )

    assert "L302" in codes(looping)
    assert "L302" not in codes(harmless)


def test_writing_back_what_was_made_once_is_no_loop():
    create = plain()["then"][0]
    back = {
        "do": "salesforce.set_field",
        "connector": "prod-salesforce",
        "with": {"field": "salesforce.case.subject", "value": "{{ hub.action.0.id }}"},
    }
    on = ["salesforce.case.created", "salesforce.case.updated"]

    assert "L302" not in codes(rule(when=everything(P1), on=on, then=[create, back]))
    always = {**create, "unless_linked": False}
    assert "L302" in codes(rule(when=everything(P1), on=on, then=[always, back]))


def test_a_circle_across_rulesets_is_found():
    there = rule(
        "there",
        everything(condition("status", "changed_to", "Escalated")),
        on=["salesforce.case.updated"],
        then=[{"do": "pagerduty.acknowledge_incident", "connector": "prod-pagerduty"}],
    )
    back = rule(
        "back",
        everything(condition("status", "is", "acknowledged", source_object="pagerduty.incident")),
        on=["pagerduty.incident.acknowledged"],
        then=set_status("Escalated"),
    )

    findings = lint(ruleset(there), [ruleset(back, name="b")], SCHEMA, MAPPED)

    (circle,) = [one for one in findings if one.code == "L303"]
    assert circle.severity == "warning"
    assert circle.message == (
        "Can set itself off in a circle: 'there' → 'back' → 'there' "
        "(ping-pong between prod-pagerduty and prod-salesforce)."
    )


def test_a_write_that_does_not_meet_the_other_s_condition_is_no_circle():
    there = rule(
        "there",
        everything(condition("status", "changed_to", "Closed")),
        on=["salesforce.case.updated"],
        then=[{"do": "pagerduty.resolve_incident", "connector": "prod-pagerduty"}],
    )
    back = rule("back", on=["pagerduty.incident.acknowledged"], then=set_status("Working"))

    assert "L303" not in codes(there, back)


def test_the_small_ones():
    params = {"fields": {"subject": "x" * 300, "status": "Nope"}}
    create = {"do": "salesforce.create_record", "connector": "prod-salesforce", "with": params}
    either = {"any": [P1, condition("category", "is", "db")]}

    assert found(rule(then=[create]), without=()) == [
        "L102 /rules/0/then/0/with/fields/status",
        "L102 /rules/0/then/0/with/fields/subject",
        "L402 /rules/0/then/0",
    ]
    assert "L401" in codes(rule(when=everything(either), run="becomes_true"))
    assert "L403" in codes(rule(when=everything(condition("priority", "is_not", "P1"))))
    assert "L304" in codes(
        rule(when=everything(condition("status", "is", "New")), then=set_status("New"))
    )
    assert "L105" in codes(
        rule(when=everything(P1)), around=Around(states={"prod-pagerduty": "paused"})
    )
    assert "L104" in codes(rule(when=everything(P1)), around=Around(unseen=frozenset({CASE})))
    assert "L104" in codes(rule(when=everything(P1), **{"from": ["prod-pagerduty"]}))


def test_a_service_without_a_default_row_is_told():
    create = {
        "do": "pagerduty.create_incident",
        "connector": "prod-pagerduty",
        "with": {"service": {"$service": "outbound"}, "title": "x"},
    }

    assert "L501" in codes(rule(when=everything(P1), then=[create]), around=Around())
    assert "L501" not in codes(rule(when=everything(P1), then=[create]))
    whole = Around(whole=frozenset({("prod-pagerduty", CASE)}))
    assert "L501" not in codes(rule(when=everything(P1), then=[create]), around=whole)


def test_rules_without_an_indexed_condition_are_told():
    negative = rule(when=everything(condition("category", "is_not", "db")))

    assert "L404 /rules/0/when" in found(negative, without=())


def test_fields_that_a_vendor_demanded_before_are_asked_for():
    def creating(**fields):
        line = {"do": "salesforce.create_record", "connector": "prod-salesforce"}
        return rule(when=everything(P1), then=[line | {"with": {"fields": fields}}])

    taught = Around(learned={("prod-salesforce", CASE): frozenset({"Priority", "Mood__c"})})

    assert [one for one in found(creating(subject="x"), around=taught) if "L101" in one] == [
        "L101 /rules/0/then/0/with/fields",
        "L101 /rules/0/then/0/with/fields",
    ]
    given_ = creating(subject="x", priority="P1", Mood__c="good")
    assert "L101" not in codes(given_, around=taught)
    assert "L101" not in codes(creating(subject="x"))


OPEN_TITLES = [
    "{{ salesforce.case.category }}",
    " {{ salesforce.case.category | truncate: 20 }} ",
    "{{ salesforce.case.category }}{{ prior.salesforce.case.category }}",
    "{{ prior.salesforce.case.subject }}",
    '{{ salesforce.case.category | default: "" }}',
    {"$field": "salesforce.case.category"},
    "{{ hub.link.pagerduty.incident.url }}",
    "{{ hub.event.actor }}",
]
FILLED_TITLES = [
    "Case {{ salesforce.case.category }}",
    "{{ salesforce.case.subject }}",
    '{{ salesforce.case.category | default: "none" }}',
    "{{ salesforce.case.category }}{{ salesforce.case.subject }}",
    "{{ hub.rule.name }}",
    {"$field": "salesforce.case.subject"},
    "plain",
]
HELD = [
    condition("category", "is", "db"),
    condition("category", "is_present"),
    condition("category", "contains", "d"),
    condition("category", "changed_to", "db"),
    condition("category", "is_any_of", ["db", "web"]),
    condition("category", "matches", "d."),
]
NOT_HELD = [
    condition("category", "is_not", "db"),
    condition("category", "not_contains", "d"),
    condition("subject", "is", "db"),
    {"any": [condition("category", "is_present"), P1]},
]


def titled(title, when=None, **more):
    line = plain()["then"][0]
    return rule(when=when, then=[line | {"with": line["with"] | {"title": title}}], **more)


@pytest.mark.parametrize("title", OPEN_TITLES, ids=str)
def test_a_template_that_may_be_empty_where_something_must_stand_is_told(title):
    assert "L106 /rules/0/then/0/with/title" in found(titled(title))


@pytest.mark.parametrize("title", FILLED_TITLES, ids=str)
def test_a_template_that_always_says_something_is_fine(title):
    assert "L106" not in codes(titled(title))


def test_a_field_of_a_linked_record_may_be_empty_even_if_its_vendor_requires_it():
    assert "L106" in codes(
        titled("{{ salesforce.case.subject }}", on=["pagerduty.incident.triggered"])
    )


@pytest.mark.parametrize("when", HELD, ids=str)
def test_a_condition_that_asks_for_the_value_is_enough(when):
    assert "L106" not in codes(titled(OPEN_TITLES[0], everything(when)))


@pytest.mark.parametrize("when", NOT_HELD, ids=str)
def test_a_condition_that_may_hold_of_nothing_is_not(when):
    assert "L106" in codes(titled(OPEN_TITLES[0], everything(when)))


def test_a_time_that_lies_in_a_span_is_there():
    opened = "{{ salesforce.case.opened_at }}"
    assert "L106" in codes(titled(opened))
    asked = everything(condition("opened_at", "within_last", "1h"))
    assert "L106" not in codes(titled(opened, asked))


def test_a_required_field_of_a_new_record_may_not_be_left_empty_by_its_template():
    def creating(subject):
        line = {"do": "salesforce.create_record", "connector": "prod-salesforce"}
        fields = {"subject": subject, "category": "{{ salesforce.case.category }}"}
        return rule(when=everything(P1), then=[line | {"with": {"fields": fields}}])

    at = "L106 /rules/0/then/0/with/fields/subject"
    assert [one for one in found(creating("{{ salesforce.case.category }}")) if "L106" in one] == [
        at
    ]
    assert "L106" not in codes(creating("{{ salesforce.case.subject }}"))


def note_rules():
    out = {"do": "pagerduty.add_note", "connector": "prod-pagerduty"}
    back = {"do": "salesforce.add_comment", "connector": "prod-salesforce"}
    return (
        rule(
            "notes out",
            on=["salesforce.case.commented"],
            then=[out | {"with": {"content": "{{ salesforce.case.comment }}"}}],
        ),
        rule(
            "notes back",
            on=["pagerduty.incident.annotated"],
            then=[back | {"with": {"content": "{{ pagerduty.incident.note }}"}}],
        ),
    )


def linked(*names: str):
    actions = [replace(one, notes=name in names) for name, one in CATALOG.actions.items()]
    by_name = {one.name: one for one in actions}
    return schema_of(KNOWN, replace(CATALOG, actions=by_name))


def test_notes_both_ways_need_plugins_that_know_their_own_again():
    both = ("pagerduty.add_note", "salesforce.add_comment")
    out, back = note_rules()

    def echoes(*rules, names=(), others=()):
        findings = lint(ruleset(*rules), others, linked(*names), MAPPED)
        return [one.message for one in findings if one.code == "L504"]

    assert len(echoes(out, back)) == 2
    assert len(echoes(out, back, names=both[:1])) == 2
    assert "plugin salesforce does" in echoes(out, back, names=both[:1])[0]
    assert len(echoes(out, others=[ruleset(back, name="other")])) == 1
    assert echoes(out, back, names=both) == []
    assert echoes(out) == []


def test_every_code_has_its_entry_in_the_documentation():
    page = (Path(__file__).parents[3] / "docs/reference/lint-codes.md").read_text()
    entries = dict(re.findall(r"^## (L\d{3}) ([\w-]+)$", page, re.MULTILINE))
    words = {"error": "Blocks", "warning": "Warns", "info": "Informs"}

    assert entries == NAMES
    assert NAMES.keys() == SEVERITIES.keys()
    told = {code: page.split(f"## {code} ")[1].split("\n\n")[1] for code in NAMES}
    assert {code: words[severity] for code, severity in SEVERITIES.items()} == {
        code: text.split()[0].rstrip(".:;,") for code, text in told.items()
    }


def test_calls_beyond_half_the_quota_are_told():
    paging = rule(when=everything(P1))
    busy = Around(daily={paging.id or "": 600.0}, quota={"prod-pagerduty": 2000.0})

    assert "L502" in codes(paging, around=busy)


# ---------------------------------------------------------------- never wrong about events

texts = st.sampled_from(["", "a", "ab", "abc", "b", "A", "zab"])
some_text = texts.filter(bool)
numbers = st.integers(0, 4)
choices = st.sampled_from(["P1", "P2", "P3", "P4"])
conditions = st.one_of(
    st.builds(
        condition,
        st.just("subject"),
        st.sampled_from(["is", "is_not", "contains", "not_contains", "starts_with", "ends_with",
                         "not_starts_with", "changed_to"]),
        some_text,
    ),
    st.builds(
        condition,
        st.just("amount"),
        st.sampled_from(["is", "is_not", "gt", "gte", "lt", "lte"]),
        numbers,
    ),
    st.builds(
        lambda low, span: condition("amount", "between", [low, low + span]), numbers, numbers
    ),
    st.builds(
        condition,
        st.just("priority"),
        st.sampled_from(["is", "is_not", "at_least", "at_most", "changed_to", "was"]),
        choices,
    ),
    st.builds(
        condition,
        st.just("priority"),
        st.sampled_from(["is_any_of", "is_none_of"]),
        st.lists(choices, min_size=1, max_size=3),
    ),
    st.builds(
        condition,
        st.sampled_from(["subject", "amount", "priority", "tags"]),
        st.sampled_from(["is_empty", "is_present", "changed"]),
    ),
    st.builds(condition, st.just("tags"), st.sampled_from(["has", "has_not"]), some_text),
)  # fmt: skip
groups = st.recursive(
    conditions,
    lambda inner: st.builds(
        lambda kind, kids: {kind: kids},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)
whens = st.builds(lambda kids: {"all": kids}, st.lists(groups, min_size=1, max_size=3))
records = st.fixed_dictionaries(
    {
        "subject": st.one_of(st.none(), texts),
        "amount": st.one_of(st.none(), numbers),
        "priority": st.one_of(st.none(), choices),
        "tags": st.one_of(st.none(), st.lists(some_text, max_size=2).map(tuple)),
    }
)
befores = st.one_of(st.none(), st.just({}), records)


def meets(given_: Rule, facts) -> bool:
    tree = Conditions(SCHEMA).tree(given_.when)
    return tree is None or tree.check(View(facts, SCHEMA))


def facts_of(values, before):
    event = Event(
        trigger="salesforce.case.created",
        record=Record(source_object=CASE, id="1", values=values),
        occurred_at=datetime(2025, 5, 5, tzinfo=UTC),
        key="k",
        before=before,
    )
    around = Surroundings(event_id="evt_1", tenant="acme", connector="prod-salesforce")
    return build_facts(event, around, SCHEMA)


@settings(max_examples=400, deadline=None)
@given(whens, whens, st.lists(st.tuples(records, befores), min_size=1, max_size=6))
def test_what_the_linter_says_of_two_rules_holds_for_every_event(one, other, happened):
    first, second = rule("first", one), rule("second", other)
    shared = Conditions(SCHEMA)
    narrow, wide = region_of(first, SCHEMA, shared), region_of(second, SCHEMA, shared)

    for values, before in happened:
        facts = facts_of(values, before)
        met, also = meets(first, facts), meets(second, facts)
        if met:
            assert not narrow.is_never
        if met and also:
            assert overlap(narrow, wide)
        if met and implies(narrow, wide):
            assert also


@given(whens)
def test_a_rule_implies_itself_and_its_wider_self(when):
    shared = Conditions(SCHEMA)
    narrow = region_of(rule("n", when), SCHEMA, shared)
    wide = region_of(rule("w", {"all": when["all"][:1]}), SCHEMA, shared)

    assert implies(narrow, narrow)
    assert implies(narrow, wide)
