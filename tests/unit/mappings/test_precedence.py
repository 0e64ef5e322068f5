"""Which service mapping wins, and what is said about it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hub.mappings.precedence import Row, inbound_of, outbound_of, service_of
from hub.sdk.events import Record

CASE = "salesforce.case"
API = Row(
    id="1", name="api", source_object=CASE, field="category", value="API", service_id="PAPI001"
)
DB = Row(
    id="2",
    name="db",
    source_object=CASE,
    field="category",
    value="database",
    service_id="PDAT001",
    inbound=True,
    extra={"queue": "dba"},
)
ANY_CASE = Row(id="3", name="cases", source_object=CASE, service_id="PCAS001")
DEFAULT = Row(id="4", name="default", service_id="PGEN001", is_default=True)


def case(**values) -> Record:
    return Record(source_object=CASE, id="500", values=values)


def test_the_row_with_the_record_s_value_wins():
    found = outbound_of([DEFAULT, ANY_CASE, DB, API], case(category="api "))

    assert (found.service_id, found.by, found.row_name) == ("PAPI001", "row", "api")
    assert found.steps == ("row 'api': category is 'API' → PAPI001",)
    assert not found.fell_back


def test_a_row_for_the_whole_object_stands_behind_rows_with_values():
    found = outbound_of([ANY_CASE, API, DEFAULT], case(category="billing"))

    assert found.service_id == "PCAS001"
    assert found.steps == (
        "no row: category is 'billing', mapped are 'API'",
        "row 'cases': any salesforce.case → PCAS001",
    )


def test_an_unmapped_value_falls_to_the_default_row_and_names_the_nearest():
    found = outbound_of([API, DB, DEFAULT], case(category="databse"))

    assert (found.service_id, found.by, found.nearest) == ("PGEN001", "default", "database")
    assert found.steps[-1] == "default row → PGEN001; nearest mapped value is 'database'"
    assert found.fell_back


def test_the_connector_s_own_default_stands_last():
    found = outbound_of([API], case(), own_default="POWN001")

    assert (found.service_id, found.by) == ("POWN001", "connector")


def test_nothing_is_guessed():
    found = outbound_of([API], case(category="billing"))

    assert (found.service_id, found.by) == (None, "none")
    assert found.steps[-1] == "no default row"


def test_rows_of_other_objects_and_inbound_rows_do_not_count_outbound():
    other = replace(API, source_object="remedyforce.incident")
    one_way = replace(API, outbound=False, inbound=True)

    assert outbound_of([other, one_way], case(category="API")).service_id is None


def test_the_first_row_by_position_wins():
    later = replace(API, id="9", name="later", position=20)
    earlier = replace(API, id="8", name="earlier", position=10)

    assert outbound_of([later, earlier], case(category="API")).row_name == "earlier"


def test_a_list_matches_by_any_of_its_items():
    assert outbound_of([API], case(category=("web", "api"))).row_name == "api"


def test_inbound_gives_the_field_and_the_extra_values():
    found = inbound_of([API, DB], "PDAT001", CASE)

    assert found.fields == {"category": "database", "queue": "dba"}
    assert found.value == "database"
    assert found.steps == ("row 'db': service PDAT001 → category = database, queue = dba",)


def test_inbound_rows_of_one_service_set_their_fields_together():
    other = replace(DB, id="9", name="Queue", field="queue", value="dba", position=99)
    again = replace(DB, id="8", name="Late", value="never", position=100)

    found = inbound_of([again, other, DB], "PDAT001", CASE)

    assert found.fields["queue"] == "dba"
    assert found.fields[DB.field] == DB.value
    assert [step.split("'")[1] for step in found.steps] == [DB.name, "Queue", "Late"]


def test_inbound_without_a_row_says_so():
    found = inbound_of([API], "PAPI001", CASE)

    assert found.fields == {}
    assert found.steps == ("no inbound row for salesforce.case with service PAPI001",)


def test_the_service_is_read_from_a_paging_record():
    record = Record(source_object="pagerduty.incident", id="Q1", values={"service": "PAPI001"})

    assert service_of(record) == "PAPI001"


_words = st.text(alphabet="abcAB ", max_size=4)
_rows = st.lists(
    st.builds(
        Row,
        id=st.uuids().map(str),
        name=_words,
        service_id=st.sampled_from(["P1", "P2", "P3"]),
        source_object=st.sampled_from([CASE, "im.incident"]),
        field=st.sampled_from(["category", "origin", None]),
        value=_words,
        outbound=st.booleans(),
        is_default=st.booleans(),
        position=st.integers(0, 5),
    ),
    max_size=8,
)


@given(_rows, st.one_of(st.none(), _words), st.randoms())
def test_the_order_in_which_rows_are_stored_does_not_matter(rows, said, random):
    rows = [replace(row, position=place) for place, row in enumerate(rows)]
    rows = [row for row in rows if not row.is_default] + [r for r in rows if r.is_default][:1]
    shuffled = random.sample(rows, len(rows))

    one = outbound_of(rows, case(category=said))
    other = outbound_of(shuffled, case(category=said))

    assert (one.row_id, one.service_id, one.by) == (other.row_id, other.service_id, other.by)
