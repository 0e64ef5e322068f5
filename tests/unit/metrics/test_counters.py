import uuid

from hub.metrics.counters import Counters

A, B = uuid.UUID(int=1), uuid.UUID(int=2)


def test_counters_are_told_as_prometheus_reads_them():
    counters = Counters()
    counters.add("hub_runs_total", outcome='say "no"')
    counters.add("hub_runs_total", 2, outcome="done")
    counters.set("hub_events_pending", 7)
    counters.observe("hub_event_to_effect_seconds", 0.02)

    lines = counters.text().splitlines()

    assert "# TYPE hub_runs_total counter" in lines
    assert 'hub_runs_total{outcome="done"} 2' in lines
    assert 'hub_runs_total{outcome="say \\"no\\""} 1' in lines
    assert "hub_events_pending 7" in lines
    assert 'hub_event_to_effect_seconds_bucket{le="0.025"} 1' in lines
    assert 'hub_event_to_effect_seconds_bucket{le="0.01"} 0' in lines
    assert "hub_event_to_effect_seconds_count 1" in lines


def test_figures_of_connectors_are_taken_once():
    counters = Counters()
    counters.tally(A, B, "runs_done", 0.5)
    counters.tally(A, B, "runs_done", 1.0)

    taken = counters.take_tallies()

    assert [(one.name, one.times, one.total) for one in taken] == [("runs_done", 2, 1.5)]
    assert counters.take_tallies() == []
