from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import Event, Record
from hub.correlations.echo import Known, Made, Receipt, judge, receipts_of

AT = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
STATUS = frozenset({"status"})


def event(values, *, at=AT, before=None, note=None, verb="resolved"):
    record = Record(source_object="toy.ticket", id="1", values=values)
    return Event(
        trigger=f"toy.ticket.{verb}",
        record=record,
        occurred_at=at,
        key="k",
        before=before,
        note=note,
    )


def wrote(values, *, at=AT, run=7):
    return receipts_of(values, run, at)


def test_a_change_that_we_wrote_is_an_echo_and_names_its_run():
    known = Known(values={"status": "open"}, receipts=wrote({"status": "resolved"}))

    judged = judge(event({"status": "resolved"}), known)

    assert judged.echo == "the hub wrote status"
    assert judged.caused_by == 7


def test_a_change_beside_ours_goes_on_as_a_genuine_one():
    known = Known(values={"status": "open", "owner": "a"}, receipts=wrote({"status": "resolved"}))

    judged = judge(event({"status": "resolved", "owner": "b"}), known)

    assert judged.echo is None
    assert judged.ours == STATUS


def test_what_the_vendor_changes_along_with_the_reported_field_is_part_of_the_echo():
    known = Known(
        values={"status": "open", "owner": "a"},
        receipts=wrote({"status": "resolved"}),
        about=STATUS,
    )

    judged = judge(event({"status": "resolved", "owner": None}), known)

    assert judged.echo == "the hub wrote status"


def test_a_reported_field_that_we_did_not_write_is_genuine_whatever_else_we_wrote():
    known = Known(
        values={"status": "open", "owner": "a"}, receipts=wrote({"owner": "b"}), about=STATUS
    )

    judged = judge(event({"status": "resolved", "owner": "b"}), known)

    assert judged.echo is None


def test_without_known_values_an_event_is_an_echo_only_if_its_reported_fields_are_ours():
    receipts = wrote({"owner": "b"})

    assert judge(event({"owner": "b"}), Known(values=None, receipts=receipts)).echo
    assert (
        judge(event({"owner": "b"}), Known(values=None, receipts=receipts, about=STATUS)).echo
        is None
    )


@pytest.mark.parametrize(("minutes", "is_echo"), [(-3, False), (-1, True), (9, True), (11, False)])
def test_a_receipt_counts_for_what_occurred_around_it(minutes, is_echo):
    known = Known(values={"status": "open"}, receipts=wrote({"status": "resolved"}))

    judged = judge(event({"status": "resolved"}, at=AT + timedelta(minutes=minutes)), known)

    assert is_echo == (judged.echo is not None)


def test_a_newer_different_value_ends_the_receipt():
    known = Known(values={"status": "resolved"}, receipts=wrote({"status": "resolved"}))

    judged = judge(event({"status": "open"}, at=AT + timedelta(minutes=1)), known)

    assert [one.field for one in judged.ended] == ["status"]


def test_an_ended_receipt_makes_no_echo_of_what_came_after():
    ended = Receipt(
        field="status",
        digest=wrote({"status": "resolved"})[0].digest,
        run_id=7,
        sent_at=AT,
        ended_at=AT + timedelta(minutes=1),
    )
    known = Known(values={"status": "open"}, receipts=[ended])

    assert judge(event({"status": "resolved"}, at=AT + timedelta(minutes=2)), known).echo is None


def test_a_note_that_we_made_is_an_echo_and_a_person_s_with_the_same_text_is_not():
    note = event({"comment": "hello"}, before={"comment": None}, note="n1", verb="commented")

    assert judge(note, Known(values=None, note_is_ours=True)).echo
    assert judge(note, Known(values=None)).echo is None


def test_a_created_record_is_an_echo_when_a_run_of_ours_made_it():
    made = event({"status": "open"}, before={}, verb="created")

    assert judge(made, Known(values=None, creating=Made(run_id=3, creates=True))).echo
    assert judge(made, Known(values=None, origin=Made(run_id=3, creates=True))).echo
    assert judge(made, Known(values=None, origin=Made(run_id=3, creates=False))).echo is None


texts = st.sampled_from(["a", "b", "c", None])
records = st.dictionaries(st.sampled_from(["status", "owner", "stamp"]), texts)


@given(before=records, after=records, written=records, about=st.frozensets(texts.filter(bool)))
def test_what_nobody_wrote_is_never_an_echo(before, after, written, about):
    known = Known(values=before, receipts=wrote(written), noise=frozenset({"stamp"}))

    judged = judge(event(after), known)

    if judged.echo is not None:
        assert all(written.get(field) == after.get(field) for field in judged.ours)
        assert judged.ours
