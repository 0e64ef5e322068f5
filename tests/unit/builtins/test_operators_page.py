"""The reference page of the operators is what the operators are."""

from pathlib import Path

from hub.builtins.operators import OPERATORS
from hub.builtins.operators_page import operators_page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "operators.md"


def test_the_page_is_current():
    """When it is not: `python -m hub.builtins.operators_page > docs/reference/operators.md`."""
    assert PAGE.read_text() == operators_page()


def test_every_operator_has_a_line():
    page = operators_page()

    assert all(f"| `{one.name}` |" in page for one in OPERATORS)
