"""A delivery's way as OpenTelemetry sees it: one trace, from accepting to the last attempt."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from hub import ids
from hub.errors import StartRefused
from hub.spans import NoSpans, OpenTelemetrySpans, open_spans, trace_id_of
from hub.testing.rig import Rig, item, posting
from hub.testing.sink import Fault, Sink


@pytest.fixture
def exported(rig: Rig) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = OpenTelemetrySpans(provider)
    rig.engine.intake.spans = rig.engine.parts.spans = spans
    return exporter


async def test_accepting_planning_and_attempts_are_spans_of_one_trace(
    rig: Rig, sink: Sink, exported: InMemorySpanExporter
) -> None:
    rig.use(posting())
    sink.faults.append(Fault(status=503))

    delivery = await rig.send(item("a", 1))
    await rig.settled()

    spans = exported.get_finished_spans()
    assert [one.name for one in spans] == ["accept", "plan", "attempt", "attempt"]
    assert {one.context.trace_id for one in spans} == {trace_id_of(delivery)}
    assert {one.parent.span_id for one in spans} == {spans[0].parent.span_id}
    assert {one.attributes["hub.delivery"] for one in spans} == {ids.shown("dlv", delivery)}
    accept, plan, refused, done = spans
    assert accept.attributes["hub.connector"] == "load"
    assert plan.attributes["hub.trigger"] == "load.item.created"
    assert plan.attributes["hub.runs"] == 1
    assert refused.status.status_code is StatusCode.ERROR
    assert done.attributes["http.response.status_code"] == 202
    assert done.attributes["hub.run"] == refused.attributes["hub.run"]
    assert (refused.attributes["hub.attempt"], done.attributes["hub.attempt"]) == (1, 2)
    assert all(one.start_time <= one.end_time for one in spans)
    assert accept.start_time <= plan.start_time <= done.start_time


async def test_each_delivery_has_a_trace_of_its_own(
    rig: Rig, exported: InMemorySpanExporter
) -> None:
    first, second = await rig.send(item("a", 1)), await rig.send(item("b", 1))
    await rig.settled()

    traces = {one.context.trace_id for one in exported.get_finished_spans()}
    assert traces == {trace_id_of(first), trace_id_of(second)}


def test_without_the_setting_nothing_is_told_and_nothing_loaded() -> None:
    assert isinstance(open_spans(wanted=False), NoSpans)
    names = "[one for one in sys.modules if one.startswith('opentelemetry.')]"
    code = f"import sys, hub.app; print({names})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert "opentelemetry.sdk" not in loaded
    assert "opentelemetry.exporter" not in loaded


def test_a_missing_extra_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(StartRefused, match=r"integration-hub\[otel\]"):
        open_spans(wanted=True)


def test_with_the_extra_spans_are_sent_where_opentelemetry_says() -> None:
    spans = open_spans(wanted=True)

    assert isinstance(spans, OpenTelemetrySpans)
    spans.close()
