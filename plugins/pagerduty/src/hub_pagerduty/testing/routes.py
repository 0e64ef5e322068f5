"""How a request finds its operation, and what operations have in common."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.model import Incident, Json, Key, Ref

if TYPE_CHECKING:
    from hub_pagerduty.testing.sim import FakePagerDuty

DEEPEST: Final = 10_000
Answer: TypeAlias = tuple[int, Json | None]


@dataclass(slots=True, kw_only=True)
class Asked:
    """A request to the REST API, authenticated."""

    sim: "FakePagerDuty"
    method: str
    path: str
    query: list[tuple[str, str]]
    body: Json
    key: Key
    actor: Ref | None = None
    params: dict[str, str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def first(self, name: str, default: str = "") -> str:
        """Return a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def all(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return [value for key, value in self.query if key in {f"{name}[]", name}]

    def include(self) -> set[str]:
        """Return what is to be included."""
        return set(self.all("include"))

    def user(self) -> Ref:
        """Return the acting user; refuse without one."""
        if self.actor is None:
            raise Refusal(400, 2016, _NO_FROM)
        return self.actor

    def incident(self, name: str = "id") -> Incident:
        """Return the incident of the path, by id or number."""
        wanted = self.params[name]
        found = self.sim.world.incidents.get(wanted)
        if found is None and wanted.isdigit():
            numbered = [i for i in self.sim.world.incidents.values() if i.number == int(wanted)]
            found = numbered[0] if numbered else None
        if found is None:
            raise Refusal(404, 2100, "Not Found")
        return found

    def content(self, name: str) -> Json:
        """Return the object that the body wraps."""
        found = self.body.get(name)
        if not isinstance(found, dict):
            raise Refusal(400, 2003, "Missing Arguments", f"{name} is required")
        return found


_NO_FROM: Final = (
    'You must specify a user\'s email address in the "From" header to perform this action'
)
Operation: TypeAlias = Callable[[Asked], Answer]


class Route(NamedTuple):
    """An operation and what it needs."""

    method: str
    template: str
    pattern: re.Pattern[str]
    run: Operation
    scope: str
    needs_from: bool
    slow_lane: bool


ROUTES: Final[list[Route]] = []


def route(
    method: str,
    template: str,
    *,
    scope: str = "",
    needs_from: bool = False,
    slow_lane: bool = False,
) -> Callable[[Operation], Operation]:
    """Register an operation of the REST API."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))

    def register(run: Operation) -> Operation:
        ROUTES.append(Route(method, template, pattern, run, scope, needs_from, slow_lane))
        ROUTES.sort(key=lambda one: one.template.count("{"))
        return run

    return register


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the operation of a path and the path's parts."""
    for one in ROUTES:
        found = one.pattern.fullmatch(path)
        if found and one.method == method:
            return one, found.groupdict()
    return None


def page(asked: Asked, name: str, rows: Sequence[Json]) -> Answer:
    """Return one page of a list, as the query asks."""
    limit = min(_whole(asked.first("limit"), 25), asked.sim.world.switches.page_limit)
    offset = _whole(asked.first("offset"), 0)
    if limit + offset > DEEPEST:
        text = f"Offset+limit exceeds maximum allowed value of {DEEPEST}"
        raise Refusal(400, 2002, "Arguments Caused Error", text)
    shown = rows[offset : offset + limit]
    total = len(rows) if asked.first("total") in {"true", "1"} else None
    more = offset + len(shown) < len(rows)
    answer = {name: shown, "limit": limit, "offset": offset, "total": total, "more": more}
    return 200, answer


def cursor_page(asked: Asked, name: str, rows: Sequence[Json]) -> Answer:
    """Return one page of a list that is paged by cursor."""
    limit = min(_whole(asked.first("limit"), 25), 100)
    start = _whole(asked.first("cursor"), 0)
    following = start + limit
    return 200, {
        name: rows[start:following],
        "limit": limit,
        "next_cursor": str(following) if following < len(rows) else None,
    }


def matching(rows: Iterable[Json], query: str, *names: str) -> list[Json]:
    """Return the rows in which one of the fields contains the text."""
    wanted = query.lower()
    return [row for row in rows if any(wanted in str(row.get(name, "")).lower() for name in names)]


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default
