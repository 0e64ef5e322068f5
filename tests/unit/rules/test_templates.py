"""Templates: what they may say, what they give, and that they are bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules import (
    ActionOutcome,
    Linked,
    MapRow,
    NoRow,
    TemplateError,
    ValueMap,
    check_rule,
    compile_plan,
    render_late,
    services_needed,
)
from hub.rules.template_syntax import TemplateFault, parse
from hub.rules.templates import compile_template, template_faults
from hub.sdk.events import RecordRef
from hub.sdk.templates import Filter
from tests.unit.rules.world import CONNECTORS, MAPS, facts, note, rule, ruleset, schema

SEVERITY = ValueMap(
    name="severity",
    rows=(MapRow(key="SEV-1", value="high"), MapRow(key="SEV-2", value="high", back=True),
          MapRow(key="SEV-3", value="low"), MapRow(key="SEV-4", value="low")),
)  # fmt: skip
KEEPING = ValueMap(name="keeping", rows=SEVERITY.rows, on_missing="keep")
DEFAULTING = ValueMap(name="defaulting", on_missing="default", default_value="low")


def _shout(value, times: int = 1):
    if value is None:
        raise RuntimeError("nothing to shout")
    return value.upper() + "!" * times


SHOUT = Filter(name="toy.shout", label="Shout", apply=_shout)
SCHEMA = schema(
    value_maps=[*MAPS, SEVERITY, KEEPING, DEFAULTING],
    filters=[*schema().filters.values(), SHOUT],
    zone="Europe/Berlin",
)
VALUES = {
    "subject": "Disk <b>full</b>",
    "status": "New",
    "priority": "P1",
    "amount": "1200.50",
    "age": 7,
    "vip": True,
    "tags": ["a", "b"],
    "due": "2024-05-14",
    "opened": "2024-05-14T10:00:00Z",
    "waiting": "PT1H30M",
}
PAGE = Linked(
    ref=RecordRef(source_object="pager.page", id="I1"), connector="my-pager", human_id="#1",
    url="https://pager.example/1", values={"title": "Old", "urgency": "high"},
    precise={"urgency": "SEV-1"},
)  # fmt: skip


def event(**more):
    given_ = {"linked": [PAGE], "correlation": "INC-7"} | more
    return facts(VALUES, {"status": "Closed"}, SCHEMA, **given_)


def planned(*lines, happening=None):
    written = rule(then=list(lines))
    plan = compile_plan([ruleset(written)], SCHEMA, 1)
    assert not plan.invalid, plan.invalid
    [match] = plan.match(happening or event())
    return match.actions


def rendered(source, **more):
    [action] = planned(note(source), happening=event(**more))
    assert action.failed is None, action.failed
    return action.params["content"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        ("a {{ desk.ticket.status }} b", "a New b"),
        ("{{desk.ticket.status}}", "New"),
        ("{{{{ {{ desk.ticket.status }}", "{{ New"),
        ("}} {{ desk.ticket.age }}", "}} 7"),
        ("{{ desk.ticket.age }}", 7),
        ("{{ desk.ticket.amount }}", 1200.5),
        ("{{ desk.ticket.vip }}", True),
        ("{{ desk.ticket.tags }}", ["a", "b"]),
        ("{{ desk.ticket.owner }}", None),
        ("{{ desk.ticket.tags.1 }}", "b"),
        ("{{ desk.ticket.tags.9 }}", None),
        ("{{ desk.ticket.due }}", "2024-05-14"),
        ("{{ desk.ticket.waiting }}", "PT1H30M"),
        (
            ("{{ desk.ticket.amount }}|{{ desk.ticket.vip }}|{{ desk.ticket.tags }}|"
            "{{ desk.ticket.opened }}|{{ desk.ticket.owner }}|{{ desk.ticket.due }}"),
            "1200.50|true|a, b|2024-05-14T10:00:00Z||2024-05-14",
        ),
        ("{{ prior.desk.ticket.status }}", "Closed"),
        ("{{ prior.desk.ticket.age }}", None),
        ("{{ pager.page.title }}", "Old"),
        ("{{ hub.event.trigger }} {{ hub.event.actor }}", "desk.ticket.updated U1"),
        ("{{ hub.event.connector }} {{ hub.event.id }}", "my-desk evt_1"),
        ("{{ hub.event.at }}", "2024-05-14T12:00:00Z"),
        ("{{ hub.correlation.code }}", "INC-7"),
        ("{{ hub.link.pager.page.id }} {{ hub.link.pager.page.url }}", "I1 https://pager.example/1"),
        ("{{ hub.link.pager.page.human_id }}", "#1"),
        ("{{ hub.link.desk.ticket.url }}", "https://desk.example/T1"),
        ("{{ hub.link.hub.schedule.id }}", None),
        ("{{ hub.rule.name }} of {{ hub.tenant.name }}", "Rule 1 of acme"),
        ('{{ desk.ticket.owner | default: "nobody" }}', "nobody"),
        ("{{ desk.ticket.owner | default: 1.5 }}", 1.5),
        ("{{ desk.ticket.status | upper | lower | trim }}", "new"),
        ("{{ desk.ticket.subject | truncate: 6 }}", "Disk …"),
        ('{{ desk.ticket.subject | truncate: 6, "..." }}', "Dis..."),
        ('{{ desk.ticket.tags | join: " | " }}', "a | b"),
        ('{{ desk.ticket.tags | join: "}}" }}', "a}}b"),
        ('{{ desk.ticket.opened | date: "iso" }}', "2024-05-14T12:00:00+02:00"),
        ('{{ desk.ticket.opened | date: "datetime" }}', "2024-05-14 12:00"),
        ('{{ desk.ticket.opened | date: "%H:%M %z", "Asia/Tokyo" }}', "19:00 +0900"),
        ("{{ desk.ticket.tags | json }}", '["a","b"]'),
        ("{{ desk.ticket.amount | json }}", "1200.50"),
        ('{{ desk.ticket.subject | escape: "html" }}', "Disk &lt;b&gt;full&lt;/b&gt;"),
        ('{{ desk.ticket.subject | escape: "text" }}', "Disk full"),
        ('{{ desk.ticket.subject | escape: "url" }}', "Disk%20%3Cb%3Efull%3C%2Fb%3E"),
        ('{{ desk.ticket.priority | map: "priority_to_urgency" }}', "high"),
        ("{{ desk.ticket.status | toy.shout: 2 }}", "NEW!!"),
    ],
)  # fmt: skip
def test_a_template_gives(source, expected):
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("{{ desk.ticket.status", "template.syntax", "}} missing"),
        ("{{ }}", "template.syntax", "not a field path: ''"),
        ("{{ 'a' * 10**8 }}", "template.syntax", "not a field path: ''a' * 10**8'"),
        ("{% for x in y %}{{ x() }}", "template.syntax", "not a field path: '()'"),
        ("{{ desk.ticket.status | }}", "template.syntax", "not a filter: ''"),
        ("{{ desk.ticket.status | truncate: x }}", "template.syntax",
         "truncate: not a JSON value: 'x'"),
        ("{{ desk.ticket.status | default: [1] }}", "template.syntax",
         "default: not a JSON value: '[1]'"),
        ('{{ desk.ticket.status | default: "\\q" }}', "template.syntax",
         "default: not a JSON value: ''"),
        ("{{ desk.ticket.status.upper }}", "template.path", "No field 'desk.ticket.status.upper'."),
        ("{{ hub.secret }}", "template.path", "No value 'hub.secret'."),
        ("{{ hub.link.pager.page.password }}", "template.path",
         "No value 'hub.link.pager.page.password'."),
        ("{{ hub.action.0.id }}", "template.path",
         "'hub.action.0.id' is not a result of an earlier action"),
        ("{{ desk.ticket.status | truncate }}", "template.args",
         "truncate: missing a required argument: 'length'"),
        ('{{ desk.ticket.status | truncate: "5" }}', "template.args",
         "truncate: '5' is not a length"),
        ("{{ desk.ticket.status | truncate: true }}", "template.args",
         "truncate: True is not a length"),
        ("{{ desk.ticket.status | truncate: -1 }}", "template.args", "truncate: -1 is less than 0"),
        ('{{ desk.ticket.status | upper: "x" }}', "template.args",
         "upper: too many positional arguments"),
        ('{{ desk.ticket.opened | date: "%A" }}', "template.args",
         "date: only %Y %m %d %H %M %S %z can be used"),
        ('{{ desk.ticket.opened | date: "iso", "Mars/Olympus" }}', "template.args",
         "date: no time zone 'Mars/Olympus'"),
        ('{{ desk.ticket.subject | escape: "sql" }}', "template.args",
         "escape: 'sql' is none of html, text, url"),
        ('{{ desk.ticket.subject | unmap: "severity", "desk.x.y" }}', "template.path",
         "No field 'desk.x.y'."),
        ("{{ desk.ticket.status" + " | upper" * 11 + " }}", "template.syntax",
         "more than 10 filters"),
        ("{{ desk.ticket.status }}" * 51, "template.syntax", "more than 50 expressions"),
        ("x" * 8_193, "template.syntax", "longer than 8,192 characters"),
    ],
)  # fmt: skip
def test_a_template_that_can_not_be_used_says_why(source, code, message):
    [fault] = template_faults(source, SCHEMA)

    assert fault.code == code
    assert str(fault).startswith(message)
    with pytest.raises(TemplateFault):
        compile_template(source, SCHEMA)


def test_all_faults_of_a_template_are_told():
    faults = template_faults(
        "{{ desk.x.y }} {{ desk.ticket.status | foo }} {{ desk.ticket.age }}", SCHEMA
    )

    assert [one.code for one in faults] == ["template.path", "template.filter"]


@given(st.text(st.sampled_from('{}|:., "\\abdesk.ticket.age10-_'), max_size=60))
def test_parsing_any_text_gives_parts_or_a_fault(source):
    try:
        parts = parse(source)
    except TemplateFault:
        return
    if "{{" not in source:
        assert "".join(map(str, parts)) == source


# --------------------------------------------------------------------------- value maps


def test_a_map_says_what_happens_without_a_row():
    assert SEVERITY.forth(None) is None
    assert KEEPING.forth("SEV-9") == "SEV-9"
    assert DEFAULTING.forth("SEV-9") == "low"
    with pytest.raises(NoRow, match="no row for 'SEV-9' in severity"):
        SEVERITY.forth("SEV-9")


@pytest.mark.parametrize(
    ("value", "precise", "expected"),
    [
        ("high", "SEV-1", ("SEV-1", "kept")),
        ("high", "SEV-2", ("SEV-2", "kept")),
        ("high", "SEV-3", ("SEV-2", "marked")),
        ("high", None, ("SEV-2", "marked")),
        ("low", None, ("SEV-3", "first")),
        (None, "SEV-1", (None, "empty")),
    ],
)
def test_a_map_goes_back_to_what_it_was(value, precise, expected):
    assert SEVERITY.back(value, precise) == expected
    assert KEEPING.back("other") == ("other", "missing")


def test_back_with_memory_of_the_linked_record_and_a_note_which():
    [action] = planned(note('{{ pager.page.urgency | unmap: "severity", "pager.page.urgency" }}'))
    [bare] = planned(note('{{ pager.page.urgency | unmap: "severity" }}'))
    remembered = Linked(ref=PAGE.ref, connector="my-pager", values={"urgency": "SEV-2"})

    assert action.params["content"] == "SEV-1"
    assert action.notes == ("severity: high → SEV-1 (the last known value, which still fits)",)
    assert bare.notes == ("severity: high → SEV-2 (the row marked for the way back)",)
    known = '{{ desk.ticket.status | map: "keeping" | unmap: "keeping", "pager.page.urgency" }}'
    assert rendered(known, linked=[remembered]) == "New"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{{ desk.ticket.status | map: "severity" }}', "no row for 'New' in severity"),
        ('{{ desk.ticket.status | unmap: "severity" }}', "no row for 'New' in severity"),
        ("{{ desk.ticket.owner | toy.shout }}", "toy.shout: nothing to shout"),
        ('{{ desk.ticket.status | date: "iso" }}', "date: Invalid isoformat string: 'New'"),
        ('{{ desk.ticket.age | date: "iso" }}', "date: date: neither a date nor a time"),
    ],
)
def test_a_template_that_fails_gives_up_its_run_only(source, message):
    first, second = planned(note(source), note("fine"))

    assert first.failed == message
    assert first.params == {}
    assert (second.failed, second.params) == (None, {"content": "fine"})


# --------------------------------------------------------------------------- bounds


def page(**params):
    given_ = {"service": "S", "title": "T"} | params
    return {"do": "pager.create_page", "connector": "my-pager", "with": given_}


def test_text_is_cut_to_what_the_parameter_takes():
    [action] = planned(page(title="{{ desk.ticket.subject }}" * 9))

    assert len(action.params["title"]) == 60
    assert action.params["title"].endswith("…")
    assert action.notes == ("title: cut at 60 characters",)


def test_text_is_cut_to_what_the_field_takes():
    field = {
        "do": "desk.set_field",
        "connector": "my-desk",
        "with": {"field": "desk.ticket.subject", "value": "{{ desk.ticket.subject }}" * 9},
    }
    ticket = {
        "do": "desk.create_ticket",
        "connector": "my-desk",
        "with": {
            "object": "desk.ticket",
            "fields": {"subject": "{{ desk.ticket.subject }}" * 9, "origin": "x"},
        },
    }
    one, other = planned(field, ticket)

    assert len(one.params["value"]) == 40
    assert len(other.params["fields"]["subject"]) == 40


def test_a_choice_is_never_cut():
    choice = {
        "do": "desk.set_field",
        "connector": "my-desk",
        "with": {"field": "desk.ticket.status", "value": "{{ desk.ticket.subject }}" * 50},
    }
    long = event()
    huge = type(long)(
        **{name: getattr(long, name) for name in long.__dataclass_fields__}
        | {"new": dict(long.new) | {"desk.ticket.subject": "x" * 60_000}}
    )
    [action] = planned(choice, happening=huge)

    assert action.failed == "value: longer than 16384 characters"


def test_output_is_never_more_than_16_kib():
    [action] = planned(
        note("{{ desk.ticket.subject }}" * 50),
        happening=facts({"subject": "x" * 60_000}, None, SCHEMA),
    )
    [escaped] = planned(
        note('{{ desk.ticket.subject | escape: "html" | escape: "html" }}'),
        happening=facts({"subject": "<" * 60_000}, None, SCHEMA),
    )

    assert len(action.params["content"]) == 16_384
    assert len(escaped.params["content"]) == 16_384


# --------------------------------------------------------------------------- late values


def test_late_values_are_finished_just_before_the_run():
    created = page(service={"$service": "outbound"})
    told = note('{{ hub.action.0.url | default: "none" }} for {{ desk.ticket.status }}')
    typed = note("{{ hub.action.0.id }}")
    first, second, third = planned(created, told, typed)

    assert first.late == {"service"}
    assert second.late == third.late == {"content"}
    assert services_needed(first.params) == {"outbound"}
    assert services_needed(second.params) == frozenset()
    outcome = {0: ActionOutcome(id="P1", url="https://pager.example/9", summary="Made")}
    done = {"outcomes": outcome, "services": {"outbound": "SVC"}}
    assert render_late(first.params, SCHEMA, **done)["service"] == "SVC"
    assert render_late(second.params, SCHEMA, **done) == {
        "content": "https://pager.example/9 for New"
    }
    assert render_late(third.params, SCHEMA, **done) == {"content": "P1"}
    assert render_late(second.params, SCHEMA, outcomes={}, services={}) == {
        "content": "none for New"
    }
    with pytest.raises(TemplateError, match="no outbound service"):
        render_late(first.params, SCHEMA, outcomes=outcome, services={})


def test_inbound_services_add_fields_that_the_rule_does_not_set():
    fields = {"$service": "inbound", "subject": "{{ desk.ticket.status }}"}
    ticket = {
        "do": "desk.create_ticket",
        "connector": "my-desk",
        "with": {"object": "desk.ticket", "fields": fields},
    }
    alone = {**ticket, "with": {"object": "desk.ticket", "fields": {"$service": "inbound"}}}
    one, other = planned(ticket, alone)
    services = {"inbound": {"origin": "Page", "subject": "lost"}}

    assert one.late == {"fields"}
    assert render_late(one.params, SCHEMA, outcomes={}, services=services)["fields"] == {
        "origin": "Page",
        "subject": "New",
    }
    assert (
        render_late(other.params, SCHEMA, outcomes={}, services=services)["fields"]
        == services["inbound"]
    )


def test_a_table_that_went_away_before_the_run_gives_it_up():
    [_, late] = planned(page(), note('{{ hub.action.0.id | map: "keeping" | toy.shout }}'))
    gone = schema(connectors=CONNECTORS)
    outcomes = {0: ActionOutcome(id="x")}

    assert render_late(late.params, SCHEMA, outcomes=outcomes, services={}) == {"content": "X!"}
    with pytest.raises(TemplateError, match="No value map 'keeping'"):
        render_late(late.params, gone, outcomes=outcomes, services={})


def test_a_field_is_copied_with_its_type():
    [action] = planned(
        page(body=[{"$field": "desk.ticket.age"}, {"x": {"$field": "desk.ticket.tags"}}])
    )

    assert action.params["body"] == [7, {"x": ["a", "b"]}]
    assert check_rule(rule(then=[page(body={"$field": "desk.ticket.age"})]), SCHEMA) == []


def test_an_action_of_no_record_is_planned_once():
    [mail] = planned({"do": "mail.send", "connector": "post", "with": {"content": "hi"}})

    assert (mail.record, mail.skipped, mail.target) == (None, None, "")


def test_lists_in_parameters_are_finished_item_by_item():
    first = page(body=["{{ hub.action.0.id }}", {"deep": ["{{ desk.ticket.age }}"]}])
    _, late = planned(page(), first)

    assert services_needed(late.params) == frozenset()
    done = render_late(late.params, SCHEMA, outcomes={0: ActionOutcome(id="P1")}, services={})
    assert done["body"] == ["P1", {"deep": [7]}]


def test_the_value_a_record_was_linked_with_may_be_missing():
    source = '{{ pager.page.urgency | unmap: "keeping", "pager.page.urgency" }}'

    assert rendered(source, linked=[]) is None
    assert (
        rendered('{{ desk.ticket.status | unmap: "keeping", "pager.page.urgency" }}', linked=[])
        == "New"
    )


def test_filters_without_a_signature_or_hints_are_taken_at_their_word():
    def unnamed(value, times: "Nowhere" = 1):  # noqa: F821  names what is not there
        return value

    bare = [Filter(name="toy.odd", label="Odd", apply=type),
            Filter(name="toy.unnamed", label="Unnamed", apply=unnamed)]  # fmt: skip
    known = schema(filters=bare)

    for name in ("toy.odd", "toy.unnamed"):
        template = compile_template(f"{{{{ desk.ticket.age | {name} }}}}", known)
        assert not template.late
