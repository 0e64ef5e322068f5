"""What happened to a delivery, as spans for OpenTelemetry: an extra, not loaded without it.

All spans of a delivery are in one trace, whose id is made of the delivery's: accepting, planning
and each attempt find it without being told, in whatever process and after whatever restart.
"""

import importlib
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final, Protocol

from hub import ids
from hub._version import __version__
from hub.errors import StartRefused

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Attributes = Mapping[str, str | int | None]


class Spans(Protocol):
    """Where spans go."""

    @property
    def on(self) -> bool:
        """Whether they go anywhere; if not, none need be told."""
        ...

    def ended(
        self,
        name: str,
        delivery: int,
        times: tuple[datetime, datetime],
        attributes: Attributes,
        *,
        error: str = "",
    ) -> None:
        """Tell of something that was done for a delivery, from when to when."""
        ...

    def close(self) -> None:
        """Send what was not sent yet."""
        ...


class NoSpans:
    """Spans go nowhere."""

    on: Final = False

    def ended(
        self,
        name: str,
        delivery: int,
        times: tuple[datetime, datetime],
        attributes: Attributes,
        *,
        error: str = "",
    ) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class OpenTelemetrySpans:
    """Spans go to a tracer provider of OpenTelemetry."""

    on: Final = True

    def __init__(self, provider: Any) -> None:  # noqa: ANN401 - of a library that may be missing
        self._provider = provider
        self._tracer = provider.get_tracer("hub", __version__)
        self._trace = importlib.import_module("opentelemetry.trace")

    def ended(
        self,
        name: str,
        delivery: int,
        times: tuple[datetime, datetime],
        attributes: Attributes,
        *,
        error: str = "",
    ) -> None:
        """Tell of something that was done for a delivery, from when to when."""
        told = {key: value for key, value in attributes.items() if value is not None}
        span = self._tracer.start_span(
            name,
            context=self._context(delivery),
            start_time=_nanoseconds(times[0]),
            attributes={"hub.delivery": ids.shown("dlv", delivery), **told},
        )
        if error:
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, error))
        span.end(end_time=_nanoseconds(times[1]))

    def close(self) -> None:
        """Send what was not sent yet."""
        self._provider.shutdown()

    def _context(self, delivery: int) -> Any:  # noqa: ANN401 - a context of OpenTelemetry
        trace = self._trace
        parent = trace.SpanContext(
            trace_id=trace_id_of(delivery),
            span_id=_number(f"span/{delivery}", 8),
            is_remote=True,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
        return trace.set_span_in_context(trace.NonRecordingSpan(parent))


def trace_id_of(delivery: int) -> int:
    """Return the id of a delivery's trace, in OpenTelemetry's 128 bits."""
    return _number(f"delivery/{delivery}", 16)


def open_spans(*, wanted: bool) -> Spans:
    """Return where spans go; StartRefused when the extra is wanted and missing.

    Where to and how often they are sent is said by OpenTelemetry's own variables (OTEL_…).
    """
    if not wanted:
        return NoSpans()
    try:
        resources = importlib.import_module("opentelemetry.sdk.resources")
        sdk = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        raise StartRefused(
            f"HUB_LOGGING__TRACES is set, but {error.name} is missing. "
            "Install it: pip install 'integration-hub[otel]'"
        ) from error
    named = {"service.name": "integration-hub", "service.version": __version__}
    provider = sdk.TracerProvider(resource=resources.Resource.create(named))
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return OpenTelemetrySpans(provider)


def _number(name: str, size: int) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=size).digest()) or 1


def _nanoseconds(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000_000 + passed.microseconds * 1000
