"""Counters in process: for Prometheus, and per connector and minute for the tenant."""

import threading
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_Labels = tuple[tuple[str, str], ...]

HELP: Final = {
    "hub_deliveries_total": "Deliveries stored, by source and outcome.",
    "hub_deliveries_repeated_total": "Deliveries that came again and were not stored.",
    "hub_deliveries_refused_total": "Deliveries refused, by reason.",
    "hub_events_total": "Events worked, by outcome.",
    "hub_events_pending": "Events that wait to be worked.",
    "hub_oldest_pending_seconds": "Age of the oldest event that is not held.",
    "hub_lanes_in_work": "Lanes that this process works at the moment.",
    "hub_lanes_held": "Lanes that wait, by reason.",
    "hub_runs_total": "Runs that ended, by outcome.",
    "hub_runs_dead": "Dead letters.",
    "hub_attempts_total": "Requests to vendors for runs, by how they ended.",
    "hub_event_to_effect_seconds": "Time from filing an event to the end of its first run.",
    "hub_dispatch_seconds": "Time from filing an event to its plan.",
    "hub_commits_total": "Transactions of the group commit.",
    "hub_commit_rows_total": "Callers served by the group commit.",
    "hub_fenced_writes_total": "Writes refused because another process owns the shard.",
    "hub_stale_wakeups_total": "Wake-ups whose number had passed.",
    "hub_sweeper_rewakes_total": "Shards that the sweeper had to wake, by reason.",
    "hub_takeovers_total": "Shards taken over from a dead process.",
    "hub_loop_lag_seconds": "How late the event loop runs.",
    "hub_plugin_errors_total": "Exceptions of plugins that are bugs.",
    "hub_operators_off_total": "Operators of plugins switched off since they kept failing.",
}


class Point(NamedTuple):
    """What one connector counted under a name since the last flush."""

    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    name: str
    times: int
    total: float


class Counters:
    """What a process counts; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: defaultdict[str, defaultdict[_Labels, float]] = defaultdict(
            lambda: defaultdict(float)
        )
        self._gauges: dict[str, dict[_Labels, float]] = {}
        self._times: dict[str, _Histogram] = {}
        self._tallies: dict[tuple[uuid.UUID, uuid.UUID, str], list[float]] = {}

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Count something."""
        key = _sorted(*labels.items())
        with self._lock:
            self._counts[name][key] += amount

    def set(self, name: str, value: float, **labels: str) -> None:
        """Say how much of something there is now."""
        with self._lock:
            self._gauges.setdefault(name, {})[_sorted(*labels.items())] = value

    def clear(self, name: str) -> None:
        """Forget a gauge's values."""
        with self._lock:
            self._gauges.pop(name, None)

    def observe(self, name: str, seconds: float) -> None:
        """Add a time to a histogram."""
        with self._lock:
            self._times.setdefault(name, _Histogram()).add(seconds)

    def tally(
        self, tenant_id: uuid.UUID, connector_id: uuid.UUID, name: str, total: float = 0.0
    ) -> None:
        """Count something of a connector, for the tenant's own figures."""
        with self._lock:
            key = (tenant_id, connector_id, name)
            entry = self._tallies.get(key)
            if entry is None:
                entry = self._tallies[key] = [0, 0.0]
            entry[0] += 1
            entry[1] += total

    def value(self, name: str, **labels: str) -> float:
        """Return a count; without labels the sum over all of them."""
        with self._lock:
            found = self._counts.get(name) or self._gauges.get(name) or {}
            if labels:
                return found.get(_sorted(*labels.items()), 0.0)
            return sum(found.values())

    def take_tallies(self) -> list[Point]:
        """Return what connectors counted since the last call, and begin anew."""
        with self._lock:
            taken, self._tallies = self._tallies, {}
        return [
            Point(tenant, connector, name, int(count), total)
            for (tenant, connector, name), (count, total) in taken.items()
        ]

    def text(self) -> str:
        """Return all as Prometheus reads it."""
        with self._lock:
            lines: list[str] = []
            for name, counted in sorted(self._counts.items()):
                lines += [_head(name, "counter"), *_samples(name, counted)]
            for name, values in sorted(self._gauges.items()):
                lines += [_head(name, "gauge"), *_samples(name, values)]
            for name, times in sorted(self._times.items()):
                lines += [_head(name, "histogram"), *times.samples(name)]
        return "\n".join(lines) + "\n"


class _Histogram:
    def __init__(self) -> None:
        self._counts = [0] * (len(_BUCKETS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        place = next((n for n, most in enumerate(_BUCKETS) if seconds <= most), len(_BUCKETS))
        self._counts[place] += 1
        self._sum += seconds

    def samples(self, name: str) -> Sequence[str]:
        lines, running = [], 0
        for most, count in zip((*_BUCKETS, "+Inf"), self._counts, strict=True):
            running += count
            lines.append(f'{name}_bucket{{le="{most}"}} {running}')
        return [*lines, f"{name}_sum {self._sum:.6f}", f"{name}_count {running}"]


def minute_of(moment: datetime) -> datetime:
    """Return the minute that a moment is in."""
    return moment.replace(second=0, microsecond=0)


@lru_cache(maxsize=4096)
def _sorted(*labels: tuple[str, str]) -> _Labels:
    return tuple(sorted(labels))


def _head(name: str, kind: str) -> str:
    return f"# HELP {name} {HELP.get(name, name)}\n# TYPE {name} {kind}"


def _samples(name: str, values: dict[_Labels, float]) -> list[str]:
    return [f"{name}{_labelled(labels)} {value:g}" for labels, value in sorted(values.items())]


def _labelled(labels: _Labels) -> str:
    if not labels:
        return ""
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inside}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
