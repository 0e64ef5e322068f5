"""The plugin under test, as the checks of the kit see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from types import ModuleType
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr

from hub import builtins
from hub.catalog import Catalog, Contribution, Loaded, PluginBroken, contribution_of, load_plugins
from hub.sdk.actions import Action, ActionCall
from hub.sdk.connector_types import ConnectorType, Simulator
from hub.sdk.events import Event, Record, RecordRef
from hub.testing.payloads import Payload
from hub.testing.samples import sample

BASE_URL = "http://simulator.test"
KEY = "k3y0000000000000000000000000000ab"
ORIGIN = "hub/contract/run"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A plugin, with what its author gave to test it: see `PluginContract`."""

    plugin: ModuleType
    settings: Mapping[str, Any]
    payloads: Sequence[Payload] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    records: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)
    beside: Sequence[ModuleType] = ()

    @property
    def name(self) -> str:
        """The plugin's name, as its module says it."""
        return self.plugin.__name__.rpartition(".")[2].removeprefix("hub_")

    @cached_property
    def loaded(self) -> Loaded:
        """The plugin loaded as the hub does it, after those that it names beside it."""
        return load_plugins(
            [*builtins.modules(), *((one.__name__, one) for one in self.beside)],
            entry_points=[_Given.of(self.name, self.plugin)],
        )

    @property
    def catalog(self) -> Catalog:
        """What may be used of it, and of the plugins beside it."""
        return self.loaded.catalog

    @cached_property
    def declared(self) -> Contribution:
        """All that it declares, whether it may be used or not; nothing where it can't be asked."""
        try:
            return contribution_of(self.plugin, self.name)
        except PluginBroken:  # `loaded` reports it, and the test of that fails
            return Contribution(plugin=self.name)

    @cached_property
    def connector_types(self) -> Mapping[str, ConnectorType[Any, Any]]:
        """Its own connector types, by name."""
        return {one.name: one for one in self.declared.connector_types}

    def connector_type_of(self, name: str) -> ConnectorType[Any, Any]:
        """Return the connector type of an action or object, its own or one beside it."""
        first = name.partition(".")[0]
        return self.connector_types.get(first) or self.catalog.connector_types[first]

    @cached_property
    def receiving(self) -> ConnectorType[Any, Any] | None:
        """Its connector type that receives deliveries."""
        return next((one for one in self.connector_types.values() if one.receiver), None)

    def read_settings(
        self, declared: ConnectorType[Any, Any], more: Mapping[str, Any] | None = None
    ) -> BaseModel:
        """Return the settings as the hub reads them."""
        model: type[BaseModel] = declared.settings
        return model.model_validate({**self.settings, **(more or {})})

    def secrets(self) -> set[str]:
        """Return the values of all secret settings that are long enough to look for."""
        found: set[str] = set()
        for declared in self.connector_types.values():
            for value in dict(self.read_settings(declared)).values():
                found.update(_secret_texts(value))
        return {one for one in found if len(one) >= 6}

    def simulator_of(self, declared: ConnectorType[Any, Any]) -> Simulator | None:
        """Return a fresh simulator, where the connector type has one."""
        return declared.simulator() if declared.simulator else None

    def call(
        self,
        action: Action[Any, Any],
        client: Any,  # noqa: ANN401 - the plugin's
        *,
        key: str = KEY,
    ) -> ActionCall[Any, Any]:
        """Return a call of an action, with the author's parameters or made-up ones."""
        given = self.params.get(action.name)
        params = action.params.model_validate(sample(action.params) if given is None else given)
        event = self._event_for(action)
        record = None if action.creates else self._record_for(action, event)
        return ActionCall(
            client=client, params=params, event=event, record=record, key=key, origin=ORIGIN
        )

    def _event_for(self, action: Action[Any, Any]) -> Event:
        object_name = action.target or next((one.name for one in self.declared.objects), "")
        for payload in self.payloads:
            for event in self.parsed(payload):
                if event.record.source_object == object_name:
                    return event
        return Event(
            trigger=f"{object_name}.updated",
            record=Record(source_object=object_name, id=self.records.get(object_name, "1")),
            occurred_at=datetime(2025, 3, 1, 9, 30, tzinfo=UTC),
            key="contract",
        )

    def _record_for(self, action: Action[Any, Any], event: Event) -> RecordRef:
        object_name = action.target or event.record.source_object
        known = self.records.get(object_name)
        return RecordRef(source_object=object_name, id=known or event.record.id)

    def parsed(self, payload: Payload) -> Sequence[Event]:
        """Return the events of a payload; none where it can't be read."""
        if self.receiving is None or self.receiving.receiver is None:
            return ()
        try:
            return self.receiving.receiver.parse(payload.request)
        except Exception:  # noqa: BLE001 - a check of its own reports it
            return ()

    def connected(
        self,
        declared: ConnectorType[Any, Any],
        http: httpx.AsyncClient,
        simulator: Simulator | None,
    ) -> Any:  # noqa: ANN401 - the plugin's client
        """Return the plugin's client, set up for its simulator or with the given settings."""
        given = simulator.settings(BASE_URL) if simulator else self.settings
        return declared.connect(declared.settings.model_validate(dict(given)), http)


class _Given:
    """An entry point that hands out a module that is imported already."""

    def __init__(self, name: str, plugin: ModuleType) -> None:
        self.name = name
        self.value = plugin.__name__
        self.dist = None
        self.load = lambda: plugin

    @classmethod
    def of(cls, name: str, plugin: ModuleType) -> Any:  # noqa: ANN401 - stands in for EntryPoint
        """Return an entry point."""
        return cls(name, plugin)


def _secret_texts(value: object) -> set[str]:
    if isinstance(value, SecretStr):
        return {value.get_secret_value()}
    if isinstance(value, list | tuple | set | frozenset):
        return {text for one in value for text in _secret_texts(one)}
    return set()
