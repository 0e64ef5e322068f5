from datetime import UTC, datetime, timedelta

import pytest

from hub.correlations.echo import Known, Made, Receipt, judge
from hub.correlations.seen import Seen
from hub.correlations.values import digest
from hub.sdk.events import Event, Record

SENT = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)


def event(values, *, after: timedelta = timedelta(seconds=1), **more) -> Event:
    return Event(
        trigger="load.item.updated",
        record=Record(source_object="load.item", id="1", values=values),
        occurred_at=SENT + after,
        key="k",
        **more,
    )


def receipt(field="status", value="Working", **more) -> Receipt:
    return Receipt(field=field, digest=digest(value), run_id=7, sent_at=SENT, hops=1, **more)


def known(values=None, *receipts: Receipt, **more) -> Known:
    seen = {"status": "New", "owner": "ana", "stamp": 1} if values is None else values
    return Known(values=seen, receipts=receipts, noise=frozenset({"stamp"}), **more)


def test_a_change_that_we_wrote_is_an_echo():
    found = judge(event({"status": "Working", "owner": "ana", "stamp": 2}), known(None, receipt()))

    assert found.echo == "the hub wrote status"
    assert (found.caused_by, found.hops) == (7, 1)


def test_a_change_beside_ours_goes_on_without_ours():
    found = judge(event({"status": "Working", "owner": "bo"}), known(None, receipt()))

    assert found.echo is None
    assert found.ours == {"status"}
    assert found.hops == 2


def test_another_value_is_genuine_and_ends_the_receipt():
    found = judge(event({"status": "Closed"}), known(None, receipt()))

    assert found.echo is None
    assert [one.field for one in found.ended] == ["status"]


@pytest.mark.parametrize(
    ("after", "echo"),
    [
        (timedelta(minutes=-1), True),
        (timedelta(minutes=9), True),
        (timedelta(minutes=-3), False),
        (timedelta(minutes=11), False),
    ],
)
def test_an_echo_occurs_around_the_write(after, echo):
    found = judge(event({"status": "Working"}, after=after), known(None, receipt()))

    assert (found.echo is not None) is echo


def test_after_a_different_value_the_same_one_is_a_persons():
    ended = receipt(ended_at=SENT + timedelta(seconds=5))

    late = judge(event({"status": "Working"}, after=timedelta(seconds=2)), known(None, ended))
    again = judge(event({"status": "Working"}, after=timedelta(seconds=9)), known(None, ended))

    assert late.echo is not None
    assert again.echo is None


def test_told_changes_are_believed():
    told = event({"status": "Working", "owner": "bo"}, before={"status": "New"})

    assert judge(told, known({}, receipt())).echo == "the hub wrote status"


def test_an_event_that_changed_nothing_is_no_echo():
    unchanged = event({"status": "New", "owner": "ana"})

    assert judge(unchanged, known(None, receipt())).echo is None


def test_a_field_never_reported_before_did_not_change():
    found = judge(event({"status": "Working", "team": "x"}), known({"status": "New"}, receipt()))

    assert found.echo == "the hub wrote status"


def test_a_record_that_we_made_is_an_echo_by_link_or_mark():
    created = event({"status": "New"}, before={})
    made = Made(run_id=9, creates=True, hops=2)

    assert judge(created, Known(values=None, creating=made)).echo == "a record that the hub made"
    assert judge(created, Known(values=None, origin=made)).caused_by == 9
    assert judge(event({"status": "New"}), Known(values=None, origin=made)).echo is None


def test_a_note_is_known_by_its_id():
    note = event({"note": "hello"}, before={"note": None}, note="n1")

    assert judge(note, known({}, note_is_ours=True)).echo == "a note that the hub made"
    assert judge(note, known({})).echo is None


def test_an_older_event_turns_nothing_back():
    seen = Seen(values={"status": "Closed"}, occurred_at=SENT + timedelta(hours=1))

    assert seen.told(event({"status": "New"})) is seen


def test_what_we_wrote_counts_until_the_vendor_reports_it():
    seen = Seen(values={"status": "New", "owner": "ana"}, occurred_at=SENT - timedelta(hours=1))

    wrote = seen.wrote({"status": "Working"}, SENT)
    told = wrote.told(event({"status": "Closed"}))

    assert wrote.present == {"status": "Working", "owner": "ana"}
    assert wrote.values["status"] == "New"
    assert told.present == {"status": "Closed", "owner": "ana"}


FOLLOWS = {"is_closed": frozenset({"status"}), "closed_at": frozenset({"status"})}


def test_what_the_vendor_works_out_from_our_write_is_our_echo_too():
    told = event({"status": "Working", "is_closed": True, "closed_at": "now", "owner": "ana"})
    seen = {"status": "New", "owner": "ana", "is_closed": False, "closed_at": None}

    found = judge(told, known(seen, receipt(), follows=FOLLOWS))

    assert found.echo == "the hub wrote closed_at, is_closed, status"
    assert (found.caused_by, found.hops) == (7, 1)


def test_what_follows_from_somebody_elses_change_is_genuine():
    told = event({"status": "Closed", "is_closed": True})
    seen = {"status": "New", "is_closed": False}

    found = judge(told, known(seen, receipt(), follows=FOLLOWS))

    assert (found.echo, found.ours) == (None, frozenset())


def test_a_flows_change_beside_ours_and_its_consequences_goes_on_alone():
    told = event({"status": "Working", "is_closed": True, "owner": "bo"})
    seen = {"status": "New", "is_closed": False, "owner": "ana"}

    found = judge(told, known(seen, receipt(), follows=FOLLOWS))

    assert found.echo is None
    assert found.ours == {"status", "is_closed"}
    assert found.hops == 2
