"""What `hub demo --oneshot` leaves behind: nothing when all was seen, everything when not."""

import tempfile
from pathlib import Path

import pytest

from hub.sandbox import demo as demos
from hub.sandbox.story import STORY, StepFailed


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def ending(monkeypatch: pytest.MonkeyPatch, failure: Exception | None) -> None:
    async def tell_once(folder: Path, *_: object, **__: object) -> None:
        (folder / "hub.log").write_text("a line")
        if failure:
            raise failure

    monkeypatch.setattr(demos, "tell_once", tell_once)


def test_a_demo_that_saw_all_leaves_nothing_behind(hub, temporary, monkeypatch) -> None:
    ending(monkeypatch, None)

    assert hub("demo", "--oneshot").status == 0
    assert list(temporary.iterdir()) == []


def test_a_folder_that_was_named_is_kept(hub, temporary, monkeypatch) -> None:
    ending(monkeypatch, None)

    assert hub("demo", "--oneshot", "--folder", str(temporary / "mine")).status == 0
    assert (temporary / "mine" / "hub.log").exists()


def test_what_a_failed_demo_wrote_is_kept_and_named(hub, temporary, monkeypatch) -> None:
    ending(monkeypatch, StepFailed(STORY[0], "nothing came"))

    ended = hub("demo", "--oneshot")

    (kept,) = temporary.iterdir()
    assert ended.status == 1
    assert str(kept) in ended.err
