"""Pages by cursor."""

from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page of a list; `next` is the cursor of the following one, null on the last."""

    items: list[Item]
    next: str | None = Field(default=None, description="Cursor of the next page.")


class PageParams(BaseModel):
    """Which page is asked for."""

    cursor: str | None = None
    limit: int = 50


def _page_params(
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Most items on the page.")] = 50,
) -> PageParams:
    return PageParams(cursor=cursor or None, limit=limit)


PageQuery = Annotated[PageParams, Depends(_page_params)]
