"""The configuration documents of the incident desk's guide, taken apart."""

from collections.abc import Mapping
from typing import Any, Final

from hub import ConnectorConfig
from hub_pagerduty.settings import PagerDutySettings

DESK: Final = "im.incident"
URGENCIES: Final = {"SEV-1": "high", "SEV-2": "high", "SEV-3": "low", "SEV-4": "low"}
_SWITCHES: Final = ("auto_resolve", "sync_notes", "merged")
_TABLES: Final = {
    "urgency_mapping": "severity_to_urgency",
    "custom_field_mappings": "custom_fields",
    "escalation_mapping": "escalation_by_service",
    "status_mapping": "status_im_to_pagerduty",
}
_OF_A_DESK: Final = {"custom", "sync_direction"}
"""Only a desk's connector has these: settings alone ask for no ruleset."""
_CLOCKS: Final = {"ack": "sla_ack", "resolve": "sla_resolve"}
_OUTBOUND, _INBOUND = "pagerduty.outbound", "pagerduty.inbound"


def read_config(document: Mapping[str, Any]) -> ConnectorConfig:
    """Take a document apart: settings, template parameters, value maps, service mappings.

    Whole connectors, and blocks on their own (service mappings, custom fields, SLA times), are
    taken as the guide prints them. What nobody knows stays among the settings, so that it is
    refused by name.
    """
    flat = {**{k: v for k, v in document.items() if k != "custom"}, **_block(document, "custom")}
    maps = {table: _table(flat.pop(name)) for name, table in _TABLES.items() if name in flat}
    maps |= _clocks(flat)
    switches: dict[str, Any] = {name: flat.pop(name) for name in _SWITCHES if name in flat}
    services = flat.pop("service_mappings", None) or {}
    return ConnectorConfig(
        settings=flat,
        templates=_templates(flat, switches) if document.keys() & _OF_A_DESK or switches else {},
        value_maps=maps,
        service_mappings=[_row(name, service) for name, service in services.items()],
    )


def _block(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return dict(found) if isinstance(found, Mapping) else {}


def _table(rows: Any) -> dict[str, str]:  # noqa: ANN401 - as the document has it
    # The guide's example names its columns in the first row.
    return {str(name): str(value) for name, value in rows.items() if name != "im_field"}


def _clocks(flat: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Read {"SEV-1": {"ack": "15m", "resolve": "1h"}}, alone or under `sla_mapping`."""
    given = flat.pop("sla_mapping", None) or {
        name: flat.pop(name)
        for name in list(flat)
        if name.startswith("SEV-") and isinstance(flat[name], Mapping)
    }
    return {
        table: {str(level): str(times[clock]) for level, times in given.items() if clock in times}
        for clock, table in _CLOCKS.items()
        if any(clock in times for times in given.values())
    }


def _templates(flat: Mapping[str, Any], switches: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if not set(flat) & set(PagerDutySettings.model_fields) and not switches:
        return {}
    direction = flat.get("sync_direction", "outbound")
    outbound = {name: switches[name] for name in ("auto_resolve", "sync_notes") if name in switches}
    inbound = {name: switches[name] for name in ("sync_notes", "merged") if name in switches}
    chosen: dict[str, dict[str, Any]] = {}
    if direction in {"outbound", "bidirectional"}:
        chosen[_OUTBOUND] = outbound
    if direction in {"inbound", "bidirectional"}:
        chosen[_INBOUND] = inbound
    return chosen


def _row(name: str, service: Any) -> dict[str, Any]:  # noqa: ANN401 - as the document has it
    if name == "default":
        return {"name": name, "service": str(service), "default": True, "inbound": True}
    return {
        "name": name,
        "object": DESK,
        "field": "service",
        "value": name,
        "service": str(service),
        "outbound": True,
        "inbound": True,
    }
