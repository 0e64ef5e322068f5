"""Which name was meant: choices by value, though people see labels."""

import pytest

from hub.rules.nearest import hint, listed, nearest
from hub.rules.operands import OperandFaults, read_operand
from hub.sdk.vocabulary import Choice, SourceObject
from tests.unit.rules.world import schema

SCHEMA = schema()

TICKET = SourceObject(name="desk.ticket", label="Ticket")
LABELLED = TICKET.field(
    "stage",
    "Stage",
    choices=[Choice(value="new", label="New"), Choice(value="hold", label="Waits for an answer")],
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("New", " Did you mean 'new'?"), ("Waits for an answr", " Did you mean 'hold'?"), ("zzz", "")],
)
def test_choices_are_told_as_they_have_to_be_written(written: str, meant: str) -> None:
    with pytest.raises(OperandFaults) as refused:
        read_operand(SCHEMA.operators["is"], LABELLED, written, SCHEMA, ignore_case=False)

    assert str(refused.value) == f"Stage has no choice '{written}'.{meant} Choices: new, hold"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Pager.Page", "pager.page"),
        ("pager.pag", "pager.page"),
        ("desk.page", "pager.page"),
        ("something", None),
    ],
)
def test_capitals_and_what_is_in_front_do_not_count(written: str, meant: str | None) -> None:
    assert nearest(written, ["pager.page", "desk.ticket"]) == meant
    assert hint(written, ["pager.page", "desk.ticket"]) == (
        f" Nearest: '{meant}'." if meant else ""
    )


def test_long_lists_are_cut() -> None:
    assert listed(str(number) for number in range(13)).endswith("11, …")
