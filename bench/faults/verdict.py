"""What is counted at the vendor, against what the hub had accepted."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.faults.vendor import Request

Sent = tuple[str, int]


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What came of one scenario."""

    events: int = 0
    lost: int = 0
    duplicated: int = 0
    disordered: int = 0
    repeated: int = 0
    server_errors: int = 0
    broken: list[str] = field(default_factory=list)
    more: dict[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        wrong = self.lost + self.duplicated + self.disordered + self.server_errors
        return wrong == 0 and not self.broken


def judge(accepted: Iterable[Sent], requests: Sequence[Request]) -> Verdict:
    """Count: accepted events without an effect, effects too many, effects out of order.

    Where the vendor drops what has a known key (/post), an event done twice shows as two keys;
    where it does not (/once), as two requests.
    """
    wanted = set(accepted)
    lanes = {lane for lane, _ in wanted}
    mine = [one for one in requests if one.lane in lanes]
    found: defaultdict[Sent, list[Request]] = defaultdict(list)
    for one in mine:
        found[one.lane, one.seq].append(one)
    return Verdict(
        events=len(wanted),
        lost=len(wanted - set(found)),
        duplicated=sum(_effects(one) - 1 for one in found.values()),
        disordered=_disordered(mine),
        repeated=len(mine) - len({one.key for one in mine}),
    )


def takeover_s(requests: Sequence[Request], since: float) -> float:
    """Return after how long the last lane went on that still had something to do at `since`."""
    first: dict[str, float] = {}
    for one in requests:
        if one.at > since:
            first.setdefault(one.lane, one.at)
    return max((at - since for at in first.values()), default=0.0)


def _effects(requests: Sequence[Request]) -> int:
    if requests[0].path == "/once":
        return len(requests)
    return len({one.key for one in requests})


def _disordered(requests: Sequence[Request]) -> int:
    newest: dict[str, int] = {}
    seen: set[Sent] = set()
    wrong = 0
    for one in requests:
        if (one.lane, one.seq) in seen:
            continue
        seen.add((one.lane, one.seq))
        wrong += one.seq < newest.get(one.lane, -1)
        newest[one.lane] = max(one.seq, newest.get(one.lane, -1))
    return wrong
