"""What a process does around its start."""

import gc
from collections.abc import Iterator

import pytest

from hub.cli.server.starting import unswept


@pytest.fixture(autouse=True)
def _usual_sweeps() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_made_at_the_start_is_not_looked_at_and_new_things_seldom() -> None:
    usual, frozen = gc.get_threshold()[0], gc.get_freeze_count()

    with unswept():
        was_enabled, made = gc.isenabled(), [[] for _ in range(100)]

    assert not was_enabled
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(made)
    assert gc.get_threshold()[0] > usual
