"""What a unique column refuses, told as a conflict."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from hub.errors import Conflict


@contextmanager
def taken(detail: str) -> Iterator[None]:
    """Turn a refused insert into a Conflict that says what is there already."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(detail) from error
