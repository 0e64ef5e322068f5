"""A vendor's own configuration document in the place of settings: taken apart by its plugin."""

from collections.abc import Mapping
from typing import Any

from hub.connectors.schemas import ConnectorIn, DocumentRest
from hub.errors import Fault, SettingsInvalid
from hub.sdk.connector_types import ConnectorConfig, ConnectorType


def read(brought: ConnectorType[Any, Any], document: Mapping[str, Any]) -> ConnectorConfig:
    """Take a document apart; SettingsInvalid says why it can't be."""
    if brought.read_config is None:
        raise _refused(f"{brought.label} has no documents: give settings.")
    try:
        return brought.read_config(document)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise _refused(f"It can't be read: {type(error).__name__}: {error}") from error


def settings_of(brought: ConnectorType[Any, Any], asked: ConnectorIn) -> dict[str, Any]:
    """Return the settings that were asked for; what is given beside a document goes before it."""
    if asked.document is None:
        return asked.settings
    return {**read(brought, asked.document).settings, **asked.settings}


def rest_of(brought: ConnectorType[Any, Any], asked: ConnectorIn) -> DocumentRest | None:
    """Return what a document holds beside settings; there is nothing secret in it."""
    if asked.document is None:
        return None
    config = read(brought, asked.document)
    return DocumentRest(
        templates={name: dict(params) for name, params in config.templates.items()},
        value_maps={name: dict(rows) for name, rows in config.value_maps.items()},
        service_mappings=[dict(row) for row in config.service_mappings],
    )


def _refused(detail: str) -> SettingsInvalid:
    fault = Fault("/document", detail, "unreadable")
    return SettingsInvalid("The document can't be used.", errors=[fault])
