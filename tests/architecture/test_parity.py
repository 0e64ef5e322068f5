"""The parity list is complete and true, and this check sees when it is not."""

from tests import parity
from tests.parity import Row, covered, problems, rows, summary, unclaimed


def test_the_list_is_complete_and_true():
    assert problems(rows(), covered()) == []


def test_each_product_has_its_rows():
    numbers = [
        (prefix, [row for row in rows() if row.id[:2] == prefix]) for prefix in parity.PRODUCTS
    ]

    assert {prefix: len(own) for prefix, own in numbers} == {
        "SF": 57, "RF": 131, "IM": 145, "SK": 38, "PC": 17,
    }  # fmt: skip
    for prefix, own in numbers:
        assert [row.id for row in own] == [f"{prefix}-{n:03}" for n in range(1, len(own) + 1)]


def test_the_summary_ends_with_the_total():
    works = sum(row.state == "works" for row in rows())

    assert summary(rows()).splitlines()[-1] == f"works {works} / 388"


def whole(**states: str) -> list[Row]:
    return [row._replace(state=states.get(row.id.replace("-", ""), "open")) for row in rows()]


def test_a_row_that_works_unproven_is_seen():
    assert problems(whole(SF004="works"), {}) == [
        "SF-004 is marked as working and covered by nothing"
    ]
    assert problems(whole(SF004="works"), {"SF-004": ["here"]}) == []


def test_a_proof_of_something_else_is_seen():
    assert problems(whole(), {"SF-999": ["here", "there"]}) == [
        "SF-999 is covered by here, there and does not exist"
    ]


def test_a_missing_row_is_seen():
    assert problems(whole()[1:], {}) == ["387 rows are listed, 388 are expected"]


def test_a_row_twice_is_seen():
    assert problems([*whole(), whole()[0]], {}) == ["SF-001 is listed 2 times"]


def test_a_strange_state_is_seen():
    assert problems(whole(SF001="nearly"), {}) == [
        "SF-001: the state is works or open, found 'nearly'"
    ]


def test_marks_are_found_in_tests_and_pages(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text(
        '@pytest.mark.covers("SF-001", "SF-002")\ndef test_it(): ...\n'
        'pytestmark = [pytest.mark.covers("IM-001")]\n'
    )
    (tmp_path / "docs" / "page.md").write_text("text\n<!-- covers: PC-001 PC-002 -->\n")

    assert covered(tmp_path) == {
        "SF-001": ["tests/test_a.py:1"],
        "SF-002": ["tests/test_a.py:1"],
        "IM-001": ["tests/test_a.py:3"],
        "PC-001": ["docs/page.md"],
        "PC-002": ["docs/page.md"],
    }


def test_rows_that_could_be_claimed_are_named():
    assert unclaimed(whole(SF001="works"), {"SF-001": ["a"], "SF-002": ["b"]}) == ["SF-002"]
