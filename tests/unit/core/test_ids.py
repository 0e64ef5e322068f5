import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import ids
from hub.errors import NotFound


def test_ids_are_uuids_of_version_seven():
    assert {7} == {ids.new_id().version for _ in range(100)}


def test_an_id_begins_with_its_time():
    before = datetime.now(UTC).timestamp() * 1000 - 1

    made = ids.new_id()

    assert before <= made.int >> 80 <= datetime.now(UTC).timestamp() * 1000 + 1


def test_ids_differ():
    assert len({ids.new_id() for _ in range(10_000)}) == 10_000


def test_the_text_of_an_id_is_one_as_any_other():
    before = ids.new_id()

    read = uuid.UUID(ids.new_text())

    assert (read.version, read.variant) == (7, before.variant)
    assert before.int >> 80 <= read.int >> 80 <= ids.new_id().int >> 80


def test_texts_of_ids_differ_and_have_one_shape():
    made = [ids.new_text() for _ in range(10_000)]

    assert len(set(made)) == 10_000
    assert all(str(uuid.UUID(text)) == text for text in made)


def test_threads_get_ids_of_their_own():
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [ids.new_id() for _ in range(1000)], range(8)))

    assert len({one for part in made for one in part}) == 8000


def test_a_forked_process_makes_ids_of_its_own():
    script = (
        "import os; from hub import ids; ids.new_id()\n"
        "reading, writing = os.pipe(); child = os.fork()\n"
        "mine = ids.new_id().int & (1 << 62) - 1\n"
        "if not child: os.write(writing, str(mine).encode()); os._exit(0)\n"
        "os.waitpid(child, 0); print(mine, os.read(reading, 99).decode())\n"
    )

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    parents, forked = run.stdout.split()
    assert parents != forked


@given(st.integers(min_value=0, max_value=2**53))
def test_a_shown_number_reads_back(number: int):
    assert number == ids.number("dlv", ids.shown("dlv", number))


@pytest.mark.parametrize(
    "text", ["", "42", "evt_42", "dlv_", "dlv_-1", "dlv_x", "dlv_٣", "dlv_" + "9" * 19]
)
def test_a_foreign_id_is_not_found_and_named(text: str):
    with pytest.raises(NotFound, match="is not the id of a delivery"):
        ids.number("dlv", text)
